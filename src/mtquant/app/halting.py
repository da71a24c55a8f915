"""Halts and releases from another process: a row in the journal that the bot takes up.

Where no bot runs, what a halt asks for is done from here, at the bot's terminal.
"""

from __future__ import annotations

import getpass
from contextlib import closing
from typing import TYPE_CHECKING, Final

from mtquant.app.workspace import JOURNAL, SUMMARY
from mtquant.model import (
    ConfigError,
    HaltError,
    HaltOrder,
    InputError,
    JournalError,
    JournalInUseError,
    RetryableError,
    SystemClock,
)
from mtquant.storage import (
    HALT_FILE,
    MemoryJournal,
    SqliteJournal,
    lock_journal,
    write_whole,
)

if TYPE_CHECKING:
    from pathlib import Path

_REMOVES: Final = 2
"""From this level on a halt removes orders, then positions."""


def _user() -> str:
    """Return the name of the user; a kill switch must not fail because there is none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "an unnamed user"


def request(folder: Path, *, level: int, who: str, reason: str) -> str:
    """Write a halt (1 to 4) or a release (0) into a bot's journal; return what to tell the person.

    A bot that runs takes it up before its next order. Where none runs, a halt that removes orders
    or positions is carried out at once.

    Raises:
        ConfigError: name or reason is empty, or the run in the folder is finished.
        JournalError: there is no journal in the folder, or it cannot be used.
        HaltError: no bot runs, and its terminal cannot be used either; the halt stands.
    """
    if not reason.strip():
        raise ConfigError("--reason must say why")
    if level == 0 and not who.strip():
        raise ConfigError("--who must name the person who lifts the halt")
    if (folder / SUMMARY).exists():
        raise ConfigError(f"{folder}: the run in this folder is finished; no bot will read a halt")
    if level == 0 and (folder / HALT_FILE).exists():
        raise ConfigError(f"{folder / HALT_FILE} is there and halts the bot: remove it first")
    order = HaltOrder(
        time_ms=SystemClock().now_ms(),
        level=level,
        who=_plain(who.strip() or _user()),
        reason=_plain(reason.strip()),
    )
    path = folder / JOURNAL
    if not path.is_file():
        raise JournalError(f"{path}: there is no journal here")
    try:
        lock = lock_journal(path)
    except JournalInUseError:
        with closing(SqliteJournal.attach(path)) as journal:
            asked = _asked(journal, order)
            standing = journal.halt_level()
        return f"{asked}the bot takes it up before its next order (level in force now: {standing})"
    try:
        journal = SqliteJournal.open(path, owner="halt", now_ms=order.time_ms, lock=lock)
    except JournalError as problem:
        return _without_journal(folder, order, problem)
    with closing(journal):
        asked = _asked(journal, order)
        if level >= _REMOVES:
            return f"{asked}no bot runs here, so {_carried_out(folder, journal)}"
        return (
            f"{asked}no bot runs here, the next one takes it up before its first order "
            f"(level in force now: {journal.halt_level()})"
        )


def _plain(text: str) -> str:
    """Return text that can be stored, whatever the console made of it."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _asked(journal: SqliteJournal, order: HaltOrder) -> str:
    """Write the request; say so."""
    number = journal.request_halt(order.level, order.who, order.reason, order.time_ms)
    what = "resume" if order.level == 0 else f"halt level {order.level}"
    return f"request {number}: {what}, by {order.who}; "


def _without_journal(folder: Path, order: HaltOrder, problem: JournalError) -> str:
    """Halt a bot whose journal cannot be used: by the file HALT, and at its terminal.

    Raises:
        JournalError: it is to be resumed.
        HaltError: what is to be removed could not be.
    """
    if order.level == 0:
        raise problem
    write_whole(folder / HALT_FILE, f"{order.level} by {order.who}: {order.reason}\n")
    said = f"{problem}. The file {HALT_FILE} was written: it halts whatever starts here"
    if order.level < _REMOVES:
        return said
    journal = MemoryJournal()  # the bot's own positions are known by their numbers
    journal.request_halt(order.level, order.who, order.reason, order.time_ms)
    return f"{said}; {_carried_out(folder, journal)}"


def _carried_out(folder: Path, journal: SqliteJournal | MemoryJournal) -> str:
    """Carry out the halts that are asked for; say what is left."""
    from mtquant.app.demo import carry_out_halt  # only here is a terminal needed

    try:
        found = carry_out_halt(folder, journal)
    except (RetryableError, InputError) as problem:
        raise HaltError(
            f"the halt stands, but was not carried out at the terminal ({problem}): "
            "give the command again, or start the bot"
        ) from problem
    left = [
        f"{one.symbol} {one.volume:g} lots, ticket {one.position_ticket}"
        for one in found.portfolio.positions
    ]
    said = ["it was carried out at the terminal", "no position stands on the account"]
    if left:
        said[1] = f"{len(left)} positions stand on the account: {', '.join(left)}"
    if found.desk.in_flight:
        said.append(f"{len(found.desk.in_flight)} orders have no known outcome yet")
    return "; ".join(said)
