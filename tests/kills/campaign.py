"""Many cases, drawn from seeds, played side by side and counted by the point of the first kill."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final

import numpy as np

from kills.case import Case, Result, play
from kills.nursery import Nursery
from kills.points import POINTS, Plan
from kills.verdict import DUPLICATE, LOST, UNRESOLVED
from mtquant.model import MarginMode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

MODES: Final = (MarginMode.NETTING, MarginMode.HEDGING)
AT_A_TIME: Final = "at a time"
_RECOVERY: Final = {  # what a new process soon comes to, and how often at most
    "file": 12,
    "call": 60,
    "server: clock": 2,
    "intents: before": 1,
    "intents: in transaction": 1,
    "intents: at commit": 1,
    "intents: after": 1,
    "deals: before": 2,
    "deals: in transaction": 2,
    "deals: at commit": 2,
    "deals: after": 2,
    "sending: after": 1,
    "server: torn": 1,
    "server: appended": 1,
    "send: after": 1,
}
_LIFE_S: Final = 2.0


@dataclass(slots=True)
class Line:
    """Count the cases that began with the same kind of kill."""

    cases: int = 0
    unreached: int = 0
    restarts: int = 0
    orders: int = 0
    findings: Counter[str] = field(default_factory=Counter)

    def add(self, result: Result) -> None:
        """Count a case."""
        self.cases += 1
        self.unreached += not result.kills
        self.restarts += result.restarts
        self.orders += result.orders
        self.findings.update(one.kind for one in result.findings)


@dataclass(slots=True)
class Tally:
    """Count what the cases did."""

    lines: dict[str, Line] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)
    failed: list[Result] = field(default_factory=list)

    @property
    def total(self) -> Line:
        """Return the sum of the lines."""
        total = Line()
        for line in self.lines.values():
            total.cases += line.cases
            total.unreached += line.unreached
            total.restarts += line.restarts
            total.orders += line.orders
            total.findings.update(line.findings)
        return total

    def add(self, result: Result) -> None:
        """Count a case."""
        first = result.case.ends[0]
        name = first.point if isinstance(first, Plan) else AT_A_TIME
        self.lines.setdefault(name, Line()).add(result)
        self.kills.update(result.kills)
        if result.findings:
            self.failed.append(result)

    def table(self) -> str:
        """Return the counts as a table."""
        heads = ("cases", "not reached", "kills there", "restarts", "orders")
        shown = (DUPLICATE, LOST, UNRESOLVED)
        rows = [["first kill", *heads, *shown, "other"]]
        names = [name for name in (*POINTS, AT_A_TIME) if name in self.lines]
        rows += [[name, *_cells(self.lines[name], self.kills[name])] for name in names]
        rows.append(["all", *_cells(self.total, self.kills.total())])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])])
            for row in rows
        )


def _cells(line: Line, kills: int) -> list[str]:
    found = [line.findings[kind] for kind in (DUPLICATE, LOST, UNRESOLVED)]
    other = line.findings.total() - sum(found)
    counts = (line.cases, line.unreached, kills, line.restarts, line.orders, *found, other)
    return [str(count) for count in counts]


def draw_cases(points: int, seeds: Sequence[int], shots: int) -> list[Case]:
    """Return the cases of a campaign: so many points for each seed, and so many kills by time.

    What a life passes by is counted first, so that the kills lie all along it.
    """
    cases = [Case(seed=seed, mode=mode, ends=()) for seed in seeds for mode in MODES]
    counted = {(one.case.seed, one.case.mode): one.passings for one in map(play, cases)}
    drawn = [case for seed in seeds for case in draw_points(seed, points, counted)]
    for number in range(shots):
        rng = np.random.default_rng([number, 8])
        seed, mode = seeds[number % len(seeds)], MODES[number // len(seeds) % 2]
        times = tuple(float(rng.uniform(0.1, _LIFE_S)) for _ in range(3))
        drawn.append(Case(seed=seed, mode=mode, ends=times))
    return drawn


def draw_points(
    seed: int, points: int, counted: dict[tuple[int, MarginMode], dict[str, int]]
) -> list[Case]:
    """Return cases of a seed that begin with a kill at a point."""
    rng = np.random.default_rng([seed, 7])
    rounds = -(-points // len(POINTS))
    cases = []
    for number in range(points):
        turn, which = divmod(number, len(POINTS))
        point, mode = POINTS[which], MODES[(turn + which) % 2]
        passings = counted[seed, mode].get(point, 0)
        passing = 1 + int((turn + rng.random()) / rounds * passings)
        ends = [Plan(point, passing), *(_again(rng) for _ in range(int(rng.integers(1, 3))))]
        cases.append(Case(seed=seed, mode=mode, ends=tuple(ends)))
    return cases


def play_all(
    cases: Iterable[Case], jobs: int = 2, on_result: Callable[[Result], None] = lambda _: None
) -> Tally:
    """Play cases side by side."""
    tally = Tally()
    free: SimpleQueue[Nursery] = SimpleQueue()

    def play_one(case: Case) -> Result:
        nursery = free.get()
        try:
            return play(case, nursery)
        finally:
            free.put(nursery)

    with ExitStack() as stack:
        for _ in range(jobs):
            free.put(stack.enter_context(Nursery()))
        for result in stack.enter_context(ThreadPoolExecutor(jobs)).map(play_one, cases):
            tally.add(result)
            on_result(result)
    return tally


def _again(rng: np.random.Generator) -> Plan:
    """Draw a kill soon after a start: in the middle of the recovery."""
    names = sorted(_RECOVERY)
    point = names[int(rng.integers(len(names)))]
    return Plan(point, 1 + int(rng.integers(_RECOVERY[point])))
