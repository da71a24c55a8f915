"""Every return code of a trade request, and the calls that bring it on the embedded terminal.

The tests play this table, and `scripts/make_return_codes.py` writes it down for readers: what the
page says is what happens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from terminals import deal, make_server, pending, venue_of

from mtquant.model import ExecutionMode, OrderType, TradeMode
from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated import TerminalOptions
from mtquant.terminal.simulated.faults import FaultKind, Faults, FaultSpec, FaultyTerminal

if TYPE_CHECKING:
    from mtquant.terminal.simulated import SimulatedServer

FIRST, SECOND = 50_000_001, 50_000_002  # the tickets of the first orders


@dataclass(frozen=True)
class Call:
    """Name one thing that is done, and what is special about it."""

    name: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        words = ", ".join(f"{name}={_word(name, value)}" for name, value in self.fields.items())
        return f"{self.name}({words})"


def call(name: str, **fields: Any) -> Call:
    """Return a call."""
    return Call(name, fields)


@dataclass(frozen=True, kw_only=True)
class Case:
    """Say when a return code comes, and with which settings and calls it can be seen."""

    code: int
    when: str
    calls: tuple[Call, ...]
    account: Mapping[str, Any] = field(default_factory=dict)
    instrument: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, bool] = field(default_factory=dict)

    def answers(self) -> list[Any]:
        """Make the calls on a new terminal; return what the requests among them are answered."""
        faults = Faults()
        venue = venue_of(dict(self.account), **self.instrument)
        server = make_server(venue=venue, faults=faults)
        terminal = FaultyTerminal(server, faults, TerminalOptions(**self.options))
        assert terminal.initialize()
        answered = (made(one, terminal, server, faults) for one in self.calls)
        return [answer for answer in answered if hasattr(answer, "retcode")]

    def settings(self) -> list[str]:
        """Return the settings as they stand in a configuration."""
        rows = []
        for place, values in (
            ("account", self.account),
            ("EURUSD", self.instrument),
            ("terminal", self.options),
        ):
            rows += [f"{place}.{name}: {_setting(value)}" for name, value in values.items()]
        return rows


def made(one: Call, terminal: FaultyTerminal, server: SimulatedServer, faults: Faults) -> Any:
    """Make a call."""
    fields = dict(one.fields)
    if one.name == "strike_next":
        return faults.strike_next(FaultSpec(kind=FaultKind.ANSWER, code=fields["code"]))
    if one.name == "step":
        return server.step()
    if one.name == "hide":
        return terminal.symbol_select("EURUSD", False)
    return terminal.order_send(REQUESTS[one.name](**fields))


def selling(**fields: Any) -> dict[str, Any]:
    """Return a request that sells at the market."""
    return deal(**({"type": mt5.ORDER_TYPE_SELL, "price": 1.1} | fields))


def buying(**fields: Any) -> dict[str, Any]:
    """Return a request that buys at the market."""
    return deal(**({"price": 1.1001} | fields))


REQUESTS = {
    "buy": buying,
    "sell": selling,
    "buy_limit": lambda **fields: pending(mt5.ORDER_TYPE_BUY_LIMIT, **fields),
    "buy_stop": lambda **fields: pending(mt5.ORDER_TYPE_BUY_STOP, **fields),
    "levels": lambda **fields: {
        "action": mt5.TRADE_ACTION_SLTP,
        "symbol": "EURUSD",
        **fields,
    },
    "remove": lambda **fields: {"action": mt5.TRADE_ACTION_REMOVE, **fields},
}

_NAMES = {
    "type_filling": "ORDER_FILLING_",
    "type_time": "ORDER_TIME_",
}


def _word(name: str, value: Any) -> str:
    prefix = _NAMES.get(name)
    if prefix is None:
        return repr(value)
    names = [one for one in vars(mt5) if one.startswith(prefix)]
    return next(one for one in names if getattr(mt5, one) == value)


def _setting(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return f"[{', '.join(_setting(one) for one in value)}]"
    if isinstance(value, str):
        return f'"{value}"'
    return str(getattr(value, "value", value))


def injected(code: int, when: str) -> Case:
    """Return the case of a code that no rule of the market gives."""
    return Case(code=code, when=when, calls=(call("strike_next", code=code), call("buy")))


_RETURN = {"type_filling": mt5.ORDER_FILLING_RETURN}
_EXCHANGE = {
    "execution_mode": ExecutionMode.EXCHANGE,
    "depth_points": (0,),
    "depth_lots": (0.5,),
}

CASES = (
    Case(
        code=mt5.TRADE_RETCODE_REQUOTE,
        when="With instant or request execution the market is more than `deviation` points away "
        "from the requested price. `bid` and `ask` of the answer are the new prices.",
        instrument={"execution_mode": ExecutionMode.INSTANT},
        calls=(call("buy", price=1.099, deviation=5),),
    ),
    injected(mt5.TRADE_RETCODE_REJECT, "A dealer rejects the request."),
    Case(
        code=mt5.TRADE_RETCODE_REJECT,
        when="All or nothing was asked for (FOK), and the market's depth does not have it all.",
        instrument={"depth_points": (0,), "depth_lots": (0.5,)},
        calls=(call("buy", volume=0.6),),
    ),
    injected(mt5.TRADE_RETCODE_CANCEL, "A trader cancels the request before a dealer answers."),
    Case(
        code=mt5.TRADE_RETCODE_PLACED,
        when="An order at the market was accepted and waits for volume (exchange execution, "
        "filling RETURN). Pending orders are answered 10009.",
        instrument=_EXCHANGE,
        calls=(call("buy", volume=0.5), call("buy", **_RETURN)),
    ),
    Case(
        code=mt5.TRADE_RETCODE_DONE,
        when="Done.",
        calls=(call("buy"),),
    ),
    Case(
        code=mt5.TRADE_RETCODE_DONE_PARTIAL,
        when="The market's depth had a part of the volume; the rest was canceled (IOC) or goes on "
        "waiting (RETURN).",
        instrument={"depth_points": (0,), "depth_lots": (0.5,)},
        calls=(call("buy", volume=0.6, type_filling=mt5.ORDER_FILLING_IOC),),
    ),
    injected(mt5.TRADE_RETCODE_ERROR, "The server fails."),
    injected(
        mt5.TRADE_RETCODE_TIMEOUT,
        "Nobody answered in time. Whether the order lives is not known: look before sending again.",
    ),
    Case(
        code=mt5.TRADE_RETCODE_INVALID,
        when="Unknown action or symbol, a missing symbol, a type that does not fit the action, or "
        "the wrong side for closing a position.",
        calls=(call("buy", symbol="NOPE"),),
    ),
    Case(
        code=mt5.TRADE_RETCODE_INVALID_VOLUME,
        when="Below the minimum, above the maximum, or off the step.",
        calls=(call("buy", volume=0.015),),
    ),
    Case(
        code=mt5.TRADE_RETCODE_INVALID_PRICE,
        when="No price where one is needed, one that the digits cannot hold, or a waiting order "
        "on the wrong side of the market or nearer than the stops level.",
        calls=(call("buy_limit", price=1.2),),
    ),
    Case(
        code=mt5.TRADE_RETCODE_INVALID_STOPS,
        when="Stop loss or take profit on the wrong side, or nearer than the stops level.",
        calls=(call("buy", sl=1.2),),
    ),
    Case(
        code=mt5.TRADE_RETCODE_TRADE_DISABLED,
        when="The symbol or the account is not traded, or you are logged in as investor.",
        instrument={"trade_mode": TradeMode.DISABLED},
        calls=(call("buy"),),
    ),
    Case(
        code=mt5.TRADE_RETCODE_MARKET_CLOSED,
        when="Outside trading hours, or on a holiday. order_check does not look at the hours.",
        instrument={"sessions": ("",) * 7},
        calls=(call("buy"),),
    ),
    Case(
        code=mt5.TRADE_RETCODE_NO_MONEY,
        when="The margin would exceed the free margin.",
        calls=(call("buy", volume=100.0),),
    ),
    injected(mt5.TRADE_RETCODE_PRICE_CHANGED, "The price moved while the request was on its way."),
    Case(
        code=mt5.TRADE_RETCODE_PRICE_CHANGED,
        when="Instant execution, the price is too far away, and the server offers no new one.",
        instrument={"execution_mode": ExecutionMode.INSTANT, "requotes": False},
        calls=(call("buy", price=1.099, deviation=5),),
    ),
    Case(
        code=mt5.TRADE_RETCODE_PRICE_OFF,
        when="There is no quote: the symbol is hidden in Market Watch, or no tick came yet.",
        calls=(call("hide"), call("buy")),
    ),
    Case(
        code=mt5.TRADE_RETCODE_INVALID_EXPIRATION,
        when="The time of expiration is missing or over, or the symbol has no such lifetime.",
        calls=(call("buy_limit", type_time=mt5.ORDER_TIME_SPECIFIED),),
    ),
    injected(
        mt5.TRADE_RETCODE_ORDER_CHANGED, "The order changed while the request was on its way."
    ),
    Case(
        code=mt5.TRADE_RETCODE_TOO_MANY_REQUESTS,
        when="More requests within a minute than the account may send.",
        account={"limit_requests_per_minute": 1},
        calls=(call("buy"), call("buy")),
    ),
    Case(
        code=mt5.TRADE_RETCODE_NO_CHANGES,
        when="A change that changes nothing.",
        calls=(call("buy", sl=1.09), call("levels", position=FIRST, sl=1.09)),
    ),
    Case(
        code=mt5.TRADE_RETCODE_SERVER_DISABLES_AT,
        when="The server does not let programs trade on the account.",
        account={"experts_allowed": False},
        calls=(call("buy"),),
    ),
    Case(
        code=mt5.TRADE_RETCODE_CLIENT_DISABLES_AT,
        when="The terminal's AutoTrading button is off. order_check says so too.",
        options={"autotrading": False},
        calls=(call("buy"),),
    ),
    injected(mt5.TRADE_RETCODE_LOCKED, "A dealer is busy with the order."),
    Case(
        code=mt5.TRADE_RETCODE_FROZEN,
        when="The market is within the freeze level of the order, or of a level of the position.",
        instrument={"freeze_level_points": 50},
        calls=(call("buy", sl=1.0998), call("sell", position=FIRST)),
    ),
    Case(
        code=mt5.TRADE_RETCODE_INVALID_FILL,
        when="`type_filling` is not one that the symbol takes. The bits of "
        "`symbol_info(...).filling_mode` are not ORDER_FILLING_ numbers.",
        calls=(call("buy", **_RETURN),),
    ),
    injected(mt5.TRADE_RETCODE_CONNECTION, "The terminal has no link to its server."),
    Case(
        code=mt5.TRADE_RETCODE_ONLY_REAL,
        when="The operation is for real accounts.",
        instrument={"real_accounts_only": True},
        calls=(call("buy"),),
    ),
    Case(
        code=mt5.TRADE_RETCODE_LIMIT_ORDERS,
        when="As many orders wait as the account may have.",
        account={"limit_orders": 1},
        calls=(call("buy_limit"), call("buy_stop")),
    ),
    Case(
        code=mt5.TRADE_RETCODE_LIMIT_VOLUME,
        when="Position and waiting orders of one direction would exceed the symbol's limit.",
        instrument={"volume_limit_lots": 0.15},
        calls=(call("buy"), call("buy")),
    ),
    Case(
        code=mt5.TRADE_RETCODE_INVALID_ORDER,
        when="The symbol does not take orders of this type, or no such order waits.",
        calls=(call("remove", order=1),),
    ),
    Case(
        code=mt5.TRADE_RETCODE_INVALID_ORDER,
        when="Some symbols take no pending orders.",
        instrument={"order_types": (OrderType.MARKET,)},
        calls=(call("buy_limit"),),
    ),
    Case(
        code=mt5.TRADE_RETCODE_POSITION_CLOSED,
        when="There is no such position, any more.",
        calls=(call("levels", position=1, sl=1.09),),
    ),
    Case(
        code=mt5.TRADE_RETCODE_INVALID_CLOSE_VOLUME,
        when="More is to be closed than the position has.",
        calls=(call("buy"), call("sell", position=FIRST, volume=0.2)),
    ),
    Case(
        code=mt5.TRADE_RETCODE_CLOSE_ORDER_EXIST,
        when="An order that closes the position waits already.",
        instrument=_EXCHANGE,
        calls=(
            call("buy"),
            call("sell", volume=0.5),
            call("sell", position=FIRST, **_RETURN),
            call("sell", position=FIRST, **_RETURN),
        ),
    ),
    Case(
        code=mt5.TRADE_RETCODE_LIMIT_POSITIONS,
        when="As many positions are open as the account may have.",
        account={"limit_positions": 1},
        calls=(call("buy"), call("buy")),
    ),
    Case(
        code=mt5.TRADE_RETCODE_REJECT_CANCEL,
        when="An order was made of the request, could not be carried out, and was canceled; "
        "`order` is its ticket in the history.",
        instrument={"execution_mode": ExecutionMode.EXCHANGE},
        calls=(call("buy_limit", price=1.2, volume=50.0),),
    ),
    Case(
        code=mt5.TRADE_RETCODE_LONG_ONLY,
        when="The symbol is bought and not sold.",
        instrument={"trade_mode": TradeMode.LONG_ONLY},
        calls=(call("sell"),),
    ),
    Case(
        code=mt5.TRADE_RETCODE_SHORT_ONLY,
        when="The symbol is sold and not bought.",
        instrument={"trade_mode": TradeMode.SHORT_ONLY},
        calls=(call("buy"),),
    ),
    Case(
        code=mt5.TRADE_RETCODE_CLOSE_ONLY,
        when="Positions of the symbol are only closed.",
        instrument={"trade_mode": TradeMode.CLOSE_ONLY},
        calls=(call("buy"),),
    ),
    Case(
        code=mt5.TRADE_RETCODE_FIFO_CLOSE,
        when="The account closes the oldest position of a symbol first.",
        account={"fifo_close": True},
        calls=(call("buy"), call("buy"), call("sell", position=SECOND)),
    ),
    Case(
        code=10046,
        when="The account holds no opposite positions of a symbol. The module has no constant.",
        account={"hedging_prohibited": True},
        calls=(call("buy"), call("sell")),
    ),
)
