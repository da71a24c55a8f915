"""Bars with more or fewer decimals: exactly, or rounded where that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from mtquant.model import Bars, DataError, MarketDataError, make_bars

if TYPE_CHECKING:
    from numpy.typing import NDArray

_POINTS: Final = ("open", "high", "low", "close", "spread")
_LIMIT: Final = 2**31 - 1


def rescale(bars: Bars, digits: int, *, rounding: bool = False) -> Bars:
    """Return the same prices and spreads in points of `digits` decimals.

    Args:
        bars: bars of any number of digits.
        digits: decimals of the result, 0 to 8.
        rounding: with fewer digits, round half away from zero what they cannot say exactly. Order
            is kept: no high falls below its low, no spread below zero.

    Raises:
        DataError: `digits` is out of range.
        MarketDataError: a value does not fit 32 bits of the new points, cannot be said exactly with
            fewer digits and is not to be rounded, or a price would be rounded to zero.
    """
    if not 0 <= digits <= 8:
        raise DataError(f"{bars.symbol}: digits must be 0 to 8, was {digits}")
    if digits == bars.digits:
        return bars
    if digits > bars.digits:
        columns = _finer(bars, digits)
    else:
        columns = _coarser(bars, digits, rounding=rounding)
    return make_bars(
        symbol=bars.symbol,
        timeframe=bars.timeframe,
        digits=digits,
        time_ms=bars.time_ms,
        tick_volume=bars.tick_volume,
        **columns,
    )


def _finer(bars: Bars, digits: int) -> dict[str, NDArray[np.int64]]:
    factor = 10 ** (digits - bars.digits)
    for name in _POINTS:
        too_large = getattr(bars, name) > _LIMIT // factor
        _refuse_if(bars, digits, name, too_large, "does not fit 32 bits of points")
    return {name: getattr(bars, name).astype(np.int64) * factor for name in _POINTS}


def _coarser(bars: Bars, digits: int, *, rounding: bool) -> dict[str, NDArray[np.int64]]:
    factor = 10 ** (bars.digits - digits)
    columns = {}
    for name in _POINTS:
        points = getattr(bars, name).astype(np.int64)
        if not rounding:
            _refuse_if(bars, digits, name, points % factor != 0, "cannot be said exactly")
        columns[name] = (points + factor // 2) // factor  # none is negative, so half goes away
        if name != "spread":
            _refuse_if(bars, digits, name, columns[name] == 0, "would be rounded to zero")
    return columns


def _refuse_if(
    bars: Bars, digits: int, name: str, is_wrong: NDArray[np.bool_], complaint: str
) -> None:
    if not is_wrong.any():
        return
    row = int(np.flatnonzero(is_wrong)[0])
    points = int(getattr(bars, name)[row])
    raise MarketDataError(
        f"{bars.symbol}: the data have {bars.digits} digits, with {digits} the {name} "
        f"{points / 10**bars.digits:.{bars.digits}f} of row {row} {complaint}",
        row=row,
    )
