"""Exits place distances, follow the price one way only, and the highest priority wins."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtquant.model import ConfigError, Position, Side
from mtquant.strategy import (
    AtrTrailingStop,
    AtrTrailingStopParameters,
    ExitSignal,
    Protection,
    StopLossTakeProfit,
    StopLossTakeProfitParameters,
)
from mtquant.strategy.exits import strongest, trailing_stop

sides = st.sampled_from([1, -1])
prices = st.integers(50_000, 150_000)
atrs = st.floats(0.5, 5000)
ratios = st.floats(0, 10)


def position(side: Side = Side.BUY, opened: int = 100_000, stop: int | None = None) -> Position:
    return Position(
        position_ticket=7,
        symbol="EURUSD",
        side=side,
        volume_units=1,
        open_points=opened,
        open_ms=0,
        current_points=opened,
        current_ms=0,
        stop_loss_points=stop,
        take_profit_points=None,
        profit_minor=0,
        swap_minor=0,
        digits=5,
        contract_size=100_000.0,
    )


# the rule


@given(
    side=sides,
    opened=prices,
    stop=prices,
    price=prices,
    atr=atrs,
    distance=ratios,
    activation=ratios,
    step=ratios,
)
def test_a_trailing_stop_never_loosens_and_improves_by_its_step(
    *, side, opened, stop, price, atr, distance, activation, step
):
    level = trailing_stop(side, opened, stop, price, atr, distance, activation, step)

    if level:
        assert side * (level - stop) >= max(1, step * atr - 0.5)
        assert side * (price - level) >= 1
        assert side * (price - opened) >= activation * atr


@given(
    side=sides,
    opened=prices,
    price=prices,
    atr=atrs,
    distance=ratios,
    activation=ratios,
    step=ratios,
)
def test_a_first_trailing_stop_stands_at_its_distance(
    *, side, opened, price, atr, distance, activation, step
):
    level = trailing_stop(side, opened, 0, price, atr, distance, activation, step)

    if side * (price - opened) < activation * atr:
        assert level == 0
    elif level:
        assert abs(abs(price - level) - max(1, distance * atr)) <= 0.5


@pytest.mark.parametrize("atr", [0.0, math.nan, -1.0])
def test_without_a_range_the_stop_stays(atr: float):
    assert trailing_stop(1, 100_000, 0, 200_000, atr, 3.0, 0.0, 0.25) == 0


def test_a_level_below_every_price_is_none():
    assert trailing_stop(1, 100, 0, 150, 100.0, 3.0, 0.0, 0.0) == 0


# trailing over bars


def trailing(view, closes: list[int], **settings) -> AtrTrailingStop:
    settings = {"atr_period": 1, "distance_atr": 2.0, "step_atr": 0.5} | settings
    made = AtrTrailingStop(AtrTrailingStopParameters(**settings))
    seen = view(closes, reach=5, spread=4)
    made.on_start(seen)
    return made, seen


def test_a_long_stop_follows_the_bid_and_a_short_one_the_ask(view):
    made, seen = trailing(view, [100_000, 100_020])  # true range 25
    long = made.on_bar(position(), seen)
    made, seen = trailing(view, [100_000, 99_980])
    short = made.on_bar(position(Side.SELL), seen)

    assert long == ExitSignal(
        position_ticket=7,
        exit_name="atr_trailing_stop",
        priority=20,
        reason="stop follows the price",
        stop_points=100_020 - 50,
    )
    assert short.stop_points == 99_980 + 4 + 50


@pytest.mark.parametrize(
    ("stop", "moves"), [(None, True), (99_957, True), (99_958, False), (99_990, False)]
)
def test_a_stop_moves_only_when_it_improves_by_the_step(view, stop: int | None, *, moves: bool):
    made, seen = trailing(view, [100_000, 100_020])  # level 99970, step 12.5 -> 13

    assert (made.on_bar(position(stop=stop), seen) is not None) is moves


def test_a_stop_waits_for_its_activation(view):
    made, seen = trailing(view, [100_000, 100_020], activation_atr=1.0)  # 25 points

    assert made.on_bar(position(opened=99_995), seen) is not None
    assert made.on_bar(position(opened=99_996), seen) is None


def test_a_stop_waits_for_its_indicator(view):
    made, seen = trailing(view, [100_020], atr_period=14)

    assert made.on_bar(position(), seen) is None
    assert made.protection(Side.BUY) == Protection()


# stop loss and take profit


def protective(view, closes: list[int], **settings) -> StopLossTakeProfit:
    made = StopLossTakeProfit(StopLossTakeProfitParameters(**settings))
    made.on_start(view(closes, reach=5))
    return made


@pytest.mark.parametrize(
    ("settings", "stop", "target"),
    [
        ({"stop_points": 300}, 300, None),
        ({"stop_points": 300, "target_points": 500}, 300, 500),
        ({"stop_atr": 2.0}, 50, None),
        ({"stop_atr": 0.1, "target_atr": 3.0}, 3, 75),
        ({"stop_atr": 0.001}, 1, None),
        ({"stop_points": 300, "target_atr": 0.5}, 300, 13),
    ],
)
def test_distances_are_points_or_multiples_of_the_range(
    view, settings: dict, stop: int, target: int | None
):
    made = protective(view, [100_000, 100_020], atr_period=1, **settings)  # true range 25

    assert made.protection(Side.BUY) == made.protection(Side.SELL)
    assert made.protection(Side.BUY) == Protection(
        stop_distance_points=stop, target_distance_points=target
    )


@pytest.mark.parametrize("settings", [{"stop_atr": 2.0}, {"stop_points": 9, "target_atr": 2.0}])
def test_without_a_range_there_are_no_distances(view, settings: dict):
    assert protective(view, [100_000, 100_001], **settings).protection(Side.BUY) is None


def test_fixed_distances_need_no_range(view):
    made = protective(view, [100_000], stop_points=300)

    assert made.protection(Side.BUY) == Protection(stop_distance_points=300)
    assert made.on_bar(position(), view([100_000])) is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "exactly one of stop_points and stop_atr"),
        ({"stop_points": 5, "stop_atr": 1.0}, "exactly one of stop_points and stop_atr"),
        ({"stop_points": 5, "target_points": 5, "target_atr": 1.0}, "at most one of target"),
        ({"stop_points": 5, "atr_period": 0}, "atr_period"),
        ({"stop_points": 0}, "stop_points must be positive"),
        ({"stop_atr": math.nan}, "stop_atr must be positive"),
        ({"stop_atr": math.inf}, "stop_atr must be positive"),
        ({"stop_points": 5, "target_points": -1}, "target_points must be positive"),
        ({"stop_points": 10**30}, "stop_points must be at most 2,147,483,647, was 10000"),
        ({"stop_atr": 1e300}, r"stop_atr must be at most 10,000, was 1e\+300"),
    ],
)
def test_distances_that_are_none_are_refused(settings: dict, message: str):
    with pytest.raises(ConfigError, match=message):
        StopLossTakeProfitParameters(**settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"atr_period": 0}, "atr_period"),
        ({"distance_atr": 0.0}, "distance_atr must be positive"),
        ({"distance_atr": math.nan}, "distance_atr must be positive"),
        ({"activation_atr": -0.1}, "activation_atr must not be negative"),
        ({"step_atr": math.nan}, "step_atr must not be negative"),
        ({"step_atr": math.inf}, "step_atr must not be negative"),
        ({"distance_atr": 10_000.5}, "distance_atr must be at most 10,000, was 10000.5"),
        ({"activation_atr": 1e9}, "activation_atr must be at most 10,000"),
    ],
)
def test_trailing_settings_that_are_none_are_refused(settings: dict, message: str):
    with pytest.raises(ConfigError, match=message):
        AtrTrailingStopParameters(**settings)


def test_the_highest_priority_wins_and_the_first_of_equals():
    def wish(name: str, priority: int) -> ExitSignal:
        return ExitSignal(position_ticket=1, exit_name=name, priority=priority, reason="")

    assert strongest([wish("a", 1), wish("b", 3), wish("c", 3)]).exit_name == "b"
    assert strongest([]) is None
