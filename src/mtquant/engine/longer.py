"""The closed bars of a longer timeframe, as a strategy may see them when one of its bars closes."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

import numpy as np

from mtquant.data import period_starts, server_times
from mtquant.model import ConfigError
from mtquant.strategy import BarsView

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mtquant.model import ServerClock, Timeframe
    from mtquant.strategy import Series


class LongerBars:
    """Keep the view of a longer timeframe at its newest closed bar, never at the forming one.

    A bar of the strategy's own series is closed by the first price after it. That price belongs to
    some bar of the longer timeframe, by the server's calendar: those before it are closed. So it
    makes no difference whether the longer series holds the future, as in a backtest, or not.
    """

    def __init__(self, base: Series, series: Series, clock: ServerClock) -> None:
        self.series = series
        self.view = BarsView(series)
        self._base = base
        self._clock = clock
        self._forming: list[int] = []  # open time of the longer bar that forms as each bar closes

    def follow(self, index: int, next_ms: int | None) -> None:
        """Move to what is closed when bar `index` of the strategy's series closes.

        `next_ms` is when the bar after the newest one opened, None where nobody knows it: then it
        is taken to follow at once.
        """
        if index >= len(self._forming):
            self._learn()
        if index < len(self._forming):
            opened = self._forming[index]
        else:
            newest: int = self._base.time_ms[index]
            following = newest + self._base.timeframe.duration_ms if next_ms is None else next_ms
            opened = self._opened(np.array([following]))[0]
        closed = bisect_left(self.series.time_ms, opened, 0, len(self.series)) - 1
        self.view.index = max(self.view.index, closed)  # never back when the clock is set back

    def _learn(self) -> None:
        """Find what forms at the opening of every bar that follows a known one."""
        known = len(self._forming) + 1
        times = np.asarray(self._base.time_ms)[known : len(self._base)]
        if len(times):
            self._forming += self._opened(times.astype(np.int64))

    def _opened(self, times_ms: NDArray[np.int64]) -> list[int]:
        starts = period_starts(server_times(times_ms, self._clock), self.series.timeframe)
        utc = {int(ms): self._clock.to_utc_ms(int(ms)) for ms in np.unique(starts)}
        return [utc[int(ms)] for ms in starts]


class LongerViews:
    """Hold the longer timeframes that one strategy asks for.

    `source` makes the series of a timeframe: a whole one in a backtest, live an empty one that
    grows. Without it, or without the server's clock, there are none. `are_used` tells whether the
    strategy has asked for any: a plain attribute, for it is looked at on every bar.
    """

    def __init__(
        self,
        who: str,
        base: Series,
        clock: ServerClock | None = None,
        source: Callable[[Timeframe], Series] | None = None,
    ) -> None:
        self._who = who
        self._base = base
        self._clock = clock
        self._source = source
        self._held: dict[Timeframe, LongerBars] = {}
        self.are_used = False

    @property
    def series(self) -> tuple[Series, ...]:
        """Return the series that are looked at."""
        return tuple(one.series for one in self._held.values())

    def find(self, timeframe: Timeframe) -> BarsView:
        """Return the view of a longer timeframe, made when it is first asked for.

        Raises:
            ConfigError: it is not longer, or there are no such bars here.
        """
        base = self._base.timeframe
        if timeframe.value <= base.value:
            raise ConfigError(
                f"{self._who}: {timeframe.name} bars are not longer than its own {base.name} bars"
            )
        if self._source is None or self._clock is None:
            raise ConfigError(f"{self._who}: there are no {timeframe.name} bars here")
        found = self._held.get(timeframe)
        if found is None:
            longer = LongerBars(self._base, self._source(timeframe), self._clock)
            found = self._held[timeframe] = longer
            self.are_used = True
        return found.view

    def follow(self, index: int, next_ms: int | None = None) -> None:
        """Move to what is closed when a bar closes; see `LongerBars.follow`."""
        for one in self._held.values():
            one.follow(index, next_ms)

    def refresh(self) -> None:
        """Follow the series after they grew."""
        for one in self._held.values():
            one.view.refresh()
