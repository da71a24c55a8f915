"""Write a strategy, backtest it on the shipped year, print what came of it.

    python examples/own_strategy.py

An example of how the parts fit together, not advice.
"""

from __future__ import annotations

from dataclasses import dataclass

from mtquant.app.config import load_config
from mtquant.app.wiring import make_plan, run_backtest
from mtquant.indicators import Sma
from mtquant.model import Direction, Signal
from mtquant.research import summarise
from mtquant.strategy import BarsView, Strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class PullbackParameters:
    """Hold the window of the trend, in bars, and the size of a pullback, in points."""

    trend: int = 100
    pullback_points: int = 150


class Pullback(Strategy):
    """Buy dips in a rising market, sell rallies in a falling one."""

    Parameters = PullbackParameters

    def on_start(self, bars: BarsView) -> None:
        """Ask for the trend line."""
        self._trend = bars.use(Sma(self.parameters.trend))

    def on_bar(self, bars: BarsView) -> Signal | None:
        """Compare the newest close with the trend line of now and of a day ago."""
        if bars.index < self.parameters.trend + 24:
            return None
        rising = self._trend[-1] > self._trend[-25]
        away = bars.points.close[-1] - self._trend[-1]
        if rising and away < -self.parameters.pullback_points:
            return self.signal(bars, Direction.LONG, reason="dip in a rising market")
        if not rising and away > self.parameters.pullback_points:
            return self.signal(bars, Direction.SHORT, reason="rally in a falling market")
        return None


def main() -> None:
    """Run it with the costs, exits and limits of the shipped configuration."""
    strategy = {"name": f"{__name__}:Pullback", "parameters": {"trend": 120}}
    plan = make_plan(load_config(overrides={"strategy": strategy}))
    deals = run_backtest(plan).book.ledger.deals
    summary = summarise(plan.bars, deals, plan.config.venue)
    print(f"{summary.trades} trades, net profit {summary.net_profit:.2f} {summary.currency}")


if __name__ == "__main__":
    main()
