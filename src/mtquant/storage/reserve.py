"""Room on the disk that is kept for exits: a full disk must not keep a bot from closing."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

RESERVE_BYTES: Final = 4 << 20
"""Some three thousand rows of a journal, if its log is moved into the database often."""
_PIECE_BYTES: Final = 1 << 20
_OPENING_BYTES: Final = 256 << 10
"""What SQLite needs to open a file that nobody has open, and to write a first row."""
_MOST_PASSED_OVER: Final = 64
_NO_ROOM: Final = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE)
FULL: Final = "the disk may be full: make room on it, nothing else is wrong with the file"


class Reserve:
    """Hold a part of the disk in a file, and give it up when the disk is full.

    Who writes the journal holds it; whoever finds the disk full may give it up. What is written is
    random, because some file systems need no room for zeros.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._draft = path.with_name(path.name + ".new")
        self._failures = self._passed_over = 0

    @property
    def is_held(self) -> bool:
        """Tell whether the file is there, whole."""
        return self._size() >= RESERVE_BYTES

    def hold(self) -> bool:
        """Take the room if it is not taken yet; tell whether it is held then.

        Twice as much has to be free: a disk that has just enough is as good as full. Where it
        cannot be written all the same, as under a quota, ever more calls pass before the next try.
        """
        if self.is_held:
            return True
        if self._passed_over < min(2**self._failures - 1, _MOST_PASSED_OVER):
            self._passed_over += 1
            return False
        self._passed_over = 0
        try:
            if shutil.disk_usage(self._path.parent).free < 2 * RESERVE_BYTES:
                return False
            self._take()
        except OSError:
            self._failures += 1
            with suppress(OSError):
                self._draft.unlink()
            return False
        self._failures = 0
        return True

    def release(self) -> bool:
        """Give the room up; tell whether there was any.

        A file that somebody else has open, to copy it for instance, gives its room back only when
        it is cut; where it cannot be removed it stays, empty.
        """
        had = self._size() > 0
        is_done = False
        with suppress(OSError):
            os.truncate(self._path, 0)
            is_done = True
        with suppress(OSError):
            self._path.unlink()
            is_done = True
        return had and is_done

    def release_to_open(self) -> None:
        """Give the room up where a database beside it could not even be opened without."""
        with suppress(OSError):
            if shutil.disk_usage(self._path.parent).free < _OPENING_BYTES:
                self.release()

    def _take(self) -> None:
        with self._draft.open("wb") as file:
            for _ in range(RESERVE_BYTES // _PIECE_BYTES):
                file.write(os.urandom(_PIECE_BYTES))
            file.flush()
            os.fsync(file.fileno())
        self._draft.replace(self._path)

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0


def reserve_of(journal: Path) -> Reserve:
    """Return the room that is kept for a journal."""
    return Reserve(journal.with_name(journal.name + ".reserve"))


def let_open(journal: Path) -> None:
    """Give up the room that is kept, if without it the journal could not be opened.

    Who has it open already, or was killed, has left what SQLite needs for that.
    """
    if not journal.with_name(journal.name + "-shm").exists():
        reserve_of(journal).release_to_open()


def lacks_room(error: Exception) -> bool:
    """Tell whether SQLite says that the disk takes no more, that a quota keeps it, or it fails."""
    return getattr(error, "sqlite_errorcode", None) in _NO_ROOM  # Python's own have no code
