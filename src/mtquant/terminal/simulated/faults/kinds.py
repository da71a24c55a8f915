"""The kinds of faults, and which keys each of them takes."""

from __future__ import annotations

from enum import Enum
from typing import Final

from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated.retcodes import RETCODE_TEXTS


class FaultKind(Enum):
    """Name what goes wrong; scenario files write the names in lower case."""

    LOST_REQUEST = "the request never arrives"
    LOST_REPLY = "the request is carried out, its answer is lost"
    LATE = "no answer, and the request is carried out later"
    TIMEOUT = "10012, carried out or not"
    NO_CONNECTION = "10031, carried out or not"
    ANSWER = "another return code, carried out or not"
    REQUOTE = "10004 with the current prices"
    PLACED = "10008, and the order is filled with the next tick"
    PARTIAL = "10010: only part of the volume is there"
    LINK_LOSS = "no call gets through to the terminal"
    SERVER_LOSS = "the terminal has lost its server"
    CACHE_LAG = "the terminal shows the account as it was some ticks ago"
    AUTOTRADING_OFF = "the AutoTrading button is off"
    ACCOUNT_SWITCH = "the terminal is on another account"
    STALE_FEED = "a symbol's price stands still"
    SPIKE = "one tick has a wrong price"
    NO_ANSWER = "a function answers None"
    COMMENT = "the broker rewrites comments"
    STRIPPED_STOP = "the stop loss of a position is gone"
    MANUAL_TRADE = "somebody opens a position by hand"
    MANUAL_CLOSE = "somebody closes a position by hand, or part of it"
    BALANCE = "a deposit or a withdrawal"


class Only(Enum):
    """Name the trade requests that a fault meets."""

    ANY = None
    DEAL = mt5.TRADE_ACTION_DEAL
    PENDING = mt5.TRADE_ACTION_PENDING
    SLTP = mt5.TRADE_ACTION_SLTP
    MODIFY = mt5.TRADE_ACTION_MODIFY
    REMOVE = mt5.TRADE_ACTION_REMOVE
    CLOSE_BY = mt5.TRADE_ACTION_CLOSE_BY


class Shape(Enum):
    """Name how a tick is wrong: far away, bid above ask, no price, not a number; or any of them."""

    ANY = "any"
    FAR = "far"
    CROSSED = "crossed"
    ZERO = "zero"
    NAN = "nan"


_K = FaultKind
REQUEST_KINDS: Final = frozenset(
    {_K.LOST_REQUEST, _K.LOST_REPLY, _K.LATE, _K.TIMEOUT, _K.NO_CONNECTION, _K.ANSWER}
    | {_K.REQUOTE, _K.PLACED, _K.PARTIAL}
)
EFFECT_KINDS: Final = frozenset({_K.STRIPPED_STOP, _K.MANUAL_TRADE, _K.MANUAL_CLOSE, _K.BALANCE})
STATE_KINDS: Final = frozenset(FaultKind) - REQUEST_KINDS - EFFECT_KINDS - {_K.NO_ANSWER}
MARKET_ONLY: Final = frozenset({_K.PLACED, _K.PARTIAL})

_TIMES: Final = frozenset({"kind", "at", "after_ms", "chance_fraction"})
_REQUEST: Final = _TIMES | {"nth", "times", "for_ms", "only"}
_STATE: Final = _TIMES | {"nth", "function", "for_ms"}
_EFFECT: Final = _TIMES | {"login"}
KEYS: Final[dict[FaultKind, frozenset[str]]] = {
    _K.LOST_REQUEST: _REQUEST | {"error"},
    _K.LOST_REPLY: _REQUEST | {"error"},
    _K.LATE: _REQUEST | {"error", "delay_ms"},
    _K.TIMEOUT: _REQUEST | {"executed"},
    _K.NO_CONNECTION: _REQUEST | {"executed"},
    _K.ANSWER: _REQUEST | {"code", "executed"},
    _K.REQUOTE: _REQUEST,
    _K.PLACED: _REQUEST - {"only"},
    _K.PARTIAL: (_REQUEST - {"only"}) | {"filled_fraction"},
    _K.LINK_LOSS: _STATE,
    _K.SERVER_LOSS: _STATE,
    _K.CACHE_LAG: _STATE
    | {"ticks", "positions_ticks", "orders_ticks", "history_ticks", "account_ticks"},
    _K.AUTOTRADING_OFF: _STATE,
    _K.ACCOUNT_SWITCH: _STATE | {"login"},
    _K.STALE_FEED: _STATE | {"symbol"},
    _K.SPIKE: (_STATE - {"for_ms"}) | {"symbol", "shape", "points"},
    _K.NO_ANSWER: _TIMES | {"nth", "times", "for_ms", "function", "error"},
    _K.COMMENT: _STATE | {"length", "text"},
    _K.STRIPPED_STOP: _EFFECT | {"symbol"},
    _K.MANUAL_TRADE: _EFFECT | {"symbol", "side", "volume", "text"},
    _K.MANUAL_CLOSE: _EFFECT | {"symbol", "closed_fraction"},
    _K.BALANCE: _EFFECT | {"amount", "text"},
}

ERRORS: Final = {
    -1: "Terminal: Call failed",
    -2: "Terminal: Invalid params",
    -3: "Terminal: Out of memory",
    -4: "Terminal: Not found",
    -6: "Terminal: Authorization failed",
    -8: "Auto-Trading using Python API disabled in Terminal",
    -10000: "IPC call failed",
    -10001: "IPC send failed",
    -10002: "IPC recv failed",
    -10003: "IPC initialize failed",
    -10004: "No IPC connection",
    -10005: "IPC timeout",
}
_SUCCESSES: Final = frozenset(
    {mt5.TRADE_RETCODE_PLACED, mt5.TRADE_RETCODE_DONE, mt5.TRADE_RETCODE_DONE_PARTIAL}
)
CODES: Final = frozenset(RETCODE_TEXTS) - _SUCCESSES
DRAWN_CODES: Final = (  # for an answer that states no code
    mt5.TRADE_RETCODE_REJECT,
    mt5.TRADE_RETCODE_CANCEL,
    mt5.TRADE_RETCODE_ERROR,
    mt5.TRADE_RETCODE_PRICE_CHANGED,
    mt5.TRADE_RETCODE_PRICE_OFF,
    mt5.TRADE_RETCODE_ORDER_CHANGED,
    mt5.TRADE_RETCODE_LOCKED,
)
