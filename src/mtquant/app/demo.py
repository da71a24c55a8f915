"""The demo: the live runner on the embedded terminal, over a year of real prices."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from mtquant.app.config import load_config
from mtquant.app.guard import GuardedStrategy, guarded
from mtquant.app.outage import ScriptedOutage, draw_outage, outage_facts, told_outage
from mtquant.app.results import Results, config_of, finish_run
from mtquant.app.wiring import Plan, make_plan, plan_engine
from mtquant.app.workspace import (
    EVENTS,
    JOURNAL,
    LOG,
    RUN,
    SERVER_LOG,
    TERMINAL,
    Workspace,
    prepare,
    read_run,
)
from mtquant.broker import BrokerSession, Credentials, MT5Client
from mtquant.engine import Engine, LiveRunner, Pace, Progress
from mtquant.exchange import AccountSpec
from mtquant.model import (
    BrokerConnectionError,
    BrokerView,
    Clock,
    ConfigError,
    OnwardClock,
    Publish,
    RetryableError,
    SystemClock,
    Timeframe,
)
from mtquant.observe import (
    EventLog,
    LogSubscriber,
    Subscriber,
    fan_out,
    register_secret,
    setup_logger,
)
from mtquant.storage import MemoryJournal, SqliteJournal, account_lock
from mtquant.strategy import Series
from mtquant.terminal.simulated import FileLog, SimulatedServer, SimulatedTerminal
from mtquant.terminal.simulated.faults import (
    FaultKind,
    Faults,
    FaultScenario,
    FaultSpec,
    FaultyTerminal,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Mapping
    from types import FrameType

T = TypeVar("T")
_PATIENCE_S: Final = 5.0
"""How long a halt without a bot is tried again while the terminal does not answer, wall time."""
_PAUSE_S: Final = 0.25
_OUTAGE: Final = "outage_ms"
_TOLD: Final = "told_fingerprint"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """Hold the options of the demo."""

    out: Path
    seed: int | None = None
    outage: bool = True
    config: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOutcome:
    """Hold how a demo ended: results of a finished run, None of one that was stopped."""

    results: Results | None
    workspace: Workspace
    outage: ScriptedOutage | None
    stopped_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Halted:
    """Hold how a halt without a bot ended: the engine, and what the broker showed afterwards."""

    engine: Engine
    view: BrokerView


class ServerClockFace:
    """Tell the simulated server's time: the clock of a run in lock-step.

    It is later than `after_ms` (UTC milliseconds), however long the server has stood still.
    """

    def __init__(self, server: SimulatedServer, after_ms: int = 0) -> None:
        self._server = server
        self._ahead_ms = max(0, after_ms + 1 - server.now_ms)

    def now_ms(self) -> int:
        """Return the time, UTC milliseconds."""
        return self._server.now_ms + self._ahead_ms


class LockStep:
    """Let the market make its next step whenever the bot has nothing left to do."""

    gap_ms = None

    def __init__(self, server: SimulatedServer) -> None:
        self._server = server

    async def next(self) -> bool:
        """Step the market; False at the end of the data."""
        return self._server.step()


class StandStill:
    """Look a few times while the market stands still, until a halt has done its work."""

    gap_ms = None

    def __init__(self, is_done: Callable[[], bool], looks: int = 5) -> None:
        self._is_done = is_done
        self._left = looks

    async def next(self) -> bool:
        """Tell whether to look once more."""
        self._left -= 1
        return self._left > 0 and not self._is_done()


def run_demo(
    options: DemoOptions,
    *,
    subscriber: Callable[[Publish], None] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    on_plan: Callable[[Plan, ScriptedOutage | None, Workspace], None] | None = None,
) -> DemoOutcome:
    """Run the demo to its end, or until somebody interrupts it.

    Raises:
        InputError: configuration, data or folder cannot be used.
        JournalError: another bot runs in the folder, or the journal cannot be used.
    """
    loaded = load_config(options.config, {"seed": options.seed})
    plan = make_plan(loaded, "demo", options.outage)
    outage = draw_outage(plan) if options.outage else None
    facts = {
        "kind": "demo",
        _TOLD: plan.told_fingerprint,
        _OUTAGE: outage_facts(outage),
        **loaded.facts(),
    }
    workspace = prepare(options.out, plan.fingerprint, facts)
    wall = SystemClock()
    journal = SqliteJournal.open(
        workspace.path(JOURNAL), owner="demo", now_ms=wall.now_ms(), lock=workspace.lock
    )
    if on_plan is not None:
        on_plan(plan, outage, workspace)
    with contextlib.closing(journal), _logging(plan, workspace):
        bot = _Bot(
            plan,
            outage,
            workspace=workspace,
            journal=journal,
            wall=wall,
            subscriber=subscriber,
            on_progress=on_progress,
        )
        return bot.run()


@contextlib.contextmanager
def _logging(plan: Plan, workspace: Workspace) -> Iterator[None]:
    """Write the log of a run; the account's password never gets into it."""
    account = plan.config.venue.account
    if account.password != AccountSpec().password:  # the embedded account's is no secret
        register_secret(account.password)
    close_logs = setup_logger(log_file=workspace.path(LOG), console=False, level="INFO")
    try:
        yield
    finally:
        close_logs()


def carry_out_halt(folder: Path, journal: SqliteJournal | MemoryJournal) -> Halted:
    """Carry out the halts that were asked for at the terminal of a demo that does not run.

    A terminal that does not answer is asked again for some seconds, each time from the beginning.

    Returns:
        the engine, and a reading of the broker after it has done its work: all halts were taken
        up, and what could not be removed is in the reading.

    Raises:
        RetryableError: the terminal does not answer.
        ConfigError: the folder holds no demo, or one of another version or configuration.
    """
    plan, outage = _stopped(folder, read_run(folder))
    workspace = Workspace(folder=folder, is_continued=True)
    until_s = time.monotonic() + _PATIENCE_S
    with _logging(plan, workspace):
        while True:
            bot = _Bot(
                plan,
                outage,
                workspace=workspace,
                journal=journal,
                wall=SystemClock(),
                # the market stands: at one moment the same is not decided twice
                after_ms=max((row.intent.decided_ms for row in journal.intents()), default=0),
            )
            try:
                return bot.obey_halt()
            except RetryableError:
                if bot.is_interrupted or time.monotonic() > until_s:
                    raise
            time.sleep(_PAUSE_S)


def _stopped(folder: Path, facts: Mapping[str, Any]) -> tuple[Plan, ScriptedOutage | None]:
    """Return the plan of a demo that was stopped, its strategies left out, and its outage."""
    loaded, fingerprint = config_of(facts), str(facts.get("fingerprint"))
    told = facts.get(_TOLD, fingerprint)  # of a folder that has only one, no secret was taken out
    for has_outage in (True, False):
        plan = make_plan(loaded, "demo", has_outage, is_mute=True)
        if facts.get("kind") == "demo" and plan.told_fingerprint == told:
            # the server's file goes by the fingerprint with the secrets
            return replace(plan, fingerprint=fingerprint), told_outage(facts.get(_OUTAGE))
    raise ConfigError(f"{folder}: what was run here cannot be told from its {RUN}")


def _link_loss(plan: Plan, outage: ScriptedOutage) -> Faults:
    after_ms = outage.from_ms - int(plan.bars.time_ms[0])
    for_ms = outage.to_ms - outage.from_ms
    loss = FaultSpec(kind=FaultKind.LINK_LOSS, after_ms=after_ms, for_ms=for_ms)
    return Faults(FaultScenario(faults=(loss,)))


def _empty_series(plan: Plan) -> Callable[[str, Timeframe], Series]:
    return lambda symbol, timeframe: Series(symbol, timeframe, plan.source(symbol).digits)


def _terminal(server: SimulatedServer, faults: Faults | None) -> SimulatedTerminal:
    return SimulatedTerminal(server) if faults is None else FaultyTerminal(server, faults)


class _Bot:
    """Hold everything one run of the demo consists of."""

    is_interrupted = False  # by a person who wants it to end

    def __init__(
        self,
        plan: Plan,
        outage: ScriptedOutage | None,
        *,
        workspace: Workspace,
        journal: SqliteJournal | MemoryJournal,
        wall: Clock,
        subscriber: Callable[[Publish], None] | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        after_ms: int = 0,
    ) -> None:
        self._plan, self._outage, self._workspace = plan, outage, workspace
        self._journal, self._wall = journal, wall
        started_ms = wall.now_ms()
        self._started_ms = started_ms
        log = FileLog(workspace.path(TERMINAL) / SERVER_LOG, plan.fingerprint)
        faults = None if outage is None else _link_loss(plan, outage)
        self._server = SimulatedServer(plan.market(), log, faults)
        self._server_log = log
        self._events = EventLog(workspace.path(EVENTS), f"{started_ms:x}-{os.getpid()}")
        account = plan.config.venue.account
        clock = OnwardClock(ServerClockFace(self._server, after_ms))
        session = BrokerSession(
            _terminal(self._server, faults),
            plan.symbols,
            credentials=Credentials(
                login=account.login, password=account.password, server=plan.config.venue.server
            ),
            server_clock=plan.config.venue.clock,
            clock=clock,
        )
        self._client = MT5Client(session, clock)
        self._engine = plan_engine(plan, _empty_series(plan), GuardedStrategy)
        subscribers: list[Subscriber] = [
            guarded(self._events, "event log"),
            guarded(LogSubscriber(), "log"),
        ]
        if subscriber is not None:
            subscribers.append(guarded(subscriber, "screen"))
        self._run = partial(
            LiveRunner,
            self._engine,
            self._client,
            journal,
            clock=clock,
            subscriber=fan_out(subscribers),
            on_progress=on_progress,
            real_money=plan.config.execution.real_money,
        )

    def run(self) -> DemoOutcome:
        """Run until the end of the data or an interruption, then write the results."""
        self._play(LockStep(self._server), LiveRunner.run)
        is_finished = self._server.next_ms() is None
        results = self._finish() if is_finished else None
        return DemoOutcome(
            results=results,
            workspace=self._workspace,
            outage=self._outage,
            stopped_ms=self._server.now_ms,
        )

    def obey_halt(self) -> Halted:
        """Take up the halts that are asked for and do what they ask, while the market stands.

        Raises:
            RetryableError: the terminal did not answer all the time: nothing is known of the rest.
        """
        engine = self._engine

        def is_done() -> bool:
            # without an answer it is over: the time stands, and with it the wait for the next try
            is_obeyed = not engine.is_clearing and not self._journal.pending_halts()
            return is_obeyed or not engine.is_ready

        async def obeyed(runner: LiveRunner) -> BrokerView:
            await runner.run()
            if engine.is_ready and not self._journal.pending_halts():
                return await self._client.view()
            cause = "it was interrupted" if self.is_interrupted else "the terminal did not answer"
            raise BrokerConnectionError(cause)

        return Halted(engine=engine, view=self._play(StandStill(is_done), obeyed))

    def _play(self, pace: Pace, work: Callable[[LiveRunner], Coroutine[Any, Any, T]]) -> T:
        runner = self._run(pace=pace)
        account = self._plan.config.venue.account
        with contextlib.ExitStack() as undo:
            for part in (self._server_log, self._events, self._client):
                undo.callback(part.close)
            undo.enter_context(
                account_lock(
                    self._workspace.path(TERMINAL),
                    f"{account.login}@{self._plan.config.venue.server}",
                    journal=self._workspace.path(JOURNAL),
                    now_ms=self._started_ms,
                )
            )
            undo.enter_context(_interruptible(partial(self._interrupt, runner)))
            return asyncio.run(work(runner))

    def _interrupt(self, runner: LiveRunner) -> None:
        self.is_interrupted = True
        runner.stop()

    def _finish(self) -> Results:
        seconds = (self._wall.now_ms() - self._started_ms) / 1000
        extra: dict[str, Any] = {"seconds": round(seconds, 3)}
        if self._outage:
            extra["outage_from_ms"] = self._outage.from_ms
            extra["outage_to_ms"] = self._outage.to_ms
        return finish_run(self._workspace, self._plan, self._journal.deals(), extra)


@contextlib.contextmanager
def _interruptible(stop: Callable[[], None]) -> Iterator[None]:
    """Let the first Ctrl-C ask for a graceful stop, and a second one interrupt at once."""

    def on_interrupt(_number: int, _frame: FrameType | None) -> None:
        stop()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    try:
        before = signal.signal(signal.SIGINT, on_interrupt)
    except ValueError:  # not the main thread: whoever runs us handles interrupts
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
