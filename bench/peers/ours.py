"""mtquant on the common job; see job.py for the command line.

`RUNNERS` names the runner of each job: a function from the prices to the work that is timed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import job

from mtquant.app.config import load_config
from mtquant.app.wiring import Plan, make_plan, run_backtest
from mtquant.model import Bars, DealEntry, Timeframe, make_bars

if TYPE_CHECKING:
    from collections.abc import Callable

    from mtquant.exchange import Market

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
        "max_daily_loss_fraction": 0.99,
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


def outcome_of(market: Market) -> job.Outcome:
    """Return what a run did, from the deals in its ledger."""
    entries: dict[int, int] = {}
    trades = gross = 0
    for deal in market.book.ledger.deals:
        if deal.entry is DealEntry.IN:
            entries[deal.position_ticket] = deal.price_points
        elif deal.entry is DealEntry.OUT:
            trades += 1
            gross += abs(deal.price_points - entries[deal.position_ticket])
    return job.Outcome(trades, gross)


def on_bar(prices: job.Prices) -> Callable[[], job.Outcome]:
    """Prepare the event-driven backtest: a Python strategy called on every bar."""
    plan = plan_over(bars_of(prices))
    return lambda: outcome_of(run_backtest(plan))


RUNNERS: Final = {"on_bar": on_bar}

if __name__ == "__main__":
    job.answer(job.Peer(name="mtquant", package="mtquant", prepare=RUNNERS))
