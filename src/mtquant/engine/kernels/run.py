"""Run a strategy's opinions through the kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mtquant.engine.kernels import layout
from mtquant.engine.kernels.bars import play_bars
from mtquant.engine.kernels.compiler import compiled
from mtquant.engine.kernels.job import Job, frozen
from mtquant.engine.kernels.layout import BarColumns, Calendar, Opinions, Record
from mtquant.model import StrategyError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ALWAYS = np.ones(1)


@dataclass(frozen=True, slots=True)
class Played:
    """Hold what a run left behind.

    `deals` int64[r, layout.COLUMNS] are the deals in order; `cells` and `figures` the account and
    the figures at the end; `daily` int64[d] the equity at each server day's last close.
    """

    job: Job
    deals: NDArray[np.int64]
    cells: NDArray[np.int64]
    figures: NDArray[np.float64]
    daily: NDArray[np.int64]


def play(
    job: Job,
    directions: NDArray[np.int8],
    strengths: NDArray[np.float64] | None = None,
    *,
    interpreted: bool = False,
) -> Played:
    """Play a run with what a strategy says about each bar.

    Args:
        job: the run.
        directions: int8[n], one of `layout.NOTHING`, `LONG`, `SHORT`, `FLAT`.
        strengths: float64[n] of the signals, 0 to 1; None: all are 1.
        interpreted: True to run the source as it is, compiled or not.

    Raises:
        StrategyError: the columns do not fit the bars, or say something else.
    """
    count = len(job.bars)
    require_directions(directions, count)
    rows = np.flatnonzero(directions)
    cells = np.zeros(layout.CELLS, dtype=np.int64)
    cells[layout.BALANCE] = cells[layout.PEAK] = job.deposit_minor
    cells[layout.PEAK_MS] = cells[layout.NOW_MS] = job.columns.time_ms[0]
    record = Record(
        cells=cells,
        figures=np.zeros(layout.FIGURES),
        deals=np.empty((2 * len(rows) + 1, layout.COLUMNS), dtype=np.int64),
        daily=np.zeros(len(job.calendar.day_ends), dtype=np.int64),
    )
    opinions = Opinions(
        rows=frozen(np.append(rows, layout.FAR)),
        directions=frozen(directions),
        strengths=frozen(_ALWAYS if strengths is None else strengths),
    )
    kernel = play_bars if interpreted else compiled(play_bars)
    columns: BarColumns = job.columns
    calendar: Calendar = job.calendar
    if kernel is play_bars:
        columns, opinions = _viewed(columns), _viewed(opinions)
        calendar, written = _viewed(calendar), _viewed(record)
    else:
        written = record
    kernel(columns, opinions, calendar, job.money, job.trading, job.bot, written)
    return Played(
        job=job,
        deals=record.deals[: cells[layout.ROWS]],
        cells=cells,
        figures=record.figures,
        daily=record.daily[: cells[layout.DAY]],
    )


def require_directions(directions: NDArray[np.int8], count: int) -> None:
    """Refuse opinions that are none.

    Raises:
        StrategyError: not int8, of another length, or a number that means nothing.
    """
    found = np.asarray(directions)
    if found.dtype != np.int8 or found.shape != (count,):
        raise StrategyError(
            f"signals must be int8[{count}], one for each bar; were {found.dtype}{found.shape}"
        )
    wrong = (found < layout.SHORT) | (found > layout.FLAT)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise StrategyError(
            f"signals[{row}] is {found[row]}; say 1 (long), -1 (short), 2 (leave) or 0 (nothing)"
        )


def _viewed(columns: Any) -> Any:
    """Return the same tuple with memory views of its arrays: Python reads plain numbers there."""
    return type(columns)(
        *(one.data if isinstance(one, np.ndarray) else one for one in columns)
    )
