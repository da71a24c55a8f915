"""The walk of one strategy over the bars of one symbol, every order and every cost included.

Bars on which nothing can happen are passed over: without a position all of them up to the next
opinion, with one those whose range stays between its levels and away from the stop-out.
"""

from __future__ import annotations

from mtquant.engine.kernels.figures import (
    end_of_bar,
    expect,
    note_below,
    note_flat,
    note_held,
)
from mtquant.engine.kernels.layout import (
    ASK,
    BALANCE,
    BAR,
    BID,
    DAY,
    DECISION,
    ENTRY,
    FALL,
    FAR,
    IS_HELD_BACK,
    MARGIN,
    MIDNIGHT,
    RISE,
    SIDE,
    STOP,
    SWAP,
    TARGET,
    UNITS,
    BarColumns,
    Bot,
    Calendar,
    Cells,
    Money,
    Opinions,
    Record,
    Trading,
)
from mtquant.engine.kernels.money import own_rate, profit
from mtquant.engine.kernels.orders import enter, leave, move_stop
from mtquant.engine.kernels.quotes import jump, move, roll_until, stop_out, take_slippage
from mtquant.exchange.rules.calm import calm_points, loss_per_point, rounding_loss
from mtquant.exchange.rules.path import path_direction, path_point, path_time
from mtquant.exchange.rules.trigger import exit_price
from mtquant.strategy.columns import FLAT, NOTHING
from mtquant.strategy.exits.rules import level_distance, trailing_stop

BLOCK = 16
"""Bars that are looked at together."""


def play_bars(
    bars: BarColumns,
    opinions: Opinions,
    calendar: Calendar,
    money: Money,
    trading: Trading,
    bot: Bot,
    record: Record,
) -> None:
    """Play all bars; `record` holds the account before, and what became of it after."""
    cells = record.cells
    count = len(bars.time_ms)
    bar = 0
    while bar < count:
        cells[BAR] = bar
        _open_bar(bars, calendar, money, trading, record, bar)
        if bar > 0:
            decide(bars, opinions, calendar, money, trading, bot, record, bar)
        if cells[SIDE] == 0:
            following = _pass_flat(bars, opinions, calendar, trading, record, bar)
        else:
            following = _pass_held(bars, opinions, calendar, money, trading, bot, record, bar)
        if following == bar:
            _walk_bar(bars, calendar, money, trading, record, bar)
            following = bar + 1
        bar = following


def _open_bar(
    bars: BarColumns,
    calendar: Calendar,
    money: Money,
    trading: Trading,
    record: Record,
    bar: int,
) -> None:
    """Bring the opening tick of a bar."""
    opened = bars.time_ms[bar]
    roll_until(record, money, trading, calendar, opened)
    take_slippage(record, bars.slippage, bar)
    bid = int(bars.open[bar])
    jump(record, money, trading, calendar, bid, bid + int(bars.spread[bar]), opened)


def _walk_bar(
    bars: BarColumns,
    calendar: Calendar,
    money: Money,
    trading: Trading,
    record: Record,
    bar: int,
) -> None:
    """Walk a bar from its opening on, point by point, to its close."""
    direction = path_direction(
        bars.open[bar],
        bars.close[bar],
        bars.open[bar - 1] if bar else 0,
        bars.close[bar - 1] if bar else 0,
    )
    opened = bars.time_ms[bar]
    length = bars.duration_ms
    if bar + 1 < len(bars.time_ms):
        length = min(length, bars.time_ms[bar + 1] - opened)
    for step in range(1, 4):
        time_ms = path_time(step, opened, length)
        roll_until(record, money, trading, calendar, time_ms)
        bid = path_point(
            step, direction, bars.open[bar], bars.high[bar], bars.low[bar], bars.close[bar]
        )
        move(record, money, trading, calendar, int(bid), time_ms)
    if record.cells[SIDE] == 0:
        note_flat(record, bars, trading, calendar, bar, bar + 1)
    else:
        note_held(record, bars, money, trading, calendar, bar)


def decide(
    bars: BarColumns,
    opinions: Opinions,
    calendar: Calendar,
    money: Money,
    trading: Trading,
    bot: Bot,
    record: Record,
    bar: int,
) -> None:
    """Carry out at a bar's opening what the bar before it has decided."""
    cells = record.cells
    closed = bar - 1
    opinion = int(opinions.directions[closed])
    side = cells[SIDE]
    if side != 0:
        wanted = 0 if opinion == FLAT else opinion
        if opinion == NOTHING or wanted == side:
            level = trailed(bars, bot, record, closed)
            if level != 0:
                move_stop(record, money, trading, calendar, level)
            return
        if not leave(record, money, trading, calendar):
            return
    if opinion in (NOTHING, FLAT):
        return
    atr = bars.protect_atr[closed] if len(bars.protect_atr) > 1 else 0.0
    stop = level_distance(bot.stop_points, bot.stop_atr, atr)
    target = level_distance(bot.target_points, bot.target_atr, atr)
    needs_atr = bot.stop_atr > 0 or bot.target_atr > 0
    if needs_atr and not atr > 0:
        return
    strength = opinions.strengths[closed] if len(opinions.strengths) > 1 else 1.0
    close = int(bars.close[closed])
    if enter(record, money, trading, bot, calendar, opinion, strength, stop, target, close):
        stop_out(record, money, trading, calendar)


def trailed(bars: BarColumns, bot: Bot, record: Record, bar: int) -> int:
    """Return the stop level that a closed bar asks for, 0 for none."""
    if not bot.trails:
        return 0
    cells = record.cells
    side = cells[SIDE]
    price = bars.close[bar] + (bars.spread[bar] if side < 0 else 0)
    return trailing_stop(
        side,
        cells[ENTRY],
        cells[STOP],
        price,
        bars.trail_atr[bar],
        bot.trail_distance,
        bot.trail_activation,
        bot.trail_step,
    )


def next_decision(opinions: Opinions, record: Record, bar: int) -> int:
    """Return the first bar, from one on, that the strategy says something about."""
    cells = record.cells
    while opinions.rows[cells[DECISION]] < bar:
        cells[DECISION] += 1
    row: int = opinions.rows[cells[DECISION]]
    return row


def _pass_flat(
    bars: BarColumns,
    opinions: Opinions,
    calendar: Calendar,
    trading: Trading,
    record: Record,
    bar: int,
) -> int:
    """Pass over bars while no position is held; return the bar to open next."""
    row = next_decision(opinions, record, bar)
    following = min(len(bars.time_ms), row + 1)
    note_flat(record, bars, trading, calendar, bar, following)
    return following


def _pass_held(
    bars: BarColumns,
    opinions: Opinions,
    calendar: Calendar,
    money: Money,
    trading: Trading,
    bot: Bot,
    record: Record,
    bar: int,
) -> int:
    """Pass over bars on which the position cannot be touched; return the bar to open next.

    The current bar itself, which is open already, when something may happen on it.
    """
    cells = record.cells
    if cells[IS_HELD_BACK]:
        return bar
    lower, upper = bounds(money, trading, record)
    end = min(len(bars.time_ms), calendar.midnight_bars[cells[MIDNIGHT]])
    end = min(end, next_decision(opinions, record, bar) + 1)
    reached = bar
    while reached < end:
        stop = min(end, calendar.day_ends[cells[DAY]] + 1)
        reached, asks = _scan(
            bars, money, trading, calendar, bot, record, reached, stop, lower, upper
        )
        if asks or reached < stop:
            break
    if reached > bar:
        cells[BID] = bars.close[reached - 1]
        cells[ASK] = bars.close[reached - 1] + bars.spread[reached - 1]
    return reached


def _scan(
    bars: BarColumns,
    money: Money,
    trading: Trading,
    calendar: Calendar,
    bot: Bot,
    record: Record,
    start: int,
    stop: int,
    lower: int,
    upper: int,
) -> tuple[int, bool]:
    """Return the first bar from `start` that may touch the position, at most `stop`.

    With True: the first bar after one at whose close an exit asks for something.
    """
    side = record.cells[SIDE]
    noted = bar = start
    asks = False
    while bar < stop and not asks:
        if not bot.trails:
            bar = _skip(bars, record, bar, stop, side, lower, upper)
        end = min(stop, bar + BLOCK)
        while bar < end:
            shift = bars.spread[bar] if side < 0 else 0
            if bars.low[bar] + shift <= lower or bars.high[bar] + shift >= upper:
                end = stop = bar
                break
            gained = side * (bars.close[bar] + shift)
            if gained >= record.cells[RISE] or gained <= record.cells[FALL]:
                if noted < bar:  # first what a new peak would end
                    note_below(record, end_of_bar(bars, bar - 1))
                note_held(record, bars, money, trading, calendar, bar)
                noted = bar + 1
            bar += 1
            if bot.trails and trailed(bars, bot, record, bar - 1) != 0:
                asks = True
                break
    if noted < bar:
        if calendar.day_ends[record.cells[DAY]] == bar - 1:
            note_held(record, bars, money, trading, calendar, bar - 1)
        else:
            note_below(record, end_of_bar(bars, bar - 1))
    return bar, asks


def _skip(
    bars: BarColumns, record: Record, bar: int, stop: int, side: int, lower: int, upper: int
) -> int:
    """Return the start of the first block of bars that may hold something, or the last short one.

    A block is looked at without branches, many bars at once where it is compiled.
    """
    rise, fall = record.cells[RISE], record.cells[FALL]
    while bar + BLOCK <= stop:
        low, high = bars.low[bar : bar + BLOCK], bars.high[bar : bar + BLOCK]
        close, spread = bars.close[bar : bar + BLOCK], bars.spread[bar : bar + BLOCK]
        if side > 0:
            is_met = _long_is_met(low, high, close, lower, upper, rise, fall)
        else:
            is_met = _short_is_met(low, high, close, spread, lower, upper, -fall, -rise)
        if is_met:
            break
        bar += BLOCK
    return bar


def _long_is_met(
    low: Cells, high: Cells, close: Cells, lower: int, upper: int, rise: int, fall: int
) -> bool:
    is_met = False
    for row in range(BLOCK):
        is_met |= (low[row] <= lower) | (high[row] >= upper)
        is_met |= (close[row] >= rise) | (close[row] <= fall)
    return is_met


def _short_is_met(
    low: Cells,
    high: Cells,
    close: Cells,
    spread: Cells,
    lower: int,
    upper: int,
    rise: int,
    fall: int,
) -> bool:
    is_met = False
    for row in range(BLOCK):
        shift = spread[row]
        is_met |= (low[row] + shift <= lower) | (high[row] + shift >= upper)
        is_met |= (close[row] + shift >= rise) | (close[row] + shift <= fall)
    return is_met


def bounds(money: Money, trading: Trading, record: Record) -> tuple[int, int]:
    """Return the prices (points) at which something may happen to the position.

    They are of the side at which it would close: at or below the first, at or above the second.
    Which closes can matter to the figures is bounded, too.
    """
    cells = record.cells
    side = cells[SIDE]
    price = exit_price(side, cells[BID], cells[ASK])
    floating = profit(money, side, cells[UNITS], cells[ENTRY], price)
    worth = cells[BALANCE] + trading.credit_minor + floating + cells[SWAP]
    expect(record, money, side * price, worth)
    against = FAR
    if cells[MARGIN] > 0:
        limit = float(trading.stop_out_minor)
        if not trading.stops_out_by_money:
            limit = trading.stop_out_percent / 100.0 * cells[MARGIN]
        rate = own_rate(money, max(1, price))
        loss = loss_per_point(
            cells[UNITS], money.price_value, money.divisor, rate, floating, max(1, price)
        )
        room = worth - limit - 2.0 - rounding_loss(rate)
        against = int(calm_points(room, loss, price))
    stop, target = cells[STOP], cells[TARGET]
    if side > 0:
        return max(stop, price - against), target if target != 0 else FAR
    upper = price + against
    return target, min(upper, stop) if stop != 0 else upper
