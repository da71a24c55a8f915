"""One strategy with its exits over one series."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtquant.engine.longer import LongerViews
from mtquant.strategy import (
    BarsView,
    ExitSignal,
    ExitStrategy,
    Series,
    Strategy,
    TickView,
    require_signal,
)
from mtquant.strategy.exits.base import strongest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mtquant.engine.orders import OrderMaker
    from mtquant.model import Position, Quote, ServerClock, Side, Signal, Timeframe

    LongerSource = Callable[[Timeframe], Series]


class StrategySlot:
    """Move a strategy and its exits along a series, one closed bar at a time.

    Each slot has a series object of its own. `longer_source` makes the series of a longer
    timeframe that the strategy asks for: a whole one in a backtest, live an empty one that grows.
    """

    def __init__(
        self,
        strategy: Strategy,
        exits: Sequence[ExitStrategy],
        series: Series,
        orders: OrderMaker,
        *,
        clock: ServerClock | None = None,
        longer_source: LongerSource | None = None,
    ) -> None:
        self.strategy = strategy
        self.series = series
        self.orders = orders
        self.strategy_id = orders.strategy_id
        self.symbol = series.symbol
        self.forming_ms: int | None = None  # when the bar after the newest opened, told live
        self._exits = tuple(exits)
        self._longer = LongerViews(self.strategy_id, series, clock, longer_source)
        self._view = BarsView(series)
        self._view.find_longer = self._longer.find
        self._ticks = TickView(self._view, series.digits)
        self.wants_ticks = strategy.wants_ticks
        strategy.on_start(self._view)
        for one in self._exits:
            one.on_start(self._view)

    @property
    def longer_series(self) -> tuple[Series, ...]:
        """Return the series of the longer timeframes that are looked at."""
        return self._longer.series

    @property
    def bar_ms(self) -> int:
        """Return the open time of the newest closed bar."""
        opened: int = self.series.time_ms[self._view.index]
        return opened

    @property
    def index(self) -> int:
        """Return the index of the newest closed bar, -1 before the first."""
        return self._view.index

    @property
    def last_close_points(self) -> int:
        """Return the close of the newest closed bar (points of the bid), 0 before the first."""
        index = self._view.index
        return int(self.series.close[index]) if 0 <= index < len(self.series) else 0

    @property
    def is_history(self) -> bool:
        """Tell whether the newest closed bar was there before the run began."""
        return self._view.index < self.series.history_end

    def move_to(self, index: int) -> None:
        """Make bar `index` the newest closed one."""
        self._view.index = index
        if self._longer.are_used:
            self._longer.follow(index, self.forming_ms)

    def refresh(self) -> None:
        """Follow the series after they grew."""
        self._view.refresh()
        self._longer.refresh()

    def signal(self) -> Signal | None:
        """Ask the strategy about the newest closed bar."""
        said = self.strategy.on_bar(self._view)
        if said is None:
            return None
        return require_signal(said, self.strategy.strategy_id, self._view.index)

    def tick_signal(self, quote: Quote) -> Signal | None:
        """Ask the strategy about a tick; the first bar has to be closed before it is asked."""
        is_new = quote.time_ms > self._ticks.time_ms
        self._ticks.show(quote)
        said = self.strategy.on_tick(self._ticks) if is_new and len(self._view) else None
        if said is None:
            return None
        return require_signal(said, self.strategy.strategy_id, self._view.index)

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
