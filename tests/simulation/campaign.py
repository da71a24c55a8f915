"""Many runs, counted."""

from __future__ import annotations

import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from simulation.checks import UPHELD, Violation, excuse
from simulation.schedule import RECENT_AGES, Seed, draw_schedule
from simulation.world import Outcome, World

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulation.bot import Parts

_HERE = Path(__file__).parent


def play(
    seed: int | Seed,
    parts: Parts | None = None,
    *,
    active: frozenset[str] = UPHELD,
    keeps_lines: bool = False,
    journal_path: Path | None = None,
) -> Outcome:
    """Play the schedule of a seed; the journal is in memory where it has no path."""
    return World(
        draw_schedule(seed if isinstance(seed, Seed) else Seed(seed)),
        parts,
        active=active,
        keeps_lines=keeps_lines,
        journal_path=journal_path,
    ).run()


def replay(seed: Seed, parts: Parts | None = None) -> Outcome:
    """Play a schedule twice; other events the second time are a violation of the second."""
    first, again = play(seed, parts), play(seed, parts)
    if first.digest != again.digest:
        said = f"{first.digest[:16]}, and then {again.digest[:16]}"
        again.violations.append(Violation(check="I15.hash", step=again.steps, detail=said))
    return again


@dataclass(slots=True)
class Tally:
    """Count what the runs did; of each seed the first `excused` violation, and the `failed` one."""

    schedules: int = 0
    steps: int = 0
    sends: int = 0
    calls: int = 0
    sleeps: int = 0
    jumps: int = 0
    parts_cut: int = 0
    breaker_steps: Counter[tuple[int, int]] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    strikes: Counter[str] = field(default_factory=Counter)
    excused: dict[Seed, Violation] = field(default_factory=dict)
    failed: dict[Seed, Violation] = field(default_factory=dict)

    def add(self, seed: Seed, outcome: Outcome) -> None:
        """Count the run of a seed."""
        self.schedules += 1
        self.steps += outcome.steps
        self.sends += outcome.sends
        self.calls += outcome.calls
        self.sleeps += outcome.sleeps
        self.jumps += outcome.jumps
        self.parts_cut += outcome.parts_cut
        self.breaker_steps.update(outcome.breaker_steps)
        self.kills.update(outcome.kills)
        self.strikes.update(outcome.strikes)
        for violation in outcome.violations:
            found = self.excused if excuse(violation) else self.failed
            found.setdefault(seed, violation)


def play_all(seeds: Iterable[Seed], active: frozenset[str] = UPHELD) -> Tally:
    """Play the schedules of seeds."""
    tally = Tally()
    for seed in seeds:
        tally.add(seed, play(seed, active=active))
    return tally


def seeds_of(numbers: Iterable[int]) -> list[Seed]:
    """Return the seeds of numbers, of the recent ages in turn."""
    return [Seed(number, RECENT_AGES[number % len(RECENT_AGES)]) for number in numbers]


def fresh_numbers(count: int) -> range:
    """Return numbers that follow from the commit: other ones with every change, the same again."""
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=_HERE, capture_output=True, text=True, check=True
        )
        first = int(found.stdout[:7], 16)
    except (OSError, subprocess.CalledProcessError):
        first = 1_000
    return range(first, first + count)


FRESH = seeds_of(fresh_numbers(500))
FRESH_OF_MUTANTS = FRESH[:20]
