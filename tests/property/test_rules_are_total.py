"""No rule raises, divides by zero or answers something that is no number, whatever it is given."""

from __future__ import annotations

import inspect
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtquant.exchange import rules

DRAWN = {
    "int": st.integers(-(2**45), 2**45) | st.integers(-4, 4),
    "float": st.floats(1e-12, 1e12).flatmap(lambda x: st.sampled_from([x, -x, 0.0])),
    "bool": st.booleans(),
}
ANSWERS = {"int": int, "float": (int, float), "bool": bool}
MODE = st.integers(-1, 13)


@pytest.mark.parametrize("name", sorted(rules.__all__))
def test_a_rule_answers_everything(name: str):
    rule = getattr(rules, name)
    signature = inspect.signature(rule)
    drawn = [
        MODE if one.name == "mode" else DRAWN[one.annotation]
        for one in signature.parameters.values()
    ]

    @settings(max_examples=300, deadline=None)
    @given(st.tuples(*drawn))
    def answers(arguments: tuple):
        answer = rule(*arguments)

        kind = signature.return_annotation.removeprefix("tuple[").split(",")[0]
        for one in answer if isinstance(answer, tuple) else (answer,):
            assert isinstance(one, ANSWERS[kind])
            assert math.isfinite(one)

    answers()
