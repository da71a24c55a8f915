"""Planted bugs, most of them by somebody who has not read the simulation."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from mtquant.broker import Glance
from mtquant.broker.session import BrokerSession
from mtquant.engine.engine import Engine
from mtquant.engine.live import LiveRunner
from mtquant.execution import Desk
from mtquant.model import IntentAction, IntentState, RecordHalt
from mtquant.risk.engine import _SEAL, ApprovedOrder, RiskEngine
from simulation.bot import Parts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mtquant.model import BrokerView, Command, HaltOrder, IntentRow, OrderIntent
    from mtquant.risk import RiskView
    from mtquant.risk.engine import Refused

_NOT_REQUESTED: Final = frozenset({"broker", "the bot"})
_FILLED_BY_DEALS: Final = frozenset({IntentAction.OPEN, IntentAction.CLOSE})


class GlancesPastStops(BrokerSession):
    """The cheap look sees tickets and volumes only: a stop that goes away is no change."""

    _known: Mapping[int, int] = MappingProxyType({})  # by ticket: the stop of the last reading

    def view(self) -> BrokerView:
        view = super().view()
        self._known = {ticket: stop for ticket, _, stop in Glance.of(view).positions}
        return view

    def glance(self) -> Glance:
        seen = super().glance()
        positions = tuple(
            (ticket, lots, self._seen_as(self._known.get(ticket, stop), stop))
            for ticket, lots, stop in seen.positions
        )
        return replace(seen, positions=positions)

    def _seen_as(self, known: int, _stop: int) -> int:
        return known


class GlancesPastMoves(GlancesPastStops):
    """The cheap look sees whether there is a stop, and not where."""

    def _seen_as(self, known: int, stop: int) -> int:
        return known if known and stop else stop


class KeepsOwnHaltsInMemory(Engine):
    """A halt that an answer of the broker raises is obeyed, and journalled by nobody."""

    def _on_halt(self, halt: HaltOrder) -> list[Command]:
        commands = super()._on_halt(halt)
        if halt.who not in _NOT_REQUESTED:
            return commands
        return [command for command in commands if not isinstance(command, RecordHalt)]


class EndsAtFirstDeal(Desk):
    """An order with a deal and less than its volume is partial, though it may still be working."""

    def _resolve(self, row: IntentRow, view: BrokerView) -> IntentRow | None:
        found = super()._resolve(row, view)
        if found is not None or row.intent.action not in _FILLED_BY_DEALS:
            return found
        order = self._evidence(row)
        filled = 0 if order is None else self._filled_units(row, order)
        if order is None or filled == 0:
            return None
        return row.moved(
            IntentState.PARTIAL,
            view.time_ms,
            order_ticket=order.order_ticket,
            filled_units=filled,
        )


class PassesSecondAttempts(RiskEngine):
    """A decision that has passed once is not checked again when it comes with a new price."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._passed: set[str] = set()

    def decide(self, intent: OrderIntent, view: RiskView) -> ApprovedOrder | Refused:
        if intent.decision_key in self._passed:
            return ApprovedOrder(intent, None, _SEAL)
        verdict = super().decide(intent, view)
        if isinstance(verdict, ApprovedOrder):
            self._passed.add(intent.decision_key)
        return verdict


class ObjectsToExits(LiveRunner):
    """The last look before sending holds closes and stops to what only entries must meet."""

    def _objection(self, row: IntentRow) -> str:
        if any(halt.level > 0 for halt in self._journal.pending_halts()):
            return "a halt was requested"
        late_ms = self._clock.now_ms() - row.intent.deadline_ms
        if late_ms > 0:
            return f"the decision is {late_ms} ms past its deadline"
        try:
            age_ms = self._session.quote_age_ms(row.intent.symbol)
        except KeyError:  # never quoted: there is no age to object to
            return ""
        is_old = age_ms > 1000 * self._engine.risk.limits.max_quote_age_s
        return f"the quote is {age_ms} ms old by now" if is_old else ""


BLIND: Final = {
    "glance_past_stops": Parts(session=GlancesPastStops),
    "glance_past_moves": Parts(session=GlancesPastMoves),
    "own_halts_in_memory": Parts(engine=KeepsOwnHaltsInMemory),
    "partial_at_first_deal": Parts(desk=EndsAtFirstDeal),
    "second_attempt_unchecked": Parts(risk=PassesSecondAttempts),
    "exits_checked_as_entries": Parts(runner=ObjectsToExits),
}
