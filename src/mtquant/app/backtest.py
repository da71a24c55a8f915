"""The backtest command's work: run, summarise, write."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtquant.app.config import load_config
from mtquant.app.playing import PlayedPlan, play_plan
from mtquant.app.results import Results, finish_run
from mtquant.app.risk.prop_showing import unkept_lines
from mtquant.app.risk_wiring import chosen_rules
from mtquant.app.wiring import make_plan
from mtquant.app.workspace import JOURNAL, prepare
from mtquant.model import SystemClock
from mtquant.storage import SqliteJournal

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestOptions:
    """Hold the options of the backtest."""

    config: Path | None = None
    data: Path | None = None
    seed: int | None = None
    out: Path | None = None
    event_driven: bool = False


def run_backtest_command(
    options: BacktestOptions, tell: Callable[[str], None] = lambda _line: None
) -> Results:
    """Run a backtest; write report, summary and deals where a folder is given.

    `tell` takes lines for people, beside the results.

    Raises:
        InputError: configuration, data or folder cannot be used.
    """
    loaded = load_config(options.config, {"seed": options.seed}, data=options.data)
    plan = make_plan(loaded, "backtest")
    rules = chosen_rules(loaded.config, loaded.folder)
    if rules is not None:
        has_calendar = loaded.config.risk.news_calendar is not None
        for line in unkept_lines(rules, has_calendar=has_calendar):
            tell(line)
    clock = SystemClock()
    started_ms = clock.now_ms()
    if options.out is None:
        played = play_plan(plan, tell, event_driven=options.event_driven)
        summary = {**played.summary.to_dict(), **_beside(played, clock.now_ms() - started_ms)}
        currency = plan.config.venue.account.currency
        return Results(summary=summary, report=None, currency=currency)
    facts = {"kind": "backtest", **loaded.facts()}
    workspace = prepare(options.out, plan.fingerprint, facts, resumable=False)
    journal = SqliteJournal.open(
        workspace.path(JOURNAL), owner="backtest", now_ms=started_ms, lock=workspace.lock
    )
    try:
        played = play_plan(plan, tell, event_driven=options.event_driven)
        beside = _beside(played, clock.now_ms() - started_ms)
        journal.record_deals(played.deals)
        return finish_run(workspace, plan, played.deals, beside, played.summary)
    finally:
        journal.close()


def _beside(played: PlayedPlan, milliseconds: int) -> dict[str, Any]:
    """Return what a summary says beside the figures: the time, and what limits did if counted."""
    took = {"seconds": round(milliseconds / 1000, 3)}
    return took if played.tally is None else took | played.tally.refusals()
