"""A schedule: all that a seed says about a run, drawn before anything happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from worlds import MONDAY_MS, make_instrument, walked_bars

from mtquant.exchange import AccountSpec, BarFeed, Market, VenueSpec
from mtquant.model import Bars, ExecutionMode, Filling, MarginMode, Timeframe
from mtquant.risk import RiskLimits
from mtquant.terminal.simulated.faults import (
    FaultKind,
    FaultScenario,
    FaultSpec,
    Latency,
    Shape,
)
from simulation.risk_draws import draw_limits, draw_low_breaker, make_guard

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mtquant.risk.prop import PropGuard
    from simulation.risk_draws import Pick

HOME, AWAY = 1000001, 1000002
SECRET = "canary-4711"  # nobody may repeat it
AGE = 9
"""2: calls for halts in the middle of looks; 3: limits of entries and volumes; 4: clocks; 5: depth;
6: limits of losses, exposure and times; 7: power losses, low leverage; 8: calls that raise, disks
that are full for a while; 9: cuts of losses that meet several positions.
"""
RECENT_AGES = (AGE, 8, 7, 5)  # each draws something more often than the others do
STEPS = 200
HEALING_STEPS = 40
LAST_STEPS = 10  # of the last process: an order's largest volume may be a part of what it closes
LEVELS = {"EURUSD": 110_000, "GBPUSD": 130_000, "USDJPY": 111_000}
_BARS, _LATER_BARS = 160, 240
_MINUTE_MS = 60_000
_TO_MIDNIGHT = 15  # bars
_MIDNIGHT_MS = MONDAY_MS + (24 * 60 - _TO_MIDNIGHT) * _MINUTE_MS
_BEFORE_SUMMER_MS = 1_490_392_800_000 - _TO_MIDNIGHT * _MINUTE_MS  # 2017-03-24 22:00 UTC, Friday
_WEEKEND = 47 * 60  # minutes of a weekend in which the summer time begins
_READS = (
    "account_info",
    "positions_get",
    "orders_get",
    "history_orders_get",
    "history_deals_get",
    "symbol_info_tick",
    "copy_rates_from_pos",
    "symbol_info",
    "symbol_select",
    "initialize",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """Describe a strategy that decides often: what it trades, how often it speaks and moves.

    Chances are per bar, or per tick where it looks at ticks. One that is steady has one opinion.
    """

    name: str
    symbol: str
    on_ticks: bool
    speaks_fraction: float
    moves_fraction: float
    leaves_fraction: float
    stop_points: int
    target_points: int | None
    is_steady: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """Say how likely other hands are: people and other programs per step, kills per point.

    A full disk is met per write of the journal: nothing is written, and the write fails; or the row
    takes the room that was kept, and there is none for some looks. A call of the terminal may raise
    instead of answering, an order also once it was taken. Calls for a halt, or the end of one, come
    between two deeds of the bot; so do stalls, for which the process sleeps. Its clock is off
    against the server's, and set anew with a chance per look. The power goes in the middle of
    writes, and then also with half of the kills.
    """

    halts: float
    resumes: float
    others_trade: float
    others_close: float
    stops: float
    kills: float
    kills_at_orders: float
    full_disks: float
    kills_at_records: float = 0.0
    calls: float = 0.0
    calls_at_sends: float = 0.0
    stalls: float = 0.0
    stalls_at_sends: float = 0.0
    clock_off_ms: int = 0
    clock_jumps: float = 0.0
    power_losses: float = 0.0
    breakdowns: float = 0.0
    breakdowns_at_sends: float = 0.0
    fills_disk: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Hold a drawn run."""

    seed: int
    venue: VenueSpec
    bars: tuple[Bars, ...]
    habits: tuple[Habit, ...]
    limits: RiskLimits
    faults: FaultScenario
    hands: Hands
    steps: int = STEPS

    @property
    def symbols(self) -> tuple[str, ...]:
        """Return the traded symbols."""
        return tuple(dict.fromkeys(habit.symbol for habit in self.habits))

    @property
    def is_hedging(self) -> bool:
        """Tell whether the account holds several positions a symbol."""
        return self.venue.account.margin_mode is MarginMode.HEDGING

    def guard(self) -> PropGuard | None:
        """Return a guard of a prop firm's rules that has seen nothing, None without rules."""
        return make_guard(self.limits.prop, self.venue)

    def market(self) -> Market:
        """Return a market that has played nothing."""
        rng = np.random.default_rng([self.seed, 5])
        feeds = [
            BarFeed(self.venue, bars, rng.integers(-2, 4, (len(bars), 2)).astype(np.int32))
            for bars in self.bars
        ]
        return Market(self.venue, feeds[0], feeds[1:])


@dataclass(frozen=True, slots=True)
class Seed:
    """Number a schedule; the age says which draws there were when it was kept.

    What is added later to the schedules comes with an age of its own, from dice of its own, so that
    a seed of an earlier age goes on meaning the same. Written, age 1 is left out.
    """

    number: int
    age: int = AGE

    @classmethod
    def read(cls, text: str) -> Seed:
        """Return what is written as `7` or `7@2`."""
        number, _, age = text.partition("@")
        return cls(int(number), int(age or 1))

    def __str__(self) -> str:
        return str(self.number) if self.age == 1 else f"{self.number}@{self.age}"


def draw_schedule(seed: Seed) -> Schedule:
    """Return the schedule of a seed."""
    return _Draw(seed).schedule()


class _Dice:
    """Draw by chance, or always the first of what there is."""

    def __init__(self, seed: int, stream: int, *, is_used: bool = True) -> None:
        self.rng = np.random.default_rng([seed, stream])
        self.is_used = is_used

    def pick(self, things: Sequence[Any]) -> Any:
        return things[int(self.rng.integers(len(things)))] if self.is_used else things[0]

    def often(self, usual: float) -> float:
        """Draw how likely something is: never, as usual, or twice that."""
        return self.pick((0.0, 0.0, usual, 2 * usual))


class _Draw(_Dice):
    """Draw a schedule; where it `loses`, the breaker is to cut several positions, and again."""

    def __init__(self, seed: Seed) -> None:
        super().__init__(seed.number, 1)
        self.seed = seed.number
        ages = range(2, AGE + 1)
        self.added = {n: _Dice(seed.number, 9 + n, is_used=n <= seed.age) for n in ages}
        self.loses = self.added[9].pick((False, False, False, True, True))
        self.first_ms = self.added[4].pick((MONDAY_MS,) * 4 + (_MIDNIGHT_MS, _BEFORE_SUMMER_MS))

    @property
    def has_weekend(self) -> bool:
        """Tell whether a weekend, and with it the summer time, comes soon after the start."""
        return self.first_ms == _BEFORE_SUMMER_MS

    def schedule(self) -> Schedule:
        count = self.pick((1, 1, 2, 3))
        symbols = [str(one) for one in self.rng.permutation(sorted(LEVELS))[:count]]
        mode = self.pick((MarginMode.HEDGING, MarginMode.NETTING))
        if self.loses and self.added[9].pick((False, True)):
            mode = MarginMode.HEDGING
        venue = self.venue(mode, symbols)
        is_gappy = bool(self.rng.random() < 0.25)
        # over a gap in the prices a lag of some ticks would be one of hours: longer than any quiet
        lags = not is_gappy and bool(self.rng.random() < 0.6) and not self.has_weekend
        bars = tuple(self.bars(symbol, is_gappy=is_gappy) for symbol in symbols)
        limits = draw_limits(self.added[6].pick, venue.account.deposit)
        if self.loses:  # nothing else is to keep positions few
            limits = draw_low_breaker(self.added[9].pick)
        return Schedule(
            seed=self.seed,
            venue=venue,
            bars=bars,
            habits=self.habits(mode, symbols),
            limits=RiskLimits(
                risk_per_trade_fraction=self.pick((0.005, 0.01, 0.03)),
                max_positions=self.pick((1, 2, 2, 3, 5)) + (3 if self.loses else 0),
                max_daily_loss_fraction=self.pick((0.05, 0.5, 0.9)),
                max_spread_points=self.pick((15, 50, 50)),
                max_entries_per_minute=self.added[3].pick((60, 60, 60, 2, 3, 5)),
                max_entries_per_day=self.added[3].pick((None, None, None, 6, 15)),
                **limits,
            ),
            faults=self.faults(lags=lags),
            hands=Hands(
                halts=self.often(0.006) * (0.3 if self.loses else 1.0),
                resumes=self.pick((0.05, 0.3)),
                others_trade=self.often(0.015),
                others_close=self.pick((0.03, 0.1)),
                stops=self.often(0.01),
                kills=self.often(0.001),
                kills_at_orders=self.often(0.04),
                full_disks=self.often(0.01),
                kills_at_records=self.added[2].often(0.08),
                calls=self.added[2].often(0.0005),
                calls_at_sends=self.added[2].often(0.02),
                stalls=self.added[4].often(0.0002),
                stalls_at_sends=self.added[4].often(0.015),
                clock_off_ms=self.added[4].pick((0, 0, 0, 0, -600_000, -90_000, 90_000, 600_000)),
                clock_jumps=self.added[4].often(0.004),
                power_losses=self.added[7].often(0.02),
                breakdowns=self.added[8].often(0.0005),
                breakdowns_at_sends=self.added[8].often(0.02),
                fills_disk=self.added[8].often(0.02),
            ),
        )

    def venue(self, mode: MarginMode, symbols: Sequence[str]) -> VenueSpec:
        other = MarginMode.NETTING if mode is MarginMode.HEDGING else MarginMode.HEDGING
        money = {"deposit": self.pick((3_000.0, 10_000.0, 50_000.0))}
        money["leverage"] = self.added[7].pick((200, 200, 200, 30))
        if self.loses:  # volumes of which a part can be kept
            money = {"deposit": 100_000.0, "leverage": 200}
        execution = self.pick((ExecutionMode.MARKET, ExecutionMode.MARKET, ExecutionMode.INSTANT))
        step = self.pick((0.01, 0.1))
        facts = {
            "execution_mode": execution,
            "stops_level_points": self.pick((0, 0, 15)),
            "volume_min_lots": step,
            "volume_step_lots": step,
            "commission_per_lot": self.pick((0.0, 3.5)),
            "volume_max_lots": self.added[3].pick((500.0, 500.0, 500.0, 0.5)),
            "volume_limit_lots": self.added[3].pick((0.0, 0.0, 0.0, 1.0)),
        }
        if self.added[5].pick((False, False, True)):  # orders are filled by and by
            facts |= {
                "execution_mode": ExecutionMode.EXCHANGE,
                "fillings": (Filling.RETURN,),
                "depth_points": (0, 3),
                "depth_lots": self.added[5].pick(((0.1, 0.1), (0.1, 0.3), (1.0, 2.0))),
            }
        return VenueSpec(
            server_clock="eet_eu" if self.has_weekend else "fixed:+2",
            account=AccountSpec(login=HOME, password=SECRET, margin_mode=mode, **money),
            more_accounts=(AccountSpec(login=AWAY, password="two", margin_mode=other),),
            instruments={symbol: make_instrument(symbol, **facts) for symbol in symbols},
        )

    def bars(self, symbol: str, *, is_gappy: bool) -> Bars:
        size = self.pick((5, 30, 120))
        walk = _walk(self.rng, _BARS, size, is_gappy=is_gappy)
        if self.added[4].is_used:
            later = _walk(self.added[4].rng, _LATER_BARS, size, is_gappy=is_gappy)
            walk = {name: np.concatenate([walk[name], later[name]], axis=-1) for name in walk}
        if self.has_weekend:
            walk["skipped"][_TO_MIDNIGHT] = _WEEKEND
        return walked_bars(
            symbol, Timeframe.M1, level=LEVELS[symbol], first_ms=self.first_ms, **walk
        )

    def habits(self, mode: MarginMode, symbols: Sequence[str]) -> tuple[Habit, ...]:
        count = len(symbols)
        traded = list(symbols)
        if mode is MarginMode.HEDGING:
            count = self.pick((1, 2, 3))
            traded = [self.pick(symbols) for _ in range(count)]
        habits = [self.habit(f"s{number}", symbol) for number, symbol in enumerate(traded)]
        if self.loses and mode is MarginMode.HEDGING:
            pick = self.added[9].pick
            more = range(count, count + pick((2, 3)))
            habits += [_holding_habit(f"s{number}", pick(symbols), pick) for number in more]
        return tuple(habits)

    def habit(self, name: str, symbol: str) -> Habit:
        return Habit(
            name=name,
            symbol=symbol,
            on_ticks=bool(self.rng.random() < 0.5),
            speaks_fraction=self.pick((0.2, 0.5, 0.9)),
            moves_fraction=self.pick((0.0, 0.3)),
            leaves_fraction=self.pick((0.0, 0.1)),
            stop_points=self.pick((60, 200, 600)),
            target_points=self.pick((None, 100, 400)),
        )

    def faults(self, *, lags: bool) -> FaultScenario:
        listed = [*self.lost_orders(lags=lags), *self.states(lags=lags), *self.by_hand()]
        if self.loses:
            listed += self.refused_cuts(self.added[9].pick)
        latency = Latency(at_most_ms=self.pick((0, 0, 1_500)))
        return FaultScenario(seed=self.seed, faults=tuple(listed), latency=latency)

    def some(self, usual: float, *specs: dict[str, Any]) -> list[FaultSpec]:
        """Draw how likely each fault is; those that never come are left out."""
        return _that_come((self.often(usual), spec) for spec in specs)

    def lost_orders(self, *, lags: bool) -> list[FaultSpec]:
        k, error = FaultKind, self.pick((-1, -10001, -10002, -10004, -10005))
        # late and lagging together stay below the quiet time, or else nothing is promised
        delay = self.pick((1_000, 10_000) if lags else (10_000, 45_000))
        beyond = self.pick((80_000, 200_000))
        return self.some(
            0.03,
            {"kind": k.LOST_REQUEST, "error": error},
            {"kind": k.LOST_REPLY, "error": error},
            {"kind": k.LATE, "delay_ms": delay},
            {"kind": k.LATE, "delay_ms": beyond},
            {"kind": k.TIMEOUT},
            {"kind": k.TIMEOUT, "executed": True},
            {"kind": k.NO_CONNECTION},
            {"kind": k.NO_CONNECTION, "executed": True},
            {"kind": k.ANSWER},
            {"kind": k.REQUOTE},
            {"kind": k.PLACED},
            {"kind": k.PARTIAL, "filled_fraction": self.pick((0.2, 0.5, 0.9))},
            {"kind": k.NO_ANSWER, "function": "order_send", "error": self.pick((-2, -8, -10005))},
        )

    def refused_cuts(self, pick: Pick) -> list[FaultSpec]:
        """Draw refused prices, and links that are lost soon after, more often than elsewhere."""
        k, requotes, silences = FaultKind, pick((0.0, 0.1, 0.3)), pick((0.0, 0.05))
        silent = {"kind": k.NO_ANSWER, "function": "positions_get", "error": -10005}
        return _that_come([(requotes, {"kind": k.REQUOTE}), (silences, silent)])

    def states(self, *, lags: bool) -> list[FaultSpec]:
        k, for_ms = FaultKind, self.pick((5_000, 30_000, 90_000))
        ticks = self.pick((1, 2))
        views = [
            {"kind": k.CACHE_LAG, "for_ms": for_ms, "ticks": ticks},
            {"kind": k.CACHE_LAG, "for_ms": for_ms, "ticks": ticks, "history_ticks": 0},
            {"kind": k.CACHE_LAG, "for_ms": for_ms, "ticks": ticks, "positions_ticks": 0},
        ]
        found = self.some(
            0.01,
            {"kind": k.LINK_LOSS, "for_ms": for_ms},
            {"kind": k.SERVER_LOSS, "for_ms": for_ms},
            {"kind": k.AUTOTRADING_OFF, "for_ms": for_ms},
            {"kind": k.ACCOUNT_SWITCH, "for_ms": for_ms},
            {"kind": k.STALE_FEED, "for_ms": for_ms},
            {"kind": k.SPIKE, "shape": Shape.ANY},
            {"kind": k.COMMENT, "for_ms": for_ms, "length": self.pick((0, 4))},
        )
        if lags:
            found += self.some(0.04, *views)
        silent = [{"kind": k.NO_ANSWER, "function": name} for name in _READS]
        error = self.pick((-1, -10004, -10005))
        return found + self.some(0.004, *({**one, "error": error} for one in silent))

    def by_hand(self) -> list[FaultSpec]:
        k, fraction = FaultKind, self.pick((0.5, 1.0))
        return self.some(
            0.01,
            {"kind": k.STRIPPED_STOP},
            {"kind": k.MANUAL_TRADE},
            {"kind": k.MANUAL_TRADE, "login": AWAY},
            {"kind": k.MANUAL_CLOSE, "closed_fraction": fraction},
            {"kind": k.BALANCE, "amount": self.pick((-40.0, 500.0))},
        )


def _that_come(drawn: Iterable[tuple[float, dict[str, Any]]]) -> list[FaultSpec]:
    return [FaultSpec(chance_fraction=chance, **spec) for chance, spec in drawn if chance]


def _holding_habit(name: str, symbol: str, pick: Pick) -> Habit:
    """Draw a strategy that holds on to what it has opened, with a stop that is far away."""
    return Habit(
        name=name,
        symbol=symbol,
        on_ticks=pick((False, True)),
        speaks_fraction=0.9,
        moves_fraction=pick((0.0, 0.1)),
        leaves_fraction=pick((0.0, 0.05)),
        stop_points=pick((150, 400)),
        target_points=None,
        is_steady=True,
    )


def _walk(rng: np.random.Generator, count: int, size: int, *, is_gappy: bool) -> dict[str, Any]:
    """Draw how bars move; `size` points is a usual step."""
    step = rng.integers(-size, size + 1, count)
    spikes = np.where(rng.random(count) < 0.02, rng.integers(-10, 11, count), 0) * size
    missing = rng.choice([2, 60, 2900], count) if is_gappy else 0
    return {
        "step": step + spikes,
        "gap": np.where(rng.random(count) < 0.05, rng.integers(-5, 6, count), 0) * size,
        "wicks": rng.integers(0, size + 1, (2, count)),
        "skipped": np.where(rng.random(count) < 0.04, missing, 0),
        "spread": rng.choice([0, 4, 10, 10, 10, 40], count),
    }
