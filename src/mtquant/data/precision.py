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
    too_large = {name: points > _LIMIT // factor for name, points in _points(bars).items()}
    _refuse_if(bars, digits, too_large, "does not fit 32 bits of points")
    return {name: points * factor for name, points in _points(bars).items()}


def _coarser(bars: Bars, digits: int, *, rounding: bool) -> dict[str, NDArray[np.int64]]:
    factor = 10 ** (bars.digits - digits)
    given = _points(bars)
    if not rounding:
        inexact = {name: points % factor != 0 for name, points in given.items()}
        _refuse_if(bars, digits, inexact, "cannot be said exactly")
    # none is negative: half goes up, which is away from zero
    rounded = {name: (points + factor // 2) // factor for name, points in given.items()}
    lost = {name: points == 0 for name, points in rounded.items() if name != "spread"}
    _refuse_if(bars, digits, lost, "would be rounded to zero")
    return rounded


def _points(bars: Bars) -> dict[str, NDArray[np.int64]]:
    return {name: getattr(bars, name).astype(np.int64) for name in _POINTS}


def _refuse_if(
    bars: Bars, digits: int, wrong: dict[str, NDArray[np.bool_]], complaint: str
) -> None:
    """Refuse the first row in which something is wrong, by the first column."""
    firsts = {name: int(rows.argmax()) for name, rows in wrong.items() if rows.any()}
    if not firsts:
        return
    name = min(firsts, key=lambda one: firsts[one])
    row = firsts[name]
    price = int(getattr(bars, name)[row]) / 10**bars.digits
    raise MarketDataError(
        f"{bars.symbol}: the data have {bars.digits} digits, with {digits} the {name} "
        f"{price:.{bars.digits}f} of row {row} {complaint}",
        row=row,
    )
