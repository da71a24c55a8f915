"""The watches spare searches and never miss anything: without them the books are the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from book_oracle import require_no_stop_out, require_nothing_met
from hypothesis import given, settings
from hypothesis import strategies as st
from order_flows import (
    HOUR_MS,
    MONDAY_MS,
    STEP,
    Chance,
    Flow,
    Trader,
    costs,
    dealing,
    flows,
    hours,
    limits,
    pick,
    play,
    random_account,
)

from mtquant.exchange import AccountSpec, Book, InstrumentSpec, VenueSpec
from mtquant.model import MarginMode, Reason, Side, StopOutMode

NOON_MS = MONDAY_MS + 12 * HOUR_MS
PRICES = {"EURJPY": 122_000, "USDJPY": 110_000, "EURUSD": 110_000}


class Wakeful:
    """Look at everything on every tick."""

    def expires_by(self, _time_ms: int) -> bool:
        """An order may always have expired."""
        return True

    def is_quiet(self, *_quotes: Any) -> bool:
        """A level may always be met."""
        return False

    def is_calm(self, _symbol: str) -> bool:
        """A stop-out may always come."""
        return False

    def note(self, *_money: float) -> None:
        """Remember nothing."""


def wake(book: Book) -> Book:
    """Take a book's watches away."""
    book._ticks._watch = Wakeful()
    book._stop_out._watch = Wakeful()
    return book


def require_same(watched: Book, wakeful: Book) -> None:
    """Two books have gone the same way."""
    assert watched.ledger == wakeful.ledger
    assert watched.account() == wakeful.account()
    assert (watched.positions(), watched.orders()) == (wakeful.positions(), wakeful.orders())


@settings(max_examples=600, deadline=None)
@given(flows())
def test_a_watched_market_goes_like_one_that_looks_at_everything(flow: Flow):
    watched, wakeful = flow.market(), flow.market()
    wake(wakeful.book)
    for market in (watched, wakeful):
        play(flow, market)

    require_same(watched.book, wakeful.book)


def test_the_margin_watch_misses_no_stop_out():
    stopped: list[bool] = []

    @settings(max_examples=300, deadline=None)
    @given(st.integers(0, 2**32 - 1))
    def walk(seed: int) -> None:
        chance = np.random.default_rng(seed)
        book, symbol = strained(chance)
        bid = PRICES[symbol]
        for tick in range(120):
            bid += int(chance.integers(-12, 13))
            if chance.random() < 0.5:
                book.jump(symbol, bid, bid + int(chance.integers(3, 8)), NOON_MS + tick)
            else:
                book.move(symbol, bid, NOON_MS + tick)
            require_no_stop_out(book)
        stopped.append(any(deal.reason is Reason.STOP_OUT for deal in book.ledger.deals))

    walk()

    assert sum(stopped) >= 0.3 * len(stopped)


def strained(chance: Chance) -> tuple[Book, str]:
    """Return a book whose positions have used up nearly all that a stop-out leaves."""
    symbol = pick(chance, ("EURUSD", "USDJPY"))
    facts = {
        "digits": 3 if symbol.endswith("JPY") else 5,
        "contract_size": 100_000.0,
        "base_currency": symbol[:3],
        "profit_currency": symbol[3:],
        "profit_digits": pick(chance, (0, 2)),
        "margin_hedged_contract": pick(chance, (0.0, 50_000.0)),
    }
    account = AccountSpec(
        deposit=1_000.0,
        leverage=pick(chance, (100, 500)),
        margin_mode=pick(chance, (MarginMode.HEDGING, MarginMode.NETTING)),
        stop_out_mode=pick(chance, tuple(StopOutMode)),
        stop_out_percent=pick(chance, (50.0, 100.0)),
        margin_call_money=990.0,
        stop_out_money=pick(chance, (500.0, 900.0)),
    )
    venue = VenueSpec(
        account=account, server_clock="utc", instruments={symbol: InstrumentSpec(**facts)}
    )
    book = Book(venue, NOON_MS)
    book.jump(symbol, PRICES[symbol], PRICES[symbol] + 5, NOON_MS)
    side = pick(chance, tuple(Side))
    for _ in range(int(chance.integers(1, 6))):
        units = STEP * int(chance.integers(20, 120))
        book.open_market(symbol, side if chance.random() < 0.8 else Side(-side.value), units)
    spare = book.equity_minor - book.stop_out_limit_minor
    book.deposit(-int(spare * chance.uniform(0.5, 0.98)), NOON_MS, "withdrawal")
    book.jump(symbol, PRICES[symbol], PRICES[symbol] + 5, NOON_MS)
    return book, symbol


@dataclass(frozen=True, slots=True)
class Tape:
    """Hold quotes of several symbols, that convert each other's money, and requests."""

    venue: VenueSpec
    seed: int
    steps: tuple[int, ...]

    def run(self, book: Book, *, holds: bool) -> None:
        """Bring the quotes and make the requests; look after each where `holds` says so."""
        chance = np.random.default_rng(self.seed)
        size = pick(chance, (2, 40, 400))
        now_ms = MONDAY_MS + int(chance.integers(0, 100)) * HOUR_MS
        for symbol in self.venue.instruments:
            book.jump(symbol, PRICES[symbol], PRICES[symbol] + 5, now_ms)
        for step in self.steps:
            chance = np.random.default_rng(step)
            now_ms += int(chance.integers(1, 6 * HOUR_MS))
            symbol = pick(chance, tuple(self.venue.instruments))
            self.tick(book, chance, (symbol, size, now_ms))
            if holds:
                require_no_stop_out(book)
                require_nothing_met(book, symbol)
            for _ in range(int(chance.integers(0, 4))):
                Trader(book, symbol, size, chance).ask()

    def tick(self, book: Book, chance: Chance, where: tuple[str, int, int]) -> None:
        """Jump or move; the price stays near where it began."""
        symbol, size, now_ms = where
        quote = book.quote(symbol)
        assert quote is not None
        bid = quote.bid_points + int(chance.integers(-4 * size, 4 * size + 1))
        if chance.random() < 0.4:
            book.jump(symbol, bid, bid + int(chance.integers(0, 30)), now_ms)
        else:
            book.move(symbol, bid, now_ms)


@st.composite
def tapes(draw: st.DrawFn) -> Tape:
    """Draw a venue of two or three pairs and what happens there."""
    seed = draw(st.integers(0, 2**32 - 1))
    chance = np.random.default_rng(seed)
    symbols = pick(chance, (("EURJPY", "USDJPY", "EURUSD"), ("USDJPY", "EURUSD")))
    facts = costs(chance) | dealing(chance) | limits(chance)
    specs = {
        symbol: InstrumentSpec(
            digits=3 if symbol.endswith("JPY") else 5,
            contract_size=100_000.0,
            base_currency=symbol[:3],
            profit_currency=symbol[3:],
            **(facts | hours(chance)),
        )
        for symbol in symbols
    }
    venue = VenueSpec(account=random_account(chance), server_clock="utc", instruments=specs)
    steps = draw(st.lists(st.integers(0, 2**32 - 1), min_size=4, max_size=30))
    return Tape(venue=venue, seed=seed, steps=tuple(steps))


@settings(max_examples=400, deadline=None)
@given(tapes())
def test_a_watched_book_of_many_symbols_goes_like_one_that_looks_at_everything(tape: Tape):
    watched, wakeful = Book(tape.venue, MONDAY_MS), wake(Book(tape.venue, MONDAY_MS))
    tape.run(watched, holds=True)
    tape.run(wakeful, holds=False)

    require_same(watched, wakeful)
