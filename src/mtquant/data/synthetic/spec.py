"""What to ask of the synthetic market, in people's words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from mtquant.data.catalogue import instrument_specs
from mtquant.data.synthetic.assets import legs
from mtquant.data.synthetic.market import SyntheticMarket
from mtquant.model import ConfigError, ServerClock
from mtquant.model.reading import nearest
from mtquant.model.server_clock import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mtquant.exchange import InstrumentSpec
    from mtquant.model import Bars

_EPOCH: Final = date(1970, 1, 1)
_MOST_YEARS: Final = 70


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticSpec:
    """Choose a market by its `seed`, and which of its days: `years` and `days` from `start` on.

    `start` is a date of the server; without `years` and `days` it is one year. `volatility`
    multiplies that of everything.
    """

    symbols: tuple[str, ...]
    seed: int = 1
    start: str = "2024-01-01"
    years: int = 0
    days: int = 0
    volatility: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what no market can be made of.

        Raises:
            ConfigError: the message names the key, the value and what would be right.
        """
        if not self.symbols:
            raise ConfigError("symbols: at least one is needed")
        for symbol in self.symbols:
            legs(symbol)
        if len(set(self.symbols)) < len(self.symbols):
            raise ConfigError(f"symbols must differ, were {', '.join(self.symbols)}")
        if self.seed < 0:
            raise ConfigError(f"seed must not be negative, was {self.seed}")
        for name, most in (("years", _MOST_YEARS), ("days", 366 * _MOST_YEARS)):
            if not 0 <= getattr(self, name) <= most:
                raise ConfigError(f"{name} must be 0 to {most}, was {getattr(self, name)}")
        if not (math.isfinite(self.volatility) and 0 < self.volatility <= 5):
            raise ConfigError(f"volatility must be above 0, at most 5, was {self.volatility}")
        self._first_day()

    def range_ms(self, clock: ServerClock) -> tuple[int, int]:
        """Return the first instant and the one after the last, UTC, by a server's clock."""
        first = self._first_day()
        years = self.years if self.years or self.days else 1
        kept = date(first.year + years, first.month, min(first.day, 28))
        end = kept + timedelta(days=max(0, first.day - 28) + self.days)
        return _midnight_ms(first, clock), _midnight_ms(end, clock)

    def _first_day(self) -> date:
        try:
            return date.fromisoformat(self.start)
        except ValueError as error:
            raise ConfigError(
                f"start must be a date such as 2024-01-31, was {self.start!r}"
            ) from error


def synthetic_bars(
    spec: SyntheticSpec,
    instruments: Mapping[str, InstrumentSpec] | None = None,
    *,
    clock: ServerClock | None = None,
    until_ms: int | None = None,
) -> dict[str, Bars]:
    """Return the M1 bars that a specification describes.

    Args:
        spec: which symbols, days and market.
        instruments: the rules of the symbols; those of the catalogue when not given.
        clock: the server's; `eet_eu` when not given.
        until_ms: only bars that have closed by this instant (UTC).

    Raises:
        ConfigError: a symbol is in neither, or the market knows no such days.

    >>> bars = synthetic_bars(SyntheticSpec(symbols=("EURJPY",), days=2))["EURJPY"]
    >>> len(bars), bars.digits
    (2880, 3)
    """
    listed = instrument_specs(spec.symbols) if instruments is None else instruments
    missing = [symbol for symbol in spec.symbols if symbol not in listed]
    if missing:
        raise ConfigError(f"symbols: {missing[0]!r}: {nearest(missing[0], list(listed))}")
    clock = clock or ServerClock("eet_eu")
    first, end = spec.range_ms(clock)
    market = SyntheticMarket(
        {symbol: listed[symbol] for symbol in spec.symbols},
        clock=clock,
        seed=spec.seed,
        volatility=spec.volatility,
    )
    return market.bars(first, end if until_ms is None else max(first, min(end, until_ms)))


def _midnight_ms(day: date, clock: ServerClock) -> int:
    return clock.to_utc_ms((day - _EPOCH).days * DAY_MS)
