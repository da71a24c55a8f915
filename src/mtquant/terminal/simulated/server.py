"""The server side: a market, its accounts, and a memory that outlives its clients."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from mtquant.model import ConfigError, DataError
from mtquant.terminal.simulated.log import MemoryLog, ServerLog
from mtquant.terminal.simulated.records import (
    BalanceOperation,
    CreditOperation,
    Task,
    damaged,
    read_record,
    record_of,
)
from mtquant.terminal.simulated.retcodes import INJECTABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mtquant.exchange import Book, Execution, Market, Request

Outage = tuple[int, int]  # UTC ms: from (included), to (excluded)


class SimulatedServer:
    """Run the market in lock-step and execute requests on the books of its accounts.

    Everything that reaches it is logged before it is answered; given the log of an earlier process
    it stands where that process left it.
    """

    def __init__(
        self,
        market: Market,
        log: ServerLog | None = None,
        outages: Sequence[Outage] = (),
    ) -> None:
        self.market = market
        self.book = market.book
        self._log = MemoryLog() if log is None else log
        self._logged_ms = -1
        self._outages = tuple(outages)
        self._next_answers: deque[int] = deque()
        self._replay()
        self._was_restored = self.market.has_begun
        if not self._was_restored:
            self.market.advance()

    @property
    def now_ms(self) -> int:
        """Return the server's time, UTC milliseconds."""
        return self.market.now_ms

    @property
    def is_reachable(self) -> bool:
        """Tell whether clients get through now."""
        return not any(start <= self.now_ms < end for start, end in self._outages)

    @property
    def was_restored(self) -> bool:
        """Tell whether the log of an earlier process said where the market stands."""
        return self._was_restored

    def next_ms(self) -> int | None:
        """Return when the next tick comes, None at the end of the data."""
        return self.market.next_ms()

    def step(self) -> bool:
        """Let the next tick come; return False when there is none."""
        return self.market.advance()

    def wait_until(self, moment_ms: int) -> None:
        """Let all ticks up to a moment (UTC ms) come, and the clock run on to it."""
        self.market.wait_until(moment_ms)

    def touch(self) -> None:
        """Note the time before a client is told anything."""
        if self._logged_ms != self.now_ms:
            self._log.write({"t": self.now_ms})
            self._logged_ms = self.now_ms

    # ------------------------------------------------------------------ what clients ask

    def execute(self, request: Request, login: int | None = None) -> Execution:
        """Carry out the request of an account (None: the usual one).

        Raises:
            ConfigError: there is no such account.
        """
        book = self._book_of(login)
        self._note(book, request)
        return book.send(request)

    def take_answer(self) -> int:
        """Return the return code that waits for the next trade request, 0 if none does."""
        return self._next_answers.popleft() if self._next_answers else 0

    # ------------------------------------------------------------------ what its operator does

    def answer_next(self, retcode: int) -> None:
        """Answer the next trade request with a return code and execute nothing of it.

        Raises:
            ConfigError: the market's own rules give this code, or there is none such.
        """
        if retcode not in INJECTABLE:
            raise ConfigError(
                f"answer_next: {retcode} is not one of {', '.join(map(str, sorted(INJECTABLE)))}"
            )
        self._next_answers.append(retcode)

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

    # ------------------------------------------------------------------ inside

    def _book_of(self, login: int | None) -> Book:
        if login is None:
            return self.book
        book = self.market.books.get(login)
        if book is None:
            raise ConfigError(f"there is no account {login} at {self.market.venue.server}")
        return book

    def _operate(self, task: BalanceOperation | CreditOperation, login: int | None) -> None:
        book = self._book_of(login)
        self._note(book, task)
        self._apply(book, task)

    def _note(self, book: Book, task: Task) -> None:
        self._log.write(record_of(self.now_ms, book.account_spec.login, task))
        self._logged_ms = self.now_ms

    def _apply(self, book: Book, task: Task) -> None:
        if isinstance(task, BalanceOperation):
            book.deposit(task.amount_minor, self.now_ms, task.comment)
        elif isinstance(task, CreditOperation):
            book.grant_credit(task.amount_minor, self.now_ms, task.comment)
        else:
            book.send(task)

    def _replay(self) -> None:
        for record in self._log.records():
            time_ms, login, task = read_record(record)
            is_before = self.market.has_begun and time_ms < self.now_ms
            self.market.wait_until(time_ms)
            if is_before or not self.market.has_begun:
                raise DataError(
                    f"the server's log speaks of {time_ms}, which lies before this market's time"
                )
            self._logged_ms = time_ms
            if task is None:
                continue
            book = self.market.books.get(login)
            if book is None:
                raise damaged(record)
            self._apply(book, task)
