"""Playing a plan: by a kernel where all of it has scalar rules, else by the event-driven engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mtquant.app.wiring import Plan, make_exits, run_backtest
from mtquant.engine.kernels import Played, RunSpec, ask, ledger_of, make_job, news, objections, play
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


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedPlan:
    """Hold the deals of a run, its figures, and why it was not played by a kernel (if so)."""

    deals: Sequence[Deal]
    summary: Summary
    objections: tuple[str, ...] = ()


def run_spec(plan: Plan) -> RunSpec:
    """Return a plan as the kernels take it."""
    config = plan.config
    return RunSpec(
        venue=config.venue,
        symbol=plan.bars.symbol,
        exits=tuple(make_exits(config)),
        limits=config.risk,
        deviation_points=config.execution.deviation_points,
        bot=config.execution.bot,
        slippage=config.slippage.draw(len(plan.bars), config.seed),
    )


def play_plan(plan: Plan, tell: Callable[[str], None], *, event_driven: bool = False) -> PlayedPlan:
    """Play a plan; both ways give the same deals.

    Args:
        plan: what to play.
        tell: takes a line for people, where something takes its time or another way.
        event_driven: True to ask for the engine.
    """
    spec = run_spec(plan)
    found = ("asked for",) if event_driven else objections(spec)
    if not found:
        about = news()
        if about:
            tell(about)
        return _by_kernel(plan, spec)
    if not event_driven:
        tell(f"this run needs the event-driven engine: {'; '.join(found)}")
    deals = run_backtest(plan).book.ledger.deals
    summary = summarise(plan.bars, deals, plan.config.venue)
    return PlayedPlan(deals=deals, summary=summary, objections=found)


def play_by_kernel(plan: Plan, spec: RunSpec) -> Played:
    """Ask a plan's strategy about every bar, and play what it says."""
    series = Series.over(plan.bars)
    said = ask(plan.strategy(), series)
    return play(make_job(spec, plan.bars, series), said.directions, said.strengths)


def _by_kernel(plan: Plan, spec: RunSpec) -> PlayedPlan:
    played = play_by_kernel(plan, spec)
    deals = ledger_of(played).deals
    digest = trades_sha256(closed_trades(deals))
    return PlayedPlan(deals=deals, summary=summarise_played(played, digest))
