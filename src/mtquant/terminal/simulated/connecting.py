"""What `initialize` and `login` are given, and which account that makes the terminal's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Any, Final

from mtquant.exchange import Book
from mtquant.terminal.simulated import arguments
from mtquant.terminal.simulated.arguments import BadArgumentError

if TYPE_CHECKING:
    from mtquant.exchange import Market

_PROGRAMS: Final = frozenset({"terminal64.exe", "terminal.exe"})
_UNNAMED: Final = (("1st", int), ("2nd", str), ("3rd", str))


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalOptions:
    """Say what a terminal lets programs do.

    Without `autotrading` (the button in its toolbar) every trade request is refused with 10027;
    without `python_trading` (the option that forbids it to Python alone) order_send answers None.
    """

    autotrading: bool = True
    python_trading: bool = True


@dataclass(frozen=True, slots=True)
class Logon:
    """Say whose book a terminal works on; an investor may only look."""

    book: Book
    is_investor: bool = False


def log_on(market: Market, login: int, password: str, server: str) -> Logon:
    """Return the logon of an account; without a password the remembered one is taken.

    Raises:
        BadArgumentError: there is no such account, or password or server are wrong.
    """
    book = market.books.get(login)
    if book is None or server not in {"", market.venue.server}:
        raise BadArgumentError("Terminal: Authorization failed", code=-6)
    spec = book.account_spec
    if password in {"", spec.password}:
        return Logon(book)
    if password == spec.investor_password:
        return Logon(book, is_investor=True)
    raise BadArgumentError("Terminal: Authorization failed", code=-6)


def path_argument(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """Return the path that a caller of `initialize` gives, empty where he gives none.

    Raises:
        BadArgumentError: an argument is of a wrong type, or there are too many.
    """
    if len(args) > 1:
        raise BadArgumentError("Invalid number of arguments")
    if args and not isinstance(args[0], str):
        raise BadArgumentError("Invalid 1st unnamed argument")
    for name in ("password", "server"):
        arguments.text(kwargs.get(name, ""), name)
    if "login" in kwargs:
        arguments.ticket(kwargs["login"], "login")
    _require_timeout(kwargs)
    return arguments.text(args[0] if args else kwargs.get("path", ""), "path")


def starts_a_terminal(path: str) -> bool:
    """Tell whether a path may be a terminal's: by its name, and here by its file too.

    A path on a Windows drive is taken at its word: there is none to look at elsewhere.
    """
    windows = PureWindowsPath(path)
    if windows.name.lower() not in _PROGRAMS:
        return False
    return bool(windows.drive) or Path(path).is_file()


def login_arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[int, str, str]:
    """Return login, password and server of a caller of `login`; empty where he gives none.

    Raises:
        BadArgumentError: an argument is of a wrong type, there are too many, or no login.
    """
    if len(args) > len(_UNNAMED):
        raise BadArgumentError("Invalid number of arguments")
    for value, (ordinal, kind) in zip(args, _UNNAMED, strict=False):
        if not isinstance(value, kind) or isinstance(value, bool):
            raise BadArgumentError(f"Invalid {ordinal} unnamed argument")
    given = kwargs | dict(zip(("login", "password", "server"), args, strict=False))
    login = arguments.ticket(given.get("login"), "login")
    if login <= 0:
        raise BadArgumentError('Invalid "login" argument')
    _require_timeout(kwargs)
    password = arguments.text(given.get("password", ""), "password")
    return login, password, arguments.text(given.get("server", ""), "server")


def _require_timeout(kwargs: dict[str, Any]) -> None:
    arguments.ticket(kwargs.get("timeout", 60_000), "timeout")
