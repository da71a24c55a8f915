"""How much to trade."""

from mtquant.risk.sizing.by_risk import Sizing, risk_sized

__all__ = ["Sizing", "risk_sized"]
