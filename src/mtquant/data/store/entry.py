"""One stored series: its facts beside its columns, and how it is opened and checked."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mtquant.data.store.layout import COLUMN_TYPES, file_size, map_columns, write_columns
from mtquant.model import Bars, ConfigError, DataError, Timeframe
from mtquant.model.reading import read

if TYPE_CHECKING:
    from numpy.typing import NDArray

LAYOUT_VERSION: Final = 1
FACTS: Final = "facts.json"
COLUMNS: Final = "columns.bin"
_KEY: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBars:
    """Hold what is known of a stored series without opening it; it is small and can be pickled.

    `key` is the series' `Bars.content_hash()`; `first_ms` and `last_ms` are open times of its first
    and last bar, `stored_ms` is when it was put, all UTC milliseconds; `source` says in the words
    of who put it where it comes from.
    """

    folder: Path
    key: str
    symbol: str
    timeframe: Timeframe
    digits: int
    rows: int
    first_ms: int
    last_ms: int
    stored_ms: int
    source: str
    column_sha256: Mapping[str, str] = field(repr=False, hash=False)

    def __post_init__(self) -> None:
        """Refuse facts that no series has.

        Raises:
            DataError: the message names the fact.
        """
        if self.rows < 1 or not 0 <= self.digits <= 8:
            raise DataError(f"there is no series of {self.rows} rows and {self.digits} digits")
        if self.key != self.folder.name:
            raise DataError(f"the facts of {self.key} lie in the folder of another key")
        if set(self.column_sha256) != set(COLUMN_TYPES):
            raise DataError(f"column_sha256 must name the columns {', '.join(COLUMN_TYPES)}")

    def open(self) -> Bars:
        """Return the bars over memory-mapped, read-only columns.

        Nothing is copied, and rows are not checked again: that was done when they were put. All
        processes that open a series share its pages. Bars from here pickle as their whole content,
        so hand workers this object, or folder and key.

        Raises:
            DataError: the columns are missing, of another length, or not those of the facts.
        """
        path = self.folder / COLUMNS
        try:
            with path.open("rb") as file:
                size, wanted = os.fstat(file.fileno()).st_size, file_size(self.rows)
                if size != wanted:
                    raise DataError(f"{path}: {self.rows} rows take {wanted} bytes, found {size}")
                columns = map_columns(file, self.rows)
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
        self._require_range(columns["time_ms"])
        return Bars(symbol=self.symbol, timeframe=self.timeframe, digits=self.digits, **columns)

    def verify(self) -> None:
        """Read everything and compare it with what was put.

        Raises:
            DataError: a column or the facts are damaged; the message names which.
        """
        bars = self.open()
        damaged = [
            name
            for name, digest in self.column_sha256.items()
            if sha256(getattr(bars, name).data).hexdigest() != digest
        ]
        found = bars.content_hash()
        if found == self.key and not damaged:
            return
        if found == self.key or not damaged:
            raise DataError(
                f"{self.folder / FACTS}: the facts are damaged: they and the columns give the key "
                f"{found}; remove the entry and put the bars again"
            )
        raise DataError(
            f"{self.folder / COLUMNS}: damaged: {', '.join(damaged)}; remove the entry and put the "
            "bars again"
        )

    def _require_range(self, time_ms: NDArray[Any]) -> None:
        found = int(time_ms[0]), int(time_ms[-1])
        if found != (self.first_ms, self.last_ms):
            raise DataError(
                f"{self.folder}: the facts tell of bars from {self.first_ms} to {self.last_ms} ms, "
                f"the columns go from {found[0]} to {found[1]} ms"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableEntry:
    """Hold the key of an entry that cannot be used, and why."""

    key: str
    reason: str


def is_key(name: str) -> bool:
    """Tell whether a name is a whole key."""
    return _KEY.fullmatch(name) is not None


def write_entry(bars: Bars, folder: Path, *, key: str, source: str, stored_ms: int) -> None:
    """Write columns and facts into an existing, empty folder."""
    facts = {
        "layout_version": LAYOUT_VERSION,
        "key": key,
        "symbol": bars.symbol,
        "timeframe": bars.timeframe.name,
        "digits": bars.digits,
        "rows": len(bars),
        "first_ms": int(bars.time_ms[0]),
        "last_ms": int(bars.time_ms[-1]),
        "stored_ms": stored_ms,
        "source": source,
        "column_sha256": write_columns(bars, folder / COLUMNS),
    }
    with (folder / FACTS).open("w", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(facts, indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())


def read_entry(folder: Path) -> StoredBars:
    """Return the entry in a folder named by its key.

    Raises:
        DataError: its facts are missing or damaged, or its layout is another.
    """
    path = folder / FACTS
    try:
        parsed = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: damaged, this is not JSON ({error})") from error
    if not isinstance(parsed, dict):
        raise DataError(f"{path}: damaged, this is no object")
    version = parsed.pop("layout_version", None)
    if version != LAYOUT_VERSION:
        raise DataError(
            f"{path}: layout version {version!r}, this mtquant reads {LAYOUT_VERSION}; remove the "
            "entry and put the bars again"
        )
    try:
        return read(StoredBars, parsed | {"folder": folder})
    except ConfigError as error:
        raise DataError(f"{path}: damaged: {error}") from error
