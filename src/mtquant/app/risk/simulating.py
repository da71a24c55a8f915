"""`mtquant risk simulate`: one backtest with several sets of limits, side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mtquant.app.plain_text import aligned, shown
from mtquant.app.prop_rules import load_prop_rules
from mtquant.app.risk.prop_showing import NOTICE
from mtquant.app.risk.tally import Tally
from mtquant.app.risk_wiring import require_risk_parts
from mtquant.app.wiring import make_plan, run_backtest
from mtquant.research import Summary, closed_trades, equity_curve, summarise
from mtquant.research.equity import bar_ends_ms
from mtquant.risk.prop import ClosedTrade, Evaluation, PathPoint, PropClock, evaluate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mtquant.app.risk.choosing import Variant
    from mtquant.app.wiring import Plan
    from mtquant.model import Deal

AT_CLOSES: Final = (
    "The dry evaluation judges the closes of bars: between them equity may have been lower."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedRun:
    """Hold a run with one set of limits; `evaluation` is that of a prop firm's rules, if asked."""

    name: str
    summary: Summary
    tally: Tally
    evaluation: Evaluation | None

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        tally = self.tally
        verdict, words = None, []
        if self.evaluation is not None:
            verdict = self.evaluation.verdict.value
            words = list(self.evaluation.words(self.summary.currency_digits))
        return {
            "limits": self.name,
            "summary": self.summary.to_dict(),
            "signals": tally.signals,
            "refused_entries": tally.refused,
            "refused_by_rule": dict(sorted(tally.by_rule.items())),
            "halts": tally.halts,
            "breaker_steps": tally.breaker_steps,
            "prop_events": tally.prop_events,
            "prop_verdict": verdict,
            "prop_words": words,
        }


def simulate(
    variants: Sequence[Variant],
    *,
    prop: str | None = None,
    phase: str | None = None,
    tell: Callable[[str], None] = lambda _line: None,
) -> list[SimulatedRun]:
    """Run the backtest of a configuration once with each set of limits, event by event.

    Args:
        variants: configurations that differ in their limits alone; the first is run first.
        prop: a prop firm's rules, a shipped set or a file: would each run have passed them?
            None: of the limits that name a firm, by its rules.
        phase: of these rules, their first where none is named.
        tell: takes a line for people.

    Raises:
        InputError: data, strategy or limits are wrong, or the rules do not fit the account.
    """
    plan = make_plan(variants[0].loaded)
    for variant in variants[1:]:
        require_risk_parts(variant.loaded.config, variant.loaded.folder)
    runs = []
    for variant in variants:
        tell(f"running with the limits of {variant.name}")
        one = replace(plan, loaded=variant.loaded)
        tally = Tally()
        deals = run_backtest(one, tally.take).book.ledger.deals
        summary = summarise(one.bars, deals, one.config.venue, one.others)
        evaluation = _evaluation(one, deals, prop, phase)
        runs.append(
            SimulatedRun(name=variant.name, summary=summary, tally=tally, evaluation=evaluation)
        )
    return runs


def simulation_lines(runs: Sequence[SimulatedRun]) -> list[str]:
    """Return the runs side by side, for people."""
    names = [_short(number, run) for number, run in enumerate(runs)]
    rules = sorted({rule for run in runs for rule in run.tally.by_rule})
    rows = [
        ("", *names),
        ("trades", *(f"{run.summary.trades:,}" for run in runs)),
        ("net profit", *(_money(run.summary) for run in runs)),
        ("return", *(_percent(run.summary.return_fraction) for run in runs)),
        ("max drawdown", *(_percent(run.summary.max_drawdown) for run in runs)),
        ("signals", *(f"{run.tally.signals:,}" for run in runs)),
        ("entries refused", *(f"{run.tally.refused:,}" for run in runs)),
        *((f"  by {rule}", *(f"{run.tally.by_rule[rule]:,}" for run in runs)) for rule in rules),
        ("breaker steps", *(str(len(run.tally.breaker_steps)) for run in runs)),
        ("prop rules met", *(str(len(run.tally.prop_events)) for run in runs)),
        ("halts", *(str(len(run.tally.halts)) for run in runs)),
    ]
    lines = [f"{name}: {shown(run.name)}" for name, run in zip(names, runs, strict=True)][1:]
    lines += ["", *aligned(rows, range(1, len(runs) + 1))]
    for name, run in zip(names, runs, strict=True):
        lines += _told(name, run)
    if any(run.evaluation is not None for run in runs):
        lines += ["", AT_CLOSES, NOTICE]
    return lines


def _evaluation(
    plan: Plan, deals: Sequence[Deal], prop: str | None, phase: str | None
) -> Evaluation | None:
    """Return whether a run would have passed the rules that are asked for, or its own."""
    venue, own = plan.config.venue, plan.config.risk.prop
    initial = venue.account.deposit
    if prop is not None:
        rules = load_prop_rules(prop)
    elif own is not None:
        near = plan.loaded.folder / own.rules
        rules = load_prop_rules(near if near.is_file() else own.rules)
        phase = phase or own.phase or None
    else:
        return None
    return evaluate(
        rules,
        round(initial * 10**venue.account.currency_digits),
        PropClock(rules.day, venue.clock),
        account_path(plan, deals),
        [ClosedTrade(one.open_ms, one.close_ms, one.net_minor) for one in closed_trades(deals)],
        phase=phase,
    )


def account_path(plan: Plan, deals: Sequence[Deal]) -> list[PathPoint]:
    """Return balance and equity at the close of every bar of the first source."""
    curve = equity_curve(plan.bars, deals, plan.config.venue, plan.others)
    ends_ms = bar_ends_ms(plan.bars)
    history = sorted(deals, key=lambda deal: (deal.time_ms, deal.deal_ticket))
    balances = np.cumsum([0, *(deal.net_minor for deal in history)])
    known = np.searchsorted([deal.time_ms for deal in history], ends_ms, side="right")
    return [
        PathPoint(int(time_ms), int(balances[count]), int(equity))
        for time_ms, count, equity in zip(ends_ms, known, curve, strict=True)
    ]


def _told(name: str, run: SimulatedRun) -> list[str]:
    tally = run.tally
    events = [
        *(f"breaker {one}" for one in tally.breaker_steps),
        *(f"prop rule {one}" for one in tally.prop_events),
        *(f"halt {one}" for one in tally.halts),
    ]
    words = [] if run.evaluation is None else run.evaluation.words(run.summary.currency_digits)
    said = [shown(one) for one in (*events, *words)]
    return ["", f"{name}:", *(f"  {one}" for one in said)] if said else []


def _short(number: int, run: SimulatedRun) -> str:
    return run.name if number == 0 else f"[{number}]"


def _money(summary: Summary) -> str:
    return f"{summary.net_profit:,.{summary.currency_digits}f} {summary.currency}"


def _percent(fraction: float | None) -> str:
    return "undefined" if fraction is None else f"{fraction:.2%}"
