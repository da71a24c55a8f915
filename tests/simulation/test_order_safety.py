"""Whatever goes wrong, whenever the process dies: the invariants of order safety hold."""

import os
import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from mtquant.execution import Desk
from mtquant.model import SendOrder
from mtquant.terminal.simulated.faults import FaultKind
from simulation.bot import Parts
from simulation.campaign import FRESH, play, play_all, replay
from simulation.checks import CHECKS, KNOWN, NOT_YET, UPHELD, excuse, first_broken
from simulation.corpus import Kept, read_corpus
from simulation.schedule import Seed

HERE = Path(__file__).parent
BATCHES = [FRESH[start : start + 20] for start in range(0, len(FRESH), 20)]
POINTS = {  # at which processes must have ended
    "between looks",
    "disk full",
    "journal: before sending",
    "journal: after sending",
    "send: before",
    "send: after",
    "journal: before intents",
    "journal: after intents",
    "journal: before deals",
    "journal: after deals",
    "journal: before halt",
    "journal: after halt",
    "power: record_sending",
    "power: record_intents",
    "power: record_deals",
}


def kept_seeds() -> list:
    """Return the corpus; what is not upheld yet must go on failing until it is."""
    return [
        pytest.param(
            kept,
            id=f"{kept.seed}-{kept.breaks}".rstrip("-"),
            marks=[pytest.mark.xfail(strict=True, reason=kept.reason)] if kept.breaks else [],
        )
        for kept in read_corpus()
    ]


@pytest.mark.parametrize("seeds", BATCHES, ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_invariants_hold_on_schedules_nobody_has_seen(seeds: list[Seed]) -> None:
    tally = play_all(seeds)

    assert not tally.failed, "\n".join(
        f"run.py simulate --seed {seed} --verbose: {violation}"
        for seed, violation in tally.failed.items()
    )


@pytest.mark.parametrize("kept", kept_seeds())
def test_invariants_hold_on_every_seed_that_ever_failed(kept: Kept) -> None:
    outcome = play(kept.seed, active=UPHELD | {kept.breaks} if kept.breaks else UPHELD)

    broken = [one for one in outcome.violations if one.check == kept.breaks or not excuse(one)]
    assert not broken, str(broken[0])


def test_every_weakness_that_is_excused_has_a_seed_that_shows_it() -> None:
    excused = {one.check for one in KNOWN} | set(NOT_YET)

    assert {kept.breaks for kept in read_corpus() if kept.breaks} == excused
    assert excused <= set(CHECKS)


def test_every_kind_of_fault_strikes_and_processes_die_at_every_point() -> None:
    tally = play_all(map(Seed, range(65)))

    struck = {name for name, n in tally.strikes.items() if n}
    assert struck == {kind.name for kind in FaultKind} | {"RAISED", "DISK_FILLED"}
    assert set(tally.kills) >= POINTS
    assert min(tally.calls, tally.sleeps, tally.jumps, tally.parts_cut) > 0


@pytest.mark.parametrize("seed", range(100, 108))
def test_a_journal_in_a_file_brings_the_same_events_as_one_in_memory(
    seed: int, tmp_path: Path
) -> None:
    in_file = play(seed, journal_path=tmp_path / "journal.sqlite")

    assert in_file.digest == play(seed).digest


class Numbering(Desk):
    """Go on with the numbers of earlier runs: what a seed does depends on what ran before."""

    numbers = count(1)

    def submit(self, *arguments: Any) -> SendOrder | None:
        self._sequence += next(self.numbers)
        return super().submit(*arguments)


@pytest.mark.parametrize("seed", FRESH[:8], ids=str)
def test_a_schedule_that_is_played_again_brings_the_same_events(seed: Seed) -> None:
    outcome = replay(seed)

    assert first_broken(outcome.violations) is None


def test_a_bot_that_remembers_other_runs_is_seen() -> None:
    outcome = replay(Seed(1), Parts(desk=Numbering))

    broken = first_broken(outcome.violations)
    assert broken is not None
    assert broken.check == "I15.hash"


def test_the_same_seed_gives_the_same_events_in_another_process() -> None:
    command = [sys.executable, str(HERE), "--seed", "7"]
    told = subprocess.run(
        command,
        env=os.environ | {"PYTHONHASHSEED": "11"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert f"events {play(7).digest[:16]}" in told.stdout
