"""How quick the gate is, with every rule on and 50 positions open.

    python bench/bench_gate.py     measures it and stores bench/results/gate.json

100,000 drawn intents meet 50 positions on five symbols; about half of them are refused. Two things
are timed, interpreted: the decision on a view that is there, and the making of that view with it,
as the engine does for each order. A worse figure means that a rule loops over positions, or that
words are made of results that nobody reads. The ratio is to counting to 1,000 in the same run.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":  # what pytest has from pyproject.toml
    ROOT = Path(__file__).resolve().parent.parent
    sys.path[:0] = [str(ROOT / name) for name in ("src", "tests", "bench", "bench/peers")]

import numpy as np
import pytest
from compare import load_average, machine
from worlds import Scripted, bars_of, make_instrument, stop_and_target

from mtquant.app.prop_rules import load_prop_rules
from mtquant.app.risk_limits import read_risk_limits
from mtquant.engine import LossWatch, OrderMaker, StrategySlot
from mtquant.engine.risk_room import RiskRoom
from mtquant.exchange import AccountSpec, Terms, VenueSpec
from mtquant.execution import Desk
from mtquant.model import (
    AccountSnapshot,
    BotIdentity,
    BrokerView,
    IntentAction,
    IntentRow,
    IntentState,
    MarginMode,
    OrderIntent,
    Position,
    Quote,
    Side,
    TradeMode,
)
from mtquant.model.news import Impact, NewsEvent
from mtquant.portfolio import Portfolio
from mtquant.risk import ENTRY_RULES, ApprovedOrder, Directions, PropChoice, RiskEngine, RiskLimits
from mtquant.risk.prop import PropClock, PropGuard
from mtquant.strategy import Series

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mtquant.risk import Refused

pytestmark = pytest.mark.bench
RESULTS = Path(__file__).resolve().parent / "results" / "gate.json"
LIMITS = Path(__file__).resolve().parent.parent / "config" / "risk-limits.yaml"
DRAWN, HELD, TARGET_US = 100_000, 50, 50.0
LEVELS = {"EURUSD": 110_000, "GBPUSD": 130_000, "USDJPY": 111_000}
LOT = 100_000_000
DEPOSIT_MINOR = 100_000_000
US = BotIdentity()


def the_limits() -> RiskLimits:
    """Return limits that switch every rule on, and are met or broken by size, spread and target."""
    return replace(
        read_risk_limits(LIMITS),
        max_positions=HELD + 10,
        max_gross_exposure_ratio=9.0,
        max_net_exposure_ratio=9.0,
        max_symbol_exposure_ratio=9.0,
        max_class_exposure_ratio=9.0,
        max_currency_exposure_ratio=9.0,
        max_correlation=1.0,
        average_daily_lots=dict.fromkeys(LEVELS, 100.0),
        max_daily_volume_fraction=0.05,
        directions=Directions.LONG_ONLY,
        fifo_no_hedge=True,
        pattern_day_trader=True,
        trading_hours=("sun-sat 00:00-24:00",),
        news_calendar="calendar.csv",
        prop=PropChoice(rules="ftmo-2-step", initial_deposit=DEPOSIT_MINOR / 100),
    )


class Rig:
    """Hold the parts of an engine that decide, with 50 positions open."""

    def __init__(self) -> None:
        self.venue = VenueSpec(
            account=AccountSpec(deposit=DEPOSIT_MINOR / 100, leverage=100),
            instruments={symbol: make_instrument(symbol) for symbol in LEVELS},
        )
        clock = self.venue.clock
        self.slots = {symbol: self._slot(number) for number, symbol in enumerate(LEVELS)}
        self.now_ms = self.slots["EURUSD"].bar_ms + 3_600_000
        rules = load_prop_rules("ftmo-2-step")
        guard = PropGuard(rules, DEPOSIT_MINOR, PropClock(rules.day, clock))
        self.gate = RiskEngine(the_limits())
        losses = LossWatch(self.gate.limits, clock, guard)
        losses.observe(self.now_ms, DEPOSIT_MINOR, DEPOSIT_MINOR)
        hours = range(0, self.now_ms, 3_600_000)[-1_000:]
        calendar = [
            NewsEvent(time_ms=ms, currency="NZD", impact=Impact.HIGH, title="rate") for ms in hours
        ]
        desk, portfolio = Desk(US), Portfolio(US, clock)
        self.room = RiskRoom(
            list(self.slots.values()), self.gate, desk, portfolio, losses=losses, calendar=calendar
        )
        desk.restore([self._row(number) for number in range(HELD)])
        view = self.view(0)
        desk.on_view(view)
        portfolio.apply(view)

    def _slot(self, number: int) -> StrategySlot:
        symbol = list(LEVELS)[number]
        steps = np.random.default_rng(number).integers(-60, 61, 250)
        series = Series.over(bars_of((LEVELS[symbol] + steps.cumsum()).tolist(), symbol=symbol))
        orders = OrderMaker(
            f"s{number}", Terms.of(self.venue, symbol), deviation_points=20, deadline_ms=60_000
        )
        slot = StrategySlot(
            Scripted([]), [stop_and_target(stop_points=200)], series, orders, clock=self.venue.clock
        )
        slot.move_to(len(series) - 1)
        return slot

    def price(self, symbol: str) -> int:
        """Return the bid of a symbol, points."""
        return self.slots[symbol].last_close_points

    def held_in(self, number: int) -> str:
        """Return the symbol of one of the 50 positions: EURUSD is traded and not held."""
        return list(LEVELS)[1 + number % 2]

    def _row(self, number: int) -> IntentRow:
        intent = self.intent(self.held_in(number), Side.BUY, LOT // 50, 300, 600)
        return IntentRow(
            intent_id=US.intent_id(number + 1),
            intent=replace(intent, trigger=f"bar:{number}"),
            state=IntentState.DONE,
            filled_units=LOT // 50,
            created_ms=self.now_ms - 86_400_000,
            updated_ms=self.now_ms - 86_400_000,
        )

    def intent(self, symbol: str, side: Side, units: int, stop: int, target: int) -> OrderIntent:
        """Return an entry; distances in points."""
        price = self.price(symbol) + (10 if side is Side.BUY else 0)
        return OrderIntent(
            strategy_id=self.slots[symbol].strategy_id,
            symbol=symbol,
            action=IntentAction.OPEN,
            side=side,
            volume_units=units,
            trigger="bar:x",
            decided_ms=self.now_ms,
            deadline_ms=self.now_ms + 60_000,
            price_points=price,
            stop_loss_points=price - side.value * stop,
            take_profit_points=price + side.value * target,
        )

    def view(self, spread: int) -> BrokerView:
        """Return a reading with the 50 positions."""
        return BrokerView(
            time_ms=self.now_ms,
            account=AccountSnapshot(
                login=1,
                server="x",
                currency="USD",
                currency_digits=2,
                leverage=100,
                margin_mode=MarginMode.HEDGING,
                is_demo=True,
                trade_allowed=True,
                balance_minor=DEPOSIT_MINOR,
                equity_minor=DEPOSIT_MINOR,
                margin_minor=1_000_000,
                time_ms=self.now_ms,
            ),
            positions=tuple(self._position(number) for number in range(HELD)),
            orders=(),
            deals=(),
            closed_orders=(),
            quotes=tuple(
                Quote(
                    symbol=symbol,
                    time_ms=self.now_ms,
                    bid_points=self.price(symbol),
                    ask_points=self.price(symbol) + spread,
                )
                for symbol in LEVELS
            ),
            trade_modes=dict.fromkeys(LEVELS, TradeMode.FULL),
        )

    def _position(self, number: int) -> Position:
        price = self.price(self.held_in(number))
        return Position(
            position_ticket=500 + number,
            symbol=self.held_in(number),
            side=Side.BUY,
            volume_units=LOT // 50,
            open_points=price,
            open_ms=self.now_ms - 86_400_000,
            current_points=price,
            current_ms=self.now_ms,
            stop_loss_points=price - 300,
            take_profit_points=None,
            profit_minor=0,
            swap_minor=0,
            digits=5,
            contract_size=100_000.0,
            intent_id=US.intent_id(number + 1),
        )


def drawn(rig: Rig, count: int) -> list[tuple[OrderIntent, BrokerView]]:
    """Draw entries, and the readings that they meet, with narrow and wide spreads."""
    rng = np.random.default_rng(7)
    views = [rig.view(spread) for spread in (8, 10, 12, 60)]
    draws = zip(
        rng.integers(1, 700, count).tolist(),
        rng.integers(100, 500, count).tolist(),
        rng.integers(100, 1_500, count).tolist(),
        rng.choice(4, count, p=[0.3, 0.3, 0.3, 0.1]).tolist(),
        strict=True,
    )
    return [
        (rig.intent("EURUSD", Side.BUY, hundredths * LOT // 100, stop, target), views[view])
        for hundredths, stop, target, view in draws
    ]


def timed(
    cases: Sequence[tuple[OrderIntent, BrokerView]],
    prepare: Callable[[OrderIntent, BrokerView], Callable[[], ApprovedOrder | Refused]],
) -> tuple[list[float], int]:
    """Return how long each decision took (µs), and how many were refused."""
    times, refused, clock = [], 0, time.perf_counter_ns
    for intent, view in cases:
        decide = prepare(intent, view)
        started = clock()
        verdict = decide()
        times.append((clock() - started) / 1_000)
        refused += not isinstance(verdict, ApprovedOrder)
    return times, refused


def measured() -> dict[str, Any]:
    """Measure all of it."""
    rig = Rig()
    cases = drawn(rig, DRAWN)
    room, gate = rig.room, rig.gate

    def with_view(intent: OrderIntent, view: BrokerView) -> Callable[[], ApprovedOrder | Refused]:
        facts = room.view(intent, view, is_ready=True)
        return lambda: gate.decide(intent, facts)

    def whole(intent: OrderIntent, view: BrokerView) -> Callable[[], ApprovedOrder | Refused]:
        return lambda: room.decide(intent, view, is_ready=True)

    rows = []
    for name, prepare, target in (
        ("the gate, all rules, 50 positions", with_view, TARGET_US),
        ("  with the making of its view", whole, None),
    ):
        times, refused = timed(cases, prepare)
        ordered = sorted(times)
        rows.append(
            {
                "name": name,
                "count": len(times),
                "refused_fraction": round(refused / len(times), 3),
                "p50_us": round(ordered[len(ordered) // 2], 2),
                "p99_us": round(ordered[int(0.99 * len(ordered))], 2),
                "target_p99_us": target,
            }
        )
    return {"rules": len(gate.rules), "rows": rows, "counting_us": round(counting(), 2)}


def counting() -> float:
    """Return how long counting to 1,000 takes in plain Python, the median of some tries (µs)."""
    times = []
    for _ in range(2_001):
        started = time.perf_counter_ns()
        total = 0
        for number in range(1_000):
            total += number
        times.append((time.perf_counter_ns() - started) / 1_000)
    return sorted(times)[len(times) // 2]


def show(found: dict[str, Any]) -> None:
    """Print what was measured."""
    counted = found["counting_us"]
    print(f"{found['rules']} of {len(ENTRY_RULES)} rules; counting to 1,000: {counted} us")
    for row in found["rows"]:
        ratio = row["p50_us"] / counted
        target = row["target_p99_us"]
        verdict = "" if target is None else "  met" if row["p99_us"] <= target else "  MISSED"
        print(
            f"{row['name']:<38}{row['count']:>8}  refused {row['refused_fraction']:.0%}"
            f"  p50 {row['p50_us']:>6.1f} us ({ratio:.2f} x counting)  p99 {row['p99_us']:>6.1f} us"
            f"{verdict}"
        )


def test_the_gate() -> None:
    """Show the figures; the target is judged on a quiet machine, by a person."""
    found = measured()
    show(found)
    assert found["rules"] == len(ENTRY_RULES)
    assert 0.4 < found["rows"][0]["refused_fraction"] < 0.6


def main() -> None:
    """Measure, show and store."""
    before = load_average()
    found = measured()
    show(found)
    facts = machine() | {"load_before": before, "load_after": load_average()}
    stored = {"date": time.strftime("%Y-%m-%d", time.gmtime()), "machine": facts} | found
    RESULTS.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
