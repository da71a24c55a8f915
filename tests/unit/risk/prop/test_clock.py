"""The firm's day begins where its zone says, in every week of the year."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtquant.model import ConfigError, ServerClock
from mtquant.risk.prop import DayRule, PropClock

YEARS = (946_684_800_000, 2_208_988_800_000)  # 2000 to 2040
SERVER = ServerClock("ny_plus_7")
RULES = (
    DayRule(reset="00:00", zone="Europe/Prague"),
    DayRule(reset="17:00", zone="America/New_York"),
    DayRule(reset="00:30", zone="UTC"),
    DayRule(reset="20:55", zone="UTC"),
    DayRule(reset="00:00", zone="Etc/GMT-2"),
    DayRule(reset="09:15", zone="Pacific/Kiritimati"),
    DayRule(reset="23:45", zone="Pacific/Niue"),
    DayRule(reset="00:00", zone="server"),
    DayRule(reset="17:00", zone="server"),
)


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1000


def wall_time(rule: DayRule, utc_ms: int) -> str:
    if rule.zone == "server":
        moment = datetime.fromtimestamp(SERVER.to_server_ms(utc_ms) / 1000, UTC)
    else:
        moment = datetime.fromtimestamp(utc_ms / 1000, ZoneInfo(rule.zone))
    return moment.strftime("%H:%M:%S")


@pytest.mark.parametrize(
    ("rule", "instant", "start", "following"),
    [
        # the night of the European spring change has 23 hours
        (RULES[0], "2026-03-29T12:00Z", "2026-03-28T23:00Z", "2026-03-29T22:00Z"),
        (RULES[0], "2026-10-25T12:00Z", "2026-10-24T22:00Z", "2026-10-25T23:00Z"),
        (RULES[0], "2026-07-01T22:00Z", "2026-07-01T22:00Z", "2026-07-02T22:00Z"),
        (RULES[0], "2026-07-01T21:59:59Z", "2026-06-30T22:00Z", "2026-07-01T22:00Z"),
        (RULES[1], "2026-01-05T21:59Z", "2026-01-04T22:00Z", "2026-01-05T22:00Z"),
        (RULES[1], "2026-03-08T12:00Z", "2026-03-07T22:00Z", "2026-03-08T21:00Z"),
        (RULES[2], "2026-03-29T00:29Z", "2026-03-28T00:30Z", "2026-03-29T00:30Z"),
        (RULES[3], "2026-03-29T20:55Z", "2026-03-29T20:55Z", "2026-03-30T20:55Z"),
        (RULES[4], "2026-07-01T12:00Z", "2026-06-30T22:00Z", "2026-07-01T22:00Z"),
        (RULES[0], "1970-01-01T00:00Z", "1969-12-31T23:00Z", "1970-01-01T23:00Z"),
        # New York plus seven: 22:00 UTC in winter, 21:00 in American summer
        (RULES[7], "2026-03-06T12:00Z", "2026-03-05T22:00Z", "2026-03-06T22:00Z"),
        (RULES[7], "2026-03-10T12:00Z", "2026-03-09T21:00Z", "2026-03-10T21:00Z"),
    ],
)
def test_the_day_lies_between_two_resets(rule, instant, start, following):
    clock = PropClock(rule, SERVER)

    assert clock.day_start_ms(ms(instant)) == ms(start)
    assert clock.next_reset_ms(ms(instant)) == ms(following)


@given(st.sampled_from(RULES), st.lists(st.integers(*YEARS), min_size=1, max_size=5))
def test_every_instant_has_one_day_that_begins_at_the_wall_time_of_the_reset(rule, instants):
    clock = PropClock(rule, SERVER)
    for instant in instants:
        start, following = clock.day_start_ms(instant), clock.next_reset_ms(instant)

        assert start <= instant < following
        assert 23 * 3_600_000 <= following - start <= 25 * 3_600_000
        assert wall_time(rule, start) == wall_time(rule, following) == f"{rule.reset}:00"
        assert clock.day_start_ms(following) == following
        assert clock.day_start_ms(following - 1) == start


def test_a_reset_that_the_spring_change_leaves_out_is_read_with_the_offset_before_it():
    clock = PropClock(DayRule(reset="02:30", zone="Europe/Prague"))

    assert clock.next_reset_ms(ms("2026-03-28T12:00Z")) == ms("2026-03-29T01:30Z")
    assert clock.next_reset_ms(ms("2026-03-29T01:30Z")) == ms("2026-03-30T00:30Z")


def test_a_reset_that_happens_twice_in_autumn_means_the_first():
    clock = PropClock(DayRule(reset="02:30", zone="Europe/Prague"))
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)

    assert clock.day_start_ms(ms("2026-10-25T05:00Z")) == int(first.timestamp()) * 1000
    assert clock.next_reset_ms(ms("2026-10-25T05:00Z")) == int(
        (first + timedelta(hours=25)).timestamp() * 1000
    )


@pytest.mark.parametrize("zone", ["Europe/Prag", "", "../etc/passwd", "Europe"])
def test_an_unknown_zone_is_refused(zone: str):
    with pytest.raises(ConfigError, match=r"zone: '.*' is not known; use 'server' or an IANA"):
        PropClock(DayRule(zone=zone))


def test_the_zone_of_the_server_needs_its_clock():
    with pytest.raises(ConfigError, match=r"^zone: 'server' needs the clock of the broker"):
        PropClock(DayRule(zone="server"))


def test_a_clock_shows_its_reset():
    assert repr(PropClock(RULES[1])) == "PropClock(17:00 America/New_York)"
