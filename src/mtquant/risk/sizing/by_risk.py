"""Sizing by what the stop loss may cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mtquant.model import UNITS_PER_LOT, AccountSnapshot, Side, lots_from_units, money_from_minor
from mtquant.risk.limits import Refusal
from mtquant.risk.sizing import rules

if TYPE_CHECKING:
    from mtquant.exchange import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """Hold a volume and how it came about."""

    volume_units: int
    risk_minor: int
    explanation: str


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
    """
    instrument = terms.instrument
    loss_of_a_lot = -terms.profit(side.value, UNITS_PER_LOT, entry_points, stop_points)
    distance = abs(entry_points - stop_points)
    if loss_of_a_lot <= 0:
        return Refusal(
            rule="stop_distance", value=f"{distance} points", limit="a stop on the losing side"
        )
    risk_minor = rules.risk_minor(account.equity_minor, risk_fraction, strength)
    wanted = rules.units_for_risk(risk_minor, loss_of_a_lot)
    units = instrument.floor_units(wanted)
    digits = account.currency_digits
    money = f"{money_from_minor(int(risk_minor), digits):.{digits}f} {account.currency}"
    per_lot = money_from_minor(loss_of_a_lot, digits)
    explanation = (
        f"risk {risk_fraction * strength:.2%} = {money}, stop {distance} points = "
        f"{per_lot:.{digits}f} per lot -> {wanted / UNITS_PER_LOT:.4f} -> "
        f"{lots_from_units(units):g} lots"
    )
    if units == 0:
        return Refusal(
            rule="min_volume",
            value=f"{wanted / UNITS_PER_LOT:.4f} lots",
            limit=f"{lots_from_units(instrument.volume_min_units):g} lots",
            remedy=explanation,
        )
    return Sizing(volume_units=units, risk_minor=int(risk_minor), explanation=explanation)
