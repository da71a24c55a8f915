"""What must not be held over a break and still is: its last bar was missed, or a close refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtquant.engine.pauses import Pauses
from mtquant.execution import SCAN_GAP_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mtquant.engine.holdings import Holdings
    from mtquant.engine.risk_room import RiskRoom
    from mtquant.engine.slot import StrategySlot
    from mtquant.execution import Desk
    from mtquant.model import BrokerView, OrderIntent, Position


class BreakGuard:
    """Close before a break what the bar that closed last before it has left, again and again."""

    def __init__(
        self, slots: Sequence[StrategySlot], room: RiskRoom, desk: Desk, holdings: Holdings
    ) -> None:
        self._slots, self._room = tuple(slots), room
        self._desk, self._holdings = desk, holdings
        self._lead_ms = 0
        self._pauses = Pauses()

    def is_due(self, now_ms: int) -> bool:
        """Tell whether something is held too long, and it is time to try; the reader's UTC ms."""
        return self._pauses.are_over(now_ms) and bool(self._held(now_ms - self._lead_ms))

    def close(self, view: BrokerView) -> list[OrderIntent]:
        """Return the closes of now."""
        self._lead_ms = view.lead_ms
        held = self._held(view.server_ms)
        if not held:
            self._pauses.end()
            return []
        left = [(slot, one) for slot, one in held if not self._is_leaving(one)]
        if not left:
            self._pauses.wait(view.time_ms, SCAN_GAP_MS)
            return []
        if not self._pauses.are_over(view.time_ms):
            return []
        self._pauses.note_try(view.time_ms)
        return [slot.orders.leave(one, view, "flat before break") for slot, one in left]

    def _held(self, server_ms: int) -> list[tuple[StrategySlot, Position]]:
        return [
            (slot, position)
            for slot in self._slots
            if (own := self._holdings.of(slot.strategy_id))
            and self._room.must_leave(slot, server_ms)
            for position in own
        ]

    def _is_leaving(self, position: Position) -> bool:
        """Tell whether a position is being closed, or was and is still shown."""
        is_on_its_way = self._desk.removal_of(position_ticket=position.position_ticket) is not None
        is_gone = self._desk.was_closed(position) or not self._desk.left_units(position)
        return is_on_its_way or is_gone
