"""What a person can do about a journal that cannot be used: each fault has its own way on."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final

from mtquant.model import JournalError
from mtquant.storage.reserve import FULL, lacks_room

if TYPE_CHECKING:
    from pathlib import Path

HOW_TO_GO_ON: Final = (
    "put a copy back in place of it, its -wal and its -shm; or move these away: the next start "
    "rebuilds it from the broker, and halts and loss limits that it remembered are forgotten"
)
NOT_ALLOWED: Final = (
    "whoever uses a journal has to be allowed to write it, and beside it: use the account of its "
    "bot; leave the files as they are"
)
_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_FORBIDDEN: Final = (
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
)
_FAMILY: Final = 0xFF
"""The bits of a code that say what it is about; the rest is a detail."""


def way_on(error: Exception) -> str:
    """Return what to do about an error, to be put after it; nothing where nobody can know.

    Halts are lost when a journal is moved away: only what is damaged is worth that.
    """
    if lacks_room(error):
        return f"; {FULL}"
    if _is_forbidden(error):
        return f"; {NOT_ALLOWED}"
    return f"; {HOW_TO_GO_ON}" if _is_damage(error) else ""


def unusable(path: Path, what: str, error: Exception) -> JournalError:
    """Return the error about a file: what does not work, why, and what to do; in one line."""
    said = " ".join(str(getattr(error, "strerror", None) or error).split())
    return JournalError(f"{path}: {what} ({said}){way_on(error)}")


def _is_forbidden(error: Exception) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return isinstance(error, PermissionError)
    is_moved = code == sqlite3.SQLITE_READONLY_DBMOVED  # somebody took the file away
    return code & _FAMILY in _FORBIDDEN and not is_moved


def _is_damage(error: Exception) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # Python's own: the first is raised for a text that is none
        return isinstance(error, sqlite3.OperationalError | UnicodeDecodeError)
    return code & _FAMILY in _DAMAGED
