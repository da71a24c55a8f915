"""Strategies whose `signals` and `on_bar` are at odds, for tests that must find them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mtquant.model import Direction, Signal
from mtquant.strategy import ArrayStrategy, SmaCrossover, Strategy

if TYPE_CHECKING:
    from mtquant.strategy import BarsView, Columns, Signals

EVERY = 25
"""Strategies here speak at each so manieth bar, in turn long and short."""
ODD = 3 * EVERY
"""The bar at which two forms of a strategy are at odds."""


def in_turn(count: int) -> Signals:
    """Return signals at each so manieth bar."""
    said = np.zeros(count, dtype=np.int8)
    said[EVERY::EVERY] = np.resize([1, -1], len(said[EVERY::EVERY]))
    return said


class Turns(Strategy):
    """Say the same in both forms."""

    def on_bar(self, bars: BarsView) -> Signal | None:
        """Return what the bar's number says."""
        turn, rest = divmod(bars.index, EVERY)
        if rest or not turn:
            return None
        return self.signal(bars, Direction.LONG if turn % 2 else Direction.SHORT, reason="my turn")

    def signals(self, bars: Columns) -> Signals:
        """Return the same at once."""
        return in_turn(len(bars))


class Contrary(Turns):
    """Say something else at one bar."""

    def signals(self, bars: Columns) -> Signals:
        """Return the opposite at one bar."""
        said = in_turn(len(bars))
        said[ODD : ODD + 1] *= -1
        return said


class Hesitant(Turns):
    """Be less sure at one bar than the signals can say."""

    def on_bar(self, bars: BarsView) -> Signal | None:
        """Return half a signal at one bar."""
        said = super().on_bar(bars)
        if said is None or bars.index != ODD:
            return said
        return self.signal(bars, said.direction, strength=0.5)


class Prophet(ArrayStrategy):
    """Know where the next bar closes."""

    def signals(self, bars: Columns) -> Signals:
        """Return where the next bar goes, at each so manieth bar."""
        close = bars.points.close
        said = in_turn(len(bars))
        rises = np.append(close[1:] > close[:-1], False)
        return np.where(said != 0, np.where(rises, 1, -1), 0).astype(np.int8)


class Shapeless(Turns):
    """State signals of the wrong shape."""

    def signals(self, bars: Columns) -> Signals:
        """Return too few."""
        return in_turn(len(bars) - 1)


class Silent(SmaCrossover):
    """State no signals."""

    def signals(self, bars: Columns) -> None:  # type: ignore[override]
        """Return nothing."""
