"""Which of the bot's positions stand without a stop loss, and where it stood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mtquant.engine.pauses import Pauses
from mtquant.model import Position

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class Unprotected:
    """Hold a position without a stop, and the last stop seen (points); 0: none ever was.

    `was_restored` tells whether its stop was lost before.
    """

    position: Position
    stop_points: int
    was_restored: bool


class StopGuard:
    """Remember the stops of positions, to put one back that is gone.

    A stop is removed by hand, by another program, or by a broker that answers for it; without it
    the risk of a position has no bound.
    """

    def __init__(self) -> None:
        self._stops: dict[int, int] = {}  # by ticket, points
        self._restored: dict[int, int] = {}  # by ticket: when
        self._pauses: dict[int, Pauses] = {}  # of those that stand bare, by ticket

    def look(self, positions: Iterable[Position]) -> list[Unprotected]:
        """Take in the bot's positions as they stand now; return those without a stop."""
        bare = []
        held = {}
        for position in positions:
            ticket = position.position_ticket
            stop = position.stop_loss_points or self._stops.get(ticket, 0)
            held[ticket] = stop
            if position.stop_loss_points is None:
                bare.append(
                    Unprotected(
                        position=position,
                        stop_points=stop,
                        was_restored=ticket in self._restored,
                    )
                )
        self._stops = held
        tickets = [one.position.position_ticket for one in bare]
        self._pauses = {ticket: self._pauses.get(ticket) or Pauses() for ticket in tickets}
        self._restored = {one: ms for one, ms in self._restored.items() if one in held}
        return bare

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

    def note_restored(self, position_ticket: int, now_ms: int) -> None:
        """Remember that the stop of a position is being put back: it is done once."""
        self._restored[position_ticket] = now_ms

    def restored_ms(self, position_ticket: int) -> int:
        """Return when the stop of a position was put back (UTC ms), 0 for never."""
        return self._restored.get(position_ticket, 0)
