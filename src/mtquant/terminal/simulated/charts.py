"""Bars as `copy_rates_*` returns them: every timeframe, and only what the market has shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from mtquant.data import minute_bars, period_starts, resample, server_times
from mtquant.exchange import BarFeed, TickFeed
from mtquant.model import Bars, Timeframe
from mtquant.terminal import constants as mt5

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtquant.exchange import Feed
    from mtquant.model import ServerClock

TIMEFRAMES: Final = {getattr(mt5, f"TIMEFRAME_{t.name}"): t for t in Timeframe}
RATES_DTYPE: Final = np.dtype(
    [
        ("time", "<i8"),
        ("open", "<f8"),
        ("high", "<f8"),
        ("low", "<f8"),
        ("close", "<f8"),
        ("tick_volume", "<u8"),
        ("spread", "<i4"),
        ("real_volume", "<u8"),
    ]
)
_Forming = tuple[int, int, int, int, int]  # high, low, close, ticks, spread


class Prices(Protocol):
    """Tell what a feed has shown of its shortest bars."""

    bars: Bars

    @property
    def row(self) -> int:
        """Return the row of the forming bar, -1 before the first price."""
        ...

    def forming(self) -> _Forming:
        """Return high, low, close, number of ticks and spread of the forming bar so far."""
        ...


class _BarPrices:
    def __init__(self, feed: BarFeed) -> None:
        self.bars = feed.bars
        self._feed = feed

    @property
    def row(self) -> int:
        return self._feed.bar if self._feed.step >= 0 else self._feed.bar - 1

    def forming(self) -> _Forming:
        bids = [bid for _, bid in self._feed.shown]
        spread = int(self.bars.spread[self._feed.bar])
        return max(bids), min(bids), bids[-1], len(bids), spread


class _TickPrices:
    """Make minute bars of ticks; those of the future stay unseen."""

    def __init__(self, feed: TickFeed) -> None:
        self._feed = feed
        self.bars = minute_bars(feed.ticks)
        self._first = np.searchsorted(feed.ticks.time_ms, self.bars.time_ms, side="left")

    @property
    def row(self) -> int:
        return int(np.searchsorted(self._first, self._feed.played, side="left")) - 1

    def forming(self) -> _Forming:
        ticks, end = self._feed.ticks, self._feed.played
        seen = slice(int(self._first[self.row]), end)
        bids = ticks.bid[seen]
        spread = int((ticks.ask[seen] - bids).min())
        return int(bids.max()), int(bids.min()), int(bids[-1]), len(bids), spread


class Chart:
    """Hold one symbol's bars of one timeframe; the newest shown one is forming."""

    def __init__(self, prices: Prices, timeframe: Timeframe, clock: ServerClock) -> None:
        """Cut the bars of a timeframe that is not shorter than those of the prices."""
        self._prices = prices
        base = prices.bars
        self._bars = resample(base, timeframe, clock)
        opened = server_times(base.time_ms, clock)
        if timeframe is base.timeframe:
            self._rows = np.arange(len(base))
            self._stamps = opened // 1000
        else:
            starts = period_starts(opened, timeframe)
            self._rows = np.cumsum(np.concatenate([[0], np.diff(starts) > 0]))
            self._stamps = starts[np.searchsorted(self._rows, np.arange(len(self._bars)))] // 1000

    @property
    def shown(self) -> int:
        """Return how many bars have opened."""
        row = self._prices.row
        return int(self._rows[row]) + 1 if row >= 0 else 0

    def between(self, start: int, end: int) -> NDArray[np.intp]:
        """Return the rows that opened from one server second to another, inclusive."""
        stamps = self._stamps[: self.shown]
        return np.flatnonzero((stamps >= start) & (stamps <= end))

    def until(self, end: int, count: int) -> NDArray[np.intp]:
        """Return the last `count` rows that opened at or before a server second."""
        found = np.flatnonzero(self._stamps[: self.shown] <= end)
        return found[max(0, len(found) - count) :]

    def table(self, rows: NDArray[np.intp]) -> NDArray[Any]:
        """Return bars as a structured array of `RATES_DTYPE`, oldest first."""
        bars = self._bars
        scale = 10**bars.digits
        table = np.zeros(len(rows), dtype=RATES_DTYPE)
        table["time"] = self._stamps[rows]
        for name in ("open", "high", "low", "close"):
            table[name] = getattr(bars, name)[rows] / scale
        table["spread"] = bars.spread[rows]
        table["tick_volume"] = bars.tick_volume[rows]
        if len(rows) and rows[-1] == self.shown - 1:
            self._form(table[-1:], scale)
        return table

    def _form(self, newest: NDArray[Any], scale: int) -> None:
        """Write into the newest bar what it has shown, and nothing of what it will."""
        high, low, close, ticks, spread = self._prices.forming()
        row = self._prices.row
        before = slice(int(np.searchsorted(self._rows, self._rows[row])), row)
        base = self._prices.bars[before]
        if len(base):
            high, low = max(high, int(base.high.max())), min(low, int(base.low.min()))
            ticks += int(base.tick_volume.sum())
            spread = min(spread, int(base.spread.min()))
        newest["high"], newest["low"], newest["close"] = high / scale, low / scale, close / scale
        newest["tick_volume"], newest["spread"] = ticks, spread


class Charts:
    """Keep the charts of a market's symbols, made when they are first asked for."""

    def __init__(self, feeds: tuple[Feed, ...], clock: ServerClock) -> None:
        self._prices = {feed.symbol: _prices_of(feed) for feed in feeds}
        self._clock = clock
        self._charts: dict[tuple[str, Timeframe], Chart] = {}

    def chart(self, symbol: str, timeframe: Timeframe) -> Chart | None:
        """Return a chart, None where the symbol has no prices or only longer bars."""
        prices = self._prices.get(symbol)
        if prices is None or timeframe.value < prices.bars.timeframe.value:
            return None
        found = self._charts.get((symbol, timeframe))
        if found is None:
            found = self._charts[symbol, timeframe] = Chart(prices, timeframe, self._clock)
        return found


def _prices_of(feed: Feed) -> Prices:
    if isinstance(feed, BarFeed):
        return _BarPrices(feed)
    if isinstance(feed, TickFeed):
        return _TickPrices(feed)
    raise TypeError(f"{type(feed).__name__} is neither bars nor ticks")
