"""How much CPU a sweep costs beside the trials themselves.

Budget: 100 microseconds per trial, from the grid to the table on disk, the check of the
parameters included. A miss means that something is done per trial that belongs to a batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from measure import cpu_of
from sweep_fakes import summary

from mtquant.app.config import load_config
from mtquant.app.sweep.variants import Variants, sweepable
from mtquant.research.sweep import SweepFolder, View, make_grid, parse_axes, run_sweep
from mtquant.research.sweep.report import render_sweep_report

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mtquant.research import Summary
    from mtquant.research.sweep import Evaluator, Value

BUDGET_US = 100

pytestmark = pytest.mark.bench


class Idle:
    """Check parameters as for a real trial, and answer without running one."""

    def __init__(self) -> None:
        self._variants = Variants(load_config())
        self._summary = summary(net_profit=123.45, sharpe=0.123456789, max_drawdown=0.1, trades=99)

    def check(self, combination: Mapping[str, Value]) -> None:
        """Refuse what the parameters refuse."""
        self._variants.check(combination)

    def evaluate(self, combination: Mapping[str, Value], window: str) -> Summary:  # noqa: ARG002
        """Return the same figures for all."""
        return self._summary


def idle() -> Evaluator:
    """Return an evaluator."""
    return Idle()


def test_a_trial_costs_little_beside_its_run(tmp_path: Path) -> None:
    axes = parse_axes(["fast=1:100", "slow=101:200"], sweepable(load_config()))
    space = make_grid(axes)
    runs = iter(range(100))

    def sweep() -> None:
        folder = tmp_path / str(next(runs))
        with SweepFolder.prepare(folder, "bench", {}) as place:
            results = run_sweep(space, idle, place=place)
            results.to_csv(place.path("results.csv"))
            place.write("report.html", render_sweep_report("bench", results, View(), facts={}))

    seconds = cpu_of(sweep, runs=3).median

    each = 1e6 * seconds / len(space)
    print(f"\na sweep of {len(space):,} trials: {each:.0f} microseconds of CPU per trial beside it")
    assert each <= BUDGET_US
