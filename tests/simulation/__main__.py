"""Play schedules: `python -m simulation --seeds 0:500` in `tests`, or `run.py simulate`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from time import process_time

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from simulation.campaign import Tally, play, play_all, seeds_of
from simulation.checks import CHECKS, UPHELD, excuse, first_broken
from simulation.corpus import keep
from simulation.mutants import hunt, write_kills
from simulation.schedule import AGE, Seed


def main(arguments: list[str] | None = None) -> int:
    """Play what the arguments ask for; 1 when something failed."""
    parser = argparse.ArgumentParser(prog="simulation", description=__doc__)
    parser.add_argument(
        "--seeds",
        type=_span,
        default=_span("0:500"),
        metavar="A:B",
        help="play many, of the recent ages in turn",
    )
    parser.add_argument("--seed", help="play one schedule: 7, or 7@1 as it was at age 1")
    parser.add_argument("--verbose", action="store_true", help="print the events of that schedule")
    parser.add_argument("--all-checks", action="store_true", help="also those not upheld yet")
    parser.add_argument("--keep", action="store_true", help="add failing seeds to the corpus")
    parser.add_argument(
        "--mutants", action="store_true", help="find a killing seed for each mutant"
    )
    chosen = parser.parse_args(arguments)
    active = frozenset(CHECKS) if chosen.all_checks else UPHELD
    if chosen.mutants:
        return _hunt(seeds_of(chosen.seeds))
    if chosen.seed is not None:
        number, _, age = chosen.seed.partition("@")
        seed = Seed(int(number), int(age or AGE))
        return _show(seed, active, verbose=chosen.verbose)
    started = process_time()
    tally = play_all(seeds_of(chosen.seeds), active)
    _report(tally, process_time() - started)
    for seed in tally.failed if chosen.keep else ():
        keep(seed)
    return 1 if tally.failed else 0


def _span(text: str) -> range:
    first, _, end = text.partition(":")
    return range(int(first), int(end))


def _show(seed: Seed, active: frozenset[str], *, verbose: bool) -> int:
    outcome = play(seed, active=active, keeps_lines=verbose)
    for line in outcome.lines:
        _print(line)
    for violation in outcome.violations:
        _print(f"seed {seed}: {violation} {excuse(violation)}")
    _print(f"seed {seed}: {outcome.steps} steps, events {outcome.digest[:16]}")
    return 1 if first_broken(outcome.violations) else 0


def _hunt(seeds: list[Seed]) -> int:
    kills, lives = [], []
    for name, kill in hunt(seeds):
        _print(f"{name} lives" if kill is None else str(kill))
        if kill is None:
            lives.append(name)
        else:
            kills.append(kill)
    write_kills(kills)
    return 1 if lives else 0


def _report(tally: Tally, seconds: float) -> None:
    rate = round(tally.steps / seconds) if seconds else 0
    _print(f"schedules {tally.schedules}  steps {tally.steps}  {rate} steps/s  {seconds:.0f} s CPU")
    _print(f"sends {tally.sends}  kills {sum(tally.kills.values())}  calls for halts {tally.calls}")
    _print(f"sleeps {tally.sleeps}  clocks set {tally.jumps}")
    parts = f"parts cut {tally.parts_cut}"
    _print(f"breaker {dict(sorted(tally.breaker_steps.items()))}  {parts}")
    _print(f"kills   {dict(tally.kills.most_common())}")
    _print(f"faults  {dict(tally.strikes.most_common())}")
    for check in sorted({one.check for one in tally.excused.values()}):
        seeds = [str(seed) for seed, one in tally.excused.items() if one.check == check]
        _print(f"excused {check} {len(seeds)} times, as of {seeds[:3]}")
    _print(f"violations {len(tally.failed)}")
    for seed, violation in tally.failed.items():
        _print(f"{violation}\n  python3 run.py simulate --seed {seed} --verbose")


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
