"""Second attempts: a price was refused, an exit was kept from leaving, or a part was closed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from mtquant.engine.decision import NEWER
from mtquant.engine.notes import lost_note, note
from mtquant.engine.orders import REVERSAL, SizedIntent
from mtquant.execution.answers import has_closed_a_part
from mtquant.model import Command, IntentAction, IntentState, ReadBroker

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mtquant.engine.decision import Decision
    from mtquant.engine.holdings import Holdings
    from mtquant.engine.risk_room import RiskRoom
    from mtquant.engine.slot import StrategySlot
    from mtquant.engine.submitter import Submitter
    from mtquant.execution import Desk
    from mtquant.model import BrokerView, IntentRow, OrderIntent, Position, Side
    from mtquant.portfolio import Portfolio
    from mtquant.risk import Refusal

_AGAIN: Final = "reprice:"
_TOO_LATE: Final = "the second attempt came too late"


class SecondAttempts:
    """Know which intents may be tried once more, and write the intent of the second attempt.

    `fallback` writes the closes of what is nobody's.
    """

    def __init__(
        self,
        desk: Desk,
        portfolio: Portfolio,
        holdings: Holdings,
        room: RiskRoom,
        submitter: Submitter,
        *,
        fallback: StrategySlot,
    ) -> None:
        self._desk, self._portfolio, self._holdings = desk, portfolio, holdings
        self._room, self._submitter, self._fallback = room, submitter, fallback
        self._decisions: dict[int, Decision] = {}  # of entries, by intent, until their answer
        self._wanted: dict[str, tuple[str, Side | None]] = {}  # by strategy: its newest signal
        self._due: dict[int, bool] = {}  # refused: whether the reading for an entry has come

    def note_signal(self, decision: Decision) -> None:
        """Remember what a strategy has said last: it may want what it was about to leave."""
        if decision.wants is not None:
            name = decision.slot.strategy_id
            self._wanted[name] = decision.correlation_id, decision.wants.side

    def note_entry(self, intent_id: int, decision: Decision) -> None:
        """Remember whose decision an entry is that is being sent."""
        self._decisions[intent_id] = decision

    def note_answer(self, row: IntentRow) -> ReadBroker | None:
        """Take note of an answer; return the reading for a second attempt, None without one."""
        if row.state is IntentState.REJECTED and self._desk.may_try_again(row):
            self._due[row.intent_id] = row.intent.action is IntentAction.CLOSE
            return ReadBroker(cause=f"{_AGAIN}{row.intent_id}")
        self._decisions.pop(row.intent_id, None)
        return None

    def note_found(self, rows: Iterable[IntentRow]) -> None:
        """Take note of outcomes that were found: a close that was filled in part is due again."""
        for row in rows:
            if has_closed_a_part(row) and self._desk.may_try_again(row):
                self._due[row.intent_id] = True

    def clear(self) -> None:
        """Forget those that are due: a halt closes everything."""
        self._due.clear()

    def outlast(self, now_ms: int) -> list[Command]:
        """Keep closes over a lost link, and no entries; say which are given up."""
        entries = [row for row in self._rows() if row.intent.action is IntentAction.OPEN]
        for row in entries:
            del self._due[row.intent_id]
        self._decisions.clear()
        return [lost_note(row.intent.signal_id, now_ms) for row in entries]

    def take_due(self, cause: str) -> list[IntentRow]:
        """Return the refused intents whose second attempt a reading is for.

        An entry waits for its own reading, and until balance and deals agree. A close takes any
        reading, once no smaller one is on its way. Where whoever asked for it has asked anew, it
        is given up.
        """
        due = []
        for row in self._rows():
            number, intent = row.intent_id, row.intent
            if self._was_asked_for_anew(intent):
                del self._due[number]
                continue
            self._due[number] |= cause == f"{_AGAIN}{number}"
            waits = intent.action is IntentAction.OPEN and self._portfolio.cash.lags
            if self._due[number] and not waits and not self._submitter.is_behind_a_part(intent):
                del self._due[number]
                due.append(row)
        return due

    def sized(self, refused: IntentRow, view: BrokerView) -> SizedIntent | Refusal | None:
        """Return the intent at the price of now, None where nothing is to be done any more.

        It is too late, or nothing is left, or the strategy wants something else by now.
        """
        decision = self._decisions.pop(refused.intent_id, None)
        if view.time_ms > refused.intent.deadline_ms or self._is_outdated(refused.intent):
            return None
        if decision is not None:
            return self._room.open(decision, view)
        position = self._left(refused)
        if position is None:
            return None
        orders = (self._holdings.owner(position) or self._fallback).orders
        return SizedIntent(orders.close_again(refused, position, view), "")

    def given_up(self, refused: IntentRow, view: BrokerView) -> list[Command]:
        """Say why a second attempt is given up, where there was anything left to be done."""
        name, position = refused.intent.signal_id, self._left(refused)
        why = NEWER if self._is_outdated(refused.intent) else _TOO_LATE
        if refused.intent.action is IntentAction.OPEN:
            return [note("entry_dropped", view.time_ms, name, reason=why)]
        if position is None:
            return []
        ticket = position.position_ticket
        return [note("exit_dropped", view.time_ms, name, position_ticket=ticket, reason=why)]

    def _rows(self) -> list[IntentRow]:
        return [row for number in sorted(self._due) if (row := self._desk.row(number))]

    def _is_outdated(self, intent: OrderIntent) -> bool:
        """Tell whether a strategy's newer signal takes back what an earlier one has asked for."""
        newest, side = self._wanted.get(intent.strategy_id, (intent.signal_id, None))
        if newest == intent.signal_id:
            return False
        is_reversal = intent.action is IntentAction.CLOSE and intent.reason == REVERSAL
        return intent.action is IntentAction.OPEN or (is_reversal and side is intent.side)

    def _was_asked_for_anew(self, intent: OrderIntent) -> bool:
        """Tell whether the same cut, say, has a newer close on its way: both are too much."""
        newer = self._desk.removal_of(position_ticket=intent.position_ticket)
        return newer is not None and newer.intent.signal_id == intent.signal_id

    def _left(self, refused: IntentRow) -> Position | None:
        """Return what is left of the position that was to be closed, None for nothing."""
        held = {one.position_ticket: one for one in self._portfolio.positions}
        position = held.get(refused.intent.position_ticket)
        units = self._desk.left_units(position) if position else 0
        return replace(position, volume_units=units) if position and units else None
