"""Whole columns of a series, for strategies that state all their signals at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from mtquant.indicators import pieces
from mtquant.model import Direction, Signal, StrategyError

if TYPE_CHECKING:
    from mtquant.indicators import Floats, Indicator
    from mtquant.model import Timeframe
    from mtquant.strategy.series import Series

NOTHING, LONG, SHORT, FLAT = 0, 1, -1, 2
Signals = NDArray[np.int8]
"""int8[n], what a strategy says about each closed bar: `LONG`, `SHORT`, `FLAT` or `NOTHING`."""

DIRECTIONS: Final = {LONG: Direction.LONG, SHORT: Direction.SHORT, FLAT: Direction.FLAT}
CODES: Final = {direction: code for code, direction in DIRECTIONS.items()}


class PointArrays:
    """Show the price columns as whole points, int32[n] or int64[n]."""

    def __init__(self, series: Series) -> None:
        self._series = series

    def __getattr__(self, name: str) -> Any:
        if name not in {"open", "high", "low", "close", "spread"}:
            raise AttributeError(f"there is no column {name!r}; use open, high, low, close, spread")
        return self._series.column(name)


class Columns:
    """Show all closed bars of a series as arrays: what a strategy may state signals from.

    `points.close` are whole points, `close` prices (float64), `time_ms` UTC milliseconds,
    `use(indicator)` float64[n] in points. Row i of the signals may look at rows up to i only.
    """

    def __init__(self, series: Series) -> None:
        self._series = series
        self.points = PointArrays(series)

    def __len__(self) -> int:
        return len(self._series)

    @property
    def symbol(self) -> str:
        """Return the symbol."""
        return self._series.symbol

    @property
    def timeframe(self) -> Timeframe:
        """Return the bar length."""
        return self._series.timeframe

    @property
    def time_ms(self) -> NDArray[np.int64]:
        """Return the open times, int64[n], UTC milliseconds."""
        return self._series.column("time_ms")

    @property
    def tick_volume(self) -> NDArray[np.int64]:
        """Return the numbers of ticks, int64[n]."""
        return self._series.column("tick_volume")

    @property
    def open(self) -> Floats:
        """Return the opening prices, float64[n]."""
        return self._prices("open")

    @property
    def high(self) -> Floats:
        """Return the highest prices, float64[n]."""
        return self._prices("high")

    @property
    def low(self) -> Floats:
        """Return the lowest prices, float64[n]."""
        return self._prices("low")

    @property
    def close(self) -> Floats:
        """Return the closing prices, float64[n]."""
        return self._prices("close")

    def use(self, indicator: Indicator) -> Floats:
        """Return an indicator over all bars, float64[n] in points, NaN while warming up."""
        return self._series.use(indicator).values[: len(self._series)]

    def _prices(self, name: str) -> Floats:
        prices: Floats = self._series.column(name) / 10**self._series.digits
        return prices


def crossings(fast: Floats, slow: Floats) -> Signals:
    """Return where one line crosses another: LONG on the way up, SHORT on the way down.

    It crosses where it lies beyond and did not lie beyond one bar before; NaN crosses nothing.
    """
    said = np.zeros(len(fast), dtype=np.int8)
    for rows in pieces(len(fast) - 1):
        here = slice(rows.start, rows.stop + 1)  # one bar more, to look back at
        above = (fast[here] > slow[here]).view(np.int8)
        below = (fast[here] < slow[here]).view(np.int8)
        up, down = above[1:] > above[:-1], below[1:] > below[:-1]
        np.subtract(up.view(np.int8), down.view(np.int8), out=said[1:][rows])
    crossed = np.flatnonzero(said.view(np.bool_))
    from_nothing = np.isnan(fast[crossed - 1]) | np.isnan(slow[crossed - 1])
    said[crossed[from_nothing]] = NOTHING
    return said


def require_signal(said: object, who: str, bar: int) -> Signal:
    """Return what a strategy said about a bar if it is a signal.

    Raises:
        StrategyError: it is something else; the message names the strategy and the bar's row.
    """
    if not isinstance(said, Signal):
        raise StrategyError(
            f"{who}: at bar {bar} it said {said!r:.60}; return None or a Signal, such as "
            "self.signal(bars, Direction.LONG)"
        )
    return said


def require_signals(said: object, count: int, who: str) -> Signals:
    """Return a strategy's signals if they are some.

    Raises:
        StrategyError: not int8, of another length, or a number that means nothing.
    """
    if not isinstance(said, np.ndarray) or said.dtype != np.int8 or said.shape != (count,):
        was = f"{said.dtype}{said.shape}" if isinstance(said, np.ndarray) else repr(type(said))
        raise StrategyError(f"{who}: signals must be int8[{count}], one for each bar; were {was}")
    if count and (said.min() < SHORT or said.max() > FLAT):
        row = int(np.flatnonzero((said < SHORT) | (said > FLAT))[0])
        raise StrategyError(
            f"{who}: signals[{row}] is {said[row]}; say 1 (long), -1 (short), 2 (leave) or "
            "0 (nothing)"
        )
    return said
