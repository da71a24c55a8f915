"""Bars and ticks as columns of whole points."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mtquant.model.bar_checks import (
    PRICE_COLUMNS,
    IntColumn,
    points_column,
    require_sane,
    require_sane_ticks,
    times_column,
    whole_column,
)
from mtquant.model.codec import Jsonable
from mtquant.model.timeframe import Timeframe

_CHUNK: Final = 1 << 15  # rows hashed at a time: 256 kB stay in the processor's cache


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
        names = ("time_ms", *PRICE_COLUMNS, "spread", "tick_volume")
        head = f"{self.symbol},{self.timeframe.name},{self.digits}"
        return _hash_of(head, *(getattr(self, name) for name in names))


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
        time_ms: open times, UTC milliseconds, from 1970 on and before 2070.
        open: opening bids, points.
        high: highest bids, points.
        low: lowest bids, points.
        close: closing bids, points.
        spread: spread in points, one for all or a column.
        tick_volume: number of ticks, one for all or a column.

    Raises:
        MarketDataError: columns differ in length, times lie outside these years or do not rise,
            bars overlap, prices contradict themselves.
    """
    n = len(time_ms)
    given = {"open": open, "high": high, "low": low, "close": close, "spread": spread}
    columns = {name: points_column(values, n, name) for name, values in given.items()}
    times = times_column(time_ms, n, "time_ms")
    volume = whole_column(tick_volume, n, "tick_volume")
    require_sane(symbol, timeframe, times, volume, columns)
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

    def content_hash(self) -> str:
        """Return a SHA-256 over symbol, digits and every column."""
        return _hash_of(f"{self.symbol},{self.digits}", self.time_ms, self.bid, self.ask)


def make_ticks(
    *, symbol: str, digits: int, time_ms: IntColumn, bid: IntColumn, ask: IntColumn
) -> Ticks:
    """Check columns and make `Ticks` of them.

    Args:
        symbol: standard name.
        digits: decimals of the prices.
        time_ms: UTC milliseconds, from 1970 on and before 2070.
        bid: points.
        ask: points.

    Raises:
        MarketDataError: columns differ in length, times lie outside these years or fall, a price
            is not positive, or an ask lies below its bid.
    """
    n = len(time_ms)
    times = times_column(time_ms, n, "time_ms")
    bids, asks = points_column(bid, n, "bid"), points_column(ask, n, "ask")
    require_sane_ticks(symbol, times, bids, asks)
    return Ticks(symbol=symbol, digits=digits, time_ms=times, bid=bids, ask=asks)


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
    """Hold bid and ask (points) at a moment (UTC milliseconds).

    `age_ms` is how old its reader knows it to be: the two clocks alone do not tell.
    """

    symbol: str
    time_ms: int
    bid_points: int
    ask_points: int
    age_ms: int = 0

    @property
    def spread_points(self) -> int:
        """Return ask minus bid."""
        return self.ask_points - self.bid_points


def _hash_of(head: str, *columns: IntColumn) -> str:
    digest = sha256(head.encode())
    for column in columns:
        for start in range(0, len(column), _CHUNK):
            rows = np.ascontiguousarray(column[start : start + _CHUNK], dtype="<i8")
            digest.update(rows.data)
    return digest.hexdigest()
