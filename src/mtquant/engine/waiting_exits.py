"""Exits that cannot be carried out yet: no link, no position, or another close on its way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mtquant.engine.decision import NEWER, Decision
from mtquant.engine.notes import lost_note, note
from mtquant.engine.orders import REVERSAL
from mtquant.model import IntentState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mtquant.engine.holdings import Holdings
    from mtquant.engine.submitter import Submitter
    from mtquant.execution import Desk
    from mtquant.model import BrokerView, Command, IntentRow, OrderIntent, Position
    from mtquant.portfolio import Portfolio


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    decision: Decision
    ticket: int | None  # of the position, None for whatever the strategy holds by then
    is_spare: bool = False  # a close of the whole is on its way: only in case it comes to nothing


class WaitingExits:
    """Keep exits until they can be carried out, or until their decision is too old.

    An exit that waits was never submitted, so its decision key is still free. What a decision was
    to open does not wait with it.
    """

    def __init__(
        self, desk: Desk, portfolio: Portfolio, holdings: Holdings, submitter: Submitter
    ) -> None:
        self._desk, self._portfolio = desk, portfolio
        self._holdings, self._submitter = holdings, submitter
        self._waiting: list[_Waiting] = []

    def clear(self) -> None:
        """Forget all of them: a halt closes everything."""
        self._waiting.clear()

    @property
    def has_any(self) -> bool:
        """Tell whether anything waits: for a reading, at least."""
        return bool(self._waiting)

    def has(self, decision: Decision) -> bool:
        """Tell whether exits of a decision wait."""
        return any(one.decision is decision for one in self._waiting)

    def submit(
        self, decision: Decision, intent: OrderIntent, view: BrokerView
    ) -> tuple[list[Command], int]:
        """Submit an exit; where a close of a part is on its way, wait for the outcome of that.

        Where it is one of the whole, that does it; but it may come to nothing, so this waits too.
        Return what is to be done, and the number of the close that does it, 0 for none.
        """
        waits = _Waiting(decision=decision, ticket=intent.position_ticket)
        if self._submitter.is_behind_a_part(intent):
            self._waiting.append(waits)
            return [], 0
        sent, number = self._submitter.submit(intent, view)
        if number and not sent:
            self._waiting.append(replace(waits, is_spare=True))
        return sent, number

    def await_entry(self, decision: Decision) -> None:
        """Let a signal wait for a position that it turns against and that is not shown yet."""
        if self._unseen(decision):
            self._waiting.append(_Waiting(decision=decision, ticket=None))

    def _unseen(self, decision: Decision) -> list[IntentRow]:
        """Return the entries that a signal turns against: on their way, or done and not shown.

        What was given up and comes late is kept or cut back, whatever the strategy says by then.
        """
        if decision.wants is None:
            return []
        coming = [
            row
            for row in self._desk.may_come()
            if row.intent.strategy_id == decision.slot.strategy_id
            and row.intent.side is not decision.wants.side
            and row.state is not IntentState.NOTSENT
        ]
        shown = {one.intent_id for one in self._portfolio.positions} if coming else set()
        return [row for row in coming if row.intent_id not in shown]

    def outlast(self, decisions: Iterable[Decision], now_ms: int) -> list[Command]:
        """Keep the exits of decisions whose link was lost; say what is given up."""
        told: list[Command] = []
        for decision in decisions:
            own = self._holdings.of(decision.slot.strategy_id)
            side = None if decision.wants is None else decision.wants.side
            was_carried_out = decision.decided_ms > 0
            enters = side is not None and not any(one.side is side for one in own)
            if decision.enters if was_carried_out else enters:
                told.append(lost_note(decision.correlation_id, now_ms))
            if not was_carried_out:
                self._waiting.append(_Waiting(decision=decision, ticket=None))
        return told

    def give_way(self, newer: Decision, now_ms: int) -> list[Command]:
        """Give up what earlier signals of a strategy wanted to leave: it has a newer one.

        What exits asked for waits on; what the newer one leaves too is not told.
        """
        if newer.signal is None:
            return []
        told: list[Command] = []
        kept: list[_Waiting] = []
        for one in self._waiting:
            decision = one.decision
            if decision.slot is not newer.slot or decision.signal is None:
                kept.append(one)
                continue
            rest = replace(decision, signal=None)
            if decision.exits:
                kept.append(replace(one, decision=rest))
            told += [
                _dropped(decision, position, NEWER, now_ms)
                for position in self._positions(one)
                if not _asks(rest, position)
                and not _asks(newer, position)
                and not self._is_done_by_another(one)
            ]
        self._waiting = kept
        return told

    def _is_done_by_another(self, one: _Waiting) -> bool:
        """Tell whether the close that something waits behind does it too."""
        return one.is_spare and self._desk.removal_of(position_ticket=one.ticket or 0) is not None

    def carry_out(self, view: BrokerView) -> list[Command]:
        """Submit the exits with nothing in their way; give up those that are too old."""
        waiting, self._waiting = self._waiting, []
        commands: list[Command] = []
        for one in waiting:
            for position in self._positions(one):
                commands += self._leave(one.decision, position, view)
            if one.ticket is None:
                commands += self._wait_on(one, view)
        return commands

    def _wait_on(self, one: _Waiting, view: BrokerView) -> list[Command]:
        """Let a signal wait for what is not shown yet, unless it is too old."""
        decision, unseen = one.decision, self._unseen(one.decision)
        if unseen and not decision.is_late(view.time_ms):
            self._waiting.append(one)
            return []
        why, name = "the decision is too old, and it is not shown", decision.correlation_id
        return [
            note("exit_dropped", view.time_ms, name, position_ticket=row.order_ticket, reason=why)
            for row in unseen
        ]

    def _positions(self, one: _Waiting) -> list[Position]:
        """Return the positions that something waits to leave; of a part that was closed, the rest.

        A terminal shows for a while what is closed.
        """
        own = self._holdings.of(one.decision.slot.strategy_id)
        asked = (position for position in own if _asks(one.decision, position))
        named = (p for p in asked if one.ticket in (None, p.position_ticket))
        left = (replace(p, volume_units=self._desk.left_units(p)) for p in named)
        return [position for position in left if position.volume_units]

    def _leave(self, decision: Decision, position: Position, view: BrokerView) -> list[Command]:
        if decision.is_late(view.time_ms):
            return [_dropped(decision, position, "the decision is too old", view.time_ms)]
        intents = _intents(decision, position, view)
        if not intents:
            return [_dropped(decision, position, "it cannot be carried out now", view.time_ms)]
        return [one for intent in intents for one in self.submit(decision, intent, view)[0]]


def _turns_against(decision: Decision, position: Position) -> bool:
    return decision.wants is not None and position.side is not decision.wants.side


def _asks(decision: Decision, position: Position) -> bool:
    """Tell whether a decision asks for anything to be done about a position."""
    ticket = position.position_ticket
    exits = (wanted for wanted in decision.exits if wanted.position_ticket == ticket)
    return _turns_against(decision, position) or any(exits)


def _intents(decision: Decision, position: Position, view: BrokerView) -> list[OrderIntent]:
    orders = decision.slot.orders
    if _turns_against(decision, position):
        return [orders.close(decision, position, view, REVERSAL)]
    ticket = position.position_ticket
    wanted = (one for one in decision.exits if one.position_ticket == ticket)
    found = (orders.exit(decision, one, position, view) for one in wanted)
    return [intent for intent in found if intent is not None]


def _dropped(decision: Decision, position: Position, why: str, now_ms: int) -> Command:
    ticket, name = position.position_ticket, decision.correlation_id
    return note("exit_dropped", now_ms, name, position_ticket=ticket, reason=why)
