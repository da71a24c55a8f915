"""Worker processes that run batches; one that dies is replaced and its batch run once more."""

from __future__ import annotations

import multiprocessing as mp
import signal
import threading
import time
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Final, cast

from mtquant.model import MtquantError, SweepError
from mtquant.research.sweep.trials import Batch, run_batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from mtquant.research.sweep.batches import Batches
    from mtquant.research.sweep.evaluator import EvaluatorFactory
    from mtquant.research.sweep.trials import Work

    Sink = Callable[[Batch, bytes], None]
    Report = Callable[[str], None]

_TRIES: Final = 2
_JOIN_S: Final = 5.0


class Worker:
    """Hold one process, the line to it and the batch it is busy with."""

    def __init__(self, work: Work, factory: EvaluatorFactory) -> None:
        context = mp.get_context("spawn")
        self.line, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(
            target=serve, args=(theirs, work, factory), name="mtquant-sweep", daemon=True
        )
        self.batch: Batch | None = None
        self.since = 0.0
        with _interrupts_ignored():  # the child inherits that: Ctrl-C is for the parent to answer
            self.process.start()
        theirs.close()

    def give(self, batch: Batch) -> None:
        """Hand over a batch; a worker that is dead already is found so later."""
        self.batch, self.since = batch, time.perf_counter()
        with suppress(OSError):
            self.line.send(batch)

    def answer(self) -> bytes | None:
        """Return the lines of the batch, None when the worker has died.

        Raises:
            MtquantError: the worker could not begin.
        """
        try:
            received = self.line.recv()
        except (EOFError, OSError):
            return None
        if isinstance(received, MtquantError):
            raise received
        return cast("bytes", received)

    def end(self, *, at_once: bool) -> None:
        """End the process; after its batch, unless at once."""
        if at_once:
            self.process.terminate()
        self.line.close()
        self.process.join(_JOIN_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


class Pool:
    """Run batches in several processes."""

    def __init__(self, work: Work, factory: EvaluatorFactory, count: int, report: Report) -> None:
        self._work = work
        self._factory = factory
        self._count = count
        self._report = report
        self._workers: list[Worker] = []
        self._deaths: dict[Batch, int] = {}

    def run(self, batches: Batches, sink: Sink) -> None:
        """Run all batches; `sink` gets each with its lines, in whatever order they end.

        Raises:
            SweepError: a batch killed its worker twice.
            MtquantError: a worker could not begin.
        """
        is_finished = False
        try:
            for _ in range(self._count):
                self._start_worker(batches)
            while any(worker.batch is not None for worker in self._workers):
                self._take_answers(batches, sink)
            is_finished = True
        finally:
            for worker in self._workers:
                worker.end(at_once=not is_finished)

    def _start_worker(self, batches: Batches) -> None:
        batch = batches.take()
        if batch is not None:
            worker = Worker(self._work, self._factory)
            self._workers.append(worker)
            worker.give(batch)

    def _take_answers(self, batches: Batches, sink: Sink) -> None:
        busy = {worker.line: worker for worker in self._workers if worker.batch is not None}
        for line in wait(list(busy)):
            worker = busy[cast("Connection", line)]
            batch, lines = worker.batch, worker.answer()
            if batch is None:
                continue
            if lines is None:
                self._replace(worker, batch)
                continue
            batches.learn(batch, time.perf_counter() - worker.since)
            worker.batch = None
            following = batches.take()
            if following is not None:
                worker.give(following)
            sink(batch, lines)

    def _replace(self, worker: Worker, batch: Batch) -> None:
        worker.end(at_once=True)
        self._workers.remove(worker)
        deaths = self._deaths[batch] = self._deaths.get(batch, 0) + 1
        which = f"combinations {batch.start + 1:,} to {batch.stop:,}"
        how = f"exit code {worker.process.exitcode}"
        if deaths >= _TRIES:
            raise SweepError(
                f"{which}: {deaths} workers died while running them ({how}); finished batches are "
                "kept, and the same command goes on with these"
            )
        self._report(f"a worker died while running {which} ({how}); they are run once more")
        again = Worker(self._work, self._factory)
        self._workers.append(again)
        again.give(batch)


def serve(line: Connection, work: Work, factory: EvaluatorFactory) -> None:
    """Be a worker: run the batches that come down the line until it closes."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(EOFError, OSError):  # whoever asked is gone
        try:
            evaluator = factory()
        except MtquantError as error:
            line.recv()
            line.send(error)
            return
        while True:
            line.send(run_batch(work, evaluator, line.recv()))


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        if before is not None:  # None was not set from Python, and cannot be set back from here
            signal.signal(signal.SIGINT, before)
