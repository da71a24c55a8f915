"""A guard's refusals are worded, and what it remembers is taken over whole."""

from __future__ import annotations

from mtquant.risk import Refusal
from mtquant.risk.prop import (
    DailyBase,
    DailyLoss,
    Effect,
    MaxLoss,
    MaxLossKind,
    StopLossRule,
)

DAILY = DailyLoss(base=DailyBase.BALANCE, allowance_fraction=0.05, effect=Effect.PAUSE)
STATIC = MaxLoss(kind=MaxLossKind.STATIC, allowance_fraction=0.1)
LOCKING = MaxLoss(kind=MaxLossKind.EQUITY_HIGH, allowance_fraction=0.1, lock_gain_fraction=0.0)
# another key or fingerprint refuses what every guarded account has stored
STORED = {
    "rules": "Firm Test",
    "floors": "f17ce401aeaa0fca",
    "initial_minor": 100_000,
    "balance_minor": 107_000,
    "equity_minor": 99_000,
    "time_ms": 86_400_002,
    "day_ms": 86_400_000,
    "status": "FAILED",
    "failure": ["max_loss", 86_400_002, 99_000, 105_000],
    "daily_loss": [105_000, 5_000, 100_000],
    "max_loss": [116_000, 10_000, 105_000, 1, 5_000, 5_000],
    "days_ms": [0, 86_400_000],
    "days_net_minor": [11_000, -9_000],
    "days_traded": [1, 0],
}


def test_each_refusal_says_rule_value_limit_and_remedy(guard):
    one = guard(daily_loss=DAILY)
    assert one.entry_refusal(0, 0) == Refusal(
        rule="prop_status", value="not observed yet", limit="ok"
    )
    one.observe(0, 100_000, 100_000)
    assert one.entry_refusal(0, 5_001) == Refusal(
        rule="prop_floor",
        value="equity 94999 minor units at the stops",
        limit="95000 minor units",
        remedy="a smaller volume or a nearer stop",
    )
    one.observe(1, 100_000, 94_999)
    assert one.entry_refusal(1, 0) == Refusal(
        rule="prop_status",
        value=one.status.value,
        limit="ok",
        remedy="entries return at the firm's next reset",
    )


def test_amounts_are_told_in_the_currency_where_it_is_known(guard):
    one = guard(daily_loss=DAILY, currency=("USD", 2))
    one.observe(0, 100_000, 100_000)
    refusal = one.entry_refusal(0, 5_001)

    assert (refusal.value, refusal.limit) == ("equity 949.99 USD at the stops", "950.00 USD")


def test_a_trade_that_risks_more_than_its_part_of_the_balance_is_refused(guard):
    rule = StopLossRule(within_s=60, max_risk_fraction=0.01)
    one = guard(max_loss=STATIC, stop_loss=rule, currency=("USD", 2))
    one.observe(0, 104_000, 102_000)

    assert one.entry_refusal(0, 5_000, 1_040) is None
    assert one.entry_refusal(0, 5_000, 1_041) == Refusal(
        rule="prop_trade_risk",
        value="10.41 USD at its stop",
        limit="10.40 USD (1.0% of the balance)",
        remedy="a smaller volume or a nearer stop",
    )


def test_an_order_whose_own_risk_is_not_told_has_none(guard):
    nothing = StopLossRule(within_s=60, max_risk_fraction=1e-6)
    one = guard(max_loss=STATIC, stop_loss=nothing)
    one.observe(0, 100_000, 100_000)

    assert one.can_open(0, 5_000)
    assert one.entry_refusal(0, 5_000, 1).rule == "prop_trade_risk"


def test_a_restored_guard_goes_on_exactly(guard):
    one, other = (guard(0.1, daily_loss=DAILY, max_loss=STATIC) for _ in range(2))
    one.observe(0, 100_000, 100_000)
    one.observe(1, 110_000, 110_000, 10_000)
    one.note_opened(1)
    one.note_closed(2, -700)
    other.restore(one.state())

    assert other.state() == one.state()
    assert (other.floor_minor, other.buffered_floor_minor, other.is_locked) == (
        one.floor_minor,
        one.buffered_floor_minor,
        one.is_locked,
    )
    assert (other.days.total_minor, other.days.days_traded) == (-700, 1)
    for step in (one, other):
        step.observe(3, 115_000, 112_000, 5_000)
    assert other.state() == one.state()


def test_a_state_that_was_stored_before_is_read_and_written_the_same(guard):
    one = guard(daily_loss=DAILY, max_loss=LOCKING)
    one.restore(STORED)

    assert one.state() == STORED
    assert one.is_locked


def test_a_floor_that_was_locked_stays_where_it_is_after_a_restart(guard):
    one, other = (guard(max_loss=LOCKING) for _ in range(2))
    one.observe(0, 110_000, 110_000)
    other.restore(one.state())

    assert other.observe(1, 150_000, 150_000) is None
    assert (other.floor_minor, other.is_locked) == (100_000, True)
