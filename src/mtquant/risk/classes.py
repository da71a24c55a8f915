"""Asset classes: what limits of exposure and leverage are set for."""

from __future__ import annotations

from enum import Enum
from typing import Final

from mtquant.model import CalculationMode, Instrument


class AssetClass(Enum):
    """Name a class as fine as leverage rules tell them apart."""

    FOREX_MAJOR = "forex_major"
    FOREX_MINOR = "forex_minor"
    GOLD = "gold"
    COMMODITY = "commodity"
    INDEX_MAJOR = "index_major"
    INDEX_MINOR = "index_minor"
    SHARE = "share"
    BOND = "bond"
    CRYPTO = "crypto"
    OTHER = "other"

    @property
    def group(self) -> str:
        """Return the class by which exposure is summed: all of forex is one, gold a commodity."""
        return _GROUPS.get(self, self.value)


_GROUPS: Final = {
    AssetClass.FOREX_MAJOR: "forex",
    AssetClass.FOREX_MINOR: "forex",
    AssetClass.GOLD: "commodity",
    AssetClass.INDEX_MAJOR: "index",
    AssetClass.INDEX_MINOR: "index",
}


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# ESMA decision 2018/796, article 1: pairs of any two of these are major
_MAJORS: Final = frozenset(_names("USD EUR JPY GBP CAD CHF"))
_CURRENCIES: Final = _MAJORS | frozenset(
    _names(
        "AUD NZD SEK NOK DKK PLN CZK HUF TRY ZAR MXN SGD HKD CNH CNY ILS THB RON RUB BRL INR KRW"
    )
)
_CRYPTO: Final = _names(
    "BTC XBT ETH LTC XRP BCH ADA SOL DOT DOGE BNB LINK XLM AVAX TRX EOS MATIC UNI XMR"
)
_COMMODITIES: Final = _names(
    "XAG XPT XPD XTI XBR XNG WTI BRENT USOIL UKOIL NGAS SPOTCRUDE SPOTBRENT SILVER COPPER"
)
# ESMA decision 2018/796, article 1: FTSE 100, CAC 40, DAX, DJIA, S&P 500, NASDAQ, NASDAQ 100,
# Nikkei 225, ASX 200, EURO STOXX 50, by the names that brokers give them
_MAJOR_INDICES: Final = _names(
    "US30 DJ30 WS30 DJI US500 SPX SP500 USTEC US100 NAS100 NDX GER30 GER40 DE30 DE40 DAX UK100 "
    "FTSE FRA40 FR40 CAC JP225 JPN225 NIKKEI AUS200 AU200 ASX EU50 EUSTX50 STOXX50 ESTX50"
)
_BY_MODE: Final = {
    CalculationMode.CFD_INDEX: AssetClass.INDEX_MINOR,
    CalculationMode.EXCH_STOCKS: AssetClass.SHARE,
    CalculationMode.EXCH_STOCKS_MOEX: AssetClass.SHARE,
    CalculationMode.EXCH_BONDS: AssetClass.BOND,
    CalculationMode.EXCH_BONDS_MOEX: AssetClass.BOND,
}


def asset_class(instrument: Instrument) -> AssetClass:
    """Return the class of an instrument by its currencies, name and calculation mode.

    `OTHER` where none of them tells; configuration may name it (`risk.asset_classes`).
    """
    name, base = instrument.symbol.upper().lstrip("#."), instrument.base_currency
    if name.startswith(("XAU", "GOLD")) or base == "XAU":
        return AssetClass.GOLD
    if base in _CRYPTO or name.startswith(_CRYPTO):
        return AssetClass.CRYPTO
    if base in _COMMODITIES or name.startswith(_COMMODITIES):
        return AssetClass.COMMODITY
    pair = {base, instrument.profit_currency}
    if len(pair) == 2 and pair <= _CURRENCIES:
        return AssetClass.FOREX_MAJOR if pair <= _MAJORS else AssetClass.FOREX_MINOR
    if name.startswith(_MAJOR_INDICES):
        return AssetClass.INDEX_MAJOR
    return _BY_MODE.get(instrument.calculation_mode, AssetClass.OTHER)
