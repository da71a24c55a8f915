"""Writing through to the disk: what was written is there when the power comes back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def synchronise(number: int) -> None:
    """Write an open file through to the disk.

    Raises:
        OSError: it cannot be written.
    """
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
