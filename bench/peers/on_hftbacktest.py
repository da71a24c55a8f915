"""hftbacktest on the common job with quotes: a compiled strategy over events of the order book.

Each quote is two events, the level of the bid and that of the ask. A spread of one point makes that
enough: a level that the other side reaches is gone by itself. Orders take no time, and a second
lies between two quotes on the library's clock, which knows no weekends. The strategy closes at the
market when a quote meets the stop or the target.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import job
import numpy as np
from hftbacktest import (
    BUY_EVENT,
    DEPTH_EVENT,
    EXCH_EVENT,
    GTC,
    LOCAL_EVENT,
    MARKET,
    SELL_EVENT,
    BacktestAsset,
    ROIVectorMarketDepthBacktest,
    event_dtype,
)
from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

SECOND_NS = 1_000_000_000
ONE_LEVEL = "a stop or target is filled at the quote that meets it, not at its level"
AT_ONCE = False  # nobody waits for the answer
DEPTH = 1e9  # euros at each level: more than the job ever trades
POINT = 1 / job.POINTS_OF_PRICE


def events_of(quotes: job.Quotes) -> NDArray[Any]:
    """Return two events a quote, bid first."""
    events = np.zeros(2 * len(quotes), event_dtype)
    times = (np.arange(len(quotes), dtype=np.int64) + 1) * SECOND_NS
    for offset, side in enumerate((BUY_EVENT, SELL_EVENT)):
        rows = events[offset::2]
        rows["ev"] = EXCH_EVENT | LOCAL_EVENT | DEPTH_EVENT | side
        rows["exch_ts"] = rows["local_ts"] = times
        rows["px"] = (quotes.bid + offset * job.TICK_SPREAD_POINTS) * POINT
        rows["qty"] = DEPTH
    return events


@njit
def market(backtest: Any, number: int, side: int, price: float, units: float) -> None:
    """Send a market order."""
    if side > 0:
        backtest.submit_buy_order(0, number, price, units, GTC, MARKET, AT_ONCE)
    else:
        backtest.submit_sell_order(0, number, price, units, GTC, MARKET, AT_ONCE)


@njit
def crossed(closes: NDArray[np.int64], count: int) -> int:
    """Return 1 or -1 where the averages of the last closes crossed, else 0."""
    fast, slow = job.FAST, job.SLOW
    if count <= slow:
        return 0
    apart = np.zeros(2, np.int64)
    for ago in range(2):
        newest = count - 1 - ago
        fast_sum = slow_sum = 0
        for back in range(slow):
            close = closes[(newest - back) % len(closes)]
            slow_sum += close
            if back < fast:
                fast_sum += close
        apart[ago] = fast_sum * slow - slow_sum * fast
    if apart[0] > 0 and apart[1] <= 0:
        return 1
    return -1 if apart[0] < 0 and apart[1] >= 0 else 0


@njit
def trade(backtest: Any) -> Any:
    """Play all quotes; return the closed trades and how far they went in sum, in points."""
    closes = np.zeros(job.SLOW + 1, np.int64)
    bars = trades = gross = number = side = entry = bid = 0
    minute = -1
    while backtest.elapse(SECOND_NS) == 0:
        depth = backtest.depth(0)
        last_bid, bid, ask = bid, depth.best_bid_tick, depth.best_ask_tick
        signal = 0
        now = (backtest.current_timestamp // SECOND_NS - 1) // job.QUOTES_PER_MINUTE
        if now != minute:
            if minute >= 0:
                closes[bars % len(closes)] = last_bid
                bars += 1
                signal = crossed(closes, bars)
            minute = now
        leave = bid if side > 0 else ask
        gain = (leave - entry) * side
        turns = signal not in (0, side)
        if side != 0 and (gain <= -job.STOP_POINTS or gain >= job.TARGET_POINTS or turns):
            number += 1
            market(backtest, number, -side, leave * POINT, job.UNITS)
            trades += 1
            gross += abs(gain)
            side = 0
        if turns:
            number += 1
            side = signal
            entry = ask if side > 0 else bid
            market(backtest, number, side, entry * POINT, job.UNITS)
            backtest.clear_inactive_orders(0)
    return trades, gross, number, backtest.state_values(0).num_trades


def ticks(quotes: job.Quotes) -> Callable[[], job.Outcome]:
    """Prepare the events once; each run makes an account and a book of its own."""
    events = events_of(quotes)
    bounds = int(quotes.bid.min()) - 100, int(quotes.bid.max()) + 100

    def work() -> job.Outcome:
        asset = (
            BacktestAsset()
            .data(events)
            .linear_asset(1.0)
            .constant_order_latency(0, 0)
            .risk_adverse_queue_model()
            .no_partial_fill_exchange()
            .trading_value_fee_model(0.0, 0.0)
            .tick_size(POINT)
            .lot_size(1.0)
            .roi_lb(bounds[0] * POINT)
            .roi_ub(bounds[1] * POINT)
        )
        backtest = ROIVectorMarketDepthBacktest([asset])
        trades, gross, sent, filled = trade(backtest)
        backtest.close()
        if not sent - 2 <= filled <= sent:  # the last orders may find no more quotes
            raise SystemExit(f"{sent} orders were sent, {filled} were filled")
        return job.Outcome(trades, gross)

    return work


if __name__ == "__main__":
    job.answer(
        job.Peer(
            name="hftbacktest",
            package="hftbacktest",
            prepare={"ticks": ticks},
            differences={"ticks": [ONE_LEVEL]},
        )
    )
