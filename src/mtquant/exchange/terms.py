"""One instrument's rules with their constants filled in, as the book uses them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mtquant.exchange import rules
from mtquant.exchange.commission import Commission
from mtquant.exchange.currency import (
    FOREX_MODES,
    Conversions,
    Quotes,
    conversions,
    margin_rates,
    no_quotes,
)
from mtquant.exchange.dealing import Dealing
from mtquant.exchange.rules import modes
from mtquant.model import (
    AccountSnapshot,
    CalculationMode,
    DealEntry,
    Instrument,
    OrderType,
    SwapMode,
    round_half_away,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mtquant.exchange.venue import AccountSpec, VenueSpec

Leg = tuple[int, int, float]
"""Side (+1 or -1), units and opening points of a volume that needs margin."""

_MODES: Final = {
    CalculationMode.FOREX: modes.FOREX,
    CalculationMode.FOREX_NO_LEVERAGE: modes.FOREX_NO_LEVERAGE,
    CalculationMode.CFD: modes.CFD,
    CalculationMode.CFD_LEVERAGE: modes.CFD_LEVERAGE,
    CalculationMode.CFD_INDEX: modes.CFD_INDEX,
    CalculationMode.FUTURES: modes.FUTURES,
    CalculationMode.EXCH_STOCKS: modes.EXCH_STOCKS,
    CalculationMode.EXCH_FUTURES: modes.EXCH_FUTURES,
    CalculationMode.EXCH_FUTURES_FORTS: modes.EXCH_FUTURES_FORTS,
    CalculationMode.EXCH_BONDS: modes.EXCH_BONDS,
    CalculationMode.EXCH_STOCKS_MOEX: modes.EXCH_STOCKS_MOEX,
    CalculationMode.EXCH_BONDS_MOEX: modes.EXCH_BONDS_MOEX,
    CalculationMode.SERV_COLLATERAL: modes.SERV_COLLATERAL,
}

_PENDING_ROWS: Final = {OrderType.LIMIT: 0, OrderType.STOP: 1, OrderType.STOP_LIMIT: 2}
_FREE: Final = Commission()
_PLAIN: Final = Dealing()


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Bind the scalar rules to one instrument and account.

    `divisor` takes points x 1e-8 lots to minor units of the profit currency, `minor_scale` those
    to minor units of the account once the rate has converted them.
    """

    instrument: Instrument
    mode: int
    divisor: float
    minor_scale: float
    money_scale: float
    price_value: float
    costs: Commission
    rate_per_price: float
    fixed_rate: float
    leverage: int
    conversions: Conversions
    dealing: Dealing
    converts_by_deal: bool = False

    @classmethod
    def of(cls, venue: VenueSpec, symbol: str, account: AccountSpec | None = None) -> Terms:
        """Return the terms of a symbol at a venue, for one of its accounts (None: the usual)."""
        chosen = account or venue.account
        return cls._made(
            venue.instrument(symbol),
            venue.conversions(symbol, chosen),
            chosen.currency_digits,
            chosen.leverage,
            costs=venue.commission(symbol, chosen),
            dealing=venue.instruments[symbol].dealing(),
            by_deal=chosen.converts_by_deal,
        )

    @classmethod
    def at_broker(cls, instrument: Instrument, account: AccountSnapshot) -> Terms:
        """Return the terms of an instrument as a broker reports it; commission is not known.

        Raises:
            ConfigError: profit or margin need the quotes of another pair.
        """
        found = conversions(instrument, account.currency, {})
        return cls._made(instrument, found, account.currency_digits, account.leverage)

    @classmethod
    def _made(
        cls,
        instrument: Instrument,
        found: Conversions,
        money_digits: int,
        leverage: int,
        *,
        costs: Commission = _FREE,
        dealing: Dealing = _PLAIN,
        by_deal: bool = False,
    ) -> Terms:
        profit_digits = instrument.profit_digits if found.profit.pair else money_digits
        mode = _MODES[instrument.calculation_mode]
        rate_per_price, fixed_rate = margin_rates(found.margin, money_digits)
        return cls(
            instrument=instrument,
            mode=mode,
            divisor=10.0 ** (instrument.digits + 8 - profit_digits),
            minor_scale=10.0 ** (money_digits - profit_digits),
            money_scale=10.0**money_digits,
            price_value=rules.price_value(mode, *_values(instrument)),
            costs=costs,
            rate_per_price=rate_per_price,
            fixed_rate=fixed_rate,
            leverage=leverage,
            conversions=found,
            dealing=dealing,
            converts_by_deal=by_deal,
        )

    def profit(
        self, side: int, units: int, opened: float, closed: float, quotes: Quotes = no_quotes
    ) -> int:
        """Return the profit between two prices (points), minor units.

        Raises:
            ConfigError: another pair converts, and it has no quote.
        """
        gain = loss = 1.0
        if self.conversions.profit.pair:
            gain, loss = self._profit_rates(side, closed, quotes)
        rounds_legs = self.instrument.calculation_mode in FOREX_MODES
        profit = rules.profit_minor(
            side, units, opened, closed, self.price_value, self.divisor, rounds_legs, gain, loss
        )
        if self.instrument.accrued_interest == 0.0:
            return profit
        return profit + self._accrued(side, units, gain, loss)

    def tick_values(self, quotes: Quotes = no_quotes) -> tuple[float, float]:
        """Return what a tick size of one lot is worth to a gain and to a loss, account currency.

        Both go by the market, whatever the account converts its deals by.
        """
        conversion, own = self.conversions.profit, self.instrument.tick_value
        gain = conversion.market_rate(quotes, at_ask=False)
        loss = conversion.market_rate(quotes, at_ask=True)
        return rules.tick_value(own, gain), rules.tick_value(own, loss)

    def commission(
        self, units: int, price: int, entry: DealEntry, quotes: Quotes = no_quotes
    ) -> int:
        """Return the commission of one deal at a price, minor units (negative = charged)."""
        value = 0.0
        if self.costs.percent > 0:
            worth = rules.value_minor(units, price, self.price_value, self.divisor)
            rate = self.conversions.profit.rate(price, quotes, at_ask=True)
            value = worth * rate * self.minor_scale
        return self.costs.of(units, value, entry)

    def value(self, units: int, price: float) -> float:
        """Return what a volume is worth at a price, minor units of the account, not rounded.

        value = volume x contract x price, converted at that price. For who knows that no other
        pair converts.
        """
        if self.divisor <= 0:
            return 0.0
        return units * price * self.price_value / self.divisor * self.own_rate(price)

    def margin_to_open(self, side: int, units: int, price: int, *, is_netting: bool) -> int:
        """Return the margin of an order on its own, whatever else is held, minor units.

        What is held on the other side may make it cheaper: that is not counted. For who knows that
        no other pair converts.
        """
        leg = side, units, price
        if is_netting:
            rate = self._leg_rate(side, price, is_held=False)
            return rules.netting_margin_minor(self.leg_amount(leg, rate), 0.0, 0.0, 0.0)
        if self.has_fixed_margin and self.mode != modes.EXCH_FUTURES_FORTS:
            return self.fixed_margin_to_open(0, 0, leg)
        return self.margin([leg])

    def swap(
        self,
        side: int,
        units: int,
        day: int,
        prices: tuple[float, float] = (0, 0),
        quotes: Quotes = no_quotes,
    ) -> int:
        """Return the swap of the night that ends a day of the server, minor units.

        Args:
            side: of the position.
            units: of the position.
            day: that ends, counted from 1970-01-01.
            prices: at which it opened and would close now, for interest.
            quotes: of the pairs that convert.
        """
        instrument = self.instrument
        nights = self.nights(day)
        mode = instrument.swap_mode
        if mode is SwapMode.DISABLED or nights == 0:
            return 0
        swap = instrument.swap_long if side > 0 else instrument.swap_short
        conversion = self.conversions.swap
        if mode in {SwapMode.INTEREST_CURRENT, SwapMode.INTEREST_OPEN}:
            price = prices[0] if mode is SwapMode.INTEREST_OPEN else prices[1]
            return rules.swap_interest_minor(
                units,
                swap,
                nights,
                self._lot_value(price),
                instrument.swap_year_days,
                self.money_scale,
                conversion.market_rate(quotes, at_ask=side < 0),
            )
        rate = conversion.market_rate(quotes, at_ask=swap < 0)
        if mode is not SwapMode.POINTS:
            return rules.swap_money_minor(units, swap, nights, self.money_scale, rate)
        return rules.swap_points_minor(
            units, swap, nights, self.price_value, self.divisor, self.minor_scale * rate
        )

    def own_rate(self, price: float) -> float:
        """Return minor units of the account per one of the profit currency, at a closing price.

        For who knows that no other pair converts.
        """
        conversion = self.conversions.profit
        return self.minor_scale * conversion.at_price(price) if conversion.pair else 1.0

    @property
    def has_fixed_margin(self) -> bool:
        """Tell whether the margin of a lot is stated as money."""
        return self.instrument.margin_initial > 0

    def margin_value(self, *, is_held: bool) -> float:
        """Return what multiplies the lots in the margin formula, or money per lot where fixed."""
        instrument = self.instrument
        if self.has_fixed_margin:
            return rules.fixed_margin_per_lot(
                instrument.margin_initial, instrument.margin_maintenance, is_held
            )
        return rules.margin_value(self.mode, *_values(instrument))

    def margin_factor(self, side: int, *, is_held: bool) -> float:
        """Return the margin rate of a side."""
        initial_long, initial_short, held_long, held_short = self.instrument.margin_rates
        initial, held = (initial_long, held_long) if side > 0 else (initial_short, held_short)
        return rules.fixed_margin_per_lot(initial, held, is_held)

    def opening_rate(self, side: int, price: float, quotes: Quotes = no_quotes) -> float:
        """Return the conversion that a position keeps for its margin: of a buy at the ask."""
        if self.rate_per_price > 0:
            return 1.0
        return self.conversions.margin.rate(price, quotes, at_ask=side > 0)

    def margin(
        self,
        legs: Sequence[Leg],
        rates: Sequence[float] | None = None,
        *,
        is_held: bool = False,
        pending: tuple[float, float] = (0.0, 0.0),
    ) -> int:
        """Return the margin of volumes, minor units.

        Args:
            legs: side, units and opening points of each.
            rates: margin rate x conversion of each; None: those of an opening at these prices.
            is_held: True for open positions, whose fixed margin is the maintenance margin.
            pending: margin of the orders that wait to buy and to sell, minor units.

        Raises:
            ConfigError: no rates are given, another pair converts.
        """
        if rates is None:
            rates = [self._leg_rate(side, price, is_held=is_held) for side, _, price in legs]
        sums = _leg_sums(legs, rates)
        long_units, long_weighted, long_factor, short_units, short_weighted, short_factor = sums
        if self.mode == modes.EXCH_FUTURES_FORTS:
            bought = self._forts(1, long_units, long_weighted, long_factor)
            sold = self._forts(-1, short_units, short_weighted, short_factor)
            return round_half_away(max(bought + pending[0], sold + pending[1]))
        return rules.hedged_margin_minor(
            self.mode,
            long_units,
            float(long_weighted),
            short_units,
            float(short_weighted),
            self.margin_value(is_held=is_held),
            self.instrument.margin_hedged_contract,
            10.0**self.instrument.digits,
            self.leverage,
            self.rate_per_price,
            self.fixed_rate,
            long_factor,
            short_factor,
            self.has_fixed_margin,
            self.instrument.margin_uses_leg,
            *pending,
        )

    def leg_amount(self, leg: Leg, rate: float, *, is_held: bool = False) -> float:
        """Return the margin of one volume alone, minor units and not rounded.

        Args:
            leg: side, units and price.
            rate: margin rate x conversion.
            is_held: True for an open position.
        """
        side, units, price = leg
        if self.mode == modes.EXCH_FUTURES_FORTS:
            return self._forts(side, units, units * price, rate)
        return rules.leg_margin(
            self.mode,
            units,
            units * price,
            units,
            self.margin_value(is_held=is_held),
            10.0**self.instrument.digits,
            self.leverage,
            self.rate_per_price,
            self.fixed_rate,
            rate,
            self.has_fixed_margin,
        )

    def pending_factor(self, side: int, order_type: OrderType) -> float:
        """Return the margin rate of a waiting order."""
        row = _PENDING_ROWS.get(order_type)
        if row is None:
            return self.margin_factor(side, is_held=False)
        return self.instrument.margin_pending_rates[2 * row + (side < 0)]

    def fixed_margin_to_open(
        self, held: int, units_against: int, leg: Leg, quotes: Quotes = no_quotes
    ) -> int:
        """Return what an order has to find where margins are fixed, minor units.

        Args:
            held: margin of the symbol's open positions, minor units.
            units_against: uncovered volume of the other side.
            leg: side, units and price of the order.
            quotes: of the pairs that convert.
        """
        side, units, price = leg
        rate = self.margin_factor(side, is_held=False) * self.opening_rate(side, price, quotes)
        instrument = self.instrument
        initial, hedged = (
            rules.leg_margin(
                self.mode,
                1e8,
                1e8 * price,
                1e8,
                per_lot,
                10.0**instrument.digits,
                self.leverage,
                self.rate_per_price,
                self.fixed_rate,
                rate,
                True,  # noqa: FBT003 - the rules take their flags by position
            )
            for per_lot in (instrument.margin_initial, instrument.margin_hedged_contract)
        )
        return round_half_away(
            rules.fixed_margin_to_open(held, units_against, units, hedged, initial)
        )

    @staticmethod
    def round_share(amount_times_units: int, of_units: int) -> int:
        """Return a position's amount × closed units ÷ its units, rounded once."""
        return round_half_away(amount_times_units / of_units)

    def nights(self, day: int) -> float:
        """Return how many nights the night that ends a day counts for.

        Where swaps skip holidays, the day before one pays for it too. Source: MetaTrader
        administrator help, Swaps.
        """
        holidays = self.instrument.holidays
        if not self.dealing.swap_skips_holidays:
            return self._usual_nights(day)
        if day in holidays:
            return 0.0
        counted = self._usual_nights(day)
        while (day := day + 1) in holidays:
            counted += self._usual_nights(day)
        return counted

    def _usual_nights(self, day: int) -> float:
        weekday = (day + 4) % 7
        multipliers = self.instrument.swap_multipliers
        if multipliers is not None:
            return multipliers[weekday]
        triple = self.instrument.triple_swap_weekday
        return rules.swap_nights(weekday, -1 if triple is None else triple)

    def _lot_value(self, price: float) -> float:
        """Return what the interest of one lot is counted on: forex in base currency."""
        if self.instrument.calculation_mode in FOREX_MODES:
            return self.instrument.contract_size
        return self.price_value * price / 10.0**self.instrument.digits

    def _leg_rate(self, side: int, price: float, *, is_held: bool) -> float:
        return self.margin_factor(side, is_held=is_held) * self.opening_rate(side, price)

    def _forts(self, side: int, units: int, weighted: float, factor: float) -> float:
        if not units:
            return 0.0
        instrument = self.instrument
        of_sells = instrument.margin_initial_short or instrument.margin_initial
        return rules.forts_margin_amount(
            side,
            units,
            weighted / units,
            instrument.settlement_points,
            instrument.margin_initial if side > 0 else of_sells,
            self.price_value / 10.0**instrument.digits,
            self.fixed_rate * factor,
        )

    def _profit_rates(self, side: int, closed: float, quotes: Quotes) -> tuple[float, float]:
        conversion = self.conversions.profit
        gain_at_ask = rules.gain_at_ask(side, self.converts_by_deal)
        loss_at_ask = rules.loss_at_ask(side, self.converts_by_deal)
        return (
            self.minor_scale * conversion.rate(closed, quotes, at_ask=gain_at_ask),
            self.minor_scale * conversion.rate(closed, quotes, at_ask=loss_at_ask),
        )

    def _accrued(self, side: int, units: int, gain: float, loss: float) -> int:
        instrument = self.instrument
        rate = (gain if side > 0 else loss) / self.minor_scale
        return rules.accrued_minor(
            side,
            units,
            instrument.accrued_interest,
            instrument.contract_size,
            self.money_scale,
            rate,
        )


def _values(instrument: Instrument) -> tuple[float, float, float, float]:
    """Return contract size, tick value, tick size and face value."""
    return (
        instrument.contract_size,
        instrument.tick_value,
        instrument.tick_size,
        instrument.face_value,
    )


def _leg_sums(
    legs: Sequence[Leg], rates: Sequence[float]
) -> tuple[int, float, float, int, float, float]:
    """Return Σ units, Σ units x price and the mean rate of the long, then of the short legs."""
    long_units = short_units = 0
    long_weighted: float = 0
    short_weighted: float = 0
    long_rated = short_rated = 0.0
    for (side, units, opened), rate in zip(legs, rates, strict=True):
        if side > 0:
            long_units += units
            long_weighted += units * opened
            long_rated += units * rate
        else:
            short_units += units
            short_weighted += units * opened
            short_rated += units * rate
    long_factor = long_rated / long_units if long_units else 1.0
    short_factor = short_rated / short_units if short_units else 1.0
    return long_units, long_weighted, long_factor, short_units, short_weighted, short_factor
