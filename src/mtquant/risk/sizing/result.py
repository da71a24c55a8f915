"""From the volume that a formula gives to one that can be traded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mtquant.model import UNITS_PER_LOT, lots_from_units, money_from_minor, units_from_lots
from mtquant.risk.refusal import Refusal
from mtquant.risk.sizing import rules

if TYPE_CHECKING:
    from mtquant.model import AccountSnapshot, Instrument


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """Hold a volume (1e-8 lots) and how it came about.

    `risk_minor` is what the stop loss may cost: the money that a method put at risk; for a method
    that goes by something else, what the stop loss of the volume costs.
    """

    volume_units: int
    risk_minor: int
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Hold the volume (1e-8 lots) that a formula gives, before cap and step, and its arithmetic.

    `money_minor` is the money that it was counted from, minor units; 0: from none.
    """

    units: int
    told: str
    money_minor: int = 0

    @classmethod
    def for_money(
        cls,
        account: AccountSnapshot,
        money_minor: float,
        per_lot_minor: int,
        *,
        told_money: str,
        told_lot: str,
    ) -> Wish:
        """Return the volume for an amount of money, of which one lot takes `per_lot_minor`."""
        digits = account.currency_digits
        money = money_from_minor(int(money_minor), digits)
        per_lot = money_from_minor(per_lot_minor, digits)
        return cls(
            units=rules.units_for_risk(money_minor, per_lot_minor),
            told=f"{told_money} = {money:.{digits}f} {account.currency}, "
            f"{told_lot} = {per_lot:.{digits}f} per lot",
            money_minor=int(money_minor),
        )


def tradable(wish: Wish, instrument: Instrument, max_lots: float | None = None) -> Sizing | Refusal:
    """Return a wish cut to the cap and floored to the volume step, never rounded up.

    The wish's money is taken for the risk. A volume below the instrument's smallest is refused.
    """
    told = f"{wish.told} -> {wish.units / UNITS_PER_LOT:.4f}"
    allowed = wish.units
    if max_lots is not None and units_from_lots(max_lots) < wish.units:
        allowed = units_from_lots(max_lots)
        told = f"{told}, capped at {max_lots:g}"
    units = instrument.floor_units(allowed)
    explanation = f"{told} -> {lots_from_units(units):g} lots"
    if units == 0:
        return Refusal(
            rule="min_volume",
            value=f"{allowed / UNITS_PER_LOT:.4f} lots",
            limit=f"{lots_from_units(instrument.volume_min_units):g} lots",
            remedy=explanation,
        )
    return Sizing(volume_units=units, risk_minor=wish.money_minor, explanation=explanation)
