"""Halts and releases from another process: a row in the journal that the bot takes up."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

from mtquant.app.workspace import JOURNAL, SUMMARY
from mtquant.model import ConfigError, SystemClock
from mtquant.storage import HALT_FILE, SqliteJournal

if TYPE_CHECKING:
    from pathlib import Path


def _user() -> str:
    """Return the name of the user; a kill switch must not fail because there is none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "an unnamed user"


def request(folder: Path, *, level: int, who: str, reason: str) -> str:
    """Write a halt (1 to 4) or a release (0) into a bot's journal; return what to tell the person.

    Raises:
        ConfigError: name or reason is empty, or the run in the folder is finished.
        JournalError: there is no journal in the folder.
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
    journal = SqliteJournal.attach(folder / JOURNAL)
    try:
        number = journal.request_halt(level, person, reason.strip(), SystemClock().now_ms())
        standing = journal.halt_level()
    finally:
        journal.close()
    what = "resume" if level == 0 else f"halt level {level}"
    return (
        f"request {number}: {what}, by {person}; the bot takes it up before its next order "
        f"(level in force now: {standing})"
    )
