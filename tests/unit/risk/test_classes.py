"""An instrument's class is told by its currencies, its name and its calculation mode."""

from dataclasses import replace

import pytest

from mtquant.model import CalculationMode, Instrument
from mtquant.risk import AssetClass, asset_class


@pytest.fixture
def made(instrument):
    def make(symbol: str, base: str, profit: str, mode: str = "FOREX") -> Instrument:
        return replace(
            instrument,
            symbol=symbol,
            base_currency=base,
            profit_currency=profit,
            calculation_mode=CalculationMode[mode],
        )

    return make


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (("EURUSD", "EUR", "USD", "FOREX"), "FOREX_MAJOR"),
        (("CHFJPY", "CHF", "JPY", "FOREX"), "FOREX_MAJOR"),
        (("GBPCAD", "GBP", "CAD", "FOREX"), "FOREX_MAJOR"),
        (("AUDUSD", "AUD", "USD", "FOREX"), "FOREX_MINOR"),
        (("EURNZD", "EUR", "NZD", "FOREX"), "FOREX_MINOR"),
        (("USDKRW", "USD", "KRW", "FOREX"), "FOREX_MINOR"),
        (("EURXXX", "EUR", "XXX", "FOREX"), "OTHER"),
        (("XAUUSD", "XAU", "USD", "FOREX"), "GOLD"),
        (("Metal", "XAU", "USD", "FOREX"), "GOLD"),
        (("XAUEUR.x", "USD", "USD", "CFD"), "GOLD"),
        (("X.GOLD", "USD", "USD", "CFD"), "OTHER"),
        (("GOLD.m", "USD", "USD", "CFD"), "GOLD"),
        (("#gold", "USD", "USD", "CFD"), "GOLD"),
        ((".GOLD", "USD", "USD", "CFD"), "GOLD"),
        (("BTCUSD", "BTC", "USD", "FOREX"), "CRYPTO"),
        (("ethusd.r", "USD", "USD", "CFD"), "CRYPTO"),
        (("Coin", "XRP", "USD", "CFD"), "CRYPTO"),
        (("XAGUSD", "XAG", "USD", "FOREX"), "COMMODITY"),
        (("UKOIL", "USD", "USD", "CFD"), "COMMODITY"),
        (("Silvery", "XAG", "USD", "CFD"), "COMMODITY"),
        (("US500.cash", "USD", "USD", "CFD_INDEX"), "INDEX_MAJOR"),
        (("#GER40", "EUR", "EUR", "CFD"), "INDEX_MAJOR"),
        (("SPA35", "EUR", "EUR", "CFD_INDEX"), "INDEX_MINOR"),
        (("AAPL", "USD", "USD", "EXCH_STOCKS"), "SHARE"),
        (("SBER", "RUB", "RUB", "EXCH_STOCKS_MOEX"), "SHARE"),
        (("OFZ", "RUB", "RUB", "EXCH_BONDS_MOEX"), "BOND"),
        (("BUND10", "EUR", "EUR", "EXCH_BONDS"), "BOND"),
        (("OILX", "USD", "USD", "CFD"), "OTHER"),
    ],
)
def test_a_class_is_told_by_currencies_name_and_mode(made, facts: tuple, expected: str):
    assert asset_class(made(*facts)) is AssetClass[expected]


@pytest.mark.parametrize(
    ("one", "group"),
    [
        (AssetClass.FOREX_MAJOR, "forex"),
        (AssetClass.FOREX_MINOR, "forex"),
        (AssetClass.GOLD, "commodity"),
        (AssetClass.COMMODITY, "commodity"),
        (AssetClass.INDEX_MAJOR, "index"),
        (AssetClass.INDEX_MINOR, "index"),
        (AssetClass.SHARE, "share"),
        (AssetClass.BOND, "bond"),
        (AssetClass.CRYPTO, "crypto"),
        (AssetClass.OTHER, "other"),
    ],
)
def test_exposure_is_summed_by_coarser_groups(one: AssetClass, group: str):
    assert one.group == group
