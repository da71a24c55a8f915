"""Room on the disk that is kept for exits: a full disk must not keep a bot from closing."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

RESERVE_BYTES: Final = 4 << 20
"""Some dozens of exits while the log of the database cannot be moved into it, thousands after."""
_PIECE_BYTES: Final = 1 << 20


class Reserve:
    """Hold a part of the disk in a file, and give it up when the disk is full.

    Who writes the journal holds it; whoever finds the disk full may give it up. What is written is
    random, because some file systems need no room for zeros.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def is_held(self) -> bool:
        """Tell whether the file is there, whole."""
        try:
            return self._path.stat().st_size >= RESERVE_BYTES
        except OSError:
            return False

    def hold(self) -> bool:
        """Take the room if it is not taken yet; tell whether it is held then.

        Twice as much has to be free: a disk that has just enough is as good as full.
        """
        if self.is_held:
            return True
        try:
            if shutil.disk_usage(self._path.parent).free < 2 * RESERVE_BYTES:
                return False
            with self._path.open("wb") as file:
                for _ in range(RESERVE_BYTES // _PIECE_BYTES):
                    file.write(os.urandom(_PIECE_BYTES))
                file.flush()
                os.fsync(file.fileno())
        except OSError:  # a quota, a limit, a disk that another program fills
            self.release()
            return False
        return True

    def release(self) -> bool:
        """Give the room up; tell whether there was any."""
        with suppress(OSError):
            self._path.unlink()
            return True
        return False
