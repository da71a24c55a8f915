"""How much to trade."""

from mtquant.risk.sizing.by_risk import risk_sized
from mtquant.risk.sizing.formulas import kelly_plan_a_stake_fraction, kelly_stake_fraction
from mtquant.risk.sizing.request import SizingRequest
from mtquant.risk.sizing.result import Sizing
from mtquant.risk.sizing.sizer import PositionSizer
from mtquant.risk.sizing.spec import SizingMethod, SizingSpec

__all__ = [
    "PositionSizer",
    "Sizing",
    "SizingMethod",
    "SizingRequest",
    "SizingSpec",
    "kelly_plan_a_stake_fraction",
    "kelly_stake_fraction",
    "risk_sized",
]
