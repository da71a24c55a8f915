"""The simulated terminal: the MetaTrader5 module's functions over the simulated server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mtquant.model import Side, money_from_minor
from mtquant.terminal.simulated import arguments, faces, info_faces
from mtquant.terminal.simulated.arguments import BadArgumentError, matches_group, not_found
from mtquant.terminal.simulated.calls import NO_CONNECTION, SUCCESS, answers
from mtquant.terminal.simulated.charts import TIMEFRAMES, Chart, Charts
from mtquant.terminal.simulated.connecting import (
    Logon,
    TerminalOptions,
    log_on,
    login_arguments,
    path_argument,
    starts_a_terminal,
)
from mtquant.terminal.simulated.desk import RequestDesk, Route
from mtquant.terminal.simulated.history import chooser, history
from mtquant.terminal.simulated.request import parse_request
from mtquant.terminal.simulated.ticks import KINDS, ticks
from mtquant.terminal.simulated.vocabulary import SIDES
from mtquant.terminal.simulated.watch import MarketWatch

if TYPE_CHECKING:
    from mtquant.exchange import Book
    from mtquant.model import Order
    from mtquant.terminal.simulated.server import SimulatedServer


class SimulatedTerminal:
    """Behave like the MetaTrader5 module, on any operating system.

    It is logged on to the venue's usual account until `initialize` or `login` names another; times
    are the server's epoch seconds. Like the official module it is not thread-safe: one owner
    thread.
    """

    def __init__(
        self,
        server: SimulatedServer,
        options: TerminalOptions | None = None,
        route: Route | None = None,
    ) -> None:
        """Stand before a server; `route` takes trade requests there, None: they just arrive."""
        self._server = server
        self._options = options or TerminalOptions()
        self._logon = Logon(server.book)
        self._venue = server.market.venue
        self._clock = self._venue.clock
        self._connected = False
        self._error: tuple[int, str] = (0, "")
        self._watch = MarketWatch(self._venue.instruments)
        self._requests = RequestDesk(
            route or server.execute, self._watch.shows, lambda: self.allows_trading
        )
        market = server.market
        self._feeds = {feed.symbol: feed for feed in market.feeds}
        self._charts = Charts(market.feeds, self._clock)

    # ------------------------------------------------------------------ connection

    def initialize(self, *args: Any, **kwargs: Any) -> bool:
        """Connect to the terminal, and log in where a login is given; False + last_error."""
        self._connected = False
        try:
            path = path_argument(args, kwargs)
        except BadArgumentError as problem:
            return self.refuse(problem.error)
        if path and not starts_a_terminal(path):
            return self.refuse((-10003, f"IPC initialize failed, Process create failed '{path}'"))
        if not self.has_link:
            return self.refuse((-10003, "IPC initialize failed, Pipe server didn't answer"))
        self._connected = True
        self._error = SUCCESS
        self._server.touch()
        if "login" in kwargs and not self.login(**kwargs):
            self._connected = False
            return False
        return True

    @answers(False)  # noqa: FBT003 - the answer of a failed call
    def login(self, *args: Any, **kwargs: Any) -> bool:
        """Log in to an account; a wrong login, password or server is refused."""
        self._logon = log_on(self._server.market, *login_arguments(args, kwargs))
        for symbol in self._venue.instruments:
            if self._is_held(symbol):
                self._watch.show(symbol)
        return True

    def shutdown(self) -> bool:
        """Disconnect."""
        self._connected = False
        self._error = SUCCESS
        return True

    @answers(None)
    def version(self) -> tuple[int, int, str]:
        """Return (500, build, build date)."""
        return 500, info_faces.BUILD, "01 Jan 2026"

    def last_error(self) -> tuple[int, str]:
        """Return (code, text) of the last call."""
        return self._error

    @answers(None)
    def terminal_info(self) -> Any:
        """Return a TerminalInfo."""
        return info_faces.terminal_face(self._venue.company, self._options)

    @answers(None)
    def account_info(self) -> Any:
        """Return an AccountInfo."""
        return info_faces.account_face(self._logon)

    # ------------------------------------------------------------------ symbols and prices

    @answers(None)
    def symbols_total(self) -> int:
        """Return how many symbols there are."""
        return len(self._venue.instruments)

    @answers(None)
    def symbols_get(self, *args: Any, **kwargs: Any) -> Any:
        """Return a tuple of SymbolInfo, filtered by `group` where one is given."""
        if len(args) > 1:
            raise BadArgumentError("Invalid number of arguments")
        if args and not isinstance(args[0], str):
            raise BadArgumentError("Invalid 1st unnamed argument")
        group = arguments.text(args[0] if args else kwargs.get("group", "*"), "group")
        names = [name for name in self._venue.instruments if matches_group(name, group)]
        return tuple(self._symbol(name) for name in names)

    @answers(None)
    def symbol_info(self, symbol: str, /) -> Any:
        """Return a SymbolInfo, None + last_error for an unknown symbol."""
        return self._symbol(self._known(symbol))

    @answers(None)
    def symbol_info_tick(self, symbol: str, /) -> Any:
        """Return the latest Tick."""
        quote = self._book.quote(self._known(symbol))
        if quote is None or not self._watch.shows(symbol):
            raise not_found()
        return faces.tick_face(quote, self._clock, self._digits(symbol))

    @answers(False)  # noqa: FBT003 - the answer of a failed call
    def symbol_select(self, symbol: str, enable: bool = True, /) -> bool:  # noqa: FBT001, FBT002 - the module's signature
        """Show a symbol in Market Watch, or hide it.

        One with positions, waiting orders or an open depth cannot be hidden.
        """
        name = self._known(symbol)
        if enable:
            self._watch.show(name)
        elif self._is_held(name) or not self._watch.hide(name):
            raise BadArgumentError("Terminal: Call failed", code=-1)
        return True

    @answers(False)  # noqa: FBT003 - the answer of a failed call
    def market_book_add(self, symbol: str, /) -> bool:
        """Subscribe to the market depth of a symbol."""
        if not self._watch.shows(self._known(symbol)):
            raise not_found()
        self._watch.follow_depth(symbol)
        return True

    @answers(False)  # noqa: FBT003 - the answer of a failed call
    def market_book_release(self, symbol: str, /) -> bool:
        """End the subscription to the market depth of a symbol."""
        self._watch.leave_depth(self._known(symbol))
        return True

    @answers(None)
    def market_book_get(self, symbol: str, /) -> Any:
        """Return the levels of the market as BookInfo, the highest price first."""
        quote = self._book.quote(self._known(symbol))
        if quote is None or not self._watch.follows_depth(symbol):
            raise not_found()
        dealing = self._venue.instruments[symbol].dealing()
        return faces.depth_face(quote, self._venue.instrument(symbol), dealing)

    @answers(None)
    def copy_ticks_from(self, symbol: str, date_from: Any, count: int, kind: int, /) -> Any:
        """Return the first `count` ticks from a date on."""
        first, wanted = arguments.seconds(date_from), self._count(count)
        return self._ticks(symbol, first, arguments.LAST_SECOND, kind, wanted)

    @answers(None)
    def copy_ticks_range(self, symbol: str, start: Any, end: Any, kind: int, /) -> Any:
        """Return the ticks between two dates, both included."""
        return self._ticks(symbol, arguments.seconds(start), arguments.seconds(end), kind)

    @answers(None)
    def copy_rates_from(self, symbol: str, timeframe: int, date_from: Any, count: int, /) -> Any:
        """Return the last `count` bars that opened at or before a date."""
        chart = self._chart(symbol, timeframe)
        wanted = self._count(count)
        return chart.table(chart.until(arguments.seconds(date_from), wanted))

    @answers(None)
    def copy_rates_from_pos(self, symbol: str, timeframe: int, start: int, count: int, /) -> Any:
        """Return `count` bars, counted back from the forming bar (position 0)."""
        chart = self._chart(symbol, timeframe)
        end = max(0, chart.shown - self._count(start))
        return chart.table(np.arange(max(0, end - self._count(count)), end))

    @answers(None)
    def copy_rates_range(self, symbol: str, timeframe: int, start: Any, end: Any, /) -> Any:
        """Return the bars that opened between two dates, both included."""
        chart = self._chart(symbol, timeframe)
        return chart.table(chart.between(arguments.seconds(start), arguments.seconds(end)))

    # ------------------------------------------------------------------ trading

    @answers(None)
    def order_calc_margin(self, action: int, symbol: str, volume: float, price: float, /) -> float:
        """Return the margin of an order alone, account currency."""
        digits = self._digits(self._computable(symbol))
        side, units = self._side(action), arguments.units(volume)
        points = arguments.points(price, digits)
        return self._money(self._book.margin_for(symbol, side, units, points))

    @answers(None)
    def order_calc_profit(
        self, action: int, symbol: str, volume: float, opened: float, closed: float, /
    ) -> float:
        """Return the profit between two prices, account currency."""
        digits = self._digits(self._computable(symbol))
        side, units = self._side(action), arguments.units(volume)
        prices = arguments.points(opened, digits), arguments.points(closed, digits)
        return self._money(self._book.profit_for(symbol, side, units, *prices))

    @answers(None)
    def order_check(self, *args: Any, **kwargs: Any) -> Any:
        """Return an OrderCheckResult (retcode 0 = would pass; trading hours are not checked)."""
        return self._requests.check(parse_request(args, kwargs), self._logon)

    @answers(None)
    def order_send(self, *args: Any, **kwargs: Any) -> Any:
        """Send a trade request; return an OrderSendResult, None for arguments it cannot take."""
        request = parse_request(args, kwargs)
        if not self._options.python_trading:
            text = "Auto-Trading using Python API disabled in Terminal"
            raise BadArgumentError(text, code=-8)
        return self._requests.send(request, self._logon)

    # ------------------------------------------------------------------ positions and history

    @answers(None)
    def positions_total(self) -> int:
        """Return how many positions are open."""
        return len(self._book.open_positions)

    @answers(None)
    def positions_get(self, *args: Any, **kwargs: Any) -> Any:
        """Return the open positions, by `ticket`, `symbol` or `group` where one is given."""
        is_wanted = chooser(args, kwargs)
        updated = {p.ticket: p.updated_ms for p in self._book.open_positions}
        return tuple(
            faces.position_face(p, self._clock, updated[p.position_ticket])
            for p in self._book.positions()
            if is_wanted(p.position_ticket, p.symbol)
        )

    @answers(None)
    def orders_total(self) -> int:
        """Return how many orders wait in the market."""
        return len(self._book.live_orders)

    @answers(None)
    def orders_get(self, *args: Any, **kwargs: Any) -> Any:
        """Return the orders that wait in the market."""
        is_wanted = chooser(args, kwargs)
        return tuple(
            self._order(one)
            for one in self._book.orders()
            if is_wanted(one.order_ticket, one.symbol)
        )

    @answers(None)
    def history_orders_total(self, date_from: Any, date_to: Any, /) -> int:
        """Return how many orders of the history were set up between two dates."""
        return len(history(self._book.ledger.orders, self._clock, (date_from, date_to), {}))

    @answers(None)
    def history_orders_get(self, *args: Any, **kwargs: Any) -> Any:
        """Return orders of the history: two dates, or `ticket=`, or `position=`."""
        chosen = history(self._book.ledger.orders, self._clock, args, kwargs)
        return tuple(self._order(one) for one in chosen)

    @answers(None)
    def history_deals_total(self, date_from: Any, date_to: Any, /) -> int:
        """Return how many deals were made between two dates."""
        return len(history(self._book.ledger.deals, self._clock, (date_from, date_to), {}))

    @answers(None)
    def history_deals_get(self, *args: Any, **kwargs: Any) -> Any:
        """Return deals: two dates, or `ticket=` (of the order), or `position=`."""
        chosen = history(self._book.ledger.deals, self._clock, args, kwargs)
        money = self._book.account_spec.currency_digits
        return tuple(
            faces.deal_face(one, self._clock, self._digits(one.symbol), money) for one in chosen
        )

    # ------------------------------------------------------------------ inside

    def begin(self, name: str) -> bool:  # noqa: ARG002 - for terminals with faults
        """Clear the last error; without a link note that and return False."""
        if not self._connected:
            return self.refuse(NO_CONNECTION)
        self._error = SUCCESS
        self._server.touch()
        return True

    def refuse(self, error: tuple[int, str]) -> bool:
        """Note an error and return False."""
        self._error = error
        return False

    @property
    def has_link(self) -> bool:
        """Tell whether a terminal is there to connect to."""
        return True

    @property
    def allows_trading(self) -> bool:
        """Tell whether the AutoTrading button is on."""
        return self._options.autotrading

    @property
    def _book(self) -> Book:
        return self._logon.book

    def _is_held(self, symbol: str) -> bool:
        """Tell whether the account has a position or a waiting order of a symbol."""
        positions = (one.symbol for one in self._book.open_positions)
        orders = (one.symbol for one in self._book.live_orders)
        return symbol in {*positions, *orders}

    def _known(self, symbol: Any) -> str:
        if not isinstance(symbol, str):
            raise BadArgumentError
        arguments.text(symbol, "symbol")
        if symbol not in self._venue.instruments:
            raise not_found()
        return symbol

    def _computable(self, symbol: Any) -> str:
        if not self._book.can_convert(self._known(symbol)):
            raise not_found()
        return str(symbol)

    def _chart(self, symbol: str, timeframe: int) -> Chart:
        wanted = TIMEFRAMES.get(arguments.whole(timeframe))
        if wanted is None:
            raise BadArgumentError
        chart = self._charts.chart(self._known(symbol), wanted)
        if chart is None:
            raise not_found()
        return chart

    def _ticks(
        self, symbol: str, first: int, last: int, kind: int, count: int | None = None
    ) -> Any:
        chosen = arguments.whole(kind)
        if chosen not in KINDS:
            raise BadArgumentError
        feed = self._feeds.get(self._known(symbol))
        if feed is None:
            raise not_found()
        return ticks(feed, self._clock, (first, last), chosen, count)

    @staticmethod
    def _count(value: Any) -> int:
        number = arguments.whole(value)
        if number < 0:
            raise BadArgumentError
        return number

    @staticmethod
    def _side(action: Any) -> Side:
        side = SIDES.get(arguments.whole(action))
        if side is None:
            raise BadArgumentError
        return side

    def _money(self, minor: int) -> float:
        return money_from_minor(minor, self._book.account_spec.currency_digits)

    def _digits(self, symbol: str) -> int:
        return self._venue.instrument(symbol).digits if symbol else 0

    def _symbol(self, symbol: str) -> Any:
        is_shown = self._watch.shows(symbol)
        return info_faces.symbol_face(self._book, symbol, is_shown=is_shown)

    def _order(self, order: Order) -> Any:
        return faces.order_face(order, self._clock, self._venue.instrument(order.symbol))
