"""Writing through to the disk: what was written is there when the power comes back."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from pathlib import Path


_FULL: Final[int | None] = getattr(sys.modules.get("fcntl"), "F_FULLFSYNC", None)
"""Where there is such a word, as on macOS, `fsync` leaves what it writes in the drive's cache."""


def synchronise(number: int) -> None:
    """Write an open file through to the disk, and out of the cache of the drive.

    Raises:
        OSError: it cannot be written.
    """
    if sys.platform != "win32" and _FULL is not None:
        with suppress(OSError):  # not every file system knows it
            fcntl.fcntl(number, _FULL)
            return
    os.fsync(number)


def write_through(path: Path, text: str, *, mode: str = "w") -> None:
    """Write a file through to the disk; its name is sure after `synchronise_names`.

    Raises:
        OSError: it cannot be written.
    """
    with path.open(mode, encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        synchronise(file.fileno())


def synchronise_names(folder: Path) -> None:
    """Write the names in a folder through to the disk.

    Raises:
        OSError: the folder cannot be opened, or its file system cannot do this.
    """
    if os.name == "nt":  # a folder cannot be opened there, and its names are journalled
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        synchronise(number)
    finally:
        os.close(number)
