"""The example strategy: two moving averages that cross."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mtquant.indicators import Sma
from mtquant.model import ConfigError, Direction, Signal
from mtquant.strategy.base import Strategy
from mtquant.strategy.columns import Columns, Signals, crossings

if TYPE_CHECKING:
    from mtquant.strategy.view import BarsView


@dataclass(frozen=True, slots=True, kw_only=True)
class SmaCrossoverParameters:
    """Hold the two window lengths, in bars."""

    fast: int = 20
    slow: int = 50

    def __post_init__(self) -> None:
        """Refuse windows that cannot cross.

        Raises:
            ConfigError: a window is empty, or the fast one is not shorter.
        """
        if self.fast < 1:
            raise ConfigError(f"fast must be at least 1 bar, was {self.fast}")
        if self.slow <= self.fast:
            raise ConfigError(f"slow must be longer than fast ({self.fast}), was {self.slow}")


class SmaCrossover(Strategy):
    """Go long when the fast average crosses above the slow one, short when it crosses below."""

    Parameters = SmaCrossoverParameters

    def on_start(self, bars: BarsView) -> None:
        """Ask for the two averages."""
        self._fast = bars.use(Sma(self.parameters.fast))
        self._slow = bars.use(Sma(self.parameters.slow))

    def on_bar(self, bars: BarsView) -> Signal | None:
        """Return a signal on the bar where the averages crossed."""
        if bars.index < self.parameters.slow:
            return None
        fast, slow = self._fast[-1], self._slow[-1]
        fast_before, slow_before = self._fast[-2], self._slow[-2]
        if fast > slow and fast_before <= slow_before:
            return self.signal(bars, Direction.LONG, reason="fast average crossed above slow")
        if fast < slow and fast_before >= slow_before:
            return self.signal(bars, Direction.SHORT, reason="fast average crossed below slow")
        return None

    def signals(self, bars: Columns) -> Signals:
        """Return the same for every bar at once."""
        return crossings(bars.use(Sma(self.parameters.fast)), bars.use(Sma(self.parameters.slow)))
