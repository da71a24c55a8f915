"""Where a symbol's prices come from: bars walked point by point, or ticks as they were."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Protocol

import numpy as np

from mtquant.exchange import rules
from mtquant.model import ConfigError, Timeframe

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from mtquant.exchange.book import Book
    from mtquant.exchange.venue import VenueSpec
    from mtquant.model import Bars, Ticks

_Point = tuple[int, int]  # UTC ms, bid in points
Reach = tuple["NDArray[np.int64]", "NDArray[np.int64]", "NDArray[np.int64]", "NDArray[np.int64]"]


class TickModel(Enum):
    """Say which ticks are made of a bar.

    OHLC: its four turning points. EVERY_TICK: up to eleven more on the same way. OPEN_PRICES: one,
    its opening; the others are played unseen, so that levels are met where they lie.
    """

    OHLC = "ohlc"
    EVERY_TICK = "every_tick"
    OPEN_PRICES = "open_prices"


class Feed(Protocol):
    """Bring the prices of one symbol, in order."""

    symbol: str
    digits: int

    @property
    def range_ms(self) -> tuple[int, int]:
        """Return the times of the first and the last price (UTC ms)."""
        ...

    @property
    def row(self) -> int:
        """Return which row of the data stands, -1 before the first price."""
        ...

    @property
    def times(self) -> NDArray[np.int64]:
        """Return when each row of the data begins, int64[n] UTC ms, never falling."""
        ...

    def reach(self, rows: slice) -> Reach:
        """Return the lowest and highest bid and the lowest and highest ask of each row (points)."""
        ...

    def next_ms(self) -> int | None:
        """Return when the next price comes (UTC ms), None after the last."""
        ...

    def play(self, books: Iterable[Book]) -> bool:
        """Bring the next price to the books; tell whether clients may see it."""
        ...

    def skip_to(self, moment_ms: int, books: Iterable[Book]) -> bool:
        """Stand shortly before a moment, the last price up to it still to come.

        Nothing may be held that the prices left out would meet. Tell whether any were left out.
        """
        ...


class BarFeed:
    """Walk bars: open, turns, close; `bar` and `step` say where it stands."""

    def __init__(
        self,
        venue: VenueSpec,
        bars: Bars,
        slippage: NDArray[np.int32] | None = None,
        model: TickModel = TickModel.OHLC,
    ) -> None:
        """Begin before the first bar.

        Raises:
            ConfigError: bars, venue and slippage do not fit together.
        """
        _require_digits(venue, bars.symbol, bars.digits)
        if not len(bars):
            raise ConfigError(f"{bars.symbol}: there are no bars to play")
        if bars.timeframe is Timeframe.MN1:
            raise ConfigError(f"{bars.symbol}: MN1 bars have no fixed length; use W1 or shorter")
        if slippage is None:
            slippage = np.zeros((len(bars), 2), dtype=np.int32)
        if slippage.shape != (len(bars), 2):
            raise ConfigError(
                f"{bars.symbol}: slippage must be of shape ({len(bars)}, 2), was {slippage.shape}"
            )
        self.symbol, self.digits = bars.symbol, bars.digits
        self.bars = bars
        self.model = model
        self.duration_ms = bars.timeframe.duration_ms
        self.bar = 0
        self.step = -1
        self._time = bars.time_ms.data
        self._open, self._high = bars.open.data, bars.high.data
        self._low, self._close = bars.low.data, bars.close.data
        self._spread, self._ticks = bars.spread.data, bars.tick_volume.data
        self._slippage = slippage.data
        self._points = self.points(0)

    def __len__(self) -> int:
        return len(self._time)

    @property
    def range_ms(self) -> tuple[int, int]:
        """Return the times of the first and the last price (UTC ms)."""
        return self._time[0], self.close_ms(len(self._time) - 1)

    @property
    def row(self) -> int:
        """Return the row of the current bar, -1 before the first price."""
        return self.bar if self.step >= 0 else self.bar - 1

    @property
    def times(self) -> NDArray[np.int64]:
        """Return when each bar opens, int64[n] UTC ms."""
        return self.bars.time_ms

    def reach(self, rows: slice) -> Reach:
        """Return the lowest and highest bid and the lowest and highest ask of each bar (points)."""
        low = self.bars.low[rows].astype(np.int64)
        high = self.bars.high[rows].astype(np.int64)
        spread = self.bars.spread[rows].astype(np.int64)
        return low, high, low + spread, high + spread

    @property
    def bar_is_done(self) -> bool:
        """Tell whether the current bar has been played to its close."""
        return self.step == len(self._points) - 1

    @property
    def shown(self) -> list[_Point]:
        """Return the time and bid of the current bar's points that were played, in order."""
        return self._points[: self.step + 1]

    def next_ms(self) -> int | None:
        """Return when the next point of the path comes, None after the last."""
        if not self.bar_is_done:
            return self._points[self.step + 1][0]
        return self._time[self.bar + 1] if self.bar + 1 < len(self._time) else None

    def play(self, books: Iterable[Book]) -> bool:
        """Bring the next point of the path to the books; tell whether clients may see it."""
        if self.bar_is_done:
            self._enter(self.bar + 1)
        self.step += 1
        time_ms, bid = self._points[self.step]
        if self.step == 0:
            slippage = self._slippage[self.bar, 0], self._slippage[self.bar, 1]
            ask = bid + self._spread[self.bar]
            for book in books:
                book.set_slippage(self.symbol, *slippage)
                book.jump(self.symbol, bid, ask, time_ms)
        else:
            for book in books:
                book.move(self.symbol, bid, time_ms)
        return self.step == 0 or self.model is not TickModel.OPEN_PRICES

    def skip_to(self, moment_ms: int, books: Iterable[Book]) -> bool:
        """Stand at the close before the bar of a moment; tell whether bars were left out."""
        last = int(np.searchsorted(self.bars.time_ms, moment_ms, side="right")) - 2
        if last < self.bar or (last == self.bar and self.bar_is_done):
            return False
        self.rest_at_close(last, books)
        return True

    def rest_at_close(self, bar: int, books: Iterable[Book]) -> None:
        """Stand at the close of a bar that is known to be quiet."""
        self._enter(bar)
        self.step = len(self._points) - 1
        time_ms, bid = self._points[-1]
        for book in books:
            book.set_slippage(self.symbol, self._slippage[bar, 0], self._slippage[bar, 1])
            book.show(self.symbol, bid, bid + self._spread[bar], time_ms)

    def close_ms(self, bar: int) -> int:
        """Return the time of a bar's close."""
        return rules.path_time(3, self._time[bar], self._length(bar))

    def points(self, bar: int) -> list[_Point]:
        """Return the time and bid of every point of a bar's path."""
        before = max(0, bar - 1)
        open_, close = self._open[bar], self._close[bar]
        high, low = self._high[bar], self._low[bar]
        direction = rules.path_direction(
            open_,
            close,
            self._open[before] if bar else 0,
            self._close[before] if bar else 0,
        )
        opened, length = self._time[bar], self._length(bar)
        turns = [rules.path_point(step, direction, open_, high, low, close) for step in range(4)]
        times = [rules.path_time(step, opened, length) for step in range(4)]
        if self.model is not TickModel.EVERY_TICK:
            return list(zip(times, turns, strict=True))
        has_shadows = {low, high} - {open_, close} != set()
        parts = rules.path_parts(self._ticks[bar], has_shadows)
        return _fine_points(times, turns, parts)

    def _enter(self, bar: int) -> None:
        self.bar, self.step = bar, -1
        self._points = self.points(bar)

    def _length(self, bar: int) -> int:
        """Return how long a bar lasts: bars come closer where the server's clock jumps."""
        if bar + 1 == len(self._time):
            return self.duration_ms
        return min(self.duration_ms, self._time[bar + 1] - self._time[bar])


class TickFeed:
    """Bring real ticks: each is a price that nothing led up to."""

    def __init__(
        self, venue: VenueSpec, ticks: Ticks, slippage: NDArray[np.int32] | None = None
    ) -> None:
        """Begin before the first tick.

        Args:
            venue: that trades the symbol.
            ticks: of the symbol, oldest first.
            slippage: int32[n, 2], points a buy and a sell slip at each tick; None: none.

        Raises:
            ConfigError: ticks, venue and slippage do not fit together.
        """
        _require_digits(venue, ticks.symbol, ticks.digits)
        count = len(ticks.time_ms)
        if not count:
            raise ConfigError(f"{ticks.symbol}: there are no ticks to play")
        if (np.diff(ticks.time_ms) < 0).any():
            raise ConfigError(f"{ticks.symbol}: the times of the ticks do not rise")
        if (ticks.bid <= 0).any() or (ticks.ask < ticks.bid).any():
            raise ConfigError(f"{ticks.symbol}: bids must be positive and asks not below them")
        if slippage is not None and slippage.shape != (count, 2):
            raise ConfigError(
                f"{ticks.symbol}: slippage must be of shape ({count}, 2), was {slippage.shape}"
            )
        self.symbol, self.digits = ticks.symbol, ticks.digits
        self.ticks = ticks
        self.played = 0
        self._time = ticks.time_ms.data
        self._bid, self._ask = ticks.bid.data, ticks.ask.data
        self._slippage = None if slippage is None else slippage.data

    def __len__(self) -> int:
        return len(self._time)

    @property
    def range_ms(self) -> tuple[int, int]:
        """Return the times of the first and the last tick (UTC ms)."""
        return self._time[0], self._time[-1]

    @property
    def row(self) -> int:
        """Return the row of the newest tick, -1 before the first."""
        return self.played - 1

    @property
    def times(self) -> NDArray[np.int64]:
        """Return when each tick comes, int64[n] UTC ms."""
        return self.ticks.time_ms

    def reach(self, rows: slice) -> Reach:
        """Return bid, bid, ask and ask of each tick (points)."""
        bid = self.ticks.bid[rows].astype(np.int64)
        ask = self.ticks.ask[rows].astype(np.int64)
        return bid, bid, ask, ask

    def next_ms(self) -> int | None:
        """Return when the next tick comes, None after the last."""
        return self._time[self.played] if self.played < len(self._time) else None

    def play(self, books: Iterable[Book]) -> bool:
        """Bring the next tick to the books."""
        row = self.played
        self.played += 1
        for book in books:
            if self._slippage is not None:
                book.set_slippage(self.symbol, self._slippage[row, 0], self._slippage[row, 1])
            book.jump(self.symbol, self._bid[row], self._ask[row], self._time[row])
        return True

    def skip_to(self, moment_ms: int, books: Iterable[Book]) -> bool:  # noqa: ARG002 - of a Feed
        """Stand before the last tick up to a moment; tell whether ticks were left out."""
        last = int(np.searchsorted(self.ticks.time_ms, moment_ms, side="right")) - 1
        if last <= self.played:
            return False
        self.played = last
        return True


def _require_digits(venue: VenueSpec, symbol: str, digits: int) -> None:
    expected = venue.instrument(symbol).digits
    if digits != expected:
        raise ConfigError(
            f"{symbol}: the data have {digits} digits, the venue {expected}; use data and venue "
            "of one precision"
        )


def _fine_points(times: list[int], turns: list[int], parts: tuple[int, int, int]) -> list[_Point]:
    points = [(times[0], turns[0])]
    for leg, ticks in enumerate(parts):
        for tick in range(1, ticks + 1):
            at = rules.path_between(times[leg], times[leg + 1], tick, ticks)
            points.append((at, rules.path_between(turns[leg], turns[leg + 1], tick, ticks)))
    if points[-1][1] != turns[3] or len(points) == 1:
        points.append((times[3], turns[3]))
    return points
