"""Stops that are moved often and get lost often, while processes come and go."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mtquant.terminal.simulated.faults import FaultKind, FaultScenario, FaultSpec
from simulation.checks import UPHELD
from simulation.mutants import MUTANTS
from simulation.schedule import Schedule, Seed, draw_schedule
from simulation.world import Outcome, World

if TYPE_CHECKING:
    from simulation.bot import Parts

SEEDS = [Seed(number, age=6) for number in range(40, 64)]


def losing_stops(seed: Seed) -> Schedule:
    """Return a schedule whose stops move at every other bar and are taken away now and then."""
    drawn = draw_schedule(seed)
    habits = (
        replace(one, moves_fraction=0.5, leaves_fraction=0.0, target_points=None)
        for one in drawn.habits
    )
    kinds = (
        FaultSpec(kind=FaultKind.STRIPPED_STOP, chance_fraction=0.1),
        FaultSpec(kind=FaultKind.LOST_REPLY, chance_fraction=0.05),
        FaultSpec(kind=FaultKind.LOST_REQUEST, chance_fraction=0.05),
    )
    return replace(
        drawn,
        habits=tuple(habits),
        faults=FaultScenario(seed=seed.number, faults=kinds),
        hands=replace(drawn.hands, stops=0.15, halts=0.0),
    )


def played(parts: Parts | None = None, active: frozenset[str] = UPHELD) -> list[Outcome]:
    schedules = map(losing_stops, SEEDS)
    return [World(one, parts, active=active, keeps_lines=True).run() for one in schedules]


def test_a_lost_stop_comes_back_once_and_no_further_away_whoever_finds_it() -> None:
    outcomes = played()

    assert not [(one.seed, str(one.violations[0])) for one in outcomes if one.violations]
    lines = [line for one in outcomes for line in one.lines]
    assert sum("note stop_lost" in line for line in lines) > 20


@pytest.mark.parametrize("check", ["I5.level", "I5.again"])
def test_a_bot_that_forgets_where_stops_were_moved_to_is_found_out(check: str) -> None:
    outcomes = played(MUTANTS["forget_moves"], frozenset({check}))

    assert [one.seed for one in outcomes if one.violations]
