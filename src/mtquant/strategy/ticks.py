"""What a strategy sees of a tick: the newest quote of its symbol, and its closed bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mtquant.model import Quote
    from mtquant.strategy.view import BarsView


class TickView:
    """Show the newest tick: prices as floats, `*_points` as whole points, times UTC milliseconds.

    `bars` are the closed bars. The bar that this very tick closes is not among them yet: ticks come
    before closing bars.
    """

    def __init__(self, bars: BarsView, digits: int) -> None:
        self.bars = bars
        self.time_ms = -1
        self.bid_points = 0
        self.ask_points = 0
        self._divisor = float(10**digits)

    @property
    def symbol(self) -> str:
        """Return the symbol."""
        return self.bars.symbol

    @property
    def bid(self) -> float:
        """Return the bid price."""
        return self.bid_points / self._divisor

    @property
    def ask(self) -> float:
        """Return the ask price."""
        return self.ask_points / self._divisor

    @property
    def spread_points(self) -> int:
        """Return ask minus bid."""
        return self.ask_points - self.bid_points

    def show(self, quote: Quote) -> None:
        """Make a quote the newest tick."""
        self.time_ms = quote.time_ms
        self.bid_points, self.ask_points = quote.bid_points, quote.ask_points
