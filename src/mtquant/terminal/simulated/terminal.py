"""The simulated terminal: the MetaTrader5 module's functions over the simulated server."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeVar

import numpy as np

from mtquant.exchange import Refusal
from mtquant.model import Deal, Order, Side, lots_from_units, money_from_minor
from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated import arguments, faces
from mtquant.terminal.simulated.arguments import BadArgumentError, matches_group
from mtquant.terminal.simulated.rates import TIMEFRAMES, opening_seconds, rates, rows_between
from mtquant.terminal.simulated.request import parse_request
from mtquant.terminal.structs import OrderCheckResult, OrderSendResult

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtquant.exchange import OpenPosition
    from mtquant.terminal.sequence import StructSequence
    from mtquant.terminal.simulated.server import SimulatedServer

SUCCESS: Final = (1, "Success")
NO_CONNECTION: Final = (-10004, "No IPC connection")
_REPEATED_S: Final = 3600  # what a server's clock is set back in autumn

RETCODE_TEXTS: Final = {
    mt5.TRADE_RETCODE_DONE: "Request executed",
    mt5.TRADE_RETCODE_INVALID: "Invalid request",
    mt5.TRADE_RETCODE_INVALID_VOLUME: "Invalid volume",
    mt5.TRADE_RETCODE_INVALID_PRICE: "Invalid price",
    mt5.TRADE_RETCODE_INVALID_STOPS: "Invalid stops",
    mt5.TRADE_RETCODE_MARKET_CLOSED: "Market closed",
    mt5.TRADE_RETCODE_NO_MONEY: "No money",
    mt5.TRADE_RETCODE_PRICE_OFF: "No prices",
    mt5.TRADE_RETCODE_NO_CHANGES: "No changes",
    mt5.TRADE_RETCODE_FROZEN: "Modification failed due to order or position being close to market",
    mt5.TRADE_RETCODE_INVALID_FILL: "Unsupported filling mode",
    mt5.TRADE_RETCODE_INVALID_ORDER: "Invalid or prohibited order type",
    mt5.TRADE_RETCODE_POSITION_CLOSED: "Position doesn't exist",
    mt5.TRADE_RETCODE_INVALID_CLOSE_VOLUME: "Volume to be closed exceeds the position volume",
}
_RETCODES: Final = {
    Refusal.INVALID_REQUEST: mt5.TRADE_RETCODE_INVALID,
    Refusal.MARKET_CLOSED: mt5.TRADE_RETCODE_MARKET_CLOSED,
    Refusal.NO_PRICES: mt5.TRADE_RETCODE_PRICE_OFF,
    Refusal.INVALID_VOLUME: mt5.TRADE_RETCODE_INVALID_VOLUME,
    Refusal.INVALID_STOPS: mt5.TRADE_RETCODE_INVALID_STOPS,
    Refusal.NO_MONEY: mt5.TRADE_RETCODE_NO_MONEY,
    Refusal.NO_CHANGES: mt5.TRADE_RETCODE_NO_CHANGES,
    Refusal.FROZEN: mt5.TRADE_RETCODE_FROZEN,
    Refusal.POSITION_GONE: mt5.TRADE_RETCODE_POSITION_CLOSED,
    Refusal.CLOSE_VOLUME: mt5.TRADE_RETCODE_INVALID_CLOSE_VOLUME,
}
_NOT_SIMULATED: Final = (
    mt5.TRADE_ACTION_PENDING,
    mt5.TRADE_ACTION_MODIFY,
    mt5.TRADE_ACTION_REMOVE,
    mt5.TRADE_ACTION_CLOSE_BY,
)
_SIDES: Final = {mt5.ORDER_TYPE_BUY: Side.BUY, mt5.ORDER_TYPE_SELL: Side.SELL}

Item = TypeVar("Item", Order, Deal)
P = ParamSpec("P")
Answer = TypeVar("Answer")
Failure = TypeVar("Failure")
Method = Callable[Concatenate["SimulatedTerminal", P], Answer]


def _not_found() -> BadArgumentError:
    return BadArgumentError("Terminal: Not found", code=-4)


def _answers(
    failure: Failure,
) -> Callable[[Method[P, Answer]], Method[P, Answer | Failure]]:
    """Make a function of the module: without a link, or for bad arguments, it answers `failure`.

    Like the module's own, it sets last_error and does not raise; a wrong number of unnamed
    arguments is such a failure too.
    """

    def decorate(method: Method[P, Answer]) -> Method[P, Answer | Failure]:
        unnamed = method.__code__.co_posonlyargcount - 1
        least = unnamed - len(method.__defaults__ or ())

        @wraps(method)
        def call(self: SimulatedTerminal, /, *args: P.args, **kwargs: P.kwargs) -> Answer | Failure:
            if not self._begin():
                return failure
            try:
                if kwargs or unnamed <= 0 or least <= len(args) <= unnamed:
                    return method(self, *args, **kwargs)
                self._error = BadArgumentError().error
            except BadArgumentError as problem:
                self._error = problem.error
            return failure

        return call

    return decorate


class SimulatedTerminal:
    """Behave like the MetaTrader5 module, on any operating system.

    It has what a bot on market orders needs: connection, account, symbols, bars, checks, market
    orders, stop loss and take profit, closing, history. Times are the server's epoch seconds.
    Like the official module it is not thread-safe: one owner thread.
    """

    def __init__(self, server: SimulatedServer) -> None:
        self._server = server
        self._book = server.book
        self._venue = server.market.venue
        self._clock = self._venue.clock
        self._connected = False
        self._error: tuple[int, str] = (0, "")
        self._request_id = 0
        self._selected = set(self._venue.instruments)
        self._stamps: NDArray[np.int64] | None = None

    # ------------------------------------------------------------------ connection

    def initialize(self, *args: Any, **kwargs: Any) -> bool:
        """Connect to the terminal, and log in where a login is given; False + last_error."""
        self._connected = False
        if len(args) > 1:
            return self._refused((-2, "Invalid number of arguments"))
        if args and not isinstance(args[0], str):
            return self._refused((-2, "Invalid 1st unnamed argument"))
        if not self._server.is_reachable:
            return self._refused((-10003, "IPC initialize failed, Pipe server didn't answer"))
        self._connected = True
        self._error = SUCCESS
        self._server.touch()
        if "login" in kwargs and not self.login(**kwargs):
            self._connected = False
            return False
        return True

    @_answers(False)  # noqa: FBT003 - the answer of a failed call
    def login(self, *args: Any, **kwargs: Any) -> bool:
        """Log in to the account; a wrong login, password or server is refused."""
        if len(args) > 3:
            raise BadArgumentError("Invalid number of arguments")
        given = dict(zip(("login", "password", "server"), args, strict=False)) | kwargs
        login = arguments.ticket(given.get("login"), "login")
        if login <= 0:
            raise BadArgumentError('Invalid "login" argument')
        account = self._venue.account
        known = (login, account.password, self._venue.server)
        wanted = (
            account.login,
            arguments.text(given.get("password") or known[1], "password"),
            arguments.text(given.get("server") or known[2], "server"),
        )
        if wanted != known:
            raise BadArgumentError("Terminal: Authorization failed", code=-6)
        return True

    def shutdown(self) -> bool:
        """Disconnect."""
        self._connected = False
        self._error = SUCCESS
        return True

    @_answers(None)
    def version(self) -> tuple[int, int, str]:
        """Return (500, build, build date)."""
        return 500, faces.BUILD, "01 Jan 2026"

    def last_error(self) -> tuple[int, str]:
        """Return (code, text) of the last call."""
        return self._error

    @_answers(None)
    def terminal_info(self) -> Any:
        """Return a TerminalInfo."""
        return faces.terminal_face(self._venue.company, connected=True)

    @_answers(None)
    def account_info(self) -> Any:
        """Return an AccountInfo."""
        return faces.account_face(self._book.account(), self._venue)

    # ------------------------------------------------------------------ symbols and prices

    @_answers(None)
    def symbols_total(self) -> int:
        """Return how many symbols there are."""
        return len(self._venue.instruments)

    @_answers(None)
    def symbols_get(self, *args: Any, **kwargs: Any) -> Any:
        """Return a tuple of SymbolInfo, filtered by `group` where one is given."""
        if len(args) > 1:
            raise BadArgumentError("Invalid number of arguments")
        group = arguments.text(args[0] if args else kwargs.get("group", "*"), "group")
        names = [name for name in self._venue.instruments if matches_group(name, group)]
        return tuple(self._symbol(name) for name in names)

    @_answers(None)
    def symbol_info(self, symbol: str, /) -> Any:
        """Return a SymbolInfo, None + last_error for an unknown symbol."""
        return self._symbol(self._known(symbol))

    @_answers(None)
    def symbol_info_tick(self, symbol: str, /) -> Any:
        """Return the latest Tick."""
        quote = self._book.quote(self._known(symbol))
        if quote is None:
            raise _not_found()
        return faces.tick_face(quote, self._clock, self._digits(symbol))

    @_answers(False)  # noqa: FBT003 - the answer of a failed call
    def symbol_select(self, symbol: str, enable: bool = True, /) -> bool:  # noqa: FBT001, FBT002 - the module's signature
        """Show a symbol in Market Watch, or hide it."""
        change = self._selected.add if enable else self._selected.discard
        change(self._known(symbol))
        return True

    @_answers(None)
    def copy_rates_from(self, symbol: str, timeframe: int, date_from: Any, count: int, /) -> Any:
        """Return the last `count` bars that opened at or before a date."""
        stamps = self._bar_stamps(symbol, timeframe)
        wanted = self._count(count)
        found = rows_between(
            self._server.market, stamps, int(stamps.min()), arguments.seconds(date_from)
        )
        return rates(self._server.market, stamps, found[max(0, len(found) - wanted) :])

    @_answers(None)
    def copy_rates_from_pos(self, symbol: str, timeframe: int, start: int, count: int, /) -> Any:
        """Return `count` bars, counted back from the forming bar (position 0)."""
        stamps = self._bar_stamps(symbol, timeframe)
        end = max(0, self._server.market.bar + 1 - self._count(start))
        rows = np.arange(max(0, end - self._count(count)), end)
        return rates(self._server.market, stamps, rows)

    @_answers(None)
    def copy_rates_range(self, symbol: str, timeframe: int, start: Any, end: Any, /) -> Any:
        """Return the bars that opened between two dates, both included."""
        stamps = self._bar_stamps(symbol, timeframe)
        market = self._server.market
        rows = rows_between(market, stamps, arguments.seconds(start), arguments.seconds(end))
        return rates(market, stamps, rows)

    # ------------------------------------------------------------------ trading

    @_answers(None)
    def order_calc_margin(self, action: int, symbol: str, volume: float, price: float, /) -> float:
        """Return the margin of an order alone, account currency."""
        digits = self._digits(self._computable(symbol))
        side, units = self._side(action), arguments.units(volume)
        points = arguments.points(price, digits)
        return self._money(self._book.margin_for(symbol, side, units, points))

    @_answers(None)
    def order_calc_profit(
        self, action: int, symbol: str, volume: float, opened: float, closed: float, /
    ) -> float:
        """Return the profit between two prices, account currency."""
        digits = self._digits(self._computable(symbol))
        side, units = self._side(action), arguments.units(volume)
        prices = arguments.points(opened, digits), arguments.points(closed, digits)
        return self._money(self._book.profit_for(symbol, side, units, *prices))

    @_answers(None)
    def order_check(self, *args: Any, **kwargs: Any) -> Any:
        """Return an OrderCheckResult (retcode 0 = would pass; trading hours are not checked)."""
        request = parse_request(args, kwargs)
        code = self._precheck(request) or self._check(request)
        account = self._book.account()
        margin = account.margin_minor
        opens = request.action == mt5.TRADE_ACTION_DEAL and not request.position
        if code == 0 and opens:
            units = arguments.nearest_units(request.volume)
            margin = self._book.margin_after(request.symbol, _SIDES[request.type], units)
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

    @_answers(None)
    def order_send(self, *args: Any, **kwargs: Any) -> Any:
        """Send a trade request; return an OrderSendResult, None for arguments it cannot take."""
        request = parse_request(args, kwargs)
        code = self._precheck(request)
        if code == 0 and not self._book.in_session(request.symbol):
            code = mt5.TRADE_RETCODE_MARKET_CLOSED
        if code:
            return self._answer(request, code)
        return self._execute(request)

    # ------------------------------------------------------------------ positions and history

    @_answers(None)
    def positions_total(self) -> int:
        """Return how many positions are open."""
        return len(self._book.open_positions)

    @_answers(None)
    def positions_get(self, *args: Any, **kwargs: Any) -> Any:
        """Return the open positions, by `ticket`, `symbol` or `group` where one is given."""
        is_wanted = _chooser(args, kwargs)
        updated = {p.ticket: p.updated_ms for p in self._book.open_positions}
        return tuple(
            faces.position_face(p, self._clock, updated[p.position_ticket])
            for p in self._book.positions()
            if is_wanted(p.position_ticket, p.symbol)
        )

    @_answers(None)
    def orders_total(self) -> int:
        """Return how many orders wait in the market: this version places none."""
        return 0

    @_answers(None)
    def orders_get(self, *args: Any, **kwargs: Any) -> Any:
        """Return the orders that wait in the market."""
        _chooser(args, kwargs)
        return ()

    @_answers(None)
    def history_orders_total(self, date_from: Any, date_to: Any, /) -> int:
        """Return how many orders of the history were set up between two dates."""
        return len(self._history(self._book.ledger.orders, (date_from, date_to), {}))

    @_answers(None)
    def history_orders_get(self, *args: Any, **kwargs: Any) -> Any:
        """Return orders of the history: two dates, or `ticket=`, or `position=`."""
        chosen = self._history(self._book.ledger.orders, args, kwargs)
        return tuple(faces.order_face(one, self._clock, self._digits(one.symbol)) for one in chosen)

    @_answers(None)
    def history_deals_total(self, date_from: Any, date_to: Any, /) -> int:
        """Return how many deals were made between two dates."""
        return len(self._history(self._book.ledger.deals, (date_from, date_to), {}))

    @_answers(None)
    def history_deals_get(self, *args: Any, **kwargs: Any) -> Any:
        """Return deals: two dates, or `ticket=` (of the order), or `position=`."""
        chosen = self._history(self._book.ledger.deals, args, kwargs)
        money = self._venue.account.currency_digits
        return tuple(
            faces.deal_face(one, self._clock, self._digits(one.symbol), money) for one in chosen
        )

    # ------------------------------------------------------------------ inside

    def _begin(self) -> bool:
        if not self._server.is_reachable:
            self._connected = False
        if not self._connected:
            return self._refused(NO_CONNECTION)
        self._error = SUCCESS
        self._server.touch()
        return True

    def _refused(self, error: tuple[int, str]) -> bool:
        self._error = error
        return False

    def _known(self, symbol: Any) -> str:
        if not isinstance(symbol, str):
            raise BadArgumentError
        if symbol not in self._venue.instruments:
            raise _not_found()
        return symbol

    def _computable(self, symbol: Any) -> str:
        if not self._book.can_convert(self._known(symbol)):
            raise _not_found()
        return str(symbol)

    def _bar_stamps(self, symbol: str, timeframe: int) -> NDArray[np.int64]:
        """Return the opening seconds of all bars of a series that this server has."""
        bars = self._server.market.bars
        wanted = TIMEFRAMES.get(arguments.whole(timeframe))
        if wanted is None:
            raise BadArgumentError
        if self._known(symbol) != bars.symbol or wanted is not bars.timeframe:
            raise _not_found()
        if self._stamps is None:
            self._stamps = opening_seconds(self._server.market)
        return self._stamps

    @staticmethod
    def _count(value: Any) -> int:
        number = arguments.whole(value)
        if number < 0:
            raise BadArgumentError
        return number

    @staticmethod
    def _side(action: Any) -> Side:
        side = _SIDES.get(arguments.whole(action))
        if side is None:
            raise BadArgumentError
        return side

    def _money(self, minor: int) -> float:
        return money_from_minor(minor, self._venue.account.currency_digits)

    def _digits(self, symbol: str) -> int:
        return self._venue.instrument(symbol).digits if symbol else 0

    def _symbol(self, symbol: str) -> Any:
        return faces.symbol_face(self._book, symbol, selected=symbol in self._selected)

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
        if request.action != mt5.TRADE_ACTION_DEAL or request.type not in _SIDES:
            return mt5.TRADE_RETCODE_INVALID
        if request.type_filling not in (mt5.ORDER_FILLING_FOK, mt5.ORDER_FILLING_IOC):
            return mt5.TRADE_RETCODE_INVALID_FILL
        return self._precheck_close(request) if request.position else 0

    def _precheck_close(self, request: StructSequence) -> int:
        position = self._position(request.position)
        if position is None:
            return mt5.TRADE_RETCODE_POSITION_CLOSED
        closes = (request.symbol, -_SIDES[request.type].value) == (position.symbol, position.side)
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
                _SIDES[request.type],
                arguments.nearest_units(request.volume),
                stop=levels[0],
                target=levels[1],
            )
        return 0 if refusal is None else _RETCODES[refusal]

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
                _SIDES[request.type],
                arguments.nearest_units(request.volume),
                stop=levels[0],
                target=levels[1],
                magic=request.magic,
                comment=request.comment,
            )
        if done.refusal is not None:
            return self._answer(request, _RETCODES[done.refusal], on_server=True)
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

    def _history(
        self, items: list[Item], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> list[Item]:
        for name, field in (("ticket", "order_ticket"), ("position", "position_ticket")):
            if name in kwargs:
                if args:
                    raise BadArgumentError("Unnamed arguments not allowed")
                number = arguments.ticket(kwargs[name], name)
                return [item for item in items if getattr(item, field) == number]
        if len(args) != 2:
            raise BadArgumentError
        start, end = arguments.seconds(args[0]), arguments.seconds(args[1])
        group = arguments.text(kwargs.get("group", "*"), "group")
        chosen = []
        for item in reversed(items):
            time_ms = item.time_ms if isinstance(item, Deal) else item.setup_ms
            second = self._clock.to_server_ms(time_ms) // 1000
            if second < start - _REPEATED_S:
                break
            if start <= second <= end and matches_group(item.symbol, group):
                chosen.append(item)
        return chosen[::-1]


def _chooser(args: tuple[Any, ...], filters: dict[str, Any]) -> Callable[[int, str], bool]:
    """Return the test of `ticket=`, else `symbol=`, else `group=`."""
    if args:
        raise BadArgumentError("Unnamed arguments not allowed")
    if "ticket" in filters:
        wanted = arguments.ticket(filters["ticket"], "ticket")
        return lambda number, _symbol: number == wanted
    if "symbol" in filters:
        name = arguments.text(filters["symbol"], "symbol")
        return lambda _number, symbol: symbol == name
    group = arguments.text(filters.get("group", "*"), "group")
    return lambda _number, symbol: matches_group(symbol, group)
