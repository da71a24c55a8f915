"""Risk: limits, the gate that alone approves orders, sizing, the halt level, the breaker."""

from mtquant.risk.breaker import CircuitBreaker, worst_position
from mtquant.risk.checks import ENTRY_RULES, Result, Rule
from mtquant.risk.classes import AssetClass, asset_class
from mtquant.risk.engine import ApprovedOrder, Findings, Refused, RiskEngine
from mtquant.risk.ladder import (
    BreakerReport,
    BreakerReset,
    BreakerSpec,
    BreakerStep,
    CircuitBreakerStatus,
)
from mtquant.risk.largest import largest_units
from mtquant.risk.limits import Directions, OnCorrelation, PropChoice, RiskLimits, in_sections
from mtquant.risk.refusal import Refusal
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
from mtquant.risk.view import NOTHING_HELD, RiskView
from mtquant.risk.windows import LOSS_WINDOWS, LossBasis, LossWindow, LossWindows

__all__ = [
    "ENTRY_RULES",
    "LOSS_WINDOWS",
    "NOTHING_HELD",
    "ApprovedOrder",
    "AssetClass",
    "BreakerReport",
    "BreakerReset",
    "BreakerSpec",
    "BreakerStep",
    "CircuitBreaker",
    "CircuitBreakerStatus",
    "Directions",
    "Findings",
    "LossBasis",
    "LossWindow",
    "LossWindows",
    "OnCorrelation",
    "PositionSizer",
    "PropChoice",
    "Refusal",
    "Refused",
    "Result",
    "RiskEngine",
    "RiskLimits",
    "RiskView",
    "Rule",
    "Sizing",
    "SizingMethod",
    "SizingRequest",
    "SizingSpec",
    "asset_class",
    "in_sections",
    "kelly_plan_a_stake_fraction",
    "kelly_stake_fraction",
    "largest_units",
    "risk_sized",
    "worst_position",
]
