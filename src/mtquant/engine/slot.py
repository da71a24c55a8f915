"""One strategy with its exits over one series."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtquant.strategy import BarsView, ExitSignal, ExitStrategy, Series, Strategy
from mtquant.strategy.exits.base import strongest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mtquant.model import Position, Side, Signal


class StrategySlot:
    """Move a strategy and its exits along a series, one closed bar at a time."""

    def __init__(self, strategy: Strategy, exits: Sequence[ExitStrategy], series: Series) -> None:
        self.strategy = strategy
        self.series = series
        self._exits = tuple(exits)
        self._view = BarsView(series)
        strategy.on_start(self._view)
        for one in self._exits:
            one.on_start(self._view)

    @property
    def symbol(self) -> str:
        """Return the symbol."""
        return self.series.symbol

    @property
    def bar_ms(self) -> int:
        """Return the open time of the newest closed bar."""
        opened: int = self.series.time_ms[self._view.index]
        return opened

    @property
    def is_history(self) -> bool:
        """Tell whether the newest closed bar was there before the run began."""
        return self._view.index < self.series.history_end

    def move_to(self, index: int) -> None:
        """Make bar `index` the newest closed one."""
        self._view.index = index

    def refresh(self) -> None:
        """Follow the series after it grew."""
        self._view.refresh()

    def signal(self) -> Signal | None:
        """Ask the strategy about the newest closed bar."""
        return self.strategy.on_bar(self._view)

    def exits_of(self, positions: Sequence[Position]) -> tuple[ExitSignal, ...]:
        """Ask the exits about each position; the highest priority wins."""
        chosen = []
        for position in positions:
            spoken = [signal for one in self._exits if (signal := one.on_bar(position, self._view))]
            winner = strongest(spoken)
            if winner is not None:
                chosen.append(winner)
        return tuple(chosen)

    def protection(self, side: Side) -> tuple[int, int | None] | None:
        """Return (stop distance, target distance) in points for a new position.

        None while an exit is not ready or none of them sets a stop.
        """
        stop: int | None = None
        target: int | None = None
        for one in self._exits:
            found = one.protection(side)
            if found is None:
                return None
            stop = found.stop_distance_points if stop is None else stop
            target = found.target_distance_points if target is None else target
        return None if stop is None else (stop, target)
