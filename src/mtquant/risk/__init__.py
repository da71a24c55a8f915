"""Risk: limits, the gate that alone approves orders, sizing, the halt level, the breaker."""

from mtquant.risk.breaker import CircuitBreaker, worst_position
from mtquant.risk.checks import ENTRY_CHECKS, ENTRY_RULES, Check
from mtquant.risk.engine import ApprovedOrder, Refused, RiskEngine
from mtquant.risk.ladder import (
    BreakerReport,
    BreakerReset,
    BreakerSpec,
    BreakerStep,
    CircuitBreakerStatus,
)
from mtquant.risk.limits import Refusal, RiskLimits, RiskView
from mtquant.risk.sizing import Sizing, risk_sized
from mtquant.risk.windows import LOSS_WINDOWS, LossBasis, LossWindow, LossWindows

__all__ = [
    "ENTRY_CHECKS",
    "ENTRY_RULES",
    "LOSS_WINDOWS",
    "ApprovedOrder",
    "BreakerReport",
    "BreakerReset",
    "BreakerSpec",
    "BreakerStep",
    "Check",
    "CircuitBreaker",
    "CircuitBreakerStatus",
    "LossBasis",
    "LossWindow",
    "LossWindows",
    "Refusal",
    "Refused",
    "RiskEngine",
    "RiskLimits",
    "RiskView",
    "Sizing",
    "risk_sized",
    "worst_position",
]
