"""Trade requests as the module takes them: which fields, of which exact types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from mtquant.terminal.structs import TradeRequest

if TYPE_CHECKING:
    from mtquant.terminal.sequence import StructSequence

_INT_FIELDS: Final = frozenset(
    {
        "action",
        "magic",
        "order",
        "deviation",
        "type",
        "type_filling",
        "type_time",
        "expiration",
        "position",
        "position_by",
    }
)
_TEXT_FIELDS: Final = frozenset({"symbol", "comment"})
_TEXT_LIMIT = 29


class BadArgumentError(Exception):
    """Carry the text of last_error for an argument the module does not take."""


def parse_request(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> StructSequence:
    """Return the request as a TradeRequest.

    Missing fields are 0 or empty, unknown ones ignored; whole numbers must be int and prices and
    volumes float, exactly as the official module demands.

    Raises:
        BadArgumentError: with the module's own words.
    """
    if args and kwargs:
        raise BadArgumentError("Unnamed arguments not allowed")
    if len(args) > 1 or (not args and not kwargs):
        raise BadArgumentError("Invalid arguments")
    given: Mapping[str, Any] = args[0] if args else kwargs
    if not isinstance(given, Mapping):
        raise BadArgumentError("Invalid arguments")
    return TradeRequest(_field(name, given) for name in TradeRequest.__match_args__)


def _field(name: str, given: Mapping[str, Any]) -> Any:
    if name in _TEXT_FIELDS:
        text = given.get(name, "")
        if not isinstance(text, str) or len(text) > _TEXT_LIMIT:
            raise BadArgumentError(f'Invalid "{name}" argument')
        return text
    if name in _INT_FIELDS:
        number = given.get(name, 0)
        if not isinstance(number, int) or isinstance(number, bool) or number < 0:
            raise BadArgumentError(f'Invalid "{name}" argument')
        return number
    amount = given.get(name, 0.0)
    if not isinstance(amount, float):
        raise BadArgumentError(f'Invalid "{name}" argument')
    return amount
