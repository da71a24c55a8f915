"""The equity curve equals the book's own equity, cent for cent."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from market_play import (
    HOUR_MS,
    MONDAY_MS,
    at_bars,
    buy,
    close,
    eurusd_venue,
    play,
    random_actor,
    random_bars,
    sell,
    together,
)

from mtquant.model import DAY_MS, DataError, DealEntry, MarginMode, Reason, ServerClock, Side
from mtquant.research import daily_equity, equity_curve


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    count=st.integers(1, 400),
    step=st.sampled_from([5, 60, 400]),
    mode=st.sampled_from(MarginMode),
)
def test_curve_equals_the_books_equity_at_every_close(seed, count, step, mode):
    bars = random_bars(seed=seed, count=count, step_points=step)
    venue = eurusd_venue(margin_mode=mode)

    played = play(bars, venue, random_actor(seed))

    assert equity_curve(bars, played.deals, venue).tolist() == played.equity_minor


def test_curve_follows_nights_parts_and_stops():
    bars, venue = random_bars(seed=6, count=240), eurusd_venue()
    actions = {
        3: together(buy(0.5), sell(0.4)),
        30: close(0.2),
        50: sell(0.3, stop=150, target=2_000),
        100: buy(0.3, stop=2_000, target=150),
        130: close(),
    }

    played = play(bars, venue, at_bars(actions))

    outs = [deal for deal in played.deals if deal.entry is not DealEntry.IN]
    assert {deal.reason for deal in outs} == {Reason.EXPERT, Reason.STOP_LOSS, Reason.TAKE_PROFIT}
    assert any(deal.swap_minor for deal in outs)
    assert equity_curve(bars, played.deals, venue).tolist() == played.equity_minor


def test_curve_follows_a_stop_out():
    bars = random_bars(seed=6, count=300, step_points=500)
    venue = eurusd_venue(deposit=500.0, leverage=500)

    played = play(bars, venue, at_bars({1: together(buy(1.5), sell(0.3))}))

    assert Reason.STOP_OUT in {deal.reason for deal in played.deals}
    assert equity_curve(bars, played.deals, venue).tolist() == played.equity_minor


def test_wednesday_night_counts_three_times():
    quiet = random_bars(seed=1, count=120, step_points=4)
    bars = replace(
        quiet, **{n: np.full_like(quiet.open, 105_000) for n in ("open", "high", "low", "close")}
    )
    venue = eurusd_venue()

    curve = equity_curve(bars, play(bars, venue, at_bars({0: sell(1.0)})).deals, venue)

    changes = [curve[day * 24].item() - curve[day * 24 - 1].item() for day in range(1, 5)]
    spreads = [100 * int(bars.spread[day * 24 - 1] - bars.spread[day * 24]) for day in range(1, 5)]
    nightly = [change - spread for change, spread in zip(changes, spreads, strict=True)]
    assert nightly == [170, 170, 510, 170]


def test_bars_that_are_cut_short_by_the_next_one_end_before_it():
    bars, venue = random_bars(seed=9, count=60), eurusd_venue()
    times = bars.time_ms.copy()
    times[30:] -= HOUR_MS // 2
    bars = replace(bars, time_ms=times)

    played = play(bars, venue, at_bars({3: buy(0.5), 30: close()}))

    assert equity_curve(bars, played.deals, venue).tolist() == played.equity_minor


def test_order_of_the_deals_given_does_not_matter():
    bars, venue = random_bars(seed=2, count=200), eurusd_venue()
    deals = play(bars, venue, random_actor(2)).deals

    backwards = equity_curve(bars, deals[::-1], venue)

    assert backwards.tolist() == equity_curve(bars, deals, venue).tolist()


def test_deals_that_do_not_fit_the_bars_are_refused():
    bars, venue = random_bars(seed=2, count=60), eurusd_venue()
    deposit, opened, closed = play(bars, venue, at_bars({3: buy(0.2), 50: close()})).deals

    for deals, complaint in (
        ([deposit, opened, replace(closed, time_ms=MONDAY_MS + 60 * DAY_MS)], "after the last bar"),
        ([deposit, replace(opened, symbol="GBPUSD")], "is of GBPUSD"),
        ([deposit, closed], "closes more than is open"),
        (
            [deposit, opened, replace(opened, deal_ticket=9, side=Side.SELL)],
            "cannot open",
        ),
        ([deposit, opened, replace(closed, entry=DealEntry.INOUT)], "cannot turn"),
    ):
        with pytest.raises(DataError, match=complaint):
            equity_curve(bars, deals, venue)


def test_each_server_day_keeps_its_last_equity():
    bars = random_bars(seed=4, count=60)  # starts at a server midnight
    curve = np.arange(60, dtype=np.int64)

    days, equity = daily_equity(bars, curve, ServerClock("eet_eu"))

    assert days.tolist() == [MONDAY_MS, MONDAY_MS + DAY_MS, MONDAY_MS + 2 * DAY_MS]
    assert equity.tolist() == [23, 47, 59]


def test_days_without_bars_are_left_out():
    bars = random_bars(seed=4, count=121)

    days, equity = daily_equity(bars, np.arange(121, dtype=np.int64), ServerClock("eet_eu"))

    assert (np.diff(days) // DAY_MS).tolist() == [1, 1, 1, 1, 3]
    assert equity.tolist() == [23, 47, 71, 95, 119, 120]


def test_without_bars_there_are_no_days():
    bars = random_bars(seed=4, count=5)[:0]

    days, equity = daily_equity(bars, np.empty(0, dtype=np.int64), ServerClock("utc"))

    assert (len(days), len(equity)) == (0, 0)
    assert len(equity_curve(bars, [], eurusd_venue())) == 0
