"""What a run leaves behind: summary.json, report.html, and a table for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mtquant.app.config import LoadedConfig, load_config
from mtquant.app.wiring import Plan, make_plan, strategy_facts
from mtquant.app.workspace import (
    JOURNAL,
    REPORT,
    SERVER_LOG,
    SUMMARY,
    TERMINAL,
    Workspace,
    read_run,
)
from mtquant.model import Bars, ConfigError, Deal
from mtquant.research import Summary, render_report, summarise
from mtquant.storage import SqliteJournal


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Hold a finished run's summary and where its report is."""

    summary: Mapping[str, Any]
    report: Path | None
    currency: str


def make_results(
    plan: Plan, deals: Sequence[Deal], extra: Mapping[str, Any], summary: Summary | None = None
) -> tuple[dict[str, Any], str]:
    """Return (summary, report page) of a run; a `summary` that is known already is taken."""
    venue = plan.config.venue
    summary = summary or summarise(plan.bars, deals, venue, plan.others)
    facts = strategy_facts(plan.config)
    page = render_report(
        plan.title,
        summary=summary,
        bars=plan.bars,
        deals=deals,
        venue=venue,
        facts=facts,
        others=plan.others,
    )
    return {**summary.to_dict(), **extra}, page


def finish_run(
    workspace: Workspace,
    plan: Plan,
    deals: Sequence[Deal],
    extra: Mapping[str, Any],
    summary: Summary | None = None,
) -> Results:
    """Write report and summary; the summary comes last and marks the run as finished."""
    figures, page = make_results(plan, deals, extra, summary)
    report = workspace.write(REPORT, page)
    workspace.write(SUMMARY, json.dumps(figures, indent=2) + "\n")
    currency = plan.config.venue.account.currency
    return Results(summary=figures, report=report, currency=currency)


def rebuild_report(folder: Path) -> Path:
    """Write the report of a run's folder again, from its journal.

    Raises:
        ConfigError: there is no run in the folder.
        JournalError: its journal cannot be read.
    """
    facts = read_run(folder)
    plan = plan_of(facts)
    journal = SqliteJournal.attach(folder / JOURNAL)
    try:
        deals = journal.deals()
    finally:
        journal.close()
    from mtquant.terminal.simulated import last_time_ms  # a backtest does without the terminal

    server_log = folder / TERMINAL / SERVER_LOG
    seen_ms = None if (folder / SUMMARY).exists() else last_time_ms(server_log)
    if seen_ms is not None:  # an unfinished run has lived through part of the data only
        bars, *others = (_lived_through(one, seen_ms) for one in (plan.bars, *plan.others))
        plan = replace(plan, bars=bars, others=tuple(others))
    _, page = make_results(plan, deals, {})
    return Workspace(folder=folder, is_continued=True).write(REPORT, page)


def _lived_through(bars: Bars, seen_ms: int) -> Bars:
    return bars[: int(np.searchsorted(bars.time_ms, seen_ms, side="right"))]


def plan_of(facts: Mapping[str, Any]) -> Plan:
    """Return the plan that a run's facts describe.

    Raises:
        ConfigError: the facts do not hold a configuration.
    """
    return make_plan(config_of(facts))


def config_of(facts: Mapping[str, Any]) -> LoadedConfig:
    """Return the configuration that a run's facts hold.

    Raises:
        ConfigError: there is none among them.
    """
    raw = facts.get("config")
    if not isinstance(raw, dict):
        raise ConfigError("the run's facts hold no configuration")
    return load_config(raw=raw, folder=Path(str(facts.get("config_folder", "."))))
