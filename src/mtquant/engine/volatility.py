"""How much a slot's symbol moves, for the methods of sizing that go by it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from mtquant.indicators import Atr
from mtquant.risk import SizingMethod

if TYPE_CHECKING:
    from mtquant.strategy import Series

ATR_PERIOD: Final = 14
RETURNS: Final = 100
_YEAR_MS: Final = 252 * 86_400_000  # trading days, as the report's Sharpe ratio counts them


def volatility_facts(series: Series, index: int, method: SizingMethod) -> dict[str, float]:
    """Return what a method asks for of the newest closed bars, as fields of a sizing request.

    ATR (points) as MetaTrader's iATR over 14 bars; annual volatility = deviation of the last 100
    log returns x sqrt(bars of a year of 252 days). NaN while there are too few bars.
    """
    if method is SizingMethod.VOLATILITY:
        return {"atr_points": _atr_points(series, index)}
    if method is SizingMethod.VOLATILITY_TARGET:
        return {"annual_volatility_fraction": _annual_volatility(series, index)}
    return {}


def _atr_points(series: Series, index: int) -> float:
    return float(series.use(Atr(ATR_PERIOD)).values[index]) if index >= 0 else math.nan


def _annual_volatility(series: Series, index: int) -> float:
    closes = np.asarray(series.column("close")[: index + 1][-RETURNS - 1 :], dtype=float)
    if len(closes) <= RETURNS or not (closes > 0).all():
        return math.nan
    deviation = float(np.diff(np.log(closes)).std(ddof=1))
    return deviation * math.sqrt(_YEAR_MS / series.timeframe.duration_ms)
