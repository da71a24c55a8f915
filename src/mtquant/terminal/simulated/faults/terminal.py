"""A simulated terminal on which things go wrong, as a scenario says."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, cast

from mtquant.terminal.simulated.connecting import Logon, TerminalOptions
from mtquant.terminal.simulated.faults.faces import changed, rewritten, spiked
from mtquant.terminal.simulated.faults.kinds import ERRORS, FaultKind
from mtquant.terminal.simulated.faults.route import FaultyRoute
from mtquant.terminal.simulated.terminal import SimulatedTerminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mtquant.exchange import Book
    from mtquant.terminal.simulated.faults.director import Faults
    from mtquant.terminal.simulated.faults.past import Views
    from mtquant.terminal.simulated.server import SimulatedServer

_NO_ERROR: Final = (0, "")


class FaultyTerminal(SimulatedTerminal):
    """Be a terminal before a server with faults: the same functions, with what goes wrong.

    Calls are counted from its making on; trade requests are counted at the server.
    """

    def __init__(
        self, server: SimulatedServer, faults: Faults, options: TerminalOptions | None = None
    ) -> None:
        """Stand before a server that was given the same faults."""
        super().__init__(server, options, FaultyRoute(server, faults))
        self._faults = faults
        self._calls: dict[str, int] = {}
        self._home: Logon | None = None
        self._behind: Logon | None = None  # what a cache that lags is shown in the place of
        self._switches = {
            one.name: one.begun for one in faults.alarms if not one.is_on(faults.now_ms)
        }

    # ------------------------------------------------------------------ every call

    @property
    def has_link(self) -> bool:
        """Tell whether the terminal can be reached."""
        return not self._faults.on(FaultKind.LINK_LOSS)

    @property
    def allows_trading(self) -> bool:
        """Tell whether the AutoTrading button is on."""
        is_off = self._faults.on(FaultKind.AUTOTRADING_OFF)
        return super().allows_trading and not is_off

    def begin(self, name: str) -> bool:
        """Clear the last error; if the function of this name fails, note why; return False."""
        if not self._faults.calls_differ:
            return super().begin(name)
        error = self._meet(name)
        self._notice()
        if not super().begin(name):
            return False
        return self.refuse(error) if error[0] else True

    def _meet(self, name: str) -> tuple[int, str]:
        """Count a call; let begin what begins with it; return the error it meets, 0 for none."""
        number = self._calls[name] = self._calls.get(name, 0) + 1
        error = _NO_ERROR
        for alarm in self._faults.alarms:
            spec = alarm.spec
            if spec.kind is FaultKind.NO_ANSWER:
                if spec.function == name and alarm.meets(number, self._faults.now_ms):
                    alarm.struck += 1
                    error = spec.error, ERRORS[spec.error]
            elif alarm.begins_with(name, number):
                self._faults.begin(alarm)
        return error

    def _notice(self) -> None:
        """See what has changed since the last call: a lost link, another account."""
        if not self.has_link:
            self._connected = False
        switched = self._faults.on(FaultKind.ACCOUNT_SWITCH)
        if not switched and self._home is not None:
            self._logon, self._home = self._home, None
        for alarm in switched:
            if self._switches.get(alarm.name) != alarm.begun:
                self._switches[alarm.name] = alarm.begun
                self._home = self._home or self._behind or self._logon
                self._logon = Logon(self._other_book(alarm.spec.login))

    def _other_book(self, login: int) -> Book:
        books = self._server.market.books
        here = self._logon.book.account_spec.login
        return books[login] if login else next(one for n, one in books.items() if n != here)

    # ------------------------------------------------------------------ connection

    def initialize(self, *args: Any, **kwargs: Any) -> bool:
        """Connect to the terminal, and log in where a login is given; False + last_error."""
        error = self._meet("initialize")
        if error[0]:
            self._connected = False
            return self.refuse(error)
        return super().initialize(*args, **kwargs)

    def login(self, *args: Any, **kwargs: Any) -> bool:
        """Log in to an account; a wrong login, password or server is refused."""
        is_done = super().login(*args, **kwargs)
        if is_done:
            self._home = None
        return is_done

    def terminal_info(self) -> Any:
        """Return a TerminalInfo."""
        info = super().terminal_info()
        if info is None:
            return None
        is_connected = not self._faults.on(FaultKind.SERVER_LOSS)
        return changed(info, connected=is_connected, trade_allowed=self.allows_trading)

    def account_info(self) -> Any:
        """Return an AccountInfo."""
        with self._showing("account"):
            return super().account_info()

    # ------------------------------------------------------------------ prices

    def symbol_info_tick(self, symbol: str, /) -> Any:
        """Return the latest Tick."""
        self._notice()
        stale = self._faults.stale_views(symbol) if isinstance(symbol, str) else None
        with self._looking_at(stale):
            tick = super().symbol_info_tick(symbol)
        if tick is None:
            return None
        for alarm in self._faults.on(FaultKind.SPIKE):
            if alarm.spec.symbol in {"", symbol}:
                tick = spiked(tick, alarm, self._digits(symbol))
        return tick

    # ------------------------------------------------------------------ positions and history

    def positions_total(self) -> Any:
        """Return how many positions are open."""
        with self._showing("positions"):
            return super().positions_total()

    def positions_get(self, *args: Any, **kwargs: Any) -> Any:
        """Return the open positions, by `ticket`, `symbol` or `group` where one is given."""
        with self._showing("positions"):
            return self._commented(super().positions_get(*args, **kwargs))

    def orders_total(self) -> Any:
        """Return how many orders wait in the market."""
        with self._showing("orders"):
            return super().orders_total()

    def orders_get(self, *args: Any, **kwargs: Any) -> Any:
        """Return the orders that wait in the market."""
        with self._showing("orders"):
            return self._commented(super().orders_get(*args, **kwargs))

    def history_orders_total(self, date_from: Any, date_to: Any, /) -> Any:
        """Return how many orders of the history were set up between two dates."""
        with self._showing("history"):
            return super().history_orders_total(date_from, date_to)

    def history_orders_get(self, *args: Any, **kwargs: Any) -> Any:
        """Return orders of the history: two dates, or `ticket=`, or `position=`."""
        with self._showing("history"):
            return self._commented(super().history_orders_get(*args, **kwargs))

    def history_deals_total(self, date_from: Any, date_to: Any, /) -> Any:
        """Return how many deals were made between two dates."""
        with self._showing("history"):
            return super().history_deals_total(date_from, date_to)

    def history_deals_get(self, *args: Any, **kwargs: Any) -> Any:
        """Return deals: two dates, or `ticket=` (of the order), or `position=`."""
        with self._showing("history"):
            return self._commented(super().history_deals_get(*args, **kwargs))

    # ------------------------------------------------------------------ inside

    @contextmanager
    def _showing(self, part: str) -> Iterator[None]:
        """Answer a call from what the terminal's cache holds of the account."""
        self._notice()
        with self._looking_at(self._faults.views(part)):
            yield

    def _symbol(self, symbol: str) -> Any:
        with self._looking_at(self._faults.stale_views(symbol)):
            return super()._symbol(symbol)

    @contextmanager
    def _looking_at(self, views: Views | None) -> Iterator[None]:
        real = self._logon
        view = views.get(real.book.account_spec.login) if views is not None else None
        if view is None:
            yield
            return
        before, self._behind = self._behind, self._behind or real
        shown = self._logon = Logon(cast("Book", view), is_investor=real.is_investor)
        try:
            yield
        finally:
            self._behind = before
            if self._logon is shown:  # the call has not come upon another account
                self._logon = real

    def _commented(self, answer: Any) -> Any:
        for alarm in self._faults.on(FaultKind.COMMENT) if answer else ():
            answer = tuple(rewritten(one, alarm.spec) for one in answer)
        return answer
