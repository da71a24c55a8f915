"""The bars a strategy may see: columns that grow, and a view that ends at the newest closed bar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mtquant.indicators import Floats, Indicator, PriceColumns, Stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtquant.model import BarRow, Bars, Timeframe

_COLUMNS = ("time_ms", "open", "high", "low", "close", "spread", "tick_volume")
_FIRST_CAPACITY = 1024


class Line:
    """Hold one indicator over a series: computed at once for history, streamed for new bars."""

    def __init__(self, indicator: Indicator, series: Series) -> None:
        self.indicator = indicator
        self._stream: Stream | None = None
        self._seen = 0
        self._values: Floats = np.empty(0)
        self.memory = self._values.data
        self.grow(series)

    @property
    def values(self) -> Floats:
        """Return float64[capacity] in points, NaN while warming up; read only.

        All who ask for this indicator are given this line: exits, sizing, the next trial.
        """
        values = self._values.view()
        values.flags.writeable = False
        return values

    def grow(self, series: Series) -> None:
        """Bring the line up to the series: whole history in one go, further bars one by one."""
        count = len(series)
        if self._stream is None and self._seen == 0 and count > 1:
            self._set(self.indicator.calculate(series.prices()))
            self._seen = count
            return
        if self._stream is None:
            self._stream = self.indicator.stream()
            for index in range(self._seen):
                self._stream.update(series.high[index], series.low[index], series.close[index])
        if len(self._values) < series.capacity:
            grown = np.full(series.capacity, np.nan)
            grown[: self._seen] = self._values[: self._seen]
            self._set(grown)
        for index in range(self._seen, count):
            bar = (series.high[index], series.low[index], series.close[index])
            self._values[index] = self._stream.update(*bar)
        self._seen = count

    def _set(self, values: Floats) -> None:
        self._values = values
        self.memory = values.data


class Series:
    """Hold the closed bars of one symbol and timeframe as columns of points.

    `decidable_from` is the index of the first bar that may be decided on: bars that were missed
    are shown to the strategy, but nothing is decided on them. Bars before `history_end` were there
    when the run began.
    """

    def __init__(self, symbol: str, timeframe: Timeframe, digits: int) -> None:
        self.symbol = symbol
        self.timeframe = timeframe
        self.digits = digits
        self.decidable_from = 0
        self.history_end = 0
        self.capacity = 0
        self._length = 0
        self._arrays: dict[str, Any] = {}
        self._lines: dict[Indicator, Line] = {}
        nothing = np.empty(0, dtype=np.int64)
        self._prices = PriceColumns(open=nothing, high=nothing, low=nothing, close=nothing)
        self._reserve(_FIRST_CAPACITY)

    @classmethod
    def over(cls, bars: Bars) -> Series:
        """Return a series that holds all of `bars`, without copying them."""
        series = cls(bars.symbol, bars.timeframe, bars.digits)
        series._arrays = {name: getattr(bars, name) for name in _COLUMNS}
        series.capacity = series._length = len(bars)
        series._refresh()
        return series

    def __len__(self) -> int:
        return self._length

    def append(self, row: BarRow) -> None:
        """Add one closed bar and stream the indicators over it.

        Raises:
            ValueError: the bar is not newer than the newest.
        """
        if self._length and row.time_ms <= self.time_ms[self._length - 1]:
            raise ValueError(f"bar {row.time_ms} does not follow {self.time_ms[self._length - 1]}")
        if self._length == self.capacity:
            self._reserve(max(_FIRST_CAPACITY, 2 * self.capacity))
        for name in _COLUMNS:
            self._arrays[name][self._length] = getattr(row, name)
        self._length += 1
        for line in self._lines.values():
            line.grow(self)

    def use(self, indicator: Indicator) -> Line:
        """Return the line of an indicator, made once per definition."""
        line = self._lines.get(indicator)
        if line is None:
            line = self._lines[indicator] = Line(indicator, self)
        return line

    @property
    def line_bytes(self) -> int:
        """Return how much memory the indicators take."""
        return len(self._lines) * max(self.capacity, self._length) * np.dtype(np.float64).itemsize

    def forget_lines(self) -> None:
        """Drop all indicators; who asks for one again has it computed again.

        For many runs over one history; a run under way would lose those that it streams.
        """
        self._lines.clear()

    def column(self, name: str) -> NDArray[Any]:
        """Return one column of all closed bars, `time_ms`, `open` ... `tick_volume`; read only."""
        column: NDArray[Any] = self._arrays[name][: self._length]
        column = column.view()
        column.flags.writeable = False
        return column

    def prices(self) -> PriceColumns:
        """Return the price columns of all closed bars."""
        end = self._length
        if len(self._prices) != end:
            names = ("open", "high", "low", "close")
            self._prices = PriceColumns(**{name: self._arrays[name][:end] for name in names})
        return self._prices

    def _reserve(self, capacity: int) -> None:
        for name in _COLUMNS:
            grown = np.zeros(capacity, dtype=np.int64)
            if self._length:
                grown[: self._length] = self._arrays[name][: self._length]
            self._arrays[name] = grown
        self.capacity = capacity
        self._refresh()

    def _refresh(self) -> None:
        self.time_ms = self._arrays["time_ms"].data
        self.open = self._arrays["open"].data
        self.high = self._arrays["high"].data
        self.low = self._arrays["low"].data
        self.close = self._arrays["close"].data
        self.spread = self._arrays["spread"].data
        self.tick_volume = self._arrays["tick_volume"].data
