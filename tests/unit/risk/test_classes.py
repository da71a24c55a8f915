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
        # shares and bonds are what their mode says, whatever they are called
        (("GOLDMANSACHS", "USD", "USD", "EXCH_STOCKS"), "SHARE"),
        (("GOLD", "USD", "USD", "EXCH_STOCKS"), "SHARE"),
        (("CACI", "USD", "USD", "EXCH_STOCKS"), "SHARE"),
        (("ADANI", "INR", "INR", "EXCH_STOCKS"), "SHARE"),
        (("SOLVAY", "EUR", "EUR", "EXCH_STOCKS"), "SHARE"),
        (("BTC", "USD", "USD", "EXCH_STOCKS"), "SHARE"),
        (("XAU26", "XAU", "RUB", "EXCH_BONDS_MOEX"), "BOND"),
        # a longer name is another one
        (("GOLDMANSACHS", "USD", "USD", "CFD"), "OTHER"),
        (("GOLD.US", "USD", "USD", "CFD"), "OTHER"),
        (("CACI", "USD", "USD", "CFD"), "OTHER"),
        (("SOLVAY", "EUR", "EUR", "CFD"), "OTHER"),
        (("LINKEDIN", "USD", "USD", "CFD"), "OTHER"),
        (("SILVERGATE", "USD", "USD", "CFD"), "OTHER"),
        (("FTSE250", "GBP", "GBP", "CFD_INDEX"), "INDEX_MINOR"),
        (("FTSEMIB", "EUR", "EUR", "CFD_INDEX"), "INDEX_MINOR"),
        (("STOXX600", "EUR", "EUR", "CFD"), "OTHER"),
        # names as brokers write them
        (("XAUUSD_o", "USD", "USD", "CFD"), "GOLD"),
        (("XAUUSD-VIP", "USD", "USD", "CFD"), "GOLD"),
        (("GOLDm", "USD", "USD", "CFD"), "GOLD"),
        (("GOLD.", "USD", "USD", "CFD"), "GOLD"),
        (("BTCUSDT", "USD", "USD", "CFD"), "CRYPTO"),
        (("Bitcoin", "USD", "USD", "CFD"), "CRYPTO"),
        (("NATGAS.cash", "USD", "USD", "CFD"), "COMMODITY"),
        (("WHEAT", "USD", "USD", "CFD"), "COMMODITY"),
        (("COCOA.c", "USD", "USD", "CFD"), "COMMODITY"),
        (("US Oil", "USD", "USD", "CFD"), "COMMODITY"),
        (("OILCash", "USD", "USD", "CFD"), "COMMODITY"),
        (("SPX500x", "USD", "USD", "CFD"), "INDEX_MAJOR"),
        (("JPN225ft", "JPY", "JPY", "CFD"), "INDEX_MAJOR"),
        (("[DJI30]-Z", "USD", "USD", "CFD"), "INDEX_MAJOR"),
        ((".US500Cash", "USD", "USD", "CFD"), "INDEX_MAJOR"),
        (("SPXUSD", "USD", "USD", "CFD"), "INDEX_MAJOR"),
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
