"""The simulated terminal: the MetaTrader5 module's functions over the simulated server."""

from __future__ import annotations

from datetime import datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final, TypeVar

from mtquant.exchange import Refusal
from mtquant.model import (
    Deal,
    Order,
    Side,
    lots_from_units,
    money_from_minor,
    units_from_lots,
)
from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated import faces
from mtquant.terminal.simulated.rates import TIMEFRAMES, rates, rows_between
from mtquant.terminal.simulated.request import BadArgumentError, parse_request
from mtquant.terminal.structs import OrderCheckResult, OrderSendResult

if TYPE_CHECKING:
    from mtquant.terminal.sequence import StructSequence
    from mtquant.terminal.simulated.server import SimulatedServer

SUCCESS: Final = (1, "Success")
NO_CONNECTION: Final = (-10004, "No IPC connection")
NOT_FOUND: Final = (-4, "Terminal: Not found")
INVALID_ARGUMENTS: Final = (-2, "Invalid arguments")

RETCODE_TEXTS: Final = {
    mt5.TRADE_RETCODE_DONE: "Request executed",
    mt5.TRADE_RETCODE_INVALID: "Invalid request",
    mt5.TRADE_RETCODE_INVALID_VOLUME: "Invalid volume",
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
_SIDES: Final = {mt5.ORDER_TYPE_BUY: Side.BUY, mt5.ORDER_TYPE_SELL: Side.SELL}


Item = TypeVar("Item", Order, Deal)


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

    # ------------------------------------------------------------------ connection

    def initialize(self, *args: Any, **kwargs: Any) -> bool:
        """Connect to the terminal, and log in where a login is given; False + last_error."""
        self._connected = False
        if len(args) > 1:
            return self._refused((-2, "Invalid number of arguments"))
        if not self._server.is_reachable:
            return self._refused((-10003, "IPC initialize failed, Pipe server didn't answer"))
        self._connected = True
        self._error = SUCCESS
        self._server.touch()
        if "login" in kwargs and not self.login(kwargs.pop("login"), **kwargs):
            self._connected = False
            return False
        return True

    def login(self, *args: Any, **kwargs: Any) -> bool:
        """Log in to the account; a wrong login, password or server is refused."""
        if not self._begin():
            return False
        names = ("login", "password", "server")
        given = dict(zip(names, args, strict=False)) | kwargs
        login = given.get("login")
        if not isinstance(login, int) or isinstance(login, bool) or login <= 0:
            return self._refused((-2, 'Invalid "login" argument'))
        account = self._venue.account
        known = (account.login, account.password, self._venue.server)
        wanted = (login, given.get("password") or known[1], given.get("server") or known[2])
        return True if wanted == known else self._refused((-6, "Terminal: Authorization failed"))

    def shutdown(self) -> bool:
        """Disconnect."""
        self._connected = False
        self._error = SUCCESS
        return True

    def version(self) -> tuple[int, int, str] | None:
        """Return (500, build, build date)."""
        return (500, faces.BUILD, "01 Jan 2026") if self._begin() else None

    def last_error(self) -> tuple[int, str]:
        """Return (code, text) of the last call."""
        return self._error

    def terminal_info(self) -> Any:
        """Return a TerminalInfo."""
        if not self._begin():
            return None
        return faces.terminal_face(self._venue.company, connected=True)

    def account_info(self) -> Any:
        """Return an AccountInfo."""
        return faces.account_face(self._book.account(), self._venue) if self._begin() else None

    # ------------------------------------------------------------------ symbols and prices

    def symbols_total(self) -> int | None:
        """Return how many symbols there are."""
        return len(self._venue.instruments) if self._begin() else None

    def symbols_get(self, *args: Any, **kwargs: Any) -> Any:
        """Return a tuple of SymbolInfo, filtered by `group` where one is given."""
        if not self._begin():
            return None
        group = args[0] if args else kwargs.get("group", "*")
        names = [name for name in self._venue.instruments if matches_group(name, group)]
        return tuple(self._symbol(name) for name in names)

    def symbol_info(self, symbol: str, /) -> Any:
        """Return a SymbolInfo, None + last_error for an unknown symbol."""
        return self._symbol(symbol) if self._begin() and self._known(symbol) else None

    def symbol_info_tick(self, symbol: str, /) -> Any:
        """Return the latest Tick."""
        if not self._begin() or not self._known(symbol):
            return None
        quote = self._book.quote(symbol)
        if quote is None:
            self._error = NOT_FOUND
            return None
        return faces.tick_face(quote, self._clock, self._venue.instrument(symbol).digits)

    def symbol_select(self, symbol: str, enable: bool = True, /) -> bool:  # noqa: FBT001, FBT002 - the module's signature
        """Show a symbol in Market Watch, or hide it."""
        if not self._begin() or not self._known(symbol):
            return False
        if enable:
            self._selected.add(symbol)
        else:
            self._selected.discard(symbol)
        return True

    def copy_rates_from(self, symbol: str, timeframe: int, date_from: Any, count: int, /) -> Any:
        """Return the last `count` bars that opened at or before a date."""
        if not self._begin() or not self._has_bars(symbol, timeframe, count):
            return None
        date = self._date(date_from)
        if date is None:
            return None
        market = self._server.market
        _, end = rows_between(market, 0, self._clock.to_utc_ms(date * 1000))
        return rates(market, max(0, end - count), end)

    def copy_rates_from_pos(self, symbol: str, timeframe: int, start: int, count: int, /) -> Any:
        """Return `count` bars, counted back from the forming bar (position 0)."""
        if not self._begin() or not self._has_bars(symbol, timeframe, count):
            return None
        if start < 0:
            self._error = INVALID_ARGUMENTS
            return None
        end = max(0, self._server.market.bar + 1 - start)
        return rates(self._server.market, max(0, end - count), end)

    def copy_rates_range(self, symbol: str, timeframe: int, start: Any, end: Any, /) -> Any:
        """Return the bars that opened between two dates, both included."""
        if not self._begin() or not self._has_bars(symbol, timeframe, 0):
            return None
        from_date, to_date = self._date(start), self._date(end)
        if from_date is None or to_date is None:
            return None
        market = self._server.market
        to_utc = self._clock.to_utc_ms
        first, last = rows_between(market, to_utc(from_date * 1000), to_utc(to_date * 1000))
        return rates(market, first, last)

    # ------------------------------------------------------------------ trading

    def order_calc_margin(
        self, action: int, symbol: str, volume: float, price: float, /
    ) -> float | None:
        """Return the margin of an order alone, account currency."""
        if not self._begin() or not self._known(symbol) or action not in _SIDES:
            return None
        points = self._venue.instrument(symbol).points(price)
        units = units_from_lots(volume)
        return self._money(self._book.margin_for(symbol, _SIDES[action], units, points))

    def order_calc_profit(
        self, action: int, symbol: str, volume: float, opened: float, closed: float, /
    ) -> float | None:
        """Return the profit between two prices, account currency."""
        if not self._begin() or not self._known(symbol) or action not in _SIDES:
            return None
        instrument = self._venue.instrument(symbol)
        prices = instrument.points(opened), instrument.points(closed)
        units = units_from_lots(volume)
        return self._money(self._book.profit_for(symbol, _SIDES[action], units, *prices))

    def order_check(self, *args: Any, **kwargs: Any) -> Any:
        """Return an OrderCheckResult (retcode 0 = would pass; trading hours are not checked)."""
        if not self._begin():
            return None
        try:
            request = parse_request(args, kwargs)
        except BadArgumentError as error:
            self._error = (-2, str(error))
            return None
        code = self._precheck(request) or self._check(request)
        account = self._book.account()
        margin = account.margin_minor
        opens = request.action == mt5.TRADE_ACTION_DEAL and not request.position
        if code == 0 and opens:
            units = units_from_lots(request.volume)
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

    def order_send(self, *args: Any, **kwargs: Any) -> Any:
        """Send a trade request; return an OrderSendResult, None for arguments it cannot take."""
        if not self._begin():
            return None
        try:
            request = parse_request(args, kwargs)
        except BadArgumentError as error:
            self._error = (-2, str(error))
            return None
        code = self._precheck(request)
        if code == 0 and not self._book.in_session(request.symbol):
            code = mt5.TRADE_RETCODE_MARKET_CLOSED
        if code:
            return self._answer(request, code)
        return self._execute(request)

    # ------------------------------------------------------------------ positions and history

    def positions_total(self) -> int | None:
        """Return how many positions are open."""
        return len(self._book.open_positions) if self._begin() else None

    def positions_get(self, *args: Any, **kwargs: Any) -> Any:
        """Return the open positions, by `ticket`, `symbol` or `group` where one is given."""
        if not self._begin():
            return None
        if args:
            self._error = (-2, "Unnamed arguments not allowed")
            return None
        updated = {p.ticket: p.updated_ms for p in self._book.open_positions}
        return tuple(
            faces.position_face(p, self._clock, updated[p.position_ticket])
            for p in self._book.positions()
            if _is_wanted(p.position_ticket, p.symbol, kwargs)
        )

    def orders_total(self) -> int | None:
        """Return how many orders wait in the market: this version places none."""
        return 0 if self._begin() else None

    def orders_get(self, *args: Any, **_kwargs: Any) -> Any:
        """Return the orders that wait in the market."""
        if not self._begin():
            return None
        if args:
            self._error = (-2, "Unnamed arguments not allowed")
            return None
        return ()

    def history_orders_total(self, date_from: Any, date_to: Any, /) -> int | None:
        """Return how many orders of the history were set up between two dates."""
        found = self.history_orders_get(date_from, date_to)
        return None if found is None else len(found)

    def history_orders_get(self, *args: Any, **kwargs: Any) -> Any:
        """Return orders of the history: two dates, or `ticket=`, or `position=`."""
        chosen = self._history(self._book.ledger.orders, args, kwargs)
        if chosen is None:
            return None
        return tuple(faces.order_face(one, self._clock, self._digits(one.symbol)) for one in chosen)

    def history_deals_total(self, date_from: Any, date_to: Any, /) -> int | None:
        """Return how many deals were made between two dates."""
        found = self.history_deals_get(date_from, date_to)
        return None if found is None else len(found)

    def history_deals_get(self, *args: Any, **kwargs: Any) -> Any:
        """Return deals: two dates, or `ticket=` (of the order), or `position=`."""
        chosen = self._history(self._book.ledger.deals, args, kwargs)
        if chosen is None:
            return None
        money = self._venue.account.currency_digits
        return tuple(
            faces.deal_face(one, self._clock, self._digits(one.symbol), money) for one in chosen
        )

    # ------------------------------------------------------------------ inside

    def _begin(self) -> bool:
        if not self._server.is_reachable:
            self._connected = False
        if not self._connected:
            self._error = NO_CONNECTION
            return False
        self._error = SUCCESS
        self._server.touch()
        return True

    def _refused(self, error: tuple[int, str]) -> bool:
        self._error = error
        return False

    def _known(self, symbol: str) -> bool:
        if symbol in self._venue.instruments:
            return True
        return self._refused(NOT_FOUND)

    def _has_bars(self, symbol: str, timeframe: int, count: int) -> bool:
        bars = self._server.market.bars
        if not isinstance(timeframe, int) or timeframe not in TIMEFRAMES or count < 0:
            return self._refused(INVALID_ARGUMENTS)
        if not self._known(symbol):
            return False
        if symbol != bars.symbol or TIMEFRAMES[timeframe] is not bars.timeframe:
            return self._refused(NOT_FOUND)
        return True

    def _date(self, value: Any) -> int | None:
        if isinstance(value, datetime):
            return int(value.timestamp())
        if isinstance(value, int | float) and not isinstance(value, bool):
            return int(value)
        self._error = INVALID_ARGUMENTS
        return None

    def _money(self, minor: int) -> float:
        return money_from_minor(minor, self._venue.account.currency_digits)

    def _digits(self, symbol: str) -> int:
        return self._venue.instrument(symbol).digits if symbol else 0

    def _symbol(self, symbol: str) -> Any:
        return faces.symbol_face(self._book, symbol, selected=symbol in self._selected)

    def _precheck(self, request: StructSequence) -> int:
        """Check what does not depend on the market: action, symbol, type, filling."""
        if request.action not in (mt5.TRADE_ACTION_DEAL, mt5.TRADE_ACTION_SLTP):
            known = request.action in (
                mt5.TRADE_ACTION_PENDING,
                mt5.TRADE_ACTION_MODIFY,
                mt5.TRADE_ACTION_REMOVE,
                mt5.TRADE_ACTION_CLOSE_BY,
            )
            return mt5.TRADE_RETCODE_INVALID_ORDER if known else mt5.TRADE_RETCODE_INVALID
        if request.symbol not in self._venue.instruments:
            return mt5.TRADE_RETCODE_INVALID
        if request.action == mt5.TRADE_ACTION_SLTP:
            return 0
        if request.type not in _SIDES:
            return mt5.TRADE_RETCODE_INVALID
        if request.type_filling not in (mt5.ORDER_FILLING_FOK, mt5.ORDER_FILLING_IOC):
            return mt5.TRADE_RETCODE_INVALID_FILL
        return self._precheck_close(request) if request.position else 0

    def _precheck_close(self, request: StructSequence) -> int:
        for position in self._book.open_positions:
            if position.ticket == request.position:
                fits = (position.symbol, -position.side) == (
                    request.symbol,
                    _SIDES[request.type].value,
                )
                return 0 if fits else mt5.TRADE_RETCODE_INVALID
        return mt5.TRADE_RETCODE_POSITION_CLOSED

    def _levels(self, request: StructSequence) -> tuple[int, int] | None:
        instrument = self._venue.instrument(request.symbol)
        points = []
        for price in (request.sl, request.tp):
            if price < 0 or abs(price * 10**instrument.digits - instrument.points(price)) > 1e-4:
                return None
            points.append(instrument.points(price))
        return points[0], points[1]

    def _check(self, request: StructSequence) -> int:
        levels = self._levels(request)
        if levels is None:
            return mt5.TRADE_RETCODE_INVALID_STOPS
        if request.action == mt5.TRADE_ACTION_SLTP:
            refusal = self._book.check_modify(request.position, *levels)
        elif request.position:
            refusal = self._book.check_close(request.position, units_from_lots(request.volume))
        else:
            refusal = self._book.check_open(
                request.symbol,
                _SIDES[request.type],
                units_from_lots(request.volume),
                stop=levels[0],
                target=levels[1],
            )
        return 0 if refusal is None else _RETCODES[refusal]

    def _execute(self, request: StructSequence) -> Any:
        levels = self._levels(request)
        if levels is None:
            return self._answer(request, mt5.TRADE_RETCODE_INVALID_STOPS)
        if request.action == mt5.TRADE_ACTION_SLTP:
            done = self._server.modify_stops(request.position, *levels)
        elif request.position:
            units = units_from_lots(request.volume)
            done = self._server.close_market(
                request.position, units, request.magic, request.comment
            )
        else:
            done = self._server.open_market(
                request.symbol,
                _SIDES[request.type],
                units_from_lots(request.volume),
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
    ) -> list[Item] | None:
        if not self._begin():
            return None
        by_number = "ticket" in kwargs or "position" in kwargs
        if (by_number and args) or (not by_number and len(args) != 2):
            self._error = INVALID_ARGUMENTS
            return None
        if by_number:
            name, field = (
                ("ticket", "order_ticket")
                if "ticket" in kwargs
                else (
                    "position",
                    "position_ticket",
                )
            )
            return [item for item in items if getattr(item, field) == kwargs[name]]
        start, end = self._date(args[0]), self._date(args[1])
        if start is None or end is None:
            return None
        group = kwargs.get("group", "*")
        chosen = []
        for item in reversed(items):
            time_ms = item.time_ms if isinstance(item, Deal) else item.setup_ms
            second = self._clock.to_server_ms(time_ms) // 1000
            if second < start:
                break
            if second <= end and matches_group(item.symbol, group):
                chosen.append(item)
        return chosen[::-1]


def matches_group(symbol: str, group: str) -> bool:
    """Tell whether a symbol is in a group such as `*USD*,!EUR*` (later words overrule)."""
    chosen = False
    for word in group.split(","):
        pattern = word.strip()
        excludes = pattern.startswith("!")
        if fnmatchcase(symbol, pattern.removeprefix("!").replace("[", "[[]")):
            chosen = not excludes
    return chosen


def _is_wanted(ticket: int, symbol: str, filters: dict[str, Any]) -> bool:
    if "ticket" in filters:
        return bool(ticket == filters["ticket"])
    if "symbol" in filters:
        return bool(symbol == filters["symbol"])
    return matches_group(symbol, filters.get("group", "*"))
