"""Risk: limits, the gate that alone approves orders, sizing, the halt level."""

from mtquant.risk.checks import ENTRY_CHECKS, ENTRY_RULES, Check
from mtquant.risk.engine import ApprovedOrder, Refused, RiskEngine
from mtquant.risk.limits import Refusal, RiskLimits, RiskView
from mtquant.risk.sizing import (
    PositionSizer,
    Sizing,
    SizingMethod,
    SizingRequest,
    SizingSpec,
    kelly_plan_a_stake_fraction,
    kelly_stake_fraction,
    risk_sized,
)

__all__ = [
    "ENTRY_CHECKS",
    "ENTRY_RULES",
    "ApprovedOrder",
    "Check",
    "PositionSizer",
    "Refusal",
    "Refused",
    "RiskEngine",
    "RiskLimits",
    "RiskView",
    "Sizing",
    "SizingMethod",
    "SizingRequest",
    "SizingSpec",
    "kelly_plan_a_stake_fraction",
    "kelly_stake_fraction",
    "risk_sized",
]
