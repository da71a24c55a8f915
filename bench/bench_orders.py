"""How quick safe orders are: decision to order, restart, halt, and the closing of everything.

    python bench/bench_orders.py     measures all of it and stores bench/results/orders.json

The real engine, live runner and SQLite journal on disk trade on the embedded terminal; times are
of the wall clock. All but the restart is measured twice: on the disk as it is, and on one that
takes 8 ms longer for each flush. A worse figure means that a flush, a reading of the broker or a
wait was added between a decision and its order, between a halt and its effect, or to a start.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":  # what pytest has from pyproject.toml
    ROOT = Path(__file__).resolve().parent.parent
    sys.path[:0] = [str(ROOT / name) for name in ("src", "tests", "bench", "bench/peers")]

import pytest
from compare import load_average, machine
from order_rig import JOURNAL, Bot, InTurn, Journal, NoPace, Pace, Past, make_server

from mtquant.model import Direction, Publish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mtquant.terminal.simulated import SimulatedServer

pytestmark = pytest.mark.bench
RESULTS = Path(__file__).resolve().parent / "results" / "orders.json"
SLOW_FLUSH_MS = 8
ORDERS, RESTARTS, HALTS, CLOSINGS = 400, 3, 100, 3
PAIRS, HELD, UNRESOLVED, FLATTENED = 4_950, 100, 3, 50
YEAR_OF_HOURS = 6_225
LONG, SHORT, FLAT = Direction.LONG, Direction.SHORT, Direction.FLAT
PATIENCE_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Figure:
    """Hold the times of one thing (ms), and what one of them may be at most."""

    name: str
    count: int
    p50_ms: float
    p99_ms: float
    most_ms: float
    judged: str = "p99_ms"
    target_ms: float | None = None

    @classmethod
    def of(cls, name: str, seconds: Sequence[float], **judged: Any) -> Figure:
        """Return the figure of some times."""
        times = sorted(round(1000 * one, 2) for one in seconds)
        last = len(times) - 1
        p50, p99 = times[round(last * 0.5)], times[round(last * 0.99)]
        return cls(name=name, count=len(times), p50_ms=p50, p99_ms=p99, most_ms=times[-1], **judged)

    @property
    def verdict(self) -> str:
        """Say whether the target is met, empty without one."""
        if self.target_ms is None:
            return ""
        return "met" if getattr(self, self.judged) <= self.target_ms else "MISSED"

    def __str__(self) -> str:
        target = "" if self.target_ms is None else f"{self.judged[:-3]} <= {self.target_ms:g}"
        times = "".join(f"{one:>9.1f}" for one in (self.p50_ms, self.p99_ms, self.most_ms))
        return f"{self.name:<58}{self.count:>6}{times}   {target:<13} {self.verdict}".rstrip()


HEAD = f"{'':<58}{'count':>6}{'p50 ms':>9}{'p99 ms':>9}{'most ms':>9}   target"


@contextmanager
def folder() -> Iterator[Path]:
    """Lend a folder on the disk that the working copy is on."""
    with tempfile.TemporaryDirectory(dir=RESULTS.parent, prefix=".orders-") as name:
        yield Path(name)


# ---------------------------------------------------------------------- from decision to order


def orders() -> list[Figure]:
    """Measure from the bar that decides, handed to the engine, until `order_send` is entered."""
    with folder() as place:
        server = make_server(ORDERS + 3)
        bot = Bot(folder=place, server=server, strategies=[InTurn((LONG, FLAT))], pace=Pace(server))
        bot.run()
    times = [one.entered - one.handed for one in bot.terminal.sent]
    return [
        Figure.of("a bar decides -> order_send, journalled", times, target_ms=50.0),
        *turned(),
    ]


def turned() -> list[Figure]:
    """Measure the second order of a reversal, which waits until the close is proven."""
    with folder() as place:
        server = make_server(ORDERS // 2 + 3)
        bot = Bot(
            folder=place, server=server, strategies=[InTurn((LONG, SHORT))], pace=Pace(server)
        )
        bot.run()
    entries = [one for one in bot.terminal.sent[1:] if one.opens]
    times = [one.entered - one.handed for one in entries]
    return [Figure.of("  the entry of a reversal, after its close", times)]


# ---------------------------------------------------------------------- restart


def restarts() -> list[Figure]:
    """Measure a start with 10,000 intents, their deals and 100 positions, until bars may come.

    By then the journal is taken over, the broker read, and the year of bars shown to the strategy.
    """
    name = f"restart, {2 * PAIRS + HELD:,} intents, {HELD} positions -> ready"
    wall, cpu = restarted(1)
    many, many_cpu = restarted(HELD)
    return [
        Figure.of(name, wall, judged="most_ms", target_ms=5_000.0),
        Figure.of("  of that, CPU", cpu),
        Figure.of(f"  the same, one strategy for each of {HELD} positions", many),
        Figure.of("  of that, CPU", many_cpu),
    ]


def restarted(strategies: int) -> tuple[list[float], list[float]]:
    """Return how long starts took, from opening the journal on: wall clock and CPU."""
    times: list[float] = []
    spent: list[float] = []
    with folder() as place, quick_folder() as quick:
        server = made_past(quick / JOURNAL, PAIRS, HELD, strategies, UNRESOLVED)
        for number in range(RESTARTS):
            home = place / str(number)
            home.mkdir()
            shutil.copy(quick / JOURNAL, home / JOURNAL)
            speakers, pace = [InTurn() for _ in range(strategies)], NoPace()
            started, used = time.perf_counter(), time.process_time()
            bot = Bot(folder=home, server=server, strategies=speakers, pace=pace)
            bot.run()
            spent.append(time.process_time() - used)
            assert bot.engine.is_ready
            assert len(bot.engine.portfolio.own_positions) == HELD
            times.append(pace.reached - started)
    return times, spent


@contextmanager
def quick_folder() -> Iterator[Path]:
    """Lend a folder in memory, where there is one: to prepare what is not measured."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of its own inside it
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


def made_past(
    journal: Path, pairs: int, held: int, strategies: int = 1, unresolved: int = 0
) -> SimulatedServer:
    """Return a server after a year of trades by a bot, and write the journal of that bot."""
    server = make_server(YEAR_OF_HOURS)
    past = Past(server, strategies)
    for _ in range(pairs):
        past.close(past.buy())
        for _ in range(4 * YEAR_OF_HOURS // (pairs + held) - 1):
            server.step()
    for _ in range(held):
        past.buy()
    past.write(journal, unresolved)
    return server


# ---------------------------------------------------------------------- halts


class Halted:
    """Halt and release a running bot again and again, from another thread."""

    def __init__(self, bot: Bot) -> None:
        """Listen to a bot that does not run yet."""
        self._bot = bot
        self._heard = {"halt_raised": threading.Event(), "halt_cleared": threading.Event()}
        bot.on_note = self._hear
        self.committed: list[float] = []
        self.in_force: list[float] = []
        self.last_entry: list[float] = []

    def measure(self, rounds: int) -> None:
        """Do it so many times, each after an entry or two."""
        journal = Journal.attach(self._bot.folder / JOURNAL)
        for _ in range(rounds):
            self._await_entry()
            started = time.perf_counter()
            journal.request_halt(1, "bench", "a halt", 0)
            self.committed.append(time.perf_counter() - started)
            self._await("halt_raised")
            self.in_force.append(time.perf_counter() - started)
            entries = [one.entered for one in self._bot.terminal.sent if one.opens]
            self.last_entry.append(max(0.0, entries[-1] - started))
            journal.request_halt(0, "bench", "go on", 0)
            self._await("halt_cleared")
        journal.close()

    def _hear(self, one: Publish) -> None:
        if one.name in self._heard:
            self._heard[one.name].set()

    def _await(self, name: str) -> None:
        assert self._heard[name].wait(PATIENCE_S), f"no {name}"
        self._heard[name].clear()

    def _await_entry(self) -> None:
        sent, until = self._bot.terminal.sent, time.perf_counter() + PATIENCE_S
        before = len(sent)
        while not any(one.opens for one in sent[before:]):
            assert time.perf_counter() < until, "no entry"
            time.sleep(0.001)  # noqa: TID251 - another thread trades meanwhile


def halts() -> list[Figure]:
    """Measure from the request of a halt until it is on disk, and until the bot obeys."""
    return [
        *halted("a bot that looks every 5 ms", 0.005, 5, target_ms=50.0),
        *halted("one on a clock that jumps", 0.0, 1),
    ]


def halted(which: str, pause_s: float, every: int, **judged: Any) -> list[Figure]:
    """Return the figures of a bot that looks so often and trades every so many bars."""
    with folder() as place:
        server = make_server(100_000)
        pace = Pace(server, pause_s)
        words = [InTurn((LONG, FLAT), every)]
        bot = Bot(folder=place, server=server, strategies=words, pace=pace)
        halted = Halted(bot)
        thread = threading.Thread(target=bot.run)
        thread.start()
        try:
            halted.measure(HALTS)
        finally:
            pace.is_over = True
            thread.join()
    return [
        Figure.of(f"halt of {which} -> on disk", halted.committed, **judged),
        Figure.of("  -> the last entry that leaves (0: none did)", halted.last_entry, **judged),
        Figure.of("  -> the bot has it in its own journal", halted.in_force),
    ]


# ---------------------------------------------------------------------- flattening


class HaltedOnce(Pace):
    """Request a halt of level 3 at the first look, and end when nothing is open any more."""

    def __init__(self, server: SimulatedServer, place: Path) -> None:
        super().__init__(server)
        self._place = place
        self.started = 0.0
        self.ended = 0.0

    async def next(self) -> bool:
        """Halt, then look until all is closed."""
        if not self.started:
            journal = Journal.attach(self._place / JOURNAL)
            self.started = time.perf_counter()
            journal.request_halt(3, "bench", "close all", 0)
            journal.close()
        elif not self._server.book.open_positions:
            self.ended = time.perf_counter()
            return False
        return await super().next()


def flattenings() -> list[Figure]:
    """Measure a halt of level 3 until 50 positions are closed, and until that is journalled."""
    closed, journalled = [], []
    for _ in range(CLOSINGS):
        with folder() as place:
            server = made_past(place / JOURNAL, 0, FLATTENED)
            pace = HaltedOnce(server, place)
            bot = Bot(folder=place, server=server, strategies=[InTurn()], pace=pace)
            bot.run()
            assert len(bot.terminal.sent) == FLATTENED
            assert not bot.engine.desk.in_flight
            closed.append(bot.terminal.sent[-1].answered - pace.started)
            journalled.append(pace.ended - pace.started)
    name = f"halt of level 3 -> {FLATTENED} positions closed"
    return [
        Figure.of(name, closed, judged="most_ms", target_ms=2_000.0),
        Figure.of("  -> and journalled with their deals", journalled),
    ]


# ---------------------------------------------------------------------- all of it


MEASURES: dict[str, Callable[[], list[Figure]]] = {
    "orders": orders,
    "halts": halts,
    "flattenings": flattenings,
    "restarts": restarts,
}


def flush_ms() -> Figure:
    """Measure what a flush of 4 KiB takes on this disk."""
    times = []
    with folder() as place:
        file = os.open(place / "flushed", os.O_CREAT | os.O_WRONLY)
        for _ in range(200):
            os.write(file, bytes(4096))
            started = time.perf_counter()
            os.fsync(file)
            times.append(time.perf_counter() - started)
        os.close(file)
    return Figure.of("fsync of 4 KiB", times)


@contextmanager
def slower_by(more_ms: float) -> Iterator[None]:
    """Let each flush of the journal take so much longer."""
    Journal.flush_s = more_ms / 1000
    try:
        yield
    finally:
        Journal.flush_s = 0.0


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("more_ms", [0, SLOW_FLUSH_MS])
def test_safe_orders_are_quick_enough(name: str, more_ms: float) -> None:
    with slower_by(more_ms):
        figures = MEASURES[name]()

    print(f"\nflushes {more_ms} ms slower\n{HEAD}", *figures, sep="\n")


def main() -> int:
    """Measure everything, print the table and store it; return 1 if a target is missed."""
    found: dict[str, Any] = {"date": time.strftime("%Y-%m-%d", time.gmtime())}
    found["machine"] = machine()
    found["rows"] = []
    print(HEAD, flush_ms(), sep="\n")
    for more_ms in (0, SLOW_FLUSH_MS):
        print(f"each flush {more_ms} ms slower" if more_ms else "the disk as it is")
        for measure in MEASURES.values():
            with slower_by(more_ms):
                figures = measure()
            print(*figures, sep="\n", flush=True)
            found["rows"] += [
                {"flush_slower_ms": more_ms, **asdict(one), "verdict": one.verdict}
                for one in figures
            ]
    found["fsync"] = asdict(flush_ms())
    found["machine"]["load_after"] = load_average()
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8", newline="\n")
    print(f"stored in {RESULTS}")
    return 1 if any(row["verdict"] == "MISSED" for row in found["rows"]) else 0


if __name__ == "__main__":
    sys.exit(main())
