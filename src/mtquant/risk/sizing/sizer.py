"""The position sizer: one method, chosen by configuration, for every trade of a bot."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from mtquant.model import ConfigError
from mtquant.risk.refusal import Refusal
from mtquant.risk.sizing.by_risk import loss_of_a_lot
from mtquant.risk.sizing.methods import FORMULAS, Case
from mtquant.risk.sizing.result import Sizing, tradable
from mtquant.risk.sizing.spec import KELLY_METHODS, SizingMethod, SizingSpec

if TYPE_CHECKING:
    from mtquant.exchange import Terms
    from mtquant.model import AccountSnapshot
    from mtquant.risk.sizing.request import SizingRequest

_AT_RISK: Final = KELLY_METHODS | {SizingMethod.PERCENT_AT_RISK}


class PositionSizer:
    """Size positions by one method.

    With E = equity x strength x scale, and money per lot from the rules of the exchange:

    - percent at risk: E x risk fraction ÷ loss of one lot between entry and stop;
    - fixed lots: lots x strength x scale;
    - fixed fractional: E x equity fraction ÷ worth of one lot at the entry;
    - volatility: E x risk fraction ÷ loss of one lot over ATR x multiplier;
    - Kelly: E x stake x Kelly fraction ÷ loss of one lot between entry and stop, with the stake
      (p·W − q·L)/W by the textbook, (p·W − q·L)/L by plan A;
    - volatility target: E x target volatility ÷ the instrument's ÷ worth of one lot.

    The volume is capped by `max_lots`, cut to the instrument's largest and floored to its step.
    Loss and worth of one lot are whole minor units. Where the stop loss bounds the size, it costs
    at most the risk and, by that rounding, r minor units for each lot and r more: 1 where nothing
    converts the profit, else the rate and a half. Commission and slippage come on top.
    """

    def __init__(self, spec: SizingSpec, risk_per_trade_fraction: float) -> None:
        """Take a method and what one trade may lose, a fraction of equity.

        Raises:
            ConfigError: the fraction is none.
        """
        if not 0 < risk_per_trade_fraction <= 1:
            raise ConfigError(
                f"risk_per_trade_fraction: {risk_per_trade_fraction:g} is no fraction of equity; "
                "use more than 0 and at most 1 (0.01 is 1 %)"
            )
        self.spec = spec
        self.risk_per_trade_fraction = risk_per_trade_fraction

    def size(
        self, terms: Terms, account: AccountSnapshot, request: SizingRequest
    ) -> Sizing | Refusal:
        """Return the volume of a trade, or why it has none.

        Refused are a stop loss that does not bound a loss (`stop_distance`), a volume below the
        instrument's smallest (`min_volume`), an `atr` or `annual_volatility` that is not ready or
        0, a record without an edge (`kelly_edge`) and a lot without a worth (`lot_value`).

        Args:
            terms: the instrument's rules.
            account: for equity and currency.
            request: the trade.

        Raises:
            ConfigError: another pair converts the profit, so that money per lot is not known here.
        """
        side, entry, stop = request.side, request.entry_points, request.stop_points
        loss_minor = loss_of_a_lot(terms, side, entry, stop)
        if isinstance(loss_minor, Refusal):
            return loss_minor
        case = Case(
            spec=self.spec,
            risk_fraction=self.risk_per_trade_fraction,
            terms=terms,
            account=account,
            request=request,
            loss_minor=loss_minor,
        )
        wish = FORMULAS[self.spec.method](case)
        if isinstance(wish, Refusal):
            return wish
        sizing = tradable(wish, terms.instrument, self.spec.max_lots)
        if isinstance(sizing, Refusal) or self.spec.method in _AT_RISK:
            return sizing
        risk_minor = -terms.profit(side.value, sizing.volume_units, entry, stop)
        return replace(sizing, risk_minor=risk_minor)
