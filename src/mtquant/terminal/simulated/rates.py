"""Bars as `copy_rates_*` returns them: only what the market has shown so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mtquant.model import Timeframe
from mtquant.terminal import constants as mt5

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtquant.exchange import Market

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


def rates(market: Market, first: int, end: int) -> NDArray[Any]:
    """Return bars first to end - 1 as a structured array of `RATES_DTYPE`, oldest first.

    The newest bar is the forming one: it holds what its path has shown up to now.
    """
    bars, clock = market.bars, market.venue.clock
    rows = slice(first, end)
    scale = 10**bars.digits
    table = np.zeros(end - first, dtype=RATES_DTYPE)
    table["time"] = [clock.to_server_ms(int(ms)) // 1000 for ms in bars.time_ms[rows]]
    for name in ("open", "high", "low", "close"):
        table[name] = getattr(bars, name)[rows] / scale
    table["spread"] = bars.spread[rows]
    table["tick_volume"] = bars.tick_volume[rows]
    if end == market.bar + 1 and end > first:
        shown = market.shown()
        forming = table[-1]
        forming["high"], forming["low"] = max(shown) / scale, min(shown) / scale
        forming["close"] = shown[-1] / scale
        forming["tick_volume"] = len(shown)
    return table


def rows_between(market: Market, from_ms: int, to_ms: int) -> tuple[int, int]:
    """Return (first, end) of the bars that opened from one UTC time to another, both included."""
    times = market.bars.time_ms
    first = int(np.searchsorted(times, from_ms, side="left"))
    end = int(np.searchsorted(times, to_ms, side="right"))
    return first, max(first, min(end, market.bar + 1))
