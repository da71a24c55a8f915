"""Kill bots: `python -m kills --points 200 --seeds 3 --random 100` in `tests`, or `run.py kill`."""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from kills.campaign import draw_cases, play_all
from kills.case import IS_POSIX, Case, Result, play_in
from kills.points import Plan
from mtquant.model import MarginMode


def main(arguments: list[str] | None = None) -> int:
    """Play what the arguments ask for; 1 when something was found."""
    parser = argparse.ArgumentParser(prog="kills", description=__doc__)
    parser.add_argument("--points", type=int, default=200, help="kills at points, for each seed")
    parser.add_argument("--seeds", type=int, default=3, help="how many markets")
    parser.add_argument("--random", type=int, default=100, help="cases killed at random times")
    parser.add_argument("--jobs", type=int, default=2, help="cases side by side")
    parser.add_argument(
        "--case", nargs="+", metavar="WORD", help="play one case: seed, mode, points or seconds"
    )
    chosen = parser.parse_args(arguments)
    if not IS_POSIX:
        _print("kills need signals of POSIX systems")
        return 0
    if chosen.case:
        return _show(_case(chosen.case))
    started = perf_counter()
    cases = draw_cases(chosen.points, range(1, chosen.seeds + 1), chosen.random)
    tally = play_all(cases, chosen.jobs, _tell)
    _print(tally.table())
    _print(f"{perf_counter() - started:.0f} s, {chosen.jobs} cases side by side")
    return 1 if tally.failed else 0


def _case(words: list[str]) -> Case:
    seed, mode, *ends = words
    is_time = re.compile(r"[0-9.]+").fullmatch
    return Case(
        seed=int(seed),
        mode=MarginMode(mode),
        ends=tuple(float(end) if is_time(end) else Plan.parse(end) for end in ends),
    )


def _show(case: Case) -> int:
    folder = Path(tempfile.mkdtemp(prefix="mtquant-kills-"))
    result = play_in(case, folder)
    _print(f"{folder}: {result.orders} orders, kills {dict(result.kills)}")
    _tell(result)
    return 1 if result.findings else 0


def _tell(result: Result) -> None:
    """Print how to see again what was found."""
    if result.findings:
        _print(f"python3 run.py kill --case {result.case.words}")
    for finding in result.findings:
        _print(f"  {finding}")


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
