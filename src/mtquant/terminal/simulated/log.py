"""The simulated server's own memory: an append-only file of requests and clock steps.

The server is deterministic, so its file is the log of what reached it, and recovery is replay. A
record is written before the answer is given (a plain write: it survives the end of the process,
not of the machine). A record torn by a killed process was never answered: it is cut off, and the
request counts as never arrived.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Protocol

from mtquant.model import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_VERSION = 2


class ServerLog(Protocol):
    """Keep what reached the server, in order."""

    def write(self, record: dict[str, Any]) -> None:
        """Append one record; when this returns, it survives the end of the process."""
        ...

    def records(self) -> Iterator[dict[str, Any]]:
        """Return what an earlier process wrote, oldest first."""
        ...


class MemoryLog:
    """Forget everything when the process ends: for tests that are not about durability."""

    def write(self, record: dict[str, Any]) -> None:
        """Drop the record."""

    def records(self) -> Iterator[dict[str, Any]]:
        """Return nothing."""
        return iter(())


class FileLog:
    """Keep the log in a file of JSON lines; its head says which venue, data and seed it is of."""

    def __init__(self, path: Path, fingerprint: str) -> None:
        """Open the log, cutting off a record that a killed process tore.

        Raises:
            DataError: the file belongs to another server, is damaged, or cannot be used.
        """
        self._path = path
        self._file = -1
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._old = self._recover(fingerprint)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
            self._file = os.open(path, flags, 0o644)
        except OSError as error:
            raise DataError(
                f"{path}: the server's log cannot be used ({error.strerror})"
            ) from error
        if self._old is None:
            self.write({"version": _VERSION, "fingerprint": fingerprint})

    def write(self, record: dict[str, Any]) -> None:
        """Append one record in one write to the operating system.

        Raises:
            OSError: it could not be written whole; what was written of it is taken back.
        """
        line = json.dumps(record, separators=(",", ":")).encode() + b"\n"
        written = os.write(self._file, line)
        if written != len(line):
            os.ftruncate(self._file, os.fstat(self._file).st_size - written)
            raise OSError(f"{self._path}: only {written} of {len(line)} bytes could be written")

    def records(self) -> Iterator[dict[str, Any]]:
        """Return what an earlier process wrote, oldest first."""
        return iter(self._old or ())

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _recover(self, fingerprint: str) -> list[dict[str, Any]] | None:
        if not self._path.exists():
            return None
        content = self._path.read_bytes()
        whole = content.rfind(b"\n") + 1
        lines = content[:whole].split(b"\n")[:-1]
        records = [self._record(line) for line in lines]
        if records:
            self._require_head(records[0], fingerprint)
        if whole < len(content):
            os.truncate(self._path, whole)
        return records[1:] if records else None

    def _record(self, line: bytes) -> dict[str, Any]:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{self._path}: the server's log is damaged: {error}") from error
        if not isinstance(record, dict):
            raise DataError(f"{self._path}: the server's log is damaged: {line[:40]!r}")
        return record

    def _require_head(self, head: dict[str, Any], fingerprint: str) -> None:
        if head.get("version") != _VERSION:
            raise DataError(f"{self._path}: the server's log has version {head.get('version')!r}")
        if head.get("fingerprint") != fingerprint:
            raise DataError(
                f"{self._path}: this server was run with another venue, data or seed; "
                "use another folder or remove this one"
            )


def last_time_ms(path: Path) -> int | None:
    """Return the time a server's file had reached (UTC ms), None where there is no such time.

    The file is only read: a server may be writing it.

    Raises:
        DataError: a whole record cannot be read.
    """
    if not path.is_file():
        return None
    whole = [line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
    try:
        records = [json.loads(line) for line in whole]
    except ValueError as error:
        raise DataError(f"{path}: the server's log is damaged: {error}") from error
    times = [record.get("t") for record in records if isinstance(record, dict)]
    return max((time_ms for time_ms in times if isinstance(time_ms, int)), default=None)
