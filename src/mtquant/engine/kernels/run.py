"""Run a strategy's opinions through the kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtquant.engine.kernels import layout
from mtquant.engine.kernels.bars import play_bars
from mtquant.engine.kernels.columns import frozen
from mtquant.engine.kernels.compiler import compiled
from mtquant.engine.kernels.job import Job, RunSpec, make_job
from mtquant.engine.kernels.layout import Opinions, Record
from mtquant.engine.kernels.reach import objections_to
from mtquant.engine.kernels.ticks import play_ticks
from mtquant.exchange import InstrumentSpec, VenueSpec
from mtquant.model import ConfigError, StrategyError, Timeframe, make_bars
from mtquant.risk import RiskLimits
from mtquant.strategy import Series, require_signals

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
        directions: int8[n], see `strategy.Signals`.
        strengths: float64[n] of the signals, 0 to 1; None: all are 1.
        interpreted: True to run the source as it is, compiled or not.

    Raises:
        StrategyError: the columns do not fit the bars, or say something else.
        ConfigError: the slippage has not one row for each bar or tick, or the run's numbers do
            not fit in 64 bits (see `objections_to`).
    """
    require_signals(directions, len(job.bars), "the run")
    _require_playable(job, strengths)
    rows = np.flatnonzero(directions.view(np.bool_))  # many times quicker than of numbers
    record = _record(job, len(rows))
    opinions = Opinions(
        rows=frozen(np.append(rows, layout.FAR)),
        directions=frozen(directions),
        strengths=frozen(_ALWAYS if strengths is None else strengths),
    )
    walked: tuple[Any, ...] = (
        job.columns,
        opinions,
        job.calendar,
        job.money,
        job.trading,
        job.bot,
        record,
    )
    source: Any = play_bars
    if job.ticks is not None:
        source, walked = play_ticks, (job.ticks, *walked)
    kernel = source if interpreted else compiled(source)
    kernel(*(map(_viewed, walked) if kernel is source else walked))
    return Played(
        job=job,
        deals=record.deals[: record.cells[layout.ROWS]],
        cells=record.cells,
        figures=record.figures,
        daily=record.daily[: record.cells[layout.DAY]],
    )


def _require_playable(job: Job, strengths: NDArray[np.float64] | None) -> None:
    """Refuse what compiled code would read beyond the ends of, or count wrongly."""
    for objection in objections_to(job):
        raise ConfigError(objection)
    count = len(job.bars)
    if strengths is not None:
        is_column = strengths.dtype == np.float64 and strengths.shape == (count,)
        if not (is_column and ((strengths >= 0) & (strengths <= 1)).all()):
            raise StrategyError(f"the run: strengths must be float64[{count}], each from 0 to 1")
    rows = count if job.ticks is None else len(job.ticks.time_ms)
    slippage = job.spec.slippage
    if slippage is not None and slippage.shape != (rows, 2):
        raise ConfigError(f"slippage must be int32[{rows}, 2], was {slippage.shape}")


def prepare() -> None:
    """Compile what runs over bars, before several processes would do so at once."""
    time_ms = np.arange(2, dtype=np.int64) * 60_000
    prices = np.full(2, 100_000, dtype=np.int32)
    bars = make_bars(
        symbol="EURUSD",
        timeframe=Timeframe.M1,
        digits=5,
        time_ms=time_ms,
        open=prices,
        high=prices,
        low=prices,
        close=prices,
    )
    instrument = InstrumentSpec(
        digits=5, contract_size=100_000.0, base_currency="EUR", profit_currency="USD"
    )
    venue = VenueSpec(instruments={"EURUSD": instrument})
    spec = RunSpec(venue=venue, symbol="EURUSD", exits=(), limits=RiskLimits())
    play(make_job(spec, bars, Series.over(bars)), np.zeros(2, dtype=np.int8))


def _record(job: Job, opinions: int) -> Record:
    """Return the account before the first bar, with room for what opinions may lead to."""
    cells = np.zeros(layout.CELLS, dtype=np.int64)
    cells[layout.BALANCE] = cells[layout.PEAK] = job.deposit_minor
    cells[layout.PEAK_MS] = cells[layout.NOW_MS] = job.columns.time_ms[0]
    return Record(
        cells=cells,
        figures=np.zeros(layout.FIGURES),
        # column after column: figures are sums over whole columns; one row would be of both orders
        deals=np.empty((2 * max(1, opinions) + 1, layout.COLUMNS), dtype=np.int64, order="F"),
        daily=np.zeros(len(job.calendar.day_ends), dtype=np.int64),
    )


def _viewed(columns: Any) -> Any:
    """Return the same tuple with memory views of its arrays: Python reads plain numbers there."""
    return type(columns)(*(one.data if isinstance(one, np.ndarray) else one for one in columns))
