"""Which combinations a sweep has."""

from __future__ import annotations

from enum import Enum
from math import prod
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sweep_fakes import KNOWN

from mtquant.model import ConfigError
from mtquant.research.sweep import (
    Parameter,
    Span,
    Steps,
    drawn,
    listed,
    make_grid,
    parameters_of,
    parse_axes,
    parse_axis,
)
from mtquant.risk import RiskLimits

if TYPE_CHECKING:
    from decimal import Decimal


def values_of(word: str) -> list[object]:
    (axis,) = parse_axes([word], KNOWN)
    assert isinstance(axis, Steps)
    return list(axis.values)


@pytest.mark.parametrize(
    ("word", "values"),
    [
        ("fast=5:20:5", [5, 10, 15, 20]),
        ("fast=5:19:5", [5, 10, 15]),
        ("fast=3:5", [3, 4, 5]),
        ("fast=7:7:3", [7]),
        ("fast=5,8,13", [5, 8, 13]),
        ("fast=5, 20:40:10", [5, 20, 30, 40]),
        ("level=0.1:0.3:0.1", [0.1, 0.2, 0.3]),
        ("level=0.5:2.0:0.25", [0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0]),
        ("level=-1:1:1", [-1.0, 0.0, 1.0]),
        ("level=1,2e1", [1.0, 20.0]),
        ("stop=none,1:2:0.5", [None, 1.0, 1.5, 2.0]),
        ("risk.lost_fraction=0.5%:1.5%:0.5%", [0.005, 0.01, 0.015]),
        ("risk.lost_fraction=1%,0.02", [0.01, 0.02]),
        ("mode=up,down:side", ["up", "down:side"]),
        ("mode=1_0", ["1_0"]),
        ("is_on=true,False", [True, False]),
    ],
)
def test_a_word_gives_its_values_the_stop_among_them(word: str, values: list[object]) -> None:
    assert values_of(word) == values


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("fats=5", "fats: there is no such parameter; did you mean 'fast'?"),
        ("fast", "write NAME=VALUES"),
        ("=5", "write NAME=VALUES"),
        ("fast=", "fast: a value is missing"),
        ("fast=5,,8", "fast: a value is missing"),
        ("fast=5:50:0", "has a step of zero"),
        ("fast=50:5:-5", "has a negative step"),
        ("fast=50:5:5", "is empty; write the lower end first"),
        ("fast=5:50:5:5", "has too many parts"),
        ("fast=5:50:2.5", "needs whole numbers, got '2.5'"),
        ("fast=5:nan:5", "needs finite numbers, got 'nan'"),
        ("fast=5:inf:5", "needs finite numbers, got 'inf'"),
        ("fast=1:1e12:1", "has more than 1,000,000 values"),
        ("fast=1:1e999999999:1", "needs finite numbers, got '1e999999999'"),
        ("level=1e400", "expected a finite number"),
        ("fast=5.5", "expected a whole number, got '5.5'"),
        ("fast=ten", "expected a whole number, got 'ten'"),
        ("fast=1_0", "fast: '1_0' is no number; write it without _"),
        ("fast=5:1_0", "fast: '1_0' is no number; write it without _"),
        ("level=0:1_0", "level: '1_0' is no number"),
        ("risk.lost_fraction=1_0%", "risk.lost_fraction: '1_0%' is no number"),
        ("fast=none", "expected a whole number, got 'none'"),
        ("fast=5,8,5", "fast: 5 is given twice"),
        ("level=nan", "expected a finite number"),
        ("level=2:1", "is empty; the first end must be the lower"),
        ("level=1,2:3", "'2:3' needs a step"),
        ("stop=none:3", "needs two numbers"),
        ("risk.lost_fraction=5", "fractions are written 0.05"),
        ("is_on=yes", "expected true or false, got 'yes'"),
        ("several=1,2", "several: cannot be swept"),
    ],
)
def test_a_word_that_means_nothing_is_refused_with_what_would_be_right(
    word: str, said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_axes([word], KNOWN)

    assert said in str(caught.value)


LIMITS = {one.name: one for one in parameters_of(RiskLimits, "risk")}


@pytest.mark.parametrize(
    "word",
    [
        "risk.max_drawdown_fraction=0.5",
        "risk.max_drawdown_fraction=2%,0.5",
        "risk.max_drawdown_fraction=0.05:0.5",
        "risk.max_drawdown_fraction=0.05:0.5:0.05",
        "risk.max_symbol_exposure_ratio=20",
    ],
)
def test_a_limit_that_may_mean_two_things_is_not_swept(word: str) -> None:
    with pytest.raises(ConfigError, match=r"may mean .*: write '"):
        parse_axes([word], LIMITS)


@pytest.mark.parametrize(
    ("word", "values"),
    [
        ("risk.max_drawdown_fraction=50%,0.05,none", [0.5, 0.05, None]),
        ("risk.max_drawdown_fraction=10%:30%:10%", [0.1, 0.2, 0.3]),
        ("risk.max_symbol_exposure_ratio=20x,20%", [20.0, 0.2]),
        ("risk.max_correlation=70%", [0.7]),
    ],
)
def test_a_limit_that_says_its_unit_is_swept(word: str, values: list[object]) -> None:
    (axis,) = parse_axes([word], LIMITS)

    assert isinstance(axis, Steps)
    assert list(axis.values) == values


def test_a_parameter_given_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="fast: is given twice"):
        parse_axes(["fast=1,2", "slow=5", "fast=3"], KNOWN)


def test_an_enumeration_takes_its_names() -> None:
    class Color(Enum):
        RED = 1
        BLUE = 2

    parameter = Parameter(name="color", hint=Color)

    assert parse_axis(parameter, "red,BLUE") == Steps(name="color", values=("red", "blue"))
    with pytest.raises(ConfigError, match="color: 'green' is not one of red, blue"):
        parse_axis(parameter, "green")


def test_fields_of_a_class_are_named_below_their_section() -> None:
    names = [one.name for one in parameters_of(Steps, "exits.steps")]

    assert names == ["exits.steps.name", "exits.steps.values"]


@given(
    st.lists(
        st.tuples(st.integers(-50, 50), st.integers(0, 6), st.integers(1, 9)),
        min_size=1,
        max_size=3,
    )
)
def test_a_grid_holds_every_combination_once(ranges: list[tuple[int, int, int]]) -> None:
    words = [
        f"{name}={start}:{start + steps * step}:{step}"
        for name, (start, steps, step) in zip(("fast", "slow", "level"), ranges, strict=False)
    ]
    grid = make_grid(parse_axes(words, KNOWN))
    found = [grid.values(index) for index in range(len(grid))]

    assert len(grid) == prod(steps + 1 for _, steps, _ in ranges)
    assert len(set(found)) == len(grid)
    assert found[0] == tuple(start for start, _, _ in ranges)
    assert found[-1] == tuple(start + steps * step for start, steps, step in ranges)
    columns = grid.columns(np.arange(len(grid)))
    assert list(zip(*(one.tolist() for one in columns.values()), strict=True)) == found


@given(
    st.decimals(-10, 10, places=3),
    st.integers(0, 300),
    st.decimals("0.001", 2, places=3),
    st.decimals(0, "0.999", places=3),
)
def test_a_range_of_real_numbers_ends_at_its_stop_exactly_when_a_step_meets_it(
    start: Decimal, steps: int, step: Decimal, more: Decimal
) -> None:
    stop = start + steps * step
    found = values_of(f"level={start}:{stop + more * step}:{step}")

    assert len(found) == steps + 1
    assert found[0] == float(start)
    assert found[-1] == float(stop)


def test_a_grid_that_cannot_be_counted_is_refused() -> None:
    words = [f"{name}=1:100000" for name in ("fast", "slow")]
    words += ["level=1:100000:1", "stop=1:100000:1"]
    with pytest.raises(ConfigError, match="the grid has 100,000,000,000,000,000,000 combinations"):
        make_grid(parse_axes(words, KNOWN))


def test_a_grid_needs_steps() -> None:
    with pytest.raises(ConfigError, match="a sweep needs parameters to vary"):
        make_grid([])
    with pytest.raises(ConfigError, match=r"level: a grid needs a step, such as level=1:2:0.1"):
        make_grid([Span(name="level", low=1.0, high=2.0)])


def test_the_same_seed_draws_the_same_and_another_one_others() -> None:
    axes = parse_axes(["fast=1:1000", "level=0.5:2.5", "mode=a,b"], KNOWN)

    def rows(seed: int) -> list[tuple[object, ...]]:
        table = drawn(axes, 50, seed)
        return [table.values(index) for index in range(len(table))]

    assert rows(1) == rows(1)
    assert rows(1) != rows(2)


@given(st.integers(1, 40), st.integers(0, 2**32))
def test_draws_repeat_nothing_and_stay_inside(count: int, seed: int) -> None:
    table = drawn(parse_axes(["fast=1:8", "slow=10,20,30,40,50"], KNOWN), count, seed)
    rows = {table.values(index) for index in range(len(table))}

    assert len(rows) == count
    assert all(1 <= fast <= 8 and slow in (10, 20, 30, 40, 50) for fast, slow in rows)


def test_draws_are_spread_evenly() -> None:
    table = drawn(parse_axes(["fast=1:4", "level=0:1"], KNOWN), 4_000, 1)
    columns = table.columns(np.arange(4_000))

    assert np.bincount(columns["fast"])[1:].min() > 900
    assert abs(float(columns["level"].mean()) - 0.5) < 0.02
    assert columns["level"].min() >= 0


@pytest.mark.parametrize(
    ("words", "count", "said"),
    [
        (["fast=1:3"], 4, "4 different draws were asked for, the ranges hold 3 combinations"),
        ([], 4, "random draws need ranges"),
        (["fast=1:3"], 0, "draws must be 1 to"),
    ],
)
def test_draws_that_cannot_be_made_are_refused(words: list[str], count: int, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        drawn(parse_axes(words, KNOWN), count, 1)
    with pytest.raises(ConfigError, match="must not be negative"):
        drawn(parse_axes(["fast=1:3"], KNOWN), 1, -1)


def test_a_list_keeps_its_order_and_its_types() -> None:
    table = listed([{"fast": 8, "stop": None}, {"stop": 2, "fast": 5}], KNOWN)

    assert table.names == ("fast", "stop")
    assert [table.values(index) for index in range(2)] == [(8, None), (5, 2.0)]
    assert table.columns(np.array([1, 0]))["fast"].tolist() == [5, 8]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "the list holds no combinations"),
        ([{"fats": 1}], "did you mean 'fast'"),
        ([{"fast": 1}, {"fast": 2, "slow": 3}], "row 2 of the list sets fast, slow; row 1 sets"),
        ([{"fast": 1}, {"fast": 1}], "row 2 of the list repeats row 1"),
        ([{"fast": 1}, {"fast": "2"}], "row 2 of the list: fast: expected a whole number"),
        ([{"level": float("nan")}], "row 1 of the list: level: expected a finite number"),
    ],
)
def test_a_list_that_does_not_fit_together_is_refused_by_row(
    rows: list[dict[str, object]], said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        listed(rows, KNOWN)

    assert said in str(caught.value)


def test_spaces_with_other_values_have_other_facts() -> None:
    one = listed([{"fast": 1}, {"fast": 2}], KNOWN)
    other = listed([{"fast": 2}, {"fast": 1}], KNOWN)

    assert one.facts() == listed([{"fast": 1}, {"fast": 2}], KNOWN).facts()
    assert one.facts() != other.facts()
