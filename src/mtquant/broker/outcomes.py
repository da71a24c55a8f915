"""The one table from return codes and last_error to what must happen next.

10004 and its kind name a price that is gone: a new intent may be decided. None with -2 or -8 means
that nothing was sent. Everything that is not in the table may have happened: UNKNOWN.
"""

from __future__ import annotations

from typing import Final

from mtquant.model import (
    BrokerAPIError,
    BrokerConnectionError,
    BrokerTimeoutError,
    Outcome,
    RetryableError,
)
from mtquant.terminal import constants as mt5

_REFUSED: Final = (
    mt5.TRADE_RETCODE_REJECT,
    mt5.TRADE_RETCODE_CANCEL,
    mt5.TRADE_RETCODE_INVALID,
    mt5.TRADE_RETCODE_INVALID_VOLUME,
    mt5.TRADE_RETCODE_INVALID_PRICE,
    mt5.TRADE_RETCODE_INVALID_STOPS,
    mt5.TRADE_RETCODE_MARKET_CLOSED,
    mt5.TRADE_RETCODE_NO_MONEY,
    mt5.TRADE_RETCODE_INVALID_EXPIRATION,
    mt5.TRADE_RETCODE_TOO_MANY_REQUESTS,
    mt5.TRADE_RETCODE_FROZEN,
    mt5.TRADE_RETCODE_INVALID_FILL,
    mt5.TRADE_RETCODE_ONLY_REAL,
    mt5.TRADE_RETCODE_LIMIT_ORDERS,
    mt5.TRADE_RETCODE_LIMIT_VOLUME,
    mt5.TRADE_RETCODE_INVALID_ORDER,
    mt5.TRADE_RETCODE_INVALID_CLOSE_VOLUME,
    mt5.TRADE_RETCODE_CLOSE_ORDER_EXIST,
    mt5.TRADE_RETCODE_LIMIT_POSITIONS,
    mt5.TRADE_RETCODE_REJECT_CANCEL,
    mt5.TRADE_RETCODE_LONG_ONLY,
    mt5.TRADE_RETCODE_SHORT_ONLY,
    mt5.TRADE_RETCODE_CLOSE_ONLY,
    mt5.TRADE_RETCODE_FIFO_CLOSE,
    10046,  # hedging is prohibited: the Python package has no name for it
)
RETCODES: Final[dict[int, Outcome]] = {
    mt5.TRADE_RETCODE_DONE: Outcome.CONFIRMED,
    mt5.TRADE_RETCODE_DONE_PARTIAL: Outcome.CONFIRMED,
    mt5.TRADE_RETCODE_PLACED: Outcome.ACCEPTED,
    mt5.TRADE_RETCODE_REQUOTE: Outcome.REPRICE,
    mt5.TRADE_RETCODE_PRICE_CHANGED: Outcome.REPRICE,
    mt5.TRADE_RETCODE_PRICE_OFF: Outcome.REPRICE,
    mt5.TRADE_RETCODE_NO_CHANGES: Outcome.ALREADY,
    mt5.TRADE_RETCODE_POSITION_CLOSED: Outcome.ALREADY,
    mt5.TRADE_RETCODE_TRADE_DISABLED: Outcome.DISABLED,
    mt5.TRADE_RETCODE_SERVER_DISABLES_AT: Outcome.DISABLED,
    mt5.TRADE_RETCODE_CLIENT_DISABLES_AT: Outcome.DISABLED,
    **dict.fromkeys(_REFUSED, Outcome.REFUSED),
}
INVALID_PARAMS, AUTH_FAILED, AUTO_TRADING_DISABLED = -2, -6, -8
NO_ANSWER: Final[dict[int, Outcome]] = {
    INVALID_PARAMS: Outcome.REFUSED,
    AUTO_TRADING_DISABLED: Outcome.DISABLED,
}


def outcome_of_retcode(retcode: int) -> Outcome:
    """Return the class of an answer; an unlisted code is UNKNOWN."""
    return RETCODES.get(retcode, Outcome.UNKNOWN)


def outcome_of_none(last_error: tuple[int, str]) -> Outcome:
    """Return the class of a missing answer; what is not surely unsent is UNKNOWN."""
    return NO_ANSWER.get(last_error[0], Outcome.UNKNOWN)


def error_from(last_error: tuple[int, str], call: str, **details: object) -> RetryableError:
    """Return the typed error of a read that answered None."""
    code, text = last_error
    message = f"{call}: {text} ({code})"
    if code in (-10001, -10002, -10003, -10004):
        return BrokerConnectionError(message, code=code, **details)
    if code == -10005:
        return BrokerTimeoutError(message, code=code, **details)
    return BrokerAPIError(message, code=code, **details)
