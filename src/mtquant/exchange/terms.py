"""One instrument's rules with their constants filled in, as the book uses them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mtquant.exchange import rules
from mtquant.exchange.currency import FOREX_MODES, margin_rates, require_convertible
from mtquant.model import (
    AccountSnapshot,
    CalculationMode,
    Instrument,
    SwapMode,
    round_half_away,
)

if TYPE_CHECKING:
    from mtquant.exchange.venue import VenueSpec

_MODES: Final = {
    CalculationMode.FOREX: 0,
    CalculationMode.FOREX_NO_LEVERAGE: 1,
    CalculationMode.CFD: 2,
    CalculationMode.CFD_LEVERAGE: 3,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Bind the scalar rules to one instrument and account."""

    instrument: Instrument
    divisor: float
    commission_per_lot_minor: float
    rate_per_price: float
    fixed_rate: float
    leverage: int

    @classmethod
    def of(cls, venue: VenueSpec, symbol: str) -> Terms:
        """Return the terms of a symbol at a venue."""
        instrument = venue.instrument(symbol)
        rate_per_price, fixed_rate = venue.margin_rate(symbol)
        return cls(
            instrument=instrument,
            divisor=10.0 ** (instrument.digits + 8 - venue.account.currency_digits),
            commission_per_lot_minor=venue.commission_per_lot_minor(symbol),
            rate_per_price=rate_per_price,
            fixed_rate=fixed_rate,
            leverage=venue.account.leverage,
        )

    @classmethod
    def at_broker(cls, instrument: Instrument, account: AccountSnapshot) -> Terms:
        """Return the terms of an instrument as a broker reports it; commission is not known.

        Raises:
            ConfigError: profit or margin need currency conversion.
        """
        require_convertible(instrument, account.currency)
        rate_per_price, fixed_rate = margin_rates(
            instrument, account.currency, account.currency_digits
        )
        return cls(
            instrument=instrument,
            divisor=10.0 ** (instrument.digits + 8 - account.currency_digits),
            commission_per_lot_minor=0.0,
            rate_per_price=rate_per_price,
            fixed_rate=fixed_rate,
            leverage=account.leverage,
        )

    def profit(self, side: int, units: int, opened: int, closed: int) -> int:
        """Return the profit between two prices, minor units."""
        return rules.profit_minor(
            side,
            units,
            opened,
            closed,
            self.instrument.contract_size,
            self.divisor,
            self.instrument.calculation_mode in FOREX_MODES,
            1.0,
            1.0,
        )

    def commission(self, units: int) -> int:
        """Return the commission of one deal, minor units (negative = charged)."""
        return rules.commission_minor(units, self.commission_per_lot_minor)

    def swap(self, side: int, units: int, weekday: int) -> int:
        """Return the swap of the night that ends a server weekday, minor units."""
        instrument = self.instrument
        triple = instrument.triple_swap_weekday
        nights = rules.swap_nights(weekday, -1 if triple is None else triple)
        if instrument.swap_mode is SwapMode.DISABLED or nights == 0:
            return 0
        points = instrument.swap_long if side > 0 else instrument.swap_short
        return rules.swap_points_minor(
            units, points, nights, instrument.contract_size, self.divisor, 1.0
        )

    def margin(self, legs: list[tuple[int, int, int]]) -> int:
        """Return the margin of positions (side, units, opening points), minor units."""
        long_units = long_weighted = short_units = short_weighted = 0
        for side, units, opened in legs:
            if side > 0:
                long_units += units
                long_weighted += units * opened
            else:
                short_units += units
                short_weighted += units * opened
        return rules.hedged_margin_minor(
            _MODES[self.instrument.calculation_mode],
            long_units,
            float(long_weighted),
            short_units,
            float(short_weighted),
            self.instrument.contract_size,
            self.instrument.margin_hedged_contract,
            10.0**self.instrument.digits,
            self.leverage,
            self.rate_per_price,
            self.fixed_rate,
        )

    @staticmethod
    def round_share(amount_times_units: int, of_units: int) -> int:
        """Return a position's amount × closed units ÷ its units, rounded once."""
        return round_half_away(amount_times_units / of_units)
