"""Trade requests carried out: checked in the module's order, executed by the server, answered."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from mtquant.model import Side, lots_from_units, money_from_minor
from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated import arguments
from mtquant.terminal.simulated.arguments import BadArgumentError
from mtquant.terminal.simulated.retcodes import RETCODE_TEXTS, RETCODES
from mtquant.terminal.structs import OrderCheckResult, OrderSendResult

if TYPE_CHECKING:
    from mtquant.exchange import OpenPosition
    from mtquant.terminal.sequence import StructSequence
    from mtquant.terminal.simulated.server import SimulatedServer

_NOT_SIMULATED: Final = (
    mt5.TRADE_ACTION_PENDING,
    mt5.TRADE_ACTION_MODIFY,
    mt5.TRADE_ACTION_REMOVE,
    mt5.TRADE_ACTION_CLOSE_BY,
)
SIDES: Final = {mt5.ORDER_TYPE_BUY: Side.BUY, mt5.ORDER_TYPE_SELL: Side.SELL}


class RequestDesk:
    """Check trade requests and carry them out on a server."""

    def __init__(self, server: SimulatedServer) -> None:
        self._server = server
        self._book = server.book
        self._venue = server.market.venue
        self._request_id = 0

    def check(self, request: StructSequence) -> Any:
        """Return an OrderCheckResult."""
        code = self._precheck(request) or self._check(request)
        account = self._book.account()
        margin = account.margin_minor
        opens = request.action == mt5.TRADE_ACTION_DEAL and not request.position
        if code == 0 and opens:
            units = arguments.nearest_units(request.volume)
            margin = self._book.margin_after(request.symbol, SIDES[request.type], units)
        equity = account.equity_minor
        return OrderCheckResult(
            (
                code,
                self._money(account.balance_minor),
                self._money(equity),
                self._money(equity - account.balance_minor),
                self._money(margin),
                self._money(equity - margin),
                100 * equity / margin if margin else 0.0,
                "Done" if code == 0 else RETCODE_TEXTS[code],
                request,
            )
        )

    def send(self, request: StructSequence) -> Any:
        """Return an OrderSendResult."""
        code = self._precheck(request)
        if code == 0 and not self._book.in_session(request.symbol):
            code = mt5.TRADE_RETCODE_MARKET_CLOSED
        if code:
            return self._answer(request, code)
        return self._execute(request)

    def _money(self, minor: int) -> float:
        return money_from_minor(minor, self._venue.account.currency_digits)

    def _digits(self, symbol: str) -> int:
        return self._venue.instrument(symbol).digits if symbol else 0

    def _precheck(self, request: StructSequence) -> int:
        """Check what does not depend on the market: action, symbol, type, filling."""
        if request.action in _NOT_SIMULATED:
            return mt5.TRADE_RETCODE_INVALID_ORDER
        if request.symbol not in self._venue.instruments:
            return mt5.TRADE_RETCODE_INVALID
        if request.action == mt5.TRADE_ACTION_SLTP:
            position = self._position(request.position)
            is_of_symbol = position is None or position.symbol == request.symbol
            return 0 if is_of_symbol else mt5.TRADE_RETCODE_INVALID
        if request.action != mt5.TRADE_ACTION_DEAL or request.type not in SIDES:
            return mt5.TRADE_RETCODE_INVALID
        if request.type_filling not in (mt5.ORDER_FILLING_FOK, mt5.ORDER_FILLING_IOC):
            return mt5.TRADE_RETCODE_INVALID_FILL
        return self._precheck_close(request) if request.position else 0

    def _precheck_close(self, request: StructSequence) -> int:
        position = self._position(request.position)
        if position is None:
            return mt5.TRADE_RETCODE_POSITION_CLOSED
        closes = (request.symbol, -SIDES[request.type].value) == (position.symbol, position.side)
        return 0 if closes else mt5.TRADE_RETCODE_INVALID

    def _position(self, number: int) -> OpenPosition | None:
        return next((p for p in self._book.open_positions if p.ticket == number), None)

    def _levels(self, request: StructSequence) -> tuple[int, int] | None:
        digits = self._digits(request.symbol)
        points = []
        for price in (request.sl, request.tp):
            try:
                level = arguments.points(price, digits)
            except BadArgumentError:
                return None
            if price < 0 or abs(price * 10**digits - level) > 1e-4:
                return None
            points.append(level)
        return points[0], points[1]

    def _check(self, request: StructSequence) -> int:
        levels = self._levels(request)
        if not (math.isfinite(request.price) and math.isfinite(request.stoplimit)):
            return mt5.TRADE_RETCODE_INVALID_PRICE
        if levels is None:
            return mt5.TRADE_RETCODE_INVALID_STOPS
        if request.action == mt5.TRADE_ACTION_SLTP:
            refusal = self._book.check_modify(request.position, *levels)
        elif request.position:
            refusal = self._book.check_close(
                request.position, arguments.nearest_units(request.volume)
            )
        else:
            refusal = self._book.check_open(
                request.symbol,
                SIDES[request.type],
                arguments.nearest_units(request.volume),
                stop=levels[0],
                target=levels[1],
            )
        return 0 if refusal is None else RETCODES[refusal]

    def _execute(self, request: StructSequence) -> Any:
        levels = self._levels(request)
        if not (math.isfinite(request.price) and math.isfinite(request.stoplimit)):
            return self._answer(request, mt5.TRADE_RETCODE_INVALID_PRICE)
        if levels is None:
            return self._answer(request, mt5.TRADE_RETCODE_INVALID_STOPS)
        if request.action == mt5.TRADE_ACTION_SLTP:
            done = self._server.modify_stops(request.position, *levels)
        elif request.position:
            units = arguments.nearest_units(request.volume)
            done = self._server.close_market(
                request.position, units, request.magic, request.comment
            )
        else:
            done = self._server.open_market(
                request.symbol,
                SIDES[request.type],
                arguments.nearest_units(request.volume),
                stop=levels[0],
                target=levels[1],
                magic=request.magic,
                comment=request.comment,
            )
        if done.refusal is not None:
            return self._answer(request, RETCODES[done.refusal], on_server=True)
        is_deal = request.action == mt5.TRADE_ACTION_DEAL
        return self._answer(
            request,
            mt5.TRADE_RETCODE_DONE,
            on_server=True,
            deal=done.deal_ticket,
            order=done.order_ticket,
            volume=lots_from_units(done.volume_units),
            price=done.price_points / 10 ** self._digits(request.symbol) if is_deal else 0.0,
            quoted=is_deal,
        )

    def _answer(
        self,
        request: StructSequence,
        code: int,
        *,
        on_server: bool = False,
        deal: int = 0,
        order: int = 0,
        volume: float = 0.0,
        price: float = 0.0,
        quoted: bool = False,
    ) -> Any:
        bid = ask = 0.0
        quote = self._book.quote(request.symbol) if quoted else None
        if quote is not None:
            scale = 10 ** self._digits(request.symbol)
            bid, ask = quote.bid_points / scale, quote.ask_points / scale
        if on_server:
            self._request_id += 1
        number = self._request_id if on_server else 0
        text = RETCODE_TEXTS[code]
        return OrderSendResult(
            (code, deal, order, volume, price, bid, ask, text, number, 0, request)
        )
