"""raptorbt on the common job: signal arrays in Rust, and a Python strategy called on each bar.

The runner of arrays trades one side at a time, so it runs twice, long and short; as each side's
exits are the other's entries, both passes together make the trades of the reversal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import job
import raptorbt as rb

if TYPE_CHECKING:
    from collections.abc import Callable

RELATIVE = "stop and target are one fraction of the entry price, 200 and 400 points only at 1.10000"
SYMBOL = "EURUSD"
MIDDLE_POINTS = 110_000


def configuration() -> rb.BacktestConfig:
    """Return a configuration that fills at the open after the decision, without costs."""
    return rb.BacktestConfig(
        initial_capital=float(job.CASH_POINTS), fees=0.0, fill_timing="next_bar_open"
    )


def outcome_of(*results: rb.BacktestResult) -> job.Outcome:
    """Return what the passes did together, without a trade that only the end of data closes."""
    closed = [
        abs(trade.exit_price - trade.entry_price)
        for result in results
        for trade in result.trades()
        if trade.exit_reason != "EndOfData"
    ]
    return job.Outcome(len(closed), sum(closed))


def compiled(prices: job.Prices) -> Callable[[], job.Outcome]:
    """Prepare a long and a short pass over precomputed signals."""
    columns = list(prices.floats().values())
    close = columns[3]
    config = configuration()
    config.set_fixed_stop((job.STOP_POINTS - job.NEARER) / MIDDLE_POINTS)
    config.set_fixed_target((job.TARGET_POINTS - job.NEARER) / MIDDLE_POINTS)

    def work() -> job.Outcome:
        up, down = job.crossings(rb.sma(close, job.FAST), rb.sma(close, job.SLOW))
        sides = ((1, up, down), (-1, down, up))
        return outcome_of(
            *(
                rb.run_single_backtest(
                    prices.time_ns, *columns, entries, exits, side, 1.0, SYMBOL, config
                )
                for side, entries, exits in sides
            )
        )

    return work


class Cross(rb.Strategy):
    """Turn the position around where the averages cross."""

    def on_start(self, ctx: rb.StrategyContext) -> None:
        """Compute both averages once."""
        self.fast = rb.sma(ctx.close, job.FAST).tolist()
        self.slow = rb.sma(ctx.close, job.SLOW).tolist()
        self.closes = ctx.close.tolist()
        self.now = -1
        self.side = 0

    def on_bar(self, ctx: rb.StrategyContext) -> None:
        """Decide on the newest closed bar."""
        now = self.now = self.now + 1
        fast, slow = self.fast, self.slow
        if fast[now] > slow[now] and fast[now - 1] <= slow[now - 1]:
            self.turn(ctx, 1)
        elif fast[now] < slow[now] and fast[now - 1] >= slow[now - 1]:
            self.turn(ctx, -1)

    def turn(self, ctx: rb.StrategyContext, side: int) -> None:
        """Leave the position of the other side and enter on this one."""
        if not ctx.is_flat:
            self.close_position()
        price = self.closes[self.now]
        enter = self.enter_long if side > 0 else self.enter_short
        enter(
            stop_price=price - side * job.STOP_POINTS,
            target_price=price + side * job.TARGET_POINTS,
        )


def on_bar(prices: job.Prices) -> Callable[[], job.Outcome]:
    """Prepare one run of the strategy class."""
    columns = list(prices.floats().values())

    def work() -> job.Outcome:
        return outcome_of(
            rb.run_strategy_backtest(Cross(), prices.time_ns, *columns, 1, SYMBOL, configuration())
        )

    return work


if __name__ == "__main__":
    job.answer(
        job.Peer(
            name="raptorbt",
            package="raptorbt",
            prepare={"compiled": compiled, "on_bar": on_bar},
            differences={"compiled": [RELATIVE]},
        )
    )
