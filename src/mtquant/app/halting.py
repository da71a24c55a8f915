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
    JournalError,
    JournalInUseError,
    RetryableError,
    SystemClock,
)
from mtquant.storage import HALT_FILE, SqliteJournal

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
        HaltError: the terminal of a bot that does not run does not answer; the halt stands.
    """
    if not reason.strip():
        raise ConfigError("--reason must say why")
    if level == 0 and not who.strip():
        raise ConfigError("--who must name the person who lifts the halt")
    if (folder / SUMMARY).exists():
        raise ConfigError(f"{folder}: the run in this folder is finished; no bot will read a halt")
    if level == 0 and (folder / HALT_FILE).exists():
        raise ConfigError(f"{folder / HALT_FILE} is there and halts the bot: remove it first")
    person = who.strip() or _user()
    journal, bot_runs = _journal(folder)
    with closing(journal):
        number = journal.request_halt(level, person, reason.strip(), SystemClock().now_ms())
        standing = journal.halt_level()
    what = "resume" if level == 0 else f"halt level {level}"
    asked = f"request {number}: {what}, by {person}; "
    if bot_runs:
        taken_up = "the bot takes it up before its next order"
    elif level < _REMOVES:
        taken_up = "no bot runs here, the next one takes it up before its first order"
    else:
        return asked + _carried_out(folder)
    return f"{asked}{taken_up} (level in force now: {standing})"


def _journal(folder: Path) -> tuple[SqliteJournal, bool]:
    """Return the journal of a folder, and whether a bot runs there."""
    path = folder / JOURNAL
    if not path.is_file():
        raise JournalError(f"{path}: there is no journal here")
    try:  # its one writer may be us: then an older version is brought up to date as well
        return SqliteJournal.open(path, owner="halt", now_ms=SystemClock().now_ms()), False
    except JournalInUseError:
        return SqliteJournal.attach(path), True


def _carried_out(folder: Path) -> str:
    """Carry out the halts that are asked for; say what is left."""
    from mtquant.app.demo import carry_out_halt  # only here is a terminal needed

    try:
        account = carry_out_halt(folder)
    except RetryableError as problem:
        raise HaltError(
            f"the halt is in the journal, but the terminal does not answer ({problem}): give the "
            "command again, or start the bot"
        ) from problem
    except JournalInUseError:
        return "a bot has started meanwhile and takes it up before its first order"
    left = [f"{p.symbol} {p.volume:g} lots, ticket {p.position_ticket}" for p in account.positions]
    stands = (
        f"{len(left)} positions stand on the account: {'; '.join(left)}"
        if left
        else ("no position stands on the account")
    )
    return f"no bot runs here, so it was carried out at the terminal; {stands}"
