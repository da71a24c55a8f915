"""Every planted bug is found: else the simulation cannot see what it is for."""

import pytest

from simulation.campaign import fresh_seeds
from simulation.mutants import HUNTED, MUTANTS, Kill, first_kill, read_kills
from simulation.schedule import Seed

KILLS = read_kills()
FRESH = [Seed(number) for number in fresh_seeds(20)]
OFTEN = (  # those that two schedules in five kill
    "any_price",
    "forget_sequence",
    "forget_unknown",
    "resend_after_restart",
    "resend_on_none",
    "send_more",
    "turn_back",
)


@pytest.mark.parametrize("kill", KILLS, ids=str)
def test_a_mutant_dies_of_its_seed_or_of_twenty_that_nobody_has_seen(kill: Kill) -> None:
    assert first_kill(kill.name, [kill.seed, *FRESH], frozenset({kill.check}))


@pytest.mark.parametrize("name", OFTEN)
def test_schedules_that_nobody_has_seen_kill_mutants_too(name: str) -> None:
    assert first_kill(name, FRESH)


def test_every_mutant_has_been_killed() -> None:
    assert {kill.name for kill in KILLS} == set(MUTANTS)
    assert set(HUNTED.items()) <= {(kill.name, kill.check) for kill in KILLS}
