"""What a million stored M1 bars cost: to put, to open and to check.

Budget: opening takes at most 10 ms, of CPU and of the wall clock. A miss means that opening copies
or reads what it should map.
"""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
import pytest
from measure import cpu_of

from mtquant.data.store import BarsStore
from mtquant.model import Bars, Timeframe, make_bars

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROWS = 1_000_000
BUDGET_S = 0.010

pytestmark = pytest.mark.bench


@pytest.fixture(scope="module")
def bars() -> Bars:
    close = 110_000 + np.random.default_rng(1).integers(-9, 10, ROWS).cumsum() % 20_000
    return make_bars(
        symbol="EURUSD",
        timeframe=Timeframe.M1,
        digits=5,
        time_ms=np.arange(ROWS) * 60_000,
        open=close,
        high=close + 8,
        low=close - 8,
        close=close,
        spread=9,
        tick_volume=40,
    )


def wall_of(work: Callable[[], object], runs: int = 21) -> float:
    """Return the median seconds of calling `work`."""
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return median(seconds)


def test_a_million_bars_open_within_their_budget(bars: Bars, tmp_path: Path) -> None:
    store = BarsStore(tmp_path)
    key = store.put(bars).key

    cpu, wall = cpu_of(lambda: store.get(key), runs=21).median, wall_of(lambda: store.get(key))
    touched = cpu_of(lambda: [int(store.get(key).close.max()), int(store.get(key).low.min())])

    print(f"\nopen a million bars: {1000 * cpu:.2f} ms CPU, {1000 * wall:.2f} ms wall")
    print(f"open twice and read a column each: {1000 * touched.median:.2f} ms CPU")
    assert max(cpu, wall) <= BUDGET_S


def test_a_million_bars_are_put_and_checked(bars: Bars, tmp_path: Path) -> None:
    store = BarsStore(tmp_path)

    def put_new() -> None:
        store.remove(store.put(bars).key)

    put = cpu_of(put_new, runs=3).median
    key = store.put(bars).key
    check = cpu_of(lambda: store.verify(key), runs=3).median
    digest = cpu_of(bars.content_hash, runs=3).median

    print(f"\nput a million bars: {put:.2f} s CPU; check: {check:.2f} s; hash: {digest:.3f} s")
    assert put <= 1
