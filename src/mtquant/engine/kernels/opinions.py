"""What a strategy says about every bar, before any of it is traded.

A strategy sees bars and nothing else: never the account, an order or the broker. So what it says
does not depend on what is traded, and can be asked for first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtquant.engine.longer import LongerViews
from mtquant.strategy import CODES, BarsView, Columns, Signals, require_signal, require_signals

if TYPE_CHECKING:
    from mtquant.strategy import Series, Strategy


@dataclass(frozen=True, slots=True)
class Said:
    """Hold what a strategy says: int8[n], and the strengths of its signals where they differ."""

    directions: Signals
    strengths: NDArray[np.float64] | None = None


def ask(strategy: Strategy, series: Series, longer: LongerViews | None = None) -> Said:
    """Return what a new strategy says about every bar of a series.

    `longer` has the bars of longer timeframes, for strategies that look at some.

    Raises:
        StrategyError: its signals are of the wrong shape or mean nothing.
        ConfigError: it asks for longer bars, and there are none.
    """
    said = strategy.signals(Columns(series))
    if said is not None:
        return Said(require_signals(said, len(series), type(strategy).__name__))
    if longer is None:
        longer = LongerViews(strategy.strategy_id, series)
    return _ask_bar_by_bar(strategy, series, longer)


def _ask_bar_by_bar(strategy: Strategy, series: Series, longer: LongerViews) -> Said:
    view = BarsView(series)
    view.find_longer = longer.find
    strategy.on_start(view)
    on_bar = strategy.on_bar
    count = len(series)
    directions = np.zeros(count, dtype=np.int8)
    strengths = np.ones(count)
    for index in range(count - 1):  # nothing comes after the last bar that could be traded
        view.index = index
        if longer.are_used:
            longer.follow(index)
        signal = on_bar(view)
        if signal is not None:
            require_signal(signal, strategy.strategy_id, index)
            directions[index] = CODES[signal.direction]
            strengths[index] = signal.strength
    return Said(directions, None if (strengths == 1.0).all() else strengths)
