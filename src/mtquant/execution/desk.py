"""The order desk: one intent, one number, at most one send, a proven outcome.

Pure: it takes approved orders, answers and views of the broker, and says what to journal and to
send. See docs/concepts/order-protocol.md.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from mtquant.execution.answers import (
    has_closed_a_part,
    is_undone,
    may_be_repeated,
    replied,
    state_after,
)
from mtquant.model import (
    OVERTAKEN,
    BotIdentity,
    BrokerView,
    Deal,
    DealEntry,
    ExecutionResult,
    IntentAction,
    IntentRow,
    IntentState,
    Order,
    OrderState,
    Position,
    Reason,
    SendOrder,
    Side,
    WatchedClock,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mtquant.risk import ApprovedOrder

QUIET_MS: Final = 60_000
SCAN_GAP_MS: Final = 5_000
RESERVE_MS: Final = 600_000
"""How long an entry counts as exposure that no reading of the broker shows.

This and the quiet time are counted in time that was watched: a leap of the clock proves nothing.
"""
_KEPT: Final = "seen after all, within the limit"
"""What the journal says of an intent that came late and was not too much."""
_BY_SERVER: Final = frozenset({Reason.STOP_LOSS, Reason.TAKE_PROFIT, Reason.STOP_OUT})
_REMOVING: Final = frozenset({IntentAction.CLOSE, IntentAction.CANCEL})
_DEAD: Final = frozenset({OrderState.CANCELED, OrderState.EXPIRED, OrderState.REJECTED})
_FINAL: Final = _DEAD | {OrderState.FILLED}
_AFTER_RESTART: Final = {
    IntentState.NEW: IntentState.NOTSENT,
    IntentState.SENDING: IntentState.UNKNOWN,
}


class Desk:
    """Keep every intent's state, from approval to its proven outcome."""

    def __init__(self, identity: BotIdentity, quiet_ms: int = QUIET_MS) -> None:
        self._identity = identity
        self._quiet_ms = quiet_ms
        self._rows: dict[int, IntentRow] = {}
        self._decided: set[str] = set()
        self._repeatable: set[str] = set()  # decisions that may have a second intent
        self._sequence = 0
        self.revision = 0  # rises with every row that is kept
        self._entered_ms: dict[str, list[int]] = {}  # by strategy, rising
        self._repeats: dict[str, tuple[Side, int]] = {}  # by strategy: entries in a row
        self._orders: dict[int, dict[int, Order]] = {}  # by intent, by ticket
        self._deals: dict[int, dict[int, Deal]] = {}  # by order ticket, by ticket
        self._watched: dict[int, None] = {}  # open or not found yet, oldest first
        self._confirmed: set[int] = set()
        self._watched_clock = WatchedClock()
        self._absent_since: dict[int, int] = {}  # by the watched clock
        self._alive: dict[int, int] = {}  # entries without an end: when they were last heard of
        self._opened_units: dict[int, int] = {}  # of positions, by ticket, whoever opened them
        self._closed_units: dict[int, int] = {}
        self._closed_ms: dict[int, int] = {}  # when a deal was news, by the watched clock
        self._latest: dict[int, IntentRow] = {}  # about a position, by its ticket
        self._moves: dict[int, list[int]] = {}  # intents that move stops, by position, oldest first
        self._latest_ms: dict[int, int] = {}  # when that moved, by the watched clock
        self._ended: set[int] = set()  # orders that the history has, by ticket
        self._late: set[int] = set()
        self._late_open: set[int] = set()  # of these, those whose orders still work
        self._since_ms: int | None = None  # the journal knows all orders of ours from then on
        self._looked_ms = 0  # when a person has looked last
        self._strangers: set[int] = set()  # orders with our number, by ticket, that were told

    @property
    def in_flight(self) -> tuple[IntentRow, ...]:
        """Return the intents whose outcome is still to be found."""
        return tuple(row for row in self._watched_rows() if row.is_open)

    @property
    def newest_id(self) -> int:
        """Return the number of the newest intent, 0 before the first: later ones are larger."""
        return self._identity.intent_id(self._sequence) if self._sequence else 0

    def watch(self, now_ms: int) -> None:
        """Note that the broker is being looked at, wholly or by a glance."""
        self._watched_clock.look(now_ms)

    def removal_of(self, *, position_ticket: int = 0, order_ticket: int = 0) -> IntentRow | None:
        """Return the close of a position, or the cancel of an order, that is on its way.

        While there is one, no other is sent: its outcome may still be that it was carried out.
        """
        named = (position_ticket, order_ticket)
        for row in self.in_flight:
            intent = row.intent
            about = (intent.position_ticket, intent.order_ticket)
            if intent.action in _REMOVING and about == named:
                return row
        return None

    def may_come(self) -> tuple[IntentRow, ...]:
        """Return the entries that are or may become positions, whatever the broker shows.

        The terminal's own views lag behind its server, behind each other, and behind what they have
        shown before. So an entry counts until deals have closed its position; without any news of
        it, or after it was given up, for ten minutes.
        """
        return tuple(
            row
            for number, heard_ms in self._alive.items()
            if (row := self._rows[number]).is_open or self._since(heard_ms) <= RESERVE_MS
        )

    @property
    def late(self) -> frozenset[int]:
        """Return the intents that had been given up when they were seen after all.

        Those that `keep_late` was told of are like any other.
        """
        return frozenset(self._late)

    def keep_late(self, intent_ids: Iterable[int], now_ms: int) -> list[IntentRow]:
        """Take in that what came late is not too much, whatever comes after it (UTC ms).

        Return the rows that are to be journalled: it holds over a restart.
        """
        kept = [
            replace(self._rows[intent_id], detail=_KEPT, updated_ms=now_ms)
            for intent_id in sorted(self._late.intersection(intent_ids))
        ]
        for row in kept:
            self._keep(row)
            self._late.discard(row.intent_id)
        return kept

    def row(self, intent_id: int) -> IntentRow | None:
        """Return an intent by its number, None if it is not ours."""
        return self._rows.get(intent_id)

    def restore(self, rows: Iterable[IntentRow]) -> list[IntentRow]:
        """Take over the journal of an earlier process; return the rows that change by it.

        What was being sent when that process ended has an unknown outcome now; what was only
        decided is too old to be sent.
        """
        changed = []
        for row in rows:
            kept = row
            after = _AFTER_RESTART.get(row.state)
            if after is not None:
                kept = row.moved(after, row.updated_ms, detail="process ended")
                changed.append(kept)
            if row.state is IntentState.LATE and row.filled_units < row.intent.volume_units:
                self._late_open.add(row.intent_id)
            self._keep(kept)
            self._decided.add(row.intent.decision_key)
            if row.attempt == 1 and is_undone(kept):
                self._repeatable.add(row.intent.decision_key)
            else:
                self._repeatable.discard(row.intent.decision_key)
            self._count_entry(row)
            self._sequence = max(self._sequence, self._identity.sequence_of(row.intent_id))
        self._since_ms = min((row.created_ms for row in self._rows.values()), default=None)
        return changed

    def has_decided(self, decision_key: str) -> bool:
        """Tell whether a decision has been journalled before."""
        return decision_key in self._decided

    def submit(self, order: ApprovedOrder, now_ms: int, attempt: int = 1) -> SendOrder | None:
        """Give an approved order its number; None when this decision was made before.

        A second attempt is another intent of the same decision. There may be one, and only after
        the broker refused the price of the first, in this process, or the first was a close that
        was kept from leaving or was filled in part.
        """
        intent = order.intent
        decision_key = intent.decision_key
        if attempt > 1 or decision_key in self._decided:
            if decision_key not in self._repeatable:
                return None
            self._repeatable.remove(decision_key)
            attempt = 2
        self._sequence += 1
        intent_id = self._identity.intent_id(self._sequence)
        row = IntentRow(
            intent_id=intent_id,
            intent=intent,
            state=IntentState.SENDING,
            attempt=attempt,
            comment=f"mtq{self._sequence}"[:16],
            created_ms=now_ms,
            updated_ms=now_ms,
        )
        self._keep(row)
        self._decided.add(decision_key)
        self._count_entry(row)
        return SendOrder(row=row)

    def may_try_again(self, row: IntentRow) -> bool:
        """Tell whether a second attempt of an intent's decision may be submitted."""
        return row.intent.decision_key in self._repeatable

    def on_result(self, result: ExecutionResult) -> IntentRow | None:
        """Take the broker's answer; return the row to journal, None for a stale or foreign one."""
        row = self._rows.get(result.intent_id)
        if row is None or row.state is not IntentState.SENDING:
            return None
        state = state_after(result.outcome, row.intent.action)
        if row.attempt == 1 and may_be_repeated(result, row.intent.action):
            self._repeatable.add(row.intent.decision_key)
        ticket = result.order_ticket or row.order_ticket
        if state is None:
            moved = replied(row, result)
            self._confirmed.add(row.intent_id)
        else:
            moved = row.moved(state, result.time_ms, detail=result.detail, order_ticket=ticket)
        self._keep(moved)
        return moved

    def on_view(self, view: BrokerView) -> list[IntentRow]:
        """Look for open intents in a view of the broker; return the rows that were resolved."""
        self.watch(view.time_ms)
        self._skip_used(view)
        for order in (*view.orders, *view.closed_orders):  # closed is the later news
            if self._identity.owns(order.intent_id):
                self._orders.setdefault(order.intent_id, {})[order.order_ticket] = order
        self._ended.update(order.order_ticket for order in view.closed_orders)
        for deal in view.deals:
            known = self._deals.setdefault(deal.order_ticket, {})
            if deal.entry is not DealEntry.IN and deal.deal_ticket not in known:
                closed = self._closed_units.get(deal.position_ticket, 0)
                self._closed_units[deal.position_ticket] = closed + deal.volume_units
                self._closed_ms[deal.position_ticket] = self._watched_clock.now_ms or 0
            elif deal.deal_ticket not in known:
                opened = self._opened_units.get(deal.position_ticket, 0)
                self._opened_units[deal.position_ticket] = opened + deal.volume_units
            known[deal.deal_ticket] = deal
        changed = []
        for row in self._watched_rows():
            found = self._resolve(row, view) if row.is_open else self._resolve_late(row, view)
            if found is not None:
                self._keep(found)
                changed.append(found)
                if row.attempt == 1 and has_closed_a_part(found):
                    self._repeatable.add(row.intent.decision_key)
        if self._alive:
            self._hear_of(view)
        return changed

    def was_closed(self, position: Position) -> bool:
        """Tell whether what is shown of a position was closed, all of it, within the quiet time.

        Another volume is what is left of it: one order closes no more than the largest. The same
        volume is, too, where deals leave something: other hands may have added as much.
        """
        row = self._latest.get(position.position_ticket)
        return (
            row is not None
            and row.intent.action is IntentAction.CLOSE
            and row.state is IntentState.DONE
            and row.filled_units == row.intent.volume_units == position.volume_units
            and self._rest_units(position) <= 0
            and self._since(self._latest_ms[position.position_ticket]) < self._quiet_ms
        )

    def was_done(self, position_ticket: int) -> bool:
        """Tell whether the last thing that was sent about a position is done."""
        row = self._latest.get(position_ticket)
        return row is not None and row.state is IntentState.DONE

    def moves_of(self, position_ticket: int) -> Iterator[IntentRow]:
        """Yield what was to move a position's stop, newest first, whichever process sent it."""
        for intent_id in reversed(self._moves.get(position_ticket, ())):
            yield self._rows[intent_id]

    def left_units(self, position: Position) -> int:
        """Return what is left of a position, never more than is shown of it.

        Within the quiet time after a deal that closed some of it a terminal may show more than
        there is: then what deals have left counts. After that what is shown does: other hands may
        have added to what the entry opened.
        """
        row = self._rows.get(position.intent_id)
        news_ms = self._closed_ms.get(position.position_ticket)
        is_sure = position.volume_units <= self._entered_units(position)
        is_filling = row is not None and row.is_open
        if not is_sure or is_filling or news_ms is None or self._since(news_ms) >= self._quiet_ms:
            return position.volume_units
        return min(position.volume_units, max(0, self._rest_units(position)))

    def has_rest(self, position: Position) -> bool:
        """Tell whether deals leave something of a position, or its entry is still being filled.

        An entry may be filled by and by: what is closed meanwhile is not all that comes of it.
        """
        row = self._rows.get(position.intent_id)
        return row is not None and (row.is_open or self._rest_units(position) > 0)

    def _rest_units(self, position: Position) -> int:
        """Return what deals leave of a position; other hands may have added to it."""
        closed = self._closed_units.get(position.position_ticket, 0)
        return self._entered_units(position) - closed

    def _entered_units(self, position: Position) -> int:
        """Return what was opened of a position, by whomever, as far as deals and rows tell.

        Its first deals may be older than what the history that was read begins with.
        """
        row = self._rows.get(position.intent_id)
        opened = self._opened_units.get(position.position_ticket, 0)
        if row is None:
            return opened
        if row.order_ticket != position.position_ticket:
            return max(opened, row.filled_units)
        deals = self._deals.get(row.order_ticket, {}).values()
        told = sum(deal.volume_units for deal in deals if deal.entry is DealEntry.IN)
        return opened + max(0, row.filled_units - told)

    def strangers(self, view: BrokerView) -> list[Order]:
        """Return orders that carry a number of ours and are in no row, each of them once.

        Somebody else sends with our numbers, or the journal is an older copy. Orders from before
        the journal's first row are of an earlier journal, and those up to `forgive` known
        to a person.
        """
        if self._since_ms is None:
            self._since_ms = view.time_ms
        since_ms = max(self._since_ms, self._looked_ms)
        found = [
            order
            for order in (*view.orders, *view.closed_orders)
            if self._identity.owns(order.intent_id)
            and order.intent_id not in self._rows
            and order.order_ticket not in self._strangers
            and order.reason not in _BY_SERVER
            and order.setup_ms + view.lead_ms >= since_ms
        ]
        self._strangers.update(order.order_ticket for order in found)
        return found

    def entries_since(self, strategy_id: str, time_ms: int) -> int:
        """Return how many entries of a strategy were made at a time (UTC ms) or after it."""
        times = self._entered_ms.get(strategy_id, [])
        return len(times) - bisect_left(times, time_ms)

    def entries_in_a_row(self, strategy_id: str, side: Side) -> int:
        """Return how many entries of a strategy were made on one side since the last other one.

        Counted from the time that `forgive` names.
        """
        repeated, count = self._repeats.get(strategy_id, (side, 0))
        return count if repeated is side else 0

    def forgive(self, until_ms: int) -> None:
        """Take what was up to a time (UTC ms) for seen: a person has looked.

        Entries in a row are counted anew, and strangers' orders are not told again.
        """
        self._looked_ms = until_ms
        self._repeats.clear()
        for row in self._rows.values():
            if row.created_ms > until_ms:
                self._count_repeat(row)

    def needs_scan(self) -> bool:
        """Tell whether an outcome is unknown and the broker should be read again."""
        return any(row.is_open for row in self._watched_rows())

    def _skip_used(self, view: BrokerView) -> None:
        """Use no number that the broker has seen, whether the journal knows it or not.

        A journal that was put back from a copy, or lost its tail with a damaged disk, is behind.
        """
        used = (
            *(order.intent_id for order in (*view.orders, *view.closed_orders)),
            *(position.intent_id for position in view.positions),
            *(deal.intent_id for deal in view.deals),
        )
        newest = max(filter(self._identity.owns, used), default=0)
        self._sequence = max(self._sequence, self._identity.sequence_of(newest))

    def _count_entry(self, row: IntentRow) -> None:
        if row.intent.action is IntentAction.OPEN:
            insort(self._entered_ms.setdefault(row.intent.strategy_id, []), row.created_ms)
            self._count_repeat(row)

    def _count_repeat(self, row: IntentRow) -> None:
        intent = row.intent
        if intent.action is IntentAction.OPEN:
            count = self.entries_in_a_row(intent.strategy_id, intent.side)
            self._repeats[intent.strategy_id] = (intent.side, count + 1)

    def _hear_of(self, view: BrokerView) -> None:
        """Note which entries are shown; take out those that were closed or cannot come any more."""
        shown = {position.intent_id for position in view.positions}
        for number, heard_ms in list(self._alive.items()):
            row = self._rows[number]
            if number in shown:
                self._alive[number] = self._watched_ms(row)
            elif not row.is_open and number not in self._late_open:
                closed = self._closed_units.get(row.order_ticket, 0)
                is_closed = 0 < row.filled_units <= closed
                if is_closed or self._since(heard_ms) > RESERVE_MS:
                    del self._alive[number]

    def _keep(self, row: IntentRow) -> None:
        self.revision += 1
        if row.intent.action is IntentAction.MODIFY and row.intent_id not in self._rows:
            self._moves.setdefault(row.intent.position_ticket, []).append(row.intent_id)
        self._rows[row.intent_id] = row
        if row.state is IntentState.LATE and row.detail != _KEPT:
            self._late.add(row.intent_id)
        if row.intent.position_ticket:
            self._latest[row.intent.position_ticket] = row
            self._latest_ms[row.intent.position_ticket] = self._watched_ms(row)
        if row.intent.action is not IntentAction.OPEN or row.state is IntentState.REJECTED:
            self._alive.pop(row.intent_id, None)
        else:
            self._alive[row.intent_id] = self._watched_ms(row)
        is_late = row.intent_id in self._late_open
        if row.is_open or row.state is IntentState.NOTSENT or is_late:
            self._watched[row.intent_id] = None
        else:
            self._watched.pop(row.intent_id, None)

    def _watched_ms(self, row: IntentRow) -> int:
        """Return the watched time; before the first look that of a row, from an earlier process."""
        now_ms = self._watched_clock.now_ms
        return row.updated_ms if now_ms is None else now_ms

    def _since(self, watched_ms: int) -> int:
        """Return for how long something was watched, milliseconds."""
        now_ms = self._watched_clock.now_ms
        return 0 if now_ms is None else now_ms - watched_ms

    def _watched_rows(self) -> list[IntentRow]:
        return [self._rows[intent_id] for intent_id in self._watched]

    def _resolve(self, row: IntentRow, view: BrokerView) -> IntentRow | None:
        if row.intent.action is IntentAction.MODIFY:
            return self._resolve_modify(row, view)
        if row.intent.action is IntentAction.CANCEL:
            return self._resolve_cancel(row, view)
        order = self._evidence(row)
        if order is None:
            return self._resolve_absent(row, view)
        filled = self._filled_units(row, order)
        state = self._state_of(order, filled, row.intent.volume_units)
        if state is None:
            return None
        return row.moved(
            state,
            view.time_ms,
            detail=f"order was {order.state.value}" if order.state in _DEAD else "",
            order_ticket=order.order_ticket,
            filled_units=filled,
        )

    def _resolve_late(self, row: IntentRow, view: BrokerView) -> IntentRow | None:
        """Take over what was given up and is seen after all, and follow it until it is over."""
        order = self._evidence(row)
        if order is None:
            return None
        filled = self._filled_units(row, order)
        state = self._state_of(order, filled, row.intent.volume_units)
        if state is None:
            self._late_open.add(row.intent_id)
        else:
            self._late_open.discard(row.intent_id)
        if row.state is IntentState.LATE:
            if filled == row.filled_units and state is None:
                return None
            return replace(row, filled_units=filled, updated_ms=view.time_ms)
        if state is IntentState.REJECTED:
            return None  # it was there, and nothing came of it
        return row.moved(
            IntentState.LATE,
            view.time_ms,
            detail="seen after all",
            order_ticket=order.order_ticket,
            filled_units=filled,
        )

    def _resolve_modify(self, row: IntentRow, view: BrokerView) -> IntentRow | None:
        position = _find(view.positions, row.intent.position_ticket)
        wanted = (row.intent.stop_loss_points, row.intent.take_profit_points)
        if position is None:
            return row.moved(IntentState.REJECTED, view.time_ms, detail=OVERTAKEN)
        if (position.stop_loss_points, position.take_profit_points) == wanted:
            return row.moved(IntentState.DONE, view.time_ms, detail="levels stand")
        return self._resolve_absent(row, view)

    def _resolve_cancel(self, row: IntentRow, view: BrokerView) -> IntentRow | None:
        """Believe that an order is gone when no reading lists it; it may have been filled first."""
        if any(order.order_ticket == row.intent.order_ticket for order in view.orders):
            return self._resolve_absent(row, view)
        return row.moved(IntentState.DONE, view.time_ms, detail="the order is gone")

    def lose_sight(self) -> None:
        """Take note that nothing can be seen: what is not seen after it counts from then on."""
        self._absent_since.clear()

    def _resolve_absent(self, row: IntentRow, view: BrokerView) -> IntentRow | None:
        """Believe that nothing was executed only after the quiet time.

        It begins with the first reading without a trace of it. The time of its making says little:
        it may have left later, after a pause of the machine, or by another clock.
        """
        first_ms = self._absent_since.setdefault(row.intent_id, self._watched_ms(row))
        is_quiet = self._since(first_ms) >= self._quiet_ms
        if row.state is not IntentState.UNKNOWN:
            if row.intent_id in self._confirmed and is_quiet:
                detail = "confirmed, but not found at the broker"
                return row.moved(IntentState.UNKNOWN, view.time_ms, detail=detail)
            return None
        if not is_quiet:
            return None
        return row.moved(IntentState.NOTSENT, view.time_ms, detail="not found at the broker")

    def _state_of(self, order: Order, filled: int, wanted: int) -> IntentState | None:
        """Return where an order with these deals leaves its intent, None while that is open.

        What the history has works no more, whatever its state says of it.
        """
        if filled == wanted:
            return IntentState.DONE
        is_final = order.state in _FINAL or order.order_ticket in self._ended
        if not is_final or filled < order.filled_units:
            return None  # it still works, or its deals are still to come
        if filled:
            return IntentState.PARTIAL
        return IntentState.REJECTED if order.state in _DEAD else None

    def _evidence(self, row: IntentRow) -> Order | None:
        """Return the order that this intent became.

        Orders made by a stop loss, a take profit or a stop-out carry the number of the intent
        that opened their position: they trade the other way and prove nothing about it.
        """
        for order in self._orders.get(row.intent_id, {}).values():
            if row.intent.action is not IntentAction.OPEN or order.side is row.intent.side:
                return order
        return None

    def _filled_units(self, row: IntentRow, order: Order) -> int:
        """Sum the deals of this very order: never by number, see the protocol.

        On a netting account an opening order that overtakes somebody else's trades against their
        position, and a position that turned round is named by its first ticket in its deals.
        """
        deals = self._deals.get(order.order_ticket, {}).values()
        if row.intent.action is IntentAction.OPEN:
            return sum(deal.volume_units for deal in deals)
        closing = (d for d in deals if d.entry is not DealEntry.IN)
        return sum(deal.volume_units for deal in closing)


def _find(positions: tuple[Position, ...], ticket: int) -> Position | None:
    return next((p for p in positions if p.position_ticket == ticket), None)
