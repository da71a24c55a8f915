"""What a trade request asks of the server, in our words.

What the terminal itself refuses never gets there: a malformed request, a symbol without prices, a
price that is missing or that the symbol's digits cannot hold.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from mtquant.exchange import (
    CancelRequest,
    ChangeRequest,
    CloseByRequest,
    OrderRequest,
    Request,
    StopsRequest,
)
from mtquant.model import ExecutionMode, Expiration, OrderType
from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated import arguments
from mtquant.terminal.simulated.arguments import BadArgumentError
from mtquant.terminal.simulated.vocabulary import EXPIRATIONS, FILLINGS, PENDINGS, SIDES

if TYPE_CHECKING:
    from collections.abc import Callable

    from mtquant.exchange import Book, LiveOrder
    from mtquant.model import Filling
    from mtquant.terminal.sequence import StructSequence

_PRICED: Final = frozenset({ExecutionMode.REQUEST, ExecutionMode.INSTANT})
_DATED: Final = frozenset({Expiration.SPECIFIED, Expiration.SPECIFIED_DAY})
_OFF_GRID: Final = 1e-4  # points by which a price may miss its grid


class NotSentError(Exception):
    """Carry the return code of a request that never leaves the terminal."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Asking:
    """Read trade requests for the account of a book."""

    def __init__(self, book: Book, is_shown: Callable[[str], bool]) -> None:
        self._book = book
        self._venue = book.venue
        self._is_shown = is_shown

    def read(self, request: StructSequence) -> Request:
        """Return what a TradeRequest asks for.

        Raises:
            NotSentError: it is not fit to be sent.
        """
        if request.symbol and request.symbol not in self._venue.instruments:
            raise NotSentError(mt5.TRADE_RETCODE_INVALID)
        if request.action == mt5.TRADE_ACTION_MODIFY:
            return self._change(request)
        if request.action == mt5.TRADE_ACTION_REMOVE:
            self._waiting(request)
            return CancelRequest(order_ticket=request.order)
        if request.action == mt5.TRADE_ACTION_CLOSE_BY:
            return CloseByRequest(
                position_ticket=request.position,
                by_ticket=request.position_by,
                magic=request.magic,
                comment=request.comment,
            )
        return self._of_symbol(request)

    def _of_symbol(self, request: StructSequence) -> Request:
        if not request.symbol:
            raise NotSentError(mt5.TRADE_RETCODE_INVALID)
        if request.action == mt5.TRADE_ACTION_SLTP:
            self._require_prices(request.symbol)
            stop, target = self._levels(request, self._digits(request.symbol))
            return StopsRequest(
                symbol=request.symbol,
                position_ticket=request.position,
                stop=stop,
                target=target,
            )
        if request.action == mt5.TRADE_ACTION_DEAL and request.type in SIDES:
            return self._market_order(request)
        if request.action == mt5.TRADE_ACTION_PENDING and request.type in PENDINGS:
            return self._pending_order(request)
        raise NotSentError(mt5.TRADE_RETCODE_INVALID)

    def _market_order(self, request: StructSequence) -> OrderRequest:
        symbol = request.symbol
        filling, expiration = _filling(request), _expiration(request)
        self._require_prices(symbol)
        price = 0
        if self._venue.instrument(symbol).execution_mode in _PRICED:
            price = _asked_price(request.price, self._digits(symbol))
        elif not math.isfinite(request.price):
            raise NotSentError(mt5.TRADE_RETCODE_INVALID_PRICE)
        if not math.isfinite(request.stoplimit):
            raise NotSentError(mt5.TRADE_RETCODE_INVALID_PRICE)
        stop, target = self._levels(request, self._digits(symbol))
        return OrderRequest(
            symbol=symbol,
            side=SIDES[request.type],
            units=arguments.nearest_units(request.volume),
            price=price,
            stop=stop,
            target=target,
            deviation=request.deviation,
            filling=filling,
            expiration=expiration,
            expires_ms=self._expires_ms(request, expiration),
            position_ticket=request.position,
            magic=request.magic,
            comment=request.comment,
        )

    def _pending_order(self, request: StructSequence) -> OrderRequest:
        symbol, digits = request.symbol, self._digits(request.symbol)
        filling, expiration = _filling(request), _expiration(request)
        self._require_prices(symbol)
        order_type, side = PENDINGS[request.type]
        price, stop_limit = _order_prices(request, order_type, digits)
        stop, target = self._levels(request, digits)
        return OrderRequest(
            symbol=symbol,
            side=side,
            units=arguments.nearest_units(request.volume),
            order_type=order_type,
            price=price,
            stop_limit=stop_limit,
            stop=stop,
            target=target,
            filling=filling,
            expiration=expiration,
            expires_ms=self._expires_ms(request, expiration),
            magic=request.magic,
            comment=request.comment,
        )

    def _change(self, request: StructSequence) -> ChangeRequest:
        order = self._waiting(request)
        expiration = _expiration(request)
        if order is None:  # the server says so
            return ChangeRequest(order_ticket=request.order, price=0)
        digits = self._digits(order.symbol)
        price, stop_limit = _order_prices(request, order.order_type, digits)
        stop, target = self._levels(request, digits)
        return ChangeRequest(
            order_ticket=request.order,
            price=price,
            stop_limit=stop_limit,
            stop=stop,
            target=target,
            expiration=expiration,
            expires_ms=self._expires_ms(request, expiration),
        )

    def _waiting(self, request: StructSequence) -> LiveOrder | None:
        """Return the waiting order that a request names, None where there is none."""
        orders = self._book.live_orders
        found = next((one for one in orders if one.ticket == request.order), None)
        if found is not None and request.symbol not in {"", found.symbol}:
            raise NotSentError(mt5.TRADE_RETCODE_INVALID)
        return found

    def _require_prices(self, symbol: str) -> None:
        if not self._is_shown(symbol) or self._book.quote(symbol) is None:
            raise NotSentError(mt5.TRADE_RETCODE_PRICE_OFF)

    def _digits(self, symbol: str) -> int:
        return self._venue.instrument(symbol).digits

    def _expires_ms(self, request: StructSequence, expiration: Expiration) -> int:
        if expiration not in _DATED or not request.expiration:
            return 0
        return self._venue.clock.to_utc_ms(request.expiration * 1000)

    @staticmethod
    def _levels(request: StructSequence, digits: int) -> tuple[int, int]:
        stop = _points(request.sl, digits, mt5.TRADE_RETCODE_INVALID_STOPS)
        return stop, _points(request.tp, digits, mt5.TRADE_RETCODE_INVALID_STOPS)


def _order_prices(request: StructSequence, order_type: OrderType, digits: int) -> tuple[int, int]:
    """Return the price and the stop-limit price of a waiting order, in points."""
    price = _asked_price(request.price, digits)
    if order_type is OrderType.STOP_LIMIT:
        return price, _asked_price(request.stoplimit, digits)
    if not math.isfinite(request.stoplimit):
        raise NotSentError(mt5.TRADE_RETCODE_INVALID_PRICE)
    return price, 0


def _filling(request: StructSequence) -> Filling:
    found = FILLINGS.get(request.type_filling)
    if found is None:
        raise NotSentError(mt5.TRADE_RETCODE_INVALID_FILL)
    return found


def _expiration(request: StructSequence) -> Expiration:
    found = EXPIRATIONS.get(request.type_time)
    if found is None:
        raise NotSentError(mt5.TRADE_RETCODE_INVALID_EXPIRATION)
    return found


def _asked_price(price: float, digits: int) -> int:
    points = _points(price, digits, mt5.TRADE_RETCODE_INVALID_PRICE)
    if not points:
        raise NotSentError(mt5.TRADE_RETCODE_INVALID_PRICE)
    return points


def _points(price: float, digits: int, code: int) -> int:
    """Return a price in points; one that is not on their grid is not sent."""
    try:
        points = arguments.points(price, digits)
    except BadArgumentError as error:
        raise NotSentError(code) from error
    if price < 0 or abs(price * 10**digits - points) > _OFF_GRID:
        raise NotSentError(code)
    return points
