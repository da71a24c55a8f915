"""Positions are closed and entries refused at the times that limits and prop rules state."""

from __future__ import annotations

import pytest
from risk_rooms import make_position, make_slot, prop_rules
from worlds import bars_of

from mtquant.engine.windows import TradingWindows
from mtquant.model import ServerClock
from mtquant.model.news import Impact, NewsEvent
from mtquant.risk import RiskLimits
from mtquant.risk.prop import NewsRule, WeekendRule

HOUR_MS = 3_600_000
CLOCK = ServerClock("utc")
NOON_MS = 1_483_358_400_000  # Monday, 2017-01-02 12:00 UTC
FRIDAY_END_MS = NOON_MS + 4 * 24 * HOUR_MS + 12 * HOUR_MS
PAYROLLS = NewsEvent(time_ms=NOON_MS, currency="USD", impact=Impact.HIGH, title="Payrolls")


def windows(limits: RiskLimits | None = None, **changes) -> TradingWindows:
    return TradingWindows(
        limits or RiskLimits(), CLOCK, [PAYROLLS], prop_rules(**changes) if changes else None
    )


def slot_at(bar_ms: int):
    return make_slot(bars_of([100_000], first_ms=bar_ms), index=0)


# ---------------------------------------------------------------------- holding hours


@pytest.mark.parametrize(("held_ms", "is_over"), [(3 * HOUR_MS, True), (3 * HOUR_MS - 1, False)])
def test_a_position_is_closed_when_it_was_held_long_enough(held_ms: int, *, is_over: bool):
    slot = slot_at(NOON_MS)
    now_ms = NOON_MS + HOUR_MS  # the bar's close
    own = [
        make_position(1, open_ms=now_ms),
        make_position(2, open_ms=now_ms - held_ms),
    ]
    found = windows(RiskLimits(max_holding_hours=3.0)).forced_exits(slot, own)

    assert [one.position_ticket for one in found] == ([2] if is_over else [])
    for one in found:
        assert (one.exit_name, one.reason) == ("max_holding_hours", "max holding hours")
        assert one.priority == 1_000


def test_without_a_limit_nothing_is_closed_however_long_it_was_held():
    own = [make_position(open_ms=0)]

    assert windows().forced_exits(slot_at(NOON_MS), own) == []
    allowed = windows(weekend=WeekendRule(may_hold=True))
    assert allowed.forced_exits(slot_at(FRIDAY_END_MS - HOUR_MS), own) == []


def test_a_holding_time_of_next_to_nothing_closes_with_the_next_bar():
    own = [make_position(open_ms=NOON_MS + HOUR_MS - 1)]

    assert windows(RiskLimits(max_holding_hours=1e-9)).forced_exits(slot_at(NOON_MS), own)


# ---------------------------------------------------------------------- breaks of trading


@pytest.mark.parametrize(("hours", "is_flat"), [(2, True), (3, False)])
def test_all_is_closed_when_the_break_begins_before_the_next_bar_closes(hours, *, is_flat: bool):
    """The last bar that may be held over is the one before the week's last."""
    made = windows(weekend=WeekendRule(may_hold=False))
    own = [make_position(1), make_position(2)]
    found = made.forced_exits(slot_at(FRIDAY_END_MS - hours * HOUR_MS), own)

    assert [one.position_ticket for one in found] == ([1, 2] if is_flat else [])
    assert {one.reason for one in found} <= {"flat before break"}
    assert {one.exit_name for one in found} <= {"flat_before_break"}


def test_holding_hours_go_on_where_no_break_is_near():
    made = windows(RiskLimits(max_holding_hours=1.0), weekend=WeekendRule(may_hold=False))
    own = [make_position(1, open_ms=NOON_MS), make_position(2, open_ms=NOON_MS + 1)]

    (one,) = made.forced_exits(slot_at(NOON_MS), own)
    assert (one.position_ticket, one.exit_name) == (1, "max_holding_hours")


# ---------------------------------------------------------------------- news


@pytest.fixture
def instrument():
    return make_slot().orders.instrument


@pytest.mark.parametrize(
    ("seconds", "is_near"), [(-301, False), (-300, True), (0, True), (600, True), (601, False)]
)
def test_news_is_named_within_its_window_and_both_ends_belong_to_it(
    instrument, seconds: int, *, is_near: bool
):
    limits = RiskLimits(news_calendar="x.csv", news_minutes_before=5.0, news_minutes_after=10.0)
    found = windows(limits).news(NOON_MS + 1000 * seconds, instrument)

    assert found == ("USD Payrolls" if is_near else "")


def test_news_of_other_currencies_and_without_a_calendar_is_none(instrument):
    limits = RiskLimits(news_calendar="x.csv")
    others = make_slot(bars_of([100_000], symbol="GBPUSD"), symbol="GBPUSD").orders.instrument
    swiss = [NewsEvent(time_ms=NOON_MS, currency="CHF", impact=Impact.HIGH, title="Rates")]

    assert windows().news(NOON_MS, instrument) == ""
    assert TradingWindows(limits, CLOCK, swiss).news(NOON_MS, instrument) == ""
    assert windows(limits).news(NOON_MS, others) == "USD Payrolls"
    euro = [NewsEvent(time_ms=NOON_MS, currency="EUR", impact=Impact.HIGH, title="Rates")]
    assert TradingWindows(limits, CLOCK, euro).news(NOON_MS, instrument) == "EUR Rates"


def test_a_firms_rules_about_time_have_words_of_their_own(instrument):
    made = windows(news=NewsRule(before_s=60, after_s=30), weekend=WeekendRule(may_hold=False))

    assert made.news(NOON_MS, instrument) == ""
    assert made.prop_words(NOON_MS - 60_000, instrument, 60) == "news: USD Payrolls"
    assert made.prop_words(NOON_MS + 30_001, instrument, 60) == ""
    near_end_ms = FRIDAY_END_MS - HOUR_MS
    assert made.prop_words(near_end_ms - 1, instrument, 60) == ""
    assert made.prop_words(near_end_ms, instrument, 60) == (
        "positions must be closed before the break"
    )


def test_without_a_firm_no_time_is_forbidden(instrument):
    assert windows().prop_words(NOON_MS, instrument, 60) == ""
    assert windows().prop_words(FRIDAY_END_MS, instrument, 60) == ""
