"""Every rule compiles, and compiled it gives the very same numbers as interpreted."""

import inspect
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtquant.exchange import rules
from mtquant.model import numbers
from mtquant.portfolio import rules as portfolio_rules
from mtquant.risk import rules as risk_rules
from mtquant.risk.sizing import rules as sizing_rules
from mtquant.strategy.exits import rules as exit_rules

numba = pytest.importorskip("numba", reason="the extra `fast` (numba) is not installed")
extending = pytest.importorskip("numba.extending", reason="the extra `fast` is not installed")

RULES = {
    **{name: getattr(rules, name) for name in rules.__all__},
    **{
        name: rule
        for module in (exit_rules, portfolio_rules, risk_rules, sizing_rules)
        for name, rule in inspect.getmembers(module, inspect.isfunction)
        if rule.__module__ == module.__name__
    },
    "floor_to_step": numbers.floor_to_step,
    "round_half_away": numbers.round_half_away,
}

side = st.sampled_from([1, -1])
points = st.integers(1, 2**31 - 1)
level = st.integers(-5, 2**31 - 1)
spread = st.integers(0, 5000)
units = st.integers(0, 1000 * 10**8)
step = st.integers(0, 3)
weekday = st.integers(0, 6)
contract = st.sampled_from([1.0, 100.0, 5000.0, 100_000.0])
divisor = st.sampled_from([1e8, 1e9, 1e11, 1e14])
rate = st.sampled_from([1.0, 0.2274587, 1 / 108.483, 1.41972])
scale = st.sampled_from([1.0, 1e3, 1e5, 1e8])
leverage = st.integers(0, 2000)
weighted = st.integers(0, 10**18).map(float)
amount = st.integers(-(10**13), 10**13)
ratio = st.floats(0, 50)

flag = st.booleans()
kind = st.integers(1, 3)
mode = st.integers(0, 12)
factor = st.sampled_from([0.0, 0.5, 1.0, 3.0])
money = st.floats(0, 1e6)
small_divisor = st.sampled_from([0.0, 1e8, 1e11])
formula = (mode, contract, money, st.sampled_from([0.0, 0.01, 0.25]), money)

ARGUMENTS = {
    "allowed_loss_minor": (st.floats(0, 1), amount),
    "calm_points": (st.floats(-1e9, 1e9), money, points),
    "day_loss_minor": (amount, amount),
    "floor_to_step": (units, units, units, st.integers(0, 10**9)),
    "is_on_grid": (points, st.integers(0, 50)),
    "is_quoted": (level, level),
    "is_stop_out_by_money": (amount, amount, amount),
    "is_within_daily_loss": (amount, amount),
    "is_within_spread": (spread, spread),
    "is_within_band": (level, points, st.sampled_from([0.0, 0.01, 0.1])),
    "level_distance": (spread, ratio, st.floats(0, 1e6) | st.just(math.nan)),
    "levels_are_frozen": (points, level, level, spread),
    "loss_per_point": (units, contract, divisor, rate, amount, points),
    "risk_minor": (amount, st.floats(0, 0.1), st.floats(0, 1)),
    "rounding_loss": (rate,),
    "units_for_risk": (st.floats(-1e12, 1e12), amount),
    "accrued_minor": (side, units, money, contract, st.sampled_from([1.0, 100.0]), rate),
    "collateral_minor": (units, points, contract, st.floats(0, 1), small_divisor),
    "conversion_rate": (st.integers(0, 2**31), st.integers(0, 2**31), scale, flag, flag),
    "fixed_margin_per_lot": (money, money, flag),
    "fixed_margin_to_open": (money, units, units, money, money),
    "forts_margin_amount": (side, units, points, points, money, money, rate),
    "gain_at_ask": (side, flag),
    "leg_margin": (
        mode,
        units,
        weighted,
        units,
        contract,
        st.sampled_from([0.0, 1e3, 1e5]),
        leverage,
        st.sampled_from([0.0, 100.0]),
        st.sampled_from([0.0, 100.0]),
        factor,
        flag,
    ),
    "loss_at_ask": (side, flag),
    "margin_value": formula,
    "netting_margin_minor": (money, money, money, money),
    "price_value": formula,
    "swap_interest_minor": (
        units,
        st.floats(-50, 50),
        st.sampled_from([0.0, 1.0, 3.0]),
        money,
        st.sampled_from([0.0, 360.0, 365.0]),
        st.sampled_from([1.0, 100.0]),
        rate,
    ),
    "swap_money_minor": (
        units,
        st.floats(-50, 50),
        st.sampled_from([0.0, 1.0, 3.0]),
        st.sampled_from([1.0, 100.0]),
        rate,
    ),
    "tick_value": (money, rate),
    "average_thousandths": (units, points, units, points),
    "is_within_deviation": (points, points, spread),
    "limit_fill": (side, points, points, points, flag),
    "pending_is_met": (side, kind, points, points, points),
    "pending_is_valid": (side, kind, points, points, points, points, spread),
    "room_to_level": (side, kind, points, points, points),
    "waits_for_rise": (side, kind),
    "bid_level": (side, points, spread),
    "commission_minor": (units, money, money, st.floats(0, 5), money, money),
    "exit_price": (side, points, points),
    "hedged_margin_minor": (
        mode,
        units,
        weighted,
        units,
        weighted,
        contract,
        st.sampled_from([0.0, 100_000.0]),
        scale,
        leverage,
        st.sampled_from([0.0, 100.0]),
        st.sampled_from([0.0, 100.0]),
        factor,
        factor,
        flag,
        flag,
        money,
        money,
    ),
    "is_crossed": (points, points, points),
    "is_stop_out": (amount, amount, st.floats(0, 100)),
    "margin_amount": (mode, units, points, contract, scale, leverage, rate, flag),
    "market_fill": (side, points, points, st.integers(-9, 9)),
    "path_between": (points, points, st.integers(1, 11), st.integers(0, 11)),
    "path_parts": (st.integers(0, 20), flag),
    "path_direction": (points, points, points, points),
    "path_point": (step, side, points, points, points, points),
    "path_time": (step, st.integers(0, 2**42), st.sampled_from([60_000, 3_600_000, 604_800_000])),
    "profit_minor": (side, units, points, points, contract, divisor, st.booleans(), rate, rate),
    "round_half_away": (st.floats(-1e17, 1e17),),
    "stop_fill": (side, points, st.integers(-9, 9)),
    "stop_is_met": (side, points, points, points),
    "stops_are_valid": (side, level, level, points, points, st.integers(0, 500)),
    "swap_nights": (weekday, st.integers(-1, 6)),
    "swap_points_minor": (
        units,
        st.floats(-500, 500),
        st.sampled_from([0, 1, 3]),
        contract,
        divisor,
        rate,
    ),
    "target_is_met": (side, points, points, points),
    "trailing_stop": (
        side,
        points,
        level.filter(lambda x: x >= 0),
        points,
        st.floats(0, 1e6) | st.just(math.nan),
        ratio,
        ratio,
        ratio,
    ),
    "value_minor": (units, st.integers(-(2**31), 2**31 - 1), contract, divisor),
}


@pytest.fixture(scope="module")
def compiled() -> dict:
    """Return a compiled caller of every rule."""
    known = dict(RULES)
    for rule in RULES.values():
        extending.register_jitable(rule)
    callers = {}
    for name, rule in RULES.items():
        words = ", ".join(inspect.signature(rule).parameters)
        place = known | {}
        exec(f"def call({words}):\n    return {name}({words})\n", place)
        callers[name] = numba.njit(error_model="numpy")(place["call"])
    return callers


def test_every_rule_has_arguments_to_be_compared_with():
    assert set(ARGUMENTS) == set(RULES)


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_compiled_rule_equals_the_interpreted_one(compiled: dict, name: str):
    rule, caller = RULES[name], compiled[name]

    @settings(max_examples=150)
    @given(st.tuples(*ARGUMENTS[name]))
    def compare(arguments: tuple):
        expected, found = rule(*arguments), caller(*arguments)
        assert found == expected
        assert type(found) is type(expected)

    compare()
