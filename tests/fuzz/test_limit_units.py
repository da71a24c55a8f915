"""A limit that is written in another unit is refused, and both readings are shown."""

from __future__ import annotations

import re
from dataclasses import Field, fields, is_dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtquant.model import ConfigError, read
from mtquant.risk import BreakerSpec, PropChoice, RiskLimits, SizingSpec

NEEDED: dict[type, dict[str, Any]] = {
    RiskLimits: {},
    BreakerSpec: {},
    SizingSpec: {},
    PropChoice: {"rules": "firm", "initial_deposit": 1.0},
}
RECORD = {"average_win": 1.0, "average_loss": 1.0}
METHODS: dict[str, dict[str, Any]] = {  # of sizing: what makes it take a parameter
    "equity_fraction": {"method": "fixed_fractional"},
    "win_rate_fraction": {"method": "kelly", **RECORD},
    "kelly_fraction": {"method": "kelly", "win_rate_fraction": 0.6, **RECORD},
    "annual_volatility_fraction": {"method": "volatility_target"},
}
LADDER = [f"level_{level}_fraction" for level in (1, 2, 3)]
Known = tuple[type, Field[Any]]
SENSIBLE: list[Known] = [
    (kind, one) for kind in NEEDED for one in fields(kind) if "sensible" in one.metadata
]
EVERY = pytest.mark.parametrize(
    ("kind", "one"), SENSIBLE, ids=[f"{kind.__name__}.{one.name}" for kind, one in SENSIBLE]
)


def is_share(one: Field[Any]) -> bool:
    """Tell whether a text with a percent sign may stand for a field."""
    return one.name.endswith(("_fraction", "_ratio"))


SHARES = [(kind, one) for kind, one in SENSIBLE if is_share(one)]
EVERY_SHARE = pytest.mark.parametrize(
    ("kind", "one"), SHARES, ids=[f"{kind.__name__}.{one.name}" for kind, one in SHARES]
)


def sensible(one: Field[Any]) -> st.SearchStrategy[float]:
    above, most = one.metadata["sensible"]
    return st.floats(above, most, exclude_min=True)


def taken(kind: type, one: Field[Any], written: object, value: float) -> float:
    """Read a section with one field written; a ladder is made to rise around it."""
    raw = {**NEEDED[kind], **METHODS.get(one.name, {}), one.name: written}
    if one.name in LADDER:
        below, above = 1e-3 * value, value + 0.999 * (1 - value)
        rank = LADDER.index(one.name)
        around = {
            name: (below * (1 + index) if index < rank else above + (1 - above) * index / 9)
            for index, name in enumerate(LADDER)
            if index != rank
        }
        raw |= {name: f"{number!r} = {100 * number!r}%" for name, number in around.items()}
    found: float = getattr(read(kind, raw, "limits"), one.name)
    return found


def refused(kind: type, one: Field[Any], written: object) -> str:
    with pytest.raises(ConfigError) as problem:
        read(kind, {**NEEDED[kind], one.name: written}, "limits")
    return str(problem.value)


def readings(message: str) -> list[float]:
    """Return the numbers that a message shows with a percent sign."""
    shown = re.sub(r"limits\.\w+: ('[^']*'|\S+) ", "", message, count=1)
    return [float(number) for number in re.findall(r"([\d.]+(?:e[+-]?\d+)?) ?%", shown)]


def test_every_fraction_and_ratio_of_limits_states_what_is_sensible():
    """Scales of the ladder are no fractions of money, and 1 is usual."""
    names = {one.name for kind in NEEDED for one in fields(kind) if is_share(one)}

    assert {one.name for _, one in SHARES} >= names
    assert len(SENSIBLE) >= 20
    assert all(is_dataclass(kind) for kind, _ in SENSIBLE)


@EVERY
def test_no_range_is_wider_than_a_hundred_times_its_lower_end(kind: type, one: Field[Any]):
    above, most = one.metadata["sensible"]

    assert 0 < above < most <= 100 * above * (1 + 1e-12)


@EVERY
def test_the_default_is_sensible(kind: type, one: Field[Any]):
    above, most = one.metadata["sensible"]

    assert one.default is None or above < one.default <= most


@EVERY
@given(data=st.data())
def test_a_sensible_number_reads_as_itself(kind: type, one: Field[Any], data: st.DataObject):
    value = data.draw(sensible(one))

    assert taken(kind, one, value, value) == value


@EVERY_SHARE
@given(data=st.data())
def test_a_sensible_percentage_reads_as_its_fraction(
    kind: type, one: Field[Any], data: st.DataObject
):
    above, most = one.metadata["sensible"]
    value = data.draw(st.floats(1.001 * above, 0.999 * most))

    assert taken(kind, one, f"{100 * value!r}%", value) == pytest.approx(value, rel=1e-12)


@EVERY
@given(data=st.data())
def test_a_number_of_the_other_unit_is_refused_with_both_readings(
    kind: type, one: Field[Any], data: st.DataObject
):
    value = data.draw(sensible(one))

    for other in (100 * value, value / 100):
        shown = readings(refused(kind, one, other))
        if one.name.endswith("_percent"):
            expected = [other, 100 * other]
        elif other > 1 and one.name.endswith("_fraction"):
            expected = [100 * other, other]
        else:
            expected = [100 * other, other if other > value else 10_000 * other]
        assert shown[:2] == [pytest.approx(number, rel=1e-5) for number in expected]


@EVERY_SHARE
@given(data=st.data())
def test_a_percentage_of_the_other_unit_is_refused_with_both_readings(
    kind: type, one: Field[Any], data: st.DataObject
):
    above, most = one.metadata["sensible"]
    value = data.draw(st.floats(1.001 * above, 0.999 * most))

    for other in (100 * value, value / 100):
        shown = readings(refused(kind, one, f"{100 * other!r}%"))
        counterpart = other if other > value else 10_000 * other
        assert shown[:2] == [
            pytest.approx(number, rel=1e-5) for number in (100 * other, counterpart)
        ]


@EVERY_SHARE
@given(data=st.data())
def test_what_is_written_both_ways_is_meant(kind: type, one: Field[Any], data: st.DataObject):
    above, _ = one.metadata["sensible"]
    value = data.draw(st.floats(above / 100, above))

    assert taken(kind, one, f"{value!r} = {100 * value!r}%", value) == value


@EVERY_SHARE
@given(data=st.data())
def test_what_is_written_both_ways_and_is_not_the_same_is_refused(
    kind: type, one: Field[Any], data: st.DataObject
):
    value = data.draw(sensible(one))

    for wrong in (f"{value!r} = {value!r}%", f"{value!r} = {100 * value!r}", f"{value!r} = much%"):
        assert refused(kind, one, wrong).startswith(f"limits.{one.name}: ")


@EVERY
def test_a_message_offers_only_what_then_passes(kind: type, one: Field[Any]):
    above, _ = one.metadata["sensible"]
    message = refused(kind, one, above / 2)
    assert message.endswith(("that is what is meant", f"at most {one.metadata['sensible'][1]:g}"))
    offered = re.search(r"or '([^']+)' if that is what is meant", message)

    assert (offered is not None) == is_share(one)
    if offered is not None:
        assert taken(kind, one, offered[1], above / 2) == pytest.approx(above / 2, rel=1e-5)
