"""backtesting.py on the common job: an event-driven loop that calls a Python strategy on each bar.

The library is under the AGPL and lives in an environment of its own, like all peers. A market order
fills at the next open; stop and target are watched from that bar on.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import job
import pandas as pd
from backtesting import Backtest, Strategy, backtesting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Cross(Strategy):
    """Turn the position around where the averages cross."""

    def init(self) -> None:
        """Compute both averages once."""
        close = self.data.Close
        self.fast = self.I(job.moving_average, close, job.FAST, plot=False)
        self.slow = self.I(job.moving_average, close, job.SLOW, plot=False)

    def next(self) -> None:
        """Decide on the newest closed bar."""
        fast, slow, price = self.fast, self.slow, self.data.Close[-1]
        stop, target = job.STOP_POINTS, job.TARGET_POINTS
        if fast[-1] > slow[-1] and fast[-2] <= slow[-2] and not self.position.is_long:
            self.buy(size=job.UNITS, sl=price - stop, tp=price + target)
        elif fast[-1] < slow[-1] and fast[-2] >= slow[-2] and not self.position.is_short:
            self.sell(size=job.UNITS, sl=price + stop, tp=price - target)


def without_progress(steps: Iterable[int], **_unused: object) -> Iterable[int]:
    """Return the steps as they are, in place of a progress bar."""
    return steps


def on_bar(prices: job.Prices) -> Callable[[], job.Outcome]:
    """Prepare one run."""
    columns = {name.capitalize(): one for name, one in prices.floats().items()}
    frame = pd.DataFrame(columns, index=pd.DatetimeIndex(prices.time_ns))
    backtest = Backtest(frame, Cross, cash=job.CASH_POINTS, exclusive_orders=True)

    def work() -> job.Outcome:
        trades = backtest.run()["_trades"]
        gains = (trades.ExitPrice - trades.EntryPrice).abs()
        return job.Outcome(len(trades), float(gains.sum()))

    return work


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    backtesting._tqdm = without_progress  # noqa: SLF001 - the bar costs time and has no switch
    job.answer(job.Peer(name="backtesting.py", package="backtesting", prepare={"on_bar": on_bar}))
