"""The formula of each sizing method: from a trade to the volume that it gives.

Money per lot comes from the profit rule or the value rule of the exchange, in whole minor units.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from mtquant.exchange import Terms
from mtquant.exchange import rules as exchange_rules
from mtquant.exchange.currency import no_quotes
from mtquant.model import UNITS_PER_LOT, AccountSnapshot, round_half_away, units_from_lots
from mtquant.risk.refusal import Refusal
from mtquant.risk.sizing import rules
from mtquant.risk.sizing.by_risk import told_stop
from mtquant.risk.sizing.request import SizingRequest
from mtquant.risk.sizing.result import Wish
from mtquant.risk.sizing.spec import SizingMethod, SizingSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


_LEAST_VOLATILITY: Final = 1e-6
"""A year's volatility below which prices stand still and floats only differ by their rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Hold one trade with all that a formula may look at.

    `loss_minor` is what one lot loses at the stop loss, minor units.
    """

    spec: SizingSpec
    risk_fraction: float
    terms: Terms
    account: AccountSnapshot
    request: SizingRequest
    loss_minor: int

    def wish(self, fraction: float, per_lot_minor: int, what: str, told_lot: str) -> Wish:
        """Return the volume for equity x fraction x strength x scale, at money per lot."""
        request = self.request
        money_minor = (
            rules.risk_minor(self.account.equity_minor, fraction, request.strength)
            * request.left_fraction
        )
        return Wish.for_money(
            self.account,
            money_minor,
            per_lot_minor,
            told_money=f"{what} {fraction * request.strength:.2%}{_told_scale(request)}",
            told_lot=told_lot,
        )

    def at_risk(self, fraction: float, prefix: str = "") -> Wish:
        """Return the volume whose stop loss costs a fraction of equity."""
        stop = told_stop(self.request.entry_points, self.request.stop_points)
        return self.wish(fraction, self.loss_minor, f"{prefix}risk", stop)

    def worth(self, fraction: float, prefix: str = "") -> Wish | Refusal:
        """Return the volume that is worth a fraction of equity at the entry."""
        entry = self.request.entry_points
        value_minor = value_of_a_lot(self.terms, entry)
        if value_minor <= 0:
            return Refusal(
                rule="lot_value",
                value=f"{value_minor} minor units at {entry} points",
                limit="a lot that is worth something",
            )
        return self.wish(fraction, value_minor, f"{prefix}value", f"price {entry} points")


def value_of_a_lot(terms: Terms, price_points: int) -> int:
    """Return what one lot is worth at a price, minor units of the account, rounded once converted.

    Raises:
        ConfigError: another pair converts the profit currency.
    """
    own = exchange_rules.value_minor(UNITS_PER_LOT, price_points, terms.price_value, terms.divisor)
    rate = terms.conversions.profit.rate(price_points, no_quotes, at_ask=True)
    return round_half_away(own * rate * terms.minor_scale)


def _percent_at_risk(case: Case) -> Wish:
    """Risk a fraction of equity at the stop loss."""
    return case.at_risk(case.risk_fraction)


def _fixed_lots(case: Case) -> Wish:
    """Trade the same lots each time."""
    lots, request = case.spec.parameter("lots"), case.request
    # To the nearest 1e-8 lots: 0.29 of a lot shall not become 0.28 because 0.29 is no exact float.
    units = round_half_away(units_from_lots(lots) * request.strength * request.left_fraction)
    weaker = f" x {request.strength:g} strength" if request.strength < 1 else ""
    return Wish(units=units, told=f"fixed {lots:g} lots{weaker}{_told_scale(request)}")


def _fixed_fractional(case: Case) -> Wish | Refusal:
    """Hold a position worth a fraction of equity."""
    return case.worth(case.spec.parameter("equity_fraction"))


def _volatility(case: Case) -> Wish | Refusal:
    """Risk a fraction of equity over a multiple of the ATR, wherever the stop loss is."""
    request, multiplier = case.request, case.spec.parameter("atr_multiplier")
    atr = request.atr_points
    if atr is None or math.isnan(atr):
        return _not_ready("atr", "an average true range of this instrument")
    side, entry = request.side.value, request.entry_points
    adverse = entry - side * atr * multiplier
    loss_minor = -case.terms.profit(side, UNITS_PER_LOT, entry, adverse)
    if loss_minor <= 0:
        return Refusal(
            rule="atr", value=f"{atr:g} points", limit="a distance that costs a lot something"
        )
    told = f"ATR {atr:g} x {multiplier:g}"
    return case.wish(case.risk_fraction, loss_minor, "risk", told)


def _kelly(case: Case) -> Wish | Refusal:
    """Risk a part of the stake that Kelly's formula gives for the record."""
    spec = case.spec
    stake, part = spec.kelly_stake_fraction, spec.parameter("kelly_fraction")
    name = spec.method.value
    if stake <= 0:
        return Refusal(
            rule="kelly_edge",
            value=f"a stake of {stake:.2%}",
            limit="more than 0",
            remedy=f"no edge: wins of {spec.average_win:g} in {spec.win_rate_fraction:.2%} of "
            f"trades do not pay for losses of {spec.average_loss:g} in the others",
        )
    return case.at_risk(stake * part, f"{name} {stake:.2%} x {part:g}, ")


def _volatility_target(case: Case) -> Wish | Refusal:
    """Hold a position worth equity x target ÷ the instrument's volatility a year."""
    target = case.spec.parameter("annual_volatility_fraction")
    measured = case.request.annual_volatility_fraction
    if measured is None or math.isnan(measured):
        return _not_ready("annual_volatility", "a volatility of this instrument")
    if measured < _LEAST_VOLATILITY:
        return Refusal(
            rule="annual_volatility",
            value=f"{measured:g} a year",
            limit=f"at least {_LEAST_VOLATILITY:g}",
        )
    return case.worth(target / measured, f"volatility {target:.2%} of {measured:.2%} a year, ")


def _told_scale(request: SizingRequest) -> str:
    breaker = f" x {request.scale:g} breaker" if request.scale < 1 else ""
    likeness = request.likeness_scale
    return f"{breaker} x {likeness:g} correlation" if likeness < 1 else breaker


def _not_ready(rule: str, needed: str) -> Refusal:
    return Refusal(rule=rule, value="not ready", limit=needed)


FORMULAS: Final[Mapping[SizingMethod, Callable[[Case], Wish | Refusal]]] = MappingProxyType(
    {
        SizingMethod.PERCENT_AT_RISK: _percent_at_risk,
        SizingMethod.FIXED_LOTS: _fixed_lots,
        SizingMethod.FIXED_FRACTIONAL: _fixed_fractional,
        SizingMethod.VOLATILITY: _volatility,
        SizingMethod.KELLY: _kelly,
        SizingMethod.KELLY_PLAN_A: _kelly,
        SizingMethod.VOLATILITY_TARGET: _volatility_target,
    }
)
"""The formula of each method."""
