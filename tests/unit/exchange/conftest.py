"""A EURUSD venue whose every cost is named, and a book that stands at a quote."""

from collections.abc import Callable

import pytest

from mtquant.exchange import AccountSpec, Book, InstrumentSpec, VenueSpec

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
