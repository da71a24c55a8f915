"""What a refusal says would pass does pass, and nothing more does."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from mtquant.model import Side, units_from_lots
from mtquant.portfolio.exposure import Exposure
from mtquant.risk import Refused, RiskEngine, RiskLimits, largest_units
from mtquant.risk.checks import remedies

STEP = 1_000_000
HELD = Exposure(
    gross_minor=1.5e6,
    net_minor=1.5e6,
    at_caps_minor=900_000.0,
    by_symbol={"EURUSD": 1.5e6},
    by_class={"forex": 1.5e6},
    by_currency={"EUR": 1.5e6},
)
RULES: dict[str, dict[str, Any]] = {
    "max_position_exposure": {"max_position_exposure_ratio": 0.5},
    "max_daily_volume": {
        "max_daily_volume_fraction": 0.05,
        "average_daily_lots": {"EURUSD": 9.0},
    },
    "max_gross_exposure": {"max_gross_exposure_ratio": 2.0},
    "max_net_exposure": {"max_net_exposure_ratio": 2.0},
    "max_symbol_exposure": {"max_symbol_exposure_ratio": 2.0},
    "max_class_exposure": {"max_class_exposure_ratio": 2.0},
    "max_currency_exposure": {"max_currency_exposure_ratio": 2.0},
    "max_leverage": {"max_leverage": {"forex_major": 30.0}},
    "free_margin": {},
    "min_margin_level": {"min_margin_level_percent": 120.0},
}


@pytest.fixture
def refused_by(account, intent, view, valuer):
    """Return what refuses an order, by rule, in a view that holds something."""

    def ask(limits: dict[str, Any], order: dict[str, Any], **changes: Any) -> dict[str, str]:
        gate = RiskEngine(RiskLimits(max_daily_loss_fraction=0.9, **limits))
        used = replace(account, margin_minor=800_000)
        usual = {"valuer": valuer, "exposure": HELD, "account": used}
        decision = gate.decide(intent(**order), view(**(usual | changes)))
        refusals = decision.refusals if isinstance(decision, Refused) else ()
        return {one.rule: one.remedy for one in refusals}

    return ask


@pytest.mark.parametrize("rule", RULES)
def test_the_volume_that_a_rule_names_passes_it_and_one_step_more_does_not(refused_by, rule: str):
    remedy = refused_by(RULES[rule], {"volume_units": 1_000 * STEP})[rule]
    (lots,) = re.fullmatch(r"up to ([0-9.]+) lots would pass", remedy).groups()
    units = units_from_lots(float(lots))

    assert rule not in refused_by(RULES[rule], {"volume_units": units})
    assert rule in refused_by(RULES[rule], {"volume_units": units + STEP})


@pytest.mark.parametrize("rule", RULES.keys() - {"max_daily_volume"})
def test_a_volume_found_beforehand_does_not_stand_in_for_others(refused_by, rule: str):
    order = {"volume_units": 1_000 * STEP}
    known = {"known_value_minor": 1e7, "known_margin_minor": 1_000_000}

    assert refused_by(RULES[rule], order, **known)[rule].startswith("up to ")


@pytest.mark.parametrize("rule", RULES.keys() - {"max_daily_volume"})
def test_where_not_even_the_smallest_volume_passes_it_is_said(refused_by, account, rule: str):
    nothing = replace(account, equity_minor=0, margin_minor=1)

    assert refused_by(RULES[rule], {}, account=nothing)[rule] == "no volume would pass"


@pytest.mark.parametrize(
    ("side", "stop", "least", "target"),
    [
        (Side.BUY, 99_900, 1.5, 100_150),
        (Side.SELL, 100_101, 1.5, 99_848),
        (Side.BUY, 99_999, 1.5, 100_002),
        (Side.SELL, 199_999, 1.0, 1),
    ],
)
def test_the_target_that_a_rule_names_passes_it_and_a_nearer_one_does_not(
    refused_by, side: Side, stop: int, least: float, target: int
):
    order = {"side": side, "price_points": 100_000, "stop_loss_points": stop}
    limits = {"min_reward_risk": least}
    remedy = refused_by(limits, order)["min_reward_risk"]

    assert remedy == f"a target of {target} points would pass, or one farther away"
    assert "min_reward_risk" not in refused_by(limits, {**order, "take_profit_points": target})
    nearer = {**order, "take_profit_points": target - side.value}
    assert "min_reward_risk" in refused_by(limits, nearer)


@pytest.mark.parametrize(
    ("levels", "told"),
    [
        ({"stop_loss_points": None}, "without a stop on the losing side of a price"),
        ({"stop_loss_points": 100_000}, "without a stop on the losing side of a price"),
        ({"side": Side.SELL, "stop_loss_points": 200_000}, "with a stop so far away"),
    ],
)
def test_where_no_target_would_do_it_is_said(refused_by, levels: dict, told: str):
    order = {"price_points": 100_000, **levels}

    remedy = refused_by({"min_reward_risk": 1.0}, order)["min_reward_risk"]
    assert remedy == f"no target would pass {told}"


def test_a_volume_below_the_smallest_is_told_the_smallest(refused_by):
    assert refused_by({}, {"volume_units": 5})["volume"] == "0.01 lots would pass"


def test_a_class_without_a_cap_is_told_how_it_gets_one(refused_by):
    held = replace(HELD, uncapped={"BTCUSD": "crypto"})
    found = refused_by({"max_leverage": {"forex_major": 30.0}}, {}, exposure=held)

    assert found["max_leverage"] == ("write one, or name the class of the symbol in asset_classes")


def test_the_gate_makes_no_words_of_what_would_pass(refused_by, monkeypatch):
    asked: list[object] = []
    monkeypatch.setattr(remedies, "largest_units", lambda *given: asked.append(given) or 0)

    assert refused_by({}, {}) == {}
    assert asked == []
    assert refused_by({}, {"volume_units": 1_000 * STEP}) == {"free_margin": "no volume would pass"}
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("least_units", "most_passing", "found"),
    [
        (0, 10**12, 50_000_000_000),
        (0, 1_999_999, 1_000_000),
        (0, 999_999, 0),
        (1_500_000, 5_000_000, 5_000_000),
        (1_500_000, 1_999_999, 0),
        (60_000_000_000, 10**12, 0),
    ],
)
def test_the_largest_volume_is_tradable_and_at_least_as_asked(
    instrument, least_units: int, most_passing: int, found: int
):
    largest = largest_units(instrument, lambda units: units <= most_passing, least_units)

    assert largest == found
    assert isinstance(largest, int)


def test_an_instrument_of_one_volume_trades_it(instrument):
    only = replace(instrument, volume_max_units=instrument.volume_min_units)

    assert largest_units(only, lambda units: True) == instrument.volume_min_units
