"""The ways to play a plan, each with what its orders and deals came from."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from mtquant.app.demo import LockStep, ServerClockFace
from mtquant.app.parity.reasons import KernelRows, Notes, Reasons
from mtquant.app.parity.words import seconds_since
from mtquant.app.wiring import Plan, make_engine, run_backtest
from mtquant.broker import BrokerSession, Credentials, MT5Client
from mtquant.engine import LiveRunner
from mtquant.engine.kernels import Said, layout, ledger_of, play
from mtquant.exchange.ledger import Ledger
from mtquant.model import SystemClock
from mtquant.storage import MemoryJournal
from mtquant.strategy import Series
from mtquant.terminal.simulated import SimulatedServer, SimulatedTerminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from mtquant.engine import Progress
    from mtquant.engine.kernels import Job
    from mtquant.exchange import Book
    from mtquant.model import Publish

LIVE: Final = "live"
BACKTEST: Final = "backtest"
INTERPRETED: Final = "interpreted kernel"
COMPILED: Final = "compiled kernel"

_TOLD: Final = 10
_LONG: Final = {LIVE: 5_000, BACKTEST: 100_000}
"""From how many bars on a run tells of its tenths."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalAccount:
    """Hold an account after the last price; money in minor units."""

    balance_minor: int
    equity_minor: int
    margin_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedWay:
    """Hold what one way of playing a plan left behind, and why it did what it did."""

    way: str
    plan: Plan
    ledger: Ledger
    account: FinalAccount
    reasons: Reasons
    seconds: float


class Tenths:
    """Tell how far a long run has come, at each tenth of its time."""

    def __init__(self, plan: Plan, way: str, tell: Callable[[str], None]) -> None:
        self._first_ms = int(plan.bars.time_ms[0])
        self._span_ms = max(1, int(plan.bars.time_ms[-1]) - self._first_ms)
        self._way, self._tell = way, tell
        self._tenth = 0 if len(plan.bars) >= _LONG[way] else _TOLD

    def reach(self, time_ms: int) -> None:
        """Take in a time (UTC ms) that the run has come to."""
        tenth = min(_TOLD, _TOLD * (time_ms - self._first_ms) // self._span_ms)
        if tenth > self._tenth:
            self._tenth = tenth
            moment = datetime.fromtimestamp(time_ms / 1000, tz=UTC)
            self._tell(f"{self._way}: {100 * tenth // _TOLD} %, {moment:%Y-%m-%d %H:%M}")


def play_backtest(plan: Plan, tell: Callable[[str], None]) -> PlayedWay:
    """Play a plan in the event-driven backtest."""
    notes, tenths = Notes(), Tenths(plan, BACKTEST, tell)

    def watch(event: Publish) -> None:
        notes.add(event)
        tenths.reach(event.time_ms)

    started_ms = SystemClock().now_ms()
    book = run_backtest(plan, watch).book
    return _of_book(BACKTEST, plan, book, notes, started_ms)


def play_live(plan: Plan, tell: Callable[[str], None]) -> PlayedWay:
    """Play a plan by the live runner on the embedded terminal in lock-step.

    The journal is kept in memory. The strategy is not guarded: when it fails, this fails.
    """
    notes, tenths = Notes(), Tenths(plan, LIVE, tell)

    def watch(progress: Progress) -> None:
        tenths.reach(progress.time_ms)

    started_ms = SystemClock().now_ms()
    server = SimulatedServer(plan.market())
    clock = ServerClockFace(server)
    venue, bars = plan.config.venue, plan.bars
    session = BrokerSession(
        SimulatedTerminal(server),
        [bars.symbol],
        credentials=Credentials(
            login=venue.account.login, password=venue.account.password, server=venue.server
        ),
        server_clock=venue.clock,
        clock=clock,
    )
    client = MT5Client(session, clock)
    series = Series(bars.symbol, bars.timeframe, bars.digits)
    runner = LiveRunner(
        make_engine(plan.config, series, plan.strategy()),
        client,
        MemoryJournal(),
        LockStep(server),
        clock,
        subscriber=notes.add,
        on_progress=watch,
    )
    try:
        asyncio.run(runner.run())
    finally:
        client.close()
    return _of_book(LIVE, plan, server.book, notes, started_ms)


def play_kernel(plan: Plan, job: Job, said: Said, *, interpreted: bool) -> PlayedWay:
    """Play what a strategy says by the kernel, as compiled code or as the source it is."""
    started_ms = SystemClock().now_ms()
    played = play(job, said.directions, said.strengths, interpreted=interpreted)
    return PlayedWay(
        way=INTERPRETED if interpreted else COMPILED,
        plan=plan,
        ledger=ledger_of(played),
        account=FinalAccount(
            balance_minor=int(played.cells[layout.BALANCE]),
            equity_minor=int(played.daily[-1]),
            margin_minor=int(played.cells[layout.MARGIN]),
        ),
        reasons=KernelRows(played, said),
        seconds=seconds_since(started_ms),
    )


def _of_book(way: str, plan: Plan, book: Book, notes: Notes, started_ms: int) -> PlayedWay:
    account = book.account()
    return PlayedWay(
        way=way,
        plan=plan,
        ledger=book.ledger,
        account=FinalAccount(
            balance_minor=account.balance_minor,
            equity_minor=account.equity_minor,
            margin_minor=account.margin_minor,
        ),
        reasons=notes,
        seconds=seconds_since(started_ms),
    )
