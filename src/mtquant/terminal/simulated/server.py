"""The server side: a market, its accounts, and a memory that outlives its clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mtquant.exchange import Scarcity
from mtquant.model import ConfigError, DataError
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
    """Make things happen at a server that no client asks for, from a time on.

    It is told of every moment of the market since then; those before are played without it.
    """

    @property
    def since_ms(self) -> int:
        """Return when it begins, UTC milliseconds."""
        ...

    def leave(self, market: Market) -> None:
        """See the market before it plays its next moment."""
        ...

    def arrive(self, market: Market) -> None:
        """See the market after it has played a moment."""
        ...

    def wait(self, market: Market) -> None:
        """See the market after its clock has run on, without a price."""
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
        return self._step(None)

    def wait_until(self, moment_ms: int) -> None:
        """Let all ticks up to a moment (UTC ms) come, and the clock run on to it."""
        if self._director is None and not self._late:
            self.market.wait_until(moment_ms)
            return
        while (upcoming := self.next_ms()) is not None and upcoming <= moment_ms:
            self._step(moment_ms)
        self._wait_for_late(moment_ms)
        self._run_clock(moment_ms)

    def employ(self, director: Director) -> None:
        """Let a director see what the market plays from now on, which is noted."""
        self._director = director
        director.arrive(self.market)
        self._write({"t": self.now_ms})

    def touch(self) -> None:
        """Note the time before a client is told anything."""
        if self._logged_ms != self.now_ms:
            self._write({"t": self.now_ms})

    # ------------------------------------------------------------------ what clients ask

    def execute(self, request: Request, login: int | None = None) -> Execution:
        """Carry out the request of an account (None: the usual one).

        Raises:
            ConfigError: there is no such account.
        """
        book = self._book_of(login)
        self._note(book, request)
        return book.send(request)

    def execute_later(self, request: Request, login: int, due_ms: int) -> None:
        """Take in the request of an account, and carry it out at a later time."""
        self._write(late_record(self.now_ms, due_ms, login, request))
        self._late.append((due_ms, (login, request)))

    def note_sent(self, struck: int) -> None:
        """Note a trade request and the number of the fault that meets it, -1 for none."""
        self._write(sent_record(self.now_ms, struck))

    # ------------------------------------------------------------------ what its operator does

    def deposit(self, amount_minor: int, comment: str = "", login: int | None = None) -> None:
        """Put money on an account (None: the usual one), or take it off where negative.

        Raises:
            ConfigError: there is no such account.
        """
        self._operate(BalanceOperation(amount_minor=amount_minor, comment=comment), login)

    def grant_credit(self, amount_minor: int, comment: str = "", login: int | None = None) -> None:
        """Grant an account (None: the usual one) credit, or take it back where negative.

        Raises:
            ConfigError: there is no such account.
        """
        self._operate(CreditOperation(amount_minor=amount_minor, comment=comment), login)

    def run_short(self, scarcity: Scarcity, login: int | None = None) -> None:
        """Offer an account (None: the usual one) little volume until the next tick.

        Raises:
            ConfigError: there is no such account.
        """
        self._operate(scarcity, login)

    # ------------------------------------------------------------------ inside

    def _book_of(self, login: int | None) -> Book:
        if login is None:
            return self.book
        book = self.market.books.get(login)
        if book is None:
            raise ConfigError(f"there is no account {login} at {self.market.venue.server}")
        return book

    def _operate(self, task: Task, login: int | None) -> None:
        book = self._book_of(login)
        self._note(book, task)
        self._apply(book, task)

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

    def _step(self, until_ms: int | None) -> bool:
        """Let the next tick come, and nothing after a moment; False when there is none."""
        if self._director is None and not self._late:
            return self.market.advance(until_ms)
        upcoming = self.next_ms()
        if upcoming is None:
            return False
        self._wait_for_late(upcoming - 1)
        self._advance(until_ms)
        self._carry_out_effects()
        return True

    def _advance(self, until_ms: int | None) -> None:
        director = self._director
        if director is not None and self.market.has_begun:
            director.leave(self.market)
        self.market.advance(until_ms)
        if director is not None:
            director.arrive(self.market)

    def _wait_for_late(self, moment_ms: int) -> None:
        """Carry out what is due by a moment before the next tick, each at its own time."""
        for due_ms in sorted({due_ms for due_ms, _ in self._late if due_ms <= moment_ms}):
            self._run_clock(due_ms)

    def _run_clock(self, moment_ms: int) -> None:
        if moment_ms > self.now_ms:
            self.market.wait_until(moment_ms)
            if self._director is not None:
                self._director.wait(self.market)
            self._carry_out_effects()

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
            is_before = self.market.has_begun and record.time_ms < self.now_ms
            self._play_to(record.time_ms)
            if is_before or not self.market.has_begun:
                raise DataError(
                    f"the server's log speaks of {record.time_ms}, "
                    "which lies before this market's time"
                )
            if self.now_ms < record.time_ms:
                raise DataError(
                    f"the server's log speaks of {record.time_ms}, "
                    f"but this market's prices end at {self.now_ms}"
                )
            self._logged_ms = record.time_ms
            if any(login not in self.market.books for login, _ in record.tasks):
                raise damaged(written)
            self._redo(record)

    def _play_to(self, time_ms: int) -> None:
        """Play what an earlier process had played, as far as the director is concerned."""
        director = self._director
        if director is None or time_ms <= director.since_ms:
            self.market.wait_until(time_ms)
            if director is not None and time_ms == director.since_ms:
                director.arrive(self.market)
            return
        while (upcoming := self.next_ms()) is not None and upcoming <= time_ms:
            self._advance(time_ms)
        if time_ms > self.now_ms:
            self.market.wait_until(time_ms)
            director.wait(self.market)

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
