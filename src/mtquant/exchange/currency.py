"""Which currencies meet in an instrument, and how its margin becomes account money."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mtquant.model import CalculationMode, ConfigError

if TYPE_CHECKING:
    from mtquant.model import Instrument

FOREX_MODES: Final = frozenset({CalculationMode.FOREX, CalculationMode.FOREX_NO_LEVERAGE})


def require_convertible(instrument: Instrument, account_currency: str) -> None:
    """Refuse an instrument whose money would need another pair's price to become account money.

    Raises:
        ConfigError: the profit or margin currency needs a conversion; the message names it.
    """
    profit, margin = instrument.profit_currency, instrument.margin_currency
    if profit != account_currency:
        raise ConfigError(
            f"{instrument.symbol}: profits in {profit} on a "
            f"{account_currency} account need currency conversion, which this version does not "
            f"have; use an account in {profit}"
        )
    fitting = [account_currency]
    if instrument.calculation_mode in FOREX_MODES:  # its own price converts base to profit
        fitting.append(instrument.base_currency)
    if margin not in fitting:
        raise ConfigError(
            f"{instrument.symbol}: margin_currency must be {' or '.join(fitting)} "
            f"with {instrument.calculation_mode.value} margins on a {account_currency} account, "
            f"was {margin}"
        )


def margin_rates(
    instrument: Instrument, account_currency: str, currency_digits: int
) -> tuple[float, float]:
    """Return (rate per unit of price, fixed rate), see `rules.hedged_margin_minor`.

    The traded pair converts its own margin when the margin currency is its base; otherwise margin
    and account currency are one.
    """
    scale = 10.0**currency_digits
    return (0.0, scale) if instrument.margin_currency == account_currency else (scale, 0.0)
