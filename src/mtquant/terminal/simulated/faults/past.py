"""What a terminal's cache holds when it lags: the accounts as they were some ticks ago."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mtquant.model import Deal, Order

if TYPE_CHECKING:
    from mtquant.exchange import Book, Market
    from mtquant.model import AccountSnapshot, Position, Quote


@dataclass(frozen=True, slots=True)
class Held:
    """Name an open position or a waiting order of the past."""

    ticket: int
    symbol: str
    updated_ms: int = 0


@dataclass(frozen=True, slots=True)
class PastLedger:
    """Hold the history as it was."""

    orders: list[Order]
    deals: list[Deal]


class BookView:
    """Show an account as it was; what is no state of the account is asked of the living book."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._positions = book.positions()
        self._orders = book.orders()
        self._counts = len(book.ledger.orders), len(book.ledger.deals)
        self._account = book.account()
        self.credit_minor = book.credit_minor
        self.open_positions = [
            Held(one.ticket, one.symbol, one.updated_ms) for one in book.open_positions
        ]
        self.live_orders = [Held(one.ticket, one.symbol) for one in book.live_orders]
        self._quotes = {symbol: book.quote(symbol) for symbol in book.venue.instruments}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._book, name)

    @property
    def ledger(self) -> PastLedger:
        """Return the history as it was."""
        orders, deals = self._counts
        ledger = self._book.ledger
        return PastLedger(ledger.orders[:orders], ledger.deals[:deals])

    def positions(self) -> tuple[Position, ...]:
        """Return the positions of that time."""
        return self._positions

    def orders(self) -> tuple[Order, ...]:
        """Return the waiting orders of that time."""
        return self._orders

    def account(self) -> AccountSnapshot:
        """Return the account of that time."""
        return self._account

    def quote(self, symbol: str) -> Quote | None:
        """Return the quote of that time."""
        return self._quotes[symbol]


Views = dict[int, BookView]


def views_of(market: Market) -> Views:
    """Return all accounts of a market as they are, by login."""
    return {login: BookView(book) for login, book in market.books.items()}


class Past:
    """Remember the last moments of a market."""

    def __init__(self, length: int) -> None:
        self._moments: deque[Views] = deque(maxlen=max(1, length))

    def remember(self, market: Market) -> None:
        """Keep the accounts as they stand before the next tick."""
        self._moments.append(views_of(market))

    def ago(self, ticks: int) -> Views | None:
        """Return the accounts some ticks ago, the oldest known where there were fewer."""
        if not self._moments:
            return None
        return self._moments[-min(ticks, len(self._moments))]
