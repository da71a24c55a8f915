"""An instrument rounds prices and volumes, and refuses rules that contradict themselves."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtquant.model import Instrument

EURUSD = Instrument(
    symbol="EURUSD",
    digits=5,
    contract_size=100_000,
    base_currency="EUR",
    profit_currency="USD",
    margin_currency="EUR",
)


@st.composite
def volume_rules(draw) -> Instrument:
    step = draw(st.integers(1, 10**8))
    low = draw(st.integers(step, 10**9))
    high = draw(st.integers(low, 10**11))
    return replace(EURUSD, volume_step_units=step, volume_min_units=low, volume_max_units=high)


@given(volume_rules(), st.integers(-(10**9), 10**12))
def test_a_floored_volume_is_tradable_and_the_largest_not_above_the_wish(
    instrument: Instrument, wish: int
):
    floored = instrument.floor_units(wish)

    assert floored == 0 or instrument.volume_min_units <= floored <= instrument.volume_max_units
    assert floored % instrument.volume_step_units == 0
    assert floored <= max(wish, 0)
    assert instrument.floor_units(floored) == floored
    reachable = min(wish, instrument.volume_max_units)
    best_step = reachable - reachable % instrument.volume_step_units
    assert floored == best_step or best_step < instrument.volume_min_units


@given(st.integers(0, 8), st.integers(-(2**31), 2**31 - 1))
def test_points_survive_the_trip_through_a_price(digits: int, points: int):
    instrument = replace(EURUSD, digits=digits)

    assert instrument.points(instrument.price(points)) == points


@given(st.floats(0.00001, 1_000_000))
def test_a_price_becomes_the_nearest_point(price: float):
    points = EURUSD.points(price)

    assert abs(points - price * 100_000) <= 0.5


@pytest.mark.parametrize("price", [math.nan, math.inf])
def test_a_price_that_is_no_number_is_refused(price: float):
    with pytest.raises(ValueError, match="finite"):
        EURUSD.points(price)


def test_tick_size_and_value_follow_from_digits_and_contract():
    gold = replace(EURUSD, symbol="XAUUSD", digits=2, contract_size=100, tick_size_points=10)

    assert (gold.point, gold.tick_size, gold.tick_value) == (0.01, 0.1, 10.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"symbol": ""}, "symbol"),
        ({"symbol": "X" * 30}, "symbol"),
        ({"digits": 9}, "digits"),
        ({"digits": -1}, "digits"),
        ({"contract_size": 0.0}, "contract_size"),
        ({"contract_size": math.nan}, "contract_size"),
        ({"volume_step_units": 0}, "volumes"),
        ({"volume_min_units": 1}, "volumes"),
        ({"volume_max_units": 1}, "volumes"),
        ({"tick_size_points": 0}, "tick_size_points"),
        ({"stops_level_points": -1}, "stops_level_points"),
        ({"freeze_level_points": -1}, "freeze_level_points"),
        ({"sessions": ()}, "sessions"),
    ],
)
def test_contradictory_rules_are_refused_by_name(change: dict, message: str):
    with pytest.raises(ValueError, match=message):
        replace(EURUSD, **change)


@pytest.mark.parametrize(
    ("weekday", "minute", "is_open"),
    [(0, 1379, False), (0, 1380, True), (1, 0, True), (5, 1439, True), (6, 600, False)],
)
def test_a_currency_week_opens_late_on_sunday_and_ends_with_friday(
    weekday: int, minute: int, *, is_open: bool
):
    assert EURUSD.is_open(weekday, minute) is is_open


def test_a_session_ends_before_its_last_minute():
    lunch = replace(EURUSD, sessions=(((540, 720), (780, 1020)),) * 7)

    assert [lunch.is_open(3, minute) for minute in (539, 540, 719, 720, 780, 1020)] == [
        False,
        True,
        True,
        False,
        True,
        False,
    ]
