"""Lateness: limits hold within the quiet time; what comes later is adopted and cut back."""

import re
from dataclasses import fields, replace

import numpy as np
import pytest
from worlds import bars_of, make_instrument

from mtquant.engine.engine import SCAN_EVERY_MS
from mtquant.exchange import AccountSpec, VenueSpec
from mtquant.execution import QUIET_MS
from mtquant.model import MarginMode, Timeframe
from mtquant.risk import RiskLimits
from mtquant.terminal.simulated.faults import FaultKind, FaultScenario, FaultSpec
from simulation.checks import CHECKS
from simulation.schedule import HOME, LEVELS, Habit, Hands, Schedule, Seed, draw_schedule
from simulation.world import Outcome, World

LIMITS = frozenset(check for check in CHECKS if check.startswith("I3."))
NO_HANDS = Hands(**dict.fromkeys((one.name for one in fields(Hands)), 0))
TORN = ({}, {"history_ticks": 0}, {"positions_ticks": 0})  # after a view that lags as a whole
LATE_MS = 800_000  # longer than the quiet time, and than a risk stays reserved


def lagging(seed: int) -> Schedule | None:
    """Return a schedule whose views lag and whose orders get lost; None where prices have gaps.

    Over a gap some ticks are hours.
    """
    drawn = draw_schedule(Seed(seed, age=1))
    if max(np.diff(bars.time_ms).max() for bars in drawn.bars) > 3 * 60_000:
        return None
    k, ticks = FaultKind, 1 + seed % 3
    view = {"kind": k.CACHE_LAG, "ticks": ticks, "for_ms": 60_000, **TORN[seed // 3 % 3]}
    losses = [
        {"kind": k.LOST_REQUEST},
        {"kind": k.LOST_REPLY},
        {"kind": k.LATE, "delay_ms": 1_000},
        {"kind": k.TIMEOUT, "executed": True},
        {"kind": k.NO_CONNECTION, "executed": True},
        {"kind": k.PLACED},
        {"kind": k.PARTIAL},
    ]
    faults = [FaultSpec(chance_fraction=0.05, **one) for one in losses]
    faults.append(FaultSpec(chance_fraction=0.1, **view))
    return replace(drawn, faults=FaultScenario(seed=seed, faults=tuple(faults)), hands=NO_HANDS)


@pytest.mark.parametrize("ticks", [1, 2, 3])
def test_limits_hold_while_the_terminal_shows_the_account_some_ticks_ago(ticks: int) -> None:
    seeds = range(ticks - 1, 200, 3)
    schedules = [found for seed in seeds if (found := lagging(seed)) is not None][:24]
    outcomes = [World(schedule, active=LIMITS).run() for schedule in schedules]

    assert not [(one.seed, str(one.violations[0])) for one in outcomes if one.violations]
    assert len(outcomes) == 24
    assert sum(one.strikes["CACHE_LAG"] for one in outcomes) > 200
    assert sum(one.sends for one in outcomes) > 200


# ---------------------------------------------------------------------- beyond the quiet time


def late_by_far() -> Schedule:
    """Return a schedule that may hold one position, and whose first order comes 800 s late."""
    symbols, rng = ("EURUSD", "GBPUSD"), np.random.default_rng(1)
    walks = {one: (LEVELS[one] + np.cumsum(rng.integers(-20, 21, 160))).tolist() for one in symbols}
    late = FaultSpec(kind=FaultKind.LATE, nth=1, delay_ms=LATE_MS)
    return Schedule(
        seed=1,
        venue=VenueSpec(
            server_clock="fixed:+2",
            account=AccountSpec(login=HOME, margin_mode=MarginMode.HEDGING, deposit=50_000.0),
            instruments={symbol: make_instrument(symbol) for symbol in symbols},
        ),
        bars=tuple(
            bars_of(closes, timeframe=Timeframe.M1, symbol=one) for one, closes in walks.items()
        ),
        habits=tuple(
            Habit(
                name=f"s{number}",
                symbol=symbol,
                on_ticks=True,
                speaks_fraction=0.3,
                moves_fraction=0.0,
                leaves_fraction=0.0,
                stop_points=600,
                target_points=None,
            )
            for number, symbol in enumerate(symbols)
        ),
        limits=RiskLimits(max_positions=1),
        faults=FaultScenario(faults=(late,)),
        hands=NO_HANDS,
    )


def moments(outcome: Outcome, words: str) -> list[int]:
    """Return when the event log says something, milliseconds since the start."""
    found = (re.match(rf"\d+ (\d+) .*{words}", line) for line in outcome.lines)
    return [int(one.group(1)) for one in found if one is not None]


def test_what_comes_after_the_quiet_time_is_adopted_alarmed_and_cut_back_at_once() -> None:
    outcome = World(late_by_far(), keeps_lines=True).run()

    assert not outcome.violations, str(outcome.violations[0])
    sent_ms = moments(outcome, "send ")[0]
    [given_up_ms] = moments(outcome, "journal .* NOTSENT")
    [adopted_ms] = moments(outcome, "journal .* LATE")
    [alarmed_ms] = moments(outcome, "note intent_resolved .*'state', 'LATE'")
    [cut_ms] = moments(outcome, "note order_approved late:.*came too late")
    [closed_ms] = moments(outcome, "note intent_resolved late:.*'state', 'DONE'")
    assert given_up_ms - sent_ms >= QUIET_MS
    assert adopted_ms == alarmed_ms == cut_ms
    came_ms = sent_ms + LATE_MS
    assert came_ms <= adopted_ms <= closed_ms <= came_ms + SCAN_EVERY_MS
