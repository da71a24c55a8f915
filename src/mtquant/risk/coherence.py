"""Limits that a person set and that cannot all be meant: one never binds, or all are refused."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final

from mtquant.model import ConfigError
from mtquant.risk.limits import RiskLimits

# (the narrower limit, the wider one it lies within)
_WITHIN: Final = (
    ("max_daily_loss_fraction", "max_weekly_loss_fraction"),
    ("max_position_exposure_ratio", "max_symbol_exposure_ratio"),
    *(
        (f"max_{name}_exposure_ratio", "max_gross_exposure_ratio")
        for name in ("position", "net", "symbol", "class", "currency")
    ),
)
_DEFAULTS: Final[dict[str, Any]] = {one.name: one.default for one in fields(RiskLimits)}


def require_coherent(limits: RiskLimits) -> None:
    """Refuse limits that contradict each other.

    Raises:
        ConfigError: the message names both keys, their values and what would be right.
    """
    _require_binding(limits)
    _require_room_for_orders(limits)
    if limits.news_calendar is None:
        _require_no_news_minutes(limits)


def _require_binding(limits: RiskLimits) -> None:
    for narrow, wide in _WITHIN:
        inner, outer = getattr(limits, narrow), getattr(limits, wide)
        is_said = inner != _DEFAULTS[narrow]  # a default that is wider was not written by anybody
        if is_said and inner is not None and outer is not None and inner > outer:
            raise ConfigError(
                f"{narrow} ({inner:g}) is more than {wide} ({outer:g}) and would never bind; "
                f"lower {narrow}, or raise {wide}"
            )


def _require_room_for_orders(limits: RiskLimits) -> None:
    sizing, least = limits.sizing, limits.min_order_lots or 0
    if sizing.lots is not None and sizing.max_lots is not None and sizing.lots > sizing.max_lots:
        raise ConfigError(
            f"sizing.lots ({sizing.lots:g}) is more than sizing.max_lots ({sizing.max_lots:g}); "
            "lower sizing.lots, or raise sizing.max_lots"
        )
    for name, lots in (("max_lots", sizing.max_lots), ("lots", sizing.lots)):
        if lots is not None and lots < least:
            raise ConfigError(
                f"min_order_lots ({least:g}) is more than sizing.{name} ({lots:g}): every order "
                f"would be refused; lower min_order_lots, or raise sizing.{name}"
            )


def _require_no_news_minutes(limits: RiskLimits) -> None:
    for name in ("news_minutes_before", "news_minutes_after"):
        minutes = getattr(limits, name)
        if minutes != _DEFAULTS[name]:
            raise ConfigError(
                f"{name} ({minutes:g}) has no calendar to go by; set news_calendar, or take {name} "
                "out"
            )
