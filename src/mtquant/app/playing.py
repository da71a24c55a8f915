"""Playing a plan: by a kernel where all of it has scalar rules, else by the event-driven engine."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from mtquant.app.risk.tally import Tally
from mtquant.app.wiring import Plan, make_exits, run_backtest
from mtquant.data import resample
from mtquant.engine.kernels import (
    Job,
    Played,
    RunSpec,
    Said,
    ask,
    is_available,
    ledger_of,
    make_job,
    make_tick_job,
    news,
    objections,
    objections_to,
    play,
)
from mtquant.engine.longer import LongerViews
from mtquant.model import Deal
from mtquant.research import (
    Summary,
    closed_trades,
    summarise,
    summarise_played,
    trades_sha256,
)
from mtquant.strategy import Series

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from mtquant.app.config import BotConfig

SHORT_RUN: Final = 20_000
"""Bars or ticks that are played as the Python they are, unless the compiler is loaded already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedPlan:
    """Hold the deals of a run, its figures, and why it was not played by a kernel (if so).

    `tally` is what limits did; None where a kernel played, which does not count refusals.
    """

    deals: Sequence[Deal]
    summary: Summary
    objections: tuple[str, ...] = ()
    tally: Tally | None = None


def run_spec(config: BotConfig, symbol: str) -> RunSpec:
    """Return a configuration of one strategy as the kernels take it, slippage apart."""
    return RunSpec(
        venue=config.venue,
        symbol=symbol,
        exits=tuple(make_exits(config)),
        limits=config.risk,
        deviation_points=config.execution.deviation_points,
        bot=config.execution.bot,
    )


def _slippage(plan: Plan) -> NDArray[np.int32] | None:
    """Return what trades slip at each bar or tick, as the feed of a plan draws it; None: never."""
    slips, seed = plan.config.slippage, plan.config.seed
    if not slips.slips:
        return None
    ticks = plan.ticks.get(plan.bars.symbol)
    if ticks is None:
        return slips.draw(len(plan.bars), seed)
    return slips.draw_rows(len(ticks), seed, 0)


def plan_objections(plan: Plan) -> tuple[str, ...]:
    """Return why a plan needs the event-driven engine; none: a kernel gives the same deals.

    Apart from numbers that are too large for a kernel: see `engine.kernels.objections_to`.
    """
    if len(plan.lanes) > 1 or plan.others:
        return ("it runs several strategies or symbols",)
    lane, strategy = plan.lanes[0], plan.strategy()
    found: tuple[str, ...] = ()
    if strategy.wants_ticks:
        found += (f"{lane.strategy_id} looks at ticks",)
    if not plan.ticks and lane.timeframe is not plan.bars.timeframe:
        made = f"{lane.timeframe.name} bars made of {plan.bars.timeframe.name} bars"
        found += (f"{lane.strategy_id} decides on {made}",)
    return found + objections(run_spec(plan.config, plan.bars.symbol))


def play_plan(plan: Plan, tell: Callable[[str], None], *, event_driven: bool = False) -> PlayedPlan:
    """Play a plan; both ways give the same deals.

    Args:
        plan: what to play.
        tell: takes a line for people, where something takes its time or another way.
        event_driven: True to ask for the engine.
    """
    found: tuple[str, ...] = ("asked for",)
    if not event_driven:
        stage, found = kernel_stage(plan)
        if stage is not None:
            about = "" if _is_short(plan) and is_available() else news()
            if about:
                tell(about)
            return _by_kernel(plan, *stage)
        tell(f"this run needs the event-driven engine: {'; '.join(found)}")
    tally = Tally()
    deals = run_backtest(plan, tally.take).book.ledger.deals
    summary = summarise(plan.bars, deals, plan.config.venue, plan.others)
    return PlayedPlan(deals=deals, summary=summary, objections=found, tally=tally)


def kernel_stage(plan: Plan) -> tuple[tuple[Job, Series] | None, tuple[str, ...]]:
    """Return a plan as a kernel's run and the series that it decides on, or why it is none."""
    found = plan_objections(plan)
    if found:
        return None, found
    job, series = kernel_job(plan)
    found = objections_to(job)
    return (None if found else (job, series)), found


def kernel_job(plan: Plan) -> tuple[Job, Series]:
    """Return a plan that meets no objection as a kernel's run, and the series it decides on."""
    spec = replace(run_spec(plan.config, plan.bars.symbol), slippage=_slippage(plan))
    ticks = plan.ticks.get(plan.bars.symbol)
    if ticks is None:
        series = Series.over(plan.bars)
        return make_job(spec, plan.bars, series), series
    bars = resample(plan.bars, plan.lanes[0].timeframe, plan.config.venue.clock)
    series = Series.over(bars)
    return make_tick_job(spec, ticks, bars, series), series


def play_by_kernel(plan: Plan, job: Job, series: Series) -> Played:
    """Ask a plan's strategy about every bar, and play what it says."""
    said = ask_plan(plan, series)
    return play(job, said.directions, said.strengths, interpreted=_is_short(plan))


def _is_short(plan: Plan) -> bool:
    """Tell whether a run is over before compiled code would be loaded: then it is interpreted."""
    rows = len(plan.ticks.get(plan.bars.symbol, plan.bars))
    return rows <= SHORT_RUN and "numba" not in sys.modules


def ask_plan(plan: Plan, series: Series) -> Said:
    """Return what a new strategy of a plan says about every bar of its series."""
    strategy, lane = plan.strategy(), plan.lanes[0]
    clock = plan.config.venue.clock
    longer = LongerViews(lane.strategy_id, series, clock, partial(plan.cut, lane.symbol))
    return ask(strategy, series, longer)


def _by_kernel(plan: Plan, job: Job, series: Series) -> PlayedPlan:
    played = play_by_kernel(plan, job, series)
    deals = ledger_of(played).deals
    trades = closed_trades(deals)
    if played.job.bars is plan.bars:
        summary = summarise_played(played, trades_sha256(trades))
    else:  # the figures of a run on ticks are those of its minutes, whatever it decides on
        summary = summarise(plan.bars, deals, plan.config.venue)
    return PlayedPlan(deals=deals, summary=summary)
