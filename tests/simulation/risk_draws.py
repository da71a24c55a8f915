"""Limits of losses, exposure and times that schedules are drawn with from age 6 on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from mtquant.risk import BreakerSpec, LossBasis
from mtquant.risk.limits import PropChoice
from mtquant.risk.prop import (
    DailyBase,
    DailyLoss,
    MaxLoss,
    MaxLossKind,
    Phase,
    PropClock,
    PropGuard,
    PropRules,
)
from mtquant.risk.prop.kinds import Level

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mtquant.exchange import VenueSpec

    Pick = Callable[[Sequence[Any]], Any]

_LADDERS: Final = ((0.01, 0.02, 0.04), (0.002, 0.005, 0.01), (0.005, 0.03, 0.2))
_LOW_LADDERS: Final = ((0.0003, 0.0008, 0.9), (0.0006, 0.002, 0.9), (0.002, 0.006, 0.5))
_HOURS: Final = (
    ("sun-sat 00:10-23:50",),
    ("mon 00:00-00:12", "mon 00:20-24:00"),
    ("sun-sat 00:05-00:25",),
)
_BUFFER_FRACTION: Final = 0.1


def draw_limits(pick: Pick, deposit: float) -> dict[str, Any]:
    """Return fields of limits; of every pick the first means as it was before there were any."""
    return {
        "max_gross_exposure_ratio": pick((None,) * 5 + (2.0, 6.0, 15.0)),
        "max_symbol_exposure_ratio": pick((None,) * 6 + (2.0, 6.0)),
        "max_currency_exposure_ratio": pick((None,) * 6 + (3.0, 8.0)),
        "price_band_fraction": pick((0.1, 0.1, 0.1, 0.0005, 0.002)),
        "breaker": _breaker(pick),
        "max_weekly_loss_fraction": pick((None,) * 6 + (0.02, 0.1)),
        "max_drawdown_fraction": pick((None,) * 6 + (0.02, 0.1)),
        "max_holding_hours": pick((None,) * 4 + (0.05, 0.15)),
        "cool_down_after_loss_minutes": pick((None,) * 6 + (1.5, 4.0)),
        "trading_hours": pick(((),) * 9 + _HOURS),
        "min_margin_level_percent": pick((None,) * 6 + (500.0, 2_000.0)),
        "prop": pick((None,) * 5 + (_choice(deposit),)),
    }


def make_guard(choice: PropChoice | None, venue: VenueSpec) -> PropGuard | None:
    """Return a guard of tight rules that has seen nothing, None where none are chosen."""
    if choice is None:
        return None
    rules = PropRules(
        firm="Nobody",
        programme=choice.rules,
        level=Level.REPORTED,
        checked="2026-11",
        sources=("https://example.org",),
        phases=(Phase(name="only"),),
        daily_loss=DailyLoss(base=DailyBase.BALANCE, allowance_fraction=0.02),
        max_loss=MaxLoss(kind=MaxLossKind.STATIC, allowance_fraction=0.05),
    )
    initial_minor = round(100 * choice.initial_deposit)
    return PropGuard(
        rules, initial_minor, PropClock(rules.day, venue.clock), choice.buffer_fraction
    )


def draw_low_breaker(pick: Pick) -> dict[str, Any]:
    """Return fields of limits for a breaker that cuts soon and again, and halts late."""
    kept_fraction = pick((0.3, 0.5, 0.75))
    breaker = _breaker(pick, _LOW_LADDERS)
    return {"breaker": breaker and replace(breaker, level_2_scale=kept_fraction)}


def _breaker(
    pick: Pick, ladders: Sequence[tuple[float, ...] | None] = (None, None, *_LADDERS)
) -> BreakerSpec | None:
    ladder = pick(ladders)
    basis = pick((LossBasis.EQUITY, LossBasis.EQUITY, LossBasis.BALANCE))
    cool_down_minutes = pick((3, 3, 6))
    if ladder is None:
        return None
    first, second, third = ladder
    return BreakerSpec(
        level_1_fraction=first,
        level_2_fraction=second,
        level_3_fraction=third,
        basis=basis,
        cool_down_minutes=cool_down_minutes,
    )


def _choice(deposit: float) -> PropChoice:
    return PropChoice(rules="tight", initial_deposit=deposit, buffer_fraction=_BUFFER_FRACTION)
