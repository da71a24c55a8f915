"""Positions without a stop loss: who could do something about one does, at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mtquant.execution import SCAN_GAP_MS

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from simulation.bot import Bot
    from simulation.witness import Witness
    from simulation.world import World

_WHOLE_LOOKS: Final = 2  # the look that sees it, and the next
_FLATTEN: Final = 3
_SETTLING_MS: Final = SCAN_GAP_MS + 1_000  # for which a try may not be seen yet, and its pause


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
        return {
            row.intent.position_ticket
            for row in self._world.journal.rows()
            if row.is_open or now_ms - row.updated_ms < _SETTLING_MS
        }
