"""Orders, deals, positions and accounts: what the broker holds, in our words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from mtquant.model.codec import Jsonable
from mtquant.model.errors import IllegalTransitionError
from mtquant.model.kinds import (
    DealEntry,
    DealKind,
    Expiration,
    Filling,
    MarginMode,
    OrderType,
    Reason,
    Side,
)
from mtquant.model.numbers import UNITS_PER_LOT, lots_from_units, money_from_minor

_HOUR_MS = 3_600_000


class OrderState(Enum):
    """Name where an order stands at the broker."""

    CREATED = "created"
    SUBMITTED = "submitted"
    PLACED = "placed"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"


_S = OrderState
ORDER_STEPS: Final[dict[OrderState, frozenset[OrderState]]] = {
    _S.CREATED: frozenset({_S.SUBMITTED, _S.REJECTED}),
    _S.SUBMITTED: frozenset(
        {_S.PLACED, _S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELED, _S.EXPIRED, _S.REJECTED}
    ),
    _S.PLACED: frozenset({_S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELED, _S.EXPIRED, _S.REJECTED}),
    _S.PARTIALLY_FILLED: frozenset({_S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELED, _S.EXPIRED}),
    _S.FILLED: frozenset(),
    # a fill can overtake the cancel or the expiry
    _S.CANCELED: frozenset({_S.PARTIALLY_FILLED, _S.FILLED}),
    _S.EXPIRED: frozenset({_S.PARTIALLY_FILLED, _S.FILLED}),
    _S.REJECTED: frozenset(),
}


def advance_order(current: OrderState, reported: OrderState) -> OrderState:
    """Return the next order state.

    Raises:
        IllegalTransitionError: the table has no such step.
    """
    if reported not in ORDER_STEPS[current]:
        raise IllegalTransitionError(f"order state {current.name} -> {reported.name}")
    return reported


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(Jsonable):
    """Describe an instruction at the broker. Times UTC ms, prices points, volumes 1e-8 lots.

    `price_points` is what it asks for: the fill of a market order, the level of a pending one;
    `current_points` the market's price now, or when the order left it (0: not told).
    """

    order_ticket: int
    symbol: str
    side: Side
    order_type: OrderType
    state: OrderState
    volume_units: int
    filled_units: int = 0
    price_points: int = 0
    stop_loss_points: int | None = None
    take_profit_points: int | None = None
    position_ticket: int = 0
    intent_id: int = 0
    comment: str = ""
    reason: Reason = Reason.EXPERT
    setup_ms: int = 0
    done_ms: int = 0
    stop_limit_points: int = 0
    current_points: int = 0
    filling: Filling = Filling.FOK
    expiration: Expiration = Expiration.GTC
    expires_ms: int = 0
    position_by_ticket: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal(Jsonable):
    """Describe an executed trade or a balance operation; money in minor units."""

    deal_ticket: int
    order_ticket: int
    position_ticket: int
    time_ms: int
    symbol: str
    kind: DealKind
    side: Side | None
    entry: DealEntry
    volume_units: int
    price_points: int
    profit_minor: int
    commission_minor: int
    swap_minor: int
    fee_minor: int
    reason: Reason
    intent_id: int = 0
    comment: str = ""

    @property
    def net_minor(self) -> int:
        """Return what the deal added to the balance."""
        return self.profit_minor + self.commission_minor + self.swap_minor + self.fee_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Position(Jsonable):
    """Describe open exposure. `profit_minor` is floating, without swap and commission.

    Netting averages opening prices finer than a point: `open_thousandths` of a point, 0 to 999,
    come on top of `open_points`. `identifier` is the ticket of the opening order (0: the ticket
    itself); a netting position that turned round has another ticket than its identifier. One order
    of its symbol takes no more than `largest_order_units`, 0 where that is not known.
    """

    position_ticket: int
    symbol: str
    side: Side
    volume_units: int
    open_points: int
    open_ms: int
    current_points: int
    current_ms: int
    stop_loss_points: int | None
    take_profit_points: int | None
    profit_minor: int
    swap_minor: int
    digits: int
    contract_size: float
    money_digits: int = 2
    intent_id: int = 0
    comment: str = ""
    reason: Reason = Reason.EXPERT
    open_thousandths: int = 0
    identifier: int = 0
    largest_order_units: int = 0

    @property
    def open_price(self) -> float:
        """Return the opening price."""
        if self.open_thousandths:
            return (1000 * self.open_points + self.open_thousandths) / float(
                10 ** (self.digits + 3)
            )
        return self.open_points / float(10**self.digits)

    @property
    def current_price(self) -> float:
        """Return the price at which the position would close now."""
        return self.current_points / float(10**self.digits)

    @property
    def volume(self) -> float:
        """Return the volume in lots."""
        return lots_from_units(self.volume_units)

    @property
    def position_value(self) -> float:
        """Return volume × contract × current price, in the profit currency."""
        return self.volume_units * self.contract_size * self.current_price / UNITS_PER_LOT

    @property
    def unrealized_pnl(self) -> float:
        """Return the floating profit in the account currency."""
        return money_from_minor(self.profit_minor, self.money_digits)

    @property
    def unrealized_pnl_pct(self) -> float:
        """Return how far price moved in our favour since the opening, in percent of it."""
        moved = (self.current_points - self.open_points) * self.side.value
        return 100 * moved / self.open_points

    @property
    def duration_hours(self) -> float:
        """Return the hours from the opening to the current price."""
        return (self.current_ms - self.open_ms) / _HOUR_MS

    @property
    def is_winning(self) -> bool:
        """Tell whether the floating profit is above zero."""
        return self.profit_minor > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSnapshot(Jsonable):
    """Describe an account at a moment; money in minor units of its currency."""

    login: int
    server: str
    currency: str
    currency_digits: int
    leverage: int
    margin_mode: MarginMode
    is_demo: bool
    trade_allowed: bool
    balance_minor: int
    equity_minor: int
    margin_minor: int
    time_ms: int
    credit_minor: int = 0

    @property
    def own_equity_minor(self) -> int:
        """Return equity without what the broker has lent: it is no gain, and hides no loss."""
        return self.equity_minor - self.credit_minor

    @property
    def free_margin_minor(self) -> int:
        """Return equity minus used margin."""
        return self.equity_minor - self.margin_minor

    @property
    def margin_level(self) -> float | None:
        """Return equity ÷ margin as a fraction (MetaTrader prints percent), None without margin."""
        return self.equity_minor / self.margin_minor if self.margin_minor else None
