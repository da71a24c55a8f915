"""Which pair converts which money to the account's, and at which of its prices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from mtquant.exchange import rules
from mtquant.model import CalculationMode, ConfigError, Instrument, SwapMode

Quotes = Callable[[str], tuple[int, int] | None]
"""Bid and ask of a symbol in points, None before its first quote."""

FOREX_MODES: Final = frozenset({CalculationMode.FOREX, CalculationMode.FOREX_NO_LEVERAGE})


def no_quotes(_symbol: str) -> None:
    """Return no quote: for who converts at the price of the traded pair at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """Hold how money of a currency becomes that of the account; without a `pair` it already is."""

    pair: str = ""
    is_inverse: bool = False
    is_own: bool = False
    point_scale: float = 1.0

    @property
    def foreign_pair(self) -> str:
        """Return the other symbol whose quotes are needed, empty when none are."""
        return "" if self.is_own else self.pair

    def at_price(self, points: float) -> float:
        """Return the rate at one price of the pair."""
        return rules.conversion_rate(
            points,
            points,
            self.point_scale,
            self.is_inverse,
            False,  # noqa: FBT003 - the rules take their flags by position
        )

    def rate(self, own_points: float, quotes: Quotes, *, at_ask: bool) -> float:
        """Return account currency per unit: at the traded pair's own price, or the market's.

        Raises:
            ConfigError: another pair converts, and it is not quoted.
        """
        return self.at_price(own_points) if self.is_own else self.market_rate(quotes, at_ask=at_ask)

    def market_rate(self, quotes: Quotes, *, at_ask: bool) -> float:
        """Return account currency per unit at the pair's current quote.

        Raises:
            ConfigError: the pair is not quoted.
        """
        if not self.pair:
            return 1.0
        quote = quotes(self.pair)
        if quote is None:
            raise ConfigError(f"{self.pair}: currency conversion needs its quotes, there are none")
        return rules.conversion_rate(*quote, self.point_scale, self.is_inverse, at_ask)


def find_conversion(
    currency: str, account_currency: str, own: Instrument, listed: Mapping[str, Instrument]
) -> Conversion | None:
    """Return how a currency becomes the account's, None where no pair converts it.

    The traded pair itself comes first, then the listed forex symbols in their order.
    """
    if currency == account_currency:
        return Conversion()
    for pair in (own, *listed.values()):
        if pair.calculation_mode not in FOREX_MODES:
            continue
        quoted = (pair.base_currency, pair.profit_currency)
        if quoted in {(currency, account_currency), (account_currency, currency)}:
            return Conversion(
                pair=pair.symbol,
                is_inverse=quoted[0] == account_currency,
                is_own=pair.symbol == own.symbol,
                point_scale=10.0**pair.digits,
            )
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversions:
    """Hold how profit, margin and swap of an instrument become account money."""

    profit: Conversion
    margin: Conversion
    swap: Conversion

    @property
    def foreign_pairs(self) -> tuple[str, ...]:
        """Return the other symbols whose quotes are needed, in order."""
        pairs = {one.foreign_pair for one in (self.profit, self.margin, self.swap)}
        return tuple(sorted(pairs - {""}))


def conversions(
    instrument: Instrument, account_currency: str, listed: Mapping[str, Instrument]
) -> Conversions:
    """Return how money of an instrument becomes account money.

    Raises:
        ConfigError: no listed pair converts one of its currencies; the message names the pair.
    """

    def found(what: str, currency: str) -> Conversion:
        conversion = find_conversion(currency, account_currency, instrument, listed)
        if conversion is None:
            raise ConfigError(
                f"{instrument.symbol}: {what} in {currency} on a {account_currency} account need "
                f"currency conversion, and neither {currency}{account_currency} nor "
                f"{account_currency}{currency} is a forex symbol here; list one, or use an account "
                f"in {currency}"
            )
        return conversion

    return Conversions(
        profit=found("profits", instrument.profit_currency),
        margin=found("margins", instrument.margin_currency),
        swap=found("swaps", _swap_currency(instrument, account_currency)),
    )


def _swap_currency(instrument: Instrument, account_currency: str) -> str:
    mode = instrument.swap_mode
    if mode is SwapMode.DEPOSIT_CURRENCY:
        return account_currency
    if mode is SwapMode.MARGIN_CURRENCY:
        return instrument.margin_currency
    is_interest = mode in {SwapMode.INTEREST_CURRENT, SwapMode.INTEREST_OPEN}
    if mode is SwapMode.BASE_CURRENCY or (
        is_interest and instrument.calculation_mode in FOREX_MODES
    ):
        return instrument.base_currency
    return instrument.profit_currency


def margin_rates(conversion: Conversion, currency_digits: int) -> tuple[float, float]:
    """Return (rate per unit of price, fixed rate), see `rules.hedged_margin_minor`.

    A pair whose base is the margin currency converts its margin at the average opening price;
    every other conversion multiplies the margin by the rate at the opening.
    """
    scale = 10.0**currency_digits
    own_direct = conversion.is_own and not conversion.is_inverse
    return (scale, 0.0) if own_direct else (0.0, scale)
