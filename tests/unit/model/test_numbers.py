"""Rounding has one meaning, and whole numbers survive the trip through people's units."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtquant.model import (
    lots_from_units,
    minor_from_money,
    money_from_minor,
    round_half_away,
    units_from_lots,
)


@given(st.floats(-1e15, 1e15))
def test_rounding_takes_the_nearest_whole_number_and_halves_away_from_zero(value: float):
    exact = Fraction(value)
    expected = math.floor(abs(exact) + Fraction(1, 2)) * (1 if exact >= 0 else -1)

    assert round_half_away(value) == expected


@given(st.floats(-1e15, 1e15))
def test_rounding_is_symmetric_around_zero(value: float):
    assert round_half_away(-value) == -round_half_away(value)


@given(st.integers(0, 1_000_000_000_000))
def test_volume_units_survive_the_trip_through_lots(units: int):
    assert units_from_lots(lots_from_units(units)) == units


@given(st.integers(-(10**13), 10**13), st.integers(0, 4))
def test_minor_units_survive_the_trip_through_money(minor: int, digits: int):
    assert minor_from_money(money_from_minor(minor, digits), digits) == minor


def test_money_typed_as_a_decimal_half_rounds_away_from_zero():
    assert minor_from_money(10.005, 2) == 1001  # its float lies just below the half


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_volume_or_amount_that_is_no_number_is_refused(value: float):
    with pytest.raises(ValueError, match="finite"):
        units_from_lots(value)
    with pytest.raises(ValueError, match="finite"):
        minor_from_money(value, 2)
