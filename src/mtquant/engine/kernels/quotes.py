"""What a new price does to the position: levels, then the margin; and what midnight does.

The order of things is that of `exchange.ticks` and `exchange.stop_out`, with one position at most.
"""

from __future__ import annotations

from mtquant.engine.kernels.layout import (
    ASK,
    BID,
    BUY_SLIP,
    BY_STOP,
    BY_STOP_OUT,
    BY_TARGET,
    DAY_NET,
    FAR,
    IS_HELD_BACK,
    MARGIN,
    MIDNIGHT,
    NOW_MS,
    RISE,
    SELL_SLIP,
    SIDE,
    STOP,
    STOP_OUTS,
    SWAP,
    TARGET,
    Calendar,
    Cells,
    Money,
    Record,
    Trading,
)
from mtquant.engine.kernels.money import equity, swap
from mtquant.engine.kernels.orders import close
from mtquant.engine.kernels.search import is_open
from mtquant.exchange.rules.fill import stop_fill
from mtquant.exchange.rules.margin import is_stop_out, is_stop_out_by_money
from mtquant.exchange.rules.trigger import (
    bid_level,
    exit_price,
    is_crossed,
    stop_is_met,
    target_is_met,
)


def take_slippage(record: Record, slippage: Cells, row: int) -> None:
    """Take in what trades slip from a bar or tick on; one row stands for all."""
    cells = record.cells
    at = row if len(slippage) > 1 else 0
    cells[BUY_SLIP] = slippage[at, 0]
    cells[SELL_SLIP] = slippage[at, 1]


def jump(
    record: Record,
    money: Money,
    trading: Trading,
    calendar: Calendar,
    bid: int,
    ask: int,
    time_ms: int,
) -> None:
    """Bring a quote that nothing led up to: levels that it has passed trade at its own price."""
    cells = record.cells
    cells[NOW_MS] = time_ms
    cells[BID] = bid
    cells[ASK] = ask
    settle(record, money, trading, calendar)
    stop_out(record, money, trading, calendar)


def move(
    record: Record, money: Money, trading: Trading, calendar: Calendar, bid_to: int, time_ms: int
) -> None:
    """Move the bid continuously, spread unchanged: levels on the way trade at the level."""
    cells = record.cells
    cells[NOW_MS] = time_ms
    bid_from = cells[BID]
    spread = cells[ASK] - bid_from
    if cells[IS_HELD_BACK]:
        settle(record, money, trading, calendar)
    if cells[SIDE] != 0:
        _walk(record, money, trading, calendar, bid_from, bid_to, spread)
    cells[BID] = bid_to
    cells[ASK] = bid_to + spread
    stop_out(record, money, trading, calendar)


def settle(record: Record, money: Money, trading: Trading, calendar: Calendar) -> None:
    """Close the position where the current quote meets one of its levels."""
    cells = record.cells
    cells[IS_HELD_BACK] = 0
    side, bid, ask = cells[SIDE], cells[BID], cells[ASK]
    if side == 0:
        return
    at = exit_price(side, bid, ask)
    if cells[STOP] != 0 and stop_is_met(side, cells[STOP], bid, ask):
        _meet(record, money, trading, calendar, True, at)
    if cells[SIDE] != 0 and cells[TARGET] != 0 and target_is_met(side, cells[TARGET], bid, ask):
        _meet(record, money, trading, calendar, False, at)


def stop_out(record: Record, money: Money, trading: Trading, calendar: Calendar) -> None:
    """Close the position where the margin is used up."""
    cells = record.cells
    margin = cells[MARGIN]
    if cells[SIDE] == 0 or margin <= 0:
        return
    price = exit_price(cells[SIDE], cells[BID], cells[ASK])
    worth = equity(cells, money, trading, price)
    if trading.stops_out_by_money:
        is_reached = is_stop_out_by_money(worth, margin, trading.stop_out_minor)
    else:
        is_reached = is_stop_out(worth, margin, trading.stop_out_percent)
    if is_reached and is_open(calendar.edges, cells[NOW_MS]):
        close(record, money, price, BY_STOP_OUT, worth, margin)
        cells[STOP_OUTS] += 1


def roll_until(
    record: Record, money: Money, trading: Trading, calendar: Calendar, time_ms: int
) -> None:
    """End the server's days up to a time (UTC ms): the position accumulates swap."""
    cells = record.cells
    while calendar.midnights[cells[MIDNIGHT]] <= time_ms:
        if cells[SIDE] != 0:
            nights = calendar.nights[cells[MIDNIGHT]]
            cells[SWAP] += swap(money, cells, nights, cells[BID], cells[ASK])
            cells[RISE] = -FAR  # equity has moved without the price
            if trading.drops_levels_daily:
                cells[STOP] = 0
                cells[TARGET] = 0
        cells[MIDNIGHT] += 1
        cells[DAY_NET] = 0


def _walk(
    record: Record,
    money: Money,
    trading: Trading,
    calendar: Calendar,
    bid_from: int,
    bid_to: int,
    spread: int,
) -> None:
    """Trade the levels on the way, the nearer one first, a stop before a target."""
    cells = record.cells
    side = cells[SIDE]
    stop_at = bid_level(side, cells[STOP], spread)
    target_at = bid_level(side, cells[TARGET], spread)
    meets_stop = cells[STOP] != 0 and is_crossed(stop_at, bid_from, bid_to)
    meets_target = cells[TARGET] != 0 and is_crossed(target_at, bid_from, bid_to)
    stop_first = meets_stop and (
        not meets_target or abs(stop_at - bid_from) <= abs(target_at - bid_from)
    )
    if stop_first:
        _meet(record, money, trading, calendar, True, cells[STOP])
    if meets_target and cells[SIDE] != 0:
        _meet(record, money, trading, calendar, False, cells[TARGET])
    if meets_stop and not stop_first and cells[SIDE] != 0:
        _meet(record, money, trading, calendar, True, cells[STOP])


def _meet(
    record: Record,
    money: Money,
    trading: Trading,
    calendar: Calendar,
    is_stop: bool,
    reached: int,
) -> None:
    """Close the position at one of its levels; outside trading hours it waits."""
    cells = record.cells
    if not is_open(calendar.edges, cells[NOW_MS]):
        cells[IS_HELD_BACK] = 1
        return
    side = cells[SIDE]
    if is_stop:
        slip = cells[SELL_SLIP] if side > 0 else cells[BUY_SLIP]
        close(record, money, stop_fill(side, reached, slip), BY_STOP, cells[STOP], 0)
    else:
        price = cells[TARGET] if trading.target_at_level else reached
        close(record, money, price, BY_TARGET, cells[TARGET], 0)
