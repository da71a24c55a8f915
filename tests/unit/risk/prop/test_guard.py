"""The guard follows the firm's floors, stops before them, and says what changes."""

from __future__ import annotations

import json

import pytest

from mtquant.model import ConfigError
from mtquant.risk.prop import (
    BaseShare,
    DailyBase,
    DailyLoss,
    DayRule,
    Effect,
    FirstDayBase,
    Level,
    MaxLoss,
    MaxLossKind,
    Measure,
    PropClock,
    PropEventKind,
    PropGuard,
    PropStatus,
)

DAY_MS = 86_400_000
DAILY = DailyLoss(base=DailyBase.BALANCE, allowance_fraction=0.05)
PAUSE = DailyLoss(base=DailyBase.BALANCE, allowance_fraction=0.05, effect=Effect.PAUSE)
STATIC = MaxLoss(kind=MaxLossKind.STATIC, allowance_fraction=0.1)


def trailing(kind: MaxLossKind, **changes) -> MaxLoss:
    return MaxLoss(kind=kind, allowance_fraction=0.1, **changes)


def kind_of(event) -> PropEventKind | None:
    return event and event.kind


def test_equity_on_the_floor_is_no_breach_and_one_unit_below_is(guard):
    one = guard(daily_loss=DAILY)

    assert one.observe(0, 100_000, 95_000) is None
    assert one.room_minor == 0
    event = one.observe(1, 100_000, 94_999)
    assert (event.kind, event.rule, event.time_ms) == (PropEventKind.BREACH, "daily_loss", 1)
    assert (event.value_minor, event.limit_minor) == (94_999, 95_000)
    assert one.failure == event


def test_a_failure_is_final(guard):
    one = guard(daily_loss=DAILY)
    one.observe(0, 100_000, 90_000)
    before = one.state()

    assert one.observe(DAY_MS, 200_000, 200_000) is None
    assert one.status is PropStatus.FAILED
    assert one.state() == before
    assert "the account is over" in one.entry_refusal(9 * DAY_MS, 0).remedy


def test_an_allowance_rounds_down_so_the_floor_rounds_up(rules):
    made = rules(daily_loss=DailyLoss(base=DailyBase.BALANCE, allowance_fraction=0.05))
    one = PropGuard(made, 99_999, PropClock(made.day), 0.1)

    assert one.floor_minor == 99_999 - 4_999  # 4,999.95
    assert one.buffered_floor_minor == one.floor_minor + 500  # 499.9


def test_the_highest_floor_counts(guard):
    one = guard(daily_loss=DAILY, max_loss=STATIC)
    one.observe(0, 92_000, 95_000)
    one.observe(DAY_MS, 92_000, 92_000)

    assert one.floor_minor == 90_000
    assert one.observe(DAY_MS, 92_000, 89_999).rule == "max_loss"


@pytest.mark.parametrize(("told_ms", "floor"), [(DAY_MS - 1, 99_000), (DAY_MS, 98_000)])
def test_a_day_is_measured_from_the_balance_that_deals_leave_at_its_reset(guard, told_ms, floor):
    one = guard(daily_loss=DAILY)
    one.observe(0, 100_000, 100_000)
    one.observe(DAY_MS - 2, 103_000, 99_000)
    one.note_traded(told_ms, 1_000)
    one.observe(DAY_MS, 104_000, 104_000)

    assert one.floor_minor == floor


@pytest.mark.parametrize(("after", "floor"), [(104_000, 99_000), (102_000, 98_000)])
def test_a_balance_that_no_deal_explains_begins_a_day_with_the_larger_value(guard, after, floor):
    one = guard(daily_loss=DAILY)
    one.observe(0, 100_000, 100_000)
    one.observe(DAY_MS - 1, 103_000, 99_000)
    one.observe(DAY_MS, after, after)

    assert one.floor_minor == floor


@pytest.mark.parametrize("base", [DailyBase.EQUITY, DailyBase.EQUITY_HIGH])
@pytest.mark.parametrize(("before", "after"), [(103_000, 99_000), (99_000, 103_000)])
def test_a_day_of_equity_begins_with_the_larger_value_around_its_reset(guard, base, before, after):
    one = guard(daily_loss=DailyLoss(base=base, allowance_fraction=0.05))
    one.observe(0, 100_000, 100_000)
    one.observe(DAY_MS - 1, 100_000, before)
    one.observe(DAY_MS, 100_000, after)

    assert one.floor_minor == 98_000


def test_several_days_may_pass_between_two_observations(guard):
    one = guard(daily_loss=DAILY, max_loss=trailing(MaxLossKind.EOD_BALANCE))
    one.observe(0, 108_000, 108_000)
    one.observe(5 * DAY_MS + 7, 104_000, 104_000)

    assert one.floor_minor == 103_000
    assert one.state()["max_loss"][2] == 98_000
    assert one.days.days_traded == 0


def test_a_pause_lasts_until_the_reset(guard):
    one = guard(daily_loss=PAUSE)
    paused = one.observe(0, 94_000, 94_000)

    assert (paused.kind, paused.time_ms) == (PropEventKind.PAUSE, 0)
    assert (paused.value_minor, paused.limit_minor) == (94_000, 95_000)
    assert one.observe(1, 94_000, 93_000) is None
    assert one.observe(2, 94_000, 99_000) is None
    assert one.status is PropStatus.PAUSED
    assert one.failure is None
    assert "next reset" in one.entry_refusal(DAY_MS - 1, 0).remedy
    assert one.can_open(DAY_MS, 0)

    resumed = one.observe(DAY_MS, 94_000, 94_000)
    assert (resumed.kind, resumed.limit_minor) == (PropEventKind.RESUME, 89_000)
    assert one.status is PropStatus.OK


def test_a_pause_may_follow_a_pause(guard):
    one = guard(daily_loss=PAUSE)
    one.observe(0, 94_000, 94_000)

    assert kind_of(one.observe(DAY_MS, 94_000, 80_000)) is PropEventKind.PAUSE


def test_a_paused_account_can_still_fail(guard):
    one = guard(daily_loss=PAUSE, max_loss=STATIC)
    one.observe(0, 94_000, 94_000)

    assert kind_of(one.observe(1, 94_000, 89_999)) is PropEventKind.BREACH


def test_a_breach_counts_before_a_pause(guard):
    one = guard(daily_loss=PAUSE, max_loss=STATIC)

    assert one.observe(0, 89_000, 89_000).rule == "max_loss"


def test_the_buffer_stops_before_the_line_until_the_reset(guard):
    one = guard(0.2, daily_loss=DAILY)
    assert one.observe(0, 100_000, 96_000) is None
    stopped = one.observe(1, 100_000, 95_999)

    assert (stopped.kind, stopped.limit_minor) == (PropEventKind.BUFFER_STOP, 96_000)
    assert one.observe(2, 100_000, 99_000) is None
    assert one.status is PropStatus.STOPPED_BY_BUFFER
    assert not one.can_open(3, 0)
    assert kind_of(one.observe(DAY_MS, 100_000, 99_000)) is PropEventKind.RESUME


def test_a_buffer_that_still_stops_after_the_reset_is_no_news(guard):
    one = guard(0.2, max_loss=STATIC)

    assert kind_of(one.observe(0, 91_999, 91_999)) is PropEventKind.BUFFER_STOP
    assert one.observe(DAY_MS, 91_999, 91_999) is None
    assert one.status is PropStatus.STOPPED_BY_BUFFER
    assert kind_of(one.observe(2 * DAY_MS, 92_000, 92_000)) is PropEventKind.RESUME


def test_a_reset_may_bring_an_account_into_its_buffer(guard):
    one = guard(0.2, daily_loss=DAILY, max_loss=STATIC)
    one.observe(0, 104_000, 99_500)
    stopped = one.observe(DAY_MS, 104_000, 99_500)

    assert (stopped.kind, stopped.rule) == (PropEventKind.BUFFER_STOP, "daily_loss")
    assert stopped.limit_minor == 100_000


def test_the_end_of_a_pause_names_the_floor_that_counts_then(guard):
    one = guard(daily_loss=PAUSE, max_loss=STATIC)
    one.observe(0, 94_000, 94_000)
    resumed = one.observe(DAY_MS, 94_000, 94_000)

    assert (resumed.rule, resumed.limit_minor) == ("max_loss", 90_000)
    assert one.can_open(2 * DAY_MS, 4_000)
    assert not one.can_open(2 * DAY_MS, 4_001)


def test_a_buffer_stop_can_become_a_breach(guard):
    one = guard(0.2, daily_loss=DAILY)
    one.observe(0, 95_500, 95_500)

    assert kind_of(one.observe(1, 94_999, 94_999)) is PropEventKind.BREACH


def test_an_order_may_lose_down_to_the_buffered_floor_and_no_further(guard):
    one = guard(0.2, daily_loss=DAILY)
    one.observe(0, 100_000, 99_000)

    assert one.can_open(0, 3_000)
    refusal = one.entry_refusal(0, 3_001)
    assert refusal.rule == "prop_floor"
    assert "95999" in refusal.value
    assert "96000" in refusal.limit


def test_a_reset_that_has_passed_unseen_counts_for_an_order(guard):
    one = guard(daily_loss=DAILY)
    one.observe(0, 100_000, 97_000)
    one.observe(1, 97_000, 97_000)
    before = one.state()

    assert not one.can_open(DAY_MS - 1, 2_001)
    assert one.can_open(DAY_MS, 4_850)
    assert one.can_open(DAY_MS, 5_000)
    assert not one.can_open(DAY_MS, 5_001)
    assert one.state() == before


@pytest.mark.parametrize(
    ("base", "left"),
    [
        (DailyBase.BALANCE, 1_500),
        (DailyBase.EQUITY, 4_500),
        (DailyBase.HIGHER, 1_500),
        (DailyBase.EQUITY_HIGH, 4_500),
    ],
)
def test_asking_at_a_later_instant_resets_the_floors_and_changes_nothing(guard, base, left):
    pause = DailyLoss(base=base, allowance_fraction=0.05, effect=Effect.PAUSE)
    one = guard(0.1, daily_loss=pause, max_loss=trailing(MaxLossKind.EOD_BALANCE))
    one.observe(0, 104_000, 94_000)
    one.observe(1, 104_000, 101_000)
    before = one.state(), one.buffered_floor_minor

    assert one.status_at(DAY_MS - 1) is PropStatus.PAUSED
    assert one.status_at(DAY_MS) is PropStatus.OK
    assert one.can_open(DAY_MS, left)
    assert not one.can_open(DAY_MS, left + 1)
    assert (one.state(), one.buffered_floor_minor) == before


def test_asking_at_a_later_instant_lets_the_floor_of_the_whole_follow_the_balance(guard):
    one = guard(0.1, max_loss=trailing(MaxLossKind.EOD_BALANCE, lock_gain_fraction=0.01))
    one.observe(0, 112_000, 112_000)

    assert one.can_open(DAY_MS - 1, 21_000)
    assert one.can_open(DAY_MS, 10_000)
    assert not one.can_open(DAY_MS, 10_001)
    assert (one.floor_minor, one.is_locked) == (90_000, False)


def test_nothing_is_opened_before_the_account_has_been_seen(guard):
    assert guard(daily_loss=DAILY).entry_refusal(0, 0).value == "not observed yet"


def test_money_paid_in_is_no_room(guard):
    one = guard(daily_loss=DAILY, max_loss=trailing(MaxLossKind.BALANCE_HIGH))
    one.observe(0, 100_000, 100_000)
    one.observe(1, 150_000, 150_000, 50_000)

    assert one.floor_minor == 145_000
    assert one.state()["daily_loss"][0] == 150_000
    assert one.state()["max_loss"][2] == 140_000
    assert one.room_minor == 5_000


def test_profit_paid_out_is_no_loss_of_the_day_and_lowers_no_floor_of_the_whole(guard):
    one = guard(daily_loss=DAILY, max_loss=STATIC)
    one.observe(0, 108_000, 108_000)
    one.observe(DAY_MS, 108_000, 108_000)
    assert one.observe(DAY_MS + 1, 100_000, 100_000, -8_000) is None

    assert one.state()["daily_loss"][2] == 95_000
    assert one.state()["max_loss"][2] == 90_000


def test_a_deposit_that_is_paid_out_again_leaves_no_trace(guard):
    one = guard(max_loss=trailing(MaxLossKind.EQUITY_HIGH))
    one.observe(0, 105_000, 105_000)
    one.observe(1, 155_000, 155_000, 50_000)
    one.observe(2, 105_000, 105_000, -50_000)

    assert one.floor_minor == 95_000


@pytest.mark.parametrize(
    ("base", "floor"), [(DailyBase.BALANCE, 125_000), (DailyBase.EQUITY, 127_000)]
)
def test_money_paid_in_before_the_first_look_is_no_base(guard, base, floor):
    observed = DailyLoss(base=base, allowance_fraction=0.05, first_day_base=FirstDayBase.OBSERVED)
    one = guard(daily_loss=observed)
    one.observe(0, 130_000, 132_000, 20_000)

    assert one.floor_minor == floor


def test_the_first_day_is_measured_from_the_initial_balance_or_from_what_is_seen(guard):
    seen = DailyLoss(
        base=DailyBase.EQUITY, allowance_fraction=0.05, first_day_base=FirstDayBase.OBSERVED
    )
    initial = DailyLoss(base=DailyBase.EQUITY, allowance_fraction=0.05)
    first, second = guard(daily_loss=seen), guard(daily_loss=initial)
    for one in (first, second):
        one.observe(0, 100_000, 110_000)

    assert (first.floor_minor, second.floor_minor) == (105_000, 95_000)


@pytest.mark.parametrize(
    ("base", "balance", "equity", "floor"),
    [
        (DailyBase.BALANCE, 104_000, 101_000, 99_000),
        (DailyBase.EQUITY, 104_000, 101_000, 96_000),
        (DailyBase.HIGHER, 104_000, 101_000, 99_000),
        (DailyBase.HIGHER, 101_000, 104_000, 99_000),
        (DailyBase.EQUITY_HIGH, 104_000, 101_000, 96_000),
    ],
)
def test_each_base_reads_its_own_value_at_the_reset(guard, base, balance, equity, floor):
    one = guard(daily_loss=DailyLoss(base=base, allowance_fraction=0.05))
    one.observe(0, balance, equity)
    one.observe(DAY_MS, 100_000, 100_000)

    assert one.floor_minor == floor


@pytest.mark.parametrize(
    ("share", "floor"), [(BaseShare.INITIAL, 105_000), (BaseShare.BASE, 104_500)]
)
def test_the_equity_high_of_the_day_raises_its_floor(guard, share, floor):
    one = guard(
        daily_loss=DailyLoss(base=DailyBase.EQUITY_HIGH, allowance_fraction=0.05, share=share)
    )
    one.observe(0, 100_000, 99_000)
    assert one.floor_minor == 95_000
    one.observe(1, 100_000, 110_000)
    one.observe(2, 100_000, 107_000)

    assert one.floor_minor == floor
    one.observe(DAY_MS, 100_000, 106_000)
    assert one.floor_minor == 107_000 - (5_000 if share is BaseShare.INITIAL else 5_350)


def test_a_deposit_never_lowers_the_floor_of_an_equity_high(guard):
    half = DailyLoss(base=DailyBase.EQUITY_HIGH, allowance_fraction=0.5, share=BaseShare.BASE)
    one = guard(daily_loss=half)
    one.observe(0, 100_000, 100_000)
    one.observe(1, 200_000, 200_000, 100_000)
    assert one.floor_minor == 150_000
    assert one.state()["daily_loss"] == [200_000, 50_000, 150_000]
    one.observe(2, 202_000, 202_000)

    assert one.state()["daily_loss"] == [202_000, 101_000, 150_000]


def test_a_rule_on_the_balance_does_not_look_at_open_losses(guard):
    closed = DailyLoss(base=DailyBase.BALANCE, allowance_fraction=0.05, measure=Measure.BALANCE)
    one = guard(daily_loss=closed)

    assert one.observe(0, 96_000, 80_000) is None
    event = one.observe(1, 94_000, 96_000)
    assert (event.kind, event.value_minor) == (PropEventKind.BREACH, 94_000)


@pytest.mark.parametrize(
    ("kind", "floor"),
    [
        (MaxLossKind.STATIC, 90_000),
        (MaxLossKind.EOD_BALANCE, 94_000),
        (MaxLossKind.BALANCE_HIGH, 96_000),
        (MaxLossKind.EQUITY_HIGH, 99_000),
    ],
)
def test_each_kind_of_floor_follows_its_own_high(guard, kind, floor):
    one = guard(max_loss=trailing(kind))
    one.observe(0, 106_000, 109_000)
    one.observe(1, 104_000, 101_000)
    one.observe(DAY_MS, 102_000, 101_000)

    assert one.floor_minor == floor


def test_a_floor_rises_no_further_than_its_lock(guard):
    one = guard(max_loss=trailing(MaxLossKind.EQUITY_HIGH, lock_gain_fraction=0.01))
    assert one.observe(0, 110_999, 110_999) is None
    assert one.floor_minor == 100_999
    locked = one.observe(1, 111_000, 111_000)

    assert (locked.kind, locked.limit_minor) == (PropEventKind.LOCK, 101_000)
    assert one.observe(2, 150_000, 150_000) is None
    assert one.floor_minor == 101_000


@pytest.mark.parametrize("trigger", [None, 0.1])
def test_a_deposit_raises_where_a_floor_locks(guard, trigger):
    rule = trailing(MaxLossKind.BALANCE_HIGH, lock_gain_fraction=0.0, lock_trigger_fraction=trigger)
    one = guard(max_loss=rule)
    one.observe(0, 130_000, 130_000, 30_000)
    assert one.observe(1, 139_999, 139_999) is None
    assert kind_of(one.observe(2, 140_000, 140_000)) is PropEventKind.LOCK
    assert one.floor_minor == 130_000
    one.observe(3, 145_000, 145_000, 5_000)
    assert one.floor_minor == 135_000
    one.observe(4, 146_000, 146_000, 1_000)
    assert one.floor_minor == 136_000


def test_a_lock_with_a_trigger_waits_for_the_closed_gain_and_lowers_no_floor(guard):
    rule = MaxLoss(
        kind=MaxLossKind.EQUITY_HIGH,
        allowance_fraction=0.04,
        lock_gain_fraction=0.0,
        lock_trigger_fraction=0.04,
    )
    one = guard(max_loss=rule)
    assert one.observe(0, 103_999, 106_000) is None
    assert one.floor_minor == 102_000
    assert kind_of(one.observe(1, 104_000, 106_500)) is PropEventKind.LOCK
    assert one.floor_minor == 102_500
    one.observe(2, 110_000, 110_000)
    assert one.floor_minor == 102_500


@pytest.mark.parametrize("paid", [0, 30_000])
def test_a_lock_raises_a_floor_that_open_losses_held_down(guard, paid):
    rule = MaxLoss(
        kind=MaxLossKind.EQUITY_HIGH,
        allowance_fraction=0.04,
        lock_gain_fraction=0.0,
        lock_trigger_fraction=0.04,
    )
    one = guard(max_loss=rule)
    one.observe(0, 104_000 + paid, 101_000 + paid, paid)

    assert one.floor_minor == 100_000 + paid


def test_a_lock_at_a_reset_is_told(guard):
    one = guard(max_loss=trailing(MaxLossKind.EOD_BALANCE, lock_gain_fraction=0.0))
    assert one.observe(0, 111_000, 111_000) is None
    assert not one.is_locked

    assert kind_of(one.observe(DAY_MS, 111_000, 111_000)) is PropEventKind.LOCK
    assert one.is_locked


def test_days_and_their_profits_are_those_of_the_firm(guard):
    one = guard(daily_loss=DAILY)
    one.note_opened(DAY_MS + 1)
    one.note_opened(DAY_MS - 1)
    one.note_opened(DAY_MS)
    one.note_closed(DAY_MS, 500)
    one.note_closed(2 * DAY_MS - 1, -200)
    one.note_closed(2 * DAY_MS, 700)

    assert one.days.days_traded == 2
    assert (one.days.best_minor, one.days.total_minor) == (700, 1_000)
    assert one.days.best_share() == pytest.approx(0.7)
    assert [one.days.days_with(least) for least in (300, 301, 701)] == [2, 1, 0]


def test_the_least_profit_has_a_best_day(guard):
    one = guard(daily_loss=DAILY)
    one.note_closed(0, 3)
    one.note_closed(DAY_MS, -2)

    assert one.days.best_share() == 3


def test_days_without_profit_have_no_best_share(guard):
    one = guard(daily_loss=DAILY)
    assert one.days.best_minor == 0
    one.note_closed(0, -500)

    assert one.days.best_minor == 0
    assert one.days.best_share() is None


def test_a_failed_account_is_restored_as_failed(guard):
    first, second = guard(daily_loss=DAILY), guard(daily_loss=DAILY)
    first.observe(0, 90_000, 90_000)
    second.restore(json.loads(json.dumps(first.state())))

    assert second.failure == first.failure
    assert second.status is PropStatus.FAILED


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rules": "Other"}, "rules: the state is of 'Other', not of 'Firm Test'"),
        ({"initial_minor": 5}, "initial_minor: the state is of 5, not of 100000"),
        ({"colour": 1}, "colour: the state must have the keys rules, floors, "),
        ({"balance_minor": 1.5}, "balance_minor: expected a whole number, was 1.5"),
        ({"day_ms": True}, "day_ms: expected a whole number, was True"),
        ({"time_ms": "now"}, "time_ms: expected a whole number"),
        ({"status": "FINE"}, "status: 'FINE' is not one of OK, PAUSED"),
        ({"status": 1}, "status: 1 is not one of"),
        ({"daily_loss": [1, 2]}, "daily_loss: expected 3 numbers"),
        ({"daily_loss": 5}, "daily_loss: expected a list, was 5"),
        ({"max_loss": [1, 2, 3, 0, 0]}, "max_loss: expected 6 numbers"),
        ({"booked": [1]}, "booked: expected times and amounts in turn"),
        ({"days_ms": [1]}, "days_ms: the lists of the days must have one length"),
        ({"failure": ["daily_loss"]}, "failure: expected rule, time, value and limit"),
        ({"failure": [1, 2, 3, 4]}, "failure: expected rule, time, value and limit"),
        ({"failure": ["daily_loss", 1, 2, None]}, "failure: expected a whole number, was None"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(guard, changes, message):
    one = guard(daily_loss=DAILY, max_loss=STATIC)
    before = one.state()

    with pytest.raises(ConfigError, match=f"^{message}"):
        one.restore(before | changes)
    assert one.state() == before


@pytest.mark.parametrize(
    "changes",
    [
        {"day": DayRule(reset="00:30", zone="UTC")},
        {"daily_loss": DailyLoss(base=DailyBase.BALANCE, allowance_fraction=0.04)},
        {"max_loss": MaxLoss(kind=MaxLossKind.STATIC, allowance_fraction=0.08)},
        {"max_loss": None},
    ],
)
def test_a_state_of_other_numbers_is_refused(guard, changes):
    stated = {"daily_loss": DAILY, "max_loss": STATIC}

    with pytest.raises(ConfigError, match=r"floors: the state is of '[0-9a-f]{16}', not of"):
        guard(**(stated | changes)).restore(guard(**stated).state())


def test_a_state_outlives_a_change_of_notes(guard):
    noted = DailyLoss(
        base=DailyBase.BALANCE, allowance_fraction=0.05, level=Level.UNVERIFIED, note="Read again."
    )
    first, second = guard(daily_loss=DAILY), guard(daily_loss=noted)
    first.observe(0, 97_000, 97_000)
    second.restore(first.state())

    assert second.room_minor == 2_000


def test_a_state_without_a_key_is_refused(guard):
    one = guard(daily_loss=DAILY)
    state = one.state()
    del state["status"]

    with pytest.raises(ConfigError, match="status: the state must have the keys"):
        one.restore(state)


def test_time_does_not_run_backwards(guard):
    one = guard(daily_loss=DAILY)
    one.observe(5, 100_000, 100_000)

    with pytest.raises(ConfigError, match="now_ms: time runs backwards, 5 -> 4"):
        one.observe(4, 100_000, 100_000)


def test_a_negative_loss_is_refused(guard):
    one = guard(daily_loss=DAILY)
    with pytest.raises(ConfigError, match="worst_loss_minor must not be negative, was -1"):
        one.can_open(0, -1)


@pytest.mark.parametrize("buffer", [-0.1, 1.0])
def test_a_buffer_is_a_part_of_the_allowance(guard, buffer):
    with pytest.raises(ConfigError, match="buffer_fraction must be 0 or more and below 1"):
        guard(buffer, daily_loss=DAILY)


def test_an_account_needs_money(rules):
    made = rules(daily_loss=DAILY)
    with pytest.raises(ConfigError, match="initial_minor must be at least 1, was 0"):
        PropGuard(made, 0, PropClock(made.day))
    assert PropGuard(made, 1, PropClock(made.day)).floor_minor == 1


def test_rules_for_one_size_refuse_another(guard):
    amount = MaxLoss(kind=MaxLossKind.STATIC, allowance_minor=500)
    assert guard(max_loss=amount, initial_minor=100_000).floor_minor == 99_500

    with pytest.raises(ConfigError, match="accounts of 50000 minor units, was 100000"):
        guard(max_loss=amount, initial_minor=50_000)
    with pytest.raises(ConfigError, match=r"of 500\.00 USD, was 1000\.00 USD$"):
        guard(max_loss=amount, initial_minor=50_000, currency=("USD", 2))


def test_rules_without_a_floor_are_refused(guard):
    with pytest.raises(ConfigError, match="neither daily_loss nor max_loss"):
        guard(daily_loss=DailyLoss(base=DailyBase.NONE))


def test_an_allowance_that_the_source_leaves_open_is_refused(guard):
    with pytest.raises(ConfigError) as caught:
        guard(daily_loss=DailyLoss(base=DailyBase.BALANCE))
    assert str(caught.value) == (
        "daily_loss.allowance_fraction: the source leaves it open, so the rule cannot be kept; "
        "copy the rule file and fill it in"
    )
