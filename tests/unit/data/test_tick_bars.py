"""Bars are made of ticks as MetaTrader makes them: bids, smallest spread, number of ticks."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from many_worlds import ticks_of

from mtquant.data import bars_of_ticks, first_rows, minute_bars
from mtquant.model import ServerClock, Ticks, Timeframe

MINUTE_MS = 60_000


def some_ticks(*rows: tuple[int, int, int]) -> Ticks:
    times, bids, asks = (np.array(column) for column in zip(*rows, strict=True))
    return Ticks(
        symbol="EURUSD",
        digits=5,
        time_ms=times.astype(np.int64),
        bid=bids.astype(np.int32),
        ask=asks.astype(np.int32),
    )


def test_a_bar_holds_the_bids_of_its_minute_and_their_smallest_spread() -> None:
    ticks = some_ticks(
        (MINUTE_MS + 5, 105, 112),
        (MINUTE_MS + 9, 109, 112),
        (MINUTE_MS + 9, 101, 111),
        (2 * MINUTE_MS - 1, 103, 111),
        (5 * MINUTE_MS, 120, 121),
    )

    bars = minute_bars(ticks)

    assert bars.time_ms.tolist() == [MINUTE_MS, 5 * MINUTE_MS]
    assert [bars.open[0], bars.high[0], bars.low[0], bars.close[0]] == [105, 109, 101, 103]
    assert (bars.spread.tolist(), bars.tick_volume.tolist()) == ([3, 1], [4, 1])


def test_without_ticks_there_are_no_bars() -> None:
    empty = np.array([], dtype=np.int64)
    prices = empty.astype(np.int32)

    assert not len(
        minute_bars(Ticks(symbol="EURUSD", digits=5, time_ms=empty, bid=prices, ask=prices))
    )


@given(
    seed=st.integers(0, 2**32 - 1),
    timeframe=st.sampled_from([Timeframe.M1, Timeframe.M15, Timeframe.H4, Timeframe.D1]),
    clock=st.sampled_from(["utc", "eet_eu", "ny_plus_7"]),
)
def test_each_bar_begins_with_the_row_that_opens_it(
    seed: int, timeframe: Timeframe, clock: str
) -> None:
    ticks = ticks_of("EURUSD", 300, np.random.default_rng(seed))
    server = ServerClock(clock)

    bars = bars_of_ticks(ticks, timeframe, server)
    first = first_rows(ticks.time_ms, timeframe, server)

    assert bars.open.tolist() == ticks.bid[first].tolist()
    assert int(bars.tick_volume.sum()) == 300
    assert bars.close[-1] == ticks.bid[-1]
