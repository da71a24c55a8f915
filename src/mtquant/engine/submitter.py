"""From intents to orders: nothing is closed twice, nothing passes the gate unseen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtquant.engine.notes import approval_notes, note, refusal_note
from mtquant.model import IntentAction
from mtquant.risk import ApprovedOrder

if TYPE_CHECKING:
    from mtquant.engine.risk_room import RiskRoom
    from mtquant.execution import Desk, SentCounter
    from mtquant.model import BrokerView, Command, IntentRow, OrderIntent
    from mtquant.portfolio import Portfolio


class Submitter:
    """Have intents gated and numbered; know which closes are on their way.

    `is_ready` tells whether entries may be decided.
    """

    def __init__(self, room: RiskRoom, desk: Desk, portfolio: Portfolio, sent: SentCounter) -> None:
        self.is_ready = False
        self._room, self._desk = room, desk
        self._portfolio, self._sent = portfolio, sent
        self._wholes: set[int] = set()  # closes on their way that leave nothing of their position

    def submit(
        self, intent: OrderIntent, view: BrokerView, explanation: str = "", attempt: int = 1
    ) -> tuple[list[Command], int]:
        """Return what is to be done about an intent, and its number; 0 when it has none.

        A close or a cancel of what is being closed already is not sent: the number is the other's.
        """
        closing = self._closing(intent)
        if closing is not None:
            return [], closing.intent_id
        verdict = self._room.decide(intent, view, is_ready=self.is_ready)
        if not isinstance(verdict, ApprovedOrder):
            return [refusal_note(verdict, view.time_ms, explanation)], 0
        send = self._desk.submit(verdict, view.time_ms, attempt)
        if send is None:
            seen = {"trigger": intent.trigger, "action": intent.action.value}
            return [note("decision_repeated", view.time_ms, intent.signal_id, **seen)], 0
        number = send.row.intent_id
        self._sent.approve(number, verdict.intent.volume_units)
        if self._is_whole(verdict.intent):
            self._wholes.intersection_update(row.intent_id for row in self._desk.in_flight)
            self._wholes.add(number)
        told = approval_notes(verdict, number, view.time_ms, explanation)
        return [*told, send], number

    def is_behind_a_part(self, intent: OrderIntent) -> bool:
        """Tell whether a close of a part is on its way where an intent closes more.

        One that an earlier process sent may be of a part.
        """
        row = self._closing(intent)
        if row is None:
            return False
        # what is shown may be smaller by now, and its deals not yet known
        return row.intent_id not in self._wholes or row.intent.volume_units < intent.volume_units

    def _closing(self, intent: OrderIntent) -> IntentRow | None:
        """Return a close or cancel of the same that is on its way."""
        if intent.action not in {IntentAction.CLOSE, IntentAction.CANCEL}:
            return None
        return self._desk.removal_of(
            position_ticket=intent.position_ticket, order_ticket=intent.order_ticket
        )

    def _is_whole(self, intent: OrderIntent) -> bool:
        if intent.action is not IntentAction.CLOSE:
            return False
        ticket = intent.position_ticket
        shown = (one for one in self._portfolio.positions if one.position_ticket == ticket)
        return all(intent.volume_units >= one.volume_units for one in shown)
