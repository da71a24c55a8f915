"""Every planted bug is found: else the simulation cannot see what it is for."""

import pytest

from simulation.campaign import FRESH_OF_MUTANTS
from simulation.conftest import KILLED
from simulation.mutants import HUNTED, MUTANTS, Kill, killed_by, read_kills
from simulation.schedule import Seed, draw_schedule

KILLS = read_kills()
OFTEN = (  # those that two schedules in five kill
    "any_price",
    "forget_sequence",
    "forget_unknown",
    "resend_after_restart",
    "resend_on_none",
    "send_more",
    "turn_back",
)
CLOCKED = (  # the clock is off or set on these, and does not explain what the mutant does
    Kill(name="no_pauses", seed=Seed(164, 6), check="I3.entries"),
    Kill(name="reset_at_once", seed=Seed(30, 6), check="I9.cooldown"),
    Kill(name="believe_old_quotes", seed=Seed(97, 7), check="I14.age"),
)


@pytest.mark.parametrize("kill", CLOCKED, ids=str)
def test_a_clock_that_is_off_excuses_only_what_its_error_explains(kill: Kill) -> None:
    hands = draw_schedule(kill.seed).hands

    assert hands.clock_off_ms or hands.clock_jumps
    assert killed_by(kill.name, kill.seed, frozenset({kill.check})) == kill


@pytest.mark.parametrize("kill", dict.fromkeys(KILLS), ids=str)
def test_a_mutant_dies_of_its_stored_seed_by_its_check(kill: Kill) -> None:
    assert killed_by(kill.name, kill.seed, frozenset({kill.check})) == kill


@pytest.mark.parametrize("name", MUTANTS)
def test_schedules_that_nobody_has_seen_are_played_on_every_mutant(
    name: str, record_property: pytest.FixtureRequest
) -> None:
    kills = sum(killed_by(name, seed) is not None for seed in FRESH_OF_MUTANTS)

    record_property(KILLED, (name, kills, len(FRESH_OF_MUTANTS)))
    assert kills or name not in OFTEN


def test_every_mutant_has_been_killed() -> None:
    assert {kill.name for kill in KILLS} == set(MUTANTS)
    assert set(HUNTED.items()) <= {(kill.name, kill.check) for kill in KILLS}
