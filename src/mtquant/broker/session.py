"""One account at one terminal, read and traded from its owner thread."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mtquant.broker import translate
from mtquant.broker.calls import answering, readable
from mtquant.broker.outcomes import AUTH_FAILED, error_from, outcome_of_none, outcome_of_retcode
from mtquant.broker.proof import require_same_arithmetic
from mtquant.broker.quote_age import QuoteAges
from mtquant.broker.symbols import SymbolMapper
from mtquant.exchange import Terms
from mtquant.model import (
    NOT_SENT,
    AccountSnapshot,
    BarRow,
    BrokerAPIError,
    BrokerConnectionError,
    BrokerTimeoutError,
    BrokerView,
    Clock,
    Deal,
    ExecutionResult,
    InputError,
    Instrument,
    InstrumentProofError,
    IntentRow,
    LoginRefusedError,
    MtquantError,
    OnwardClock,
    Order,
    Outcome,
    Position,
    Quote,
    RetryableError,
    ServerClock,
    SymbolNotFoundError,
    Timeframe,
    TradeMode,
    WrongAccountError,
    units_from_lots,
)
from mtquant.terminal import Terminal
from mtquant.terminal import constants as mt5

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    LastLook = Callable[[], tuple[Outcome, str] | None]

_WINDOW_S = 2 * 86_400
_NOT_FOUND = -4
_NOT_TAKEN = -2  # an argument, such as a name that is longer than the module's
_LONGEST_READING_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Hold what a login needs; an empty login takes the account the terminal is logged in to."""

    login: int = 0
    password: str = field(default="", repr=False)
    server: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Traded:
    instrument: Instrument
    broker_symbol: str
    filling: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """Hold what changes whenever something is traded, paid in or out, or a stop loss moves.

    `positions` are (ticket, lots, points of the stop loss or 0).
    """

    balance_minor: int
    positions: tuple[tuple[int, float, int], ...]
    equity_minor: int = field(default=0, compare=False)  # changes with every tick
    own_equity_minor: int = field(default=0, compare=False)  # without credit

    @classmethod
    def of(cls, view: BrokerView) -> Glance:
        """Return what a glance would have shown at a whole reading."""
        return cls(
            balance_minor=view.account.balance_minor,
            positions=tuple(
                (one.position_ticket, one.volume, one.stop_loss_points or 0)
                for one in view.positions
            ),
        )


class BrokerSession:
    """Speak MetaTrader downwards and our words upwards; failures of reads are typed errors.

    Every method blocks and belongs to one thread; `MT5Client` is the asynchronous face.
    """

    def __init__(
        self,
        terminal: Terminal,
        symbols: Sequence[str],
        *,
        credentials: Credentials | None = None,
        server_clock: ServerClock,
        clock: Clock,
        mapper: SymbolMapper | None = None,
        broker_id: str = "simulated",
    ) -> None:
        self._terminal = terminal
        self._names = tuple(symbols)
        self._credentials = credentials or Credentials()
        self._server_clock = server_clock
        self._clock = clock
        self._mapper = mapper or SymbolMapper()
        self._broker_id = broker_id
        self._traded: dict[str, _Traded] = {}
        self._standard: dict[str, str] = {}
        self._quoted: set[str] = set()  # since the connection
        self._ages = QuoteAges()
        self._foreign: dict[str, Instrument] = {}
        given = self._credentials
        self._identity = (given.login, given.server) if given.login and given.server else None
        self._told_deals: frozenset[int] = frozenset()
        self._told_orders: frozenset[int] = frozenset()
        self._read_from_s = 0

    # ------------------------------------------------------------------ connection

    def connect(self) -> AccountSnapshot:
        """Connect, log in, select the symbols, and hold our arithmetic against the terminal's.

        Raises:
            BrokerConnectionError: the terminal is away, or has lost its server.
            LoginRefusedError: the credentials are not accepted.
            SymbolNotFoundError: the broker does not offer a symbol.
            InstrumentProofError: our arithmetic and the terminal's differ.
            WrongAccountError: another account than wanted, or than before, answers.
        """
        given = self._credentials
        if given.login:
            wanted = {"login": given.login, "password": given.password, "server": given.server}
            connected = self._call("initialize", **wanted)
        else:
            connected = self._call("initialize")
        if not connected:
            error = self._call("last_error")
            if error[0] == AUTH_FAILED:
                raise LoginRefusedError(
                    f"the broker refused login {given.login} at {given.server or 'its server'} "
                    f"({error[1]}); check login, password and server"
                )
            raise error_from(error, call="initialize", login=given.login)
        account = self.account()
        self._require_wanted(account)
        self._quoted.clear()
        for standard in self._names:
            self._traded[standard] = self._select(standard, account)
            self._standard[self._traded[standard].broker_symbol] = standard
        return account

    def disconnect(self) -> None:
        """Disconnect from the terminal."""
        self._terminal.shutdown()

    def is_connected(self) -> bool:
        """Tell whether the terminal answers and has its link to the broker."""
        info = self._call("terminal_info")
        return info is not None and bool(info.connected)

    # ------------------------------------------------------------------ reading

    def instrument(self, symbol: str) -> Instrument:
        """Return a traded instrument, as the broker stated it at connection."""
        return self._selected(symbol).instrument

    def symbols(self) -> list[str]:
        """Return the broker's names of everything it offers."""
        return [info.name for info in self._asked("symbols_get")]

    def account(self) -> AccountSnapshot:
        """Return the account.

        Raises:
            WrongAccountError: it is not the one this session began with.
            BrokerConnectionError: the terminal has lost its server, and shows what it knew before.
        """
        info = self._asked("account_info")
        with readable("account_info"):
            account = translate.account_from(info, self._clock.now_ms())
        self._require_identity(account)
        if not self._asked("terminal_info").connected:
            raise BrokerConnectionError("the terminal has lost its server: what it shows is old")
        return account

    def quote(self, symbol: str) -> Quote:
        """Return the latest quote of a traded symbol.

        Raises:
            BrokerAPIError: it has none yet.
        """
        quote = self.last_quote(symbol)
        if quote is None:
            raise BrokerAPIError(f"{symbol}: the terminal has no price of it yet")
        return quote

    def last_quote(self, symbol: str) -> Quote | None:
        """Return the latest quote of a traded symbol, None before its first price."""
        traded = self._selected(symbol)
        tick = self._call("symbol_info_tick", traded.broker_symbol)
        if tick is None:
            error = self._call("last_error")
            # it is selected, so it exists: nothing has been quoted, or somebody has hidden it since
            if error[0] == _NOT_FOUND and symbol not in self._quoted:
                return None
            raise error_from(error, call="symbol_info_tick", symbol=symbol)
        if tick.time_msc == 0:
            return None
        self._quoted.add(symbol)
        with readable("symbol_info_tick"):
            quote = translate.quote_from(tick, traded.instrument, self._server_clock)
        added_ms = self._clock.added_ms if isinstance(self._clock, OnwardClock) else 0
        return replace(quote, age_ms=self._ages.see(quote, self._clock.now_ms(), added_ms))

    @property
    def lead_ms(self) -> int:
        """Return how far our clock is ahead of the server's, as far as the quotes tell, ms."""
        return self._ages.lead_ms(self._clock.now_ms())

    def quote_age_ms(self, symbol: str) -> int:
        """Return how old the quote of a traded symbol that was read last is by now, ms."""
        return self._ages.age_ms(symbol, self._clock.now_ms())

    def closed_bars(self, symbol: str, timeframe: Timeframe, count: int) -> list[BarRow]:
        """Return up to `count` closed bars, oldest first; the forming bar is left out."""
        traded = self._selected(symbol)
        table = self._rates(traded, timeframe, 1, count)
        with readable("copy_rates_from_pos"):
            return [translate.bar_from(row, traded.instrument, self._server_clock) for row in table]

    def forming_bar_ms(self, symbol: str, timeframe: Timeframe) -> int | None:
        """Return when the bar that is still forming opened, None before the first one."""
        table = self._rates(self._selected(symbol), timeframe, 0, 1)
        if not len(table):
            return None
        return self._server_clock.to_utc_ms(int(table[-1]["time"]) * 1000)

    def bar_end_ms(self, opened_ms: int, timeframe: Timeframe) -> int:
        """Return when a bar that opened then ends at the earliest, by the server's wall clock."""
        clock = self._server_clock
        on_the_wall = clock.to_utc_ms(clock.to_server_ms(opened_ms) + timeframe.duration_ms)
        return min(opened_ms + timeframe.duration_ms, on_the_wall)

    def positions(self) -> tuple[Position, ...]:
        """Return the open positions; unlike `view` this uses up no news."""
        money = self.account().currency_digits
        return self._positions(self._asked("positions_get"), money)

    def glance(self) -> Glance:
        """Take a cheap look, to see whether anything has changed."""
        account = self.account()
        found = self._asked("positions_get")
        with readable("positions_get"):
            positions = tuple(
                (one.ticket, one.volume, self._instrument_of(one.symbol).points(one.sl))
                for one in found
            )
        return Glance(
            balance_minor=account.balance_minor,
            positions=positions,
            equity_minor=account.equity_minor,
            own_equity_minor=account.own_equity_minor,
        )

    def view(self) -> BrokerView:
        """Return one consistent reading, with the deals and orders since the last one.

        Raises:
            RetryableError: a getter answered None, or the terminal has lost its server, before or
                after the reading; nothing is concluded from half a reading, nor from an old one.
            WrongAccountError: the account is another one, before or after the reading.
        """
        now_ms = self._clock.now_ms()
        account = self.account()
        positions = self._asked("positions_get")
        orders = self._asked("orders_get")
        window = (self._read_from_s, self._server_clock.to_server_ms(now_ms) // 1000 + _WINDOW_S)
        closed = self._asked("history_orders_get", *window)
        deals = self._asked("history_deals_get", *window)
        self.account()  # still the same one
        took_ms = self._clock.now_ms() - now_ms
        if took_ms > _LONGEST_READING_MS:
            raise BrokerTimeoutError(
                f"the reading took {took_ms / 1000:.0f} s; its parts may be of different times or "
                "accounts: nothing is concluded from it"
            )
        money = account.currency_digits
        with readable("view"):
            view = BrokerView(
                time_ms=now_ms,
                account=account,
                positions=self._positions(positions, money),
                orders=tuple(self._order(one) for one in orders),
                deals=tuple(
                    self._deal(one, money) for one in deals if one.ticket not in self._told_deals
                ),
                closed_orders=tuple(
                    self._order(one) for one in closed if one.ticket not in self._told_orders
                ),
                quotes=tuple(
                    quote for name in self._names if (quote := self.last_quote(name)) is not None
                ),
                lead_ms=self.lead_ms,
                trade_modes={name: self._trade_mode(name) for name in self._names},
            )
        # whole sets, not the highest ticket: an older order may reach the history later
        self._told_deals = frozenset(one.ticket for one in deals)
        self._told_orders = frozenset(one.ticket for one in closed)
        newest_s = max((one.time for one in deals), default=0)
        self._read_from_s = max(self._read_from_s, newest_s - _WINDOW_S)
        return view

    # ------------------------------------------------------------------ trading

    def send(self, row: IntentRow, last_look: LastLook | None = None) -> ExecutionResult:
        """Send an intent, once, and class the answer. Nothing in here sends again.

        On another account than the one we connected to, nothing is sent. `last_look` is taken when
        nothing else is left to be asked: what it finds keeps the request from leaving.
        """
        try:
            traded = self._traded_as(row.intent.symbol)
            self.account()  # still the same one
        except WrongAccountError as problem:
            return self._not_sent(row, Outcome.DISABLED, problem)
        except (RetryableError, InputError) as problem:
            return self._not_sent(row, Outcome.REFUSED, problem)
        request = translate.request_from(
            row, traded.broker_symbol, traded.instrument, traded.filling
        )
        objection = last_look() if last_look is not None else None
        if objection is not None:
            return self._not_sent(row, objection[0], objection[1])
        answer = self._terminal.order_send(request)
        now_ms = self._clock.now_ms()
        if answer is None:
            error = self._terminal.last_error()
            return ExecutionResult(
                intent_id=row.intent_id,
                outcome=outcome_of_none(error),
                detail=f"{error[0]} {error[1]}",
                time_ms=now_ms,
                request=json.dumps(request),
            )
        outcome, detail = self._classed(answer, traded)
        return ExecutionResult(
            intent_id=row.intent_id,
            outcome=outcome,
            detail=detail,
            time_ms=now_ms,
            order_ticket=answer.order,
            deal_ticket=answer.deal,
            volume_units=units_from_lots(_finite(answer.volume)),
            price_points=traded.instrument.points(_finite(answer.price)),
            request=json.dumps(request),
            reply=json.dumps(translate.reply_of(answer), default=str),
        )

    # ------------------------------------------------------------------ inside

    def _call(self, call: str, *arguments: Any, **named: Any) -> Any:
        """Return what the terminal answers; whatever it raises becomes a typed error."""
        with answering(call):
            return getattr(self._terminal, call)(*arguments, **named)

    def _classed(self, answer: Any, traded: _Traded) -> tuple[Outcome, str]:
        """Return class and words of an answer.

        A suspended symbol is refused with the code that says of an account that it may not trade.
        """
        detail = f"{answer.retcode} {answer.comment}"
        if answer.retcode == mt5.TRADE_RETCODE_TRADE_DISABLED and self._is_suspended(traded):
            return Outcome.REFUSED, f"{detail}: {traded.instrument.symbol} is suspended"
        return outcome_of_retcode(answer.retcode), detail

    def _is_suspended(self, traded: _Traded) -> bool:
        """Tell whether the terminal says so; a read that fails takes nothing from an answer."""
        try:
            info = self._call("symbol_info", traded.broker_symbol)
        except RetryableError:
            return False
        return info is not None and info.trade_mode == mt5.SYMBOL_TRADE_MODE_DISABLED

    def _trade_mode(self, symbol: str) -> TradeMode:
        """Return what may be done with a traded symbol now: brokers change it at any time."""
        info = self._asked("symbol_info", self._selected(symbol).broker_symbol)
        return translate.trade_mode_from(info)

    def _asked(self, call: str, *arguments: Any) -> Any:
        """Return the answer of a read; None becomes a typed error, never an empty list."""
        answer = self._call(call, *arguments)
        if answer is None:
            raise error_from(self._call("last_error"), call=call, arguments=arguments)
        return answer

    def _rates(self, traded: _Traded, timeframe: Timeframe, start: int, count: int) -> Any:
        code = getattr(mt5, f"TIMEFRAME_{timeframe.name}")
        return self._asked("copy_rates_from_pos", traded.broker_symbol, code, start, count)

    def _selected(self, symbol: str) -> _Traded:
        traded = self._traded.get(symbol)
        if traded is None:
            raise SymbolNotFoundError(f"{symbol} was not selected at connection")
        return traded

    def _require_wanted(self, account: AccountSnapshot) -> None:
        wanted = self._credentials
        if wanted.login and account.login != wanted.login:
            raise WrongAccountError(
                f"the terminal is on account {account.login} at {account.server}, "
                f"the configuration names {wanted.login}"
            )

    def _not_sent(
        self, row: IntentRow, outcome: Outcome, problem: MtquantError | str
    ) -> ExecutionResult:
        return ExecutionResult(
            intent_id=row.intent_id,
            outcome=outcome,
            detail=f"{NOT_SENT}{problem}",
            time_ms=self._clock.now_ms(),
        )

    def _require_identity(self, account: AccountSnapshot) -> None:
        seen = (account.login, account.server)
        if self._identity is None:
            self._identity = seen
        elif seen != self._identity:
            raise WrongAccountError(
                f"the terminal is on account {seen[0]} at {seen[1]}, "
                f"expected {self._identity[0]} at {self._identity[1]}"
            )

    def _select(self, standard: str, account: AccountSnapshot) -> _Traded:
        name = self._mapper.to_broker_symbol(standard, self._broker_id)
        if not self._call("symbol_select", name, True):  # noqa: FBT003 - positional-only
            error = self._call("last_error")
            if self._call("symbol_info", name) is None:
                error = self._call("last_error")
                if error[0] == _NOT_FOUND:
                    raise SymbolNotFoundError(f"{standard}: the broker does not offer {name!r}")
            raise error_from(error, call="symbol_select", symbol=name)  # it passes
        info = self._asked("symbol_info", name)
        with readable("symbol_info"):
            instrument = translate.instrument_from(info, standard)
            self._prove(name, Terms.at_broker(instrument, account), info, account)
        return _Traded(
            instrument=instrument,
            broker_symbol=name,
            filling=translate.filling_for(info.filling_mode),
        )

    def _prove(self, name: str, terms: Terms, info: Any, account: AccountSnapshot) -> None:
        """Hold our arithmetic against the terminal's, which is that of the account it is on."""
        digits = account.currency_digits
        try:
            with answering("order_calc_margin"):
                require_same_arithmetic(self._terminal, name, terms, info, money_digits=digits)
        except InstrumentProofError:
            self.account()  # it is not another one by now
            raise

    def _instrument_of(self, broker_symbol: str) -> Instrument:
        standard = self._standard.get(broker_symbol)
        if standard is not None:
            return self._traded[standard].instrument
        if broker_symbol not in self._foreign:  # somebody else's: counted, never touched
            info = self._call("symbol_info", broker_symbol)
            error = self._call("last_error") if info is None else (_NOT_FOUND, "")
            if error[0] not in {_NOT_FOUND, _NOT_TAKEN}:
                raise error_from(error, call="symbol_info", symbol=broker_symbol)
            self._foreign[broker_symbol] = translate.foreign_instrument(info, broker_symbol)
        return self._foreign[broker_symbol]

    def _traded_as(self, symbol: str) -> _Traded:
        """Return how a symbol is traded; a foreign one (closed by a halt) by its broker name."""
        if symbol in self._traded:
            return self._traded[symbol]
        info = self._call("symbol_info", symbol)
        if info is None:
            raise error_from(self._call("last_error"), call=f"symbol_info of {symbol}")
        filling = translate.filling_for(info.filling_mode)
        instrument = self._instrument_of(symbol)
        return _Traded(instrument=instrument, broker_symbol=symbol, filling=filling)

    def _positions(self, found: Any, money_digits: int) -> tuple[Position, ...]:
        now_ms = self._clock.now_ms()
        with readable("positions_get"):
            return tuple(
                translate.position_from(
                    one, self._instrument_of(one.symbol), self._server_clock, now_ms, money_digits
                )
                for one in found
            )

    def _order(self, found: Any) -> Order:
        return translate.order_from(found, self._instrument_of(found.symbol), self._server_clock)

    def _deal(self, found: Any, money_digits: int) -> Deal:
        instrument = self._instrument_of(found.symbol) if found.symbol else None
        return translate.deal_from(found, instrument, self._server_clock, money_digits)


def _finite(value: float) -> float:
    return value if math.isfinite(value) else 0.0
