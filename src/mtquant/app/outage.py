"""The demo's scripted outage: the link is lost just before a stop loss is hit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mtquant.app.wiring import Plan, run_backtest
from mtquant.model import Reason

_MIDDLE = (0.35, 0.65)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedOutage:
    """Hold from when (included) to when (excluded) the terminal is away, UTC milliseconds."""

    from_ms: int
    to_ms: int


def outage_facts(outage: ScriptedOutage | None) -> list[int] | None:
    """Return what a run's folder remembers of its outage: drawing it again runs the strategies."""
    return None if outage is None else [outage.from_ms, outage.to_ms]


def told_outage(facts: object) -> ScriptedOutage | None:
    """Return the outage that a run's folder remembers, None for none or what cannot be read."""
    match facts:
        case [int(from_ms), int(to_ms)]:
            return ScriptedOutage(from_ms=from_ms, to_ms=to_ms)
    return None


def draw_outage(plan: Plan) -> ScriptedOutage | None:
    """Choose an outage around a stop that will be hit, by the seed; None if no stop is ever hit.

    A backtest of the same plan tells where stops are hit. Up to the outage the run is the same, so
    the stop at its chosen bar is hit while the bot is away.
    """
    deals = run_backtest(plan).book.ledger.deals
    duration = plan.bars.timeframe.duration_ms
    stops = [deal for deal in deals if deal.reason is Reason.STOP_LOSS and deal.time_ms % duration]
    first_ms, last_ms = int(plan.bars.time_ms[0]), int(plan.bars.time_ms[-1])
    low, high = (first_ms + share * (last_ms - first_ms) for share in _MIDDLE)
    candidates = [deal for deal in stops if low <= deal.time_ms <= high] or stops
    if not candidates:
        return None
    generator = np.random.Generator(np.random.PCG64([plan.config.seed, 2]))
    chosen = candidates[int(generator.integers(len(candidates)))]
    bars_away = int(generator.integers(3, 9))
    times = plan.bars.time_ms
    bar = int(np.searchsorted(times, chosen.time_ms, side="right")) - 1
    back = min(bar + bars_away, len(times) - 1)
    # the opening tick of the bar still gets through, then the link is lost
    return ScriptedOutage(from_ms=int(times[bar]) + 1, to_ms=int(times[back]))
