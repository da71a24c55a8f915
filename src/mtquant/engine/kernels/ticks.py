"""The walk of one strategy over the real ticks of one symbol; it decides on bars made of them.

Every tick is a price that nothing led up to. Ticks between the levels of the position, away from
its stop-out, are passed over; so is everything up to the next opinion while nothing is held.
"""

from __future__ import annotations

from mtquant.engine.kernels.bars import bounds, decide, next_decision, trailed
from mtquant.engine.kernels.figures import end_of_bar, note_below, note_flat, note_held
from mtquant.engine.kernels.layout import (
    ASK,
    BAR,
    BID,
    DAY,
    FALL,
    IS_HELD_BACK,
    MIDNIGHT,
    RISE,
    SIDE,
    BarColumns,
    Bot,
    Calendar,
    Cells,
    Money,
    Opinions,
    Record,
    TickColumns,
    Trading,
)
from mtquant.engine.kernels.quotes import jump, roll_until, take_slippage


def play_ticks(
    ticks: TickColumns,
    bars: BarColumns,
    opinions: Opinions,
    calendar: Calendar,
    money: Money,
    trading: Trading,
    bot: Bot,
    record: Record,
) -> None:
    """Play all ticks; `record` holds the account before, and what became of it after.

    A bar is closed by the first tick after it, and what it decides is carried out once all ticks
    of that moment are there.
    """
    cells = record.cells
    bar, count = 0, len(bars.time_ms)
    while bar < count:
        cells[BAR] = bar
        row = _open_bar(ticks, calendar, money, trading, record, bar)
        if bar > 0:
            decide(bars, opinions, calendar, money, trading, bot, record, bar)
        if cells[SIDE] == 0:
            following = min(count, next_decision(opinions, record, bar) + 1)
            note_flat(record, bars, trading, calendar, bar, following)
            bar = following
        else:
            bar = _hold(ticks, bars, opinions, calendar, money, trading, bot, record, bar, row)


def _open_bar(
    ticks: TickColumns,
    calendar: Calendar,
    money: Money,
    trading: Trading,
    record: Record,
    bar: int,
) -> int:
    """Bring all ticks of the moment at which a bar opens; return the tick after them."""
    row: int = ticks.first[bar]
    opened = ticks.time_ms[row]
    while row < ticks.first[bar + 1] and ticks.time_ms[row] == opened:
        _bring(ticks, calendar, money, trading, record, row)
        row += 1
    return row


def _bring(
    ticks: TickColumns,
    calendar: Calendar,
    money: Money,
    trading: Trading,
    record: Record,
    row: int,
) -> None:
    time_ms = ticks.time_ms[row]
    roll_until(record, money, trading, calendar, time_ms)
    take_slippage(record, ticks.slippage, row)
    jump(record, money, trading, calendar, int(ticks.bid[row]), int(ticks.ask[row]), time_ms)


def _hold(
    ticks: TickColumns,
    bars: BarColumns,
    opinions: Opinions,
    calendar: Calendar,
    money: Money,
    trading: Trading,
    bot: Bot,
    record: Record,
    bar: int,
    row: int,
) -> int:
    """Walk on from a tick of a bar while the position is held; return the bar to open next.

    It ends where a decision is due, an exit asks for something, or the position is closed.
    """
    cells = record.cells
    count = len(bars.time_ms)
    decision = next_decision(opinions, record, bar)
    while bar < count:
        cells[BAR] = bar
        row = _pass_ticks(ticks, calendar, money, trading, record, row, ticks.first[bar + 1])
        if cells[SIDE] == 0:
            note_flat(record, bars, trading, calendar, bar, bar + 1)
            return bar + 1
        is_due = bar == decision or (bot.trails and trailed(bars, bot, record, bar) != 0)
        if _matters(bars, calendar, record, bar):
            note_held(record, bars, money, trading, calendar, bar)
        else:
            note_below(record, end_of_bar(bars, bar))
        bar += 1
        if is_due:
            break
    return bar


def _matters(bars: BarColumns, calendar: Calendar, record: Record, bar: int) -> bool:
    """Tell whether the equity at a bar's close may count for the figures."""
    cells = record.cells
    side = cells[SIDE]
    gained = side * (bars.close[bar] + (bars.spread[bar] if side < 0 else 0))
    is_new: bool = gained >= cells[RISE] or gained <= cells[FALL]
    is_day_end: bool = calendar.day_ends[cells[DAY]] == bar
    return is_new or is_day_end


def _pass_ticks(
    ticks: TickColumns,
    calendar: Calendar,
    money: Money,
    trading: Trading,
    record: Record,
    row: int,
    stop: int,
) -> int:
    """Pass over ticks from `row` to before `stop`, looking at those that touch the position.

    Return `stop`, or the tick after the one that closed the position.
    """
    cells = record.cells
    while row < stop and cells[SIDE] != 0:
        if not cells[IS_HELD_BACK]:
            end = min(stop, ticks.midnights[cells[MIDNIGHT]])
            lower, upper = bounds(money, trading, record)
            closing = ticks.bid if cells[SIDE] > 0 else ticks.ask
            found = _first_beyond(closing, row, end, lower, upper)
            if found > row:
                cells[BID] = ticks.bid[found - 1]
                cells[ASK] = ticks.ask[found - 1]
            row = found
        if row < stop:
            _bring(ticks, calendar, money, trading, record, row)
            row += 1
    return row


def _first_beyond(prices: Cells, row: int, stop: int, lower: int, upper: int) -> int:
    """Return the first row from `row` on whose price is not between two, at most `stop`."""
    while row < stop and lower < prices[row] < upper:
        row += 1
    return row
