"""What is lost is followed over deposits and restarts, and says what must be closed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from journal_rows import a_deal
from risk_rooms import prop_rules

from mtquant.engine import LossWatch
from mtquant.engine.loss_watch import Cut
from mtquant.model import DataError, DealEntry, DealKind, ServerClock
from mtquant.risk import BreakerSpec, RiskLimits
from mtquant.risk.prop import (
    DailyBase,
    DailyLoss,
    Effect,
    PropClock,
    PropGuard,
)

NOON_MS = 1_483_358_400_000  # 2017-01-02 12:00 UTC
MINUTE_MS = 60_000
CLOCK = ServerClock("utc")
LIMITS = RiskLimits(
    breaker=BreakerSpec(
        level_1_fraction=0.05, level_2_fraction=0.1, level_3_fraction=0.2, cool_down_minutes=10
    ),
    max_drawdown_fraction=0.5,
)


REST = '"latest_ms": 1, "deal_ticket": 1, "paid_minor": 0, "stop_tag": ""'


def guard(effect: Effect = Effect.FAIL, buffer_fraction: float = 0.1) -> PropGuard:
    rules = prop_rules(
        daily_loss=DailyLoss(base=DailyBase.BALANCE, allowance_fraction=0.1, effect=effect),
    )
    return PropGuard(rules, 100_000, PropClock(rules.day), buffer_fraction, currency=("USD", 2))


def a_watch(limits: RiskLimits = LIMITS, prop: PropGuard | None = None) -> LossWatch:
    return LossWatch(limits, CLOCK, prop)


def begun(limits: RiskLimits = LIMITS, prop: PropGuard | None = None) -> LossWatch:
    watch = a_watch(limits, prop)
    watch.observe(NOON_MS, 100_000, 100_000)
    return watch


def paid(ticket: int, time_ms: int, minor: int, **changes: Any):
    return a_deal(
        ticket, time_ms=time_ms, kind=DealKind.BALANCE, side=None, profit_minor=minor, **changes
    )


def closed(ticket: int, time_ms: int, minor: int):
    return a_deal(ticket, time_ms=time_ms, entry=DealEntry.OUT, profit_minor=minor)


# ---------------------------------------------------------------------- observing


@pytest.mark.parametrize(
    ("limits", "prop", "is_on"),
    [
        (RiskLimits(), None, False),
        (RiskLimits(breaker=BreakerSpec()), None, True),
        (RiskLimits(max_drawdown_fraction=0.1), None, True),
        (RiskLimits(), guard(), True),
    ],
)
def test_observations_are_asked_for_where_something_remembers_losses(limits, prop, *, is_on: bool):
    assert a_watch(limits, prop).is_on is is_on


def test_without_a_breaker_nothing_is_scaled_or_cut():
    watch = begun(RiskLimits())

    assert (watch.level, watch.scale, watch.cut, watch.drawdown_fraction) == (0, 1.0, None, 0.0)
    assert watch.observe(NOON_MS, 1, 1) == ()
    watch.note_cut()
    assert watch.cut is None


def test_a_loss_raises_the_breaker_and_is_told_with_its_numbers():
    watch = begun()
    news = watch.observe(NOON_MS + 1, 94_000, 100_000)

    (told,) = news
    assert (told.name, told.time_ms, told.correlation_id) == (
        "breaker_rose",
        NOON_MS + 1,
        "breaker",
    )
    assert dict(told.fields) == {
        "from_level": 0,
        "level": 1,
        "window": "day",
        "loss_minor": 6_000,
        "start_minor": 100_000,
        "reason": "equity is 6.00% below the day's start; level 1 begins at 5.00%",
    }
    assert watch.halt_due == ""
    assert (watch.level, watch.scale, watch.cut) == (1, 0.75, None)


def test_the_second_level_cuts_until_it_is_noted_and_the_third_halts():
    watch = begun()

    watch.observe(NOON_MS + 1, 90_000, 100_000)
    assert watch.halt_due == ""
    assert watch.cut == Cut(tag=f"breaker:{NOON_MS + 1}", keep_fraction=0.5, closes_worst=True)
    watch.note_cut()
    assert watch.cut is None
    watch.observe(NOON_MS + 2, 80_000, 100_000)
    assert watch.halt_due == ("equity is 20.00% below the day's start; level 3 begins at 20.00%")
    assert watch.cut is None
    assert watch.observe(NOON_MS + 3, 80_000, 100_000) == ()


def test_the_fall_from_the_highest_value_is_followed_over_days():
    watch = a_watch()
    assert watch.drawdown_fraction == 0.0

    for days, equity in ((0, 100_000), (1, 120_000), (2, 114_000)):
        watch.observe(NOON_MS + days * 86_400_000, equity, 100_000)
    assert watch.drawdown_fraction == pytest.approx(0.05)


def test_time_that_goes_back_counts_as_the_latest():
    watch = begun(prop=guard())

    assert watch.observe(NOON_MS - 5, 99_000, 100_000) == ()  # the guard would refuse it
    assert json.loads(watch.state())["latest_ms"] == NOON_MS


# ---------------------------------------------------------------------- money paid in and out


@pytest.mark.parametrize("amount", [50_000, -50_000])
def test_a_payment_is_neither_loss_nor_gain_when_its_deal_comes_with_it(amount: int):
    watch = begun()
    watch.note_deals([paid(1, NOON_MS, amount)])

    assert watch.observe(NOON_MS + 1, 100_000 + amount, 100_000 + amount) == ()
    assert watch.drawdown_fraction == 0.0
    watch.observe(NOON_MS + 2, (100_000 + amount) * 9 // 10, 100_000)
    assert watch.drawdown_fraction == pytest.approx(0.1)


def test_a_payment_counts_once():
    watch = begun()
    watch.note_deals([paid(1, NOON_MS, -50_000)])
    watch.observe(NOON_MS + 1, 50_000, 50_000)

    assert watch.observe(NOON_MS + 2, 50_000, 50_000) == ()
    assert watch.drawdown_fraction == 0.0


def test_a_payment_from_before_the_first_observation_is_part_of_it():
    watch = a_watch()
    watch.note_deals([paid(1, NOON_MS - 5, 100_000)])
    watch.observe(NOON_MS, 100_000, 100_000)
    watch.note_deals([paid(2, NOON_MS - 1, 100_000)])
    watch.observe(NOON_MS + 1, 100_000, 100_000)

    assert watch.drawdown_fraction == 0.0
    assert json.loads(watch.state())["deal_ticket"] == 2


# ---------------------------------------------------------------------- a prop firm's rules


def test_trades_are_told_to_the_firms_guard_as_they_open_and_close():
    prop = guard()
    watch = begun(prop=prop)
    watch.note_deals(
        [a_deal(1, time_ms=NOON_MS), closed(2, NOON_MS, -700), paid(3, NOON_MS, 9_999)]
    )

    assert (prop.days.days_traded, prop.days.total_minor) == (1, -700)


def test_a_breach_of_the_firms_rules_halts():
    watch = begun(RiskLimits(), guard(buffer_fraction=0.0))
    news = watch.observe(NOON_MS + 1, 89_999, 100_000)

    assert watch.halt_due == "prop rule daily_loss: breach"
    (told,) = news
    assert (told.name, told.time_ms, told.correlation_id) == ("prop_rule_met", NOON_MS + 1, "prop")
    assert dict(told.fields) == {
        "what": "breach",
        "rule": "daily_loss",
        "value_minor": 89_999,
        "limit_minor": 90_000,
    }
    assert watch.cut is None


@pytest.mark.parametrize(
    ("prop", "equity"), [(guard(Effect.PAUSE, 0.0), 89_999), (guard(), 90_999)]
)
def test_a_pause_or_a_stop_before_the_line_closes_all_and_halts_nothing(prop, equity: int):
    watch = begun(prop=prop, limits=RiskLimits())
    watch.observe(NOON_MS + 1, equity, 100_000)

    assert watch.halt_due == ""
    assert watch.cut == Cut(tag=f"prop:{NOON_MS + 1}", keep_fraction=0.0, closes_worst=False)
    assert watch.prop_words(NOON_MS, 0, 0).endswith("; entries return at the firm's next reset")
    watch.note_cut()
    assert watch.cut is None


def test_a_stop_that_is_over_is_kept_before_a_breaker_that_is_new_has_seen_anything():
    before = begun(RiskLimits(), guard(Effect.PAUSE, 0.0))
    before.observe(NOON_MS + 1, 89_999, 100_000)
    after = a_watch(prop=guard(Effect.PAUSE, 0.0))
    after.restore(before.state(), ())

    after.note_cut()

    assert json.loads(after.state())["stop_tag"] == ""


def test_a_firms_stop_goes_before_the_breakers_cut():
    watch = begun(prop=guard(Effect.PAUSE, 0.0))
    news = watch.observe(NOON_MS + 1, 89_000, 100_000)

    assert [one.name for one in news] == ["breaker_rose", "prop_rule_met"]
    assert watch.cut.tag.startswith("prop:")
    watch.note_cut()
    assert watch.cut.tag.startswith("breaker:")
    watch.note_cut()
    assert watch.cut is None


def test_a_breaker_and_a_firm_that_both_halt_are_told_together():
    watch = begun(prop=guard(buffer_fraction=0.0))
    watch.observe(NOON_MS + 1, 70_000, 100_000)

    assert watch.halt_due == (
        "equity is 30.00% below the day's start; level 3 begins at 20.00%; "
        "prop rule daily_loss: breach"
    )


def test_trading_that_may_go_on_is_told_and_cuts_nothing():
    watch = begun(RiskLimits(), guard(Effect.PAUSE, 0.0))
    watch.observe(NOON_MS + 1, 89_999, 89_999)
    watch.note_cut()
    news = watch.observe(NOON_MS + 86_400_000, 89_999, 89_999)

    assert [one.fields["what"] for one in news] == ["trading may go on"]
    assert (watch.halt_due, watch.cut) == ("", None)


def test_the_firms_words_about_an_entry_are_its_rule_money_and_remedy():
    assert begun().prop_words(NOON_MS, 5, 5) == ""
    watch = begun(prop=guard(buffer_fraction=0.0))

    assert watch.prop_words(NOON_MS, 10_000, 10_000) == ""
    assert watch.prop_words(NOON_MS, 10_001, 10_001) == (
        "prop_floor: equity 899.99 USD at the stops, limit 900.00 USD; a smaller volume or a "
        "nearer stop"
    )


# ---------------------------------------------------------------------- a person's word


@pytest.mark.parametrize("limits", [LIMITS, RiskLimits()])
def test_without_a_raised_breaker_nothing_objects_to_a_release(limits: RiskLimits):
    assert begun(limits).release(NOON_MS, "Ada", "looked") == ([], "")


def test_a_breaker_comes_down_after_its_cool_down_and_not_before():
    watch = begun()
    watch.observe(NOON_MS, 80_000, 100_000)
    told, objection = watch.release(NOON_MS + 10 * MINUTE_MS - 1, "Ada", "looked")

    assert [one.name for one in told] == ["breaker_stays"]
    assert told[0].fields["level"] == 3
    assert told[0].fields["reason"] == objection != ""
    assert told[0].correlation_id == "breaker"
    assert watch.level == 3

    told, objection = watch.release(NOON_MS + 10 * MINUTE_MS, "Ada", "looked")
    assert [one.name for one in told] == ["breaker_reset"]
    assert dict(told[0].fields) == {"who": "Ada", "reason": "looked"}
    assert told[0].correlation_id == "breaker"
    assert (objection, watch.level) == ("", 0)


@pytest.mark.parametrize("equity", [94_000, 90_000])
def test_a_breaker_that_halts_nothing_stays_without_an_objection_to_a_resume(equity: int):
    watch = begun()
    watch.observe(NOON_MS, equity, 100_000)
    told, objection = watch.release(NOON_MS, "Ada", "looked")

    assert [one.name for one in told] == ["breaker_stays"]
    assert objection == ""


def test_a_drawdown_that_stops_entries_begins_anew_with_the_released_breaker():
    watch = begun(replace(LIMITS, max_drawdown_fraction=0.2))
    watch.observe(NOON_MS, 79_000, 100_000)
    watch.release(NOON_MS + 10 * MINUTE_MS - 1, "Ada", "looked")
    assert watch.drawdown_fraction == 0.21  # the breaker stays, and so does this

    told, objection = watch.release(NOON_MS + 10 * MINUTE_MS, "Ada", "looked")
    assert [one.name for one in told] == ["breaker_reset", "drawdown_reset"]
    assert dict(told[1].fields) == {
        "drawdown_fraction": 0.21,
        "start_minor": 100_000,
        "who": "Ada",
        "reason": "looked",
    }
    assert (told[1].time_ms, told[1].correlation_id) == (NOON_MS + 10 * MINUTE_MS, "drawdown")
    assert (objection, watch.drawdown_fraction) == ("", 0.0)
    watch.observe(NOON_MS + 11 * MINUTE_MS, 71_100, 100_000)
    assert watch.drawdown_fraction == pytest.approx(0.1)


@pytest.mark.parametrize("equity", [90_000, 85_000])
def test_without_a_breaker_a_person_lets_a_drawdown_begin_anew_once_it_is_met(equity: int):
    watch = begun(RiskLimits(max_drawdown_fraction=0.1))
    watch.observe(NOON_MS, equity, 100_000)
    told, objection = watch.release(NOON_MS, "Ada", "looked")

    assert ([one.name for one in told], objection) == (["drawdown_reset"], "")
    assert watch.drawdown_fraction == 0.0


def test_a_drawdown_below_its_limit_outlives_the_releases_of_the_breaker():
    watch = begun()
    watch.observe(NOON_MS, 80_000, 100_000)
    told, _ = watch.release(NOON_MS + 10 * MINUTE_MS, "Ada", "looked")

    assert [one.name for one in told] == ["breaker_reset"]
    assert watch.drawdown_fraction == pytest.approx(0.2)
    assert watch.release(NOON_MS + 11 * MINUTE_MS, "Ada", "looked") == ([], "")


# ---------------------------------------------------------------------- keeping


def test_nothing_is_recorded_before_the_first_observation_or_where_nothing_watches():
    assert not a_watch().is_to_be_recorded(NOON_MS)
    assert not begun(RiskLimits()).is_to_be_recorded(NOON_MS)


def test_a_change_is_recorded_at_once_and_the_rest_every_ten_minutes():
    watch = begun()
    assert watch.is_to_be_recorded(NOON_MS)
    watch.state()

    assert not watch.is_to_be_recorded(NOON_MS)
    assert not watch.is_to_be_recorded(NOON_MS + 10 * MINUTE_MS - 1)
    assert watch.is_to_be_recorded(NOON_MS + 10 * MINUTE_MS)
    watch.observe(NOON_MS + 1, 99_999, 100_000)
    assert not watch.is_to_be_recorded(NOON_MS + 1)
    watch.observe(NOON_MS + 2, 94_000, 100_000)
    assert watch.is_to_be_recorded(NOON_MS + 2)


@pytest.mark.parametrize(
    ("equity", "is_change"), [(100_005, False), (100_200, True), (90_000, True), (99_000, False)]
)
def test_a_highest_value_is_recorded_in_steps(equity: int, *, is_change: bool):
    watch = begun()
    watch.state()
    watch.observe(NOON_MS + 1, equity, 100_000)

    assert watch.is_to_be_recorded(NOON_MS + 1) is is_change


@pytest.mark.parametrize("name", ["breaker", "peak"])
def test_each_part_that_remembers_a_peak_tells_of_its_rise(name: str):
    limits = {"breaker": {"breaker": LIMITS.breaker}, "peak": {"max_drawdown_fraction": 0.5}}
    watch = begun(RiskLimits(**limits[name]))
    watch.state()
    watch.observe(NOON_MS + 1, 110_000, 100_000)

    assert watch.is_to_be_recorded(NOON_MS + 1)


def test_an_account_that_is_worth_nothing_can_be_followed():
    watch = a_watch(RiskLimits(max_drawdown_fraction=0.5))
    watch.observe(NOON_MS, 0, 0)

    assert watch.is_to_be_recorded(NOON_MS)
    assert json.loads(watch.state())["peak"]["peak_start_minor"] == 0


def test_a_stop_of_the_firm_and_a_noted_cut_are_each_recorded():
    watch = begun(RiskLimits(), guard())
    watch.state()
    watch.observe(NOON_MS + 1, 90_999, 100_000)
    assert watch.is_to_be_recorded(NOON_MS + 1)
    watch.state()
    watch.note_cut()
    assert watch.is_to_be_recorded(NOON_MS + 1)


@pytest.mark.parametrize("stage", range(5))
def test_whatever_was_reached_is_taken_over_by_the_next_process(stage: int):
    """After each step of a life, a restored watch goes on exactly as the old one."""
    steps = [
        lambda one: one.observe(NOON_MS + 1, 103_000, 100_000),
        lambda one: one.observe(NOON_MS + 2, 90_500, 100_000),
        lambda one: one.note_deals([paid(4, NOON_MS + 3, 5_000)]),
        lambda one: one.note_cut(),
        lambda one: one.observe(NOON_MS + 4, 84_000, 105_000),
    ]
    one, other = (begun(prop=guard()) for _ in range(2))
    for step in steps[:stage]:
        step(one)
    text = one.state()
    other = a_watch(prop=guard())
    other.restore(text, [])

    assert other.state() == text
    assert (other.cut, other.level) == (one.cut, one.level)
    for step in steps[stage:]:
        step(one)
        step(other)
    assert other.state() == one.state()
    assert other.drawdown_fraction == one.drawdown_fraction


def test_deals_that_were_journalled_after_the_state_are_taken_in_once():
    watch = begun()
    watch.note_deals([paid(4, NOON_MS, 1_000)])
    text = watch.state()
    after = a_watch()
    after.restore(text, [paid(4, NOON_MS, 1_000), paid(5, NOON_MS + 1, 500)])

    assert json.loads(after.state())["paid_minor"] == 1_500
    assert json.loads(after.state())["deal_ticket"] == 5


def test_a_payment_that_showed_after_newer_trades_and_after_the_state_is_taken_in():
    payment, trade = paid(4, NOON_MS, -1_000), closed(5, NOON_MS + 1, 200)
    watch = begun()
    watch.note_deals([trade])
    after = a_watch()
    after.restore(watch.state(), [payment, trade])
    again = a_watch()
    again.restore(after.state(), [payment, trade])

    assert json.loads(after.state())["paid_minor"] == -1_000
    assert json.loads(again.state())["paid_minor"] == -1_000


def test_a_state_without_payments_has_taken_in_those_up_to_its_newest_deal():
    watch = begun()
    watch.note_deals([paid(4, NOON_MS, 1_000)])
    kept = json.loads(watch.state())
    del kept["payments"]
    after = a_watch()
    after.restore(json.dumps(kept), [paid(4, NOON_MS, 1_000), paid(5, NOON_MS + 1, 500)])

    assert json.loads(after.state())["paid_minor"] == 1_500


def test_without_a_state_the_journals_deals_are_noted_and_no_payment_is_new():
    watch = a_watch()
    watch.restore(None, [paid(4, NOON_MS, 1_000)])
    watch.observe(NOON_MS, 100_000, 100_000)

    assert json.loads(watch.state())["deal_ticket"] == 4
    assert json.loads(watch.state())["paid_minor"] == 0


def test_a_part_that_was_switched_on_since_begins_anew_and_one_switched_off_is_ignored():
    with_breaker = begun(RiskLimits(breaker=LIMITS.breaker))
    with_breaker.observe(NOON_MS + 1, 90_000, 100_000)
    other = a_watch(RiskLimits(max_drawdown_fraction=0.5))
    other.restore(with_breaker.state(), [])

    assert other.drawdown_fraction == 0.0
    assert other.level == 0


def test_a_watch_that_watches_nothing_reads_no_state():
    watch = a_watch(RiskLimits())
    watch.restore("{", [])

    assert not watch.is_on


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "5",
        "[]",
        "{}",
        '{"breaker": 5}',
        '{"peak": [1]}',
        f'{{"began_ms": null, {REST}}}',
        f'{{"began_ms": Infinity, {REST}}}',
    ],
)
def test_a_state_that_cannot_be_read_is_refused_with_what_to_do(text: str):
    with pytest.raises(DataError, match=r"look at `mtquant journal show`, and begin a new folder"):
        a_watch().restore(text, [])
