"""The job that mtquant and its peers are all given, and the line in which each one answers.

    python <script> --data FOLDER --job NAME --size COUNT [--repeats N] [--seconds S]

Two moving averages of the close that cross turn the position around, with a stop loss and a take
profit; a decision at a close is filled at the next open, which is the same price. Prices are whole
points in all programs: sums of whole numbers are exact in floating point, so averages that are
equal are equal everywhere, and nobody rounds a signal away.

Needs NumPy and nothing else, because every environment has that.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

FAST: Final = 20
SLOW: Final = 50
STOP_POINTS: Final = 200
TARGET_POINTS: Final = 400
UNITS: Final = 10_000  # euros: a tenth of a lot
CASH: Final = 100_000  # dollars
POINTS_OF_PRICE: Final = 100_000  # a price of 1.10000 is 110,000 points
CASH_POINTS: Final = CASH * POINTS_OF_PRICE  # the account of a peer whose prices are points
# A level that much nearer to the entry is met by the same whole prices as the exact one, and no
# rounding of `entry * (1 - fraction)` can miss a touch.
NEARER: Final = 1e-4

COMBINATIONS: Final = tuple((fast, slow) for fast in range(5, 45, 4) for slow in range(50, 250, 10))
DAY_MINUTES: Final = 1440
FIRST_MONDAY_NS: Final = 1_578_268_800_000_000_000  # 2020-01-06
MINUTE_NS: Final = 60_000_000_000
QUOTES_PER_MINUTE: Final = 60
TICK_SPREAD_POINTS: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Hold M1 bars: int64[n] opening times in ns since 1970, int32[n] points."""

    time_ns: NDArray[np.int64]
    open: NDArray[np.int32]
    high: NDArray[np.int32]
    low: NDArray[np.int32]
    close: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.close)

    def floats(self) -> dict[str, NDArray[np.float64]]:
        """Return open, high, low, close and a constant volume as float64[n], in points."""
        columns = {name: getattr(self, name) for name in ("open", "high", "low", "close")}
        columns["volume"] = np.ones(len(self))
        return {name: np.ascontiguousarray(one, np.float64) for name, one in columns.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotes:
    """Hold one quote a second: int64[n] times in ns since 1970, int32[n] bids in points.

    The ask is `TICK_SPREAD_POINTS` above the bid. Every sixty quotes are one M1 bar.
    """

    time_ns: NDArray[np.int64]
    bid: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.bid)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Say what a run did, so that runs can be told to be the same.

    `gross_points` sums over all closed trades how far the exit was from the entry. Whoever leaves
    stops out makes as many trades, for signals alternate, but other ones: this sum shows it.
    """

    trades: int
    gross_points: float


Work = Callable[[], Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Name a program, and say how it prepares each job that it can do.

    A preparation takes the prices and returns the work that is timed. `differences` says per job
    in what the program cannot do quite the same.
    """

    name: str
    package: str
    prepare: Mapping[str, Callable[..., Work]]
    differences: Mapping[str, Sequence[str]] = field(default_factory=dict)


def minute_times(count: int) -> NDArray[np.int64]:
    """Return the first `count` minutes of Mondays to Fridays as int64 ns since 1970."""
    minute = np.arange(count, dtype=np.int64)
    week, inside = np.divmod(minute, 5 * DAY_MINUTES)
    return FIRST_MONDAY_NS + (week * 7 * DAY_MINUTES + inside) * MINUTE_NS


def load_prices(folder: Path, count: int) -> Prices:
    """Return the first `count` bars of the data in `folder`."""
    columns = np.load(folder / "bars.npy", mmap_mode="r")[:, :count]
    if columns.shape[1] < count:
        raise SystemExit(f"{folder} holds {columns.shape[1]:,} bars, {count:,} were asked for")
    opened, high, low, close = (np.array(one) for one in columns)
    return Prices(time_ns=minute_times(count), open=opened, high=high, low=low, close=close)


def load_quotes(folder: Path, count: int) -> Quotes:
    """Return the first `count` quotes of the data in `folder`."""
    bid = np.array(np.load(folder / "bids.npy", mmap_mode="r")[:count])
    if len(bid) < count:
        raise SystemExit(f"{folder} holds {len(bid):,} quotes, {count:,} were asked for")
    minutes = minute_times(-(-count // QUOTES_PER_MINUTE))
    seconds = np.arange(QUOTES_PER_MINUTE, dtype=np.int64) * 1_000_000_000
    return Quotes(time_ns=(minutes[:, None] + seconds).ravel()[:count], bid=bid)


def crossings(
    fast: NDArray[np.float64], slow: NDArray[np.float64]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return where `fast` came above `slow` and where it came below, bool[n] each.

    A value that is not a number crosses nothing.
    """
    up = np.zeros(len(fast), np.bool_)
    down = up.copy()
    up[1:] = (fast[1:] > slow[1:]) & (fast[:-1] <= slow[:-1])
    down[1:] = (fast[1:] < slow[1:]) & (fast[:-1] >= slow[:-1])
    return up, down


def moving_average(values: Sequence[float] | NDArray[np.float64], window: int) -> NDArray:
    """Return the mean of the last `window` values, NaN before there are so many."""
    total = np.cumsum(np.concatenate([[0.0], np.asarray(values, np.float64)]))
    means = np.full(len(values), np.nan)
    means[window - 1 :] = (total[window:] - total[:-window]) / window
    return means


def answer(peer: Peer, arguments: Sequence[str] | None = None) -> None:
    """Do the job that the command line asks for and print the result as a line of JSON."""
    asked = _parsed(peer, arguments)
    load = load_quotes if asked.job == "ticks" else load_prices
    work = peer.prepare[asked.job](load(asked.data, asked.size))
    outcome = work()
    cpu, wall = _timed(work, outcome, asked.repeats, asked.seconds)
    row = {
        "name": peer.name,
        "version": version(peer.package),
        "job": asked.job,
        "bars": asked.size,
        "combinations": len(COMBINATIONS) if asked.job == "sweep" else 1,
        "cpu_seconds": round(statistics.median(cpu), 6),
        "wall_seconds": round(statistics.median(wall), 6),
        "repeats": len(cpu),
        "trades": outcome.trades,
        "gross_points": round(outcome.gross_points),
        "peak_rss_mb": peak_memory_mb(),
        "differences": list(peer.differences.get(asked.job, ())),
    }
    print(json.dumps(row), flush=True)


def peak_memory_mb() -> int | None:
    """Return the most memory that this process has held so far, MB; None where nobody tells."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux; `ru_maxrss` would count the memory of who started us, too
        lines = status.read_text(encoding="utf-8").splitlines()
        return round(next(int(one.split()[1]) for one in lines if one.startswith("VmHWM")) / 1024)
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1 << 20 if sys.platform == "darwin" else 1 << 10))


def _parsed(peer: Peer, arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=f"Measure {peer.name} on one job.")
    parser.add_argument("--data", type=Path, required=True, help="folder made by make_data.py")
    parser.add_argument("--job", choices=sorted(peer.prepare), required=True)
    parser.add_argument("--size", type=int, required=True, help="bars, or quotes for ticks")
    parser.add_argument("--repeats", type=int, default=3, help="timed runs after the warm-up")
    parser.add_argument("--seconds", type=float, default=30.0, help="no repeat starts after that")
    return parser.parse_args(arguments)


def _timed(
    work: Work, outcome: Outcome, repeats: int, seconds: float
) -> tuple[list[float], list[float]]:
    """Return CPU and wall seconds of each repeat; every one must come to the same outcome."""
    cpu: list[float] = []
    wall: list[float] = []
    while len(cpu) < repeats and (not cpu or sum(wall) < seconds):
        wall_before, cpu_before = time.perf_counter(), time.process_time()
        found = work()
        cpu.append(time.process_time() - cpu_before)
        wall.append(time.perf_counter() - wall_before)
        if found != outcome:
            raise SystemExit(f"came to {outcome} at first and to {found} in a repeat")
    return cpu, wall
