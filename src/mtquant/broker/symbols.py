"""The symbol map: standard names and what each broker calls them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from mtquant.data import parse_yaml, read_yaml
from mtquant.model import ConfigError, SymbolNotFoundError
from mtquant.model.reading import nearest, read

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerEntry:
    """Describe a broker of the map, and how well its names are known."""

    name: str
    level: str = "R"
    checked: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolEntry:
    """Describe a standard symbol and its names by broker id."""

    kind: str
    names: Mapping[str, str]
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolMap:
    """Hold the content of a symbols file."""

    brokers: Mapping[str, BrokerEntry] = field(default_factory=dict)
    symbols: Mapping[str, SymbolEntry] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a name for a broker nobody described, an empty one, and one for two symbols.

        Raises:
            ConfigError: the message names symbol and broker.
        """
        taken: dict[tuple[str, str], str] = {}
        for symbol, entry in self.symbols.items():
            for broker_id, broker_symbol in entry.names.items():
                if broker_id not in self.brokers:
                    raise ConfigError(
                        f"symbols.{symbol}.names.{broker_id}: no such broker; "
                        f"{nearest(broker_id, list(self.brokers))}"
                    )
                if not broker_symbol:
                    raise ConfigError(f"symbols.{symbol}.names.{broker_id}: the name is empty")
                other = taken.setdefault((broker_id, broker_symbol), symbol)
                if other != symbol:
                    raise ConfigError(
                        f"symbols.{symbol}.names.{broker_id}: {broker_symbol!r} "
                        f"already stands for {other}"
                    )


class SymbolMapper:
    """Translate between standard symbols and a broker's names, from a YAML file.

    >>> SymbolMapper().to_broker_symbol("XAUUSD", "oanda")
    'GOLD.pro'
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._map = SymbolMap()
        self.reload()

    def reload(self) -> None:
        """Read the file again.

        Raises:
            ConfigError: the file is missing or wrong; the old map stays in force.
        """
        self._map = read(SymbolMap, self._parsed())

    def to_broker_symbol(self, standard: str, broker_id: str) -> str:
        """Return what a broker calls a standard symbol.

        Raises:
            SymbolNotFoundError: the symbol, or this broker's name of it, is not in the map.
            ConfigError: the broker is not in the map.
        """
        self._require_broker(broker_id)
        names = self._entry(standard).names
        if broker_id not in names:
            raise SymbolNotFoundError(
                f"{standard}: the symbol map has no name at {broker_id}; add "
                f"symbols.{standard}.names.{broker_id}"
            )
        return names[broker_id]

    def to_standard_symbol(self, broker_symbol: str, broker_id: str) -> str:
        """Return the standard symbol of a broker's name.

        Raises:
            SymbolNotFoundError: no symbol of the map has this name there.
            ConfigError: the broker is not in the map.
        """
        self._require_broker(broker_id)
        for standard, entry in self._map.symbols.items():
            if entry.names.get(broker_id) == broker_symbol:
                return standard
        raise SymbolNotFoundError(f"{broker_symbol!r} at {broker_id} is not in the symbol map")

    def get_symbol_metadata(self, symbol: str) -> dict[str, Any]:
        """Return kind, description and names of a standard symbol."""
        entry = self._entry(symbol)
        return {
            "kind": entry.kind,
            "description": entry.description,
            "names": dict(entry.names),
        }

    def validate_symbol(self, symbol: str) -> bool:
        """Tell whether a standard symbol is in the map."""
        return symbol in self._map.symbols

    def get_all_standard_symbols(self) -> list[str]:
        """Return the standard symbols, sorted."""
        return sorted(self._map.symbols)

    def _entry(self, standard: str) -> SymbolEntry:
        entry = self._map.symbols.get(standard)
        if entry is None:
            raise SymbolNotFoundError(
                f"{standard!r} is not in the symbol map; "
                f"{nearest(standard, list(self._map.symbols))}"
            )
        return entry

    def _require_broker(self, broker_id: str) -> None:
        if broker_id not in self._map.brokers:
            raise ConfigError(
                f"broker {broker_id!r} is not in the symbol map; "
                f"{nearest(broker_id, list(self._map.brokers))}"
            )

    def _parsed(self) -> object:
        if self._path is not None:
            return read_yaml(self._path)
        shipped = files("mtquant.broker") / "symbols.yaml"
        return parse_yaml(shipped.read_text(encoding="utf-8"), "the shipped symbol map")
