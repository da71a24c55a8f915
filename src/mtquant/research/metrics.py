"""What a run was worth, one function per figure. Undefined is None: never 0, infinity or NaN."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from mtquant.model import IntColumn

DAYS_PER_YEAR = 252.0

Returns = Sequence[float] | NDArray[np.float64]
Nets = Sequence[int] | NDArray[np.int64]
"""Results of trades after costs, minor units."""


def simple_returns(equity: Sequence[int] | IntColumn) -> NDArray[np.float64] | None:
    """Return the growth from each value to the next, float64[n - 1] (0.01 = 1 %).

    None when a value that something is measured against is not positive: there is no return on
    an account that is empty.
    """
    values = np.asarray(equity, dtype=np.float64)
    before = values[:-1]
    if np.any(before <= 0):
        return None
    growth: NDArray[np.float64] = values[1:] / before - 1
    return growth


def return_fraction(start_minor: int, end_minor: int) -> float | None:
    """Return the growth of equity over the whole run, open positions at their last quote.

    Not annualized. None when the account started with nothing.
    """
    return (end_minor - start_minor) / start_minor if start_minor > 0 else None


def max_drawdown(equity: Sequence[int] | IntColumn) -> float | None:
    """Return the deepest fall of equity below its running peak, a positive fraction of that peak.

    Over the values given (bar closes with the starting deposit ahead of them: what happens inside
    a bar is not seen); 0.0 when equity never fell. None without values or without a positive peak.
    """
    values = np.asarray(equity, dtype=np.float64)
    if not len(values) or values[0] <= 0:
        return None
    return float(np.max(drawdown(values)))


def drawdown(equity: IntColumn | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far each value lies below the peak so far, float64[n] fractions of that peak."""
    peak = np.maximum.accumulate(np.asarray(equity, dtype=np.float64))
    safe = np.where(peak > 0, peak, 1.0)
    fallen: NDArray[np.float64] = np.where(peak > 0, (peak - equity) / safe, 0.0)
    return fallen


def drawdown_duration_ms(time_ms: IntColumn, equity: IntColumn) -> int | None:
    """Return the longest time that equity stayed below an earlier peak, in milliseconds.

    From the peak's time to that of the value that reaches it again, or to the end of the run; 0
    when equity never fell, None without values.
    """
    if not len(equity):
        return None
    longest = 0
    peak, peak_ms, is_below = int(equity[0]), int(time_ms[0]), False
    for now_ms, value in zip(time_ms.tolist(), equity.tolist(), strict=True):
        is_back = value >= peak
        if is_below or not is_back:
            longest = max(longest, now_ms - peak_ms)
        if is_back:
            peak, peak_ms = value, now_ms
        is_below = not is_back
    return longest


def sharpe_ratio(returns: Returns, periods_per_year: float = DAYS_PER_YEAR) -> float | None:
    """Return mean ÷ sample standard deviation (ddof 1) of returns, times √periods_per_year.

    The risk-free rate is 0. Returns are simple returns of server days unless `periods_per_year`
    says otherwise. None for fewer than two returns or returns that do not differ.
    Source: Sharpe, "The Sharpe Ratio", Journal of Portfolio Management, 1994.
    """
    values = np.asarray(returns, dtype=np.float64)
    if len(values) < 2 or values.min() == values.max():
        return None
    ratio = float(values.mean() / values.std(ddof=1)) * math.sqrt(periods_per_year)
    return ratio if math.isfinite(ratio) else None


def downside_deviation(returns: Returns, target: float = 0.0) -> float | None:
    """Return √(Σ min(return - target, 0)² ÷ n) over all n returns, not annualized.

    None without returns. Source: Rollinger and Hoffman, "Sortino: A 'Sharper' Ratio".

    >>> round(downside_deviation([0.17, 0.15, 0.23, -0.05, 0.12, 0.09, 0.13, -0.04]), 6)
    0.022638
    """
    values = np.asarray(returns, dtype=np.float64)
    if not len(values):
        return None
    shortfall = np.minimum(values - target, 0.0)
    return math.sqrt(float(np.mean(shortfall**2)))


def sortino_ratio(
    returns: Returns, periods_per_year: float = DAYS_PER_YEAR, target: float = 0.0
) -> float | None:
    """Return (mean - target) ÷ downside deviation of returns, times √periods_per_year.

    Returns are simple returns of server days unless `periods_per_year` says otherwise; `target`
    is per period. None for fewer than two returns or when none falls below the target.
    Source: Rollinger and Hoffman, "Sortino: A 'Sharper' Ratio".
    """
    values = np.asarray(returns, dtype=np.float64)
    deviation = downside_deviation(values, target)
    if len(values) < 2 or not deviation:
        return None
    return float(values.mean() - target) / deviation * math.sqrt(periods_per_year)


def profit_factor(nets_minor: Nets) -> float | None:
    """Return the sum of winning trades ÷ the sum of losing ones, both net of costs.

    Over the whole run. None when no trade lost.
    """
    nets = _whole(nets_minor)
    lost = -int(nets[nets < 0].sum())
    return int(nets[nets > 0].sum()) / lost if lost else None


def win_rate(nets_minor: Nets) -> float | None:
    """Return the fraction of trades that won money after costs; None without trades."""
    nets = _whole(nets_minor)
    return int(np.count_nonzero(nets > 0)) / len(nets) if len(nets) else None


def expectancy(nets_minor: Nets) -> float | None:
    """Return the mean net result of a trade, minor units; None without trades."""
    nets = _whole(nets_minor)
    return int(nets.sum()) / len(nets) if len(nets) else None


def average_win(nets_minor: Nets) -> float | None:
    """Return the mean net result of the winning trades, minor units; None if none won."""
    nets = _whole(nets_minor)
    return expectancy(nets[nets > 0])


def average_loss(nets_minor: Nets) -> float | None:
    """Return the mean net result of the losing trades, minor units below 0; None if none lost."""
    nets = _whole(nets_minor)
    return expectancy(nets[nets < 0])


def _whole(nets_minor: Nets) -> NDArray[np.int64]:
    return np.asarray(nets_minor, dtype=np.int64)
