"""Bars in plain `.npz` files: one integer column per field, and who they belong to."""

from __future__ import annotations

import struct
import zipfile
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.lib.npyio import NpzFile

from mtquant.model import Bars, DataError, MarketDataError, Timeframe, make_bars

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PRICES = ("open", "high", "low", "close")
_REQUIRED = ("time_ms", *_PRICES)
_OPTIONAL = ("spread", "tick_volume")
_IDENTITY = ("symbol", "timeframe", "digits")
_DIGITS = frozenset("012345678")
_ZIP, _ARRAY = b"PK", b"\x93NUMPY"  # how files of several arrays and of one begin
_DAMAGE = (
    EOFError,
    KeyError,
    MemoryError,  # a header that promises more than there is room for
    OSError,
    RuntimeError,  # "encrypted"; also unknown compressions
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


def save_bars(bars: Bars, path: Path) -> None:
    """Write bars as a compressed `.npz` file that `load_bars` reads back."""
    columns = {name: getattr(bars, name) for name in (*_REQUIRED, *_OPTIONAL)}
    np.savez_compressed(
        path,
        symbol=np.array(bars.symbol),
        timeframe=np.array(bars.timeframe.name),
        digits=np.array(bars.digits),
        **columns,
    )


def load_bars(path: Path, *, default_spread_points: int = 0) -> Bars:
    """Read bars from a `.npz` file.

    Args:
        path: a file with integer arrays `time_ms` (UTC), `open`, `high`, `low`, `close` (points of
            the bid), optionally `spread` (points) and `tick_volume`, and the scalars `symbol`,
            `timeframe` (such as H1) and `digits`.
        default_spread_points: used where the file has no spread.

    Raises:
        DataError: the file is missing, is not such a file, or holds no bars.
        MarketDataError: the bars contradict themselves.
    """
    arrays = _arrays(path)
    missing = [name for name in (*_REQUIRED, *_IDENTITY) if name not in arrays]
    if missing:
        raise DataError(
            f"{path}: the arrays {', '.join(missing)} are missing; a bars file has "
            f"{', '.join((*_REQUIRED, *_IDENTITY))} and optionally {', '.join(_OPTIONAL)}"
        )
    if arrays["time_ms"].ndim != 1:
        raise DataError(f"{path}: time_ms must be one column, was {arrays['time_ms'].shape}")
    if not len(arrays["time_ms"]):
        raise DataError(f"{path}: the file holds no bars")
    with complaints_named(path):
        return make_bars(
            symbol=symbol_from(arrays["symbol"].tolist(), path),
            timeframe=timeframe_named(str(arrays["timeframe"]), path),
            digits=digits_from(arrays["digits"], path),
            time_ms=arrays["time_ms"],
            spread=arrays.get("spread", default_spread_points),
            tick_volume=arrays.get("tick_volume", 0),
            **{name: arrays[name] for name in _PRICES},
        )


@contextmanager
def complaints_named(path: Path) -> Iterator[None]:
    """Put the file's name before what is wrong with its bars.

    Raises:
        MarketDataError: the bars contradict themselves.
    """
    try:
        yield
    except MarketDataError as error:
        raise MarketDataError(f"{path}: {error}", **error.details) from error


def symbol_from(value: Any, path: Path) -> str:
    """Return the symbol that a file states.

    Raises:
        DataError: it is no name: not one text, empty, unprintable, or with a path's separators.
    """
    is_name = isinstance(value, str) and value.strip() == value and value.isprintable()
    if not is_name or not value.strip(".") or "/" in value or "\\" in value:
        raise DataError(f"{path}: symbol must be one name such as EURUSD, was {value!r:.60}")
    return str(value)


def timeframe_named(name: str, path: Path) -> Timeframe:
    """Return the timeframe that a file names.

    Raises:
        DataError: there is no such timeframe.
    """
    if name not in Timeframe.__members__:
        raise DataError(f"{path}: timeframe {name!r} is not one of M1 ... MN1")
    return Timeframe[name]


def digits_from(value: Any, path: Path) -> int:
    """Return the digits that a file states.

    Raises:
        DataError: they are not a whole number from 0 to 8.
    """
    text = str(value)
    if text not in _DIGITS:
        raise DataError(f"{path}: digits must be 0 to 8, was {text}")
    return int(text)


def require_file(path: Path) -> None:
    """Refuse a path that leads to no file.

    Raises:
        DataError: it is a folder, or there is nothing.
    """
    if path.is_dir():
        raise DataError(f"{path}: this is a folder; name a .npz or .parquet file")
    if not path.is_file():
        raise DataError(f"{path}: there is no such data file")


def _arrays(path: Path) -> dict[str, Any]:
    require_file(path)
    try:
        # opened here: numpy leaves a file open that it cannot read
        with path.open("rb") as file, _archive(file, path) as archive:
            return {name: _array(archive, name, path) for name in archive.files}
    except _DAMAGE as error:
        raise DataError(f"{path}: this is not a readable .npz bars file ({error})") from error


def _archive(file: BinaryIO, path: Path) -> NpzFile:
    start = file.read(len(_ARRAY))
    file.seek(0)
    if start == _ARRAY:
        raise DataError(f"{path}: this is one array, not an .npz bars file")
    if not start.startswith(_ZIP):
        raise DataError(f"{path}: this is no .npz or .parquet file")
    return NpzFile(file, allow_pickle=False)


def _array(archive: NpzFile, name: str, path: Path) -> Any:
    try:
        return archive[name]
    except ValueError as error:
        if "allow_pickle" not in str(error):  # numpy's advice, which is none for data of others
            raise
        raise DataError(f"{path}: the array {name} holds Python objects, not numbers") from error
