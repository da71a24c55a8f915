"""Longer bars are cut by the server's calendar and lose nothing."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtquant.data import resample
from mtquant.model import Bars, MarketDataError, ServerClock, Timeframe, make_bars

UTC_CLOCK, EET = ServerClock("utc"), ServerClock("eet_eu")
MINUTE_MS = 60_000


def ms(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp() * 1000)


def minutes(times: np.ndarray, seed: int = 1) -> Bars:
    rng = np.random.default_rng(seed)
    close = 110_000 + np.cumsum(rng.integers(-9, 10, len(times)))
    opened = close + rng.integers(-5, 6, len(times))
    return make_bars(
        symbol="EURUSD",
        timeframe=Timeframe.M1,
        digits=5,
        time_ms=times,
        open=opened,
        high=np.maximum(opened, close) + 3,
        low=np.minimum(opened, close) - 3,
        close=close,
        spread=rng.integers(1, 30, len(times)),
        tick_volume=rng.integers(1, 90, len(times)),
    )


def minutes_from(start_ms: int, count: int) -> Bars:
    return minutes(start_ms + np.arange(count) * MINUTE_MS)


def test_a_bar_takes_open_close_extremes_least_spread_and_all_ticks():
    base = minutes_from(ms(2017, 1, 2), 10)
    five = resample(base, Timeframe.M5, UTC_CLOCK)

    assert five.time_ms.tolist() == [ms(2017, 1, 2), ms(2017, 1, 2, 0, 5)]
    assert five.open.tolist() == [base.open[0], base.open[5]]
    assert five.close.tolist() == [base.close[4], base.close[9]]
    assert five.high.tolist() == [base.high[:5].max(), base.high[5:].max()]
    assert five.low.tolist() == [base.low[:5].min(), base.low[5:].min()]
    assert five.spread.tolist() == [base.spread[:5].min(), base.spread[5:].min()]
    assert five.tick_volume.tolist() == [base.tick_volume[:5].sum(), base.tick_volume[5:].sum()]


@pytest.mark.parametrize(
    ("timeframe", "moment", "opened"),
    [
        (Timeframe.H4, ms(2017, 1, 2, 1), ms(2017, 1, 1, 22)),  # 03:00 of the server: since 00:00
        (Timeframe.D1, ms(2017, 7, 3, 20, 59), ms(2017, 7, 2, 21)),
        (Timeframe.D1, ms(2017, 7, 3, 21), ms(2017, 7, 3, 21)),
        (Timeframe.W1, ms(2017, 1, 6, 10), ms(2016, 12, 31, 22)),  # the server's Sunday
        (Timeframe.MN1, ms(2017, 1, 31, 22), ms(2017, 1, 31, 22)),  # already its February
    ],
)
def test_periods_begin_by_the_servers_clock(timeframe: Timeframe, moment: int, opened: int):
    assert resample(minutes_from(moment, 1), timeframe, EET).time_ms.tolist() == [opened]


def test_a_bar_opens_with_its_period_although_trading_begins_later():
    late = resample(minutes_from(ms(2017, 1, 2, 1, 5), 3), Timeframe.M15, UTC_CLOCK)

    assert late.time_ms.tolist() == [ms(2017, 1, 2, 1)]


def test_the_hour_that_repeats_in_autumn_is_one_bar():
    base = minutes_from(ms(2017, 10, 29, 0), 120)  # 03:00 to 04:00 of the server, twice
    hours = resample(base, Timeframe.H1, EET)

    assert hours.time_ms.tolist() == [ms(2017, 10, 29, 0)]
    assert hours.tick_volume.sum() == base.tick_volume.sum()


@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 300),
    st.sampled_from(["utc", "eet_eu", "ny_plus_7", "fixed:+3"]),
    st.sampled_from([Timeframe.M5, Timeframe.M30, Timeframe.H4, Timeframe.D1, Timeframe.W1]),
)
def test_two_steps_are_as_good_as_one(seed: int, count: int, clock: str, target: Timeframe):
    rng = np.random.default_rng(seed)
    times = ms(2017, 3, 24) + np.cumsum(rng.integers(1, 60, count)) * MINUTE_MS
    base, server = minutes(times, seed), ServerClock(clock)
    direct = resample(base, target, server)
    twice = resample(resample(base, Timeframe.M5, server), target, server)

    assert direct.content_hash() == twice.content_hash()
    assert direct.tick_volume.sum() == base.tick_volume.sum()
    assert (direct.high.max(), direct.low.min()) == (base.high.max(), base.low.min())
    assert (direct.open[0], direct.close[-1]) == (base.open[0], base.close[-1])


@pytest.mark.parametrize("clock", ["eet_eu", "ny_plus_7"])
@pytest.mark.parametrize(
    ("target", "hours"), [(Timeframe.H2, 1), (Timeframe.D1, 23), (Timeframe.W1, 167)]
)
def test_the_bar_in_which_daylight_saving_begins_is_an_hour_shorter(
    clock: str, target: Timeframe, hours: int
):
    base = minutes_from(ms(2017, 3, 1), 40 * 1440)
    longer = resample(base, target, ServerClock(clock))

    assert np.diff(longer.time_ms).min() == hours * 3_600_000


def test_shorter_bars_cannot_be_made():
    hours = resample(minutes_from(ms(2017, 1, 2), 60), Timeframe.H1, UTC_CLOCK)

    assert resample(hours, Timeframe.H1, UTC_CLOCK) is hours
    with pytest.raises(MarketDataError, match="EURUSD: M5 bars cannot be made of H1 bars"):
        resample(hours, Timeframe.M5, UTC_CLOCK)


def test_no_bars_make_no_bars():
    nothing = resample(minutes_from(0, 0), Timeframe.D1, UTC_CLOCK)

    assert (len(nothing), nothing.timeframe) == (0, Timeframe.D1)
