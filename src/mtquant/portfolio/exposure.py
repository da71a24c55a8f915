"""What positions are worth, kept up to date by readings and never computed in the gate."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mtquant.exchange import Terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mtquant.model import IntentRow, Position

Held = tuple[str, int, int, int]
"""Symbol, side (+1 or -1), units and price in points of something held, or about to be."""


@dataclass(slots=True, eq=False)
class Exposure:
    """Hold sums in minor units of the account's currency.

    `net`, `by_symbol` and `by_currency` are signed, the others sums of sizes. A long EURUSD
    position adds its value to EUR and takes it from USD. `unknown` names symbols whose value
    nobody can tell: their terms are not known here.

    What is only coming may never come, so it must not make up for what is held: `least` and `most`
    hold the signed sums with the coming sales alone, and with the coming purchases alone. They are
    None where nothing is coming.
    """

    gross_minor: float = 0.0
    net_minor: float = 0.0
    at_caps_minor: float = 0.0
    by_symbol: dict[str, float] = field(default_factory=dict)
    by_class: dict[str, float] = field(default_factory=dict)
    by_currency: dict[str, float] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    least: Exposure | None = None
    most: Exposure | None = None

    @property
    def extremes(self) -> tuple[Exposure, ...]:
        """Return between what the signed sums may come to lie."""
        if self.least is None or self.most is None:
            return (self,)
        return (self.least, self.most)

    def add_part(self, other: Exposure, sign: int) -> None:
        """Add what has a sign (+1 or -1) of another's signed sums, sum by sum."""
        self.net_minor += _part(other.net_minor, sign)
        for mine, added in (
            (self.by_symbol, other.by_symbol),
            (self.by_currency, other.by_currency),
        ):
            for key, value in added.items():
                mine[key] = mine.get(key, 0.0) + _part(value, sign)


@dataclass(frozen=True, slots=True)
class Valuer:
    """Value volumes of one symbol; `leverage_cap` is what regulation allows, 0 for no cap."""

    terms: Terms
    asset_class: str
    leverage_cap: float = 0.0

    def value_minor(self, units: int, price_points: float) -> float:
        """Return what a volume is worth, minor units of the account's currency, not rounded.

        value = volume x contract x price, converted from the profit currency at that price.
        """
        return self.terms.value(units, price_points)

    def add(self, total: Exposure, side: int, units: int, price_points: float) -> None:
        """Add a volume to sums."""
        value = self.value_minor(units, price_points)
        signed = side * value
        instrument = self.terms.instrument
        total.gross_minor += value
        total.net_minor += signed
        if self.leverage_cap:
            total.at_caps_minor += value / self.leverage_cap
        name, kind = instrument.symbol, self.asset_class
        total.by_symbol[name] = total.by_symbol.get(name, 0.0) + signed
        total.by_class[kind] = total.by_class.get(kind, 0.0) + value
        currencies = total.by_currency
        bought, paid = instrument.base_currency, instrument.profit_currency
        if bought != paid:
            currencies[bought] = currencies.get(bought, 0.0) + signed
            signed = -signed
        currencies[paid] = currencies.get(paid, 0.0) + signed


class ExposureBook:
    """Sum up what the broker shows and what is on its way, whenever either changes."""

    def __init__(self, valuers: Mapping[str, Valuer]) -> None:
        self.valuers = dict(valuers)

    def sum(self, positions: Iterable[Position], coming: Iterable[IntentRow]) -> Exposure:
        """Return the exposure of positions and of entries that no reading shows yet."""
        total = Exposure()
        unknown: dict[str, None] = {}
        for position in positions:
            valuer = self.valuers.get(position.symbol)
            if valuer is None:
                unknown[position.symbol] = None
                continue
            price = position.current_points or position.open_points
            valuer.add(total, position.side.value, position.volume_units, price)
        total.unknown = tuple(unknown)
        for row in coming:
            self._add_coming(total, row)
        return total

    def _add_coming(self, total: Exposure, row: IntentRow) -> None:
        intent = row.intent
        valuer = self.valuers.get(intent.symbol)
        if valuer is None or not intent.price_points:
            return
        held = (intent.side.value, intent.volume_units, intent.price_points)
        least = total.least = total.least or _signed_copy(total)
        most = total.most = total.most or _signed_copy(total)
        alone = Exposure()
        valuer.add(alone, *held)
        least.add_part(alone, -1)
        most.add_part(alone, 1)
        valuer.add(total, *held)


def _part(value: float, sign: int) -> float:
    return value if value * sign > 0 else 0.0


def _signed_copy(one: Exposure) -> Exposure:
    return Exposure(
        net_minor=one.net_minor,
        by_symbol=dict(one.by_symbol),
        by_currency=dict(one.by_currency),
    )
