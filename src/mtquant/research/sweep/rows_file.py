"""The rows of a sweep on disk: appended batch by batch, read back after whatever happened."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from mtquant.model import ConfigError
from mtquant.research.sweep.figures import FIGURES
from mtquant.research.sweep.trials import TrialState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

_STATES = {state.value for state in TrialState}


class RowsFile:
    """Append batches of lines to a file, one writer at a time.

    The first line names the sweep. A torn end, as a killed process or a full disk leaves it, is
    cut when the file is opened again.
    """

    def __init__(self, path: Path, fingerprint: str, rows: int) -> None:
        """Open the file, or begin it.

        Raises:
            ConfigError: it holds the rows of another sweep, or cannot be written.
        """
        self.path = path
        self.is_done: NDArray[np.bool_] = np.zeros(rows, dtype=np.bool_)
        header = orjson.dumps(
            {"sweep": fingerprint, "rows": rows, "figures": list(FIGURES)},
            option=orjson.OPT_APPEND_NEWLINE,
        )
        try:
            end = self._sound_end(header)
            self._file = path.open("r+b" if end else "wb", buffering=0)
            self._file.truncate(end)
            self._file.seek(end)
            if not end:
                self._file.write(header)
        except OSError as error:
            raise ConfigError(f"{path}: cannot be written ({error.strerror})") from error

    def append(self, lines: bytes) -> None:
        """Write whole lines with a single call to the system.

        Raises:
            ConfigError: the disk does not take them.
        """
        try:
            written = self._file.write(lines)
        except OSError as error:
            raise ConfigError(f"{self.path}: cannot be written ({error.strerror})") from error
        if written != len(lines):
            raise ConfigError(f"{self.path}: the disk took {written} of {len(lines)} bytes")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _sound_end(self, header: bytes) -> int:
        """Return where the last whole line ends, having noted which rows there are."""
        if not self.path.exists():
            return 0
        with self.path.open("rb") as file:
            first = file.readline()
            if not first.endswith(b"\n"):
                return 0
            if first != header:
                raise ConfigError(
                    f"{self.path}: holds the rows of another sweep; choose another folder"
                )
            end = file.tell()
            for line in file:
                found = _parsed(line, len(self.is_done))
                if found is None:
                    break
                self.is_done[found[0]] = True
                end += len(line)
        return end


def read_lines(path: Path, rows: int) -> Iterator[tuple[int, TrialState, Any]]:
    """Yield row, state and figures or reason of every line of a rows file.

    Raises:
        ConfigError: the file is missing or has a line that is none.
    """
    try:
        with path.open("rb") as file:
            file.readline()
            for number, line in enumerate(file, 2):
                found = _parsed(line, rows)
                if found is None:
                    raise ConfigError(f"{path}: line {number} is damaged")
                yield found[0], TrialState(found[1]), found[2]
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error


def _parsed(line: bytes, rows: int) -> tuple[int, str, Any] | None:
    """Return what a line says, None when it is torn."""
    if not line.endswith(b"\n"):
        return None
    with suppress(orjson.JSONDecodeError, ValueError, TypeError):
        row, state, rest = orjson.loads(line)
        is_row = isinstance(row, int) and 0 <= row < rows and state in _STATES
        is_whole = isinstance(rest, list) and len(rest) == len(FIGURES)
        if is_row and (is_whole if state == TrialState.OK.value else isinstance(rest, str)):
            return row, state, rest
    return None
