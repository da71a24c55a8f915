"""What the bot sends at the opening of a bar, and what becomes of it.

The same order of things as in the engine: a signal against the position closes it, then the entry
is sized, gated and sent; an exit moves the stop, or closes where the market has passed it.
"""

from __future__ import annotations

from mtquant.engine.kernels.layout import (
    ASK,
    ASKED,
    BALANCE,
    BAR,
    BID,
    BUY_SLIP,
    BY_BOT,
    COMMISSION,
    DAY_NET,
    DEAL_BAR,
    DEAL_INTENT,
    DEAL_SIDE,
    DEAL_SWAP,
    DEAL_UNITS,
    ENTRY,
    ENTRY_KIND,
    FEE,
    INTENT,
    LEVEL,
    MARGIN,
    NOW_MS,
    ORDER_INTENT,
    ORDER_STOP,
    ORDER_TARGET,
    PRICE,
    PROFIT,
    REASON,
    ROWS,
    SELL_SLIP,
    SEQUENCE,
    SIDE,
    SO_MARGIN,
    STOP,
    SWAP,
    TARGET,
    TIME_MS,
    UNITS,
    Bot,
    Calendar,
    Money,
    Record,
    Trading,
)
from mtquant.engine.kernels.money import (
    commission,
    fee,
    margin_held,
    margin_to_open,
    profit,
)
from mtquant.engine.kernels.search import is_open
from mtquant.exchange.rules.fill import market_fill
from mtquant.exchange.rules.pending import is_within_deviation
from mtquant.exchange.rules.trigger import (
    exit_price,
    is_on_grid,
    levels_are_frozen,
    stop_is_met,
    stops_are_valid,
)
from mtquant.model.numbers import UNITS_PER_LOT, floor_to_step
from mtquant.portfolio.rules import day_loss_minor
from mtquant.risk.rules import (
    allowed_loss_minor,
    is_quoted,
    is_within_band,
    is_within_daily_loss,
    is_within_spread,
)
from mtquant.risk.sizing.rules import risk_minor, units_for_risk


def enter(
    record: Record,
    money: Money,
    trading: Trading,
    bot: Bot,
    calendar: Calendar,
    side: int,
    strength: float,
    stop_distance: int,
    target_distance: int,
    reference: int,
) -> bool:
    """Size, gate and send an entry of a side; tell whether a position is open now.

    `reference` is the close of the newest closed bar.
    """
    cells = record.cells
    bid, ask = cells[BID], cells[ASK]
    if stop_distance <= 0:
        return False
    asked = ask if side > 0 else bid
    stop = asked - side * stop_distance
    target = asked + side * target_distance if target_distance > 0 else 0
    equity_minor = cells[BALANCE] + trading.credit_minor
    loss = -profit(money, side, UNITS_PER_LOT, asked, stop)
    wanted = units_for_risk(risk_minor(equity_minor, bot.risk_fraction, strength), loss)
    units = floor_to_step(wanted, trading.volume_min, trading.volume_max, trading.volume_step)
    is_taken = trading.takes_long if side > 0 else trading.takes_short
    is_order = units > 0 and stop > 0 and target >= 0  # else the gate does not let it pass
    if not (is_taken and is_order and _gate_opens(record, bot, asked, reference)):
        return False
    if equity_minor < margin_to_open(money, side, units, asked):
        return False
    cells[SEQUENCE] += 1
    if not _takes_entry(record, trading, calendar, side, units, asked, stop, target):
        return False
    price = market_fill(side, bid, ask, cells[BUY_SLIP] if side > 0 else cells[SELL_SLIP])
    is_filled = equity_minor >= margin_to_open(money, side, units, price)
    if is_filled and trading.is_priced:
        is_filled = is_within_deviation(asked, price, trading.deviation)
        cells[SEQUENCE] += not is_filled  # the second attempt, at the same price
    if not is_filled:
        return False
    _open(record, money, side, units, price, asked if trading.is_priced else 0, stop, target)
    return True


def leave(record: Record, money: Money, trading: Trading, calendar: Calendar) -> bool:
    """Send a close of the position; tell whether it is closed."""
    cells = record.cells
    side = cells[SIDE]
    asked = exit_price(side, cells[BID], cells[ASK])
    cells[SEQUENCE] += 1
    if not is_open(calendar.edges, cells[NOW_MS]):
        return False
    if trading.is_priced and (asked <= 0 or not is_on_grid(asked, trading.tick_size)):
        return False
    if levels_are_frozen(asked, cells[STOP], cells[TARGET], trading.freeze_level):
        return False
    slip = cells[SELL_SLIP] if side > 0 else cells[BUY_SLIP]
    price = market_fill(-side, cells[BID], cells[ASK], slip)
    if trading.is_priced and not is_within_deviation(asked, price, trading.deviation):
        cells[SEQUENCE] += 1  # the second attempt, at the same price
        return False
    row = close(record, money, price, BY_BOT, 0, 0)
    record.deals[row, ASKED] = asked if trading.is_priced else 0
    record.deals[row, ORDER_INTENT] = cells[SEQUENCE]
    return True


def move_stop(
    record: Record, money: Money, trading: Trading, calendar: Calendar, level: int
) -> bool:
    """Send a new stop level, or a close where the market has passed it; tell whether it closed."""
    cells = record.cells
    side, bid, ask = cells[SIDE], cells[BID], cells[ASK]
    if stop_is_met(side, level, bid, ask):
        return leave(record, money, trading, calendar)
    if not stops_are_valid(side, level, 0, bid, ask, trading.stops_level):
        return False
    cells[SEQUENCE] += 1
    target = cells[TARGET]
    at = exit_price(side, bid, ask)
    if (
        is_open(calendar.edges, cells[NOW_MS])
        and level != cells[STOP]
        and not levels_are_frozen(at, cells[STOP], target, trading.freeze_level)
        and stops_are_valid(side, level, target, bid, ask, trading.room)
        and is_on_grid(level, trading.tick_size)
        and is_on_grid(target, trading.tick_size)
    ):
        cells[STOP] = level
    return False


def close(record: Record, money: Money, price: int, reason: int, level: int, margin: int) -> int:
    """Book the closing deal of the position; return its row."""
    cells, deals = record.cells, record.deals
    side, units = cells[SIDE], cells[UNITS]
    row: int = cells[ROWS]
    cells[ROWS] = row + 1
    deals[row, ENTRY_KIND] = 1
    deals[row, REASON] = reason
    deals[row, DEAL_SIDE] = -side
    deals[row, PROFIT] = profit(money, side, units, cells[ENTRY], price)
    deals[row, COMMISSION] = commission(money, units, price, False)
    deals[row, DEAL_SWAP] = cells[SWAP]
    deals[row, ASKED] = 0
    deals[row, ORDER_STOP] = 0
    deals[row, ORDER_TARGET] = 0
    deals[row, ORDER_INTENT] = 0
    deals[row, DEAL_INTENT] = cells[INTENT]
    deals[row, LEVEL] = level
    deals[row, SO_MARGIN] = margin
    _book(record, money, row, units, price)
    cells[SIDE] = 0
    cells[UNITS] = 0
    cells[STOP] = 0
    cells[TARGET] = 0
    cells[SWAP] = 0
    cells[MARGIN] = 0
    return row


def _open(
    record: Record,
    money: Money,
    side: int,
    units: int,
    price: int,
    asked: int,
    stop: int,
    target: int,
) -> None:
    cells, deals = record.cells, record.deals
    row = cells[ROWS]
    cells[ROWS] = row + 1
    deals[row, ENTRY_KIND] = 0
    deals[row, REASON] = BY_BOT
    deals[row, DEAL_SIDE] = side
    deals[row, PROFIT] = 0
    deals[row, COMMISSION] = commission(money, units, price, True)
    deals[row, DEAL_SWAP] = 0
    deals[row, ASKED] = asked
    deals[row, ORDER_STOP] = stop
    deals[row, ORDER_TARGET] = target
    deals[row, ORDER_INTENT] = cells[SEQUENCE]
    deals[row, DEAL_INTENT] = cells[SEQUENCE]
    deals[row, LEVEL] = 0
    deals[row, SO_MARGIN] = 0
    _book(record, money, row, units, price)
    cells[SIDE] = side
    cells[UNITS] = units
    cells[ENTRY] = price
    cells[STOP] = stop
    cells[TARGET] = target
    cells[SWAP] = 0
    cells[INTENT] = cells[SEQUENCE]
    cells[MARGIN] = margin_held(money, side, units, price)


def _book(record: Record, money: Money, row: int, units: int, price: int) -> None:
    """Write what all deals have, and add the deal to the balance."""
    cells, deals = record.cells, record.deals
    deals[row, TIME_MS] = cells[NOW_MS]
    deals[row, DEAL_UNITS] = units
    deals[row, PRICE] = price
    deals[row, FEE] = fee(money, units)
    deals[row, DEAL_BAR] = cells[BAR]
    net = deals[row, PROFIT] + deals[row, COMMISSION] + deals[row, DEAL_SWAP] + deals[row, FEE]
    cells[BALANCE] += net
    cells[DAY_NET] += net


def _gate_opens(record: Record, bot: Bot, asked: int, reference: int) -> bool:
    """Tell whether the risk gate lets an entry through, while nothing is held."""
    cells = record.cells
    bid, ask = cells[BID], cells[ASK]
    day_start = cells[BALANCE] - cells[DAY_NET]
    loss = day_loss_minor(day_start, cells[BALANCE])  # credit is no gain
    return (
        is_quoted(bid, ask)
        and is_within_spread(ask - bid, bot.max_spread)
        and is_within_band(asked, reference, bot.price_band_fraction)
        and is_within_daily_loss(loss, allowed_loss_minor(bot.max_daily_loss_fraction, day_start))
    )


def _takes_entry(
    record: Record,
    trading: Trading,
    calendar: Calendar,
    side: int,
    units: int,
    asked: int,
    stop: int,
    target: int,
) -> bool:
    """Tell whether the server takes an entry, money aside."""
    cells = record.cells
    step = trading.tick_size
    return (
        is_open(calendar.edges, cells[NOW_MS])
        and (not trading.is_priced or (asked > 0 and is_on_grid(asked, step)))
        and stops_are_valid(side, stop, target, cells[BID], cells[ASK], trading.room)
        and is_on_grid(stop, step)
        and is_on_grid(target, step)
        and (trading.volume_limit == 0 or units <= trading.volume_limit)
    )
