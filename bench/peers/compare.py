"""Measure mtquant and its peers on one job, side by side in one run.

    python bench/peers/compare.py                      everything: stores bench/results/peers.json
    python bench/peers/compare.py --quick              small sizes, printed only
    python bench/peers/compare.py --only vectorbt      mtquant and the named ones, printed only
    python bench/peers/compare.py --write-docs         the stored tables into the page about speed

Every program runs in a process of its own and warms up before it is timed; rounds go through all
programs in turn, so that a machine that gets slower does so for everybody. Run it with the Python
of the environment that holds mtquant.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import table
from environments import NotInstalledError, clean_environment, ensure_environment, last_line
from make_data import ensure_data

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Ask = Callable[["Task"], dict[str, Any]]

HERE: Final = Path(__file__).resolve().parent
RESULTS: Final = HERE.parent / "results" / "peers.json"
PAGE: Final = HERE.parent.parent / "docs" / "concepts" / "speed.md"
TIMEOUT_S: Final = 1800

SMALL, LARGE, QUOTES = 100_000, 1_000_000, 10_000_000
QUICK: Final = {SMALL: 20_000, QUOTES: 1_000_000}  # what is left out is not measured
QUICK_SWEEP: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Name a program, its script, what must be installed for it, and the sizes of its jobs."""

    name: str
    script: str
    jobs: Mapping[str, tuple[int, ...]]
    requirements: tuple[str, ...] = ()  # none: it runs under this Python


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Hold one measurement to be made in every round."""

    program: Program
    job: str
    size: int


class FailedError(Exception):
    """A program could not do a job; the text is its last word."""


PROGRAMS: Final = (
    Program(
        name=table.OURS,
        script="ours.py",
        jobs={
            "compiled": (SMALL, LARGE),
            "on_bar": (SMALL, LARGE),
            "sweep": (SMALL,),
            "ticks": (QUOTES,),
        },
    ),
    Program(
        name="vectorbt",
        script="on_vectorbt.py",
        requirements=("vectorbt==1.2.0", "numba==0.68.1", "numpy==2.4.6", "pandas==3.1.1"),
        jobs={"compiled": (SMALL, LARGE), "sweep": (SMALL,)},
    ),
    Program(
        name="raptorbt",
        script="on_raptorbt.py",
        requirements=("raptorbt==0.13.4", "numpy==2.4.6"),
        jobs={"compiled": (SMALL, LARGE), "on_bar": (SMALL,)},
    ),
    Program(
        name="backtesting.py",
        script="on_backtesting.py",
        requirements=("backtesting==0.6.6", "numpy==2.4.6", "pandas==3.1.1"),
        jobs={"on_bar": (SMALL, LARGE)},
    ),
    Program(
        name="nautilus_trader",
        script="on_nautilus.py",
        requirements=("nautilus_trader==1.221.0", "numpy==2.4.6", "pandas==2.3.3"),
        jobs={"on_bar": (SMALL,)},
    ),
    Program(
        name="backtrader",
        script="on_backtrader.py",
        requirements=("backtrader==1.9.78.123", "numpy==2.4.6", "pandas==3.1.1"),
        jobs={"on_bar": (SMALL,)},
    ),
    Program(
        name="hftbacktest",
        script="on_hftbacktest.py",
        requirements=("hftbacktest==2.4.4", "numba==0.68.1", "numpy==2.2.6"),
        jobs={"ticks": (QUOTES,)},
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; return 1 if a row is void, else 0."""
    asked = parsed(arguments)
    if asked.write_docs:
        write_docs(json.loads(RESULTS.read_text(encoding="utf-8")))
        return 0
    tasks = tasks_of(chosen(asked.only), is_quick=asked.quick)
    found: dict[str, Any] = {"date": time.strftime("%Y-%m-%d", time.gmtime())}
    found["machine"] = machine()
    found["data"] = ensure_data(asked.data)
    rows = table.judged(measured(tasks, asker(asked, tasks), asked.rounds))
    found["machine"]["load_after"] = load_average()
    found["rounds"] = asked.rounds
    found["installed"] = {one.name: list(one.requirements) for one in PROGRAMS if one.requirements}
    found["versions"] = {row.name: row.version for row in rows if row.version}
    found["rows"] = [table.as_json(row) for row in rows]
    print(table.tables(rows))
    out = asked.out or (None if asked.quick or asked.only else RESULTS)
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8", newline="\n")
        print(f"stored in {out}")
    return 1 if any(row.void for row in rows) else 0


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return what the command line asks for."""
    names = [program.name for program in PROGRAMS]
    cache = cache_folder()
    parser = argparse.ArgumentParser(description="Measure mtquant and its peers on one job.")
    parser.add_argument("--only", action="append", choices=names, help="may be given repeatedly")
    parser.add_argument("--quick", action="store_true", help="small sizes, nothing stored")
    parser.add_argument("--rounds", type=int, default=3, help="how often all programs take turns")
    parser.add_argument("--repeats", type=int, default=3, help="timed runs in each round")
    parser.add_argument("--data", type=Path, default=cache / "data", help="folder of the prices")
    parser.add_argument("--environments", type=Path, default=cache / "environments")
    parser.add_argument("--out", type=Path, help=f"where to store results ({RESULTS.name})")
    parser.add_argument("--write-docs", action="store_true", help="write the page, measure nothing")
    return parser.parse_args(arguments)


def cache_folder() -> Path:
    """Return the user's folder for what can be made again."""
    known = os.environ.get("LOCALAPPDATA" if os.name == "nt" else "XDG_CACHE_HOME")
    return (Path(known) if known else Path.home() / ".cache") / "mtquant" / "peers"


def chosen(only: Sequence[str] | None) -> list[Program]:
    """Return mtquant and the programs of these names, all without any."""
    wanted = {table.OURS, *(only or (program.name for program in PROGRAMS))}
    return [program for program in PROGRAMS if program.name in wanted]


def tasks_of(programs: Iterable[Program], *, is_quick: bool) -> list[Task]:
    """Return what is measured, programs with the same job and size beside each other."""
    tasks = []
    for program in programs:
        for job, sizes in program.jobs.items():
            for full in sizes:
                small = QUICK_SWEEP if job == "sweep" else QUICK.get(full)
                size = small if is_quick else full
                if size:
                    tasks.append(Task(program=program, job=job, size=size))
    return sorted(tasks, key=lambda task: (task.job, task.size))


def asker(asked: argparse.Namespace, tasks: Sequence[Task]) -> Ask:
    """Make the environments; return the function that has a task done in a process of its own."""
    pythons: dict[str, Path | NotInstalledError] = {}
    for program in {task.program.name: task.program for task in tasks}.values():
        pythons[program.name] = python_of(program, asked.environments)

    def ask(task: Task) -> dict[str, Any]:
        python = pythons[task.program.name]
        if isinstance(python, NotInstalledError):
            raise FailedError(f"not installed: {python}")
        words = [str(python), str(HERE / task.program.script), "--data", str(asked.data)]
        words += ["--job", task.job, "--size", str(task.size), "--repeats", str(asked.repeats)]
        return answer_of(words)

    return ask


def python_of(program: Program, folder: Path) -> Path | NotInstalledError:
    """Return the Python that runs a program, or why there is none."""
    if not program.requirements:
        return Path(sys.executable)
    say(f"environment of {program.name}")
    try:
        return ensure_environment(folder, program.name, program.requirements)
    except NotInstalledError as error:
        return error


def answer_of(words: Sequence[str]) -> dict[str, Any]:
    """Return the line of JSON that a program ends with.

    Raises:
        FailedError: it ended with an error, took too long, or answered nothing.
    """
    try:
        done = subprocess.run(
            words,
            env=clean_environment(),
            capture_output=True,
            encoding="utf-8",
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise FailedError(f"took longer than {TIMEOUT_S} s") from None
    if done.returncode:
        raise FailedError(last_line(done.stderr or done.stdout))
    try:
        answer: dict[str, Any] = json.loads(last_line(done.stdout))
    except ValueError:
        raise FailedError(f"answered {last_line(done.stdout)!r} instead of a result") from None
    return answer


def measured(tasks: Sequence[Task], ask: Ask, rounds: int) -> list[table.Row]:
    """Have every task done once a round; return a row for each, those that failed too."""
    answers: dict[int, list[dict[str, Any]]] = {index: [] for index in range(len(tasks))}
    failures: dict[int, str] = {}
    for number in range(rounds):
        for index, task in enumerate(tasks):
            if index in failures:
                continue
            say(f"round {number + 1}: {task.program.name}, {task.job}, {task.size:,}")
            try:
                answers[index].append(ask(task))
            except FailedError as error:
                failures[index] = str(error)
    return [
        table.Row(name=task.program.name, job=task.job, bars=task.size, failure=failures[index])
        if index in failures
        else table.merged(answers[index])
        for index, task in enumerate(tasks)
    ]


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load_before": load_average(),
    }


def cpu_model() -> str:
    """Return the name of the processor, as well as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def load_average() -> float | None:
    """Return the load of the last minute, None where the system has no such figure."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def write_docs(found: Mapping[str, Any]) -> None:
    """Write the tables of stored results into the page about speed."""
    rows = [table.from_json(row) for row in found["rows"]]
    page = PAGE.read_text(encoding="utf-8")
    text = f"{caption(found)}\n\n{table.tables(rows)}"
    PAGE.write_text(table.between_marks(page, text), encoding="utf-8", newline="\n")


def caption(found: Mapping[str, Any]) -> str:
    """Return when and where results were measured."""
    on = found["machine"]
    load = ", ".join(
        "–" if one is None else f"{one:.1f}" for one in (on["load_before"], on["load_after"])
    )
    return (
        f"Measured on {found['date']}: {on['cpu']}, {on['cores']} cores, {on['system']}, "
        f"Python {on['python']}; load average before and after {load}; medians of "
        f"{found['rounds']} rounds."
    )


def say(text: str) -> None:
    """Tell what takes time."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
