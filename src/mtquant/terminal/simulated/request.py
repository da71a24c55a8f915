"""Trade requests as the module takes them: which fields, of which exact types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from mtquant.terminal.simulated.arguments import BadArgumentError, text
from mtquant.terminal.structs import TradeRequest

if TYPE_CHECKING:
    from mtquant.terminal.sequence import StructSequence

_LARGEST: Final = (  # of the integer fields: 32 or 64 bits
    dict.fromkeys(("action", "type", "type_filling", "type_time"), 2**32 - 1)
    | dict.fromkeys(("magic", "order", "deviation", "position", "position_by"), 2**64 - 1)
    | {"expiration": 2**63 - 1}
)
_TEXT_FIELDS: Final = frozenset({"symbol", "comment"})


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
        raise BadArgumentError
    given: Mapping[str, Any] = args[0] if args else kwargs
    if not isinstance(given, Mapping):
        raise BadArgumentError
    return TradeRequest(_field(name, given) for name in TradeRequest.__match_args__)


def _field(name: str, given: Mapping[str, Any]) -> Any:
    if name in _TEXT_FIELDS:
        return text(given.get(name, ""), name)
    if name in _LARGEST:
        number = given.get(name, 0)
        if not isinstance(number, int) or isinstance(number, bool):
            raise BadArgumentError(f'Invalid "{name}" argument')
        if not 0 <= number <= _LARGEST[name]:
            raise BadArgumentError(f'Invalid "{name}" argument')
        return number
    amount = given.get(name, 0.0)
    if not isinstance(amount, float):
        raise BadArgumentError(f'Invalid "{name}" argument')
    return amount
