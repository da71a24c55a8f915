"""Bars and ticks as columns of whole points."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from mtquant.model.codec import Jsonable
from mtquant.model.errors import MarketDataError
from mtquant.model.timeframe import Timeframe

IntColumn = NDArray[np.int64] | NDArray[np.int32]
PRICE_COLUMNS = ("open", "high", "low", "close")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Hold bid bars of one symbol: columns of equal length n, oldest first.

    `time_ms` int64[n] is the open time in UTC milliseconds, strictly rising; `open`, `high`, `low`,
    `close` and `spread` int32[n] are points; `tick_volume` int64[n].
    """

    symbol: str
    timeframe: Timeframe
    digits: int
    time_ms: NDArray[np.int64]
    open: NDArray[np.int32]
    high: NDArray[np.int32]
    low: NDArray[np.int32]
    close: NDArray[np.int32]
    spread: NDArray[np.int32]
    tick_volume: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.time_ms)

    def __getitem__(self, rows: slice) -> Bars:
        return Bars(
            symbol=self.symbol,
            timeframe=self.timeframe,
            digits=self.digits,
            time_ms=self.time_ms[rows],
            open=self.open[rows],
            high=self.high[rows],
            low=self.low[rows],
            close=self.close[rows],
            spread=self.spread[rows],
            tick_volume=self.tick_volume[rows],
        )

    def content_hash(self) -> str:
        """Return a SHA-256 over symbol, timeframe, digits and every column."""
        digest = sha256(f"{self.symbol},{self.timeframe.name},{self.digits}".encode())
        for name in ("time_ms", *PRICE_COLUMNS, "spread", "tick_volume"):
            column = np.ascontiguousarray(getattr(self, name), dtype="<i8")
            digest.update(column.tobytes())
        return digest.hexdigest()


def make_bars(
    *,
    symbol: str,
    timeframe: Timeframe,
    digits: int,
    time_ms: IntColumn,
    open: IntColumn,  # noqa: A002 - the field's own word
    high: IntColumn,
    low: IntColumn,
    close: IntColumn,
    spread: IntColumn | int = 0,
    tick_volume: IntColumn | int = 0,
) -> Bars:
    """Check columns and make `Bars` of them.

    Args:
        symbol: standard name.
        timeframe: bar length.
        digits: decimals of the prices.
        time_ms: open times, UTC milliseconds.
        open: opening bids, points.
        high: highest bids, points.
        low: lowest bids, points.
        close: closing bids, points.
        spread: spread in points, one for all or a column.
        tick_volume: number of ticks, one for all or a column.

    Raises:
        MarketDataError: columns differ in length, times do not rise, prices contradict themselves.
    """
    n = len(time_ms)
    given = {"open": open, "high": high, "low": low, "close": close, "spread": spread}
    columns = {name: _column(values, n, name) for name, values in given.items()}
    times = _whole(time_ms, n, "time_ms")
    volume = _whole(tick_volume, n, "tick_volume")
    _require_sane(symbol, times, volume, columns)
    for prices in columns.values():
        prices.setflags(write=False)
    times.setflags(write=False)
    volume.setflags(write=False)
    return Bars(
        symbol=symbol,
        timeframe=timeframe,
        digits=digits,
        time_ms=times,
        tick_volume=volume,
        **columns,
    )


def _whole(values: IntColumn | int, n: int, name: str) -> NDArray[np.int64]:
    if isinstance(values, int):
        return np.full(n, values, dtype=np.int64)
    array = np.asarray(values)
    if not np.issubdtype(array.dtype, np.integer):
        raise MarketDataError(f"column {name} must hold whole numbers, was {array.dtype}")
    if array.shape != (n,):
        raise MarketDataError(f"column {name} has shape {array.shape}, the times have ({n},)")
    return array.astype(np.int64)


def _column(values: IntColumn | int, n: int, name: str) -> NDArray[np.int32]:
    array = _whole(values, n, name)
    if n and (array.min() < -(2**31) or array.max() >= 2**31):
        raise MarketDataError(f"column {name} does not fit 32 bits of points")
    return array.astype(np.int32)


def _require_sane(
    symbol: str,
    times: NDArray[np.int64],
    volume: NDArray[np.int64],
    columns: dict[str, NDArray[np.int32]],
) -> None:
    low, high = columns["low"], columns["high"]
    inside = [columns["open"], columns["close"]]
    checks = (
        ("time does not rise", np.flatnonzero(np.diff(times) <= 0) + 1),
        ("price is not positive", np.flatnonzero(low <= 0)),
        ("high lies below low", np.flatnonzero(high < low)),
        ("open or close lies outside low and high", _outside(inside, low, high)),
        ("spread is negative", np.flatnonzero(columns["spread"] < 0)),
        ("tick volume is negative", np.flatnonzero(volume < 0)),
    )
    for complaint, rows in checks:
        if len(rows):
            row = int(rows[0])
            raise MarketDataError(
                f"{symbol}: {complaint} in row {row} (of {len(times)}, {len(rows)} such rows)",
                row=row,
            )


def _outside(
    inside: list[NDArray[np.int32]], low: NDArray[np.int32], high: NDArray[np.int32]
) -> NDArray[np.int64]:
    wrong = np.zeros(len(low), dtype=bool)
    for column in inside:
        wrong |= (column < low) | (column > high)
    return np.flatnonzero(wrong)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticks:
    """Hold quotes of one symbol: `time_ms` int64[n] (UTC), `bid` and `ask` int32[n] in points."""

    symbol: str
    digits: int
    time_ms: NDArray[np.int64]
    bid: NDArray[np.int32]
    ask: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.time_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class BarRow:
    """Hold one closed bar, as it arrives live (times UTC milliseconds, prices points)."""

    time_ms: int
    open: int
    high: int
    low: int
    close: int
    spread: int
    tick_volume: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote(Jsonable):
    """Hold bid and ask (points) at a moment (UTC milliseconds)."""

    symbol: str
    time_ms: int
    bid_points: int
    ask_points: int

    @property
    def spread_points(self) -> int:
        """Return ask minus bid."""
        return self.ask_points - self.bid_points
