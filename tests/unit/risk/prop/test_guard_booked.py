"""Deals between two looks tell the guard of balances that nobody has seen."""

from __future__ import annotations

import json

import pytest

from mtquant.risk.prop import DailyBase, DailyLoss, MaxLoss, MaxLossKind

DAY_MS = 86_400_000
DAILY = DailyLoss(base=DailyBase.BALANCE, allowance_fraction=0.05)
BALANCE_HIGH = MaxLoss(kind=MaxLossKind.BALANCE_HIGH, allowance_fraction=0.1)


@pytest.mark.parametrize(("second_ms", "paid"), [(2, 0), (1, 0), (2, 2_000)])
def test_a_high_of_the_balance_between_two_looks_counts(guard, second_ms, paid):
    one = guard(max_loss=BALANCE_HIGH)
    one.observe(0, 100_000, 100_000)
    one.note_traded(1, 5_000)
    one.note_traded(second_ms, -4_000)
    one.observe(3, 101_000 + paid, 101_000 + paid, paid)

    assert one.floor_minor == 95_000 + paid


def test_deals_that_do_not_explain_the_balance_tell_of_no_high(guard):
    one = guard(max_loss=BALANCE_HIGH)
    one.observe(0, 100_000, 100_000)
    one.note_traded(1, 5_000)
    one.observe(2, 101_000, 101_000)

    assert one.floor_minor == 91_000


def test_deals_that_are_stored_before_anybody_looks_are_remembered(guard):
    changes = {"daily_loss": DAILY, "max_loss": BALANCE_HIGH}
    first, second = guard(**changes), guard(**changes)
    first.observe(0, 100_000, 100_000)
    for time_ms, net in ((DAY_MS - 1, 3_000), (DAY_MS, 1_000)):
        first.note_traded(time_ms, net)
    second.restore(json.loads(json.dumps(first.state())))
    second.observe(DAY_MS, 104_000, 104_000)

    assert second.state()["daily_loss"][0] == 103_000
    assert second.state()["max_loss"][0] == 104_000


def test_the_highest_of_the_days_ends_that_nobody_saw_raises_the_floor(guard):
    one = guard(max_loss=MaxLoss(kind=MaxLossKind.EOD_BALANCE, allowance_fraction=0.1))
    one.observe(0, 100_000, 100_000)
    for time_ms, net in ((1, 2_000), (2, 5_000), (DAY_MS, -3_000)):
        one.note_traded(time_ms, net)
    one.observe(2 * DAY_MS, 104_000, 104_000)

    assert one.floor_minor == 97_000


def test_deals_that_cancel_out_move_the_begin_of_a_day_that_nobody_saw(guard):
    one = guard(daily_loss=DAILY)
    one.observe(0, 100_000, 100_000)
    one.note_traded(1, 500)
    one.note_traded(DAY_MS, -500)

    assert one.can_open(DAY_MS, 4_500)
    assert not one.can_open(DAY_MS, 4_501)
