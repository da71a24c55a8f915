"""The arithmetic of sizing as plain scalar functions, for every engine alike."""

from __future__ import annotations

from mtquant.model.numbers import UNITS_PER_LOT

_MOST = 9e15  # 1e-8 lots: more than any instrument trades, and a float still counts it


def risk_minor(equity_minor: int, risk_fraction: float, strength: float) -> float:
    """Return the money that one trade may lose, minor units, not rounded."""
    return equity_minor * risk_fraction * strength


def units_for_risk(risk: float, loss_of_a_lot_minor: int) -> int:
    """Return the volume (1e-8 lots) whose loss is `risk` minor units, rounded towards 0.

    0 where a lot does not lose or nothing may be risked.
    """
    if loss_of_a_lot_minor <= 0 or not risk > 0:
        return 0
    return int(min(_MOST, risk * UNITS_PER_LOT / loss_of_a_lot_minor))
