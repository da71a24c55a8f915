"""When the bars of several series close, and whose turn it is."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import numpy as np

from mtquant.data import first_rows
from mtquant.exchange import NEVER
from mtquant.model import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mtquant.engine.engine import Engine
    from mtquant.engine.slot import StrategySlot
    from mtquant.exchange import Feed, Market
    from mtquant.model import Command, ServerClock
    from mtquant.strategy import Series


class Timeline:
    """Hand the bars of all series to the engine, by the time of their close.

    A bar is closed by the first price of a later bar of its timeframe, so the last one never
    closes. What closes at the same moment is decided in the order of the slots.
    """

    def __init__(self, slots: Sequence[StrategySlot], market: Market) -> None:
        """Cut the prices of the market as the series are cut.

        Raises:
            ConfigError: a series is not cut from the prices of its symbol.
        """
        clock = market.venue.clock
        self.now_ms = 0
        self._series = [slot.series for slot in slots]
        self._closes = [_closes(one, market.feed_of(one.symbol), clock) for one in self._series]
        self._consumed = [0] * len(self._series)
        self._next = [(self._close_ms(turn), turn) for turn in range(len(self._series))]
        heapq.heapify(self._next)

    def next_ms(self) -> int:
        """Return when the next bar closes (UTC ms), `NEVER` after the last."""
        return self._next[0][0]

    def consume(self, engine: Engine, until_ms: int) -> Sequence[Command]:
        """Let the engine decide on bars that close by a time, in their order.

        Stops behind the first bar that asks for something and returns that; `now_ms` is when the
        last bar closed that was consumed. Bars of one series that close before any other one are
        handed over together.
        """
        _, turn = heapq.heappop(self._next)
        bound = (until_ms + 1, -1)
        if self._next:
            bound = min(bound, self._next[0])
        last_ms = bound[0] if turn < bound[1] else bound[0] - 1
        closes, first = self._closes[turn], self._consumed[turn]
        stop = int(np.searchsorted(closes, last_ms, side="right"))
        consumed, commands = engine.advance(self._series[turn], first, stop)
        self._consumed[turn] = consumed
        self.now_ms = int(closes[consumed - 1])
        heapq.heappush(self._next, (self._close_ms(turn), turn))
        return commands

    def _close_ms(self, turn: int) -> int:
        closes, row = self._closes[turn], self._consumed[turn]
        return int(closes[row]) if row < len(closes) else NEVER


def _closes(series: Series, feed: Feed, clock: ServerClock) -> NDArray[np.int64]:
    """Return when each bar of a series but the last closes, int64[n - 1] UTC ms."""
    times = feed.times
    if len(series) == len(times) and np.array_equal(_opened(series), times):
        return times[1:]
    first = first_rows(times, series.timeframe, clock)
    if len(first) != len(series):
        raise ConfigError(
            f"{series.symbol}: {len(series)} {series.timeframe.name} bars are not cut from its "
            f"prices, which make {len(first)}"
        )
    return times[first[1:]]


def _opened(series: Series) -> NDArray[np.int64]:
    return np.asarray(series.time_ms)[: len(series)]
