"""A EURUSD venue whose every cost is named, and a book that stands at a quote."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from mtquant.exchange import AccountSpec, Book, InstrumentSpec, Market, VenueSpec
from mtquant.model import Timeframe, make_bars

NOON_MS = 1_483_358_400_000  # Monday, 2017-01-02, 12:00 UTC


@pytest.fixture
def venue() -> Callable[..., VenueSpec]:
    """Return a maker of venues; account and instrument settings are taken by name."""

    def make(account: dict | None = None, clock: str = "utc", **spec) -> VenueSpec:
        usual = {
            "digits": 5,
            "contract_size": 100_000,
            "base_currency": "EUR",
            "profit_currency": "USD",
        }
        return VenueSpec(
            account=AccountSpec(**(account or {})),
            server_clock=clock,
            instruments={"EURUSD": InstrumentSpec(**(usual | spec))},
        )

    return make


@pytest.fixture
def book(venue) -> Callable[..., Book]:
    """Return a maker of books at bid 1.00000, ask 1.00010."""

    def make(account: dict | None = None, clock: str = "utc", **spec) -> Book:
        made = Book(venue(account, clock, **spec), NOON_MS)
        made.jump("EURUSD", 100_000, 100_010, NOON_MS)
        return made

    return make


@pytest.fixture
def bars_market(venue) -> Callable[..., Market]:
    """Return a maker of markets of 8 hours on a venue with more accounts."""

    def make(*more: AccountSpec) -> Market:
        close = 100_000 + 10 * np.arange(8)
        bars = make_bars(
            symbol="EURUSD",
            timeframe=Timeframe.H1,
            digits=5,
            time_ms=NOON_MS + np.arange(8) * Timeframe.H1.duration_ms,
            open=close,
            high=close + 5,
            low=close - 5,
            close=close,
            spread=10,
        )
        return Market.of_bars(
            replace(venue(), more_accounts=more), bars, np.zeros((8, 2), np.int32)
        )

    return make
