"""Arguments as the module takes them: what it cannot take is refused in its own words."""

from __future__ import annotations

import math
import operator
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, Final

from mtquant.model import UNITS_PER_LOT, round_half_away

LARGEST_UNITS: Final = 2**53  # volumes and prices beyond are no whole numbers of units any more
_FIRST_SECOND, LAST_SECOND = -(2**31), 2**31 - 1
LONGEST: Final = (  # characters, by the name of the argument
    dict.fromkeys(("symbol", "comment"), 29)
    | dict.fromkeys(("password", "server"), 253)
    | {"group": 1997}
)
_WORDS: Final = str.maketrans({"[": "[[]", "?": "[?]"})


class BadArgumentError(Exception):
    """Carry the code and the text of last_error for an argument the module does not take."""

    def __init__(self, text: str = "Invalid arguments", code: int = -2) -> None:
        super().__init__(text)
        self.error = (code, text)


def not_found() -> BadArgumentError:
    """Return the error for a symbol, a quote or a series that the server does not have."""
    return BadArgumentError("Terminal: Not found", code=-4)


def whole(value: Any) -> int:
    """Return an integer argument; integers of numpy count, floats do not.

    Raises:
        BadArgumentError: it is no whole number.
    """
    try:
        return operator.index(value)
    except TypeError as error:
        raise BadArgumentError from error


def units(volume: Any) -> int:
    """Return a volume argument in 1e-8 lots.

    Raises:
        BadArgumentError: it is no number, negative, or beyond every volume.
    """
    found = nearest_units(_number(volume))
    if not 0 <= found < LARGEST_UNITS:
        raise BadArgumentError
    return found


def points(price: Any, digits: int) -> int:
    """Return a price argument in whole points.

    Raises:
        BadArgumentError: it is no number, or beyond every price.
    """
    scaled = _number(price) * 10**digits
    if not abs(scaled) < LARGEST_UNITS:
        raise BadArgumentError
    return round_half_away(scaled)


def nearest_units(lots: float) -> int:
    """Return lots in 1e-8 lots; what no whole number can hold becomes the largest, NaN 0."""
    if math.isnan(lots):
        return 0
    return round_half_away(max(-LARGEST_UNITS, min(lots * UNITS_PER_LOT, LARGEST_UNITS)))


def seconds(value: Any) -> int:
    """Return a date argument as whole epoch seconds of 32 bits, cut to their range.

    Raises:
        BadArgumentError: it is neither a number nor a datetime.
    """
    try:
        number = value.timestamp() if isinstance(value, datetime) else value
        if isinstance(number, bool) or not isinstance(number, int | float) or number != number:  # noqa: PLR0124 - NaN
            raise BadArgumentError
        return int(max(_FIRST_SECOND, min(number, LAST_SECOND)))
    except (OverflowError, OSError, ValueError) as error:  # of datetime.timestamp
        raise BadArgumentError from error


def text(value: Any, name: str) -> str:
    """Return a text argument.

    Raises:
        BadArgumentError: it is no text, too long for its name, or cannot be sent as UTF-8.
    """
    if not isinstance(value, str) or len(value) > LONGEST.get(name, len(value)):
        raise BadArgumentError(f'Invalid "{name}" argument')
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise BadArgumentError(f'Invalid "{name}" argument') from error
    return value


def ticket(value: Any, name: str) -> int:
    """Return a ticket argument.

    Raises:
        BadArgumentError: it is no whole number.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadArgumentError(f'Invalid "{name}" argument')
    return value


def matches_group(symbol: str, group: str) -> bool:
    """Tell whether a symbol is in a group such as `*USD*,!EUR*` (later words overrule)."""
    chosen = False
    for word in group.split(","):
        pattern = word.strip()
        excludes = pattern.startswith("!")
        if fnmatchcase(symbol, pattern.removeprefix("!").translate(_WORDS)):
            chosen = not excludes
    return chosen


def _number(value: Any) -> float:
    if isinstance(value, str | bytes | bytearray):
        raise BadArgumentError
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise BadArgumentError from error
