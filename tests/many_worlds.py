"""Worlds of several symbols and timeframes: one account, several strategies, one clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from worlds import (
    DIGITS,
    MONDAY_MS,
    Scripted,
    World,
    make_instrument,
    require_same_books,
    stop_and_target,
    trailing,
    walked_bars,
)

from mtquant.data import resample
from mtquant.engine import BacktestRunner, Engine, OrderMaker, StrategySlot
from mtquant.exchange import (
    NEVER,
    AccountSpec,
    BarFeed,
    Feed,
    Market,
    Terms,
    TickFeed,
    VenueSpec,
)
from mtquant.model import (
    Bars,
    BotIdentity,
    Direction,
    MarginMode,
    Signal,
    Ticks,
    Timeframe,
)
from mtquant.portfolio import Portfolio
from mtquant.risk import RiskEngine
from mtquant.strategy import BarsView, ExitStrategy, Series, Strategy, TickView

if TYPE_CHECKING:
    from numpy.typing import NDArray

PAUSES = [0.1, 0.3, 0.3, 0.19, 0.1, 0.01]
LEVELS = {"EURUSD": 110_000, "GBPUSD": 125_000, "USDJPY": 110_000}


class LooksHigher(Scripted):
    """Say what a list says, and remember what the longer timeframe showed at each bar."""

    def __init__(self, script: Sequence[Direction | None], longer: Timeframe) -> None:
        super().__init__(script)
        self._timeframe = longer
        self.looks: list[tuple[int, int, int]] = []

    def on_start(self, bars: BarsView) -> None:
        """Ask for the longer timeframe."""
        self._longer = bars.longer(self._timeframe)

    def on_bar(self, bars: BarsView) -> Signal | None:
        """Say what the list says, in doubt what the longer bars do."""
        longer = self._longer
        if not len(longer):
            self.looks.append((bars.time_ms[-1], 0, 0))
            return super().on_bar(bars)
        self.looks.append((bars.time_ms[-1], len(longer), longer.points.close[-1]))
        wanted = super().on_bar(bars)
        if wanted is not None and longer.close[-1] < longer.open[-1]:
            return self.signal(bars, wanted.direction, strength=0.5)
        return wanted


class Ticking(Scripted):
    """Say what a list says at closes, and fade jumps between ticks; remember every look."""

    def __init__(self, script: Sequence[Direction | None], jump_points: int) -> None:
        super().__init__(script)
        self._jump_points = jump_points
        self._last = 0
        self.looks: list[tuple[int, int, int]] = []

    def on_bar(self, bars: BarsView) -> Signal | None:
        """Remember the bar."""
        self.looks.append((0, bars.time_ms[-1], bars.points.close[-1]))
        return super().on_bar(bars)

    def on_tick(self, ticks: TickView) -> Signal | None:
        """Trade against a jump, and leave when the price stands still."""
        before, self._last = self._last, ticks.bid_points
        self.looks.append((ticks.time_ms, ticks.bars.time_ms[-1], ticks.ask_points))
        if before and abs(ticks.bid_points - before) > self._jump_points:
            rises = ticks.bid_points > before
            return self.tick_signal(ticks, Direction.SHORT if rises else Direction.LONG)
        return self.tick_signal(ticks, Direction.FLAT) if before == ticks.bid_points else None


@dataclass(frozen=True, kw_only=True)
class Lane:
    """Describe one strategy of a world."""

    name: str
    symbol: str
    timeframe: Timeframe
    strategy: Callable[[], Strategy]
    exits: Callable[[], list[ExitStrategy]] = lambda: [stop_and_target(stop_points=200)]


@dataclass(kw_only=True, repr=False)
class ManyWorld(World):
    """Describe a run of several strategies; `bars` is the first symbol's source of prices."""

    lanes: Sequence[Lane]
    others: Sequence[Bars] = ()
    ticks: Sequence[Ticks] = ()  # of the symbols whose bars are the minutes of them
    bars: Bars
    strategy: Callable[[], Strategy] = field(default=lambda: Scripted([]))

    def __repr__(self) -> str:
        lanes = [(one.name, one.symbol, one.timeframe.name) for one in self.lanes]
        return f"ManyWorld({self.venue.account.margin_mode.name}, {len(self.bars)}, {lanes})"

    @property
    def symbols(self) -> list[str]:
        """Return the traded symbols."""
        return list(dict.fromkeys(lane.symbol for lane in self.lanes))

    @property
    def looks(self) -> list[list[tuple[int, int, int]] | None]:
        """Return what each strategy of the last run remembers, None where it remembers nothing."""
        return [getattr(one, "looks", None) for one in self.strategies]

    def source(self, symbol: str) -> Bars:
        """Return a symbol's source of prices."""
        return next(one for one in (self.bars, *self.others) if one.symbol == symbol)

    def market(self) -> Market:
        """Return a market that has played nothing."""
        chance = np.random.default_rng(len(self.bars))

        def slips(rows: int) -> NDArray[np.int32]:
            return chance.integers(-2, 4, (rows, 2)).astype(np.int32)

        ticks = {one.symbol: one for one in self.ticks}
        feeds: list[Feed] = [
            TickFeed(self.venue, ticks[one.symbol], slips(len(ticks[one.symbol])))
            if one.symbol in ticks
            else BarFeed(self.venue, one, slips(len(one)))
            for one in (self.bars, *self.others)
        ]
        return Market(self.venue, feeds[0], feeds[1:])

    def backtest_engine(self) -> Engine:
        """Return an engine whose series hold all bars."""

        def whole(symbol: str, timeframe: Timeframe) -> Series:
            return Series.over(resample(self.source(symbol), timeframe, self.venue.clock))

        return self._engine(whole)

    def live_engine(self) -> Engine:
        """Return an engine whose series are still empty."""
        return self._engine(lambda symbol, timeframe: Series(symbol, timeframe, DIGITS[symbol]))

    def _engine(self, series: Callable[[str, Timeframe], Series]) -> Engine:
        identity = BotIdentity()
        self.strategies = [lane.strategy() for lane in self.lanes]
        slots = [
            StrategySlot(
                strategy,
                lane.exits(),
                series(lane.symbol, lane.timeframe),
                OrderMaker(
                    lane.name,
                    Terms.of(self.venue, lane.symbol),
                    deviation_points=20,
                    deadline_ms=60_000,
                ),
                clock=self.venue.clock,
                longer_source=lambda timeframe, lane=lane: series(lane.symbol, timeframe),
            )
            for lane, strategy in zip(self.lanes, self.strategies, strict=True)
        ]
        portfolio = Portfolio(identity, self.venue.clock)
        return Engine(slots, RiskEngine(self.limits), self.desk(identity), portfolio)

    def walked(self) -> Market:
        """Run in the backtest runner without skipping anything."""
        market = self.market()
        market.next_event = lambda: (market.now_ms, NEVER)  # type: ignore[method-assign]
        BacktestRunner(self.backtest_engine(), market).run()
        return market


def require_equal(world: ManyWorld) -> None:
    """Hold both runners against each other: books, journal, looks and decisions."""
    played, told = world.backtest()
    looked = world.looks
    run = world.live()

    require_same_books(run.market, played)
    assert run.journal.deals() == played.book.ledger.deals
    assert looked == world.looks
    names = {"signal_raised", "order_approved", "order_refused", "position_closed"}
    assert [n for n in run.notes if n.name in names] == [n for n in told if n.name in names]


def many_venue(
    *, mode: MarginMode = MarginMode.HEDGING, always_open: bool = False, **account: float
) -> VenueSpec:
    """Return a USD account that trades three pairs; one converts at its own price."""
    hours = {"sessions": ("00:00-24:00",) * 7} if always_open else {}
    return VenueSpec(
        account=replace(AccountSpec(margin_mode=mode), **account),
        instruments={symbol: make_instrument(symbol, **hours) for symbol in DIGITS},
    )


def walk_of(
    symbol: str,
    timeframe: Timeframe,
    count: int,
    chance: np.random.Generator,
    *,
    size: int = 40,
    first_ms: int = MONDAY_MS,
) -> Bars:
    """Return a random walk with gaps in price and time."""
    step = chance.integers(-size, size + 1, count)
    gap = np.where(
        chance.random(count) < 0.1, chance.integers(-4 * size - 1, 4 * size + 2, count), 0
    )
    return walked_bars(
        symbol,
        timeframe,
        level=LEVELS[symbol],
        step=step,
        gap=gap,
        wicks=chance.integers(0, size + 1, (2, count)),
        skipped=np.where(chance.random(count) < 0.05, chance.integers(1, 30, count), 0),
        spread=chance.choice([0, 5, 10, 10, 40], count),
        tick_volume=chance.integers(1, 50, count),
        first_ms=first_ms,
    )


def ticks_of(symbol: str, count: int, chance: np.random.Generator, *, size: int = 12) -> Ticks:
    """Return ticks that come in bursts, some at one time, with pauses and jumps between."""
    pause = chance.choice([0, 137, 2_000, 11_000, 70_000, 3_700_000], count, p=PAUSES)
    step = chance.integers(-size, size + 1, count)
    jump = np.where(chance.random(count) < 0.03, chance.integers(-9 * size, 9 * size, count), 0)
    bid = LEVELS[symbol] + np.cumsum(step + jump)
    return Ticks(
        symbol=symbol,
        digits=DIGITS[symbol],
        time_ms=MONDAY_MS + 1_234 + np.cumsum(pause).astype(np.int64),
        bid=bid.astype(np.int32),
        ask=(bid + chance.choice([0, 4, 8, 30], count)).astype(np.int32),
    )


def random_script(chance: np.random.Generator, count: int) -> list[Direction | None]:
    """Return a script that speaks up at a third of the bars."""
    words: list[Direction | None] = [None, None, None, None, None, None, *Direction]
    return [words[pick] for pick in chance.integers(0, len(words), count)]


def random_exits(chance: np.random.Generator) -> Callable[[], list[ExitStrategy]]:
    """Return exits with a near or a far stop, some with a target, some that trail."""
    stop = int(chance.choice([25, 120, 400]))
    target = int(chance.choice([60, 300])) if chance.random() < 0.5 else None
    trails = chance.random() < 0.4
    return lambda: [
        stop_and_target(stop_points=stop, target_points=target),
        *([trailing(atr_period=3, distance_atr=1.0)] if trails else []),
    ]


def ticks_at(*rows: tuple[float, int]) -> Ticks:
    """Return ticks at seconds after Monday's first, with a spread of 10 points."""
    seconds, bids = zip(*rows, strict=True)
    bid = np.array(bids, dtype=np.int32)
    time_ms = MONDAY_MS + (1000 * np.array(seconds)).astype(np.int64)
    return Ticks(symbol="EURUSD", digits=5, time_ms=time_ms, bid=bid, ask=bid + np.int32(10))
