"""Figures of the report that need every bar's close: peaks, drawdown, equity of each day.

While a position is held, a close needs an exact look only where equity may stand at a new peak or
a new low: `RISE` and `FALL` bound the prices between which it cannot. They are counted in favor of
the position, price times side, and hold until the money or the position changes.
"""

from __future__ import annotations

import math

from mtquant.engine.kernels.layout import (
    BALANCE,
    DAY,
    FALL,
    FAR,
    IS_BELOW,
    LONGEST_MS,
    MAX_DRAWDOWN,
    PEAK,
    PEAK_MS,
    RISE,
    SIDE,
    UNITS,
    BarColumns,
    Calendar,
    Money,
    Record,
    Trading,
)
from mtquant.engine.kernels.money import equity

_ROUNDING = 3.0  # minor units by which rounding may part two equities
_FARTHEST = 1e12  # points: beyond it every close is looked at


def end_of_bar(bars: BarColumns, bar: int) -> int:
    """Return the last millisecond of a bar (UTC ms); the next bar's opening ends it too."""
    end: int = bars.time_ms[bar] + bars.duration_ms - 1
    if bar + 1 < len(bars.time_ms):
        end = min(end, bars.time_ms[bar + 1] - 1)
    return end


def note(record: Record, worth: int, end_ms: int) -> None:
    """Take in the equity at a bar's close."""
    cells = record.cells
    if worth >= cells[PEAK]:
        if cells[IS_BELOW]:
            cells[LONGEST_MS] = max(cells[LONGEST_MS], end_ms - cells[PEAK_MS])
        cells[PEAK] = worth
        cells[PEAK_MS] = end_ms
        cells[IS_BELOW] = 0
        return
    cells[LONGEST_MS] = max(cells[LONGEST_MS], end_ms - cells[PEAK_MS])
    cells[IS_BELOW] = 1
    if cells[PEAK] > 0:
        fallen = (cells[PEAK] - worth) / cells[PEAK]
        record.figures[MAX_DRAWDOWN] = max(record.figures[MAX_DRAWDOWN], fallen)


def note_below(record: Record, end_ms: int) -> None:
    """Take in a bar's close at which equity is known to stand between the peak and the low."""
    cells = record.cells
    cells[LONGEST_MS] = max(cells[LONGEST_MS], end_ms - cells[PEAK_MS])
    cells[IS_BELOW] = 1


def note_flat(
    record: Record,
    bars: BarColumns,
    trading: Trading,
    calendar: Calendar,
    first: int,
    stop: int,
) -> None:
    """Take in the closes of bars from `first` to before `stop`, on which nothing is held."""
    if stop <= first:
        return
    worth = record.cells[BALANCE] + trading.credit_minor
    note(record, worth, end_of_bar(bars, first))
    note(record, worth, end_of_bar(bars, stop - 1))
    cells = record.cells
    while calendar.day_ends[cells[DAY]] < stop:
        record.daily[cells[DAY]] = worth
        cells[DAY] += 1


def note_held(
    record: Record,
    bars: BarColumns,
    money: Money,
    trading: Trading,
    calendar: Calendar,
    bar: int,
) -> None:
    """Take in a bar's close while a position is held, and bound which prices matter next."""
    cells = record.cells
    side = cells[SIDE]
    price = bars.close[bar] + (bars.spread[bar] if side < 0 else 0)
    worth = equity(cells, money, trading, price)
    note(record, worth, end_of_bar(bars, bar))
    if calendar.day_ends[cells[DAY]] == bar:
        record.daily[cells[DAY]] = worth
        cells[DAY] += 1
    expect(record, money, side * price, worth)


def expect(record: Record, money: Money, at: int, worth: int) -> None:
    """Bound which closes can matter, from the equity at a price (times the side)."""
    cells = record.cells
    cells[RISE] = -FAR  # look at every close
    cells[FALL] = FAR
    if money.is_converted or money.divisor <= 0:
        return
    of_a_point = cells[UNITS] * money.price_value / money.divisor
    if not of_a_point > 0:
        return
    lowest = cells[PEAK] * (1.0 - record.figures[MAX_DRAWDOWN])
    to_peak = (cells[PEAK] - worth - _ROUNDING) / of_a_point
    to_low = (worth - lowest - _ROUNDING) / of_a_point
    if max(abs(to_peak), abs(to_low)) < _FARTHEST:
        cells[RISE] = at + math.floor(to_peak)
        cells[FALL] = at - math.floor(to_low)
