"""A guard that joins a traded account begins with what deals, or a person, tell of its past."""

from __future__ import annotations

import json

import pytest

from mtquant.model import ConfigError
from mtquant.risk.prop import (
    BaseShare,
    DailyBase,
    DailyLoss,
    Effect,
    FirstDayBase,
    MaxLoss,
    MaxLossKind,
    Measure,
    PropEventKind,
    PropStatus,
)

DAY_MS = 86_400_000
JOINED_MS = DAY_MS + 10
USD = ("USD", 2)
DAILY = DailyLoss(base=DailyBase.BALANCE, allowance_fraction=0.05)
STATIC = MaxLoss(kind=MaxLossKind.STATIC, allowance_fraction=0.1)
TRAILING = (MaxLossKind.EOD_BALANCE, MaxLossKind.BALANCE_HIGH, MaxLossKind.EQUITY_HIGH)


def trailing(kind: MaxLossKind, **changes) -> MaxLoss:
    return MaxLoss(kind=kind, allowance_fraction=0.1, **changes)


def daily(base: DailyBase, **changes) -> DailyLoss:
    return DailyLoss(base=base, allowance_fraction=0.05, **changes)


# ---------------------------------------------------------------------- the day


def test_the_day_of_joining_is_measured_from_the_balance_at_its_reset(guard):
    one = guard(daily_loss=DAILY)
    one.note_traded(DAY_MS - 1, 3_000)
    one.note_traded(DAY_MS, -2_000)
    one.join(JOINED_MS, 101_000, 100_500)

    assert one.floor_minor == 98_000
    assert (one.has_begun, one.room_minor) == (True, 2_500)
    assert one.observe(JOINED_MS, 101_000, 100_500) is None


@pytest.mark.parametrize(
    ("first", "balance", "equity", "floor"),
    [
        (FirstDayBase.INITIAL, 100_000, 104_000, 95_000),
        (FirstDayBase.OBSERVED, 100_000, 104_000, 99_000),
        (FirstDayBase.INITIAL, 102_000, 104_000, 99_000),
        (FirstDayBase.OBSERVED, 102_000, 101_000, 97_000),
    ],
)
def test_a_day_of_equity_joined_at_another_balance_begins_with_the_larger_value(
    guard, first, balance, equity, floor
):
    one = guard(daily_loss=daily(DailyBase.EQUITY, first_day_base=first))
    one.join(JOINED_MS, balance, equity)

    assert one.floor_minor == floor


# ---------------------------------------------------------------------- the high


@pytest.mark.parametrize("kind", TRAILING)
def test_a_trailing_floor_hangs_from_the_high_that_was_given(guard, kind):
    one = guard(max_loss=trailing(kind), highest_minor=112_000)
    one.join(JOINED_MS, 105_000, 105_000)

    assert one.floor_minor == 102_000


@pytest.mark.parametrize(
    ("kind", "floor"), [(MaxLossKind.EOD_BALANCE, 97_000), (MaxLossKind.BALANCE_HIGH, 98_500)]
)
def test_all_deals_since_the_deposit_tell_the_high_of_the_balance(guard, kind, floor):
    one = guard(max_loss=trailing(kind))
    one.note_traded(5, 6_000)
    one.note_traded(6, 2_500)
    one.note_traded(7, -1_500)
    one.note_traded(DAY_MS, -2_000)
    one.join(JOINED_MS, 105_000, 105_000)

    assert one.floor_minor == floor


def test_the_highest_of_all_days_ends_counts_however_long_ago(guard):
    one = guard(max_loss=trailing(MaxLossKind.EOD_BALANCE))
    for time_ms, net in ((5, 6_000), (6, 2_500), (7, -1_500), (DAY_MS, -4_000)):
        one.note_traded(time_ms, net)
    one.join(3 * DAY_MS, 103_000, 103_000)

    assert one.floor_minor == 97_000


@pytest.mark.parametrize("kind", TRAILING)
def test_an_untouched_account_has_the_deposit_as_its_high(guard, kind):
    one = guard(max_loss=trailing(kind))
    one.join(JOINED_MS, 100_000, 100_000)

    assert one.floor_minor == 90_000


def test_a_floor_of_the_days_end_follows_the_balance_at_the_reset_before_joining(guard):
    one = guard(max_loss=trailing(MaxLossKind.EOD_BALANCE), highest_minor=104_000)
    one.note_traded(DAY_MS, -3_000)
    one.join(JOINED_MS, 103_000, 103_000)

    assert one.floor_minor == 96_000


def test_a_static_floor_follows_no_high_and_needs_none(guard):
    one = guard(max_loss=STATIC, highest_minor=112_000)
    one.join(JOINED_MS, 110_000, 110_000)

    assert one.floor_minor == 90_000


def test_a_high_that_had_reached_the_trigger_has_locked_the_floor(guard):
    rule = trailing(MaxLossKind.EQUITY_HIGH, lock_gain_fraction=0.0, lock_trigger_fraction=0.1)
    one = guard(max_loss=rule, highest_minor=110_000)
    one.join(JOINED_MS, 105_000, 105_000)

    assert (one.is_locked, one.floor_minor) == (True, 100_000)


@pytest.mark.parametrize(
    ("kind", "net_minor"),
    [
        (MaxLossKind.EOD_BALANCE, None),
        (MaxLossKind.BALANCE_HIGH, None),
        (MaxLossKind.BALANCE_HIGH, -5_000),
        (MaxLossKind.EQUITY_HIGH, 5_000),
    ],
)
def test_a_high_that_deals_do_not_tell_has_to_be_given(guard, kind, net_minor):
    one = guard(max_loss=trailing(kind), currency=USD)
    if net_minor is not None:
        one.note_traded(5, net_minor)
    with pytest.raises(ConfigError) as refused:
        one.join(JOINED_MS, 105_000, 105_000)

    assert str(refused.value) == (
        "prop.highest_balance: the floor of Firm Test follows the highest value of the account, "
        "and what it was before is not known (balance 1050.00 USD, initial_deposit 1000.00 USD): "
        "give the highest that the firm counts, which is its present floor plus the allowance"
    )
    assert not one.has_begun


def test_a_high_below_the_deposit_is_refused_and_the_deposit_is_taken(guard):
    with pytest.raises(ConfigError) as refused:
        guard(max_loss=STATIC, highest_minor=99_999, currency=USD)

    assert str(refused.value) == (
        "highest_balance: 999.99 USD lies below the initial deposit of 1000.00 USD, where each "
        "account begins"
    )
    assert guard(max_loss=STATIC, highest_minor=100_000).floor_minor == 90_000


# ---------------------------------------------------------------------- below a floor


def test_an_account_below_a_floor_that_ends_it_is_not_joined(guard):
    one = guard(max_loss=STATIC, currency=USD)
    with pytest.raises(ConfigError) as refused:
        one.join(JOINED_MS, 91_000, 89_999)

    assert str(refused.value) == (
        "prop.initial_deposit: the account is worth 899.99 USD, below the max_loss floor of "
        "900.00 USD that Firm Test has for a deposit of 1000.00 USD: either the account is over, "
        "or the deposit is another one; nothing was done about it"
    )
    assert not one.has_begun


def test_an_account_on_a_floor_is_joined(guard):
    one = guard(max_loss=STATIC)
    one.join(JOINED_MS, 91_000, 90_000)

    assert one.room_minor == 0


def test_an_account_below_a_floor_that_pauses_it_is_joined_and_then_paused(guard):
    one = guard(daily_loss=daily(DailyBase.BALANCE, effect=Effect.PAUSE))
    one.join(JOINED_MS, 100_000, 94_999)

    assert one.observe(JOINED_MS, 100_000, 94_999).kind is PropEventKind.PAUSE


@pytest.mark.parametrize(("measure", "is_over"), [(Measure.BALANCE, True), (Measure.EQUITY, False)])
def test_what_a_rule_measures_says_whether_the_account_is_over(guard, measure, is_over):
    one = guard(daily_loss=daily(DailyBase.BALANCE, measure=measure))
    one.note_traded(DAY_MS, -6_000)
    if is_over:
        with pytest.raises(ConfigError, match="is worth 94000 minor units, below the daily_loss"):
            one.join(JOINED_MS, 94_000, 96_000)
    else:
        one.join(JOINED_MS, 94_000, 96_000)
    assert one.has_begun is not is_over


# ---------------------------------------------------------------------- deals told late


def told_late(one, net_minor, value_minor, time_ms=DAY_MS + 5):
    """Tell of a deal that is in the balance already, and look; return the floor."""
    one.note_traded(time_ms, net_minor)
    one.observe(JOINED_MS + 20, value_minor, value_minor)
    return one.floor_minor


def test_a_deal_of_the_day_that_is_told_late_is_taken_out_of_its_begin(guard):
    one = guard(daily_loss=DAILY)
    one.join(JOINED_MS, 104_000, 104_000)
    late = ((DAY_MS + 5, 3_000), (DAY_MS, 500), (JOINED_MS, 100), (DAY_MS - 1, 7))
    floors = [told_late(one, net, 104_000, time_ms) for time_ms, net in late]

    assert floors == [96_000, 95_500, 95_400, 95_400]
    assert not {"booked", "doubtful"} & set(one.state())
    one.note_traded(JOINED_MS + 1, 9)
    assert (one.floor_minor, one.state()["booked"]) == (95_400, [JOINED_MS + 1, 9])


def test_a_deal_that_is_told_late_only_raises_the_begin_of_a_day_of_equity(guard):
    one = guard(daily_loss=daily(DailyBase.EQUITY))
    one.join(JOINED_MS, 104_000, 103_000)
    floors = [told_late(one, net, 104_000) for net in (-2_000, 3_000, -4_000)]

    assert floors == [101_000, 101_000, 102_000]


@pytest.mark.parametrize("nets", [(-4_000, 4_000), (4_000, -4_000)])
@pytest.mark.parametrize("base", [base for base in DailyBase if base is not DailyBase.NONE])
def test_late_deals_count_by_their_sum_in_whatever_order_they_are_told(guard, base, nets):
    one = guard(daily_loss=daily(base), max_loss=trailing(MaxLossKind.EOD_BALANCE))
    one.join(JOINED_MS, 100_000, 100_000)
    for net in nets:
        one.note_traded(DAY_MS + 5, net)
    event = one.observe(JOINED_MS + 20, 100_000, 100_000)

    assert (event, one.floor_minor) == (None, 95_000)


def test_a_deal_that_is_told_late_raises_the_floor_of_the_days_end_too(guard):
    one = guard(max_loss=trailing(MaxLossKind.EOD_BALANCE), highest_minor=104_000)
    one.join(JOINED_MS, 106_000, 106_000)
    assert one.floor_minor == 96_000

    assert told_late(one, -2_000, 106_000) == 98_000


@pytest.mark.parametrize("kind", [MaxLossKind.STATIC, MaxLossKind.EQUITY_HIGH])
def test_a_deal_that_is_told_late_moves_no_other_floor_of_the_whole(guard, kind):
    one = guard(max_loss=trailing(kind), highest_minor=106_000)
    one.join(JOINED_MS, 106_000, 106_000)
    before = one.floor_minor

    assert told_late(one, -2_000, 106_000) == before


@pytest.mark.parametrize("net_minor", [2_000, -2_000])
def test_a_new_deal_whose_time_is_before_joining_moves_no_begin_of_the_day(guard, net_minor):
    """The computer's clock was ahead of the server's when the account was joined."""
    one = guard(daily_loss=DAILY)
    one.join(JOINED_MS, 104_000, 104_000)
    one.note_traded(DAY_MS + 5, net_minor)
    one.observe(JOINED_MS + 1, 104_000 + net_minor, 104_000 + net_minor)

    assert one.floor_minor == 99_000


@pytest.mark.parametrize(("net_minor", "floor"), [(2_000, 99_000), (-2_000, 101_000)])
def test_where_neither_explains_the_balance_a_doubtful_deal_only_raises_a_floor(
    guard, net_minor, floor
):
    one = guard(daily_loss=DAILY)
    one.join(JOINED_MS, 104_000, 104_000)
    one.note_traded(DAY_MS + 5, net_minor)
    one.observe(JOINED_MS + 1, 103_333, 103_333)

    assert one.floor_minor == floor


def test_doubtful_deals_outlive_the_process(guard):
    one, other = guard(daily_loss=DAILY), guard(daily_loss=DAILY)
    one.join(JOINED_MS, 104_000, 104_000)
    one.note_traded(DAY_MS + 5, 3_000)
    other.restore(json.loads(json.dumps(one.state())))
    other.observe(JOINED_MS + 20, 104_000, 104_000)

    assert other.floor_minor == 96_000
    with pytest.raises(ConfigError, match="doubtful: expected times and amounts in turn"):
        other.restore(one.state() | {"doubtful": [1]})


# ---------------------------------------------------------------------- money on that day


def joined_and_paid(one, balance_minor, paid_minor):
    """Join at a balance, then pay in or out ten milliseconds later."""
    one.join(JOINED_MS, balance_minor, balance_minor)
    one.observe(JOINED_MS, balance_minor, balance_minor)
    paid = balance_minor + paid_minor
    one.observe(JOINED_MS + 10, paid, paid, paid_minor)
    return paid


@pytest.mark.parametrize("base", [base for base in DailyBase if base is not DailyBase.NONE])
@pytest.mark.parametrize("paid_minor", [-8_000, 8_000])
def test_a_late_deal_moves_the_day_by_its_own_amount_whatever_was_paid(guard, base, paid_minor):
    one = guard(daily_loss=daily(base))
    paid = joined_and_paid(one, 110_000, paid_minor)
    assert one.floor_minor == 105_000 + paid_minor

    assert told_late(one, -50, paid) == 105_050 + paid_minor
    assert one.status is PropStatus.OK


@pytest.mark.parametrize("base", [base for base in DailyBase if base is not DailyBase.NONE])
def test_a_late_deal_gives_no_allowance_for_money_that_was_paid_in(guard, base):
    rule = DailyLoss(base=base, allowance_fraction=0.5, share=BaseShare.BASE)
    one = guard(daily_loss=rule)
    paid = joined_and_paid(one, 100_000, 10_000)
    assert one.floor_minor == 60_000

    assert told_late(one, -10, paid) == 60_005


def test_a_late_deal_lowers_no_floor_that_has_followed_equity(guard):
    rule = DailyLoss(base=DailyBase.EQUITY_HIGH, allowance_fraction=0.5, share=BaseShare.BASE)
    one = guard(daily_loss=rule)
    one.join(JOINED_MS, 100_000, 100_000)
    one.observe(JOINED_MS + 1, 110_000, 110_000, 10_000)
    one.observe(JOINED_MS + 2, 110_000, 130_000)
    floor_minor = one.floor_minor

    assert told_late(one, -25_000, 110_000) >= floor_minor


@pytest.mark.parametrize("paid_minor", [0, 10_000, -4_000])
def test_a_late_deal_raises_the_floor_of_the_days_end_beside_what_was_paid(guard, paid_minor):
    one = guard(max_loss=trailing(MaxLossKind.EOD_BALANCE), highest_minor=104_000)
    paid = joined_and_paid(one, 106_000, paid_minor)
    raised_minor = max(0, paid_minor)  # what is paid out leaves this floor where it is
    assert one.floor_minor == 96_000 + raised_minor

    assert told_late(one, -2_000, paid) == 98_000 + raised_minor


def test_a_new_process_goes_on_knowing_when_the_account_was_joined(guard):
    one, other = guard(daily_loss=DAILY), guard(daily_loss=DAILY)
    joined_and_paid(one, 104_000, 1_000)
    other.restore(json.loads(json.dumps(one.state())))

    for each in (one, other):
        each.note_traded(DAY_MS + 5, -3_000)
        each.observe(JOINED_MS + 20, 105_000, 105_000)
    assert one.floor_minor == other.floor_minor == 103_000
    assert one.state() == other.state()


@pytest.mark.parametrize("joined", [[1, 2], [1, 2, 3, 4], [1, 2, "3"], 5])
def test_a_damaged_memory_of_joining_is_refused(guard, joined):
    one = guard(daily_loss=DAILY)
    one.join(JOINED_MS, 104_000, 104_000)

    with pytest.raises(ConfigError, match="joined: expected"):
        guard(daily_loss=DAILY).restore(one.state() | {"joined": joined})


def test_deals_from_before_joining_never_count_again(guard):
    one = guard(max_loss=trailing(MaxLossKind.BALANCE_HIGH), highest_minor=104_000)
    one.join(JOINED_MS, 104_000, 104_000)
    one.observe(JOINED_MS + DAY_MS, 104_000, 104_000)

    one.note_traded(DAY_MS + 5, 3_000)
    one.observe(JOINED_MS + DAY_MS + 1, 104_000, 104_000)
    assert one.floor_minor == 94_000


def test_a_profit_and_a_payout_between_two_looks_count_as_the_profit_first(guard):
    one = guard(max_loss=trailing(MaxLossKind.BALANCE_HIGH))
    one.observe(0, 100_000, 100_000)
    one.note_traded(1, 5_000)
    one.observe(2, 103_000, 103_000, -2_000)

    assert one.floor_minor == 95_000


@pytest.mark.parametrize(
    "rule",
    [
        trailing(MaxLossKind.BALANCE_HIGH),
        trailing(MaxLossKind.EOD_BALANCE, lock_gain_fraction=0.0, lock_trigger_fraction=0.06),
    ],
    ids=lambda rule: rule.kind.name,
)
def test_a_deposit_that_is_paid_out_again_beside_a_deal_leaves_the_floor_where_it_was(guard, rule):
    one = guard(max_loss=rule)
    one.observe(0, 100_000, 100_000)
    one.observe(1, 110_000, 110_000, 10_000)
    one.note_traded(2, 1)
    one.note_traded(2, -51)
    one.observe(3, 99_950, 99_950, -10_000)

    assert (one.status, one.is_locked) == (PropStatus.OK, False)
    assert one.floor_minor in {90_000, 90_001}
