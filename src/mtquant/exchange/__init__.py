"""The market: rules, the book of an account, its venue, and bars walked over it."""

from mtquant.exchange.book import Book
from mtquant.exchange.dealing import Dealing, FillPrice
from mtquant.exchange.feeds import BarFeed, Feed, TickFeed, TickModel
from mtquant.exchange.foresight import NEVER
from mtquant.exchange.ledger import Ledger, LiveOrder, OpenPosition, Tickets
from mtquant.exchange.market import SLIPPAGE_PRESETS, Market, SlippageModel
from mtquant.exchange.requests import (
    CancelRequest,
    ChangeRequest,
    CloseByRequest,
    Execution,
    OrderRequest,
    Progress,
    Refusal,
    Request,
    Scarcity,
    StopsRequest,
)
from mtquant.exchange.terms import Terms
from mtquant.exchange.venue import AccountSpec, InstrumentSpec, VenueSpec

__all__ = [
    "NEVER",
    "SLIPPAGE_PRESETS",
    "AccountSpec",
    "BarFeed",
    "Book",
    "CancelRequest",
    "ChangeRequest",
    "CloseByRequest",
    "Dealing",
    "Execution",
    "Feed",
    "FillPrice",
    "InstrumentSpec",
    "Ledger",
    "LiveOrder",
    "Market",
    "OpenPosition",
    "OrderRequest",
    "Progress",
    "Refusal",
    "Request",
    "Scarcity",
    "SlippageModel",
    "StopsRequest",
    "Terms",
    "TickFeed",
    "TickModel",
    "Tickets",
    "VenueSpec",
]
