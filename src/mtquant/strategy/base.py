"""What a strategy is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mtquant.model import Direction, Signal
from mtquant.strategy.columns import DIRECTIONS, require_signals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mtquant.strategy.columns import Columns, Signals
    from mtquant.strategy.ticks import TickView
    from mtquant.strategy.view import BarsView


@dataclass(frozen=True, slots=True, kw_only=True)
class NoParameters:
    """Be the parameters of a strategy that has none."""


class Strategy(ABC):
    """Turn closed bars into opinions. It never sees the account, the orders or the broker.

    A subclass names its `Parameters` (a frozen dataclass that checks itself) and writes `on_bar`;
    indicators are asked for once, in `on_start`. The same class runs in a backtest and live.
    """

    Parameters: ClassVar[type[Any]] = NoParameters

    def __init__(self, strategy_id: str, parameters: Any = None) -> None:
        self.strategy_id = strategy_id
        self.parameters = self.Parameters() if parameters is None else parameters

    def on_start(self, bars: BarsView) -> None:  # noqa: B027 - optional to override
        """Ask for indicators; no bar is visible yet."""

    @abstractmethod
    def on_bar(self, bars: BarsView) -> Signal | None:
        """Return an opinion about the newest closed bar, or None for no change of mind."""

    def signals(self, bars: Columns) -> Signals | None:  # noqa: ARG002 - optional to override
        """Return what `on_bar` says about every bar, int8[n] at once; None: ask `on_bar` instead.

        Where it is stated, whole runs are played by compiled code. Row i must follow from bars up
        to i, and say what `on_bar` says there.
        """
        return None

    def state(self) -> Mapping[str, object]:
        """Return what the strategy remembers, for people."""
        return {"strategy_id": self.strategy_id, "parameters": self.parameters}

    def signal(
        self, bars: BarsView, direction: Direction, *, strength: float = 1.0, reason: str = ""
    ) -> Signal:
        """Return a signal about the newest closed bar."""
        opened_ms = bars.time_ms[-1]
        return Signal(
            signal_id=f"{self.strategy_id}:{bars.symbol}:{bars.timeframe.name}:{opened_ms}",
            strategy_id=self.strategy_id,
            time_ms=bars.close_ms,
            symbol=bars.symbol,
            timeframe=bars.timeframe,
            direction=direction,
            strength=strength,
            price_points=bars.points.close[-1],
            reason=reason,
        )

    def on_tick(self, ticks: TickView) -> Signal | None:  # noqa: ARG002 - to override
        """Return an opinion about the newest tick, or None for no change of mind.

        Called only where a subclass overrides it, once a bar has closed: on every tick of a
        backtest, and live on the newest at each look.
        """
        return None

    @property
    def wants_ticks(self) -> bool:
        """Tell whether the strategy looks at ticks."""
        return type(self).on_tick is not Strategy.on_tick

    def tick_signal(
        self, ticks: TickView, direction: Direction, *, strength: float = 1.0, reason: str = ""
    ) -> Signal:
        """Return a signal about the newest tick."""
        bars = ticks.bars
        price = ticks.ask_points if direction is Direction.LONG else ticks.bid_points
        return Signal(
            signal_id=f"{self.strategy_id}:{bars.symbol}:tick:{ticks.time_ms}",
            strategy_id=self.strategy_id,
            time_ms=ticks.time_ms,
            symbol=bars.symbol,
            timeframe=bars.timeframe,
            direction=direction,
            strength=strength,
            price_points=price,
            reason=reason,
        )


class ArrayStrategy(Strategy):
    """Be a strategy that states `signals` and nothing else; runs everywhere, live too.

    Live, the columns of all bars so far are looked at again with each bar that closes.
    """

    def on_start(self, bars: BarsView) -> None:
        """Keep the columns in view."""
        self._columns = bars.columns()
        self._said: Signals = np.zeros(0, dtype=np.int8)

    @abstractmethod
    def signals(self, bars: Columns) -> Signals:
        """Return what there is to say about every bar, int8[n]; row i follows from bars up to i."""

    def on_bar(self, bars: BarsView) -> Signal | None:
        """Return what the signals say about the newest closed bar."""
        count = len(self._columns)
        if len(self._said) != count:
            said = self.signals(self._columns)
            self._said = require_signals(said, count, type(self).__name__)
        direction = DIRECTIONS.get(int(self._said[bars.index]))
        return None if direction is None else self.signal(bars, direction)
