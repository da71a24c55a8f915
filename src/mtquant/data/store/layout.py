"""How columns lie in their one file: little-endian, one after the other, each from a round offset.

| column | type |
|---|---|
| `time_ms` | int64 |
| `open`, `high`, `low`, `close`, `spread` | int32 |
| `tick_volume` | int64 |

One file and not one per column: a mapping costs an open file, and a sweep opens many series.
"""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from mtquant.model import Bars

COLUMN_TYPES: Final[dict[str, np.dtype[Any]]] = {
    "time_ms": np.dtype("<i8"),
    **dict.fromkeys(("open", "high", "low", "close", "spread"), np.dtype("<i4")),
    "tick_volume": np.dtype("<i8"),
}
_ALIGNMENT: Final = 64


@dataclass(frozen=True, slots=True)
class Place:
    """Say where a column lies: `offset` and `size` in bytes."""

    offset: int
    size: int


def places(rows: int) -> dict[str, Place]:
    """Return where each column of `rows` rows lies."""
    found, offset = {}, 0
    for name, dtype in COLUMN_TYPES.items():
        found[name] = Place(offset, rows * dtype.itemsize)
        offset += -(-found[name].size // _ALIGNMENT) * _ALIGNMENT
    return found


def file_size(rows: int) -> int:
    """Return the bytes of a file of `rows` rows."""
    last = places(rows)["tick_volume"]
    return last.offset + last.size


def write_columns(bars: Bars, path: Path) -> dict[str, str]:
    """Write the columns, through to the disk; return the SHA-256 of each one's bytes."""
    digests = {}
    with path.open("wb") as file:
        for name, place in places(len(bars)).items():
            column = np.ascontiguousarray(getattr(bars, name), dtype=COLUMN_TYPES[name])
            file.seek(place.offset)  # what is left out between two columns reads as zeros
            file.write(column.data)
            digests[name] = sha256(column.data).hexdigest()
        file.flush()
        os.fsync(file.fileno())
    return digests


def map_columns(file: BinaryIO, rows: int) -> dict[str, NDArray[Any]]:
    """Return read-only columns over the pages of a file; they stay valid when it is closed."""
    pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return {
        name: np.frombuffer(pages, COLUMN_TYPES[name], rows, place.offset)
        for name, place in places(rows).items()
    }
