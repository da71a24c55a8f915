"""Bars made of ticks, as MetaTrader makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mtquant.data.resample import resample
from mtquant.model import Bars, Timeframe, make_bars

if TYPE_CHECKING:
    from mtquant.model import ServerClock, Ticks


def minute_bars(ticks: Ticks) -> Bars:
    """Return M1 bars of ticks: bids, the smallest spread of each minute, and how many ticks.

    There is a bar wherever there are ticks.
    """
    minutes = ticks.time_ms - ticks.time_ms % Timeframe.M1.duration_ms
    first = np.flatnonzero(np.concatenate([[True], np.diff(minutes) > 0]))[: len(minutes)]
    last = np.concatenate([first[1:], [len(minutes)]])[: len(first)] - 1
    return make_bars(
        symbol=ticks.symbol,
        timeframe=Timeframe.M1,
        digits=ticks.digits,
        time_ms=minutes[first],
        open=ticks.bid[first],
        high=np.maximum.reduceat(ticks.bid, first) if len(first) else ticks.bid,
        low=np.minimum.reduceat(ticks.bid, first) if len(first) else ticks.bid,
        close=ticks.bid[last],
        spread=np.minimum.reduceat(ticks.ask - ticks.bid, first) if len(first) else ticks.bid,
        tick_volume=last - first + 1,
    )


def bars_of_ticks(ticks: Ticks, timeframe: Timeframe, clock: ServerClock) -> Bars:
    """Return bars of ticks in a timeframe, cut by the server's calendar."""
    return resample(minute_bars(ticks), timeframe, clock)
