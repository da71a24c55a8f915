"""Measuring: CPU seconds of this process or of a child, medians over several runs."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCES = Path(__file__).resolve().parent.parent / "src"


@dataclass(frozen=True, slots=True)
class Sample:
    """Hold CPU seconds of several runs."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Return the median."""
        return statistics.median(self.seconds)


def cpu_of(work: Callable[[], object], runs: int = 5) -> Sample:
    """Return the CPU seconds of calling `work`, after one call that is not counted."""
    work()
    seconds = []
    for _ in range(runs):
        started = time.process_time()
        work()
        seconds.append(time.process_time() - started)
    return Sample(tuple(seconds))


def _used_by_children() -> float:
    """Return the CPU seconds of all finished children, as finely as the system tells."""
    if sys.platform == "win32":
        times = os.times()
        return times.children_user + times.children_system
    import resource

    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def cpu_of_process(words: list[str], runs: int = 15) -> Sample:
    """Return the CPU seconds of whole processes, byte-code compiled, the first one not counted."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPATH"] = str(SOURCES)
    seconds = []
    for run in range(runs + 1):
        before = _used_by_children()
        subprocess.run(words, env=environment, stdout=subprocess.DEVNULL, check=True)
        if run:
            seconds.append(_used_by_children() - before)
    return Sample(tuple(seconds))


def python(*words: str) -> list[str]:
    """Return the words that run this Python."""
    return [sys.executable, *words]
