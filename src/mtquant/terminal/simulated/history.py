"""Which positions, orders and deals a caller asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from mtquant.model import Deal, Order
from mtquant.terminal.simulated import arguments
from mtquant.terminal.simulated.arguments import BadArgumentError, matches_group

if TYPE_CHECKING:
    from collections.abc import Callable

    from mtquant.model import ServerClock

_REPEATED_S: Final = 3600  # what a server's clock is set back in autumn

Item = TypeVar("Item", Order, Deal)


def history(
    items: list[Item], clock: ServerClock, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> list[Item]:
    """Return the items of `ticket=`, else of `position=`, else those of a time between two dates.

    The time of an order is that of its setup, however much later it was done. The items come in
    the order in which they were done.

    Raises:
        BadArgumentError: the arguments are none of these.
    """
    for name, field in (("ticket", "order_ticket"), ("position", "position_ticket")):
        if name in kwargs:
            if args:
                raise BadArgumentError("Unnamed arguments not allowed")
            number = arguments.ticket(kwargs[name], name)
            return [item for item in items if getattr(item, field) == number]
    if len(args) != 2:
        raise BadArgumentError
    start, end = arguments.seconds(args[0]), arguments.seconds(args[1])
    group = arguments.text(kwargs.get("group", "*"), "group")
    chosen = []
    for item in reversed(items):
        began_ms, done_ms = _times(item)
        if clock.to_server_ms(done_ms) // 1000 < start - _REPEATED_S:
            break
        second = clock.to_server_ms(began_ms) // 1000
        if start <= second <= end and matches_group(item.symbol, group):
            chosen.append(item)
    return chosen[::-1]


def _times(item: Order | Deal) -> tuple[int, int]:
    """Return when an item began and when it was done, UTC ms."""
    if isinstance(item, Deal):
        return item.time_ms, item.time_ms
    return item.setup_ms, item.done_ms


def chooser(args: tuple[Any, ...], filters: dict[str, Any]) -> Callable[[int, str], bool]:
    """Return the test of `ticket=`, else `symbol=`, else `group=`.

    Raises:
        BadArgumentError: an argument is unnamed, or of a wrong type.
    """
    if args:
        raise BadArgumentError("Unnamed arguments not allowed")
    if "ticket" in filters:
        wanted = arguments.ticket(filters["ticket"], "ticket")
        return lambda number, _symbol: number == wanted
    if "symbol" in filters:
        name = arguments.text(filters["symbol"], "symbol")
        return lambda _number, symbol: symbol == name
    group = arguments.text(filters.get("group", "*"), "group")
    return lambda _number, symbol: matches_group(symbol, group)
