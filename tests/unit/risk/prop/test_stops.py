"""A trade needs its stop loss in time, and no more risk than the firm lets it have."""

from __future__ import annotations

import pytest

from mtquant.risk.prop import StopLossRule, stop_loss_breach

RULE = StopLossRule(within_s=180, max_risk_fraction=0.02)


@pytest.mark.parametrize(
    ("open_ms", "is_breach"), [(0, False), (180_000, False), (180_001, True), (3_600_000, True)]
)
def test_a_stop_loss_must_be_there_in_time(open_ms: int, is_breach: bool):
    found = stop_loss_breach(RULE, 100_000, None, open_ms)

    assert (found is not None) is is_breach
    if found is not None:
        assert str(found) == f"prop_stop_loss: none after {open_ms // 1000} s (limit within 180 s)"


def test_a_trade_may_risk_its_part_of_the_balance_and_no_more():
    assert stop_loss_breach(RULE, 99_999, 1_999, 10**9) is None
    found = stop_loss_breach(RULE, 99_999, 2_000, 0)

    assert str(found) == (
        "prop_trade_risk: 2000 minor units at its stop (limit 1999 minor units (2.0% of the "
        "balance)); a smaller volume or a nearer stop"
    )


def test_an_account_without_money_may_risk_nothing():
    whole = StopLossRule(within_s=0, max_risk_fraction=1.0)

    assert stop_loss_breach(whole, 0, 0, 0) is None
    assert stop_loss_breach(whole, 0, 1, 0) is not None


def test_a_rule_without_a_bound_on_risk_lets_any_stop_pass():
    assert stop_loss_breach(StopLossRule(within_s=0), 1, 10**9, 10**9) is None
