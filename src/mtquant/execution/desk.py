"""The order desk: one intent, one number, at most one send; outcomes are read, not assumed.

Pure: it takes approved orders, answers and views of the broker, and says what to journal and to
send. See docs/concepts/order-protocol.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from mtquant.model import (
    BotIdentity,
    BrokerView,
    Deal,
    DealEntry,
    ExecutionResult,
    IntentAction,
    IntentRow,
    IntentState,
    Order,
    Outcome,
    Position,
    SendOrder,
)
from mtquant.risk import ApprovedOrder

QUIET_MS: Final = 60_000
SCAN_GAP_MS: Final = 5_000
_AFTER_REPLY: Final = {
    Outcome.CONFIRMED: None,  # the reply is believed once the broker's state shows it
    Outcome.ACCEPTED: IntentState.UNKNOWN,
    Outcome.UNKNOWN: IntentState.UNKNOWN,
    Outcome.REFUSED: IntentState.REJECTED,
    Outcome.REPRICE: IntentState.REJECTED,
    Outcome.DISABLED: IntentState.REJECTED,
    Outcome.ALREADY: IntentState.DONE,
}


class Desk:
    """Keep every intent's state, from approval to its proven outcome."""

    def __init__(self, identity: BotIdentity, quiet_ms: int = QUIET_MS) -> None:
        self._identity = identity
        self._quiet_ms = quiet_ms
        self._rows: dict[int, IntentRow] = {}
        self._decided: set[str] = set()
        self._sequence = 0
        self._orders: dict[int, Order] = {}
        self._deals: dict[int, list[Deal]] = {}
        self._absent_since: dict[int, int] = {}

    @property
    def in_flight(self) -> tuple[IntentRow, ...]:
        """Return the intents whose outcome is still to be found."""
        return tuple(row for row in self._rows.values() if row.is_open)

    def row(self, intent_id: int) -> IntentRow | None:
        """Return an intent by its number, None if it is not ours."""
        return self._rows.get(intent_id)

    def restore(self, rows: Iterable[IntentRow]) -> list[IntentRow]:
        """Take over the journal of an earlier process; return the rows that change by it.

        What was being sent when that process ended has an unknown outcome now.
        """
        changed = []
        for row in rows:
            kept = row
            if row.state is IntentState.SENDING:
                kept = row.moved(IntentState.UNKNOWN, row.updated_ms, detail="process ended")
                changed.append(kept)
            self._rows[row.intent_id] = kept
            self._decided.add(row.intent.decision_key)
            self._sequence = max(self._sequence, self._identity.sequence_of(row.intent_id))
        return changed

    def has_decided(self, decision_key: str) -> bool:
        """Tell whether a decision has been journalled before."""
        return decision_key in self._decided

    def submit(self, order: ApprovedOrder, now_ms: int) -> SendOrder | None:
        """Give an approved order its number; None when this decision was made before."""
        intent = order.intent
        if intent.decision_key in self._decided:
            return None
        self._sequence += 1
        intent_id = self._identity.intent_id(self._sequence)
        row = IntentRow(
            intent_id=intent_id,
            intent=intent,
            state=IntentState.SENDING,
            comment=f"mtq{self._sequence}"[:16],
            created_ms=now_ms,
            updated_ms=now_ms,
        )
        self._rows[intent_id] = row
        self._decided.add(intent.decision_key)
        return SendOrder(row=row)

    def on_result(self, result: ExecutionResult) -> IntentRow | None:
        """Take the broker's answer; return the row to journal, None for a stale or foreign one."""
        row = self._rows.get(result.intent_id)
        if row is None or row.state is not IntentState.SENDING:
            return None
        state = _AFTER_REPLY[result.outcome]
        done_by_reply = (
            result.outcome is Outcome.CONFIRMED and row.intent.action is IntentAction.MODIFY
        )
        if done_by_reply:  # moving levels is idempotent and the next view shows them anyway
            state = IntentState.DONE
        ticket = result.order_ticket or row.order_ticket
        if state is None:
            moved = _replied(row, result)
        else:
            moved = row.moved(state, result.time_ms, detail=result.detail, order_ticket=ticket)
        self._rows[row.intent_id] = moved
        return moved

    def on_view(self, view: BrokerView) -> list[IntentRow]:
        """Look for open intents in a view of the broker; return the rows that were resolved."""
        for order in (*view.closed_orders, *view.orders):
            if self._identity.owns(order.intent_id):
                self._orders.setdefault(order.intent_id, order)
        for deal in view.deals:
            self._deals.setdefault(deal.order_ticket, []).append(deal)
        changed = []
        for row in list(self._rows.values()):
            if row.is_open:
                found = self._resolve(row, view)
            elif row.state is IntentState.NOTSENT and self._evidence(row) is not None:
                found = row.moved(IntentState.LATE, view.time_ms, detail="seen after all")
            else:
                continue
            if found is not None:
                self._rows[row.intent_id] = found
                changed.append(found)
        return changed

    def needs_scan(self) -> bool:
        """Tell whether an outcome is unknown and the broker should be read again."""
        return any(row.is_open for row in self._rows.values())

    def _resolve(self, row: IntentRow, view: BrokerView) -> IntentRow | None:
        if row.intent.action is IntentAction.MODIFY:
            return self._resolve_modify(row, view)
        order = self._evidence(row)
        if order is None:
            return self._resolve_absent(row, view)
        filled = sum(deal.volume_units for deal in self._own_deals(row, order))
        if filled == 0:
            return None  # seen, not filled yet
        state = IntentState.DONE if filled == row.intent.volume_units else IntentState.PARTIAL
        return row.moved(
            state, view.time_ms, order_ticket=order.order_ticket, filled_units=filled
        )

    def _resolve_modify(self, row: IntentRow, view: BrokerView) -> IntentRow | None:
        position = _find(view.positions, row.intent.position_ticket)
        wanted = (row.intent.stop_loss_points, row.intent.take_profit_points)
        if position is None:
            return row.moved(IntentState.REJECTED, view.time_ms, detail="position is closed")
        if (position.stop_loss_points, position.take_profit_points) == wanted:
            return row.moved(IntentState.DONE, view.time_ms, detail="levels stand")
        return self._resolve_absent(row, view)

    def _resolve_absent(self, row: IntentRow, view: BrokerView) -> IntentRow | None:
        """Believe that nothing was executed only after the quiet time and two equal scans."""
        if row.state is not IntentState.UNKNOWN:
            return None
        first_scan = self._absent_since.setdefault(row.intent_id, view.time_ms)
        is_quiet = view.time_ms - row.created_ms >= self._quiet_ms
        if not is_quiet or view.time_ms - first_scan < SCAN_GAP_MS:
            return None
        return row.moved(IntentState.NOTSENT, view.time_ms, detail="not found at the broker")

    def _evidence(self, row: IntentRow) -> Order | None:
        return self._orders.get(row.intent_id)

    def _own_deals(self, row: IntentRow, order: Order) -> list[Deal]:
        """Return the deals of this very order: never summed by number, see the protocol."""
        deals = self._deals.get(order.order_ticket, [])
        if row.intent.action is IntentAction.OPEN:
            return [deal for deal in deals if deal.entry is DealEntry.IN]
        ticket = row.intent.position_ticket
        return [d for d in deals if d.entry is not DealEntry.IN and d.position_ticket == ticket]


def _replied(row: IntentRow, result: ExecutionResult) -> IntentRow:
    return replace(
        row,
        updated_ms=result.time_ms,
        detail=result.detail,
        order_ticket=result.order_ticket or row.order_ticket,
    )


def _find(positions: tuple[Position, ...], ticket: int) -> Position | None:
    return next((p for p in positions if p.position_ticket == ticket), None)
