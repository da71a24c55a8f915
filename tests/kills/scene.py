"""The scene of a run: a market, an account, strategies that decide often, a person who halts.

All of it follows from a seed and the account's mode, so that every life of a bot finds the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
from simulation.bot import Parts, Restless, RestlessExit, RestlessOnTicks
from simulation.schedule import LEVELS, Habit
from worlds import MONDAY_MS, make_instrument, stop_and_target, walked_bars

from mtquant.engine import OrderMaker, StrategySlot
from mtquant.exchange import AccountSpec, BarFeed, Market, Terms, VenueSpec
from mtquant.model import BotIdentity, MarginMode, Timeframe
from mtquant.risk import RiskLimits
from mtquant.strategy import ExitStrategy, Series

if TYPE_CHECKING:
    from collections.abc import Callable

    from mtquant.engine import Engine
    from mtquant.model import Bars

OURS: Final = BotIdentity()
BUSY_BARS, QUIET_BARS = 26, 8
"""While it is busy the bot decides and dies; while it is quiet, what is open comes to rest."""
HALTS: Final = ((6, 7, 1), (12, 13, 3), (19, 20, 2))
"""From which bar to which bar a person wants which level."""
_MINUTE_MS: Final = 60_000


@dataclass(frozen=True)
class Scene:
    """Describe everything outside the process that is killed."""

    seed: int
    mode: MarginMode

    @property
    def quiet_ms(self) -> int:
        """Return from when on nothing new is decided."""
        return MONDAY_MS + BUSY_BARS * _MINUTE_MS

    @property
    def fingerprint(self) -> str:
        """Return what the server's file must be of."""
        return f"kills {self.seed} {self.mode.value}"

    @property
    def symbols(self) -> tuple[str, ...]:
        """Return the traded symbols."""
        return tuple(dict.fromkeys(habit.symbol for habit in self.habits))

    @cached_property
    def habits(self) -> tuple[Habit, ...]:
        """Return how the strategies behave; on a netting account each has its own symbol."""
        traded = ["EURUSD", "GBPUSD"]
        if self.mode is MarginMode.HEDGING:
            traded.append("EURUSD")
        return tuple(
            Habit(
                name=f"s{number}",
                symbol=symbol,
                on_ticks=number == 1,
                speaks_fraction=0.6 if number == 1 else 0.9,
                moves_fraction=0.2,
                leaves_fraction=0.1,
                stop_points=(60, 200, 120)[number],
                target_points=(100, None, 200)[number],
            )
            for number, symbol in enumerate(traded)
        )

    @cached_property
    def venue(self) -> VenueSpec:
        """Return the venue."""
        account = AccountSpec(deposit=50_000.0, leverage=200, margin_mode=self.mode)
        instruments = {symbol: make_instrument(symbol) for symbol in self.symbols}
        return VenueSpec(server_clock="fixed:+2", account=account, instruments=instruments)

    def market(self) -> Market:
        """Return the market; it has played nothing."""
        rng = np.random.default_rng([self.seed, 6])
        feeds = []
        for symbol in self.symbols:
            bars = _bars(symbol, rng)
            slips = rng.integers(-2, 4, (len(bars), 2)).astype(np.int32)
            feeds.append(BarFeed(self.venue, bars, slips))
        return Market(self.venue, feeds[0], feeds[1:])

    def engine(self, parts: Parts, may_speak: Callable[[], bool]) -> Engine:
        """Return the engine of a new process."""
        limits = RiskLimits(
            risk_per_trade_fraction=0.003, max_positions=3, max_daily_loss_fraction=0.9
        )
        slots = [self._slot(habit, may_speak) for habit in self.habits]
        portfolio = parts.portfolio(OURS, self.venue.clock)
        return parts.engine(slots, parts.risk(limits), parts.desk(OURS), portfolio)

    def wanted_halt(self, now_ms: int) -> int:
        """Return the level that a person wants at a time, 0 for none."""
        bar = (now_ms - MONDAY_MS) // _MINUTE_MS
        return next((level for first, last, level in HALTS if first <= bar < last), 0)

    def _slot(self, habit: Habit, may_speak: Callable[[], bool]) -> StrategySlot:
        strategy = RestlessOnTicks if habit.on_ticks else Restless
        terms = Terms.of(self.venue, habit.symbol)
        exits: list[ExitStrategy] = [
            stop_and_target(stop_points=habit.stop_points, target_points=habit.target_points),
            RestlessExit(self.seed, habit),
        ]
        digits = self.venue.instrument(habit.symbol).digits
        return StrategySlot(
            strategy(self.seed, habit, may_speak),
            exits,
            Series(habit.symbol, Timeframe.M1, digits),
            OrderMaker(habit.name, terms, deviation_points=20, deadline_ms=60_000),
        )


def _bars(symbol: str, rng: np.random.Generator) -> Bars:
    count, size = BUSY_BARS + QUIET_BARS, 30
    still = np.zeros(count, dtype=np.int64)
    return walked_bars(
        symbol,
        Timeframe.M1,
        level=LEVELS[symbol],
        step=rng.integers(-size, size + 1, count),
        gap=still,
        wicks=rng.integers(0, size + 1, (2, count)),
        skipped=still,
        spread=rng.choice([4, 10, 10, 10], count),
    )
