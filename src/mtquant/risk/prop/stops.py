"""The rule that every trade has a stop loss soon, and what it may risk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtquant.risk.prop.money import Currency, allowance_minor, exact, money_words
from mtquant.risk.refusal import Refusal

if TYPE_CHECKING:
    from mtquant.risk.prop.spec import StopLossRule


def stop_loss_breach(
    rule: StopLossRule,
    balance_minor: int,
    risk_minor: int | None,
    open_ms: int,
    currency: Currency | None = None,
) -> Refusal | None:
    """Return in what one trade breaks the rule, None where it does not.

    Args:
        rule: how soon there must be a stop loss, and the most a trade may risk.
        balance_minor: the balance, minor units.
        risk_minor: the trade's loss at its stop, minor units; None without a stop loss.
        open_ms: how long the trade has been open, milliseconds (0: it is about to be).
        currency: of the amounts, for the words of a refusal.
    """
    if risk_minor is None:
        if open_ms <= 1000 * rule.within_s:
            return None
        return Refusal(
            rule="prop_stop_loss",
            value=f"none after {open_ms / 1000:.0f} s",
            limit=f"within {rule.within_s} s",
        )
    if rule.max_risk_fraction is None:
        return None
    most_minor = allowance_minor(balance_minor, exact(rule.max_risk_fraction))
    if risk_minor <= most_minor:
        return None
    return Refusal(
        rule="prop_trade_risk",
        value=f"{money_words(risk_minor, currency)} at its stop",
        limit=f"{money_words(most_minor, currency)} ({rule.max_risk_fraction:.1%} of the balance)",
        remedy="a smaller volume or a nearer stop",
    )
