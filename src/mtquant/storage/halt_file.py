"""The file HALT beside a journal: a halt for which nothing but an editor or `touch` is needed."""

from __future__ import annotations

import codecs
import os
import re
from contextlib import contextmanager, suppress
from threading import Event
from typing import TYPE_CHECKING, Final

from filelock import FileLock

from mtquant.model import ConfigError, HaltOrder
from mtquant.storage.disk import synchronise, synchronise_names, write_through

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HALT_FILE: Final = "HALT"
_MARKS: Final = r"[.,:;!)\u2013\u2014-]"
"""What a person puts between a level and a reason; with a digit after it, it is no level."""
_LEVEL: Final = re.compile(rf"\s*([1-4])(?!{_MARKS}+\d)(?:(?!\S)|{_MARKS}+)\s*")
_READ: Final = 500
_MOST_BYTES: Final = 4
"""Of one character, in UTF-8 and in UTF-16."""
_QUOTES: Final = ('"', "'")
_TURN_S: Final = 2.0
"""How long to wait for another command that writes the file: it may have been stopped."""
_TURN_LOOKS_S: Final = 0.02
_TRIES: Final = 3


def read_halt_file(folder: Path) -> HaltOrder | None:
    """Return the halt that the file HALT in a folder asks for, None where there is none.

    It may begin with a level from 1 to 4, with or without a mark such as a colon after it, and the
    rest is the reason. Whatever else it holds, nothing or what cannot be read, it asks for level 1:
    who reaches for it means it. It is UTF-8, or UTF-16 with its mark, as PowerShell writes; `cmd`
    leaves the quotes around what it echoes.
    """
    path = folder / HALT_FILE
    try:
        if not path.exists():
            return None
        with path.open("rb") as file:
            text = _unquoted(_decoded(file.read(_READ * _MOST_BYTES))[:_READ])
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


def _decoded(content: bytes) -> str:
    """Return the text of bytes, without a mark of their order before it.

    No codec is looked up by its name: that may open files, and may fail.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return codecs.utf_16_decode(content, "replace", True)[0]  # noqa: FBT003
    return content.removeprefix(codecs.BOM_UTF8).decode(errors="replace")


def _unquoted(text: str) -> str:
    """Return a text without the quotes around it."""
    inside = text.strip()
    if not inside.startswith(_QUOTES):
        return text
    return inside[1:].removesuffix(inside[0])


def write_halt_file(folder: Path, halt: HaltOrder) -> int:
    """Write a halt into the file HALT of a folder, through to the disk; return its level then.

    A level that stands there already and is no lower stays, with its reason, whoever writes at the
    same time. A lower one stands until the new file takes its place, whenever the power goes; where
    there is no room for two, or the system lets nobody replace the file, it is written over: its
    first sector, in which the level stands, is the old one or the new one. Where there is no room
    at all, the mere name asks for level 1.

    Raises:
        ConfigError: it cannot be written; it may ask for a lower level.
    """
    path = folder / HALT_FILE
    text = f"{halt.level} by {halt.who}: {halt.reason}\n"
    try:
        is_through = _created(path, text)
        with _turn(path):
            level = _raised(path, halt.level, text, is_through=is_through)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror})") from error
    if level < halt.level:
        raise ConfigError(f"{path}: cannot be written (somebody else keeps lowering it)")
    return level


def _created(path: Path, text: str) -> bool:
    """Make the file where there is none, before anything else takes room; tell whether it was."""
    try:
        write_through(path, text, mode="x")
    except FileExistsError:
        return False
    return True


@contextmanager
def _turn(path: Path) -> Iterator[None]:
    """Let one command after the other raise the level.

    Whoever does not get its turn in time, or cannot have one there, goes on all the same.
    """
    lock = FileLock(path.with_name(f".{path.name}.turn.draft"))
    with suppress(OSError, NotImplementedError):
        lock.acquire(timeout=_TURN_S, poll_interval=_TURN_LOOKS_S)
    try:
        yield
    finally:
        lock.release()


def _raised(path: Path, level: int, text: str, *, is_through: bool) -> int:
    """Write the file until it asks for no less than a level; return what it asks for.

    What was there may have changed since it was looked at, and again while it was written.
    """
    standing = _standing(path)
    for _ in range(_TRIES):
        if standing >= level:
            break
        _replace(path, text)
        is_through, standing = True, _standing(path)
    if not is_through:
        write_through(path, "", mode="a")
    synchronise_names(path.parent)
    return standing


def _standing(path: Path) -> int:
    found = read_halt_file(path.parent)
    return 0 if found is None else found.level


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        write_through(draft, text)
        _move(draft, path)
    except OSError:  # no room for two, or somebody has it open and the system minds
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        _overwrite(path, text)


def _move(draft: Path, path: Path) -> None:
    """Put a draft in the place of a file; whoever has that open is waited for a moment."""
    for _ in range(_TRIES - 1):
        try:
            draft.replace(path)
        except OSError:
            Event().wait(_TURN_LOOKS_S)
        else:
            return
    draft.replace(path)


def _overwrite(path: Path, text: str) -> None:
    """Write over a file: nothing is cut off before the new level is on the disk."""
    content = text.encode()
    path.touch()
    with path.open("r+b") as file:
        file.write(content)
        file.flush()
        synchronise(file.fileno())
        file.truncate(len(content))
        synchronise(file.fileno())
