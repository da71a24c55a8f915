"""Intents: sized wishes to trade, and how they stand in our own journal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from hashlib import sha256
from typing import Final

from mtquant.model.codec import Jsonable
from mtquant.model.errors import IllegalTransitionError
from mtquant.model.kinds import IntentAction, Side

NOT_SENT: Final = "not sent: "
"""How the detail of a refusal begins that kept the request from leaving."""
OVERTAKEN: Final = "position is closed"
"""The detail of a modification whose position was closed before its outcome was known."""


class IntentState(Enum):
    """Name where an intent stands in the journal. Moves are forward only."""

    NEW = "new"
    SENDING = "sending"
    UNKNOWN = "unknown"
    DONE = "done"
    PARTIAL = "partial"
    REJECTED = "rejected"
    NOTSENT = "notsent"
    LATE = "late"


_I = IntentState
INTENT_STEPS: Final[dict[IntentState, frozenset[IntentState]]] = {
    _I.NEW: frozenset({_I.SENDING, _I.NOTSENT}),
    _I.SENDING: frozenset({_I.UNKNOWN, _I.DONE, _I.PARTIAL, _I.REJECTED, _I.NOTSENT}),
    _I.UNKNOWN: frozenset({_I.DONE, _I.PARTIAL, _I.REJECTED, _I.NOTSENT}),
    _I.DONE: frozenset(),
    _I.PARTIAL: frozenset(),
    _I.REJECTED: frozenset(),
    _I.NOTSENT: frozenset({_I.LATE}),  # a later sighting reopens it
    _I.LATE: frozenset(),
}
OPEN_STATES: Final = frozenset({_I.NEW, _I.SENDING, _I.UNKNOWN})


def advance_intent(current: IntentState, reached: IntentState) -> IntentState:
    """Return the next intent state.

    Raises:
        IllegalTransitionError: the table has no such step.
    """
    if reached not in INTENT_STEPS[current]:
        raise IllegalTransitionError(f"intent state {current.name} -> {reached.name}")
    return reached


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderIntent(Jsonable):
    """Wish to trade, sized. Prices points, volumes 1e-8 lots, times UTC milliseconds.

    `trigger` names what caused the decision (a bar's open time, or an exit's name and sequence);
    with strategy, symbol, action and leg it makes the decision key, so that one cause cannot
    decide twice. A close and a modification need `position_ticket`, a cancellation `order_ticket`.
    """

    strategy_id: str
    symbol: str
    action: IntentAction
    side: Side
    volume_units: int
    trigger: str
    decided_ms: int
    deadline_ms: int
    price_points: int | None = None
    stop_loss_points: int | None = None
    take_profit_points: int | None = None
    deviation_points: int = 0
    position_ticket: int = 0
    order_ticket: int = 0
    reason: str = ""
    signal_id: str = ""

    def __post_init__(self) -> None:
        """Refuse an intent that could do something else than it says.

        Raises:
            ValueError: no volume, or what is closed, modified or canceled is not named.
        """
        if self.volume_units <= 0:
            raise ValueError(f"volume_units must be positive, was {self.volume_units}")
        if self.action is IntentAction.CANCEL:
            if self.order_ticket <= 0 or self.position_ticket:
                raise ValueError("a cancel needs the ticket of its order, and no position")
        elif self.order_ticket:
            raise ValueError(f"a {self.action.value} must not name an order")
        elif self.action is not IntentAction.OPEN and self.position_ticket <= 0:
            # without a ticket the same request would open an opposite position
            raise ValueError(f"a {self.action.value} needs the ticket of its position")
        if self.action is IntentAction.OPEN and self.position_ticket:
            raise ValueError("an open must not name a position")

    @property
    def decision_key(self) -> str:
        """Return the key that is unique per cause: strategy, symbol, trigger, action, leg."""
        leg = str(self.position_ticket or self.order_ticket or self.side.name)
        words = (self.strategy_id, self.symbol, self.trigger, self.action.value, leg)
        return sha256("\x1f".join(words).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentRow(Jsonable):
    """Hold an intent as the journal keeps it; `intent_id` is the magic that is sent."""

    intent_id: int
    intent: OrderIntent
    state: IntentState
    attempt: int = 1
    comment: str = ""
    created_ms: int = 0
    updated_ms: int = 0
    order_ticket: int = 0
    filled_units: int = 0
    detail: str = ""

    @property
    def is_open(self) -> bool:
        """Tell whether the outcome is still to be found."""
        return self.state in OPEN_STATES

    @property
    def never_left(self) -> bool:
        """Tell whether the request was kept from leaving: the broker has not refused it."""
        return self.state is IntentState.REJECTED and self.detail.startswith(NOT_SENT)

    @property
    def was_overtaken(self) -> bool:
        """Tell whether the position was closed before it was known what became of its levels.

        Its order may fill further and open it again, and the modification may come only then.
        """
        return self.state is IntentState.REJECTED and self.detail == OVERTAKEN

    def moved(
        self,
        state: IntentState,
        now_ms: int,
        *,
        detail: str = "",
        order_ticket: int | None = None,
        filled_units: int | None = None,
    ) -> IntentRow:
        """Return the row in its next state.

        Raises:
            IllegalTransitionError: the table has no such step.
        """
        return replace(
            self,
            state=advance_intent(self.state, state),
            updated_ms=now_ms,
            detail=detail or self.detail,
            order_ticket=self.order_ticket if order_ticket is None else order_ticket,
            filled_units=self.filled_units if filled_units is None else filled_units,
        )


class Outcome(Enum):
    """Class the broker's answer by what must happen next."""

    CONFIRMED = "confirmed"  # done, says the reply; still read the broker's state
    ACCEPTED = "accepted"  # taken, not yet filled: find it
    REFUSED = "refused"  # definitely nothing happened
    REPRICE = "reprice"  # refused because of the price: a new intent may be decided
    ALREADY = "already"  # what was asked is already so
    DISABLED = "disabled"  # refused, and entries must stop until a person acts
    UNKNOWN = "unknown"  # may have happened: look, never resend


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionResult(Jsonable):
    """Hold the broker's answer to one send.

    `request` and `reply` are what left and what came back, as JSON texts; empty where nothing did.
    """

    intent_id: int
    outcome: Outcome
    detail: str
    time_ms: int
    order_ticket: int = 0
    deal_ticket: int = 0
    volume_units: int = 0
    price_points: int = 0
    request: str = ""
    reply: str = ""
