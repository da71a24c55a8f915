"""What is said of a trial that has no figures."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sweep_fakes import KNOWN, Fake

from mtquant.model import ConfigError, EvaluationError
from mtquant.research.sweep import make_grid, parse_axes, run_sweep
from mtquant.research.sweep.reasons import one_line


@given(st.text(st.characters(codec=None)) | st.text("\x1b[]m0;\x07\n ab", max_size=400))
def test_a_reason_is_one_short_line_that_can_be_shown(text: str) -> None:
    said = one_line(text)

    assert len(said) <= 200
    assert said.isprintable()
    assert one_line(said) == said


def test_a_long_reason_is_cut_where_one_sees_it() -> None:
    assert one_line("x" * 201) == "x" * 199 + "…"
    assert one_line("x" * 200) == "x" * 200


def test_no_evaluator_brings_several_lines_into_the_results() -> None:
    class Talkative(Fake):
        def check(self, combination: Any) -> None:
            if combination["fast"] == 1:
                raise ConfigError("fast must be 2\nor more")

        def evaluate(self, combination: Any, window: str) -> Any:
            if combination["fast"] == 2:
                raise EvaluationError("\x1b[31mNumbaError\x1b[0m: no\n\nat line 7")
            return super().evaluate(combination, window)

    results = run_sweep(make_grid(parse_axes(["fast=1:3"], KNOWN)), Talkative())

    assert results.reasons == {0: "fast must be 2", 1: "NumbaError: no"}
