"""What an account's owner asks of the market, and what the market answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from mtquant.model import Expiration, Filling, Jsonable, OrderType, Reason, Side


class Refusal(Enum):
    """Name why the market refuses a request."""

    INVALID_REQUEST = "invalid request"
    TOO_MANY_REQUESTS = "too many requests"
    MARKET_CLOSED = "market closed"
    INVALID_FILL = "filling is not supported"
    ONLY_REAL = "for real accounts only"
    TRADE_DISABLED = "trading is disabled"
    EXPERTS_DISABLED = "the server disables automated trading"
    LONG_ONLY = "only long positions"
    SHORT_ONLY = "only short positions"
    CLOSE_ONLY = "only closing"
    INVALID_ORDER = "order type is prohibited, or there is no such order"
    INVALID_EXPIRATION = "invalid expiration"
    NO_PRICES = "no prices"
    INVALID_VOLUME = "invalid volume"
    INVALID_PRICE = "invalid price"
    INVALID_STOPS = "invalid stops"
    ORDER_LIMIT = "too many waiting orders"
    POSITION_LIMIT = "too many positions"
    VOLUME_LIMIT = "too much volume of one direction"
    HEDGE_PROHIBITED = "hedging is prohibited"
    FIFO_CLOSE = "an older position is to be closed first"
    CLOSE_ORDER_EXISTS = "an order to close this position waits already"
    NO_MONEY = "no money"
    NO_CHANGES = "no changes"
    FROZEN = "too close to the market"
    POSITION_GONE = "position does not exist"
    CLOSE_VOLUME = "volume to close exceeds the position"
    REQUOTE = "the price has moved, there is a new one"
    PRICE_CHANGED = "the price has moved"
    REJECTED = "the volume is not there"
    ACTIVATION_REJECTED = "the order could not be carried out and was canceled"


class Progress(Enum):
    """Say how far an accepted request has come."""

    DONE = "done"
    PARTIAL = "partial"
    PLACED = "placed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """Hold the market's answer to a request: a refusal, or tickets, volume and price."""

    refusal: Refusal | None = None
    progress: Progress = Progress.DONE
    order_ticket: int = 0
    deal_ticket: int = 0
    volume_units: int = 0
    price_points: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest(Jsonable):
    """Ask for a new order; prices are points, volumes 1e-8 lots, 0 where there is none.

    A `position_ticket` makes it close that position. `price` is the level of a pending order and,
    where the execution mode asks for one, the wanted price of a market order, from which the fill
    may be `deviation` points away.
    """

    symbol: str
    side: Side
    units: int
    order_type: OrderType = OrderType.MARKET
    price: int = 0
    stop_limit: int = 0
    stop: int = 0
    target: int = 0
    deviation: int = 0
    filling: Filling = Filling.FOK
    expiration: Expiration = Expiration.GTC
    expires_ms: int = 0
    position_ticket: int = 0
    magic: int = 0
    comment: str = ""
    reason: Reason = Reason.EXPERT

    @property
    def entry_points(self) -> int:
        """Return the price at which a waiting order is to open: a stop-limit's is its limit."""
        return self.stop_limit if self.order_type is OrderType.STOP_LIMIT else self.price


@dataclass(frozen=True, slots=True, kw_only=True)
class StopsRequest(Jsonable):
    """Ask for other protective levels of a position (points, 0 = none).

    A netting account may name the symbol alone.
    """

    symbol: str
    position_ticket: int = 0
    stop: int = 0
    target: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRequest(Jsonable):
    """Ask for other levels or another expiration of a waiting order (points, 0 = none)."""

    order_ticket: int
    price: int
    stop_limit: int = 0
    stop: int = 0
    target: int = 0
    expiration: Expiration = Expiration.GTC
    expires_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequest(Jsonable):
    """Ask to cancel a waiting order."""

    order_ticket: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseByRequest(Jsonable):
    """Ask to close a position by an opposite one of the same symbol."""

    position_ticket: int
    by_ticket: int
    magic: int = 0
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scarcity(Jsonable):
    """Say that until the next tick a symbol has only `units` on each side for an account.

    Orders at the market take what is there, whatever their filling; their rest is canceled, or
    waits for the next tick where it `waits`.
    """

    symbol: str
    units: int
    waits: bool = False


Request = OrderRequest | StopsRequest | ChangeRequest | CancelRequest | CloseByRequest
