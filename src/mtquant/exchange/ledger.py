"""What the book remembers: open positions, orders and deals, with their ticket series."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from mtquant.model import (
    Deal,
    DealEntry,
    DealKind,
    Order,
    OrderState,
    OrderType,
    Reason,
    Side,
)

FIRST_ORDER_TICKET = 50_000_001
FIRST_DEAL_TICKET = 40_000_001


class Refusal(Enum):
    """Name why the market refuses a request."""

    INVALID_REQUEST = "invalid request"
    MARKET_CLOSED = "market closed"
    NO_PRICES = "no prices"
    INVALID_VOLUME = "invalid volume"
    INVALID_STOPS = "invalid stops"
    NO_MONEY = "no money"
    NO_CHANGES = "no changes"
    FROZEN = "too close to the market"
    POSITION_GONE = "position does not exist"
    CLOSE_VOLUME = "volume to close exceeds the position"


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """Hold the market's answer to a request: a refusal, or tickets, volume and price."""

    refusal: Refusal | None = None
    order_ticket: int = 0
    deal_ticket: int = 0
    volume_units: int = 0
    price_points: int = 0


@dataclass(slots=True, kw_only=True)
class OpenPosition:
    """Hold one open position while it lives; `side` is +1 or -1, levels are 0 when absent.

    `margin_rate` is the conversion of its margin at the opening; it stays while it is held.
    """

    ticket: int
    symbol: str
    side: int
    units: int
    open_points: int
    open_ms: int
    stop: int
    target: int
    magic: int
    comment: str
    swap_minor: int = 0
    margin_rate: float = 1.0
    updated_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """State what a deal books, before it has its tickets."""

    time_ms: int
    side: int
    entry: DealEntry
    units: int
    price_points: int
    profit_minor: int = 0
    commission_minor: int = 0
    swap_minor: int = 0
    fee_minor: int = 0
    reason: Reason
    order_magic: int
    order_comment: str
    deal_comment: str


@dataclass(slots=True)
class Ledger:
    """Keep the append-only history of orders and deals."""

    orders: list[Order] = field(default_factory=list)
    deals: list[Deal] = field(default_factory=list)
    next_order: int = FIRST_ORDER_TICKET
    next_deal: int = FIRST_DEAL_TICKET

    def book_balance(self, amount_minor: int, time_ms: int, comment: str) -> Deal:
        """Append a balance operation."""
        deal = Deal(
            deal_ticket=self.next_deal,
            order_ticket=0,
            position_ticket=0,
            time_ms=time_ms,
            symbol="",
            kind=DealKind.BALANCE,
            side=None,
            entry=DealEntry.IN,
            volume_units=0,
            price_points=0,
            profit_minor=amount_minor,
            commission_minor=0,
            swap_minor=0,
            fee_minor=0,
            reason=Reason.CLIENT,
            comment=comment,
        )
        self.next_deal += 1
        self.deals.append(deal)
        return deal

    def book_trade(self, position: OpenPosition | None, symbol: str, booking: Booking) -> Deal:
        """Append a filled order and its deal; without a position the order opens a new one.

        A deal that closes keeps the magic of its position, its order that of the request.
        """
        order_ticket = self.next_order
        position_ticket = order_ticket if position is None else position.ticket
        magic = booking.order_magic if position is None else position.magic
        self.orders.append(self._filled_order(order_ticket, position_ticket, symbol, booking))
        deal = Deal(
            deal_ticket=self.next_deal,
            order_ticket=order_ticket,
            position_ticket=position_ticket,
            time_ms=booking.time_ms,
            symbol=symbol,
            kind=DealKind.TRADE,
            side=Side(booking.side),
            entry=booking.entry,
            volume_units=booking.units,
            price_points=booking.price_points,
            profit_minor=booking.profit_minor,
            commission_minor=booking.commission_minor,
            swap_minor=booking.swap_minor,
            fee_minor=booking.fee_minor,
            reason=booking.reason,
            intent_id=magic,
            comment=booking.deal_comment,
        )
        self.next_order += 1
        self.next_deal += 1
        self.deals.append(deal)
        return deal

    @staticmethod
    def _filled_order(ticket: int, position_ticket: int, symbol: str, booking: Booking) -> Order:
        return Order(
            order_ticket=ticket,
            symbol=symbol,
            side=Side(booking.side),
            order_type=OrderType.MARKET,
            state=OrderState.FILLED,
            volume_units=booking.units,
            filled_units=booking.units,
            price_points=booking.price_points,
            position_ticket=position_ticket,
            intent_id=booking.order_magic,
            comment=booking.order_comment,
            reason=booking.reason,
            setup_ms=booking.time_ms,
            done_ms=booking.time_ms,
        )
