"""The structures that answer a trade request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mtquant.exchange import (
    CancelRequest,
    ChangeRequest,
    CloseByRequest,
    OrderRequest,
    StopsRequest,
)
from mtquant.model import OrderType, lots_from_units, money_from_minor
from mtquant.terminal.simulated.retcodes import RETCODE_TEXTS
from mtquant.terminal.structs import OrderCheckResult, OrderSendResult

if TYPE_CHECKING:
    from mtquant.exchange import Book, Execution, Request
    from mtquant.terminal.sequence import StructSequence

_NO_PRICES: Final = (0.0, 0.0)


def checked(request: StructSequence, book: Book, code: int, margin_minor: int) -> Any:
    """Return an OrderCheckResult: the account as it is, its margin as it would be."""
    account = book.account()
    digits = account.currency_digits
    equity = account.equity_minor
    floating = equity - account.balance_minor - book.credit_minor
    money = (account.balance_minor, equity, floating, margin_minor, equity - margin_minor)
    return OrderCheckResult(
        (
            code,
            *(money_from_minor(amount, digits) for amount in money),
            100 * equity / margin_minor if margin_minor else 0.0,
            RETCODE_TEXTS[code] if code else "Done",
            request,
        )
    )


def refused(request: StructSequence, code: int, request_id: int, order: int = 0) -> Any:
    """Return the OrderSendResult of a request of which nothing was executed.

    An `order` was made of it before it was rejected, and stands in the history.
    """
    return _sent(request, (code, request_id), order=order)


def requoted(request: StructSequence, code: int, request_id: int, book: Book) -> Any:
    """Return the OrderSendResult that offers the new prices."""
    return _sent(request, (code, request_id), quote=_quote(book, request.symbol))


def executed(
    request: StructSequence,
    wanted: Request,
    done: Execution,
    numbers: tuple[int, int],
    book: Book,
) -> Any:
    """Return the OrderSendResult of a success; `numbers` are its return code and request_id."""
    if isinstance(wanted, StopsRequest):
        return _sent(request, numbers)
    if isinstance(wanted, ChangeRequest | CancelRequest):
        return _sent(request, numbers, order=wanted.order_ticket)
    symbol = _symbol_of(wanted, done, book)
    quote = _quote(book, symbol)
    if isinstance(wanted, OrderRequest) and wanted.order_type is not OrderType.MARKET:
        volume = lots_from_units(wanted.units)
        return _sent(request, numbers, order=done.order_ticket, volume=volume, quote=quote)
    return _sent(
        request,
        numbers,
        deal=done.deal_ticket,
        order=done.order_ticket,
        volume=lots_from_units(done.volume_units),
        price=done.price_points / 10 ** book.venue.instrument(symbol).digits,
        quote=quote,
    )


def _symbol_of(wanted: OrderRequest | CloseByRequest, done: Execution, book: Book) -> str:
    if isinstance(wanted, OrderRequest):
        return wanted.symbol
    deals = reversed(book.ledger.deals)
    return next(one.symbol for one in deals if one.deal_ticket == done.deal_ticket)


def _quote(book: Book, symbol: str) -> tuple[float, float]:
    quote = book.quote(symbol)
    if quote is None:
        return _NO_PRICES
    scale = 10 ** book.venue.instrument(symbol).digits
    return quote.bid_points / scale, quote.ask_points / scale


def _sent(
    request: StructSequence,
    numbers: tuple[int, int],
    *,
    deal: int = 0,
    order: int = 0,
    volume: float = 0.0,
    price: float = 0.0,
    quote: tuple[float, float] = _NO_PRICES,
) -> Any:
    code, request_id = numbers
    text = RETCODE_TEXTS[code]
    return OrderSendResult((code, deal, order, volume, price, *quote, text, request_id, 0, request))
