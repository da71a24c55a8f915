"""Our words as the module's structures: times in the server's epoch seconds, prices as floats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mtquant.model import (
    Deal,
    DealKind,
    ExecutionMode,
    Instrument,
    Order,
    OrderType,
    Position,
    Quote,
    ServerClock,
    Side,
    lots_from_units,
    money_from_minor,
)
from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated.vocabulary import (
    ENTRIES,
    EXPIRATION_NUMBERS,
    FILLING_NUMBERS,
    ORDER_STATES,
    ORDER_TYPES,
    REASONS,
)
from mtquant.terminal.structs import BookInfo, Tick, TradeDeal, TradeOrder, TradePosition

if TYPE_CHECKING:
    from mtquant.exchange import Dealing

_PRICELESS: Final = frozenset({ExecutionMode.MARKET, ExecutionMode.EXCHANGE})
_NO_DEALS: Final = {
    DealKind.BALANCE: mt5.DEAL_TYPE_BALANCE,
    DealKind.CREDIT: mt5.DEAL_TYPE_CREDIT,
}


def tick_face(quote: Quote, clock: ServerClock, digits: int) -> Any:
    """Return a Tick."""
    server_ms = clock.to_server_ms(quote.time_ms)
    flags = mt5.TICK_FLAG_BID | mt5.TICK_FLAG_ASK
    bid, ask = quote.bid_points / 10**digits, quote.ask_points / 10**digits
    return Tick((server_ms // 1000, bid, ask, 0.0, 0, server_ms, flags, 0.0))


def depth_face(quote: Quote, instrument: Instrument, dealing: Dealing) -> Any:
    """Return the market's depth, the highest price first: the asks, then the bids.

    Where the venue states none there is one level, as large as one order may be.
    """
    levels = dealing.depth or ((0, instrument.volume_max_units),)
    asks = [(mt5.BOOK_TYPE_SELL, quote.ask_points + away, units) for away, units in levels]
    bids = [(mt5.BOOK_TYPE_BUY, quote.bid_points - away, units) for away, units in levels]
    scale = 10**instrument.digits
    rows = []
    for kind, points, units in (*reversed(asks), *bids):
        lots = lots_from_units(units)
        rows.append(BookInfo((kind, points / scale, int(lots), lots)))
    return tuple(rows)


def deal_face(deal: Deal, clock: ServerClock, digits: int, money_digits: int) -> Any:
    """Return a TradeDeal."""
    server_ms = clock.to_server_ms(deal.time_ms)
    trade = mt5.DEAL_TYPE_SELL if deal.side is Side.SELL else mt5.DEAL_TYPE_BUY
    money = [
        money_from_minor(amount, money_digits)
        for amount in (deal.commission_minor, deal.swap_minor, deal.profit_minor, deal.fee_minor)
    ]
    return TradeDeal(
        (
            deal.deal_ticket,
            deal.order_ticket,
            server_ms // 1000,
            server_ms,
            _NO_DEALS.get(deal.kind, trade),
            ENTRIES[deal.entry],
            deal.intent_id,
            deal.position_ticket,
            REASONS[deal.reason],
            lots_from_units(deal.volume_units),
            deal.price_points / 10**digits,
            *money,
            deal.symbol,
            deal.comment,
            "",
        )
    )


def order_face(order: Order, clock: ServerClock, instrument: Instrument) -> Any:
    """Return a TradeOrder, of the history or waiting.

    An order at the market has no price of its own where the execution mode asks for none.
    """
    setup = clock.to_server_ms(order.setup_ms)
    done = clock.to_server_ms(order.done_ms) if order.done_ms else 0
    expires = clock.to_server_ms(order.expires_ms) if order.expires_ms else 0
    scale = 10**instrument.digits
    is_market = order.order_type is OrderType.MARKET
    asked = 0 if is_market and instrument.execution_mode in _PRICELESS else order.price_points
    current = order.current_points or (order.price_points if is_market else 0)
    return TradeOrder(
        (
            order.order_ticket,
            setup // 1000,
            setup,
            done // 1000,
            done,
            expires // 1000,
            ORDER_TYPES[order.order_type, order.side],
            EXPIRATION_NUMBERS[order.expiration],
            FILLING_NUMBERS[order.filling],
            ORDER_STATES[order.state],
            order.intent_id,
            order.position_ticket,
            order.position_by_ticket,
            REASONS[order.reason],
            lots_from_units(order.volume_units),
            lots_from_units(order.volume_units - order.filled_units),
            asked / scale,
            (order.stop_loss_points or 0) / scale,
            (order.take_profit_points or 0) / scale,
            current / scale,
            order.stop_limit_points / scale,
            order.symbol,
            order.comment,
            "",
        )
    )


def position_face(position: Position, clock: ServerClock, updated_ms: int) -> Any:
    """Return a TradePosition."""
    opened, updated = clock.to_server_ms(position.open_ms), clock.to_server_ms(updated_ms)
    scale = 10**position.digits
    return TradePosition(
        (
            position.position_ticket,
            opened // 1000,
            opened,
            updated // 1000,
            updated,
            mt5.POSITION_TYPE_BUY if position.side is Side.BUY else mt5.POSITION_TYPE_SELL,
            position.intent_id,
            position.identifier or position.position_ticket,
            REASONS[position.reason],
            position.volume,
            position.open_price,
            (position.stop_loss_points or 0) / scale,
            (position.take_profit_points or 0) / scale,
            position.current_price,
            money_from_minor(position.swap_minor, position.money_digits),
            money_from_minor(position.profit_minor, position.money_digits),
            position.symbol,
            position.comment,
            "",
        )
    )
