"""Planted bugs that only sharp checks see: a guard that dawdles, money that is not there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from mtquant.broker import BrokerSession
from mtquant.engine import Engine
from mtquant.engine.live import LiveRunner
from mtquant.engine.stop_guard import StopGuard
from mtquant.risk import RiskEngine
from simulation.bot import Parts
from simulation.disk import LazyJournal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mtquant.engine.stop_guard import Unprotected
    from mtquant.execution import Desk, Journal
    from mtquant.model import ExecutionResult, IntentRow, OrderIntent, Position
    from mtquant.risk import ApprovedOrder, Refused, RiskView

_DAWDLE_MS: Final = 10_000


class PatientGuard(StopGuard):
    """See a bare position, and wait ten seconds before anything is done about it."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._since_ms: dict[int, int] = {}

    def look(self, positions: Iterable[Position], now_ms: int) -> list[Unprotected]:
        bare = super().look(positions, now_ms)
        tickets = {one.position.position_ticket for one in bare}
        self._since_ms = {one: ms for one, ms in self._since_ms.items() if one in tickets}
        return bare

    def is_due_for(self, position_ticket: int, now_ms: int) -> bool:
        waited_ms = now_ms - self._since_ms.setdefault(position_ticket, now_ms)
        return super().is_due_for(position_ticket, now_ms) and waited_ms >= _DAWDLE_MS


class WaitsWithStops(Engine):
    """Put lost stops back after ten seconds."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._safeguards._guard = PatientGuard(self.desk)


class IgnoresMargin(RiskEngine):
    """Enter without asking for margin."""

    def decide(self, intent: OrderIntent, view: RiskView) -> ApprovedOrder | Refused:
        return super().decide(intent, replace(view, known_margin_minor=0))


class BelievesOldQuotes(BrokerSession):
    """Take every quote for a new one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._ages.age_ms = lambda _symbol, _now_ms: 0  # type: ignore[method-assign]


class TellsSecrets(BrokerSession):
    """Write the password into the reason of a result."""

    def send(self, row: IntentRow, last_look: Any = None) -> ExecutionResult:
        result = super().send(row, last_look)
        said = f"{result.detail} as {self._credentials}"
        return replace(result, detail=f"{said} {self._credentials.password}")


class Roomy:
    """Be a journal whose disk is never full."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    def has_room(self) -> bool:
        return True

    def keep_room(self) -> bool:
        return True


class OpensOnFullDisk(LiveRunner):
    """Go on entering while the rows take the last room of the disk."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._journal = Roomy(self._journal)  # type: ignore[assignment]


class AsksForRoomBetweenLooks(LiveRunner):
    """Forget that the row of an entry may have taken the last room itself."""

    def _objection(self, row: IntentRow) -> str:
        real, self._journal = self._journal, Roomy(self._journal)  # type: ignore[assignment]
        try:
            return super()._objection(row)
        finally:
            self._journal = real


PATIENT: Final = {
    "patient_guard": Parts(engine=WaitsWithStops),
    "believe_old_quotes": Parts(session=BelievesOldQuotes),
    "ignore_margin": Parts(risk=IgnoresMargin),
    "lazy_journal": Parts(journal=LazyJournal),
    "open_on_full_disk": Parts(runner=OpensOnFullDisk),
    "ask_room_between_looks": Parts(runner=AsksForRoomBetweenLooks),
    "tell_secrets": Parts(session=TellsSecrets),
}
