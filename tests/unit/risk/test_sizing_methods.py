"""Each method gives the volume of its formula, and says how."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from mtquant.exchange import Terms
from mtquant.exchange.currency import Conversion
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
from mtquant.risk.sizing.methods import value_of_a_lot

ODDS = {"win_rate_fraction": 0.6, "average_win": 100.0, "average_loss": 50.0}
LOT = 100_000_000


@pytest.fixture
def terms(instrument, account) -> Terms:
    return Terms.at_broker(instrument, account)


@pytest.fixture
def contract(instrument, account) -> Terms:
    """Return the terms of a contract whose point is worth one dollar a lot."""
    plain = replace(
        instrument,
        symbol="X",
        digits=0,
        contract_size=1.0,
        base_currency="USD",
        margin_currency="USD",
        calculation_mode=CalculationMode.CFD,
    )
    return Terms.at_broker(plain, account)


@pytest.fixture
def size(account) -> Callable[..., Sizing | Refusal]:
    """Return a call that sizes a trade: 10,000 USD of equity, 1 % per trade, unless told."""

    def sized(
        terms: Terms, spec: SizingSpec, *, equity: int = 1_000_000, risk: float = 0.01, **trade
    ) -> Sizing | Refusal:
        usual = {"side": Side.BUY, "entry_points": 100_000, "stop_points": 99_800}
        request = SizingRequest(**(usual | trade))
        return PositionSizer(spec, risk).size(terms, replace(account, equity_minor=equity), request)

    return sized


def test_percent_at_risk_tells_its_arithmetic(terms, size):
    assert size(terms, SizingSpec(), stop_points=99_400) == Sizing(
        volume_units=16_000_000,
        risk_minor=10_000,
        explanation="risk 1.00% = 100.00 USD, stop 600 points = 600.00 per lot -> 0.1667 -> "
        "0.16 lots",
    )


def test_what_breaker_and_correlation_leave_is_told_of_each(terms, size):
    def told(**left: float) -> str:
        return size(terms, SizingSpec(), **left).explanation.partition(" = ")[0]

    assert told(likeness_scale=0.25) == "risk 1.00% x 0.25 correlation"
    assert told(scale=0.75) == "risk 1.00% x 0.75 breaker"
    assert told(scale=0.75, likeness_scale=0.5) == "risk 1.00% x 0.75 breaker x 0.5 correlation"
    both = size(terms, SizingSpec(), scale=0.5, likeness_scale=0.5)
    assert both.volume_units == size(terms, SizingSpec(), scale=0.25).volume_units == 12_000_000
    lots = SizingSpec(method=SizingMethod.FIXED_LOTS, lots=1.0)
    assert size(terms, lots, likeness_scale=0.5).explanation == (
        "fixed 1 lots x 0.5 correlation -> 0.5000 -> 0.5 lots"
    )


def test_percent_at_risk_is_what_risk_sized_gives(terms, account, size):
    expected = risk_sized(terms, account, Side.SELL, 100_000, 100_170, 0.02, 0.3)

    found = size(terms, SizingSpec(), risk=0.02, side=Side.SELL, stop_points=100_170, strength=0.3)

    assert found == expected


def test_a_breaker_scales_the_risk_and_is_told(terms, size):
    sized = size(terms, SizingSpec(), strength=0.8, scale=0.75)

    assert sized == Sizing(
        volume_units=30_000_000,
        risk_minor=6_000,
        explanation="risk 0.80% x 0.75 breaker = 60.00 USD, stop 200 points = 200.00 per lot -> "
        "0.3000 -> 0.3 lots",
    )


def test_fixed_lots_are_traded_whatever_the_equity(terms, size):
    spec = SizingSpec(method=SizingMethod.FIXED_LOTS, lots=0.5)

    expected = Sizing(
        volume_units=50_000_000,
        risk_minor=10_000,
        explanation="fixed 0.5 lots -> 0.5000 -> 0.5 lots",
    )
    assert size(terms, spec) == size(terms, spec, equity=5_000) == expected


def test_fixed_lots_tell_what_makes_them_fewer(terms, size):
    spec = SizingSpec(method=SizingMethod.FIXED_LOTS, lots=1.0)

    sized = size(terms, spec, strength=0.5, scale=0.75)

    assert sized.volume_units == 37_000_000
    assert sized.explanation == (
        "fixed 1 lots x 0.5 strength x 0.75 breaker -> 0.3750 -> 0.37 lots"
    )


def test_half_a_signal_takes_half_of_100_lots(terms, size):
    spec = SizingSpec(method=SizingMethod.FIXED_LOTS, lots=100.0)

    assert size(terms, spec, strength=0.5).volume_units == 50 * LOT
    assert size(terms, spec, strength=1.0).volume_units == 100 * LOT


def test_the_rounding_of_a_float_costs_fixed_lots_no_step(terms, size):
    spec = SizingSpec(method=SizingMethod.FIXED_LOTS, lots=1.0)

    for hundredths in range(1, 101):
        sized = size(terms, spec, strength=hundredths / 100)
        assert sized.volume_units == hundredths * LOT // 100


def test_150_lots_are_capped_at_100(terms, size):
    spec = SizingSpec(method=SizingMethod.FIXED_LOTS, lots=150.0, max_lots=100.0)

    sized = size(terms, spec)

    assert sized.volume_units == 100 * LOT
    assert sized.explanation == "fixed 150 lots -> 150.0000, capped at 100 -> 100 lots"


CAPPED = [
    SizingSpec(max_lots=0.055),
    SizingSpec(method=SizingMethod.FIXED_FRACTIONAL, equity_fraction=1.0, max_lots=0.055),
    SizingSpec(method=SizingMethod.VOLATILITY, max_lots=0.055),
    SizingSpec(method=SizingMethod.KELLY, **ODDS, max_lots=0.055),
    SizingSpec(method=SizingMethod.KELLY_PLAN_A, **ODDS, max_lots=0.055),
    SizingSpec(
        method=SizingMethod.VOLATILITY_TARGET, annual_volatility_fraction=0.1, max_lots=0.055
    ),
]


@pytest.mark.parametrize("spec", CAPPED, ids=lambda spec: spec.method.name)
def test_a_cap_between_two_steps_is_floored(terms, size, spec: SizingSpec):
    sized = size(terms, spec, atr_points=50.0, annual_volatility_fraction=0.08)

    assert sized.volume_units == 5_000_000
    assert sized.explanation.endswith(", capped at 0.055 -> 0.05 lots")


def test_a_cap_that_is_met_exactly_is_not_told(terms, size):
    assert size(terms, SizingSpec(max_lots=0.5)) == size(terms, SizingSpec())


def test_a_cap_below_the_smallest_volume_leaves_nothing(terms, size):
    refused = size(terms, SizingSpec(max_lots=0.009))

    assert (refused.rule, refused.value, refused.limit) == (
        "min_volume",
        "0.0090 lots",
        "0.01 lots",
    )
    assert "0.5000, capped at 0.009" in refused.remedy


def test_fixed_fractional_is_worth_its_part_of_equity(terms, size):
    spec = SizingSpec(method=SizingMethod.FIXED_FRACTIONAL, equity_fraction=0.4)

    sized = size(terms, spec, entry_points=110_000, stop_points=109_900, equity=10_000_000)

    # 40,000 of 110,000 USD a lot; the stop loss costs 100 USD a lot
    assert sized == Sizing(
        volume_units=36_000_000,
        risk_minor=3_600,
        explanation="value 40.00% = 40000.00 USD, price 110000 points = 110000.00 per lot -> "
        "0.3636 -> 0.36 lots",
    )


def test_a_weaker_signal_and_a_breaker_scale_the_value(terms, size):
    spec = SizingSpec(method=SizingMethod.FIXED_FRACTIONAL, equity_fraction=0.4)

    sized = size(terms, spec, equity=10_000_000, strength=0.5, scale=0.5)

    assert sized.volume_units == 10_000_000
    assert sized.explanation.startswith("value 20.00% x 0.5 breaker = 10000.00 USD")


def test_a_value_is_converted_to_the_money_of_the_account(instrument, account, size):
    usdjpy = replace(
        instrument,
        symbol="USDJPY",
        digits=3,
        base_currency="USD",
        profit_currency="JPY",
        margin_currency="USD",
        profit_digits=0,
    )
    spec = SizingSpec(method=SizingMethod.FIXED_FRACTIONAL, equity_fraction=0.4)

    sized = size(
        Terms.at_broker(usdjpy, account),
        spec,
        entry_points=108_483,
        stop_points=108_000,
        equity=10_000_000,
    )

    # a lot is 100,000 USD, whatever its price in yen
    assert sized.volume_units == 40_000_000
    assert "price 108483 points = 100000.00 per lot" in sized.explanation


def test_a_future_is_worth_its_ticks(instrument, account, size):
    future = replace(
        instrument,
        symbol="ES",
        digits=2,
        contract_size=1.0,
        base_currency="USD",
        margin_currency="USD",
        calculation_mode=CalculationMode.FUTURES,
        tick_size_points=25,
        fixed_tick_value=12.5,
        volume_min_units=LOT,
        volume_step_units=LOT,
    )
    spec = SizingSpec(method=SizingMethod.FIXED_FRACTIONAL, equity_fraction=1.0)

    sized = size(
        Terms.at_broker(future, account),
        spec,
        entry_points=400_000,
        stop_points=399_000,
        equity=60_000_000,
    )

    # 4,000 at 50 USD a point is 200,000 USD; the stop loss is 10 points away
    assert (sized.volume_units, sized.risk_minor) == (3 * LOT, 150_000)


def test_two_percent_of_50_000_over_two_atr_of_20_is_25_lots(contract, size):
    spec = SizingSpec(method=SizingMethod.VOLATILITY)

    sized = size(
        contract,
        spec,
        equity=5_000_000,
        risk=0.02,
        entry_points=1_000,
        stop_points=990,
        atr_points=20.0,
    )

    assert sized == Sizing(
        volume_units=25 * LOT,
        risk_minor=25_000,  # 10 points: the stop loss is nearer than two ATR
        explanation="risk 2.00% = 1000.00 USD, ATR 20 x 2 = 40.00 per lot -> 25.0000 -> 25 lots",
    )


@pytest.mark.parametrize(("side", "stop"), [(Side.BUY, 99_800), (Side.SELL, 100_200)])
def test_volatility_sizes_both_sides_alike(terms, size, side: Side, stop: int):
    spec = SizingSpec(method=SizingMethod.VOLATILITY, atr_multiplier=1.5)

    sized = size(
        terms, spec, side=side, stop_points=stop, atr_points=100.0, strength=0.6, scale=0.5
    )

    assert sized.volume_units == 20_000_000
    assert sized.explanation.startswith(
        "risk 0.60% x 0.5 breaker = 30.00 USD, ATR 100 x 1.5 = 150.00 per lot -> 0.2000"
    )


@pytest.mark.parametrize("atr", [None, math.nan])
def test_an_atr_that_warms_up_gives_no_size_yet(terms, size, atr: float | None):
    refused = size(terms, SizingSpec(method=SizingMethod.VOLATILITY), atr_points=atr)

    assert (refused.rule, refused.value) == ("atr", "not ready")


def test_an_atr_of_0_bounds_nothing(terms, size):
    refused = size(terms, SizingSpec(method=SizingMethod.VOLATILITY), atr_points=0.0)

    assert (refused.rule, refused.value) == ("atr", "0 points")


def test_a_quarter_of_kelly_risks_a_tenth_of_equity(terms, size):
    sized = size(terms, SizingSpec(method=SizingMethod.KELLY, **ODDS))

    assert sized == Sizing(
        volume_units=5 * LOT,
        risk_minor=100_000,
        explanation="Kelly 40.00% x 0.25, risk 10.00% = 1000.00 USD, stop 200 points = 200.00 "
        "per lot -> 5.0000 -> 5 lots",
    )


def test_plan_a_risks_a_fifth(terms, size):
    sized = size(terms, SizingSpec(method=SizingMethod.KELLY_PLAN_A, **ODDS))

    assert (sized.volume_units, sized.risk_minor) == (10 * LOT, 200_000)
    assert sized.explanation.startswith("Kelly by plan A 80.00% x 0.25, risk 20.00% = 2000.00 USD")


def test_a_weaker_signal_and_a_breaker_scale_the_stake(terms, size):
    sized = size(terms, SizingSpec(method=SizingMethod.KELLY, **ODDS), strength=0.5, scale=0.5)

    assert (sized.volume_units, sized.risk_minor) == (125_000_000, 25_000)
    assert sized.explanation.startswith(
        "Kelly 40.00% x 0.25, risk 5.00% x 0.5 breaker = 250.00 USD"
    )


@pytest.mark.parametrize("method", [SizingMethod.KELLY, SizingMethod.KELLY_PLAN_A])
@pytest.mark.parametrize(("rate", "value"), [(0.25, "stake of -50.00%"), (0.5, "stake of 0.00%")])
def test_a_record_without_an_edge_gets_no_stake(
    terms, size, method: SizingMethod, rate: float, value: str
):
    record = {"win_rate_fraction": rate, "average_win": 50.0, "average_loss": 50.0}
    refused = size(terms, SizingSpec(method=method, **record))

    assert (refused.rule, refused.value, refused.limit) == (
        "kelly_edge",
        f"a {value}",
        "more than 0",
    )
    assert refused.remedy.startswith(f"no edge: wins of 50 in {rate:.2%} of trades do not pay")


def test_a_calm_market_is_held_beyond_equity_to_meet_the_volatility_target(terms, size):
    spec = SizingSpec(method=SizingMethod.VOLATILITY_TARGET, annual_volatility_fraction=0.1)

    sized = size(terms, spec, equity=10_000_000, annual_volatility_fraction=0.08)

    assert sized == Sizing(
        volume_units=125_000_000,
        risk_minor=25_000,
        explanation="volatility 10.00% of 8.00% a year, value 125.00% = 125000.00 USD, price "
        "100000 points = 100000.00 per lot -> 1.2500 -> 1.25 lots",
    )


def test_a_weaker_signal_and_a_breaker_scale_the_target(terms, size):
    spec = SizingSpec(method=SizingMethod.VOLATILITY_TARGET, annual_volatility_fraction=0.1)

    sized = size(
        terms,
        spec,
        equity=10_000_000,
        annual_volatility_fraction=0.1,
        strength=0.5,
        scale=0.5,
    )

    assert sized.volume_units == 25_000_000


@pytest.mark.parametrize("measured", [None, math.nan])
def test_a_volatility_that_warms_up_gives_no_size_yet(terms, size, measured: float | None):
    spec = SizingSpec(method=SizingMethod.VOLATILITY_TARGET, annual_volatility_fraction=0.1)
    refused = size(terms, spec, annual_volatility_fraction=measured)

    assert (refused.rule, refused.value) == ("annual_volatility", "not ready")


@pytest.mark.parametrize("measured", [0.0, 5e-324, 9e-7])
def test_a_market_that_stands_still_gets_no_endless_size(terms, size, measured: float):
    spec = SizingSpec(method=SizingMethod.VOLATILITY_TARGET, annual_volatility_fraction=0.1)
    refused = size(terms, spec, annual_volatility_fraction=measured)

    assert (refused.rule, refused.limit) == ("annual_volatility", "at least 1e-06")


def test_the_least_volatility_is_sized_by(terms, size):
    spec = SizingSpec(method=SizingMethod.VOLATILITY_TARGET, annual_volatility_fraction=0.1)

    assert size(terms, spec, annual_volatility_fraction=1e-6).volume_units == 500 * LOT


@pytest.mark.parametrize(
    "spec",
    [
        SizingSpec(method=SizingMethod.FIXED_FRACTIONAL, equity_fraction=0.1),
        SizingSpec(method=SizingMethod.VOLATILITY_TARGET, annual_volatility_fraction=0.1),
    ],
    ids=lambda spec: spec.method.name,
)
def test_a_lot_that_is_worth_nothing_has_no_volume(terms, size, spec: SizingSpec):
    refused = size(
        terms,
        spec,
        side=Side.SELL,
        entry_points=0,
        stop_points=100,
        annual_volatility_fraction=0.1,
    )

    assert (refused.rule, refused.value) == ("lot_value", "0 minor units at 0 points")


@pytest.mark.parametrize("spec", CAPPED, ids=lambda spec: spec.method.name)
def test_every_method_wants_a_stop_that_bounds_the_loss(terms, size, spec: SizingSpec):
    refused = size(
        terms, spec, stop_points=100_001, atr_points=50.0, annual_volatility_fraction=0.08
    )

    assert (refused.rule, refused.limit) == ("stop_distance", "a stop on the losing side")


@pytest.mark.parametrize("zero", ["strength", "scale"])
@pytest.mark.parametrize("spec", CAPPED, ids=lambda spec: spec.method.name)
def test_what_is_scaled_to_nothing_is_refused(terms, size, spec: SizingSpec, zero: str):
    refused = size(terms, spec, atr_points=50.0, annual_volatility_fraction=0.08, **{zero: 0.0})

    assert (refused.rule, refused.value) == ("min_volume", "0.0000 lots")


def test_money_that_another_pair_converts_is_not_guessed(terms, size):
    elsewhere = replace(
        terms, conversions=replace(terms.conversions, profit=Conversion(pair="EURGBP"))
    )

    with pytest.raises(ConfigError, match="EURGBP: currency conversion needs its quotes"):
        size(elsewhere, SizingSpec())


def test_what_a_lot_is_worth_is_not_guessed_where_another_pair_converts(terms):
    elsewhere = replace(
        terms, conversions=replace(terms.conversions, profit=Conversion(pair="EURGBP"))
    )

    with pytest.raises(ConfigError, match="EURGBP: currency conversion needs its quotes"):
        value_of_a_lot(elsewhere, 100_000)


@pytest.mark.parametrize("risk", [0.0, -0.01, 1.01, math.nan])
def test_the_risk_of_a_trade_is_a_fraction(risk: float):
    with pytest.raises(ConfigError, match=r"^risk_per_trade_fraction: .* at most 1 "):
        PositionSizer(SizingSpec(), risk)


def test_a_sizer_can_be_asked_what_it_goes_by():
    sizer = PositionSizer(SizingSpec(max_lots=2.0), 1.0)

    assert (sizer.spec, sizer.risk_per_trade_fraction) == (SizingSpec(max_lots=2.0), 1.0)
