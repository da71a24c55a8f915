"""The shipped configuration over the shipped year: expected trades and statistics.

A change here changes what users see: it needs a line in the changelog that says why.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mtquant.app.config import load_config
from mtquant.app.playing import play_plan
from mtquant.app.results import make_results
from mtquant.app.wiring import make_plan, run_backtest

EXPECTED = json.loads((Path(__file__).parent / "sample_year.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("event_driven", [False, True])
def test_both_ways_of_a_backtest_give_the_recorded_trades_and_statistics(
    seed: int, *, event_driven: bool
) -> None:
    plan = make_plan(load_config(overrides={"seed": seed}))

    played = play_plan(plan, lambda _line: None, event_driven=event_driven)

    assert played.objections == (("asked for",) if event_driven else ())
    assert played.summary.to_dict() == pytest.approx(EXPECTED[str(seed)])


@pytest.mark.parametrize("seed", [1, 2])
def test_the_sample_year_gives_the_recorded_trades_and_statistics(seed: int) -> None:
    plan = make_plan(load_config(overrides={"seed": seed}))

    summary, _ = make_results(plan, run_backtest(plan).book.ledger.deals, {})

    expected = EXPECTED[str(seed)]
    assert summary["trades_sha256"] == expected["trades_sha256"]
    assert summary == pytest.approx(expected)


def test_another_seed_gives_other_trades() -> None:
    assert EXPECTED["1"]["trades_sha256"] != EXPECTED["2"]["trades_sha256"]
