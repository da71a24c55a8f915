"""Which way a plan is played, and what a person is told of it."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mtquant.app.config import ExecutionSpec, load_config
from mtquant.app.playing import kernel_stage, play_plan
from mtquant.app.wiring import Plan, make_plan, run_backtest
from mtquant.model import ConfigError


def plan_with(**instrument: Any) -> Plan:
    """Return the demo's first bars on an instrument with other terms."""
    raw = deepcopy(dict(load_config().raw))
    raw["venue"]["instruments"]["EURUSD"].update(instrument)
    plan = make_plan(load_config(raw=raw, folder=Path()))
    return replace(plan, bars=plan.bars[:1200])


def test_a_usual_plan_is_played_by_the_kernel_with_nothing_to_tell_where_it_is_short() -> None:
    told: list[str] = []
    plan = plan_with()
    played = play_plan(plan, told.append)

    assert played.objections == ()
    assert played.deals == run_backtest(plan).book.ledger.deals
    assert len(played.deals) > 20
    assert not [line for line in told if "event-driven" in line]


def test_a_plan_too_large_for_the_kernel_is_played_by_the_engine_and_a_person_told() -> None:
    told: list[str] = []
    plan = plan_with(volume_max_lots=9e13)
    played = play_plan(plan, told.append)

    stage, why = kernel_stage(plan)
    assert stage is None
    assert why == played.objections
    assert "past the 64 bits of a kernel" in why[0]
    assert told == [f"this run needs the event-driven engine: {why[0]}"]
    assert len(played.deals) > 20


def test_a_deviation_beyond_all_prices_is_refused() -> None:
    with pytest.raises(ConfigError, match="deviation_points must be at most 2,147,483,647, was"):
        ExecutionSpec(deviation_points=10**30)
