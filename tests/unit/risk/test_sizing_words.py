"""A size that cannot be told says what it saw and what would do; no risk gives no volume."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from mtquant.exchange import Terms
from mtquant.model import CalculationMode, ConfigError, Side
from mtquant.risk import (
    PositionSizer,
    Refusal,
    Sizing,
    SizingMethod,
    SizingRequest,
    SizingSpec,
    risk_sized,
)
from mtquant.risk.sizing import rules

LOT = 100_000_000


@pytest.fixture
def terms(instrument, account) -> Terms:
    return Terms.at_broker(instrument, account)


@pytest.fixture
def cents(instrument, account) -> Terms:
    """Return the terms of a contract whose point is worth one minor unit a lot."""
    plain = replace(
        instrument,
        symbol="X",
        digits=2,
        contract_size=1.0,
        base_currency="USD",
        margin_currency="USD",
        calculation_mode=CalculationMode.CFD,
    )
    return Terms.at_broker(plain, account)


def sized(terms: Terms, account, spec: SizingSpec, **trade) -> Sizing | Refusal:
    usual = {"side": Side.BUY, "entry_points": 100_000, "stop_points": 99_800}
    return PositionSizer(spec, 0.01).size(terms, account, SizingRequest(**(usual | trade)))


@pytest.mark.parametrize(
    ("loss_minor", "risk", "units"),
    [
        (0, 10.0, 0),
        (-1, 10.0, 0),
        (-1, -10.0, 0),
        (1, 0.0, 0),
        (1, -1.0, 0),
        (1, math.nan, 0),
        (1, 10.0, 10 * LOT),
        (10, 0.5, LOT // 20),
        (3, 1.0, 33_333_333),
    ],
)
def test_a_volume_needs_something_to_risk_and_a_lot_that_loses(loss_minor, risk, units):
    assert rules.units_for_risk(risk, loss_minor) == units


@pytest.mark.parametrize(
    ("method", "facts", "told"),
    [
        ("VOLATILITY", {}, ("atr", "not ready", "an average true range of this instrument")),
        (
            "VOLATILITY",
            {"atr_points": 0.0},
            ("atr", "0 points", "a distance that costs a lot something"),
        ),
        (
            "VOLATILITY_TARGET",
            {},
            ("annual_volatility", "not ready", "a volatility of this instrument"),
        ),
        (
            "VOLATILITY_TARGET",
            {"annual_volatility_fraction": 1e-7},
            ("annual_volatility", "1e-07 a year", "at least 1e-06"),
        ),
    ],
)
def test_a_method_says_what_it_lacks(terms, account, method: str, facts: dict, told: tuple):
    target = {"annual_volatility_fraction": 0.1} if method == "VOLATILITY_TARGET" else {}
    refused = sized(terms, account, SizingSpec(method=SizingMethod[method], **target), **facts)

    assert (refused.rule, refused.value, refused.limit) == told


def test_a_lot_that_is_worth_nothing_cannot_be_held(cents, account):
    spec = SizingSpec(method=SizingMethod.FIXED_FRACTIONAL, equity_fraction=0.5)
    nothing = Terms.at_broker(replace(cents.instrument, contract_size=0.1), account)
    refused = sized(nothing, account, spec, side=Side.SELL, entry_points=1, stop_points=999)
    one_unit = sized(cents, account, spec, entry_points=1, stop_points=0)

    assert (refused.rule, refused.value, refused.limit) == (
        "lot_value",
        "0 minor units at 1 points",
        "a lot that is worth something",
    )
    assert isinstance(one_unit, Sizing)


def test_a_loss_of_one_minor_unit_a_lot_is_a_loss(cents, account):
    by_stop = risk_sized(cents, account, Side.BUY, 100, 99, 0.01)
    spec = SizingSpec(method=SizingMethod.VOLATILITY, atr_multiplier=1.0)
    by_range = sized(cents, account, spec, atr_points=1.0)

    assert isinstance(by_stop, Sizing)
    assert isinstance(by_range, Sizing)


@pytest.mark.parametrize(("stop", "value"), [(100_000, "0 points"), (100_150, "150 points")])
def test_a_stop_that_bounds_nothing_is_told_with_its_distance(terms, account, stop, value):
    refused = sized(terms, account, SizingSpec(), stop_points=stop)

    assert (refused.rule, refused.value, refused.limit) == (
        "stop_distance",
        value,
        "a stop on the losing side",
    )


def test_a_fraction_per_trade_that_cannot_be_is_told_what_would_do():
    with pytest.raises(ConfigError, match=r"use more than 0 and at most 1 \(0\.01 is 1 %\)$"):
        PositionSizer(SizingSpec(), 2.0)


def test_a_parameter_of_another_method_names_that_method():
    with pytest.raises(ConfigError, match=r"does not use it; choose fixed_lots$"):
        SizingSpec().parameter("lots")
