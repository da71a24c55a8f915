"""Read the catalogue: one file for each symbol, facts apart from assumptions."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import Enum
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from mtquant.data.yaml_text import parse_yaml
from mtquant.exchange import InstrumentSpec
from mtquant.exchange.currency import FOREX_MODES, conversions
from mtquant.model import ConfigError
from mtquant.model.reading import nearest, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from importlib.resources.abc import Traversable

_SUFFIX: Final = ".yaml"
_SPECIFICATION: Final = tuple(one.name for one in fields(InstrumentSpec))
HOURS: Final = 24


class Evidence(Enum):
    """Say how well a fact is known; the value is its short form in tables.

    PRINTED by a terminal; on the firm's OWN_PAGE; USED by public code against a terminal;
    REPORTED by a third party; UNVERIFIED: nobody was found who says so.
    """

    PRINTED = "M"
    OWN_PAGE = "O"
    USED = "C"
    REPORTED = "R"
    UNVERIFIED = "U"


class Kind(Enum):
    """Say what is traded."""

    FOREX = "forex"
    METAL = "metal"
    INDEX = "index"
    ENERGY = "energy"
    CRYPTO = "crypto"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadProfile:
    """Hold the usual spread of each hour of the day, in points.

    Hours count from 17:00 in New York: a server at UTC+2, UTC+3 in American summer.
    """

    by_hour_points: tuple[int, ...]
    evidence: Evidence
    source: str
    date: str

    def __post_init__(self) -> None:
        """Refuse a day of another length, and negative spreads.

        Raises:
            ConfigError: the message says what was given.
        """
        if len(self.by_hour_points) != HOURS or min(self.by_hour_points) < 0:
            raise ConfigError(
                f"by_hour_points must be 24 spreads, none negative, were {self.by_hour_points}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Hold an instrument of the catalogue, and what is known of it how well.

    `evidence`, `source` and `date` stand for the whole specification but the fields in `assumed`,
    which no source states. `server` and `broker_symbol` say who calls it what there.
    """

    symbol: str
    kind: Kind
    specification: InstrumentSpec
    spread: SpreadProfile
    evidence: Evidence
    source: str
    date: str
    server: str = ""
    broker_symbol: str = ""
    assumed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse an assumption about a field that does not exist, and an impossible instrument.

        Raises:
            ConfigError: the message names the field.
        """
        for name in self.assumed:
            if name not in _SPECIFICATION:
                raise ConfigError(f"assumed: {name!r}: {nearest(name, list(_SPECIFICATION))}")
        self.specification.instrument(self.symbol)


@cache
def catalogued_symbols() -> tuple[str, ...]:
    """Return the symbols of the catalogue, sorted."""
    names = (one.name for one in _folder().iterdir())
    return tuple(sorted(one.removesuffix(_SUFFIX) for one in names if one.endswith(_SUFFIX)))


@cache
def _raw(symbol: str) -> Any:
    where = f"catalogue/{symbol}{_SUFFIX}"
    return parse_yaml((_folder() / f"{symbol}{_SUFFIX}").read_text(encoding="utf-8"), where)


def catalogued_specification(symbol: str) -> dict[str, Any]:
    """Return a symbol's specification as its file writes it, for who changes some of it.

    Raises:
        ConfigError: the symbol is not in the catalogue; the message names the nearest one that is.
    """
    entry(symbol)
    return dict(_raw(symbol)["specification"])


@cache
def entry(symbol: str) -> Entry:
    """Return what the catalogue says of a symbol.

    >>> entry("XAUUSD").specification.contract_size, entry("XAUUSD").evidence.value
    (100.0, 'M')

    Raises:
        ConfigError: the symbol is not in it; the message names the nearest one that is.
    """
    if symbol not in catalogued_symbols():
        hint = nearest(symbol, list(catalogued_symbols()))
        raise ConfigError(f"symbol {symbol!r} is not in the catalogue; {hint}")
    where = f"catalogue/{symbol}{_SUFFIX}"
    return read(Entry, _raw(symbol), where)


def instrument_specs(
    symbols: Iterable[str], *, account_currency: str = ""
) -> dict[str, InstrumentSpec]:
    """Return the specifications of symbols, in their order.

    Args:
        symbols: standard names, each once.
        account_currency: adds, at the end, the pairs that an account in this currency needs to
            convert profits, margins and swaps, as far as the catalogue has them.

    Raises:
        ConfigError: a symbol is not in the catalogue, or stands twice.
    """
    wanted = list(symbols)
    twice = sorted({one for one in wanted if wanted.count(one) > 1})
    if twice:
        raise ConfigError(f"symbols: {', '.join(twice)} stand more than once")
    found = {symbol: entry(symbol).specification for symbol in wanted}
    for symbol in wanted if account_currency else ():
        while pair := _missing_pair(symbol, account_currency, found):
            found[pair] = entry(pair).specification
    return found


def _missing_pair(
    symbol: str, account_currency: str, listed: Mapping[str, InstrumentSpec]
) -> str | None:
    """Return a pair of the catalogue that a symbol's money lacks, None if nothing is lacking."""
    book = {name: spec.instrument(name) for name, spec in listed.items()}
    try:
        conversions(book[symbol], account_currency, book)
    except ConfigError:
        spec = book[symbol]
        for currency in (spec.profit_currency, spec.margin_currency, spec.base_currency):
            for pair in (f"{currency}{account_currency}", f"{account_currency}{currency}"):
                if pair not in listed and _is_pair(pair):
                    return pair
    return None


def _is_pair(symbol: str) -> bool:
    if symbol not in catalogued_symbols():
        return False
    return entry(symbol).specification.calculation_mode in FOREX_MODES


def _folder() -> Traversable:
    return files("mtquant.data") / "catalogue"
