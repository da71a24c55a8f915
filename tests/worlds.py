"""Small worlds for tests: venues, made-up markets, engines in both runners, faulty terminals."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mtquant.broker import BrokerSession, MT5Client, SymbolMapper
from mtquant.engine import BacktestRunner, Engine, LiveRunner, OrderMaker, StrategySlot
from mtquant.exchange import AccountSpec, InstrumentSpec, Market, Terms, VenueSpec
from mtquant.execution import QUIET_MS, Desk
from mtquant.model import (
    Bars,
    BotIdentity,
    Direction,
    IntColumn,
    MarginMode,
    Position,
    Publish,
    Side,
    Signal,
    SwapMode,
    Timeframe,
    make_bars,
)
from mtquant.portfolio import Portfolio
from mtquant.risk import RiskEngine, RiskLimits
from mtquant.storage import MemoryJournal
from mtquant.strategy import (
    AtrTrailingStop,
    AtrTrailingStopParameters,
    BarsView,
    ExitSignal,
    ExitStrategy,
    Series,
    StopLossTakeProfit,
    StopLossTakeProfitParameters,
    Strategy,
)
from mtquant.terminal.simulated import MemoryLog, SimulatedServer, SimulatedTerminal
from mtquant.terminal.simulated.faults import (
    FaultKind,
    Faults,
    FaultScenario,
    FaultSpec,
    FaultyTerminal,
)

if TYPE_CHECKING:
    from mtquant.strategy.exits import Protection

DIGITS = {"EURUSD": 5, "GBPUSD": 5, "USDJPY": 3}
_MAPPER = SymbolMapper()
MONDAY_MS = 1_483_308_000_000  # 2017-01-01 22:00 UTC, Monday 00:00 of an EET server


def make_venue(
    *,
    symbol: str = "EURUSD",
    currency: str = "USD",
    deposit: float = 10_000.0,
    leverage: int = 100,
    commission: float = 3.5,
    margin_mode: MarginMode = MarginMode.HEDGING,
    **instrument: Any,
) -> VenueSpec:
    """Return a venue that trades one pair, by default a hedging USD account with EURUSD."""
    account = AccountSpec(
        deposit=deposit, leverage=leverage, currency=currency, margin_mode=margin_mode
    )
    spec = make_instrument(symbol, commission_per_lot=commission, **instrument)
    return VenueSpec(account=account, instruments={symbol: spec})


def make_instrument(symbol: str, **instrument: Any) -> InstrumentSpec:
    """Return a currency pair; of yen with three digits."""
    facts: dict[str, Any] = {
        "digits": DIGITS[symbol],
        "contract_size": 100_000.0,
        "base_currency": symbol[:3],
        "profit_currency": symbol[3:],
        "commission_per_lot": 3.5,
        "swap_mode": SwapMode.POINTS,
        "swap_long_points": -0.7,
        "swap_short_points": -1.0,
    }
    return InstrumentSpec(**(facts | instrument))


def bars_of(
    closes: Sequence[int],
    *,
    wick: int = 5,
    spread: int | Sequence[int] = 10,
    timeframe: Timeframe = Timeframe.H1,
    first_ms: int = MONDAY_MS,
    gaps: Sequence[int] = (),
    symbol: str = "EURUSD",
) -> Bars:
    """Return bars that open where the last one closed, plus `gaps[i]` points."""
    jumps = list(gaps) + [0] * (len(closes) - len(gaps))
    close = np.array(closes, dtype=np.int64)
    before = np.concatenate([close[:1], close[:-1]])
    opened = before + np.array(jumps, dtype=np.int64)
    time_ms = first_ms + np.arange(len(close)) * timeframe.duration_ms
    spreads = spread if isinstance(spread, int) else np.array(spread, dtype=np.int64)
    return make_bars(
        symbol=symbol,
        timeframe=timeframe,
        digits=DIGITS[symbol],
        time_ms=time_ms,
        open=opened,
        high=np.maximum(opened, close) + wick,
        low=np.minimum(opened, close) - wick,
        close=close,
        spread=spreads,
    )


def walked_bars(
    symbol: str,
    timeframe: Timeframe,
    *,
    level: int,
    step: IntColumn,
    gap: IntColumn,
    wicks: IntColumn,
    skipped: IntColumn,
    spread: IntColumn,
    tick_volume: IntColumn | int = 0,
    first_ms: int = MONDAY_MS,
) -> Bars:
    """Return bars that walk from a level (points): each opens `gap` off the last close.

    `wicks` [2, n] reach above and below; `skipped` is how many bars are missing before each.
    """
    close = level + np.cumsum(step + gap)
    opened = np.concatenate([close[:1], close[:-1] + gap[1:]])
    index = np.arange(len(close)) + np.cumsum(skipped)
    up, down = wicks
    return make_bars(
        symbol=symbol,
        timeframe=timeframe,
        digits=DIGITS[symbol],
        time_ms=first_ms + index * timeframe.duration_ms,
        open=opened,
        high=np.maximum(opened, close) + up,
        low=np.minimum(opened, close) - down,
        close=close,
        spread=spread,
        tick_volume=tick_volume,
    )


def require_same_books(market: Market, other: Market) -> None:
    """Hold two markets against each other: deals, orders, positions and account."""
    assert market.book.ledger.deals == other.book.ledger.deals
    assert market.book.ledger.orders == other.book.ledger.orders
    assert market.book.positions() == other.book.positions()
    assert market.book.account() == other.book.account()


class Scripted(Strategy):
    """Say what a list says: bar index → direction, None for nothing."""

    def __init__(self, script: Sequence[Direction | None]) -> None:
        super().__init__("scripted")
        self._script = script
        self.seen: list[int] = []

    def on_bar(self, bars: BarsView) -> Signal | None:
        """Return the scripted direction."""
        self.seen.append(bars.index)
        direction = self._script[bars.index] if bars.index < len(self._script) else None
        return None if direction is None else self.signal(bars, direction)


def stop_and_target(**parameters: Any) -> StopLossTakeProfit:
    """Return the protective exit."""
    return StopLossTakeProfit(StopLossTakeProfitParameters(**parameters))


def trailing(**parameters: Any) -> AtrTrailingStop:
    """Return the trailing exit."""
    return AtrTrailingStop(AtrTrailingStopParameters(**parameters))


@dataclass(kw_only=True)
class World:
    """Describe a run: market, strategy, exits, limits."""

    bars: Bars
    strategy: Callable[[], Strategy]
    exits: Callable[[], list[ExitStrategy]] = lambda: [stop_and_target(stop_points=200)]
    venue: VenueSpec = field(default_factory=make_venue)
    limits: RiskLimits = field(default_factory=RiskLimits)
    slippage: Any = None
    outages: Sequence[tuple[int, int]] = ()
    quiet_ms: int = QUIET_MS
    deviation_points: int = 20

    def market(self) -> Market:
        """Return a market that has played nothing."""
        still = np.zeros((len(self.bars), 2), dtype=np.int32)
        return Market.of_bars(
            self.venue, self.bars, still if self.slippage is None else self.slippage
        )

    def link_losses(self) -> tuple[FaultSpec, ...]:
        """Return the outages as faults."""
        first_ms = int(self.bars.time_ms[0])
        return tuple(
            FaultSpec(kind=FaultKind.LINK_LOSS, after_ms=start - first_ms, for_ms=end - start)
            for start, end in self.outages
        )

    @property
    def symbols(self) -> list[str]:
        """Return the traded symbols."""
        return [self.bars.symbol]

    def backtest_engine(self) -> Engine:
        """Return an engine over all of the bars."""
        return self.engine(Series.over(self.bars))

    def live_engine(self) -> Engine:
        """Return an engine over a series that is still empty."""
        return self.engine(Series(self.bars.symbol, self.bars.timeframe, self.bars.digits))

    def engine(self, series: Series) -> Engine:
        """Return an engine over a series."""
        identity = BotIdentity()
        orders = OrderMaker(
            "test",
            Terms.of(self.venue, series.symbol),
            deviation_points=self.deviation_points,
            deadline_ms=60_000,
        )
        slot = StrategySlot(self.strategy(), self.exits(), series, orders)
        portfolio = Portfolio(identity, self.venue.clock)
        return Engine([slot], RiskEngine(self.limits), self.desk(identity), portfolio)

    def desk(self, identity: BotIdentity) -> Desk:
        """Return an order desk."""
        return Desk(identity, self.quiet_ms)

    def backtest(self) -> tuple[Market, list[Publish]]:
        """Run in the backtest runner."""
        market = self.market()
        notes: list[Publish] = []
        BacktestRunner(self.backtest_engine(), market, notes.append).run()
        return market, notes

    def live(self, **options: Any) -> LiveRun:
        """Run in the live runner on the simulated terminal."""
        run = LiveRun(self, **options)
        run.run()
        return run


class MovingExit:
    """Protect by a stop, and ask at each bar to move it to where `level_of` says (points)."""

    name, priority = "moving", 1

    def __init__(self, stop_points: int, level_of: Callable[[Position, BarsView], int]) -> None:
        self._stop, self._level_of = stop_and_target(stop_points=stop_points), level_of

    def on_start(self, bars: BarsView) -> None:
        """Ask for what the stop needs."""
        self._stop.on_start(bars)

    def protection(self, side: Side) -> Protection:
        """Return the stop."""
        return self._stop.protection(side)

    def on_bar(self, position: Position, bars: BarsView) -> ExitSignal | None:
        """Move the stop."""
        return ExitSignal(
            position_ticket=position.position_ticket,
            exit_name=self.name,
            priority=self.priority,
            reason="moved",
            stop_points=self._level_of(position, bars),
        )


class DirectClient:
    """Do a client's work at once, without a thread of its own: the same calls, far quicker."""

    def __init__(self, session: BrokerSession, clock: Any) -> None:
        self.session = session

    async def run(self, work: Callable[[], Any]) -> Any:
        """Do a piece of work."""
        return work()

    async def connect(self) -> Any:
        """Connect and log in."""
        return self.session.connect()

    def close(self) -> None:
        """Do nothing: there is no thread to give back."""


def blinks_after(lost_ms: int) -> list[tuple[int, int]]:
    """Return two short outages: what got no answer at a time is given up two quiet times later.

    Pauses that grew with each look would be a minute long by then.
    """
    return [(lost_ms + after_ms, lost_ms + after_ms + 20_000) for after_ms in (50_000, 130_000)]


class LiveRun:
    """Hold a live run on the simulated terminal, with whatever wraps the terminal."""

    def __init__(
        self,
        world: World,
        *,
        journal: Any = None,
        log: Any = None,
        wrap: Callable[[SimulatedTerminal, SimulatedServer], Any] | None = None,
        on_step: Callable[[LiveRun], None] | None = None,
        client: Callable[..., Any] = MT5Client,
        gap_ms: int | None = None,
    ) -> None:
        self.world = world
        self.gap_ms = gap_ms
        self.journal = journal or MemoryJournal()
        self.market = world.market()
        faults = Faults(FaultScenario(faults=world.link_losses()))
        self.server = SimulatedServer(self.market, log or MemoryLog(), faults)
        terminal = FaultyTerminal(self.server, faults)
        self.terminal = wrap(terminal, self.server) if wrap else terminal
        self.notes: list[Publish] = []
        self._on_step = on_step
        self.session = BrokerSession(
            self.terminal,
            world.symbols,
            server_clock=world.venue.clock,
            clock=self,
            mapper=_MAPPER,
        )
        self.client = client(self.session, self)
        self.engine = world.live_engine()
        self.runner = LiveRunner(
            self.engine, self.client, self.journal, self, self, subscriber=self.notes.append
        )

    def now_ms(self) -> int:
        """Return the server's time."""
        return self.server.now_ms

    async def next(self) -> bool:
        """Step the market."""
        stepped = self.server.step()
        if stepped and self._on_step:
            self._on_step(self)
        return stepped

    def run(self) -> None:
        """Run to the end."""
        try:
            asyncio.run(self.runner.run())
        finally:
            self.client.close()

    def named(self, name: str) -> list[Publish]:
        """Return the observations of a name."""
        return [note for note in self.notes if note.name == name]


class Successor(LiveRun):
    """Be a new process in front of an old server; options as of a `LiveRun`.

    Its world, which says what is traded, and its journal are the old ones where none are given.
    """

    def __init__(
        self,
        before: LiveRun,
        *,
        world: World | None = None,
        journal: Any = None,
        wrap: Callable[[SimulatedTerminal, SimulatedServer], Any] | None = None,
        **options: Any,
    ) -> None:
        def in_front(_terminal: SimulatedTerminal, _server: SimulatedServer) -> Any:
            terminal = SimulatedTerminal(before.server)
            return terminal if wrap is None else wrap(terminal, before.server)

        journal = before.journal if journal is None else journal
        super().__init__(world or before.world, journal=journal, wrap=in_front, **options)
        self.server, self.market = before.server, before.market


class Faulty:
    """Be a terminal, with some functions replaced."""

    def __init__(self, terminal: Any, **replaced: Any) -> None:
        self._terminal = terminal
        self._replaced = replaced

    def __getattr__(self, name: str) -> Any:
        return self._replaced.get(name) or getattr(self._terminal, name)


def silent(terminal: Any, name: str, has_no_answer: Callable[..., bool]) -> Faulty:
    """Return a terminal of which one function does nothing and answers nothing to some calls.

    Args:
        terminal: what answers the others.
        name: the function.
        has_no_answer: asked at each of its calls, with what it is called with.
    """
    is_silent = [False]

    def answered(*args: Any, **named: Any) -> Any:
        is_silent[0] = has_no_answer(*args, **named)
        return None if is_silent[0] else getattr(terminal, name)(*args, **named)

    def last_error() -> tuple[int, str]:
        return (-10005, "IPC timeout") if is_silent[0] else terminal.last_error()

    return Faulty(terminal, last_error=last_error, **{name: answered})
