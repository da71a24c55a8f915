"""The market: rules, the book of an account, its venue, and bars walked over it."""

from mtquant.exchange.book import Book
from mtquant.exchange.ledger import Execution, Ledger, OpenPosition, Refusal
from mtquant.exchange.market import Market, SlippageModel
from mtquant.exchange.terms import Terms
from mtquant.exchange.venue import AccountSpec, InstrumentSpec, VenueSpec

__all__ = [
    "AccountSpec",
    "Book",
    "Execution",
    "InstrumentSpec",
    "Ledger",
    "Market",
    "OpenPosition",
    "Refusal",
    "SlippageModel",
    "Terms",
    "VenueSpec",
]
