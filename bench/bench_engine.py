"""How many bars the engine takes per CPU second.

Rates are compared with a plain Python loop over the same bars in the same run: the ratio holds
where the machine's speed wanders. A falling ratio means that work was added to every bar.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from measure import cpu_of

from mtquant.app.config import load_config
from mtquant.app.wiring import Plan, make_engine, make_plan, run_backtest
from mtquant.model import BarRow, Bars, Signal, Timeframe, make_bars
from mtquant.strategy import BarsView, Series, Strategy

pytestmark = pytest.mark.bench
BARS = 200_000


def made_up_bars(count: int) -> Bars:
    """Return a seeded random walk of M1 bars."""
    rng = np.random.Generator(np.random.PCG64(7))
    close = 110_000 + np.cumsum(rng.integers(-8, 9, count))
    opened = np.concatenate([close[:1], close[:-1]])
    return make_bars(
        symbol="EURUSD",
        timeframe=Timeframe.M1,
        digits=5,
        time_ms=1_483_315_200_000 + np.arange(count) * 60_000,
        open=opened,
        high=np.maximum(opened, close) + rng.integers(0, 6, count),
        low=np.minimum(opened, close) - rng.integers(0, 6, count),
        close=close,
        spread=10,
    )


class Silent(Strategy):
    """Look at the newest close and say nothing."""

    def on_bar(self, bars: BarsView) -> Signal | None:
        """Return nothing."""
        return None if bars.points.close[-1] > 0 else self.signal(bars, None)  # type: ignore[arg-type]


def plan_over(bars: Bars) -> Plan:
    """Return the shipped configuration over other bars."""
    return replace(make_plan(load_config()), bars=bars)


def loop_rate(bars: Bars) -> float:
    """Return bars per CPU second of a plain loop that reads each close."""
    close = bars.close.data

    def work() -> int:
        total = 0
        for index in range(len(close)):
            total += close[index]
        return total

    return len(bars) / cpu_of(work).median


def report(name: str, rate: float, loop: float) -> None:
    """Print one line."""
    print(f"\n{name}: {rate / 1e6:.2f}M bars per CPU second, {rate / loop:.4f} of a plain loop")


def test_the_bare_engine_over_columns() -> None:
    bars = made_up_bars(BARS)
    plan = plan_over(bars)

    def work() -> None:
        series = Series.over(bars)
        engine = make_engine(plan.config, series, Silent("silent"))
        at, commands = engine.advance(series, 0, len(bars))
        assert (at, commands) == (len(bars), ())

    report("bare engine", BARS / cpu_of(work).median, loop_rate(bars))


def test_the_event_driven_backtest_with_full_accounting() -> None:
    bars = made_up_bars(BARS)
    plan = plan_over(bars)

    rate = BARS / cpu_of(lambda: run_backtest(plan), runs=3).median

    report("event-driven backtest, crossover with stops and trailing", rate, loop_rate(bars))


def test_what_a_trade_costs() -> None:
    bars = made_up_bars(BARS // 4)
    raw = dict(load_config().raw) | {
        "strategy": {"name": "sma_crossover", "parameters": {"fast": 2, "slow": 5}},
        "exits": {"stop_loss_take_profit": {"stop_points": 40, "target_points": 40}},
    }
    raw["risk"] = raw["risk"] | {"max_daily_loss_fraction": "90%"}
    account = raw["venue"]["account"] | {"deposit": 1e9}
    raw["venue"] = raw["venue"] | {"account": account}
    plan = replace(make_plan(load_config(raw=raw)), bars=bars)
    trades = len(run_backtest(plan).book.ledger.deals) // 2

    seconds = cpu_of(lambda: run_backtest(plan), runs=3).median

    print(f"\nevent-driven backtest: {1e6 * seconds / trades:.0f} us a trade, {trades:,} trades")
    report("event-driven backtest, a trade every few bars", len(bars) / seconds, loop_rate(bars))


def test_streaming_one_bar_at_a_time() -> None:
    bars = made_up_bars(BARS // 4)
    plan = plan_over(bars)
    rows = [
        BarRow(time_ms=t, open=o, high=h, low=low, close=c, spread=10, tick_volume=0)
        for t, o, h, low, c in zip(
            *(getattr(bars, n).tolist() for n in ("time_ms", "open", "high", "low", "close")),
            strict=True,
        )
    ]

    def work() -> None:
        series = Series("EURUSD", Timeframe.M1, 5)
        engine = make_engine(plan.config, series, plan.strategy())
        for index, row in enumerate(rows):
            series.append(row)
            engine.slots[0].refresh()
            engine.advance(series, index, index + 1)

    report("one bar at a time, as live", len(rows) / cpu_of(work, 3).median, loop_rate(bars))
