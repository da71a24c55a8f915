"""A journal that forgets: backtests, and tests that are not about durability."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtquant.model import Deal, HaltOrder, IntentRow, IntentState, JournalError, Publish
from mtquant.storage.chain import FIRST, log_row, request_note

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mtquant.storage.chain import LogRow, Recorded


class MemoryJournal:
    """Keep intents, deals and halts in memory, by the same rules as the file."""

    def __init__(self) -> None:
        self._rows: dict[int, IntentRow] = {}
        self._decided: set[tuple[str, int]] = set()
        self._deals: dict[int, Deal] = {}
        self._halts: list[HaltOrder] = []
        self._requests: list[HaltOrder] = []
        self._told: list[Recorded] = []
        self._notes: list[Publish] = []
        self._baseline_minor: int | None = None
        self._risk_state: str | None = None
        self._account: str | None = None

    def record_sending(self, row: IntentRow) -> None:
        """Keep a new intent in state SENDING; a decision made before is refused."""
        if row.state is not IntentState.SENDING:
            raise JournalError(f"intent {row.intent_id} is {row.state.name}, not SENDING")
        key = (row.intent.decision_key, row.attempt)
        if key in self._decided or row.intent_id in self._rows:
            raise JournalError(f"decision of intent {row.intent_id} was journalled before")
        self._decided.add(key)
        self._rows[row.intent_id] = row
        self._tell(row)

    def record_intents(self, rows: Sequence[IntentRow]) -> None:
        """Keep where intents stand now; all of them, or none when one was never recorded."""
        for row in rows:
            if row.intent_id not in self._rows:
                raise JournalError(f"intent {row.intent_id} was never journalled")
        self._rows.update((row.intent_id, row) for row in rows)
        self._tell(*rows)

    def record_deals(self, deals: Sequence[Deal]) -> None:
        """Keep deals; a known deal is left as it is."""
        fresh = {one.deal_ticket: one for one in deals if one.deal_ticket not in self._deals}
        self._deals.update(fresh)
        if fresh:
            self._tell(*fresh.values())

    def record_halt(self, halt: HaltOrder) -> None:
        """Keep a halt level, or its release."""
        self._halts.append(halt)
        self._requests = [one for one in self._requests if one.request_id != halt.request_id]
        self._tell(halt)

    def record_account(self, account: str) -> None:
        """Keep whose journal this is, as login@server."""
        self._account = account

    def account(self) -> str | None:
        """Return whose journal this is, None before anything was traded."""
        return self._account

    def record_baseline(self, baseline_minor: int) -> None:
        """Keep what the deals do not explain of the balance, minor units."""
        self._baseline_minor = baseline_minor

    def record_risk(self, state: str) -> None:
        """Keep what breaker and prop rules remember, as JSON."""
        self._risk_state = state

    def risk_state(self) -> str | None:
        """Return what breaker and prop rules remember, None before anything."""
        return self._risk_state

    def note(self, one: Publish) -> None:
        """Keep an observation: it is written with the next rows, or by `flush`."""
        self._notes.append(one)

    def flush(self) -> None:
        """Write the observations that wait."""
        self._tell()

    def keep_room(self) -> bool:
        """Tell that there is room."""
        return True

    def has_room(self) -> bool:
        """Tell that there is room."""
        return True

    def request_halt(self, level: int, who: str, reason: str, now_ms: int) -> int:
        """Ask the bot to halt (1 to 4) or to resume (0); return the number of the request."""
        number = len(self._halts) + len(self._requests) + 1
        request = HaltOrder(time_ms=now_ms, level=level, who=who, reason=reason, request_id=number)
        self._requests.append(request)
        self._told.append(request_note(request))
        return number

    def pending_halts(self) -> list[HaltOrder]:
        """Return the requests nobody took up."""
        return list(self._requests)

    def halt_level(self) -> int:
        """Return the halt level that stands."""
        level = 0
        for halt in self._halts:
            level = max(level, halt.level) if halt.level else 0
        return level

    def released_ms(self) -> int:
        """Return when a halt was lifted last (UTC ms), 0 for never."""
        return max((halt.time_ms for halt in self._halts if halt.level == 0), default=0)

    def baseline_minor(self) -> int | None:
        """Return what the deals do not explain of the balance, None before it was settled."""
        return self._baseline_minor

    def intents(self) -> list[IntentRow]:
        """Return every intent, oldest first."""
        return [self._rows[number] for number in sorted(self._rows)]

    def deals(self) -> list[Deal]:
        """Return every deal, oldest first."""
        return [self._deals[number] for number in sorted(self._deals)]

    def log(self) -> Iterator[LogRow]:
        """Yield what was written, oldest first, as rows of a log."""
        previous = FIRST
        for sequence, one in enumerate(self._told, 1):
            row = log_row(sequence, one).chained(previous)
            previous = row.hash
            yield row

    def story(
        self,
        intent_ids: Iterable[int],
        correlation_ids: Iterable[str],
        deal_tickets: Iterable[int] = (),
    ) -> list[LogRow]:
        """Return the rows of the log about some intents, decisions or deals, oldest first."""
        numbers, names = set(intent_ids) - {0}, set(correlation_ids) - {""}
        tickets = set(deal_tickets)
        return [
            row
            for row in self.log()
            if row.intent_id in numbers
            or row.correlation_id in names
            or (row.kind == "deal" and row.record()["deal_ticket"] in tickets)
        ]

    def _tell(self, *written: Recorded) -> None:
        self._told += self._notes
        self._told += written
        self._notes.clear()
