"""The server side: a market, its accounts, and a memory that outlives its clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mtquant.exchange import Scarcity
from mtquant.model import DataError
from mtquant.terminal.simulated.log import MemoryLog, ServerLog
from mtquant.terminal.simulated.records import (
    BalanceOperation,
    CreditOperation,
    damaged,
    effects_record,
    late_record,
    read_record,
    record_of,
    sent_record,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mtquant.exchange import Book, Execution, Market, Request
    from mtquant.terminal.simulated.records import Assignment, Record, Task


class Director(Protocol):
    """Make things happen at a server that no client asks for; told of every moment it plays."""

    def leave(self, market: Market) -> None:
        """See the market before it plays its next moment."""
        ...

    def arrive(self, market: Market) -> None:
        """See the market after it has played a moment."""
        ...

    def effects(self, market: Market) -> Sequence[Assignment]:
        """Return what the moment brings to the accounts; not asked when a log is replayed."""
        ...

    def note_sent(self, struck: int) -> None:
        """See a trade request, and the number of the fault that met it, -1 for none."""
        ...


class SimulatedServer:
    """Run the market in lock-step and execute requests on the books of its accounts.

    Everything that reaches it is logged before it is answered; given the log of an earlier process
    it stands where that process left it.
    """

    def __init__(
        self, market: Market, log: ServerLog | None = None, director: Director | None = None
    ) -> None:
        self.market = market
        self.book = market.book
        self._log = MemoryLog() if log is None else log
        self._logged_ms = -1
        self._director = director
        self._late: list[tuple[int, Assignment]] = []  # when due, and what
        self._replay()
        self._was_restored = self.market.has_begun
        if not self._was_restored:
            self.step()

    @property
    def now_ms(self) -> int:
        """Return the server's time, UTC milliseconds."""
        return self.market.now_ms

    @property
    def was_restored(self) -> bool:
        """Tell whether the log of an earlier process said where the market stands."""
        return self._was_restored

    def next_ms(self) -> int | None:
        """Return when the next tick comes, None at the end of the data."""
        return self.market.next_ms()

    def step(self) -> bool:
        """Let the next tick come; return False when there is none."""
        if self._director is None and not self._late:
            return self.market.advance()
        if not self._advance():
            return False
        self._carry_out_effects()
        return True

    def play_until(self, moment_ms: int) -> None:
        """Let every tick come up to a moment, UTC milliseconds."""
        while (upcoming := self.next_ms()) is not None and upcoming <= moment_ms:
            self.step()

    def touch(self) -> None:
        """Note the time before a client is told anything."""
        if self._logged_ms != self.now_ms:
            self._write({"t": self.now_ms})

    # ------------------------------------------------------------------ what clients ask

    def execute(self, request: Request, book: Book | None = None) -> Execution:
        """Carry out the request of an account (None: the usual one)."""
        chosen = book or self.book
        self._note(chosen, request)
        return chosen.send(request)

    def execute_later(self, request: Request, book: Book, due_ms: int) -> None:
        """Take in the request of an account; carry it out with the first tick at a later time."""
        login = book.account_spec.login
        self._write(late_record(self.now_ms, due_ms, login, request))
        self._late.append((due_ms, (login, request)))

    def note_sent(self, struck: int) -> None:
        """Note a trade request and the number of the fault that meets it, -1 for none."""
        self._write(sent_record(self.now_ms, struck))

    # ------------------------------------------------------------------ what its operator does

    def deposit(self, amount_minor: int, comment: str = "", book: Book | None = None) -> None:
        """Put money on an account (None: the usual one), or take it off where negative."""
        self._operate(BalanceOperation(amount_minor=amount_minor, comment=comment), book)

    def grant_credit(self, amount_minor: int, comment: str = "", book: Book | None = None) -> None:
        """Grant an account (None: the usual one) credit, or take it back where negative."""
        self._operate(CreditOperation(amount_minor=amount_minor, comment=comment), book)

    def run_short(self, scarcity: Scarcity, book: Book | None = None) -> None:
        """Offer an account (None: the usual one) little volume until the next tick."""
        self._operate(scarcity, book)

    # ------------------------------------------------------------------ inside

    def _operate(self, task: Task, book: Book | None) -> None:
        chosen = book or self.book
        self._note(chosen, task)
        self._apply(chosen, task)

    def _note(self, book: Book, task: Task) -> None:
        self._write(record_of(self.now_ms, book.account_spec.login, task))

    def _write(self, record: dict[str, object]) -> None:
        self._log.write(record)
        self._logged_ms = self.now_ms

    def _apply(self, book: Book, task: Task) -> None:
        if isinstance(task, BalanceOperation):
            book.deposit(task.amount_minor, self.now_ms, task.comment)
        elif isinstance(task, CreditOperation):
            book.grant_credit(task.amount_minor, self.now_ms, task.comment)
        elif isinstance(task, Scarcity):
            book.run_short(task)
        else:
            book.send(task)

    def _advance(self) -> bool:
        if self._director is None:
            return self.market.advance()
        if self.market.has_begun:
            self._director.leave(self.market)
        if not self.market.advance():
            return False
        self._director.arrive(self.market)
        return True

    def _carry_out_effects(self) -> None:
        """Carry out what is due, and what the moment brings: one record, before anybody looks."""
        due = [task for due_ms, task in self._late if due_ms <= self.now_ms]
        self._forget_due()
        if self._director is not None:
            due += self._director.effects(self.market)
        if not due:
            return
        self._write(effects_record(self.now_ms, due))
        for login, task in due:
            self._apply(self.market.books[login], task)

    def _forget_due(self) -> None:
        self._late = [one for one in self._late if one[0] > self.now_ms]

    def _replay(self) -> None:
        for written in self._log.records():
            record = read_record(written)
            time_ms = record.time_ms
            while (upcoming := self.market.next_ms()) is not None and upcoming <= time_ms:
                self._advance()
            if self.now_ms != time_ms or not self.market.has_begun:
                raise DataError(
                    f"the server's log speaks of {time_ms}, which is no tick of this market"
                )
            self._logged_ms = time_ms
            if any(login not in self.market.books for login, _ in record.tasks):
                raise damaged(written)
            self._redo(record)

    def _redo(self, record: Record) -> None:
        if record.struck is not None and self._director is not None:
            self._director.note_sent(record.struck)
        if record.due_ms:
            self._late += [(record.due_ms, task) for task in record.tasks]
            return
        if record.is_effects:
            self._forget_due()
        for login, task in record.tasks:
            self._apply(self.market.books[login], task)
