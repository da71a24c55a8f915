"""The file HALT beside a journal: a halt for which nothing but an editor or `touch` is needed."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from mtquant.model import ConfigError, HaltOrder

if TYPE_CHECKING:
    from pathlib import Path

HALT_FILE: Final = "HALT"
_LEVEL: Final = re.compile(r"\s*([1-4])(?!\S)\s*")
_READ: Final = 500


def read_halt_file(folder: Path) -> HaltOrder | None:
    """Return the halt that the file HALT in a folder asks for, None where there is none.

    It may begin with a level from 1 to 4, and the rest is the reason. Whatever else it holds,
    nothing or what cannot be read, it asks for level 1: who reaches for it means it.
    """
    path = folder / HALT_FILE
    try:
        if not path.exists():
            return None
        with path.open(encoding="utf-8", errors="replace") as file:
            text = file.read(_READ)
        time_ms = int(path.stat().st_mtime * 1000)
    except OSError:
        text, time_ms = "", 0
    found = _LEVEL.match(text)
    level = int(found[1]) if found else 1
    reason = " ".join(text[found.end() if found else 0 :].split())
    return HaltOrder(
        time_ms=time_ms,
        level=level,
        who="the file HALT",
        reason=reason or "it is there",
    )


def write_halt_file(folder: Path, halt: HaltOrder) -> int:
    """Write a halt into the file HALT of a folder, through to the disk; return its level then.

    A level that stands there already and is no lower stays, with its reason. A lower one stands
    until the new file takes its place, whenever the power goes; where there is no room for two, it
    is written in place. Where there is no room at all, the mere name asks for level 1.

    Raises:
        ConfigError: it cannot be written; it may ask for a lower level.
    """
    path = folder / HALT_FILE
    before = read_halt_file(folder)
    text = f"{halt.level} by {halt.who}: {halt.reason}\n"
    try:
        if before is None:
            _write(path, text)
        elif before.level < halt.level:
            _replace(path, text)
        else:
            _write(path, "", mode="a")
        _sync(folder)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror})") from error
    return halt.level if before is None else max(before.level, halt.level)


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        _write(draft, text)
        draft.replace(path)
    except OSError:  # no room for two, or somebody has it open and the system minds
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        _write(path, text)


def _write(path: Path, text: str, *, mode: str = "w") -> None:
    """Write a file through to the disk."""
    with path.open(mode, encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Write the names in a folder through to the disk."""
    if os.name == "nt":  # a folder cannot be opened there, and its names are journalled
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
