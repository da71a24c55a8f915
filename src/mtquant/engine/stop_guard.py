"""Which of the bot's positions stand without a stop loss, and where it stood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mtquant.engine.orders import GUARD
from mtquant.engine.pauses import Pauses
from mtquant.execution import QUIET_MS
from mtquant.model import IntentState, Position

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mtquant.execution import Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class Unprotected:
    """Hold a position without a stop, and where it stood last (points); 0: none ever did.

    `restored_ms` tells when its stop was put back last (UTC ms), None where it never was. What was
    kept from leaving was not: the broker has refused nothing, and no stop was lost again. Nor was
    what has no answer yet, the first time: to ask for the same levels again does no harm.
    """

    position: Position
    stop_points: int
    restored_ms: int | None = None
    was_restored: bool = False


@dataclass(frozen=True, slots=True)
class _Seen:
    """Hold a stop that a reading showed, and the newest intent about it that was over by then."""

    stop_points: int
    intent_id: int


class StopGuard:
    """Know where the stops of positions stood last, to put one back that is gone.

    A stop is removed by hand, by another program, or by a broker that answers for it; without it
    the risk of a position has no bound. What a reading shows counts; else what the desk's intents
    say, which it has of earlier processes too.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._seen: dict[int, _Seen] = {}  # by ticket
        self._pauses: dict[int, Pauses] = {}  # of those that stand bare, by ticket

    def look(self, positions: Iterable[Position], now_ms: int) -> list[Unprotected]:
        """Take in the bot's positions as they stand now; return those without a stop."""
        bare = []
        for position in positions:
            if position.stop_loss_points is None:
                bare.append(self._unprotected(position))
            else:
                self._take_in(position.position_ticket, position.stop_loss_points, now_ms)
        tickets = [one.position.position_ticket for one in bare]
        self._pauses = {ticket: self._pauses.get(ticket) or Pauses() for ticket in tickets}
        return bare

    def _take_in(self, ticket: int, stop_points: int, now_ms: int) -> None:
        """Believe what is shown; what was shown before a stop was moved may be shown for a while.

        A view that lags must not bring an older stop back into memory.
        """
        over = next((row for row in self._desk.moves_of(ticket) if not row.is_open), None)
        seen = self._seen.get(ticket)
        if over is not None and seen is not None and seen.intent_id < over.intent_id:
            is_young = now_ms - over.updated_ms < QUIET_MS
            is_unmoved = stop_points == seen.stop_points != over.intent.stop_loss_points
            if over.state is IntentState.DONE and is_young and is_unmoved:
                return
        self._seen[ticket] = _Seen(stop_points, 0 if over is None else over.intent_id)

    def _unprotected(self, position: Position) -> Unprotected:
        ticket = position.position_ticket
        restored = [
            row
            for row in self._desk.moves_of(ticket)
            if row.intent.trigger.startswith(GUARD) and not row.never_left
        ]
        return Unprotected(
            position=position,
            stop_points=self._last_stop(position),
            restored_ms=restored[0].created_ms if restored else None,
            was_restored=len(restored) > 1 or any(not row.is_open for row in restored),
        )

    def _last_stop(self, position: Position) -> int:
        """Return where a position's stop stood last, as far as anything tells; 0 for nowhere.

        What was given up may have stood: of two stops the nearer one gives nothing back.
        """
        seen = self._seen.get(position.position_ticket)
        entry = self._desk.row(position.intent_id)
        stop = seen.stop_points if seen else entry.intent.stop_loss_points if entry else None
        stood: list[int | None] = []
        for row in self._desk.moves_of(position.position_ticket):
            if seen is not None and row.intent_id <= seen.intent_id:
                break
            if row.state is IntentState.DONE:
                stop = row.intent.stop_loss_points
                break
            if row.state is not IntentState.REJECTED or row.was_overtaken:
                stood.append(row.intent.stop_loss_points)
        levels = [level for level in (stop, *stood) if level]
        return max(levels, key=lambda level: position.side.value * level, default=0)

    def is_due(self, now_ms: int) -> bool:
        """Tell whether a position stands bare and it is time to do something about it.

        What was tried may have been refused, or not be shown yet: the pauses between the tries
        double, from a second to a minute. Each position has its own: none waits for another's.
        """
        return any(pauses.are_over(now_ms) for pauses in self._pauses.values())

    def is_due_for(self, position_ticket: int, now_ms: int) -> bool:
        """Tell whether it is time to do something about a position that stands bare."""
        return self._pauses[position_ticket].are_over(now_ms)

    def note_tried(self, position_ticket: int, now_ms: int) -> None:
        """Remember that something is tried now."""
        self._pauses[position_ticket].note_try(now_ms)

    def wait(self, position_ticket: int, now_ms: int) -> None:
        """Look again a while later: nothing is tried, while an earlier try has no outcome."""
        self._pauses[position_ticket].wait(now_ms)
