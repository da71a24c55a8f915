"""Asset classes: what limits of exposure and leverage are set for."""

from __future__ import annotations

import re
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
    "BTC XBT ETH LTC XRP BCH ADA SOL DOT DOGE BNB LINK XLM AVAX TRX EOS MATIC UNI XMR "
    "BITCOIN ETHEREUM LITECOIN RIPPLE SOLANA DOGECOIN"
)
_COMMODITIES: Final = _names(
    "XAG XPT XPD XCU SILVER PLATINUM PALLADIUM COPPER ALUMINIUM ALUMINUM ZINC NICKEL "
    "XTI XBR XNG WTI BRENT OIL USOIL UKOIL CRUDE CRUDEOIL SPOTCRUDE SPOTBRENT OILBRNT "
    "NGAS NATGAS NATURALGAS GASOLINE GASOIL HEATINGOIL "
    "WHEAT CORN SOYBEAN SOYBEANS COCOA COFFEE SUGAR COTTON ORANGEJUICE CATTLE LUMBER"
)
# ESMA decision 2018/796, article 1: FTSE 100, CAC 40, DAX, DJIA, S&P 500, NASDAQ, NASDAQ 100,
# Nikkei 225, ASX 200, EURO STOXX 50, by the names that brokers give them
_MAJOR_INDICES: Final = _names(
    "US30 DJ30 WS30 DJI DJI30 US500 SPX SPX500 SP500 USSPX500 USTEC USTECH US100 NAS100 NDX NDX100 "
    "USNDAQ100 GER30 GER40 DE30 DE40 DAX DAX30 DAX40 GERMANY40 UK100 GB100 FTSE FTSE100 FRA40 FR40 "
    "CAC CAC40 JP225 JPN225 NIKKEI NIKKEI225 AUS200 AU200 ASX ASX200 EU50 EUSTX50 STOXX50 ESTX50"
)
_AROUND: Final = str.maketrans("", "", " []")
_QUOTED_IN: Final = (*sorted(_CURRENCIES), "USDT", "USDC")
_KINDS: Final = (
    (AssetClass.GOLD, ("XAU", "GOLD")),
    (AssetClass.CRYPTO, _CRYPTO),
    (AssetClass.COMMODITY, _COMMODITIES),
    (AssetClass.INDEX_MAJOR, _MAJOR_INDICES),
)
# What brokers add to a name: EURUSDm, US500.cash, JPN225ft, GOLD.pro, XAUUSD-VIP. Anything else
# makes it another name: FTSE250 is not FTSE, GOLDMANSACHS not GOLD.
_ADDED: Final = re.compile(r"[mcx]|ft?|(?i:cash|spot|cfd|micro|mini|pro|ecn|raw)|[._#!+-].*")
# A share's ticker with its exchange: GOLD.US is Barrick Gold, and no gold.
_EXCHANGE: Final = re.compile(r"\.(US|NAS|NYSE|NYS|OQ|N|O|DE|UK|L|FR|ES|IT|NL|CH|HK|JP|AU|CA|TO)")
_SHARES: Final = frozenset({CalculationMode.EXCH_STOCKS, CalculationMode.EXCH_STOCKS_MOEX})
_BONDS: Final = frozenset({CalculationMode.EXCH_BONDS, CalculationMode.EXCH_BONDS_MOEX})


def asset_class(instrument: Instrument) -> AssetClass:
    """Return the class of an instrument by its calculation mode, currencies and name.

    Shares and bonds are told by their mode, whatever they are called. `OTHER` where nothing
    tells; configuration may name it (`risk.asset_classes`).
    """
    mode = instrument.calculation_mode
    if mode in _SHARES:
        return AssetClass.SHARE
    if mode in _BONDS:
        return AssetClass.BOND
    base, paid = instrument.base_currency, instrument.profit_currency
    found = _by_base(base) or _by_name(instrument.symbol)
    if found is not None:
        return found
    pair = {base, paid}
    if len(pair) == 2 and pair <= _CURRENCIES:
        return AssetClass.FOREX_MAJOR if pair <= _MAJORS else AssetClass.FOREX_MINOR
    return AssetClass.INDEX_MINOR if mode is CalculationMode.CFD_INDEX else AssetClass.OTHER


def _by_base(base: str) -> AssetClass | None:
    return next((kind for kind, names in _KINDS if base in names), None)


def _by_name(symbol: str) -> AssetClass | None:
    """Return the class of a name that is known, with what brokers put around it."""
    name = symbol.translate(_AROUND).lstrip("#.")
    return next((kind for kind, names in _KINDS if _is_one_of(name, names)), None)


def _is_one_of(name: str, names: tuple[str, ...]) -> bool:
    """Tell whether a name is one of those, alone or quoted in a currency, and nothing else."""
    upper = name.upper()
    for known in names:
        if not upper.startswith(known):
            continue
        for quoted in ("", *_QUOTED_IN):
            whole = known + quoted
            if upper.startswith(whole) and _is_added(name[len(whole) :]):
                return True
    return False


def _is_added(rest: str) -> bool:
    return not rest or bool(_ADDED.fullmatch(rest) and not _EXCHANGE.fullmatch(rest))
