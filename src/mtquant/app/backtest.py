"""The backtest command's work: run, summarise, write."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtquant.app.config import load_config
from mtquant.app.results import Results, finish_run, make_results
from mtquant.app.wiring import make_plan, run_backtest
from mtquant.app.workspace import JOURNAL, prepare
from mtquant.model import SystemClock
from mtquant.storage import SqliteJournal


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestOptions:
    """Hold the options of the backtest."""

    config: Path | None = None
    data: Path | None = None
    seed: int | None = None
    out: Path | None = None


def run_backtest_command(options: BacktestOptions) -> Results:
    """Run a backtest; write report, summary and deals where a folder is given.

    Raises:
        InputError: configuration, data or folder cannot be used.
    """
    loaded = load_config(options.config, {"seed": options.seed}, data=options.data)
    plan = make_plan(loaded, "backtest")
    clock = SystemClock()
    if options.out is None:
        started_ms = clock.now_ms()
        deals = run_backtest(plan).book.ledger.deals
        summary, _ = make_results(plan, deals, _took(clock.now_ms() - started_ms))
        currency = plan.config.venue.account.currency
        return Results(summary=summary, report=None, currency=currency)
    facts = {"kind": "backtest", **loaded.facts()}
    workspace = prepare(options.out, plan.fingerprint, facts, resumable=False)
    started_ms = clock.now_ms()
    journal = SqliteJournal.open(
        workspace.path(JOURNAL), owner="backtest", now_ms=started_ms, lock=workspace.lock
    )
    try:
        deals = run_backtest(plan).book.ledger.deals
        took = _took(clock.now_ms() - started_ms)
        journal.record_deals(deals)
        return finish_run(workspace, plan, deals, took)
    finally:
        journal.close()


def _took(milliseconds: int) -> dict[str, Any]:
    return {"seconds": round(milliseconds / 1000, 3)}
