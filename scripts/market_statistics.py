"""What a market looks like in numbers, real or made up: the measures that are compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from mtquant.model import Bars, ServerClock

if TYPE_CHECKING:
    from collections.abc import Callable

Floats = NDArray[np.float64]
DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000
HOURS: Final = range(24)
_FEWEST: Final = 50  # observations that make a figure
_WEEKEND_MS: Final = 1.5 * DAY_MS
CLOCK: Final = ServerClock("ny_plus_7")  # a day ends at 17:00 in New York


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Hold the measures of one series of bars; hours count from 17:00 in New York.

    `daily` is the deviation of daily returns; `by_hour` the mean size of bar returns,
    `kurtosis` theirs; `weekend` the deviation of weekend gaps against a day's, NaN where a source
    has none; `clustering` the correlation of neighbouring sizes; `reach` the mean range against
    the mean size; `spread_by_hour` medians in points, empty where unknown.
    """

    daily: float
    by_hour: Floats
    kurtosis: float
    weekend: float
    clustering: float
    reach: float
    spread_by_hour: Floats


def measure(bars: Bars) -> Statistics:
    """Return the measures of bars of one minute or one hour."""
    market_ms = market_times(bars.time_ms)
    close = np.log(bars.close)
    moves = np.diff(close)
    follows = np.diff(bars.time_ms) == bars.timeframe.duration_ms
    inside = moves[follows]
    sizes = np.abs(inside)
    hours = market_ms // HOUR_MS % 24
    gaps = np.log(bars.open[1:] / bars.close[:-1])
    daily = float(daily_moves(bars, market_ms).std())
    over_weekend = gaps[np.diff(market_ms) > _WEEKEND_MS]
    return Statistics(
        daily=daily,
        by_hour=_by_hour(sizes, hours[1:][follows], np.mean),
        kurtosis=float(np.mean(inside**4) / np.mean(inside**2) ** 2),
        weekend=float(over_weekend.std()) / daily if over_weekend.any() else np.nan,
        clustering=float(np.corrcoef(sizes[:-1], sizes[1:])[0, 1]),
        reach=float(np.mean(np.log(bars.high / bars.low)) / np.mean(sizes)),
        spread_by_hour=_by_hour(bars.spread, hours, np.median)
        if bars.spread.any()
        else np.array([]),
    )


def market_times(time_ms: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return times on the clock whose midnight is 17:00 in New York."""
    hours, rows = np.unique(time_ms // HOUR_MS, return_inverse=True)
    offsets = np.array([CLOCK.offset_ms(int(hour) * HOUR_MS) for hour in hours])
    shifted: NDArray[np.int64] = time_ms + offsets[rows]
    return shifted


def daily_moves(bars: Bars, market_ms: NDArray[np.int64]) -> Floats:
    """Return the logarithmic returns of days, without weekends unless those are traded."""
    days = market_ms // DAY_MS
    last = np.flatnonzero(np.diff(days, append=days[-1] + 1))
    weekday = (days[last] + 3) % 7
    trades_all_week = np.mean(weekday >= 5) > 0.2
    kept = last if trades_all_week else last[weekday < 5]
    return np.diff(np.log(bars.close[kept]))


def on_grid(bars: Bars, times_ms: NDArray[np.int64]) -> Floats:
    """Return the logarithm of the last close before each instant."""
    rows = np.searchsorted(bars.time_ms, times_ms) - 1
    return np.log(bars.close)[np.maximum(rows, 0)]


def similarity(one: Floats, other: Floats) -> float:
    """Return the correlation of two days of hours, over the hours that both know."""
    both = np.isfinite(one) & np.isfinite(other)
    return float(np.corrcoef(one[both], other[both])[0, 1])


def _by_hour(
    values: Floats | NDArray[np.int32],
    hours: NDArray[np.int64],
    figure: Callable[..., Any],
) -> Floats:
    found = [values[hours == hour] for hour in HOURS]
    return np.array([figure(one) if len(one) >= _FEWEST else np.nan for one in found])
