"""The journal of a folder, to read."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from mtquant.app.workspace import JOURNAL
from mtquant.storage import SqliteJournal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def reading(folder: Path) -> Iterator[SqliteJournal]:
    """Open the journal of a folder and read it as it stands at this moment, bot or no bot.

    Raises:
        JournalError: there is none, or it cannot be read.
    """
    journal = SqliteJournal.attach(folder / JOURNAL)
    try:
        with journal.snapshot():
            yield journal
    finally:
        journal.close()
