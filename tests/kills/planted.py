"""Bots with a planted bug: the harness has to catch each of them, or it sees nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from simulation.bot import Parts
from simulation.mutants import MUTANTS

from mtquant.execution import Desk
from mtquant.model import IntentRow, IntentState

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """Say what a bot is made of, and what stands before its journal."""

    parts: Parts = field(default_factory=Parts)
    journal: Callable[[Any], Any] = lambda journal: journal


class LazyJournal:
    """Write an intent down when its outcome is."""

    def __init__(self, journal: Any) -> None:
        self._journal = journal
        self._rows: list[IntentRow] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    def record_sending(self, row: IntentRow) -> None:
        """Keep the row in memory."""
        self._rows.append(row)

    def record_intents(self, rows: Any) -> None:
        """Write where intents stand, after those that wait."""
        for row in self._rows:
            self._journal.record_sending(row)
        self._rows = []
        self._journal.record_intents(rows)


class ForgetsDeals:
    """Do not write the deals of the first look down: they are old news."""

    def __init__(self, journal: Any) -> None:
        self._journal = journal
        self._is_first = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    def record_deals(self, deals: Any) -> None:
        """Write deals, but for the first ones."""
        if not self._is_first or not self._journal.deals():
            self._journal.record_deals(deals)
        self._is_first = False


class LeavesOpen(Desk):
    """Take what was being sent when the process ended for being sent still."""

    def restore(self, rows: Iterable[IntentRow]) -> list[IntentRow]:
        """Take over the journal."""
        kept = list(rows)
        super().restore(kept)
        for row in kept:
            if row.state is IntentState.SENDING:
                self._keep(row)
        return []


BUGS: Final[dict[str, Bug]] = {
    "none": Bug(),
    "resend_after_restart": Bug(parts=MUTANTS["resend_after_restart"]),
    "journal_afterwards": Bug(parts=MUTANTS["journal_afterwards"]),
    "forget_halts_at_start": Bug(parts=MUTANTS["forget_halts_at_start"]),
    "lazy_journal": Bug(journal=LazyJournal),
    "forget_deals": Bug(journal=ForgetsDeals),
    "leave_open": Bug(parts=Parts(desk=LeavesOpen)),
}
