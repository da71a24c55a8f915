"""Times that follow from the server's clock are those that the book goes by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import make_venue

from mtquant.engine.kernels.calendar import _midnights, make_calendar, trading_edges
from mtquant.engine.kernels.search import count_up_to, is_open
from mtquant.exchange import Terms
from mtquant.model import Bars, ServerClock, Timeframe, make_bars

DAY_MS = 86_400_000
MARCH_MS = 1_488_326_400_000  # 2017-03-01
BREAKS = ("", *("01:05-12:00, 13:00-23:45",) * 5, "22:00-24:00")
CLOCKS = ("utc", "eet_eu", "ny_plus_7", "fixed:-3")


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("sessions", [None, BREAKS])
def test_trading_is_open_when_the_instrument_says_so(
    clock: str, sessions: tuple[str, ...] | None
) -> None:
    venue = replace(
        make_venue(sessions=sessions, holidays=("2017-03-27", "2017-10-30")), server_clock=clock
    )
    instrument = venue.instrument("EURUSD")
    first_ms, last_ms = MARCH_MS, MARCH_MS + 300 * DAY_MS  # both changes of the clock
    edges = trading_edges(instrument, venue.clock, first_ms, last_ms)
    rng = np.random.default_rng(1)
    moments = [*rng.integers(first_ms, last_ms, 4000).tolist(), *(edges + 0).tolist()]

    assert (np.diff(edges) > 0).all()
    for ms in moments:
        if first_ms <= ms <= last_ms:
            said = instrument.is_open_at(venue.clock.to_server_ms(ms))
            assert is_open(edges, ms) == said, ms


def hourly(hours: list[int]) -> Bars:
    """Return bars that open at these hours after March began."""
    count = len(hours)
    prices = np.full(count, 100_000)
    return make_bars(
        symbol="EURUSD",
        timeframe=Timeframe.H1,
        digits=5,
        time_ms=MARCH_MS + np.array(hours, dtype=np.int64) * 3_600_000,
        open=prices,
        high=prices,
        low=prices,
        close=prices,
    )


def test_midnights_name_the_first_bar_that_is_not_over_and_days_their_last_bar() -> None:
    venue = make_venue()  # EET: midnight is 22:00 UTC
    bars = hourly([20, 21, 22, 23, 45, 46, 100])
    calendar = make_calendar(bars, Terms.of(venue, "EURUSD"), venue.clock)

    hours = [(int(ms) - MARCH_MS) // 3_600_000 for ms in calendar.midnights[:-1]]
    assert hours == [22, 46, 70, 94]
    assert calendar.midnight_bars[:-1].tolist() == [2, 5, 6, 6]
    assert calendar.day_ends[:-1].tolist() == [1, 4, 5, 6]
    assert len(calendar.nights) == 4


@given(st.lists(st.integers(0, 50)), st.integers(-1, 51))
def test_numbers_up_to_a_value_are_counted(numbers: list[int], value: int) -> None:
    column = sorted(numbers)

    assert count_up_to(column, value) == sum(one <= value for one in column)


@pytest.mark.parametrize("profile", CLOCKS)
@pytest.mark.parametrize("start_day", [-3, 0, 11, 25, 26, 209, 239, 244, 247])
def test_midnights_are_those_of_the_clock_also_where_it_is_set(
    profile: str, start_day: int
) -> None:
    clock = ServerClock(profile)
    first_ms = MARCH_MS + start_day * DAY_MS + 12_345
    last_ms = first_ms + 9 * DAY_MS
    expected = [clock.next_midnight_ms(first_ms)]
    while (following := clock.next_midnight_ms(expected[-1])) <= last_ms:
        expected.append(following)
    midnights, days = _midnights(clock, first_ms, last_ms)

    assert midnights.tolist() == expected
    assert days == [clock.to_server_ms(ms - 1) // DAY_MS for ms in expected]
