"""A sizing configuration holds what its method uses, and nothing else."""

import math

import pytest

from mtquant.model import ConfigError, Side, read
from mtquant.risk import SizingMethod, SizingRequest, SizingSpec

ODDS = {"win_rate_fraction": 0.6, "average_win": 100.0, "average_loss": 50.0}

COMPLETE = {
    SizingMethod.PERCENT_AT_RISK: {},
    SizingMethod.FIXED_LOTS: {"lots": 0.5},
    SizingMethod.FIXED_FRACTIONAL: {"equity_fraction": 0.2},
    SizingMethod.VOLATILITY: {"atr_multiplier": 3.0},
    SizingMethod.KELLY: ODDS | {"kelly_fraction": 0.5},
    SizingMethod.KELLY_PLAN_A: ODDS | {"kelly_fraction": 0.5},
    SizingMethod.VOLATILITY_TARGET: {"annual_volatility_fraction": 0.1},
}
OPTIONAL = {"atr_multiplier", "kelly_fraction"}
EVERY = {name: value for given in COMPLETE.values() for name, value in given.items()}


def test_a_section_is_read_into_a_spec():
    raw = {
        "method": "kelly",
        "win_rate_fraction": "60%",
        "average_win": 100,
        "average_loss": 50,
        "kelly_fraction": 0.2,
        "max_lots": 3,
    }

    assert read(SizingSpec, raw, "sizing") == SizingSpec(
        method=SizingMethod.KELLY, **ODDS, kelly_fraction=0.2, max_lots=3.0
    )


def test_a_section_that_does_not_fit_is_refused_with_its_path():
    with pytest.raises(ConfigError, match=r"^sizing\.lots: the method fixed_lots needs it"):
        read(SizingSpec, {"method": "fixed_lots"}, "sizing")


def test_percent_at_risk_is_the_method_unless_another_is_chosen():
    assert SizingSpec().method is SizingMethod.PERCENT_AT_RISK


@pytest.mark.parametrize("method", SizingMethod)
def test_a_method_takes_all_its_parameters(method: SizingMethod):
    spec = SizingSpec(method=method, **COMPLETE[method])

    assert {name: spec.parameter(name) for name in COMPLETE[method]} == COMPLETE[method]


def test_two_atr_and_a_quarter_of_kelly_are_taken_unless_others_are_given():
    volatility = SizingSpec(method=SizingMethod.VOLATILITY)
    kelly = SizingSpec(method=SizingMethod.KELLY, **ODDS)

    assert volatility.parameter("atr_multiplier") == 2.0
    assert kelly.parameter("kelly_fraction") == 0.25


@pytest.mark.parametrize(
    ("method", "name"),
    [
        (method, name)
        for method, given in COMPLETE.items()
        for name in given
        if name not in OPTIONAL
    ],
)
def test_a_parameter_that_the_method_needs_is_asked_for(method: SizingMethod, name: str):
    given = {key: value for key, value in COMPLETE[method].items() if key != name}

    with pytest.raises(ConfigError, match=f"^{name}: the method {method.name.lower()} needs it"):
        SizingSpec(method=method, **given)


@pytest.mark.parametrize(
    ("method", "name"),
    [(method, name) for method in SizingMethod for name in EVERY if name not in COMPLETE[method]],
)
def test_a_parameter_that_the_method_does_not_use_is_refused(method: SizingMethod, name: str):
    with pytest.raises(ConfigError, match=f"^{name}: .* is not used by the method"):
        SizingSpec(method=method, **COMPLETE[method] | {name: EVERY[name]})
    with pytest.raises(ConfigError, match=f"^{name}: the method .* does not use it"):
        SizingSpec(method=method, **COMPLETE[method]).parameter(name)


def test_a_refused_parameter_names_the_methods_that_use_it():
    with pytest.raises(ConfigError, match=r"kelly_fraction: 0\.5 .* choose kelly or kelly_plan_a$"):
        SizingSpec(kelly_fraction=0.5)


@pytest.mark.parametrize("value", [0.0, -0.1, math.nan, math.inf])
@pytest.mark.parametrize(
    ("method", "name"), [(method, name) for method, given in COMPLETE.items() for name in given]
)
def test_a_parameter_is_a_finite_number_above_0(method: SizingMethod, name: str, value: float):
    with pytest.raises(ConfigError, match=f"^{name}: .* cannot be; set it to"):
        SizingSpec(method=method, **COMPLETE[method] | {name: value})


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
@pytest.mark.parametrize("method", SizingMethod)
def test_the_cap_of_every_method_is_a_finite_number_above_0(method: SizingMethod, value: float):
    with pytest.raises(ConfigError, match=r"^max_lots: .* set it to a number above 0"):
        SizingSpec(method=method, **COMPLETE[method], max_lots=value)


@pytest.mark.parametrize(
    ("method", "name"),
    [
        (SizingMethod.FIXED_FRACTIONAL, "equity_fraction"),
        (SizingMethod.KELLY, "kelly_fraction"),
        (SizingMethod.VOLATILITY_TARGET, "annual_volatility_fraction"),
    ],
)
def test_a_fraction_may_be_the_whole_and_no_more(method: SizingMethod, name: str):
    assert SizingSpec(method=method, **COMPLETE[method] | {name: 1.0}).parameter(name) == 1.0
    with pytest.raises(ConfigError, match=f"^{name}: 1.001 .* at most 1$"):
        SizingSpec(method=method, **COMPLETE[method] | {name: 1.001})


def test_what_is_no_fraction_may_exceed_1():
    assert SizingSpec(method=SizingMethod.FIXED_LOTS, lots=7.0).parameter("lots") == 7.0


@pytest.mark.parametrize("rate", [1.0, 1.2])
def test_a_record_without_a_loss_tells_no_odds(rate: float):
    with pytest.raises(ConfigError, match=r"^win_rate_fraction: .* more than 0 and less than 1$"):
        SizingSpec(method=SizingMethod.KELLY, **ODDS | {"win_rate_fraction": rate})


def test_the_stake_is_that_of_the_method():
    kelly = SizingSpec(method=SizingMethod.KELLY, **ODDS)
    plan_a = SizingSpec(method=SizingMethod.KELLY_PLAN_A, **ODDS)

    assert (kelly.kelly_stake_fraction, plan_a.kelly_stake_fraction) == (0.4, 0.8)


@pytest.mark.parametrize("method", [m for m in SizingMethod if "KELLY" not in m.name])
def test_other_methods_have_no_stake(method: SizingMethod):
    with pytest.raises(ConfigError, match=r"^win_rate_fraction: the method"):
        _ = SizingSpec(method=method, **COMPLETE[method]).kelly_stake_fraction


def test_more_than_all_equity_cannot_be_staked():
    rich = ODDS | {"average_win": 300.0}  # (0.6 x 300 - 0.4 x 50) / 50 = 3.2

    with pytest.raises(
        ConfigError, match=r"^kelly_fraction: 0\.5 .* risk 160% of equity .* at most 0\.3125$"
    ):
        SizingSpec(method=SizingMethod.KELLY_PLAN_A, **rich, kelly_fraction=0.5)
    whole = SizingSpec(method=SizingMethod.KELLY_PLAN_A, **rich, kelly_fraction=0.3125)
    assert whole.kelly_stake_fraction * whole.parameter("kelly_fraction") == pytest.approx(1)


@pytest.mark.parametrize("name", ["strength", "scale", "likeness_scale"])
@pytest.mark.parametrize("value", [-0.01, 1.01, math.nan])
def test_a_request_is_scaled_by_0_to_1(name: str, value: float):
    with pytest.raises(ConfigError, match=f"^{name}: .* from 0 to 1$"):
        SizingRequest(side=Side.BUY, entry_points=100, stop_points=90, **{name: value})


@pytest.mark.parametrize("name", ["atr_points", "annual_volatility_fraction"])
@pytest.mark.parametrize("value", [-1.0, math.inf])
def test_a_request_measures_with_finite_numbers(name: str, value: float):
    with pytest.raises(ConfigError, match=f"^{name}: .* 0 or more, or None while it is not ready$"):
        SizingRequest(side=Side.BUY, entry_points=100, stop_points=90, **{name: value})


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_the_ends_of_a_scale_belong_to_it(value: float):
    asked = SizingRequest(
        side=Side.BUY, entry_points=100, stop_points=90, strength=value, scale=value
    )

    assert (asked.strength, asked.scale) == (value, value)
