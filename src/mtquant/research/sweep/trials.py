"""Running a batch of trials, in whatever process: rows in, lines out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import orjson

from mtquant.model import EvaluationError, InputError
from mtquant.research.sweep.figures import figures_of
from mtquant.research.sweep.reasons import one_line
from mtquant.research.sweep.space import Space

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mtquant.research.sweep.evaluator import Evaluator


class TrialState(Enum):
    """Say how a trial ended: with figures, refused before it ran, or without a result."""

    OK = "ok"
    INVALID = "invalid"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Hold a stretch of combinations, from `start` up to and not including `stop`."""

    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Hold what every worker needs to know: the combinations, and the names of the windows."""

    space: Space
    windows: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Return the number of trials, invalid ones among them."""
        return len(self.space) * len(self.windows)


def run_batch(work: Work, evaluator: Evaluator, batch: Batch) -> bytes:
    """Return the lines of a batch, one JSON list per trial: its row, its state, its figures.

    Where there are no figures, the reason stands in their place.
    """
    lines = (
        line for index in range(batch.start, batch.stop) for line in _run(work, evaluator, index)
    )
    return b"".join(lines)


def _run(work: Work, evaluator: Evaluator, index: int) -> Iterator[bytes]:
    combination = dict(zip(work.space.names, work.space.values(index), strict=True))
    first = index * len(work.windows)
    try:
        evaluator.check(combination)
    except InputError as error:
        for row in range(first, first + len(work.windows)):
            yield _line(row, TrialState.INVALID, one_line(str(error)))
        return
    for row, window in enumerate(work.windows, first):
        try:
            summary = evaluator.evaluate(combination, window)
        except EvaluationError as error:
            yield _line(row, TrialState.FAILED, one_line(str(error)))
        else:
            yield _line(row, TrialState.OK, figures_of(summary))


def _line(row: int, state: TrialState, rest: object) -> bytes:
    return orjson.dumps([row, state.value, rest], option=orjson.OPT_APPEND_NEWLINE)
