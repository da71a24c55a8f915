"""Whole runs in the kernels: rates, memory, and what a new process pays.

The job is that of bench/peers: two averages that cross, a stop, a target, every rule on. Budgets
per CPU second on one core: 50M bars compiled, 1M bars with a strategy in Python (at ten million
bars nine tenths of that rate), 100M bars of combinations in a sweep, 50M ticks; 800 ms of CPU for a
new process to its first result, 20 s for the first compilation, 250 MB for a million bars, 300 MB
for the sweep. A worse figure means that work was added to every bar, deal or trial.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import job
import ours
import pytest
from make_data import ensure_data
from measure import SOURCES, cpu_of, cpu_of_process, python

from mtquant.engine.kernels import is_available

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [
    pytest.mark.bench,
    pytest.mark.skipif(not is_available(), reason="the extra `fast` (numba) is not installed"),
]
SMALL, LARGE, HUGE = 100_000, 1_000_000, 10_000_000
HERE = Path(__file__).resolve().parent
COLD_MS, COMPILE_S, RUN_MB, SWEEP_MB = 800, 20, 250, 300


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the prices of bench/peers, made once."""
    folder = tmp_path_factory.mktemp("prices")
    ensure_data(folder, LARGE, HUGE)
    return folder


@pytest.fixture(scope="session")
def many_bars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with ten million bars, made once."""
    folder = tmp_path_factory.mktemp("many")
    ensure_data(folder, HUGE, 1)
    return folder


def report(name: str, work: Callable[[], job.Outcome], units: int, budget: float) -> None:
    """Measure and print millions of units per CPU second."""
    rate = units / cpu_of(work).median / 1e6
    print(f"\n{name}: {rate:.1f}M per CPU second (budget {budget:g}M), {work().trades:,} trades")


def test_a_compiled_run_of_a_million_bars(data: Path) -> None:
    prices = job.load_prices(data, LARGE)

    report("compiled, 1M bars", ours.compiled(prices), LARGE, 50)


def test_a_sweep_of_two_hundred_combinations(data: Path) -> None:
    prices = job.load_prices(data, SMALL)

    report("sweep", ours.sweep(prices), SMALL * len(job.COMBINATIONS), 100)


def test_ten_million_ticks(data: Path) -> None:
    quotes = job.load_quotes(data, HUGE)

    report("ticks", ours.ticks(quotes), HUGE, 50)


def test_a_strategy_in_python_keeps_its_pace_over_ten_million_bars(many_bars: Path) -> None:
    works = [ours.on_bar(job.load_prices(many_bars, size)) for size in (LARGE, HUGE)]
    seconds: list[list[float]] = [[], []]
    for turn in range(6):
        for number, work in enumerate(works):
            started = time.process_time()
            work()
            if turn:  # the first turn warms up
                seconds[number].append(time.process_time() - started)
    small, huge = (
        size / statistics.median(taken) for size, taken in zip((LARGE, HUGE), seconds, strict=True)
    )

    print(f"\non_bar: {small / 1e6:.2f}M bars per CPU second at 1M bars (budget 1M), ", end="")
    print(f"{huge / 1e6:.2f}M at 10M: {huge / small:.0%} (budget 90%)")


def test_a_new_process_is_quick_to_its_first_result() -> None:
    short = cpu_of_process(python("-m", "mtquant", "backtest", "--json")).median
    loads = "from mtquant.engine.kernels import prepare; prepare()"
    compiled = cpu_of_process(python("-c", loads)).median

    print(
        f"\nnew process to a year of hours: {1000 * short:.0f} ms CPU (budget {COLD_MS}); ", end=""
    )
    print(f"to the first bars of a kernel whose code is kept: {1000 * compiled:.0f} ms")


def test_the_first_compilation(tmp_path: Path) -> None:
    started = time.perf_counter()
    subprocess.run(
        python("-c", "from mtquant.engine.kernels import prepare; prepare()"),
        env=os.environ | {"PYTHONPATH": str(SOURCES), "MTQUANT_KERNEL_CACHE": str(tmp_path)},
        check=True,
    )

    took = time.perf_counter() - started
    print(f"\nfirst run on a new machine, compiled: {took:.1f} s (budget {COMPILE_S})")


@pytest.mark.parametrize(
    ("name", "size", "budget"), [("compiled", LARGE, RUN_MB), ("sweep", SMALL, SWEEP_MB)]
)
def test_memory(data: Path, name: str, size: int, budget: int) -> None:
    words = python(
        str(HERE / "peers" / "ours.py"),
        *("--data", str(data), "--job", name, "--size", str(size), "--repeats", "1"),
    )
    environment = os.environ | {"PYTHONPATH": str(SOURCES)}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)

    peak = done.stdout.partition('"peak_rss_mb": ')[2].partition(",")[0]
    print(f"\n{name}: {peak} MB at its peak (budget {budget})")
