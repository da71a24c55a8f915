"""The work of `mtquant bars`: files into the store of bars, and out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mtquant.app.market_data import load_file
from mtquant.data import save_bars, save_parquet
from mtquant.model import ConfigError, DataError, time_text

if TYPE_CHECKING:
    from pathlib import Path

    from mtquant.data.store import BarsStore, StoredBars

_SHORT_KEY = 12


def import_bars(path: Path, clock: str, store: BarsStore) -> StoredBars:
    """Put the bars of a file into a store.

    Raises:
        InputError: the file or the clock cannot be used, or the store cannot be written.
    """
    if path.suffix not in (".npz", ".parquet"):
        raise DataError(f"{path}: bars are read from .npz and .parquet files")
    if path.suffix == ".npz" and clock != "utc":
        raise ConfigError(f"--clock {clock}: the times of .npz files are UTC always")
    return store.put(load_file(path, clock, "--clock"), source=path.name)


def export_bars(key: str, path: Path, store: BarsStore) -> StoredBars:
    """Write the bars of a key to a new file, `.npz` or `.parquet` by its name.

    Raises:
        DataError: there are no such bars, the file exists, is of another kind or cannot be made.
    """
    if path.suffix not in (".npz", ".parquet"):
        raise DataError(f"{path}: bars are written to .npz and .parquet files")
    if path.exists():
        raise DataError(f"{path}: there is such a file already; remove it or choose another name")
    entry = store.entry(key)
    bars = entry.open()
    try:
        (save_bars if path.suffix == ".npz" else save_parquet)(bars, path)
    except OSError as error:
        raise DataError(f"{path}: the file cannot be written ({error.strerror})") from error
    return entry


def facts_of(entry: StoredBars) -> dict[str, Any]:
    """Return what `--json` says of an entry."""
    return {
        "key": entry.key,
        "symbol": entry.symbol,
        "timeframe": entry.timeframe.name,
        "digits": entry.digits,
        "rows": entry.rows,
        "first_ms": entry.first_ms,
        "last_ms": entry.last_ms,
        "stored_ms": entry.stored_ms,
        "source": entry.source,
    }


def line_of(entry: StoredBars) -> str:
    """Return one line of text about an entry: key, what it is, rows, range, source."""
    first, last = (time_text(ms).removesuffix(":00") for ms in (entry.first_ms, entry.last_ms))
    return (
        f"{entry.key[:_SHORT_KEY]}  {entry.symbol:8} {entry.timeframe.name:3} "
        f"{entry.digits} digits {entry.rows:>10,} bars  {first} to {last}  {entry.source}"
    ).rstrip()


def import_lines(entry: StoredBars) -> list[str]:
    """Return what `import` prints."""
    lines = [line_of(entry)]
    if not entry.open().spread.any():
        lines.append("The bars have no spread: runs take the instrument's spread_points.")
    return lines


def list_lines(store: BarsStore) -> list[str]:
    """Return what `list` prints."""
    lines = [line_of(entry) for entry in store.entries()]
    lines += [f"{bad.key[:_SHORT_KEY]}  unreadable: {bad.reason}" for bad in store.unreadable()]
    return lines or [f"There are no bars in {store.folder}."]
