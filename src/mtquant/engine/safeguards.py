"""What is done about orders and positions beside what strategies decide: it only ever reduces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mtquant.engine.notes import note
from mtquant.engine.pauses import LAST_MS, Pauses
from mtquant.engine.stop_guard import StopGuard
from mtquant.execution import SCAN_GAP_MS
from mtquant.model import IntentAction, IntentState, OrderType
from mtquant.risk import worst_position

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mtquant.engine.loss_watch import Cut
    from mtquant.engine.orders import OrderMaker
    from mtquant.engine.slot import StrategySlot
    from mtquant.engine.stop_guard import Unprotected
    from mtquant.execution import Desk
    from mtquant.model import BrokerView, IntentRow, Order, OrderIntent, Position, Publish
    from mtquant.portfolio import Portfolio

CANCEL_OWN: Final = 2
FLATTEN_OWN: Final = 3
FLATTEN_ALL: Final = 4


class Safeguards:
    """Write the intents that put lost stops back, cut back what came late, and obey halts.

    `owner` returns whose a position is; what is nobody's is closed by `fallback`.
    """

    def __init__(
        self,
        portfolio: Portfolio,
        desk: Desk,
        owner: Callable[[Position], StrategySlot | None],
        fallback: OrderMaker,
    ) -> None:
        self.halt_level = 0  # that stands and removes something
        self._portfolio = portfolio
        self._desk = desk
        self._owner = owner
        self._fallback = fallback
        self._guard = StopGuard(desk)
        self._round = 0
        self._clearing, self._cutting, self._reducing = Pauses(), Pauses(), Pauses()
        self._empty_since_ms: int | None = None
        self._closed_since_ms: int | None = None  # all that a cut is to close
        self._is_cleared = False

    def _maker(self, position: Position) -> OrderMaker:
        slot = self._owner(position)
        return self._fallback if slot is None else slot.orders

    # ------------------------------------------------------------------ halts

    def obey(self, level: int) -> None:
        """Take up a halt; 0 ends all of them."""
        if level == 0:
            self.halt_level = 0
        elif level >= CANCEL_OWN:
            # a lower level after one of the whole account asks nothing anew of what others hold
            if level >= FLATTEN_ALL or self.halt_level < FLATTEN_ALL:
                self._empty_since_ms, self._is_cleared = None, False
            self.halt_level = max(self.halt_level, level)
            self._clearing.end()

    @property
    def is_clearing(self) -> bool:
        """Tell whether something may be left that a halt removes."""
        return self.halt_level > 0 and not self._is_cleared

    def clearing_is_due(self, now_ms: int) -> bool:
        """Tell whether it is time to look for what a halt removes."""
        return self.halt_level > 0 and self._clearing.are_over(now_ms)

    def clear(self, view: BrokerView) -> list[OrderIntent]:
        """Remove what a halt must remove, each by its ticket: orders, from level 3 on positions.

        Levels 2 and 3 mean the bot's own, as long as they stand: an entry may be executed late.
        Level 4 means all of the account until nothing is left; what a person opens then is his.
        """
        if not self.clearing_is_due(view.time_ms):
            return []
        orders, standing = self._to_be_removed(view)
        if not orders and not standing:
            self._note_empty(view.time_ms)
            return []
        self._empty_since_ms = None
        # a terminal shows for a while what is closed: closing that again might open the other side;
        # but it may also be the rest of what is larger than one order
        positions = [one for one in standing if not self._desk.was_closed(one)]
        # what is on its way to be removed is no try: it must not make the next one later
        removal_of = self._desk.removal_of
        orders = [one for one in orders if not removal_of(order_ticket=one.order_ticket)]
        positions = [one for one in positions if not self._is_being_closed(one)]
        if not orders and not positions:
            self._clearing.wait(view.time_ms, SCAN_GAP_MS)
            return []
        self._clearing.note_try(view.time_ms)
        self._round += 1
        return [
            *(self._fallback.cancel(order, view, self._round) for order in orders),
            *(self._maker(one).flatten(one, view, self._round) for one in positions),
        ]

    def _to_be_removed(self, view: BrokerView) -> tuple[list[Order], list[Position]]:
        orders = [one for one in view.orders if one.order_type is not OrderType.MARKET]
        positions = list(self._portfolio.positions if self.halt_level >= FLATTEN_OWN else ())
        if self.halt_level < FLATTEN_ALL or self._is_cleared:
            orders = [one for one in orders if self._portfolio.is_own(one.intent_id)]
            positions = [one for one in positions if self._portfolio.is_own(one.intent_id)]
        return orders, positions

    def _is_being_closed(self, position: Position) -> bool:
        """Tell whether a close of a position is on its way, with no outcome yet."""
        return self._desk.removal_of(position_ticket=position.position_ticket) is not None

    def _note_empty(self, now_ms: int) -> None:
        """Believe that nothing is left after two looks, and when nothing is on its way."""
        if self._empty_since_ms is None or self._desk.in_flight:
            self._empty_since_ms = now_ms
        self._is_cleared |= now_ms - self._empty_since_ms >= SCAN_GAP_MS
        self._clearing.end()
        self._clearing.wait(now_ms, LAST_MS if self._is_cleared else SCAN_GAP_MS)

    # ------------------------------------------------------------------ what came late

    def cut_back(
        self, view: BrokerView, max_positions: int
    ) -> tuple[list[IntentRow], list[OrderIntent]]:
        """Close what came too late where it is too much: it was given up, and others followed.

        What is shown once and is not too much stays, also when a person opens something later.
        Return the rows that say so, for the journal, and the closes of now.
        """
        late = self._desk.late
        excess = len(view.positions) - max_positions
        if not late or excess <= 0:
            self._cutting.end()
            return self._keep_late(view, -excess) if late else [], []
        came = [one for one in self._portfolio.own_positions if one.intent_id in late]
        left = [
            one
            for one in came[-excess:]
            if not self._desk.was_closed(one) and not self._is_being_closed(one)
        ]
        if not left or not self._cutting.are_over(view.time_ms):
            return [], []
        self._cutting.note_try(view.time_ms)
        return [], [
            self._maker(one).cut(one, view, f"late:{one.position_ticket}:{view.time_ms}")
            for one in left
        ]

    def _keep_late(self, view: BrokerView, room: int) -> list[IntentRow]:
        """Keep what came late, unless entries that are not shown yet may take more than the room.

        Positions lag behind each other: the one that is too much may show first.
        """
        shown = {one.intent_id for one in view.positions}
        unseen = sum(row.intent_id not in shown for row in self._desk.may_come())
        return self._desk.keep_late(shown, view.time_ms) if unseen <= room else []

    # ------------------------------------------------------------------ what was lost

    def reducing_is_due(self, now_ms: int) -> bool:
        """Tell whether it is time to go on with a cut."""
        return self._reducing.are_over(now_ms)

    def reduce(self, view: BrokerView, cut: Cut) -> tuple[list[OrderIntent], bool]:
        """Carry out a cut, down to what it keeps; what came since stays.

        One that keeps nothing closes all that was decided before it began, whenever it shows.
        Return the intents of now, and whether nothing is left to do.
        """
        over = [
            (one, keep)
            for one in self._portfolio.own_positions
            if one.volume_units > (keep := _kept_units(cut, one))
        ]
        left = [
            (one, units - keep)
            for one, keep in over
            if (units := self._desk.left_units(one)) > keep and not self._desk.was_closed(one)
        ]
        if not left:
            # what is shown of more than is kept may only lag, or other hands have added to it
            self._reducing.wait(view.time_ms, SCAN_GAP_MS)
            return [], self._is_cut(cut, view.time_ms, is_over=bool(over))
        self._closed_since_ms = None
        if not self._reducing.are_over(view.time_ms):
            return [], False
        left = [(one, units) for one, units in left if not self._is_being_closed(one)]
        if not left:
            self._reducing.wait(view.time_ms, SCAN_GAP_MS)
            return [], False
        self._reducing.note_try(view.time_ms)
        return [
            self._maker(one).reduce(one, units, view, f"{cut.tag}:{one.position_ticket}")
            for one, units in left
        ], False

    def _is_cut(self, cut: Cut, now_ms: int, *, is_over: bool) -> bool:
        """Tell whether a cut is done; one that keeps nothing is so after two looks.

        A terminal may not show yet what was filled, nor all of it at once.
        """
        if is_over or self._desk.in_flight:
            self._closed_since_ms = None
            return False
        if cut.keep_fraction:
            return True
        may_come = any(row.intent_id <= cut.newest_id for row in self._desk.may_come())
        if may_come or self._closed_since_ms is None:
            self._closed_since_ms = now_ms
        return now_ms - self._closed_since_ms >= SCAN_GAP_MS

    def begin_cut(self, cut: Cut) -> tuple[dict[int, int], int]:
        """Begin a cut: return what it leaves of each position, by ticket (units).

        Return the newest intent's number too: what later ones open is not cut. What no strategy
        trades any more is closed: by which steps it could be made smaller is not known.
        """
        self._reducing.end()
        self._closed_since_ms = None
        own = self._portfolio.own_positions
        worst = worst_position(own) if cut.closes_worst else None
        kept = {}
        for one in own:
            slot = self._owner(one)
            wanted = 0 if one is worst else int(one.volume_units * cut.keep_fraction)
            kept[one.position_ticket] = slot.orders.instrument.floor_units(wanted) if slot else 0
        return kept, self._desk.newest_id

    # ------------------------------------------------------------------ lost stops

    def stop_is_due(self, now_ms: int) -> bool:
        """Tell whether a position stands without its stop and it is time to do something."""
        return self._guard.is_due(now_ms)

    def protect(self, view: BrokerView) -> Iterator[tuple[Publish, OrderIntent]]:
        """Put back the stop losses that are gone, or close what stands without one.

        Yields:
            what is to be told, and the intent.
        """
        guard, now_ms = self._guard, view.time_ms
        for bare in guard.look(self._guarded(), now_ms):
            ticket = bare.position.position_ticket
            if not guard.is_due_for(ticket, now_ms):
                continue
            intent = self._protecting(bare, view)
            if intent is None:
                guard.wait(ticket, now_ms)
                continue
            guard.note_tried(ticket, now_ms)
            seen = {"position_ticket": ticket, "action": intent.action.value}
            yield note("stop_lost", now_ms, intent.signal_id, **seen), intent

    def _protecting(self, bare: Unprotected, view: BrokerView) -> OrderIntent | None:
        """Return what is to be done about a bare position, None while nothing can be."""
        ticket = bare.position.position_ticket
        about = [row for row in self._desk.in_flight if row.intent.position_ticket == ticket]
        if any(_must_be_waited_for(row, view.time_ms) for row in about):
            return None
        is_new = bare.restored_ms is not None and _is_young(bare.restored_ms, view.time_ms)
        if is_new and self._desk.was_done(ticket):
            return None  # a terminal shows a stop a while after it was taken
        return self._maker(bare.position).protect(bare, view)

    def _guarded(self) -> list[Position]:
        """Return the positions that need a stop; some brokers' stops end with the day, by rule."""
        return [
            position
            for position in self._portfolio.own_positions
            if (slot := self._owner(position)) and not slot.orders.instrument.drops_levels_daily
        ]


def _must_be_waited_for(row: IntentRow, now_ms: int) -> bool:
    """Tell whether what is on its way about a position may still give it a stop, or close it.

    A change of levels that has no answer may be asked for again: it can do nothing twice.
    """
    is_move = row.intent.action is IntentAction.MODIFY and row.state is IntentState.UNKNOWN
    return not is_move or _is_young(row.created_ms, now_ms)


def _is_young(made_ms: int, now_ms: int) -> bool:
    """Tell whether an intent was made just now; an earlier process's clock may be ahead."""
    return 0 <= now_ms - made_ms < SCAN_GAP_MS


def _kept_units(cut: Cut, position: Position) -> int:
    """Return what a cut keeps of a position (units): all of what came since.

    What was decided before a cut that keeps nothing is no exception, however late it shows.
    """
    if not cut.keep_fraction and position.intent_id <= cut.newest_id:
        return 0
    return (cut.kept or {}).get(position.position_ticket, position.volume_units)
