"""The whole face of the MetaTrader5 module over a simulated terminal, for anybody's script.

Names, constants, structures and calling conventions are those of version 5.0.6231.
"""

from __future__ import annotations

from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from mtquant.terminal import constants
from mtquant.terminal.simulated.convenience import Convenience
from mtquant.terminal.simulated.parsing import FORMATS, NO_ARGUMENTS, parse
from mtquant.terminal.structs import STRUCT_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable

    from mtquant.terminal.simulated.terminal import SimulatedTerminal

NAME: Final = "MetaTrader5"
VERSION: Final = "5.0.6231"
AUTHOR: Final = "MetaQuotes Ltd."
NAMED: Final = (
    "initialize",
    "login",
    "symbols_get",
    "orders_get",
    "positions_get",
    "history_orders_get",
    "history_deals_get",
    "order_check",
    "order_send",
)
CONVENIENCE: Final = ("Buy", "Sell", "Close", "_RawOrder")
_FALSE_ON_FAILURE: Final = frozenset({"symbol_select", "market_book_add", "market_book_release"})


class Builtin:
    """A function of the module: like one written in C it does not bind to a class."""

    def __init__(self, name: str, call: Callable[..., Any], doc: str | None) -> None:
        self.__name__ = self.__qualname__ = name
        self.__module__ = NAME
        self.__doc__ = doc
        self._call = call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._call(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<built-in function {self.__name__}>"

    def __reduce__(self) -> str:
        return self.__name__


def make_module(
    terminal: SimulatedTerminal,
    *,
    before_call: Callable[[], object] | None = None,
    raises_system_error: bool = True,
) -> ModuleType:
    """Return a module that can stand in `sys.modules` as `MetaTrader5`.

    Args:
        terminal: who answers.
        before_call: done before every call; lets the time of the market go on.
        raises_system_error: the real module raises SystemError for an argument of a wrong type
            in a function without named arguments; without this it is a failed call, code -2.
    """
    module = ModuleType(NAME, "The MetaTrader5 module's functions over mtquant's terminal.")
    module.__spec__ = ModuleSpec(NAME, None)
    names: dict[str, Any] = {name: getattr(constants, name) for name in constant_names()}
    names |= {struct.__name__: struct for struct in STRUCT_TYPES}
    face = _Face(terminal, before_call, raises_system_error=raises_system_error)
    for name in (*NO_ARGUMENTS, *FORMATS, *NAMED):
        method = getattr(terminal, name)
        names[name] = Builtin(name, face.function(name), method.__doc__)
    convenience = Convenience(
        names["symbol_info_tick"], names["positions_get"], names["order_send"]
    )
    for name, call in zip(CONVENIENCE, convenience.functions(), strict=True):
        names[name] = Builtin(name, call, call.__doc__)
    names |= {"__version__": VERSION, "__author__": AUTHOR}
    vars(module).update(names)
    return module


def constant_names() -> list[str]:
    """Return the names of the module's constants."""
    return [name for name in vars(constants) if name.isupper()]


class _Face:
    """Take calls as the module's C code takes them and pass them on to a terminal."""

    def __init__(
        self,
        terminal: SimulatedTerminal,
        before_call: Callable[[], object] | None,
        *,
        raises_system_error: bool,
    ) -> None:
        self._terminal = terminal
        self._before_call = before_call
        self._raises_system_error = raises_system_error

    def function(self, name: str) -> Callable[..., Any]:
        """Return the function of a name."""
        if name in NO_ARGUMENTS:
            return self._without_arguments(name)
        if name in FORMATS:
            return self._unnamed(name)
        method = getattr(self._terminal, name)

        def named(*args: Any, **kwargs: Any) -> Any:
            self._go_on()
            return method(*args, **kwargs)

        return named

    def _without_arguments(self, name: str) -> Callable[..., Any]:
        method = getattr(self._terminal, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            if kwargs:
                raise TypeError(f"{name}() takes no keyword arguments")
            if args:
                raise TypeError(f"{name}() takes no arguments ({len(args)} given)")
            self._go_on()
            return method()

        return call

    def _unnamed(self, name: str) -> Callable[..., Any]:
        method = getattr(self._terminal, name)
        failure = False if name in _FALSE_ON_FAILURE else None
        least, parameters = FORMATS[name]

        def call(*args: Any, **kwargs: Any) -> Any:
            if kwargs:
                raise TypeError(f"{name}() takes no keyword arguments")
            self._go_on()
            if not least <= len(args) <= len(parameters):
                self._terminal.refuse((-2, "Invalid arguments"))
                return failure
            try:
                parsed = parse(parameters, args)
            except (TypeError, ValueError, OverflowError) as error:
                self._terminal.refuse((-2, "Invalid arguments"))
                if not self._raises_system_error:
                    return failure
                text = f"<built-in function {name}> returned a result with an exception set"
                raise SystemError(text) from error
            return method(*parsed)

        return call

    def _go_on(self) -> None:
        if self._before_call is not None:
            self._before_call()
