"""vectorbt (numba) on the common job: signals as arrays, then one compiled pass over the bars.

It fills at the close that led to the decision, which is the next open. The stop distance is a
fraction of the entry price, so each bar gets the fraction that makes 200 points of its close.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import job
import pandas as pd
import vectorbt as vbt

if TYPE_CHECKING:
    from collections.abc import Callable

STOPPED = "a signal on the bar on which a stop or target is hit is passed over"

vbt.settings["engine"] = "numba"


def frame_of(prices: job.Prices) -> pd.DataFrame:
    """Return the bars as a frame with a time index."""
    return pd.DataFrame(prices.floats(), index=pd.DatetimeIndex(prices.time_ns))


def outcome_of(frame: pd.DataFrame, up: Any, down: Any) -> job.Outcome:
    """Simulate signals with stop and target."""
    portfolio = vbt.Portfolio.from_signals(
        frame.close,
        entries=up,
        short_entries=down,
        upon_opposite_entry="Reverse",
        open=frame.open,
        high=frame.high,
        low=frame.low,
        sl_stop=(job.STOP_POINTS - job.NEARER) / frame.close,
        tp_stop=(job.TARGET_POINTS - job.NEARER) / frame.close,
        size=job.UNITS,
        init_cash=job.CASH_POINTS,
        freq="1min",
    )
    gains = portfolio.trades.closed.records_arr["pnl"]
    return job.Outcome(len(gains), float(abs(gains).sum()) / job.UNITS)


def compiled(prices: job.Prices) -> Callable[[], job.Outcome]:
    """Prepare one run."""
    frame = frame_of(prices)

    def work() -> job.Outcome:
        fast = vbt.MA.run(frame.close, job.FAST)
        slow = vbt.MA.run(frame.close, job.SLOW)
        return outcome_of(frame, fast.ma_crossed_above(slow), fast.ma_crossed_below(slow))

    return work


def sweep(prices: job.Prices) -> Callable[[], job.Outcome]:
    """Prepare all combinations of windows in one call."""
    frame = frame_of(prices)
    fasts, slows = (list(windows) for windows in zip(*job.COMBINATIONS, strict=True))

    def work() -> job.Outcome:
        fast = vbt.MA.run(frame.close, fasts, short_name="fast", run_unique=True)
        slow = vbt.MA.run(frame.close, slows, short_name="slow", run_unique=True)
        return outcome_of(frame, fast.ma_crossed_above(slow), fast.ma_crossed_below(slow))

    return work


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    job.answer(
        job.Peer(
            name="vectorbt",
            package="vectorbt",
            prepare={"compiled": compiled, "sweep": sweep},
            differences={"compiled": [STOPPED], "sweep": [STOPPED]},
        )
    )
