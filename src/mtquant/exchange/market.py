"""The market: the prices of its symbols played over the books of its accounts, on one clock.

The simulated terminal steps it; the backtest lets it skip bars on which nothing can happen. Both
ways give the same deals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from mtquant.exchange.book import Book
from mtquant.exchange.feeds import BarFeed, Feed, TickModel
from mtquant.exchange.foresight import NEVER, Foresight, Span
from mtquant.exchange.ledger import Tickets
from mtquant.exchange.terms import Terms
from mtquant.model import Bars, ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mtquant.exchange.venue import VenueSpec


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

    @property
    def slips(self) -> bool:
        """Tell whether a fill can slip at all."""
        return self.max_points > 0 and self.better_fraction + self.worse_fraction > 0

    def draw(self, bars: int, seed: int) -> NDArray[np.int32]:
        """Return int32[bars, 2]: points a buy and a sell slip in each bar (positive = against).

        All chance is drawn up front: an outage or another strategy shifts nothing.
        """
        generator = np.random.Generator(np.random.PCG64([seed, 1]))
        chance = generator.random((bars, 2))
        size = np.floor(generator.random((bars, 2)) * self.max_points).astype(np.int32) + 1
        return self._signed(chance, size)

    def draw_rows(self, rows: int, *seeds: int) -> NDArray[np.int32]:
        """Return int32[rows, 2] as `draw` does, of which more rows begin with the same ones.

        For prices that are continued day by day.
        """
        generator = np.random.Generator(np.random.PCG64([*seeds, 2]))
        drawn = generator.random((rows, 4))
        size = np.floor(drawn[:, 2:] * self.max_points).astype(np.int32) + 1
        return self._signed(drawn[:, :2], size)

    def _signed(self, chance: NDArray[np.float64], size: NDArray[np.int32]) -> NDArray[np.int32]:
        sign = np.where(chance < self.better_fraction, -1, 0)
        sign = np.where(chance >= 1 - self.worse_fraction, 1, sign)
        points: NDArray[np.int32] = (sign * np.minimum(size, self.max_points)).astype(np.int32)
        return points


SLIPPAGE_PRESETS: Final = {
    "none": SlippageModel(better_fraction=0.0, worse_fraction=0.0),
    "fxcm-2022": SlippageModel(better_fraction=0.287, worse_fraction=0.153),
    "saxo-eurusd": SlippageModel(better_fraction=0.231, worse_fraction=0.209),
    "saxo-usdjpy": SlippageModel(better_fraction=0.335, worse_fraction=0.291),
    "saxo-gbpjpy": SlippageModel(better_fraction=0.422, worse_fraction=0.313),
    "saxo-xauusd": SlippageModel(better_fraction=0.412, worse_fraction=0.362),
}
"""How often orders slip at brokers who publish it: FXCM, 57.3 million orders of 2022; Saxo, limit
orders to be filled at once, by instrument. How far is not published: up to 2 points is assumed."""


class Market:
    """Play the prices of a venue's symbols over its accounts, on one clock.

    `advance` plays one moment of all symbols; `jump_to_open` skips quiet bars of the traded one.
    `others` bring more symbols beside it, such as those that convert.
    """

    def __init__(self, venue: VenueSpec, feed: Feed, others: Sequence[Feed] = ()) -> None:
        """Begin before the first price.

        Raises:
            ConfigError: a symbol has two sources of prices, or money cannot be converted.
        """
        self.venue = venue
        self.traded = feed
        self.feeds: tuple[Feed, ...] = (feed, *others)
        symbols = [feed.symbol for feed in self.feeds]
        if len(set(symbols)) < len(symbols):
            raise ConfigError(f"each symbol needs one source of prices, were {symbols}")
        terms = {symbol: Terms.of(venue, symbol) for symbol in symbols}
        self._foresight = Foresight(self.feeds, terms)
        absent = [p for p in terms[feed.symbol].conversions.foreign_pairs if p not in symbols]
        if absent:
            raise ConfigError(
                f"{feed.symbol}: its money converts at the quotes of {', '.join(absent)}, "
                "and no prices of it are given"
            )
        opened_ms = min(ms for feed in self.feeds if (ms := feed.next_ms()) is not None)
        tickets = Tickets()
        self.books = {
            account.login: Book(venue, opened_ms, account, tickets) for account in venue.accounts
        }
        self.book = self.books[venue.account.login]
        self._all_books = tuple(self.books.values())
        self._next_midnight = venue.clock.next_midnight_ms(opened_ms)
        self._has_begun = False
        self._foreseen: Span = (0, 0)
        self._foreseen_for = (-1, 0)  # the holdings and the midnight that it was foreseen for

    @classmethod
    def of_bars(
        cls,
        venue: VenueSpec,
        bars: Bars,
        slippage: NDArray[np.int32] | None = None,
        others: Sequence[Feed] = (),
        model: TickModel = TickModel.OHLC,
    ) -> Market:
        """Return a market whose traded symbol is walked on bars.

        Raises:
            ConfigError: bars, venue and slippage do not fit together.
        """
        return cls(venue, BarFeed(venue, bars, slippage, model), others)

    def __len__(self) -> int:
        return len(self.feed)

    @property
    def feed(self) -> BarFeed:
        """Return the walk over the traded symbol's bars.

        Raises:
            ConfigError: it is played on ticks.
        """
        if not isinstance(self.traded, BarFeed):
            raise ConfigError(f"{self.traded.symbol}: it is played on ticks, and has no bars")
        return self.traded

    def feed_of(self, symbol: str) -> Feed:
        """Return the source of a symbol's prices.

        Raises:
            ConfigError: there is none.
        """
        for feed in self.feeds:
            if feed.symbol == symbol:
                return feed
        known = ", ".join(feed.symbol for feed in self.feeds)
        raise ConfigError(f"{symbol}: there are no prices of it, only of {known}")

    @property
    def bars(self) -> Bars:
        """Return the bars of the traded symbol."""
        return self.feed.bars

    @property
    def bar(self) -> int:
        """Return the row of the current bar."""
        return self.feed.bar

    @property
    def step(self) -> int:
        """Return the point of the current bar's path, -1 before the first."""
        return self.feed.step

    @property
    def has_begun(self) -> bool:
        """Tell whether a price has been played."""
        return self._has_begun

    @property
    def now_ms(self) -> int:
        """Return the market's time, UTC milliseconds."""
        return self.book.now_ms

    def next_ms(self) -> int | None:
        """Return when the next price of any symbol comes, None after the last."""
        if len(self.feeds) == 1:
            return self.traded.next_ms()
        upcoming = [ms for feed in self.feeds if (ms := feed.next_ms()) is not None]
        return min(upcoming, default=None)

    def advance(self, until_ms: int | None = None) -> bool:
        """Play the next moment that clients may see; return False when there is none.

        Nothing that comes after `until_ms` is played.
        """
        is_seen = False
        while not is_seen:
            time_ms = self.next_ms()
            if time_ms is None or (until_ms is not None and time_ms > until_ms):
                return False
            is_seen = self._play(time_ms)
        return True

    def play_until(self, moment_ms: int) -> None:
        """Play all that comes up to a moment (UTC ms).

        While no account holds anything, it goes straight to the last prices before it.
        """
        if any(book.open_positions or book.live_orders for book in self._all_books):
            while self.advance(moment_ms):
                pass
        else:
            self.go_to(moment_ms)

    def wait_until(self, moment_ms: int) -> None:
        """Play all that comes up to a moment (UTC ms), and let the clock run on to it.

        With the last price the clock stands still.
        """
        self.play_until(moment_ms)
        if self._has_begun and moment_ms > self.now_ms and self.next_ms() is not None:
            self._roll_until(moment_ms)
            for book in self._all_books:
                book.wait(moment_ms)

    def go_to(self, moment_ms: int) -> None:
        """Play up to a moment (UTC ms), all before it being quiet.

        The caller knows from `next_event` that nothing can happen before.
        """
        for feed in self.feeds:
            self._has_begun |= feed.skip_to(moment_ms, self._all_books)
        while self.advance(moment_ms):
            pass

    def jump_to_open(self, bar: int) -> None:
        """Go to the opening tick of a bar, all bars before it being quiet.

        The caller knows from `next_event_bar` that nothing can happen before. With the number of
        bars as `bar` the market comes to rest at the last close.

        Raises:
            ValueError: the bar has been opened already.
        """
        feed = self.feed
        if bar < feed.bar or (bar == feed.bar and feed.step >= 0):
            raise ValueError(f"bar {bar} is open already: now at bar {feed.bar}, step {feed.step}")
        last = bar - 1
        if last > feed.bar or (last == feed.bar and not feed.bar_is_done):
            self._roll_until(feed.close_ms(last))
            feed.rest_at_close(last, self._all_books)
        self.advance()

    def shown(self) -> list[int]:
        """Return the bids of the current bar's path that have been played, in order (points)."""
        return [bid for _, bid in self.feed.shown]

    def next_event(self) -> Span:
        """Return from when to when (UTC ms) something may happen next to the bot's account.

        Something is a protective level, a rollover, or equity near the stop-out level; the answer
        may come too early, never too late: where orders wait, where other accounts hold anything or
        another pair converts, it is now. Without positions it is never.
        """
        if any(book.live_orders for book in self._all_books):
            return self.now_ms, NEVER
        if any(book.open_positions for book in self._all_books[1:]):
            return self.now_ms, NEVER
        known = (self.book.holdings_version, self._next_midnight)
        if known != self._foreseen_for or self._foreseen[0] <= self.now_ms:
            self._foreseen = self._foresight.next_span(self.book, self._next_midnight)
            self._foreseen_for = known
        return self._foreseen

    def next_event_bar(self) -> int:
        """Return the first bar of the traded symbol, from the current one on, with an event.

        See `next_event`. Without one it is the number of bars.
        """
        start_ms, _ = self.next_event()
        if start_ms == NEVER:
            return len(self.feed)
        times = self.bars.time_ms
        bar = int(np.searchsorted(times, start_ms, side="right")) - 1
        if bar >= 0 and int(times[bar]) + self.feed.duration_ms <= start_ms:
            bar += 1  # it comes in a gap: the next bar is the first to hold it
        return max(self.bar, bar)

    def _play(self, time_ms: int) -> bool:
        """Play all prices of one time, in the order of the symbols."""
        self._roll_until(time_ms)
        self._has_begun = True
        is_seen = False
        for feed in self.feeds:
            while feed.next_ms() == time_ms:
                is_seen |= feed.play(self._all_books)
        return is_seen

    def _roll_until(self, time_ms: int) -> None:
        while self._next_midnight <= time_ms:
            holding = [book for book in self._all_books if book.open_positions]
            for book in holding:
                book.roll_over(self._next_midnight)
            if not holding:  # nothing to charge: go straight to the last midnight before now
                self._next_midnight = self.venue.clock.day_start_ms(time_ms)
            self._next_midnight = self.venue.clock.next_midnight_ms(self._next_midnight)
