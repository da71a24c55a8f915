"""`mtquant journal verify`: whether anything was changed since it was written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtquant.app.journal.opened import reading
from mtquant.model import JournalError

if TYPE_CHECKING:
    from pathlib import Path


def verify(folder: Path, kept: tuple[int, str] | None = None) -> tuple[int, str]:
    """Check the journal of a folder; return how many rows its log has, and the last one's hash.

    Args:
        folder: the bot's folder.
        kept: number and hash of an earlier check: that row must still be what it was.

    Raises:
        JournalError: there is no journal, or something in it was changed, taken out or put in.
    """
    with reading(folder) as journal:
        count, last = journal.verify()
        if kept is not None:
            number, expected = kept
            if number > count:
                raise JournalError(
                    f"the log has {count} rows, and had {number} when the hash was kept: "
                    "its end was taken off"
                )
            found = next(row.hash for row in journal.log() if row.sequence == number)
            if found != expected.lower():
                raise JournalError(
                    f"log row {number} is not the one whose hash was kept: the log was replaced "
                    f"there or before (its hash is {found})"
                )
    return count, last
