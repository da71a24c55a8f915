"""Whether a move of a stop loss reduces the risk of its position."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mtquant.risk.checks.rule import Result, Rule

if TYPE_CHECKING:
    from mtquant.model import OrderIntent
    from mtquant.risk.limits import RiskLimits
    from mtquant.risk.view import RiskView


def keeps_its_stop(intent: OrderIntent, view: RiskView, _limits: RiskLimits) -> Result:
    """Refuse to remove a position's stop loss or to move it farther away.

    One that was lost may be put back anywhere: any stop is better than none.
    """
    ticket, new = intent.position_ticket, intent.stop_loss_points or 0
    for position in view.positions:
        old = position.stop_loss_points
        if position.position_ticket == ticket and old:
            return new > 0 and (new - old) * position.side.value >= 0, new, (old, position.side)
    return new > 0, new, None


def _moved(value: Any, limit: Any, _intent: OrderIntent, _view: RiskView) -> tuple[str, str]:
    told = f"a stop of {value} points" if value else "no stop"
    if limit is None:
        return told, "a stop loss"
    old, side = limit
    return told, f"{old} points or {'above' if side.value > 0 else 'below'}"


MOVES: Final = (
    Rule(name="stop_widened", look=keeps_its_stop, words=_moved, remedy="closing always passes"),
)
"""Rules about changes of a position's levels."""
