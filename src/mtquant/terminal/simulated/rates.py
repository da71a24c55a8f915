"""Bars as `copy_rates_*` returns them: only what the market has shown so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mtquant.model import Timeframe
from mtquant.terminal import constants as mt5

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtquant.exchange import Market

_WEEK_MS: Final = 7 * 86_400_000
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


def opening_seconds(market: Market) -> NDArray[np.int64]:
    """Return the server's wall clock at the opening of every bar, epoch seconds.

    Where the clock is set back in autumn the times of an hour come twice.
    """
    times, clock = market.bars.time_ms, market.venue.clock
    stamps = np.empty(len(times), dtype=np.int64)
    first = 0
    while first < len(times):  # no clock changes twice in a week
        end = int(np.searchsorted(times, int(times[first]) + _WEEK_MS, side="left"))
        offsets = [clock.offset_ms(int(times[row])) for row in (first, end - 1)]
        if offsets[0] != offsets[1]:
            offsets = [clock.offset_ms(int(ms)) for ms in times[first:end]]
        else:
            offsets = offsets[:1]
        stamps[first:end] = (times[first:end] + np.array(offsets)) // 1000
        first = end
    return stamps


def rates(market: Market, stamps: NDArray[np.int64], rows: NDArray[np.intp]) -> NDArray[Any]:
    """Return the bars of these rows as a structured array of `RATES_DTYPE`, oldest first.

    The newest bar is the forming one: it holds what its path has shown up to now.
    """
    bars = market.bars
    scale = 10**bars.digits
    table = np.zeros(len(rows), dtype=RATES_DTYPE)
    table["time"] = stamps[rows]
    for name in ("open", "high", "low", "close"):
        table[name] = getattr(bars, name)[rows] / scale
    table["spread"] = bars.spread[rows]
    table["tick_volume"] = bars.tick_volume[rows]
    if len(rows) and rows[-1] == market.bar:
        shown = market.shown()
        forming = table[-1]
        forming["high"], forming["low"] = max(shown) / scale, min(shown) / scale
        forming["close"] = shown[-1] / scale
        forming["tick_volume"] = len(shown)
    return table


def rows_between(
    market: Market, stamps: NDArray[np.int64], start: int, end: int
) -> NDArray[np.intp]:
    """Return the rows shown so far that opened from one server second to another, inclusive."""
    shown = stamps[: market.bar + 1]
    return np.flatnonzero((shown >= start) & (shown <= end))
