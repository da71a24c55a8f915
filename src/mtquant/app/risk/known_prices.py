"""What a configuration's data tell of prices at a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from mtquant.app.sources import load_source
from mtquant.model import ConfigError, DataError, Ticks
from mtquant.portfolio.correlation import Closes, correlation

if TYPE_CHECKING:
    from mtquant.app.config import LoadedConfig

_NONE: Final = (np.array([], dtype=np.int64), np.array([], dtype=np.int64))


class KnownPrices:
    """Hold the closes of bars, or bids of ticks, that were known at a moment (UTC ms)."""

    def __init__(self, loaded: LoadedConfig, at_ms: int) -> None:
        self._loaded, self._at_ms = loaded, at_ms
        self._closes: dict[str, Closes] = {}
        self._of_bars: set[str] = set()

    def last_points(self, symbol: str) -> int:
        """Return the newest price of a symbol, 0 where none is known yet.

        Raises:
            InputError: the data cannot be read.
        """
        _, closes = self._known(symbol)
        return int(closes[-1]) if len(closes) else 0

    def last_points_if_any(self, symbol: str) -> int:
        """Return the newest price of a symbol, 0 where none is known or the data are not there."""
        try:
            return self.last_points(symbol)
        except (ConfigError, DataError):  # a price was given: the data are only compared with
            return 0

    def likeness(self, one: str, other: str, bars: int) -> float | None:
        """Return the correlation of two symbols' newest bars, None where it is not known."""
        first, second = self._known(one), self._known(other)
        if not {one, other} <= self._of_bars:
            return None
        newest = slice(-2 * bars, None)
        return correlation(
            (first[0][newest], first[1][newest]), (second[0][newest], second[1][newest]), bars
        )

    def _known(self, symbol: str) -> Closes:
        if not self._closes:
            self._load()
        return self._closes.get(symbol, _NONE)

    def _load(self) -> None:
        for spec in self._loaded.config.sources:
            source = load_source(self._loaded, spec)
            if source.symbol in self._closes:
                continue
            is_ticks = isinstance(source, Ticks)
            prices = source.bid if isinstance(source, Ticks) else source.close
            takes_ms = 0 if isinstance(source, Ticks) else source.timeframe.duration_ms
            count = int(np.searchsorted(source.time_ms, self._at_ms - takes_ms, side="right"))
            self._closes[source.symbol] = (source.time_ms[:count], prices[:count])
            if not is_ticks:
                self._of_bars.add(source.symbol)
