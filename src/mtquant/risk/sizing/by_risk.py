"""Sizing by what the stop loss may cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtquant.model import UNITS_PER_LOT, AccountSnapshot, Side
from mtquant.risk.refusal import Refusal
from mtquant.risk.sizing import rules
from mtquant.risk.sizing.result import Sizing, Wish, tradable

if TYPE_CHECKING:
    from mtquant.exchange import Terms


def risk_sized(  # noqa: PLR0917 - the formula's terms, in its order
    terms: Terms,
    account: AccountSnapshot,
    side: Side,
    entry_points: int,
    stop_points: int,
    risk_fraction: float,
    strength: float = 1.0,
) -> Sizing | Refusal:
    """Size a position so that its stop loss costs a fraction of equity.

    volume = equity x fraction x strength ÷ loss of one lot between entry and stop, floored to the
    volume step; the loss of one lot comes from the profit rule, so contract size, digits and
    currency are right for every instrument. Commission and slippage come on top.

    Args:
        terms: the instrument's rules.
        account: for equity and currency.
        side: of the position.
        entry_points: expected entry.
        stop_points: stop loss.
        risk_fraction: of equity, such as 0.01.
        strength: of the signal, 0 to 1; scales the risk.

    Raises:
        ConfigError: another pair converts the profit, so that a lot's loss is not known here.
    """
    loss_minor = loss_of_a_lot(terms, side, entry_points, stop_points)
    if isinstance(loss_minor, Refusal):
        return loss_minor
    risk_minor = rules.risk_minor(account.equity_minor, risk_fraction, strength)
    wish = Wish.for_money(
        account,
        risk_minor,
        loss_minor,
        told_money=f"risk {risk_fraction * strength:.2%}",
        told_lot=told_stop(entry_points, stop_points),
    )
    return tradable(wish, terms.instrument)


def loss_of_a_lot(terms: Terms, side: Side, entry_points: int, stop_points: int) -> int | Refusal:
    """Return what one lot loses between entry and stop, minor units, by the profit rule.

    A stop loss that costs nothing bounds nothing: it is refused.

    Raises:
        ConfigError: another pair converts the profit.
    """
    loss_minor = -terms.profit(side.value, UNITS_PER_LOT, entry_points, stop_points)
    if loss_minor > 0:
        return loss_minor
    distance = abs(entry_points - stop_points)
    return Refusal(
        rule="stop_distance", value=f"{distance} points", limit="a stop on the losing side"
    )


def told_stop(entry_points: int, stop_points: int) -> str:
    """Return the stop distance as explanations tell it."""
    return f"stop {abs(entry_points - stop_points)} points"
