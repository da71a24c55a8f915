"""Stops that are put back, held against those that the server had."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mtquant.model import BotIdentity, IntentAction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mtquant.exchange import Book
    from mtquant.model import IntentRow
    from simulation.schedule import Schedule

_GUARD = "guard:"  # how the trigger of an intent begins that is about a lost stop
_OURS = BotIdentity()


class StopChecks:
    """Remember where the server had the stops of the bot's positions last."""

    def __init__(self, schedule: Schedule, note: Callable[[str, str], None]) -> None:
        self._venue, self._note = schedule.venue, note
        self._stood: dict[tuple[int, int], int] = {}  # by ticket and side, points

    def see(self, book: Book) -> None:
        """See the positions of a book, before something changes them and after."""
        for one in book.open_positions:
            if one.stop and _OURS.owns(one.magic):
                self._stood[one.ticket, one.side] = one.stop

    def asked(self, row: IntentRow, request: dict[str, Any], rows: Iterable[IntentRow]) -> None:
        """See a request as it leaves: a stop comes back once, and to where it was."""
        if not _puts_back(row):
            return
        ticket, side = row.intent.position_ticket, row.intent.side.value
        others = (one for one in rows if _puts_back(one) and one.intent_id != row.intent_id)
        if any(one.intent.position_ticket == ticket for one in others):
            self._note("I5.again", f"position {ticket} by intent {row.intent_id}")
        level = self._venue.instrument(row.intent.symbol).points(request["sl"])
        stood = self._stood.get((ticket, side), level)
        if side * (level - stood) < 0:
            self._note("I5.level", f"position {ticket}: at {level}, it stood at {stood}")


def _puts_back(row: IntentRow) -> bool:
    return row.intent.action is IntentAction.MODIFY and row.intent.trigger.startswith(_GUARD)
