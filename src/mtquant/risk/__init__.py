"""Risk: limits, the gate that alone approves orders, sizing, the halt level."""

from mtquant.risk.checks import ENTRY_CHECKS, ENTRY_RULES, Check
from mtquant.risk.engine import ApprovedOrder, Refused, RiskEngine
from mtquant.risk.limits import Refusal, RiskLimits, RiskView
from mtquant.risk.sizing import Sizing, risk_sized

__all__ = [
    "ENTRY_CHECKS",
    "ENTRY_RULES",
    "ApprovedOrder",
    "Check",
    "Refusal",
    "Refused",
    "RiskEngine",
    "RiskLimits",
    "RiskView",
    "Sizing",
    "risk_sized",
]
