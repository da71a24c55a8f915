"""What a strategy sees of a series: nothing newer than the newest closed bar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mtquant.model import ConfigError
from mtquant.strategy.columns import Columns

if TYPE_CHECKING:
    from collections.abc import Callable

    from mtquant.indicators import Indicator
    from mtquant.model import Timeframe
    from mtquant.strategy.series import Line, Series


class Column:
    """Read one column up to the cursor: `[-1]` is the newest closed bar, `[0]` the oldest.

    Reading past either end is an IndexError.
    """

    __slots__ = ("_divisor", "_view", "memory")

    def __init__(self, view: BarsView, divisor: int | None) -> None:
        self._view = view
        self._divisor = divisor
        self.memory: Any = ()

    def __len__(self) -> int:
        return self._view.index + 1

    def __getitem__(self, position: int) -> Any:
        index = self._view.index + 1 + position  # as `absolute` counts; a call less on most reads
        if position >= 0 or index < 0:
            index = self._view.absolute(position)
        value = self.memory[index]
        return value if self._divisor is None else value / self._divisor


class LineColumn:
    """Read an indicator up to the cursor: values in points, NaN while warming up."""

    __slots__ = ("_line", "_view")

    def __init__(self, view: BarsView, line: Line) -> None:
        self._view = view
        self._line = line

    def __len__(self) -> int:
        return self._view.index + 1

    def __getitem__(self, position: int) -> float:
        index = self._view.index + 1 + position  # as `absolute` counts; a call less on most reads
        if position >= 0 or index < 0:
            index = self._view.absolute(position)
        value: float = self._line.memory[index]
        return value


class PointColumns:
    """Read the price columns as whole points."""

    __slots__ = ("close", "high", "low", "open", "spread")

    def __init__(self, view: BarsView) -> None:
        self.open = Column(view, None)
        self.high = Column(view, None)
        self.low = Column(view, None)
        self.close = Column(view, None)
        self.spread = Column(view, None)


class BarsView:
    """Show a series up to its newest closed bar.

    `close[-1]` is a float price, `points.close[-1]` the same as whole points, `index` the position
    of the newest closed bar, `time_ms[-1]` its open time in UTC milliseconds.
    """

    def __init__(self, series: Series) -> None:
        divisor = 10**series.digits
        self._series = series
        self.index = -1
        self.time_ms = Column(self, None)
        self.open = Column(self, divisor)
        self.high = Column(self, divisor)
        self.low = Column(self, divisor)
        self.close = Column(self, divisor)
        self.tick_volume = Column(self, None)
        self.points = PointColumns(self)
        self.refresh()

    @property
    def symbol(self) -> str:
        """Return the symbol."""
        return self._series.symbol

    @property
    def timeframe(self) -> Timeframe:
        """Return the bar length."""
        return self._series.timeframe

    @property
    def close_ms(self) -> int:
        """Return when the newest bar's time ended, UTC milliseconds.

        Raises:
            IndexError: no bar is closed yet.
        """
        opened: int = self._series.time_ms[self.absolute(-1)]
        return opened + self._series.timeframe.duration_ms

    def __len__(self) -> int:
        return self.index + 1

    def use(self, indicator: Indicator) -> LineColumn:
        """Return an indicator over these bars; ask once, in `on_start`."""
        return LineColumn(self, self._series.use(indicator))

    def columns(self) -> Columns:
        """Return the whole series as columns, for strategies that state signals at once."""
        return Columns(self._series)

    def absolute(self, position: int) -> int:
        """Return the index of a position, counted from the newest bar when negative.

        Raises:
            IndexError: the position lies outside the closed bars.
        """
        count = self.index + 1
        index = position + count if position < 0 else position
        if not 0 <= index < count:
            raise IndexError(f"bar {position} is not among the {count} closed bars")
        return index

    def refresh(self) -> None:
        """Follow the series after its columns moved to larger ones."""
        series = self._series
        self.time_ms.memory = series.time_ms
        self.tick_volume.memory = series.tick_volume
        self.points.spread.memory = series.spread
        for name in ("open", "high", "low", "close"):
            memory = getattr(series, name)
            getattr(self, name).memory = memory
            getattr(self.points, name).memory = memory

    find_longer: Callable[[Timeframe], BarsView] | None = None

    def longer(self, timeframe: Timeframe) -> BarsView:
        """Return bars of a longer timeframe, up to the newest closed one; ask once, in `on_start`.

        The bar that is still forming is not among them. Prices are those of the same symbol, cut
        by the server's calendar.

        Raises:
            ConfigError: the timeframe is not longer, or these bars stand alone.
        """
        if self.find_longer is None:
            raise ConfigError(f"{self.symbol}: there are no {timeframe.name} bars beside these")
        return self.find_longer(timeframe)
