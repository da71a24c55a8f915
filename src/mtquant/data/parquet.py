"""Bars and ticks from Parquet files, through DuckDB (extra `data`)."""

from __future__ import annotations

import importlib
import json
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from mtquant.data.bars_file import (
    complaints_named,
    digits_from,
    require_file,
    symbol_from,
    timeframe_named,
)
from mtquant.model import Bars, DataError, ServerClock, Ticks, make_bars, make_ticks, times_column

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from numpy.typing import NDArray

_PRICES = ("open", "high", "low", "close")


def load_parquet(
    path: Path, *, clock: ServerClock | None = None, default_spread_points: int = 0
) -> Bars:
    """Read bars from a Parquet file.

    Args:
        path: columns `time` (int64 epoch seconds), `open`, `high`, `low`, `close` (int points),
            optionally `spread` and `tick_volume`; the file's metadata key `mtquant` is a JSON
            object with `symbol`, `timeframe`, `digits` and optionally `timezone`.
        clock: the clock that `time` runs on; UTC when not given.
        default_spread_points: used where the file has no spread.

    Raises:
        DataError: the extra is not installed, the file is not such a file, or it says that its
            times are not UTC and no clock is given.
        MarketDataError: the bars contradict themselves.
    """
    metadata, columns = _read(path, "time", _PRICES, ("symbol", "timeframe", "digits"))
    with complaints_named(path):
        times = times_column(columns["time"], len(columns["time"]), "time", unit_ms=1000)
        time_ms = _utc(path, times, metadata, clock)
        return make_bars(
            symbol=symbol_from(metadata["symbol"], path),
            timeframe=timeframe_named(str(metadata["timeframe"]), path),
            digits=digits_from(metadata["digits"], path),
            time_ms=time_ms,
            spread=columns.get("spread", default_spread_points),
            tick_volume=columns.get("tick_volume", 0),
            **{name: columns[name] for name in _PRICES},
        )


def save_parquet(bars: Bars, path: Path) -> None:
    """Write bars as a Parquet file that `load_parquet` reads back, in one piece.

    Raises:
        DataError: the extra is not installed, a time is no whole second, or the file cannot be
            written.
    """
    duckdb = _duckdb(path, "writing")
    broken = np.flatnonzero(bars.time_ms % 1000)
    if len(broken):
        row = int(broken[0])
        raise DataError(
            f"{path}: the times of Parquet bars are whole seconds, row {row} opens at "
            f"{bars.time_ms[row]} ms; write .npz instead"
        )
    facts = {"symbol": bars.symbol, "timeframe": bars.timeframe.name, "digits": bars.digits}
    about = json.dumps(facts | {"timezone": "UTC"})
    columns = {"time": bars.time_ms // 1000}
    columns |= {name: getattr(bars, name) for name in (*_PRICES, "spread", "tick_volume")}
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        with duckdb.connect() as connection:
            connection.register("bars", columns)
            connection.execute(
                f"copy bars to {_quoted(str(draft))} "
                f"(format parquet, compression zstd, kv_metadata {{mtquant: {_quoted(about)}}})"
            )
        draft.replace(path)
    except (duckdb.Error, OSError) as error:
        draft.unlink(missing_ok=True)
        raise DataError(f"{path}: the file cannot be written ({error})") from error


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def load_ticks(path: Path, *, clock: ServerClock | None = None) -> Ticks:
    """Read ticks from a Parquet file.

    Args:
        path: columns `time_msc` (int64 epoch milliseconds), `bid` and `ask` (int points); the
            file's metadata key `mtquant` is a JSON object with `symbol`, `digits` and optionally
            `timezone`.
        clock: the clock that the times run on; UTC when not given.

    Raises:
        DataError: as for `load_parquet`.
        MarketDataError: the ticks contradict themselves.
    """
    metadata, columns = _read(path, "time_msc", ("bid", "ask"), ("symbol", "digits"))
    with complaints_named(path):
        times = times_column(columns["time_msc"], len(columns["time_msc"]), "time_msc")
        return make_ticks(
            symbol=symbol_from(metadata["symbol"], path),
            digits=digits_from(metadata["digits"], path),
            time_ms=_utc(path, times, metadata, clock),
            bid=columns["bid"],
            ask=columns["ask"],
        )


def _utc(
    path: Path, time_ms: NDArray[np.int64], metadata: dict[str, Any], clock: ServerClock | None
) -> NDArray[np.int64]:
    """Return UTC times of those of a file.

    Raises:
        DataError: the file says that its times are not UTC, and no clock is given.
    """
    zone = str(metadata.get("timezone", "UTC"))
    if clock is not None:
        return np.array([clock.to_utc_ms(int(ms)) for ms in time_ms], dtype=np.int64)
    if zone.upper() != "UTC":
        raise DataError(
            f"{path}: its times are in {zone!r}, not UTC; name the server's clock "
            "(eet_eu, ny_plus_7 or fixed:+2)"
        )
    return time_ms


def _read(
    path: Path, time: str, prices: tuple[str, ...], facts: tuple[str, ...]
) -> tuple[dict[str, Any], dict[str, Any]]:
    require_file(path)
    duckdb = _duckdb(path, "reading")
    try:
        with duckdb.connect() as connection:
            found = connection.execute(
                "select value from parquet_kv_metadata(?) where key = 'mtquant'", [str(path)]
            ).fetchone()
            columns = connection.execute("select * from read_parquet(?)", [str(path)]).fetchnumpy()
    except duckdb.Error as error:
        raise DataError(f"{path}: this is not a readable Parquet file ({error})") from error
    if found is None:
        raise DataError(f"{path}: the metadata key 'mtquant' ({', '.join(facts)}) is missing")
    try:
        metadata = json.loads(found[0])
    except ValueError as error:
        raise DataError(f"{path}: the metadata key 'mtquant' is not JSON ({error})") from error
    if not isinstance(metadata, dict):
        raise DataError(f"{path}: the metadata key 'mtquant' must be an object, was {metadata!r}")
    missing = [name for name in (time, *prices) if name not in columns]
    missing += [name for name in facts if name not in metadata]
    if missing:
        raise DataError(f"{path}: {', '.join(missing)} missing from the file or its metadata")
    _require_whole(path, columns, time)
    return metadata, columns


def _duckdb(path: Path, deed: str) -> ModuleType:
    try:
        return importlib.import_module("duckdb")  # an extra, and slow to import
    except ImportError as error:
        raise DataError(
            f"{path}: {deed} Parquet needs the extra `data`: pip install 'mtquant[data]'"
        ) from error


def _require_whole(path: Path, columns: dict[str, Any], time: str) -> None:
    """Refuse empty cells, times that are no whole numbers, and a file without rows."""
    if not len(columns[time]):
        raise DataError(f"{path}: the file holds no prices")
    if not np.issubdtype(columns[time].dtype, np.integer):
        unit = "milliseconds" if time == "time_msc" else "seconds"
        raise DataError(f"{path}: {time} must be whole epoch {unit}, was {columns[time].dtype}")
    for name, column in columns.items():
        if np.ma.is_masked(column):
            row = int(np.flatnonzero(np.ma.getmaskarray(column))[0])
            raise DataError(f"{path}: column {name} is empty in row {row}")
