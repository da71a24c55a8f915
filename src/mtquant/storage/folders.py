"""Folders that a command writes to: nobody else's files in them, and no file by halves."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from mtquant.model import ConfigError
from mtquant.storage.disk import synchronise_names, write_through

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


def require_own_files(folder: Path, own: Collection[str], owner: str) -> None:
    """Refuse a folder with anything in it that `owner`, such as "a run", has not put there.

    A folder that does not exist is no error.

    Raises:
        ConfigError: it is a file, or holds other files.
        OSError: it cannot be read.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder}: this is a file; --out needs a folder")
    names = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    strangers = [name for name in names if name not in own and not name.endswith(".draft")]
    if strangers:
        raise ConfigError(
            f"{folder}: holds files that are not of {owner} ({', '.join(strangers[:3])}); "
            "use an empty folder with --out"
        )


def write_whole(target: Path, text: str) -> Path:
    """Write a file in one piece: a reader sees the old one or the new one.

    So it is after a power cut; the new one, if this has returned and the folder's file system can
    write its names through.

    Raises:
        ConfigError: it cannot be written.
    """
    draft = target.with_name(f".{target.name}.{os.getpid()}.draft")
    try:
        write_through(draft, text)
        draft.replace(target)
    except OSError as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise ConfigError(f"{target}: cannot be written ({error.strerror})") from error
    with suppress(OSError):  # the file is there: no error of its folder takes that back
        synchronise_names(target.parent)
    return target
