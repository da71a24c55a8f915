"""Every planted bug is found: else the simulation cannot see what it is for."""

import pytest

from simulation.mutants import HUNTED, MUTANTS, Kill, first_kill, read_kills
from simulation.schedule import Seed

KILLS = read_kills()


@pytest.mark.parametrize("kill", KILLS, ids=str)
def test_a_mutant_dies_of_its_seed_or_of_twenty_others(kill: Kill) -> None:
    seeds = [kill.seed, *map(Seed, range(20))]

    assert first_kill(kill.name, seeds, frozenset({kill.check}))


def test_every_mutant_has_been_killed() -> None:
    assert {kill.name for kill in KILLS} == set(MUTANTS)
    assert set(HUNTED.items()) <= {(kill.name, kill.check) for kill in KILLS}
