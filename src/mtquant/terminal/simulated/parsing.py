"""Unnamed arguments as C code parses them: what fits a format is converted, the rest raises."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

NO_ARGUMENTS: Final = (
    "shutdown",
    "version",
    "last_error",
    "account_info",
    "terminal_info",
    "symbols_total",
    "orders_total",
    "positions_total",
)
_INT_MIN, _INT_MAX = -(2**31), 2**31 - 1


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"must be str, not {type(value).__name__}")
    if "\0" in value:
        raise ValueError("embedded null character")
    value.encode()
    return value


def _int(value: Any) -> int:
    number = operator.index(value)
    if not _INT_MIN <= number <= _INT_MAX:
        raise OverflowError("Python int too large to convert to C int")
    return number


def _double(value: Any) -> float:
    if isinstance(value, str | bytes | bytearray):  # float() would read them, C does not
        raise TypeError(f"must be real number, not {type(value).__name__}")
    return float(value)


def _any(value: Any) -> Any:
    return value


_SYMBOL, _NUMBER, _AMOUNT, _DATE, _TRUTH = _text, _int, _double, _any, bool
FORMATS: Final[dict[str, tuple[int, tuple[Callable[[Any], Any], ...]]]] = {
    "symbol_info": (1, (_SYMBOL,)),
    "symbol_info_tick": (1, (_SYMBOL,)),
    "symbol_select": (1, (_SYMBOL, _TRUTH)),
    "market_book_add": (1, (_SYMBOL,)),
    "market_book_release": (1, (_SYMBOL,)),
    "market_book_get": (1, (_SYMBOL,)),
    "copy_rates_from": (4, (_SYMBOL, _NUMBER, _DATE, _NUMBER)),
    "copy_rates_from_pos": (4, (_SYMBOL, _NUMBER, _NUMBER, _NUMBER)),
    "copy_rates_range": (4, (_SYMBOL, _NUMBER, _DATE, _DATE)),
    "copy_ticks_from": (4, (_SYMBOL, _DATE, _NUMBER, _NUMBER)),
    "copy_ticks_range": (4, (_SYMBOL, _DATE, _DATE, _NUMBER)),
    "history_orders_total": (2, (_DATE, _DATE)),
    "history_deals_total": (2, (_DATE, _DATE)),
    "order_calc_margin": (4, (_NUMBER, _SYMBOL, _AMOUNT, _AMOUNT)),
    "order_calc_profit": (5, (_NUMBER, _SYMBOL, _AMOUNT, _AMOUNT, _AMOUNT)),
}


def parse(parameters: tuple[Callable[[Any], Any], ...], args: tuple[Any, ...]) -> list[Any]:
    """Return the arguments, converted as their formats ask.

    Raises:
        TypeError: an argument is of a wrong type.
        ValueError: a text holds a null character or cannot be sent as UTF-8.
        OverflowError: a number does not fit.
    """
    return [convert(value) for convert, value in zip(parameters, args, strict=False)]
