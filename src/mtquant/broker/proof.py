"""Proof at connection: our profit and margin arithmetic against the terminal's own.

A broker may state contradictory facts (one public demo server reports gold's tick value ten times
off). Sizing by wrong arithmetic loses money, so a symbol that disagrees is not traded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mtquant.model import (
    UNITS_PER_LOT,
    BrokerAPIError,
    InstrumentProofError,
    Side,
    money_from_minor,
)
from mtquant.terminal import Terminal
from mtquant.terminal import constants as mt5

if TYPE_CHECKING:
    from mtquant.exchange import Terms

_TOLERANCE_MINOR = 1.1  # one minor unit, and the float's last digits
_DISTANCE_POINTS = 300
_TICK_TOLERANCE = 0.1  # the price may have leapt since the terminal made its tick value


def require_same_arithmetic(
    terminal: Terminal, broker_symbol: str, terms: Terms, info: Any, *, money_digits: int = 2
) -> None:
    """Compare profit and margin of one lot, to one minor unit of a `money_digits` currency.

    The tick value that the terminal states is compared with contract x tick size, to a tenth: those
    that are wrong are so by whole factors. It follows the quote that converts it, if late, and is 0
    while that is not there.

    Raises:
        InstrumentProofError: they differ; the message shows both numbers.
        BrokerAPIError: the terminal answers nothing.
    """
    instrument = terms.instrument
    opened = instrument.points(info.bid) or 10**instrument.digits
    closed = opened + _DISTANCE_POINTS
    ours = terms.profit(Side.BUY.value, UNITS_PER_LOT, opened, closed)
    theirs = terminal.order_calc_profit(
        mt5.ORDER_TYPE_BUY,
        broker_symbol,
        1.0,
        instrument.price(opened),
        instrument.price(closed),
    )
    _compare("profit", broker_symbol, ours, theirs, money_digits)
    ours = terms.margin([(Side.BUY.value, UNITS_PER_LOT, opened)])
    theirs = terminal.order_calc_margin(
        mt5.ORDER_TYPE_BUY, broker_symbol, 1.0, instrument.price(opened)
    )
    _compare("margin", broker_symbol, ours, theirs, money_digits)
    _compare_tick_value(broker_symbol, terms, info)


def _compare_tick_value(broker_symbol: str, terms: Terms, info: Any) -> None:
    stated = info.trade_tick_value_loss
    quote = (terms.instrument.points(info.bid), terms.instrument.points(info.ask))
    if not stated or min(quote) <= 0:
        return
    _, ours = terms.tick_values(lambda _pair: quote)
    if not abs(stated - ours) <= _TICK_TOLERANCE * ours:
        raise InstrumentProofError(
            f"{broker_symbol}: a tick of one lot is worth {stated:g} by the terminal's tick value "
            f"and {ours:g} by contract size x tick size; this symbol is not traded until they agree"
        )


def _compare(
    what: str, broker_symbol: str, ours_minor: int, theirs: float | None, money_digits: int
) -> None:
    if theirs is None:
        raise BrokerAPIError(f"{broker_symbol}: the terminal does not answer order_calc_{what}")
    ours = money_from_minor(ours_minor, money_digits)
    if not abs(ours - theirs) * 10**money_digits <= _TOLERANCE_MINOR:  # NaN agrees with nothing
        raise InstrumentProofError(
            f"{broker_symbol}: {what} of one lot is {theirs:.{money_digits}f} by the terminal and "
            f"{ours:.{money_digits}f} by our rules; this symbol is not traded until they agree"
        )
