"""Worlds in which the breaker cuts positions back, and terminals that answer for the broker."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

from many_worlds import Lane, ManyWorld, many_venue
from worlds import Scripted, bars_of, stop_and_target

from mtquant.execution import QUIET_MS
from mtquant.model import Direction, Timeframe
from mtquant.risk import BreakerSpec, RiskLimits

LONG = Direction.LONG
MINUTES = bars_of([110_000] * 30, timeframe=Timeframe.M1)


def falling(
    script: list[Direction | None] | None = None,
    *,
    first: list[Direction | None] | None = None,
    quiet_ms: int = QUIET_MS,
) -> ManyWorld:
    """Return a world of two long positions that fall until the breaker cuts them back.

    In bar 7 it closes one wholly and half of the other. `first` is the script of the first of the
    two strategies, where it is another one.
    """
    scripts = (first or script or [None, LONG], script or [None, LONG])
    drop = [0, 0, 0, *[100] * 6, *[0] * 8]
    path = [110_000 - sum(drop[: index + 1]) for index in range(len(drop))]
    lanes = [
        Lane(
            name=f"lane{number}",
            symbol="EURUSD",
            timeframe=Timeframe.M1,
            strategy=partial(Scripted, one),
            exits=lambda: [stop_and_target(stop_points=1_000)],
        )
        for number, one in enumerate(scripts)
    ]
    breaker = BreakerSpec(
        level_1_fraction=0.01, level_2_fraction=0.02, level_3_fraction=0.03, cool_down_minutes=120
    )
    return ManyWorld(
        lanes=lanes,
        bars=bars_of(path, timeframe=Timeframe.M1),
        others=(),
        quiet_ms=quiet_ms,
        venue=many_venue(always_open=True),
        limits=RiskLimits(
            risk_per_trade_fraction=0.02,
            max_positions=2,
            max_daily_loss_fraction=0.9,
            breaker=breaker,
        ),
    )


def volume_of(terminal: Any, ticket: int) -> float:
    """Return what a terminal shows of a position, lots."""
    shown = {one.ticket: one.volume for one in terminal.positions_get()}
    return float(shown.get(ticket, 0.0))


def answer(retcode: int) -> Any:
    """Return a reply that names no order."""
    return SimpleNamespace(retcode=retcode, comment="", order=0, deal=0, volume=0.0, price=0.0)
