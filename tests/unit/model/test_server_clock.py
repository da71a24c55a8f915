"""A server's wall clock follows its zone through both changes of a year."""

from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mtquant.model import DAY_MS, ServerClock

HOUR_MS = 3_600_000
PROFILES = ["utc", "eet_eu", "ny_plus_7", "fixed:+3", "fixed:-12"]
YEARS_MS = st.integers(631_152_000_000, 3_155_760_000_000)  # 1990 to 2070


def utc_ms(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("profile", "change", "hours_before", "hours_after"),
    [
        ("eet_eu", (2017, 3, 26, 1), 2, 3),
        ("eet_eu", (2017, 10, 29, 1), 3, 2),
        ("ny_plus_7", (2017, 3, 12, 7), 2, 3),
        ("ny_plus_7", (2017, 11, 5, 6), 3, 2),
    ],
)
def test_the_offset_changes_at_the_very_millisecond(
    profile: str, change: tuple, hours_before: int, hours_after: int
):
    clock, change_ms = ServerClock(profile), utc_ms(*change)

    assert clock.offset_ms(change_ms - 1) == hours_before * HOUR_MS
    assert clock.offset_ms(change_ms) == hours_after * HOUR_MS


@given(st.sampled_from(PROFILES), YEARS_MS)
def test_utc_survives_the_trip_through_server_time_but_for_the_repeated_hour(
    profile: str, moment_ms: int
):
    clock = ServerClock(profile)
    server_ms = clock.to_server_ms(moment_ms)
    assume(clock.to_server_ms(moment_ms - HOUR_MS) != server_ms)

    assert clock.to_utc_ms(server_ms) == moment_ms


@pytest.mark.parametrize("profile", ["eet_eu", "ny_plus_7"])
def test_every_minute_around_the_changes_makes_the_trip(profile: str):
    clock = ServerClock(profile)
    for start in (
        utc_ms(2017, 3, 12),
        utc_ms(2017, 3, 26),
        utc_ms(2017, 10, 29),
        utc_ms(2017, 11, 5),
    ):
        for moment_ms in range(start, start + DAY_MS, 60_000):
            server_ms = clock.to_server_ms(moment_ms)
            repeated = clock.to_server_ms(moment_ms - HOUR_MS) == server_ms
            assert clock.to_utc_ms(server_ms) == moment_ms - HOUR_MS * repeated


def test_a_wall_time_that_happens_twice_means_its_first_occurrence():
    clock = ServerClock("eet_eu")

    assert clock.to_utc_ms(utc_ms(2017, 10, 29, 3, 30)) == utc_ms(2017, 10, 29, 0, 30)


def test_a_wall_time_that_never_happens_is_read_with_the_offset_before_the_change():
    clock = ServerClock("eet_eu")

    assert clock.to_utc_ms(utc_ms(2017, 3, 26, 3, 30)) == utc_ms(2017, 3, 26, 1, 30)
    assert clock.to_utc_ms(utc_ms(2017, 3, 26, 4, 0)) == utc_ms(2017, 3, 26, 1, 0)


@given(st.sampled_from(PROFILES), YEARS_MS)
def test_a_server_day_begins_at_its_midnight_and_ends_at_the_next(profile: str, moment_ms: int):
    clock = ServerClock(profile)
    start_ms, end_ms = clock.day_start_ms(moment_ms), clock.next_midnight_ms(moment_ms)

    assert start_ms <= moment_ms < end_ms
    assert clock.to_server_ms(start_ms) % DAY_MS == 0
    assert clock.to_server_ms(end_ms) % DAY_MS == 0
    assert end_ms - start_ms in (23 * HOUR_MS, 24 * HOUR_MS, 25 * HOUR_MS)


def test_the_days_of_the_changes_have_23_and_25_hours():
    clock = ServerClock("eet_eu")
    lengths = [
        clock.next_midnight_ms(noon) - clock.day_start_ms(noon)
        for noon in (utc_ms(2017, 3, 26, 12), utc_ms(2017, 10, 29, 12))
    ]

    assert lengths == [23 * HOUR_MS, 25 * HOUR_MS]


def test_weekdays_count_from_sunday_in_server_time():
    clock = ServerClock("eet_eu")

    assert clock.weekday(utc_ms(2017, 1, 1, 21, 59)) == 0
    assert clock.weekday(utc_ms(2017, 1, 1, 22, 0)) == 1


@pytest.mark.parametrize("profile", ["", "EET", "fixed:", "fixed:x", "fixed:+15", "fixed:-13"])
def test_an_unknown_profile_is_refused_with_the_known_ones(profile: str):
    with pytest.raises(ValueError, match="use utc, eet_eu, ny_plus_7 or fixed"):
        ServerClock(profile)


def test_a_clock_shows_its_profile():
    assert repr(ServerClock("fixed:+2")) == "ServerClock('fixed:+2')"
