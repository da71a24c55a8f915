"""Bars from Parquet files, through DuckDB (extra `data`)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from mtquant.data.bars_file import digits_from, timeframe_named
from mtquant.model import Bars, DataError, ServerClock, make_bars

if TYPE_CHECKING:
    from pathlib import Path

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
    if not path.is_file():
        raise DataError(f"{path}: there is no such data file")
    metadata, columns = _read(path)
    zone = str(metadata.get("timezone", "UTC"))
    if clock is None and zone.upper() != "UTC":
        raise DataError(
            f"{path}: its times are in {zone!r}, not UTC; name the server's clock "
            "(eet_eu, ny_plus_7 or fixed:+2)"
        )
    time_ms = columns["time"].astype(np.int64) * 1000
    if clock is not None:
        time_ms = np.array([clock.to_utc_ms(int(ms)) for ms in time_ms], dtype=np.int64)
    return make_bars(
        symbol=str(metadata["symbol"]),
        timeframe=timeframe_named(str(metadata["timeframe"]), path),
        digits=digits_from(metadata["digits"], path),
        time_ms=time_ms,
        spread=columns.get("spread", default_spread_points),
        tick_volume=columns.get("tick_volume", 0),
        **{name: columns[name] for name in _PRICES},
    )


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        import duckdb  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        raise DataError(
            f"{path}: reading Parquet needs the extra `data`: pip install 'mtquant[data]'"
        ) from error
    try:
        with duckdb.connect() as connection:
            found = connection.execute(
                "select value from parquet_kv_metadata(?) where key = 'mtquant'", [str(path)]
            ).fetchone()
            columns = connection.execute("select * from read_parquet(?)", [str(path)]).fetchnumpy()
    except duckdb.Error as error:
        raise DataError(f"{path}: this is not a readable Parquet file ({error})") from error
    if found is None:
        raise DataError(
            f"{path}: the metadata key 'mtquant' (symbol, timeframe, digits) is missing"
        )
    try:
        metadata = json.loads(found[0])
    except ValueError as error:
        raise DataError(f"{path}: the metadata key 'mtquant' is not JSON ({error})") from error
    if not isinstance(metadata, dict):
        raise DataError(f"{path}: the metadata key 'mtquant' must be an object, was {metadata!r}")
    missing = [name for name in ("time", *_PRICES) if name not in columns]
    missing += [name for name in ("symbol", "timeframe", "digits") if name not in metadata]
    if missing:
        raise DataError(f"{path}: {', '.join(missing)} missing from the file or its metadata")
    _require_whole(path, columns)
    return metadata, columns


def _require_whole(path: Path, columns: dict[str, Any]) -> None:
    """Refuse empty cells, times that are no whole seconds, and a file without rows."""
    if not len(columns["time"]):
        raise DataError(f"{path}: the file holds no bars")
    if not np.issubdtype(columns["time"].dtype, np.integer):
        raise DataError(f"{path}: time must be whole epoch seconds, was {columns['time'].dtype}")
    for name, column in columns.items():
        if np.ma.is_masked(column):
            row = int(np.flatnonzero(np.ma.getmaskarray(column))[0])
            raise DataError(f"{path}: column {name} is empty in row {row}")
