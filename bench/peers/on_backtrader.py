"""backtrader on the common job: an event-driven loop that calls a Python strategy on each bar.

Entries are brackets: a market order that fills at the next open, with a stop and a limit order that
cancel each other and wait for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import backtrader as bt
import job
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

DIFFERENCE = "stop and target are watched from the bar after the entry"


class Cross(bt.Strategy):
    """Turn the position around where the averages cross."""

    def __init__(self) -> None:
        self.fast = bt.ind.SMA(period=job.FAST)
        self.slow = bt.ind.SMA(period=job.SLOW)
        self.bracket: list[bt.Order] = []
        self.trades = 0
        self.gross = 0.0

    def notify_trade(self, trade: bt.Trade) -> None:
        """Count what was closed."""
        if trade.isclosed:
            self.trades += 1
            self.gross += abs(trade.pnl)

    def next(self) -> None:
        """Decide on the newest closed bar."""
        fast, slow = self.fast, self.slow
        if fast[0] > slow[0] and fast[-1] <= slow[-1]:
            self.turn(1)
        elif fast[0] < slow[0] and fast[-1] >= slow[-1]:
            self.turn(-1)

    def turn(self, side: int) -> None:
        """Leave the position of the other side and enter on this one."""
        if self.position.size * side > 0:
            return
        for order in self.bracket:
            if order.alive():
                self.cancel(order)
        if self.position:
            self.close()
        price = self.data.close[0]
        enter = self.buy_bracket if side > 0 else self.sell_bracket
        self.bracket = enter(
            size=job.UNITS,
            exectype=bt.Order.Market,
            stopprice=price - side * job.STOP_POINTS,
            limitprice=price + side * job.TARGET_POINTS,
        )


def on_bar(prices: job.Prices) -> Callable[[], job.Outcome]:
    """Prepare one run."""
    frame = pd.DataFrame(prices.floats(), index=pd.DatetimeIndex(prices.time_ns))

    def work() -> job.Outcome:
        cerebro = bt.Cerebro(stdstats=False)
        cerebro.adddata(bt.feeds.PandasData(dataname=frame, openinterest=None))
        cerebro.addstrategy(Cross)
        cerebro.broker.setcash(job.CASH_POINTS)
        done = cerebro.run()[0]
        return job.Outcome(done.trades, done.gross / job.UNITS)

    return work


if __name__ == "__main__":
    job.answer(
        job.Peer(
            name="backtrader",
            package="backtrader",
            prepare={"on_bar": on_bar},
            differences={"on_bar": [DIFFERENCE]},
        )
    )
