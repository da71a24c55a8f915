"""When positions must be closed, by an instrument's own hours."""

from __future__ import annotations

from datetime import datetime

import pytest

from mtquant.model import ConfigError, Instrument, ServerClock
from mtquant.risk.prop import WeekendRule, must_be_flat

CLOCK = ServerClock("ny_plus_7")
RULE = WeekendRule(may_hold=False, break_longer_than_minutes=120)
WEEKEND = WeekendRule(may_hold=False)
WHOLE_DAY = ((0, 1440),)
SHARES = ((), *(((990, 1380),),) * 5, ())  # 16:30 to 23:00 on weekdays
GOLD = ((), *(((60, 1440),),) * 5, ())  # an hour's break each night


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1000


def instrument(**changes) -> Instrument:
    usual = {
        "symbol": "EURUSD",
        "digits": 5,
        "contract_size": 100_000,
        "base_currency": "EUR",
        "profit_currency": "USD",
        "margin_currency": "EUR",
    }
    return Instrument(**(usual | changes))


@pytest.mark.parametrize(
    ("when", "ahead", "wanted"),
    [
        ("2026-01-09T21:49:59Z", 10, False),  # Friday; the server's week ends at 22:00 UTC
        ("2026-01-09T21:50Z", 10, True),
        ("2026-01-09T21:59:59Z", 0, False),
        ("2026-01-09T22:00Z", 0, True),
        ("2026-01-10T12:00Z", 0, True),
        ("2026-01-11T20:59:59Z", 0, True),  # trading begins on Sunday, 23:00 server time
        ("2026-01-11T21:00Z", 0, False),
        ("2026-03-13T20:50Z", 10, True),  # American summer time: an hour earlier
        ("2026-03-13T20:49Z", 10, False),
        ("2026-03-06T21:50Z", 10, True),  # the change comes during this weekend
        ("2026-03-08T19:59Z", 0, True),
        ("2026-03-08T20:00Z", 0, False),
    ],
)
def test_the_weekend_of_forex_begins_with_the_last_session(when: str, ahead: int, wanted: bool):
    assert must_be_flat(ms(when), instrument(), CLOCK, WEEKEND, ahead) is wanted


def test_without_minutes_ahead_the_answer_becomes_yes_as_the_session_ends():
    last = ms("2026-01-09T22:00Z") - 1

    assert not must_be_flat(last, instrument(), CLOCK, WEEKEND)
    assert must_be_flat(last + 1, instrument(), CLOCK, WEEKEND)


def test_a_long_break_of_a_night_counts_where_the_rule_says_so():
    shares = instrument(sessions=SHARES)
    evening = ms("2026-01-06T20:55Z")  # 22:55 by the server

    assert must_be_flat(evening, shares, CLOCK, RULE, 5)
    assert not must_be_flat(evening - 1, shares, CLOCK, RULE, 5)
    assert not must_be_flat(evening, shares, CLOCK, WEEKEND, 5)


def test_a_break_that_is_no_longer_than_allowed_does_not_count():
    gold = instrument(sessions=GOLD)
    midnight = ms("2026-01-06T22:00Z")

    assert not must_be_flat(midnight, gold, CLOCK, RULE)
    hour = WeekendRule(may_hold=False, break_longer_than_minutes=60)
    assert not must_be_flat(midnight, gold, CLOCK, hour)
    less = WeekendRule(may_hold=False, break_longer_than_minutes=59)
    assert must_be_flat(midnight, gold, CLOCK, less)


@pytest.mark.parametrize(
    ("when", "wanted"),
    [
        ("2026-01-07T09:29:59Z", False),
        ("2026-01-07T09:30Z", True),  # 11:30 by the server
        ("2026-01-07T10:29:59Z", True),
        ("2026-01-07T10:30Z", False),
    ],
)
def test_a_break_at_noon_lasts_from_one_session_to_the_next(when: str, wanted: bool):
    tokyo = instrument(sessions=(((540, 690), (750, 1440)),) * 7)
    rule = WeekendRule(may_hold=False, break_longer_than_minutes=59)

    assert must_be_flat(ms(when), tokyo, CLOCK, rule) is wanted


def test_a_holiday_in_the_week_is_a_long_break_and_no_weekend():
    holiday = ms("2026-01-07T00:00Z") // 86_400_000  # a Wednesday
    closed = instrument(holidays=(holiday,))
    eve = ms("2026-01-06T22:00Z")

    assert must_be_flat(eve, closed, CLOCK, RULE)
    assert not must_be_flat(eve, closed, CLOCK, WEEKEND)


def test_a_market_that_never_closes_has_no_weekend():
    crypto = instrument(sessions=(WHOLE_DAY,) * 7)

    assert not must_be_flat(ms("2026-01-10T12:00Z"), crypto, CLOCK, RULE, 600)


def test_a_market_that_never_opens_is_always_closed():
    closed = instrument(sessions=((),) * 7)

    assert must_be_flat(ms("2026-01-07T12:00Z"), closed, CLOCK, WEEKEND)


@pytest.mark.parametrize(
    ("day", "server_date", "wanted"),
    [
        (5, "2026-01-09", False),  # Friday
        (6, "2026-01-10", True),
        (0, "2026-01-11", True),
        (1, "2026-01-12", False),
    ],
)
def test_a_closed_saturday_or_sunday_alone_is_a_weekend(day: int, server_date: str, wanted: bool):
    sessions = tuple(() if one == day else WHOLE_DAY for one in range(7))
    noon = ms(f"{server_date}T10:00Z")

    assert must_be_flat(noon, instrument(sessions=sessions), CLOCK, WEEKEND) is wanted


@pytest.mark.parametrize("opens", [719, 720])
@pytest.mark.parametrize(
    ("day", "server_date", "touches"),
    [
        (4, "2026-01-08", False),  # Thursday
        (5, "2026-01-09", True),
        (6, "2026-01-10", True),
        (0, "2026-01-11", True),
        (1, "2026-01-12", False),
    ],
)
def test_a_day_from_noon_to_noon_is_a_weekend_where_it_touches_one(
    day, server_date, touches, opens
):
    sessions = [WHOLE_DAY] * 7
    sessions[day], sessions[(day + 1) % 7] = ((0, 720),), ((opens, 1440),)
    market = instrument(sessions=tuple(sessions))
    evening = ms(f"{server_date}T18:00Z")

    assert must_be_flat(evening, market, CLOCK, WEEKEND) is (touches and opens == 720)


def test_a_weekend_of_less_than_a_day_is_none():
    sessions = (*(WHOLE_DAY,) * 6, ((0, 1),))

    assert not must_be_flat(ms("2026-01-10T10:00Z"), instrument(sessions=sessions), CLOCK, WEEKEND)


def test_a_short_break_on_a_saturday_is_no_weekend():
    paused = instrument(sessions=(*(WHOLE_DAY,) * 6, ((0, 600), (660, 1440))))

    assert not must_be_flat(ms("2026-01-10T08:30Z"), paused, CLOCK, WEEKEND)


def test_where_holding_is_allowed_nothing_is_asked():
    held = WeekendRule(may_hold=True)

    assert not must_be_flat(ms("2026-01-10T12:00Z"), instrument(), CLOCK, held)


def test_minutes_ahead_are_not_negative():
    with pytest.raises(ConfigError, match="ahead_minutes must not be negative, was -1"):
        must_be_flat(0, instrument(), CLOCK, RULE, -1)
