"""mtquant on the common job; see job.py for the command line.

`RUNNERS` names the runner of each job: a function from the prices to the work that is timed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import job
import numpy as np

from mtquant.app.config import load_config
from mtquant.app.playing import kernel_job, play_by_kernel
from mtquant.app.sweep.evaluator import KernelEvaluator
from mtquant.app.wiring import Plan, make_plan
from mtquant.data import minute_bars
from mtquant.engine.kernels import ask, layout, play
from mtquant.model import Bars, Ticks, Timeframe, make_bars
from mtquant.research import summarise_played
from mtquant.strategy import SmaCrossover

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mtquant.app.config import BotConfig, LoadedConfig
    from mtquant.engine.kernels import Played
    from mtquant.strategy import Columns

LOTS: Final = job.UNITS / 100_000
NO_COSTS: Final = {
    "server": "bench",
    "server_clock": "utc",
    "account": {"currency": "USD", "deposit": job.CASH, "leverage": 100},
    "instruments": {
        "EURUSD": {
            "digits": 5,
            "contract_size": 100_000,
            "base_currency": "EUR",
            "profit_currency": "USD",
            "spread_points": 0,
            # the only volume there is: the size does not follow the equity
            "volume_min_lots": LOTS,
            "volume_max_lots": LOTS,
            "volume_step_lots": LOTS,
        }
    },
}
CONFIGURATION: Final = {
    "data": {"sample": "eurusd-h1-2017"},  # replaced by the bars of the job
    "venue": NO_COSTS,
    "strategy": {"name": "sma_crossover", "parameters": {"fast": job.FAST, "slow": job.SLOW}},
    "exits": {
        "stop_loss_take_profit": {
            "stop_points": job.STOP_POINTS,
            "target_points": job.TARGET_POINTS,
        }
    },
    "slippage": {"better_fraction": 0, "worse_fraction": 0, "max_points": 0},
    "risk": {
        "risk_per_trade_fraction": 0.01,
        "max_positions": 1,
        "max_daily_loss_fraction": "99%",
        "max_spread_points": 1_000,
    },
}


def bars_of(prices: job.Prices) -> Bars:
    """Return the bars as mtquant holds them."""
    return make_bars(
        symbol="EURUSD",
        timeframe=Timeframe.M1,
        digits=5,
        time_ms=prices.time_ns // 1_000_000,
        open=prices.open,
        high=prices.high,
        low=prices.low,
        close=prices.close,
        spread=0,
    )


def plan_over(bars: Bars) -> Plan:
    """Return the plan of the job over the given bars."""
    return replace(make_plan(load_config(raw=CONFIGURATION)), bars=bars)


def outcome_of(played: Sequence[Played]) -> job.Outcome:
    """Return what runs did: a kernel writes an opening and a closing deal in turn."""
    trades, gross = 0, 0
    for one in played:
        prices = one.deals[:, layout.PRICE]
        closed = len(prices) // 2
        trades += closed
        gross += int(np.abs(prices[1 : 2 * closed : 2] - prices[0 : 2 * closed : 2]).sum())
    return job.Outcome(trades, gross)


def compiled(prices: job.Prices) -> Callable[[], job.Outcome]:
    """Prepare a run whose strategy states its signals as an array."""
    plan = plan_over(bars_of(prices))

    def run() -> job.Outcome:
        played = play_by_kernel(plan, *kernel_job(plan))
        summarise_played(played)
        return outcome_of([played])

    return run


class BarByBar(SmaCrossover):
    """Cross as shipped, asked about every bar in Python."""

    def signals(self, bars: Columns) -> None:  # type: ignore[override]
        """State nothing: `on_bar` speaks."""


def on_bar(prices: job.Prices) -> Callable[[], job.Outcome]:
    """Prepare a run whose strategy is called on every bar in Python."""
    plan = plan_over(bars_of(prices))

    def run() -> job.Outcome:
        run_of, series = kernel_job(plan)
        said = ask(BarByBar("bar_by_bar", plan.strategy().parameters), series)
        played = play(run_of, said.directions, said.strengths)
        summarise_played(played)
        return outcome_of([played])

    return run


def sweep(prices: job.Prices) -> Callable[[], job.Outcome]:
    """Prepare all pairs of windows, as `mtquant sweep` runs them in one process."""
    plan = plan_over(bars_of(prices))
    evaluator = Counting(plan.loaded, {"all": plan.bars})

    def run() -> job.Outcome:
        evaluator.played.clear()
        for fast, slow in job.COMBINATIONS:
            combination = {"fast": fast, "slow": slow}
            evaluator.check(combination)
            evaluator.evaluate(combination, "all")
        return outcome_of(evaluator.played)

    return run


class Counting(KernelEvaluator):
    """Run trials, and keep what was played until it is counted."""

    def __init__(self, loaded: LoadedConfig, windows: Mapping[str, Bars]) -> None:
        super().__init__(loaded, windows)
        self.played: list[Played] = []

    def play(self, config: BotConfig, window: str) -> Played | None:
        """Play one trial."""
        played = super().play(config, window)
        if played is not None:
            self.played.append(played)
        return played


def ticks(quotes: job.Quotes) -> Callable[[], job.Outcome]:
    """Prepare a run on quotes that decides on the minutes made of them."""
    bid = quotes.bid.astype(np.int32)
    given = Ticks(
        symbol="EURUSD",
        digits=5,
        time_ms=quotes.time_ns // 1_000_000,
        bid=bid,
        ask=bid + np.int32(job.TICK_SPREAD_POINTS),
    )
    bars = minute_bars(given)
    plan = replace(plan_over(bars), ticks={"EURUSD": given})

    def run() -> job.Outcome:
        played = play_by_kernel(plan, *kernel_job(plan))
        summarise_played(played)
        return outcome_of([played])

    return run


RUNNERS: Final = {"compiled": compiled, "on_bar": on_bar, "sweep": sweep, "ticks": ticks}

if __name__ == "__main__":
    job.answer(job.Peer(name="mtquant", package="mtquant", prepare=RUNNERS))
