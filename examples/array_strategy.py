"""State all signals of a strategy at once, and let the kernel play them over the shipped year.

    python examples/array_strategy.py

An example of how the parts fit together, not advice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mtquant.app.config import load_config
from mtquant.app.playing import play_plan
from mtquant.app.wiring import make_plan
from mtquant.indicators import Sma
from mtquant.strategy import FLAT, LONG, SHORT, ArrayStrategy, Columns, Signals


@dataclass(frozen=True, slots=True, kw_only=True)
class BandsParameters:
    """Hold the window of the average, in bars, and how far away prices are far, in points."""

    window: int = 50
    far_points: int = 300


class Bands(ArrayStrategy):
    """Trade back towards an average from far away; leave when it is reached."""

    Parameters = BandsParameters

    def signals(self, bars: Columns) -> Signals:
        """Compare every close with the average of the bars up to it."""
        away = bars.points.close - bars.use(Sma(self.parameters.window))  # NaN while warming up
        above = away > 0
        said = np.zeros(len(bars), dtype=np.int8)  # NOTHING
        said[1:][above[1:] != above[:-1]] = FLAT
        said[away < -self.parameters.far_points] = LONG
        said[away > self.parameters.far_points] = SHORT
        return said


def main() -> None:
    """Run it with the costs, exits and limits of the shipped configuration, in both ways."""
    strategy = {"name": f"{__name__}:Bands", "parameters": {"far_points": 250}}
    plan = make_plan(load_config(overrides={"strategy": strategy}))
    played = play_plan(plan, print)
    summary = played.summary
    print(f"{summary.trades} trades, net profit {summary.net_profit:.2f} {summary.currency}")
    stepped = play_plan(plan, print, event_driven=True)
    print("the event-driven engine makes the same deals:", stepped.deals == played.deals)


if __name__ == "__main__":
    main()
