"""What the book remembers: open positions, orders and deals, with their ticket series."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from mtquant.model import (
    Deal,
    DealEntry,
    DealKind,
    Expiration,
    Filling,
    Order,
    OrderState,
    OrderType,
    Reason,
    Side,
)

FIRST_ORDER_TICKET: Final = 50_000_001
FIRST_DEAL_TICKET: Final = 40_000_001
PENDING_KINDS: Final = {OrderType.LIMIT: 1, OrderType.STOP: 2, OrderType.STOP_LIMIT: 3}
"""The orders that wait for a price, with their numbers in `rules.pending`."""


@dataclass(slots=True)
class Tickets:
    """Number the orders and the deals of a server, whatever account they belong to."""

    next_order: int = FIRST_ORDER_TICKET
    next_deal: int = FIRST_DEAL_TICKET

    def order(self) -> int:
        """Return the ticket of a new order."""
        self.next_order += 1
        return self.next_order - 1

    def deal(self) -> int:
        """Return the ticket of a new deal."""
        self.next_deal += 1
        return self.next_deal - 1


@dataclass(slots=True, kw_only=True)
class OpenPosition:
    """Hold one open position while it lives; `side` is +1 or -1, levels are 0 when absent.

    `open_thousandths` of a point come on top of `open_points`. `identifier` is the ticket of the
    order that opened it; `margin_rate` the conversion of its margin at the opening.
    """

    ticket: int
    identifier: int
    symbol: str
    side: int
    units: int
    open_points: int
    open_ms: int
    stop: int
    target: int
    magic: int
    comment: str
    open_thousandths: int = 0
    swap_minor: int = 0
    margin_rate: float = 1.0
    updated_ms: int = 0
    reason: Reason = Reason.EXPERT

    @property
    def opened(self) -> float:
        """Return the opening price in points: a whole number unless netting averaged it."""
        if self.open_thousandths:
            return self.open_points + self.open_thousandths / 1000
        return self.open_points


@dataclass(slots=True, kw_only=True)
class LiveOrder:
    """Hold one order while it lives: for a moment, or waiting in the market.

    `left` is the volume that is not filled; `opened` the ticket of the position it has opened;
    `margin_rate` margin rate x conversion of a waiting order, as it was placed; `is_at_market` says
    that it waits for volume, whatever its type has been.
    """

    ticket: int
    symbol: str
    side: int
    order_type: OrderType
    units: int
    left: int
    magic: int
    reason: Reason
    setup_ms: int
    price: int = 0
    stop_limit: int = 0
    stop: int = 0
    target: int = 0
    filling: Filling = Filling.FOK
    expiration: Expiration = Expiration.GTC
    expires_ms: int = 0
    position_ticket: int = 0
    comment: str = ""
    position_by_ticket: int = 0
    opened: int = 0
    margin_rate: float = 0.0
    is_at_market: bool = False

    @property
    def is_pending(self) -> bool:
        """Tell whether it waits for a price, not for volume."""
        return self.order_type in PENDING_KINDS and not self.is_at_market

    @property
    def kind(self) -> int:
        """Return the number of its type in `rules.pending`."""
        return PENDING_KINDS[self.order_type]

    @property
    def state(self) -> OrderState:
        """Return where it stands while it waits."""
        return OrderState.PLACED if self.left == self.units else OrderState.PARTIALLY_FILLED


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """State what a deal books, before it has its ticket; money in minor units."""

    time_ms: int
    entry: DealEntry
    units: int
    price_points: int
    magic: int
    position_ticket: int
    profit_minor: int = 0
    commission_minor: int = 0
    swap_minor: int = 0
    fee_minor: int = 0


@dataclass(slots=True)
class Ledger:
    """Keep the append-only history of finished orders and deals."""

    orders: list[Order] = field(default_factory=list)
    deals: list[Deal] = field(default_factory=list)
    tickets: Tickets = field(default_factory=Tickets)

    def book_balance(self, kind: DealKind, amount_minor: int, time_ms: int, comment: str) -> Deal:
        """Append an operation on balance or credit."""
        deal = Deal(
            deal_ticket=self.tickets.deal(),
            order_ticket=0,
            position_ticket=0,
            time_ms=time_ms,
            symbol="",
            kind=kind,
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
        self.deals.append(deal)
        return deal

    def book_deal(self, order: LiveOrder, booking: Booking) -> Deal:
        """Append a deal of an order."""
        deal = Deal(
            deal_ticket=self.tickets.deal(),
            order_ticket=order.ticket,
            position_ticket=booking.position_ticket,
            time_ms=booking.time_ms,
            symbol=order.symbol,
            kind=DealKind.TRADE,
            side=Side(order.side),
            entry=booking.entry,
            volume_units=booking.units,
            price_points=booking.price_points,
            profit_minor=booking.profit_minor,
            commission_minor=booking.commission_minor,
            swap_minor=booking.swap_minor,
            fee_minor=booking.fee_minor,
            reason=order.reason,
            intent_id=booking.magic,
            comment=order.comment,
        )
        self.deals.append(deal)
        return deal

    def book_order(self, order: LiveOrder, state: OrderState, done_ms: int, current: int) -> Order:
        """Append an order that lives no longer; `current` is the market's price then (points)."""
        finished = described(order, state, current, done_ms)
        self.orders.append(finished)
        return finished


def described(order: LiveOrder, state: OrderState, current: int, done_ms: int = 0) -> Order:
    """Return an order as others see it."""
    is_market = order.order_type is OrderType.MARKET
    return Order(
        order_ticket=order.ticket,
        symbol=order.symbol,
        side=Side(order.side),
        order_type=order.order_type,
        state=state,
        volume_units=order.units,
        filled_units=order.units - order.left,
        price_points=current if is_market and not order.price else order.price,
        stop_loss_points=order.stop or None,
        take_profit_points=order.target or None,
        position_ticket=order.opened or order.position_ticket,
        intent_id=order.magic,
        comment=order.comment,
        reason=order.reason,
        setup_ms=order.setup_ms,
        done_ms=done_ms,
        stop_limit_points=order.stop_limit,
        current_points=current,
        filling=order.filling,
        expiration=order.expiration,
        expires_ms=order.expires_ms,
        position_by_ticket=order.position_by_ticket,
    )
