"""The live runner: the engine on a terminal, journal before deed, one desk thread per account.

It polls the terminal each time the pace says so, feeds closed bars to the engine, carries out the
commands on the thread that owns terminal and journal, and finds its way back after an outage. The
same code runs on the simulated terminal in lock-step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from heapq import heapify, heappop, heapreplace
from typing import TYPE_CHECKING, Protocol

from mtquant.broker import Glance
from mtquant.engine.bar_watch import FRESH_MS, BarWatch
from mtquant.engine.drive import drive
from mtquant.model import (
    AccountReport,
    AccountSnapshot,
    BrokerReport,
    BrokerView,
    Clock,
    Command,
    Event,
    ExecutionResult,
    HaltError,
    HaltOrder,
    InstrumentProofError,
    IntentAction,
    IntentRow,
    LinkLost,
    LinkRestored,
    LoginRefusedError,
    OrderReport,
    Outcome,
    Publish,
    Quote,
    ReadBroker,
    RecordBaseline,
    RecordDeals,
    RecordHalt,
    RecordIntents,
    RecordRisk,
    RetryableError,
    SendOrder,
    SymbolNotFoundError,
    Timer,
    WrongAccountError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mtquant.broker import BrokerSession, MT5Client
    from mtquant.engine.engine import Engine
    from mtquant.execution import Journal

_HAVE_ROWS = frozenset(
    {
        "intent_resolved",
        "position_opened",
        "position_closed",
        "position_turned",
        "balance_changed",
        "halt_raised",
        "halt_cleared",
    }
)
"""Observations of what the journal has rows of already."""
_PASSES = (LoginRefusedError, SymbolNotFoundError, InstrumentProofError)
"""What ends a bot at its start, and at a new connection may be over in a while."""
_NO_ROOM = "the disk is full: the room that was kept is for exits; make more, then resume"
_FIRST_BACKOFF_MS, _LAST_BACKOFF_MS = 1_000, 60_000


class Pace(Protocol):
    """Say when to look at the terminal again."""

    @property
    def gap_ms(self) -> int | None:
        """Return how far its looks are apart at most (milliseconds); None where the market waits.

        When much more has passed, the process slept, or its machine.
        """
        ...

    async def next(self) -> bool:
        """Wait for the next moment; False when there will be none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Describe where a run stands, for people."""

    time_ms: int
    bars: int
    equity_minor: int
    open_positions: int
    drawdown: float
    is_connected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Poll:
    glance: Glance
    quotes: dict[str, Quote | None]
    has_bars: bool
    has_room: bool
    halts: tuple[HaltOrder, ...]


class LiveRunner:
    """Run an engine on a terminal until the pace ends or somebody asks to stop.

    Stopping keeps positions: their stop losses stand at the broker.
    """

    def __init__(
        self,
        engine: Engine,
        client: MT5Client,
        journal: Journal,
        pace: Pace,
        clock: Clock,
        *,
        subscriber: Callable[[Publish], None] | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        real_money: bool = False,
    ) -> None:
        """Set out; `real_money` allows an account that is no demo."""
        self._engine = engine
        self._client = client
        self._session: BrokerSession = client.session
        self._journal = journal
        self._pace = pace
        self._clock = clock
        self._subscriber = subscriber
        self._on_progress = on_progress
        self._real_money = real_money
        self._symbols = tuple(dict.fromkeys(slot.symbol for slot in engine.slots))
        self._tick_slots = [slot for slot in engine.slots if slot.wants_ticks]
        self._watches = tuple(BarWatch(slot, client.session, clock) for slot in engine.slots)
        self._seen: Glance | None = None
        self._polled_ms: int | None = None
        self._is_up = False
        self._is_new_journal = False
        self._retry_ms = 0
        self._backoff_ms = _FIRST_BACKOFF_MS
        self._equity_minor = 0
        self._stopping = False

    def stop(self) -> None:
        """Ask for a graceful stop: what is on its way is finished, nothing new begins."""
        self._stopping = True

    async def run(self) -> None:
        """Connect, reconcile, then trade until the end or a stop.

        Raises:
            RetryableError: the first connection fails.
            HaltError: the account is another one than the journal's, or one with real money that
                nobody has allowed, or the journal cannot be written.
        """
        account = await self._client.connect()
        await self._client.run(lambda: self._require_account(account))
        try:
            await self._begin()
            while not self._stopping and await self._pace.next():
                await self._look()
            if self._is_up:  # asked for during the last look; else the next start takes it up
                asked = await self._client.run(self._journal.pending_halts)
                await self._obey(asked, self._clock.now_ms())
        except WrongAccountError as problem:
            await self._halt_entries("the bot", str(problem))
            raise

    # ------------------------------------------------------------------ start and outage

    def _require_account(self, account: AccountSnapshot) -> None:
        """Hold the account against the journal's, on the owner thread: it has one for good."""
        name = f"{account.login}@{account.server}"
        if not (account.is_demo or self._real_money):
            raise HaltError(
                f"account {name} is no demo account; to trade with real money set "
                "execution.real_money: true in its configuration"
            )
        known = self._journal.account()
        self._is_new_journal = known is None
        if known is None:
            self._journal.record_account(name)
        elif known != name:
            raise WrongAccountError(
                f"the terminal is on account {name}, and this journal is that of {known}: "
                "each account needs a folder of its own"
            )

    async def _begin(self) -> None:
        take_over = await self._client.run(self._journalled)
        self._engine.begin_look(self._clock.now_ms())
        await self._client.run(self._read_history)
        for watch in self._watches:
            watch.end_history()
        self._is_up = True
        await self._perform(take_over())
        await self._consume()
        await self._look()

    def _journalled(self) -> Callable[[], Sequence[Command]]:
        """Read the journal; return what hands it to the engine. On the owner thread."""
        journal = self._journal
        journal.keep_room()
        return partial(
            self._engine.start,
            journal.intents(),
            journal.deals(),
            journal.halt_level(),
            baseline_minor=journal.baseline_minor(),
            released_ms=journal.released_ms(),
            risk_state=journal.risk_state(),
            is_new_journal=self._is_new_journal,
            is_released=any(halt.level == 0 for halt in journal.pending_halts()),
        )

    def _read_history(self) -> None:
        """Read the bars that nobody saw close; on the owner thread."""
        found = [watch.read_history() for watch in self._watches]
        for watch, history in zip(self._watches, found, strict=True):
            watch.take_history(history)

    async def _reconnect(self, now_ms: int) -> None:
        if now_ms < self._retry_ms:
            return
        self._engine.begin_look(now_ms)
        try:
            await self._client.run(self._session.connect)
            await self._client.run(self._read_history)
        except RetryableError:
            self._wait_longer(now_ms)
            return
        except _PASSES as problem:  # a broker's maintenance, a terminal that has just started
            self._wait_longer(now_ms)
            await self._halt_entries("broker", str(problem))
            return
        self._is_up = True
        self._backoff_ms = _FIRST_BACKOFF_MS
        await self._perform(self._engine.step(LinkRestored(time_ms=now_ms)))
        if self._is_up:
            await self._consume()

    def _wait_longer(self, now_ms: int) -> None:
        self._retry_ms = now_ms + self._backoff_ms
        self._backoff_ms = min(2 * self._backoff_ms, _LAST_BACKOFF_MS)

    async def _lose_link(self, problem: RetryableError) -> None:
        now_ms = self._clock.now_ms()
        self._is_up = False
        self._retry_ms = now_ms + self._backoff_ms
        await self._perform(self._engine.step(LinkLost(time_ms=now_ms, detail=str(problem))))

    async def _halt_entries(self, who: str, reason: str) -> None:
        """Leave a halt behind, if none stands: a person has to look."""
        if not self._engine.risk.halt_level:
            halt = HaltOrder(time_ms=self._clock.now_ms(), level=1, who=who, reason=reason)
            await self._perform(self._engine.step(halt))

    # ------------------------------------------------------------------ one look

    async def _look(self) -> None:
        now_ms = self._clock.now_ms()
        if not self._is_up:
            await self._reconnect(now_ms)
            self._tell(now_ms)
            return
        self._engine.begin_look(now_ms)
        try:
            poll = await self._client.run(self._poll)
        except RetryableError as problem:
            await self._lose_link(problem)
            return
        if not poll.has_room:
            await self._halt_entries("the bot", _NO_ROOM)
        await self._perform(self._engine.step(Timer(time_ms=now_ms)))
        if poll.glance != self._seen:
            await self._perform([ReadBroker(cause="poll")])
        elif self._engine.losses.is_on:
            await self._perform(self._engine.step(self._account_report(poll.glance, now_ms)))
        await self._obey(poll.halts, now_ms)
        for slot in self._tick_slots:
            quote = poll.quotes[slot.symbol]
            if quote is not None and self._is_up:
                await self._perform(self._engine.tick(slot.series, quote))
        if poll.has_bars:
            await self._consume()
            self._equity_minor = poll.glance.equity_minor
            self._tell(now_ms)

    async def _obey(self, halts: Sequence[HaltOrder], now_ms: int) -> None:
        """Take up what was asked for, in order; what a later release took back is not obeyed.

        That is recorded at the level that stands: should the process end before the release is
        recorded, or the breaker refuse it, no halt is left that nobody wants.
        """
        last = max((n for n, halt in enumerate(halts) if halt.level == 0), default=0)
        for halt in halts[:last]:
            why = f"taken back before it was taken up (level {halt.level}): {halt.reason}"
            level = self._engine.risk.halt_level
            taken = replace(halt, time_ms=now_ms, level=level, reason=why)
            await self._perform([RecordHalt(halt=taken)])
        for halt in halts[last:]:
            await self._perform(self._engine.step(replace(halt, time_ms=now_ms)))

    def _account_report(self, glance: Glance, now_ms: int) -> AccountReport:
        return AccountReport(
            server_ms=now_ms - self._session.lead_ms,
            equity_minor=glance.own_equity_minor,
            balance_minor=glance.balance_minor,
        )

    def _poll(self) -> _Poll:
        """Look at what may have changed; on the owner thread."""
        session = self._session
        self._journal.flush()  # what the last look has observed
        quoted = {symbol: session.last_quote(symbol) for symbol in self._symbols}
        due = [w for w in self._watches if w.is_due(quoted[w.symbol])]
        found = [watch.read_closed(quoted[watch.symbol]) for watch in due]
        glance = session.glance()
        has_room = self._journal.keep_room()
        halts = tuple(self._journal.pending_halts())
        has_slept = self._has_slept()
        for watch, bars in zip(due, found, strict=True):  # all of them, before any is decided on
            watch.take_closed(bars, was_watched=not has_slept)
        return _Poll(
            quotes=quoted,
            glance=glance,
            has_bars=bool(due),
            has_room=has_room,
            halts=halts,
        )

    def _has_slept(self) -> bool:
        """Tell whether much more time has passed since the last look than its pace allows."""
        now_ms, gap_ms = self._clock.now_ms(), self._pace.gap_ms
        before_ms, self._polled_ms = self._polled_ms, now_ms
        if gap_ms is None or before_ms is None:
            return False
        return now_ms - before_ms > gap_ms + FRESH_MS

    async def _consume(self) -> None:
        """Let the engine decide on new bars: by the time of their close, then slot by slot."""
        watches = self._watches
        waiting = [(one.next_close_ms(), n) for n, one in enumerate(watches) if one.has_new]
        heapify(waiting)
        while waiting:
            number = waiting[0][1]
            await self._perform(watches[number].consume(self._engine))
            if watches[number].has_new:
                heapreplace(waiting, (watches[number].next_close_ms(), number))
            else:
                heappop(waiting)

    def _tell(self, now_ms: int) -> None:
        if self._on_progress is None:
            return
        self._on_progress(
            Progress(
                time_ms=now_ms,
                bars=len(self._watches[0].series),
                equity_minor=self._equity_minor,
                open_positions=len(self._engine.portfolio.own_positions),
                drawdown=self._engine.portfolio.drawdown,
                is_connected=self._is_up,
            )
        )

    # ------------------------------------------------------------------ commands

    async def _perform(self, commands: Iterable[Command]) -> None:
        steps = drive(self._engine, commands)
        event: Event | None = None
        try:
            while True:
                event = await self._answer(steps.send(event))
        except StopIteration:
            return

    async def _answer(self, command: Command) -> Event | None:
        match command:
            case ReadBroker():
                return await self._report(command.cause)
            case SendOrder():
                result = await self._client.run(lambda: self._transmit(command.row))
                return OrderReport(result=result)
            case RecordIntents() | RecordDeals() | RecordBaseline() | RecordRisk() | RecordHalt():
                await self._client.run(lambda: self._record(command))
            case Publish():
                if command.name not in _HAVE_ROWS:
                    self._journal.note(command)
                if self._subscriber is not None:
                    self._subscriber(command)
        return None

    def _record(self, command: Command) -> None:
        """Write what a command asks for; on the owner thread."""
        journal = self._journal
        match command:
            case RecordIntents():
                journal.record_intents(command.rows)
            case RecordDeals():
                journal.record_deals(command.deals)
            case RecordBaseline():
                journal.record_baseline(command.baseline_minor)
            case RecordRisk():
                journal.record_risk(command.state)
            case RecordHalt():
                journal.record_halt(command.halt)

    async def _report(self, cause: str) -> Event:
        try:
            view: BrokerView = await self._client.run(self._session.view)
        except RetryableError as problem:
            self._is_up = False
            now_ms = self._clock.now_ms()
            self._retry_ms = now_ms + self._backoff_ms
            return LinkLost(time_ms=now_ms, detail=str(problem))
        self._seen = Glance.of(view)
        return BrokerReport(view=view, cause=cause)

    def _transmit(self, row: IntentRow) -> ExecutionResult:
        """Journal, check once more, send once; on the desk thread, with nothing in between."""
        self._journal.record_sending(row)
        try:
            return self._session.send(row, lambda: self._last_look(row))
        except Exception as error:  # noqa: BLE001 - whatever it was, the order may be live
            return ExecutionResult(
                intent_id=row.intent_id,
                outcome=Outcome.UNKNOWN,
                detail=f"{type(error).__name__}: {error}",
                time_ms=self._clock.now_ms(),
            )

    def _last_look(self, row: IntentRow) -> tuple[Outcome, str] | None:
        """Return why a request must not leave after all, None if it may."""
        objection = self._objection(row)
        if objection:
            self._engine.sent.withdraw(row)
            return Outcome.REFUSED, objection
        surplus = self._engine.sent.send(row)
        if surplus:  # whatever the bug is: nothing more is opened until a person has looked
            return Outcome.DISABLED, f"more than approved: {surplus}"
        return None

    def _objection(self, row: IntentRow) -> str:
        """Return why a journalled entry must not leave after all, empty if it may."""
        if row.intent.action is not IntentAction.OPEN:
            return ""
        if not self._journal.has_room():
            return _NO_ROOM
        if any(halt.level > 0 for halt in self._journal.pending_halts()):
            return "a halt was requested"
        if self._engine.risk.halt_level:  # a reading since its approval has raised it
            return "a halt stands"
        late_ms = self._clock.now_ms() - row.intent.deadline_ms
        if late_ms > 0:
            return f"the decision is {late_ms} ms past its deadline"
        age_ms = self._session.quote_age_ms(row.intent.symbol)
        is_old = age_ms > 1000 * self._engine.risk.limits.max_quote_age_s
        return f"the quote is {age_ms} ms old by now" if is_old else ""
