"""Stops: those that are put back stood there before, and a position without one is not left so."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from mtquant.engine.pauses import FIRST_MS, LAST_MS
from mtquant.execution import SCAN_GAP_MS
from mtquant.model import BotIdentity, IntentAction, IntentState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from collections.abc import Set as AbstractSet

    from mtquant.exchange import Book
    from mtquant.model import IntentRow
    from simulation.bot import Bot
    from simulation.schedule import Schedule
    from simulation.witness import Witness
    from simulation.world import World

_GUARD = "guard:"  # how the trigger of an intent begins that is about a lost stop
_OURS = BotIdentity()
_WHOLE_LOOKS: Final = 2  # the look that sees it, and the next
_FLATTEN: Final = 3
_SETTLING_MS: Final = SCAN_GAP_MS + 1_000  # for which a try may not be seen yet, and its pause


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
        """See a request as it leaves: a stop comes back once, and to where it was.

        What was kept from leaving put nothing back; what has no answer may be asked for once more.
        """
        if not _puts_back(row):
            return
        ticket, side = row.intent.position_ticket, row.intent.side.value
        others = [
            one
            for one in rows
            if _puts_back(one)
            and one.intent.position_ticket == ticket
            and one.intent_id != row.intent_id
            and not one.never_left
        ]
        if len(others) > 1 or any(one.state is not IntentState.UNKNOWN for one in others):
            self._note("I5.again", f"position {ticket} by intent {row.intent_id}")
        level = self._venue.instrument(row.intent.symbol).points(request["sl"])
        stood = self._stood.get((ticket, side), level)
        if side * (level - stood) < 0:
            self._note("I5.level", f"position {ticket}: at {level}, it stood at {stood}")


def _puts_back(row: IntentRow) -> bool:
    return row.intent.action is IntentAction.MODIFY and row.intent.trigger.startswith(_GUARD)


class PromptStops:
    """Count the looks that nothing hindered, and that left a bare position alone.

    A look takes up to twenty seconds of the world's time; the bot's own time from seeing to trying
    is none. Only whether a try succeeds may take longer.
    """

    def __init__(self, world: World, witness: Witness) -> None:
        self._world, self._witness = world, witness
        self._ignored: dict[int, int] = {}  # by ticket: whole looks
        self._disturbances = (0, 0)

    def look(self, bot: Bot | None, *, is_hindered: bool) -> None:
        """See the end of a look; the one before has ended with the same bare positions, or not."""
        clock, sleeper = self._world.clock, self._world.sleeper
        disturbances = clock.jumps, sleeper.sleeps
        is_free = bot is not None and bot.engine.is_ready and not is_hindered
        if not is_free or disturbances != self._disturbances:
            self._ignored, self._disturbances = {}, disturbances
            return
        bare = self._bare() - self._tried_lately()
        self._ignored = {one: self._ignored.get(one, -1) + 1 for one in sorted(bare)}
        for ticket, looks in self._ignored.items():
            if looks >= _WHOLE_LOOKS:
                said = f"position {ticket} is seen in {looks} looks; nobody has tried"
                self._witness.note("I5.prompt", said)

    def _bare(self) -> set[int]:
        if self._world.journal.halt_level() >= _FLATTEN:  # it is being closed
            return set()
        in_session = self._world.server.book.in_session
        own = (one for one in self._world.server.book.open_positions if self._witness.is_ours(one))
        return {one.ticket for one in own if not one.stop and in_session(one.symbol)}

    def _tried_lately(self) -> AbstractSet[int]:
        now_ms = self._world.server.now_ms + self._world.clock.off_ms
        now_ms += self._world.clock.process.added_ms
        rows = self._world.journal.rows()
        refused = Counter(
            row.intent.position_ticket for row in rows if row.state is IntentState.REJECTED
        )
        pauses = {one: min(FIRST_MS * 2**count, LAST_MS) for one, count in refused.items()}
        return {
            row.intent.position_ticket
            for row in rows
            if row.is_open
            or now_ms - row.updated_ms < _SETTLING_MS + pauses.get(row.intent.position_ticket, 0)
        }
