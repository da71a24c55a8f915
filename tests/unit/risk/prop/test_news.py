"""The windows around news, and which events have one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtquant.risk.prop import Impact, NewsEvent, NewsRule, blackout

RULE = NewsRule(before_s=120, after_s=60)


def event(time_ms: int, currency: str = "USD", impact: Impact = Impact.HIGH) -> NewsEvent:
    return NewsEvent(time_ms=time_ms, currency=currency, impact=impact, title="Payrolls")


@pytest.mark.parametrize(
    ("now_ms", "is_inside"),
    [(879_999, False), (880_000, True), (1_000_000, True), (1_060_000, True), (1_060_001, False)],
)
def test_both_ends_of_the_window_belong_to_it(now_ms: int, is_inside: bool):
    calendar = [event(1_000_000)]

    assert (blackout(now_ms, ("EUR", "USD"), calendar, RULE) is calendar[0]) is is_inside


def test_only_the_currencies_of_the_symbol_count():
    calendar = [event(1_000_000, "JPY"), event(1_000_001, "EUR")]

    assert blackout(1_000_000, {"EUR", "USD"}, calendar, RULE) is calendar[1]
    assert blackout(1_000_000, {"GBP", "USD"}, calendar, RULE) is None


def test_only_high_impact_counts_unless_asked_otherwise():
    calendar = [event(0, impact=Impact.LOW), event(1, impact=Impact.MEDIUM)]

    assert blackout(0, ["USD"], calendar, RULE) is None
    assert blackout(0, ["USD"], calendar, RULE, Impact.MEDIUM) is calendar[1]
    assert blackout(0, ["USD"], calendar, RULE, Impact.LOW) is calendar[0]


def test_a_calendar_without_events_blocks_nothing():
    assert blackout(0, ["USD"], [], RULE) is None


@given(st.lists(st.integers(0, 10**6)), st.integers(0, 10**6))
def test_the_first_event_whose_window_holds_the_instant_is_found(times, now_ms):
    calendar = [event(time_ms) for time_ms in sorted(times)]
    inside = [one for one in calendar if one.time_ms - 120_000 <= now_ms <= one.time_ms + 60_000]

    assert blackout(now_ms, ["USD"], calendar, RULE) is (inside[0] if inside else None)
