"""A position is sized so that its stop costs no more than the wished fraction of equity."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mtquant.exchange import Terms
from mtquant.model import Side
from mtquant.risk import Refusal, Sizing, risk_sized


@pytest.fixture
def terms(instrument, account) -> Terms:
    return Terms.at_broker(instrument, account)


def test_one_percent_over_200_points_is_half_a_lot(terms, account):
    sized = risk_sized(terms, account, Side.BUY, 100_000, 99_800, 0.01)

    assert sized == Sizing(
        volume_units=50_000_000,
        risk_minor=10_000,
        explanation="risk 1.00% = 100.00 USD, stop 200 points = 200.00 per lot -> 0.5000 -> "
        "0.5 lots",
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    equity=st.integers(1, 10**9),
    distance=st.integers(1, 5000),
    fraction=st.floats(0.0001, 0.1),
    strength=st.floats(0, 1),
    side=st.sampled_from(Side),
)
def test_a_volume_is_tradable_and_its_stop_never_costs_more_than_the_risk(
    *, terms, account, equity, distance, fraction, strength, side
):
    entry = 100_000
    stop = entry - side.value * distance
    held = replace(account, equity_minor=equity)
    sized = risk_sized(terms, held, side, entry, stop, fraction, strength)
    risk = equity * fraction * strength

    if isinstance(sized, Refusal):
        smallest = terms.instrument.volume_min_units
        assert sized.rule == "min_volume"
        assert -terms.profit(side.value, smallest, entry, stop) > risk - 1
        return
    assert terms.instrument.floor_units(sized.volume_units) == sized.volume_units
    assert -terms.profit(side.value, sized.volume_units, entry, stop) <= risk + 1
    bigger = sized.volume_units + terms.instrument.volume_step_units
    if bigger <= terms.instrument.volume_max_units:
        assert -terms.profit(side.value, bigger, entry, stop) > risk - 1


def test_a_weaker_signal_risks_less(terms, account):
    sized = risk_sized(terms, account, Side.SELL, 100_000, 100_200, 0.01, 0.5)

    assert sized.volume_units == 25_000_000
    assert sized.risk_minor == 5_000


def test_the_largest_volume_is_a_limit(terms, account):
    rich = replace(account, equity_minor=10**12)

    assert risk_sized(terms, rich, Side.BUY, 100_000, 99_999, 0.1).volume_units == 50_000_000_000


@pytest.mark.parametrize(
    ("side", "stop"), [(Side.BUY, 100_000), (Side.BUY, 100_001), (Side.SELL, 99_999)]
)
def test_a_stop_on_the_winning_side_bounds_nothing(terms, account, side: Side, stop: int):
    sized = risk_sized(terms, account, side, 100_000, stop, 0.01)

    assert (sized.rule, sized.limit) == ("stop_distance", "a stop on the losing side")


@pytest.mark.parametrize(("equity", "strength"), [(50, 1.0), (1_000_000, 0.0), (-5_000, 1.0)])
def test_a_risk_too_small_for_the_smallest_volume_is_refused_with_the_arithmetic(
    terms, account, equity: int, strength: float
):
    poor = replace(account, equity_minor=equity)
    sized = risk_sized(terms, poor, Side.BUY, 100_000, 99_800, 0.01, strength)

    assert (sized.rule, sized.limit) == ("min_volume", "0.01 lots")
    assert "per lot" in sized.remedy


def test_money_is_shown_with_the_digits_of_its_currency(instrument, account):
    yen = replace(account, currency="JPY", currency_digits=0, equity_minor=1_000_000)
    usdjpy = replace(
        instrument,
        symbol="USDJPY",
        digits=3,
        base_currency="USD",
        profit_currency="JPY",
        margin_currency="USD",
    )
    sized = risk_sized(Terms.at_broker(usdjpy, yen), yen, Side.BUY, 108_000, 107_800, 0.01)

    assert sized.explanation.startswith("risk 1.00% = 10000 JPY, stop 200 points = 20000 per lot")
