"""What positions are worth, kept up to date by readings and never computed in the gate."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mtquant.exchange import Terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mtquant.model import IntentRow, Position


@dataclass(slots=True, eq=False)
class Exposure:
    """Hold sums in minor units of the account's currency.

    `net`, `by_symbol` and `by_currency` are signed, the others sums of sizes. A long EURUSD
    position adds its value to EUR and takes it from USD. `coming` is the part of the signed sums
    that no position shows yet, by what it is of (`net`, `symbol EURUSD`, `currency EUR`) and by
    sign: what may never come must not make room for an entry on the other side. `unknown` names
    symbols whose value nobody can tell: their terms are not known here; `uncapped` the symbols,
    each with its class, that no leverage cap bounds.
    """

    gross_minor: float = 0.0
    net_minor: float = 0.0
    at_caps_minor: float = 0.0
    by_symbol: dict[str, float] = field(default_factory=dict)
    by_class: dict[str, float] = field(default_factory=dict)
    by_currency: dict[str, float] = field(default_factory=dict)
    coming: dict[tuple[str, int], float] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    uncapped: dict[str, str] = field(default_factory=dict)

    def without_coming(self, name: str, total: float, side: int) -> float:
        """Return a signed sum without what is on its way to a side (+1 or -1), minor units.

        `name` says what `total` is of, as in `coming`.
        """
        return total - self.coming.get((name, side), 0.0)


@dataclass(frozen=True, slots=True)
class Valuer:
    """Value volumes of one symbol; `leverage_cap` is what regulation allows, 0 for no cap.

    `asset_class` is the class by which exposure is summed, `leverage_class` the finer one of caps.
    """

    terms: Terms
    asset_class: str
    leverage_cap: float = 0.0
    leverage_class: str = ""

    def value_minor(self, units: int, price_points: float) -> float:
        """Return what a volume is worth, minor units of the account's currency, not rounded.

        value = volume x contract x price, converted from the profit currency at that price.
        """
        return self.terms.value(units, price_points)

    def add(self, total: Exposure, side: int, units: int, price_points: float) -> float:
        """Add a volume to sums; return what it is worth, minor units."""
        value = self.value_minor(units, price_points)
        signed = side * value
        instrument = self.terms.instrument
        total.gross_minor += value
        total.net_minor += signed
        name, kind = instrument.symbol, self.asset_class
        if self.leverage_cap:
            total.at_caps_minor += value / self.leverage_cap
        else:
            total.uncapped[name] = self.leverage_class
        total.by_symbol[name] = total.by_symbol.get(name, 0.0) + signed
        total.by_class[kind] = total.by_class.get(kind, 0.0) + value
        currencies = total.by_currency
        bought, paid = instrument.base_currency, instrument.profit_currency
        if bought != paid:
            currencies[bought] = currencies.get(bought, 0.0) + signed
            signed = -signed
        currencies[paid] = currencies.get(paid, 0.0) + signed
        return value

    def add_coming(self, total: Exposure, side: int, units: int, price_points: float) -> None:
        """Add a volume that no position shows yet."""
        value = self.add(total, side, units, price_points)
        instrument = self.terms.instrument
        bought, paid = instrument.base_currency, instrument.profit_currency
        parts = [("net", side), (f"symbol {instrument.symbol}", side)]
        parts.append((f"currency {bought}", side))
        if bought != paid:
            parts.append((f"currency {paid}", -side))
        for name, sign in parts:
            total.coming[name, sign] = total.coming.get((name, sign), 0.0) + sign * value


class ExposureBook:
    """Sum up what the broker shows and what is on its way, whenever either changes."""

    def __init__(self, valuers: Mapping[str, Valuer]) -> None:
        self.valuers = dict(valuers)

    def sum(self, positions: Iterable[Position], coming: Iterable[IntentRow]) -> Exposure:
        """Return the exposure of positions and of entries that no reading shows yet.

        Of an entry that is still being filled, what its position does not show counts as well.
        """
        held = tuple(positions)
        total = Exposure()
        unknown: dict[str, None] = {}
        for position in held:
            valuer = self.valuers.get(position.symbol)
            if valuer is None:
                unknown[position.symbol] = None
                continue
            price = position.current_points or position.open_points
            valuer.add(total, position.side.value, position.volume_units, price)
        for row, units in not_shown(held, coming):
            intent = row.intent
            valuer = self.valuers.get(intent.symbol)
            if valuer is not None and intent.price_points:
                valuer.add_coming(total, intent.side.value, units, intent.price_points)
        total.unknown = tuple(unknown)
        return total


def not_shown(
    positions: Iterable[Position], coming: Iterable[IntentRow]
) -> list[tuple[IntentRow, int]]:
    """Return the entries that positions do not show, or not wholly, and how much of each (units).

    Of one that is still being filled it is the rest; what is missing of one that has ended was
    closed.
    """
    shown: dict[int, int] = {}  # by intent: units
    for position in positions:
        number = position.intent_id
        shown[number] = shown.get(number, 0) + position.volume_units
    found = []
    for row in coming:
        known = shown.get(row.intent_id)
        units = row.intent.volume_units - (known or 0)
        if units > 0 and (known is None or row.is_open):
            found.append((row, units))
    return found
