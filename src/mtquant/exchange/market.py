"""The market: bars of one symbol walked point by point over a book, on one clock.

The simulated terminal steps it; the backtest lets it skip bars on which nothing can happen. Both
ways give the same deals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtquant.exchange import rules
from mtquant.exchange.book import Book
from mtquant.exchange.ledger import Tickets
from mtquant.exchange.terms import Terms
from mtquant.model import Bars, ConfigError, Timeframe

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtquant.exchange.venue import VenueSpec

_CHUNK = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class SlippageModel:
    """Describe how market fills slip: chances of a better and a worse fill, and how far at most.

    A slip is 1 to `max_points` points, each size equally likely. Published execution reports put
    no slippage near 56 % in calm markets; the default keeps that and is even-handed otherwise.
    """

    better_fraction: float = 0.22
    worse_fraction: float = 0.22
    max_points: int = 2

    def __post_init__(self) -> None:
        """Refuse chances that do not fit into one.

        Raises:
            ConfigError: a fraction is none, they sum to more than 1, or the distance is negative.
        """
        for name in ("better_fraction", "worse_fraction"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} must be 0 to 1, was {getattr(self, name)}")
        if self.better_fraction + self.worse_fraction > 1:
            raise ConfigError("better_fraction + worse_fraction must not exceed 1")
        if self.max_points < 0:
            raise ConfigError(f"max_points must not be negative, was {self.max_points}")

    def draw(self, bars: int, seed: int) -> NDArray[np.int32]:
        """Return int32[bars, 2]: points a buy and a sell slip in each bar (positive = against).

        All chance is drawn up front: an outage or another strategy shifts nothing.
        """
        generator = np.random.Generator(np.random.PCG64([seed, 1]))
        chance = generator.random((bars, 2))
        size = np.floor(generator.random((bars, 2)) * self.max_points).astype(np.int32) + 1
        sign = np.where(chance < self.better_fraction, -1, 0)
        sign = np.where(chance >= 1 - self.worse_fraction, 1, sign)
        points: NDArray[np.int32] = (sign * np.minimum(size, self.max_points)).astype(np.int32)
        return points


class Market:
    """Walk bars over a book: `advance` plays one point, `jump_to_open` skips quiet bars."""

    def __init__(self, venue: VenueSpec, bars: Bars, slippage: NDArray[np.int32]) -> None:
        instrument = venue.instrument(bars.symbol)
        if bars.digits != instrument.digits:
            raise ConfigError(
                f"{bars.symbol}: the bars have {bars.digits} digits, "
                f"the venue {instrument.digits}; use data and venue of one precision"
            )
        if not len(bars):
            raise ConfigError(f"{bars.symbol}: there are no bars to play")
        if bars.timeframe is Timeframe.MN1:
            raise ConfigError(f"{bars.symbol}: MN1 bars have no fixed length; use W1 or shorter")
        if slippage.shape != (len(bars), 2):
            raise ConfigError(
                f"{bars.symbol}: slippage must be of shape ({len(bars)}, 2), was {slippage.shape}"
            )
        terms = Terms.of(venue, bars.symbol)
        if terms.conversions.foreign_pairs:
            pairs = ", ".join(terms.conversions.foreign_pairs)
            raise ConfigError(
                f"{bars.symbol}: its money converts at the quotes of {pairs}, "
                "and the bars of one symbol bring no others"
            )
        self.venue = venue
        self.bars = bars
        self.duration_ms = bars.timeframe.duration_ms
        opened_ms = int(bars.time_ms[0])
        tickets = Tickets()
        self.books = {
            account.login: Book(venue, opened_ms, account, tickets) for account in venue.accounts
        }
        self.book = self.books[venue.account.login]
        self._all_books = tuple(self.books.values())
        self.bar = 0
        self.step = -1
        self._terms = terms
        self._time = bars.time_ms.data
        self._open, self._high = bars.open.data, bars.high.data
        self._low, self._close = bars.low.data, bars.close.data
        self._spread = bars.spread.data
        self._slippage = slippage.data
        self._next_midnight = venue.clock.next_midnight_ms(opened_ms)

    def __len__(self) -> int:
        return len(self._time)

    @property
    def now_ms(self) -> int:
        """Return the market's time, UTC milliseconds."""
        return self.book.now_ms

    def next_ms(self) -> int | None:
        """Return when the next point of the path comes, None after the last."""
        bar, step = self._following()
        if bar == len(self._time):
            return None
        return self._time_of(bar, step)

    def advance(self) -> bool:
        """Play the next point of the path; return False when there is none."""
        bar, step = self._following()
        if bar == len(self._time):
            return False
        time_ms = self._time_of(bar, step)
        self._roll_until(time_ms)
        self.bar, self.step = bar, step
        symbol = self.bars.symbol
        if step == 0:
            bid = self._open[bar]
            slippage = self._slippage[bar, 0], self._slippage[bar, 1]
            for book in self._all_books:
                book.set_slippage(symbol, *slippage)
                book.jump(symbol, bid, bid + self._spread[bar], time_ms)
        else:
            point = self._point(bar, step)
            for book in self._all_books:
                book.move(symbol, point, time_ms)
        return True

    def jump_to_open(self, bar: int) -> None:
        """Go to the opening tick of a bar, all bars before it being quiet.

        The caller knows from `next_event_bar` that nothing can happen before. With the number of
        bars as `bar` the market comes to rest at the last close.

        Raises:
            ValueError: the bar has been opened already.
        """
        if bar < self.bar or (bar == self.bar and self.step >= 0):
            raise ValueError(f"bar {bar} is open already: now at bar {self.bar}, step {self.step}")
        last = bar - 1
        if last > self.bar or (last == self.bar and self.step < 3):
            self._rest_at_close(last)
        self.advance()

    def shown(self) -> list[int]:
        """Return the bids of the current bar's path that have been played, in order (points)."""
        return [self._point(self.bar, step) for step in range(self.step + 1)]

    def next_event_bar(self) -> int:
        """Return the first bar, from the current one on, in which something may happen.

        Something is a protective level, a rollover, or equity near the stop-out level; the answer
        may come too early, never too late: where orders wait it is the current bar. Without
        positions it is the number of bars.
        """
        count = len(self._time)
        if any(book.live_orders for book in self._all_books):
            return self.bar
        if len(self._all_books) > 1 and any(book.open_positions for book in self._all_books[1:]):
            return self.bar
        if not self.book.open_positions:
            return count
        # a bar that only ends after midnight holds the rollover too
        end = self._first_bar_after(self._next_midnight - self.duration_ms + 1)
        first = self.bar
        while first < end:
            rows = slice(first, min(end, first + _CHUNK))
            hits = np.flatnonzero(self._may_trigger(rows))
            if len(hits):
                return first + int(hits[0])
            first = rows.stop
        return end

    def _following(self) -> tuple[int, int]:
        return (self.bar, self.step + 1) if self.step < 3 else (self.bar + 1, 0)

    def _time_of(self, bar: int, step: int) -> int:
        opened = self._time[bar]
        duration = self.duration_ms
        if bar + 1 < len(self._time):  # bars come closer where the server's clock jumps
            duration = min(duration, self._time[bar + 1] - opened)
        return rules.path_time(step, opened, duration)

    def _rest_at_close(self, bar: int) -> None:
        time_ms = self._time_of(bar, 3)
        self._roll_until(time_ms)
        self.bar, self.step = bar, 3
        symbol, bid = self.bars.symbol, self._close[bar]
        for book in self._all_books:
            book.set_slippage(symbol, self._slippage[bar, 0], self._slippage[bar, 1])
            book.show(symbol, bid, bid + self._spread[bar], time_ms)

    def _point(self, bar: int, step: int) -> int:
        before = max(0, bar - 1)
        direction = rules.path_direction(
            self._open[bar],
            self._close[bar],
            self._open[before] if bar else 0,
            self._close[before] if bar else 0,
        )
        return rules.path_point(
            step, direction, self._open[bar], self._high[bar], self._low[bar], self._close[bar]
        )

    def _roll_until(self, time_ms: int) -> None:
        while self._next_midnight <= time_ms:
            holding = [book for book in self._all_books if book.open_positions]
            for book in holding:
                book.roll_over(self._next_midnight)
            if not holding:  # nothing to charge: go straight to the last midnight before now
                self._next_midnight = self.venue.clock.day_start_ms(time_ms)
            self._next_midnight = self.venue.clock.next_midnight_ms(self._next_midnight)

    def _first_bar_after(self, time_ms: int) -> int:
        return int(np.searchsorted(self.bars.time_ms, time_ms, side="left"))

    def _may_trigger(self, rows: slice) -> NDArray[np.bool_]:
        """Return, for each bar, whether its range reaches a level or strains the margin."""
        low = self.bars.low[rows].astype(np.int64)
        high = self.bars.high[rows].astype(np.int64)
        spread = self.bars.spread[rows].astype(np.int64)
        ask_low, ask_high = low + spread, high + spread
        hit = np.zeros(len(low), dtype=bool)
        worst = np.full(len(low), float(self.book.balance_minor + self.book.credit_minor))
        for p in self.book.open_positions:
            down, up = (low, high) if p.side > 0 else (ask_low, ask_high)
            floor, roof = (p.stop, p.target) if p.side > 0 else (p.target, p.stop)
            hit |= (down <= floor) if floor else False
            hit |= (up >= roof) if roof else False
            adverse = (down if p.side > 0 else up) - p.opened
            scale = p.units * self._terms.price_value / self._terms.divisor
            rates = self._rates(down if p.side > 0 else up)
            worst += (p.side * adverse * scale - 1) * rates  # less what rounding may take
            accrued = self._terms.profit(p.side, p.units, p.opened, p.opened)
            worst += accrued + p.swap_minor - 1
        return hit | (worst <= self.book.stop_out_limit_minor)

    def _rates(self, closed: NDArray[np.int64]) -> NDArray[np.float64] | float:
        """Return minor units of the account per one of the profit currency, at closing prices."""
        conversion, scale = self._terms.conversions.profit, self._terms.minor_scale
        if not conversion.pair:
            return 1.0
        # only the traded pair itself gets here, quoted [account][profit]
        return scale * conversion.point_scale / np.maximum(closed, 1)
