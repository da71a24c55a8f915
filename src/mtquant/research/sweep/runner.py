"""Running a sweep: what is left, in this process or in several, onto the disk."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final, Protocol

from mtquant.model import ConfigError, SweepError
from mtquant.research.sweep.batches import Batches
from mtquant.research.sweep.folder import ROWS, working_folder
from mtquant.research.sweep.pool import Pool
from mtquant.research.sweep.results import SweepResults, load_results
from mtquant.research.sweep.room import DEFAULT_LIMIT, MEMORY_BYTES, require_room
from mtquant.research.sweep.rows_file import RowsFile
from mtquant.research.sweep.trials import Batch, TrialState, Work, run_batch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mtquant.research.sweep.evaluator import EvaluatorFactory
    from mtquant.research.sweep.folder import SweepFolder
    from mtquant.research.sweep.pool import Sink
    from mtquant.research.sweep.space import Space


_PILOT_S: Final = 1.0
_WORTH_S: Final = 5.0  # a process takes a second or two until it runs its first trial


class Watcher(Protocol):
    """Be told how a sweep goes on."""

    def on_progress(self, done: int, total: int) -> None:
        """Hear how many trials of all are finished; earlier runs count."""
        ...

    def on_trouble(self, message: str) -> None:
        """Hear what a person should know: a worker died, or trials take the slow way."""
        ...


class Silence:
    """Watch and say nothing."""

    def on_progress(self, done: int, total: int) -> None:
        """Say nothing."""

    def on_trouble(self, message: str) -> None:
        """Say nothing."""


def run_sweep(
    space: Space,
    factory: EvaluatorFactory,
    *,
    windows: Sequence[str] = ("all",),
    workers: int | None = 1,
    place: SweepFolder | None = None,
    limit: int = DEFAULT_LIMIT,
    memory_bytes: int = MEMORY_BYTES,
    watcher: Watcher | None = None,
) -> SweepResults:
    """Run every combination of a space over every window; return all trials.

    With a folder, finished batches are on disk at once, and what an earlier run left there is not
    run again. Neither the number of workers nor interruptions change the results.

    Args:
        space: the combinations.
        factory: makes the evaluator, once per process; pickled when there are several.
        windows: the names that the evaluator knows its windows by.
        workers: processes; 1 runs in this one, None starts as many as there are cores when what
            is left takes long enough to pay for them. A script that uses more than one needs the
            line `if __name__ == "__main__":` before it starts.
        place: where rows are kept; nothing is kept without.
        limit: the most trials that are run.
        memory_bytes: the most memory that results may take.
        watcher: is told how it goes.

    Raises:
        ConfigError: the sweep is empty or too large, every combination is invalid, or the folder
            cannot be written.
        SweepError: every trial failed, or a batch killed two workers.
    """
    if workers is not None and workers < 1:
        raise ConfigError(f"workers must be at least 1, was {workers}")
    count = len(windows)
    require_room(len(space), count, len(space.names), limit=limit, memory_bytes=memory_bytes)
    work = Work(space=space, windows=tuple(windows))
    with working_folder(place) as folder:
        rows = RowsFile(folder / ROWS, place.fingerprint if place else "", work.rows)
        try:
            _run(work, factory, rows, workers, watcher or Silence())
        finally:
            rows.close()
        results = load_results(folder / ROWS, work)
    _require_some(results, place)
    return results


def cores() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _require_some(results: SweepResults, place: SweepFolder | None) -> None:
    """Refuse to call it a result when nothing ran."""
    if results.count(TrialState.OK):
        return
    failed = results.common_reasons(TrialState.FAILED, 1)
    reason, count = (failed or results.common_reasons(TrialState.INVALID, 1))[0]
    if place is not None:  # there is nothing to go on with
        place.finish({"trials": 0, "reason": reason})
    most = f"{reason} ({count:,} of {len(results):,})"
    if failed:
        raise SweepError(f"no trial has a result: {most}")
    raise ConfigError(f"every combination is invalid: {most}")


def _run(
    work: Work, factory: EvaluatorFactory, rows: RowsFile, workers: int | None, watcher: Watcher
) -> None:
    count = workers or cores()
    batches = Batches(rows.is_done, len(work.windows), count)
    done = work.rows - batches.left * len(work.windows)
    watcher.on_progress(done, work.rows)

    def keep(batch: Batch, lines: bytes) -> None:
        nonlocal done
        rows.append(lines)
        done += len(batch) * len(work.windows)
        watcher.on_progress(done, work.rows)

    if workers is None:
        _run_alone(work, factory, batches, keep, until=_is_worth_a_pool if count > 1 else None)
    elif workers == 1:
        _run_alone(work, factory, batches, keep)
    if batches.left:
        Pool(work, factory, count, watcher.on_trouble).run(batches, keep)


def _run_alone(
    work: Work,
    factory: EvaluatorFactory,
    batches: Batches,
    keep: Sink,
    until: Callable[[float, int, int], bool] | None = None,
) -> None:
    """Run batches in this process, until there are none, or others had better help."""
    if not batches.left:
        return
    evaluator = factory()
    spent, ran = 0.0, -1  # the first one is not counted: it warms up
    while (batch := batches.take()) is not None:
        since = time.perf_counter()
        lines = run_batch(work, evaluator, batch)
        seconds = time.perf_counter() - since
        batches.learn(batch, seconds)
        keep(batch, lines)
        if ran < 0:
            ran = 0
            continue
        spent, ran = spent + seconds, ran + len(batch)
        if until is not None and until(spent, ran, batches.left):
            return


def _is_worth_a_pool(spent: float, ran: int, left: int) -> bool:
    """Tell whether so much is left that starting processes pays, once that can be told."""
    return spent >= _PILOT_S and left * spent / ran > _WORTH_S
