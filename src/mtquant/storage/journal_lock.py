"""The lock file of a journal: one process writes it, and says at once who it is.

What it says lies in a file of its own: where locks are of ranges of bytes, as on Windows, nobody
else could read it in the lock file.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Self

from filelock import FileLock, Timeout

from mtquant.model import JournalInUseError
from mtquant.storage.way_on import unusable

if TYPE_CHECKING:
    from pathlib import Path

HALTING: Final = "halt"
"""What holds the lock for a moment, where a halt is carried out without a bot."""
_INTRODUCTION_S: Final = 0.25
"""How long a holder may take to say who it is, after it has got the lock."""
_LOOKS_EVERY_S: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalOwner:
    """Hold who writes a journal: a process, its start (UTC milliseconds), and what it is."""

    pid: int
    started_ms: int
    what: str

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Return the owner that a JSON text names, None where it names none."""
        try:
            facts = json.loads(text)
            return cls(
                pid=int(facts["pid"]),
                started_ms=int(facts["started_ms"]),
                what=str(facts["what"]),
            )
        except (ValueError, TypeError, KeyError, OverflowError):
            return None

    def __str__(self) -> str:
        """Return it for people."""
        what = f"{self.what}, " if self.what else ""
        try:
            started = datetime.fromtimestamp(self.started_ms // 1000, tz=UTC)
        except (ValueError, OverflowError, OSError):
            return f"{what}process {self.pid}"
        return f"{what}process {self.pid}, started {started:%Y-%m-%d %H:%M:%S} UTC"


def lock_journal(path: Path, *, owner: str = "", now_ms: int = 0, wait_s: float = 0.0) -> FileLock:
    """Take the lock of a journal: whoever holds it is its one writer.

    Args:
        path: of the journal; `<path>.lock` beside it is the lock, `<path>.owner` says who has it.
        owner: what takes it, such as "demo", to be told to others.
        now_ms: start of this process, UTC milliseconds, to be told likewise.
        wait_s: how long to wait for another process to give it back.

    Raises:
        JournalInUseError: another process holds it.
        JournalError: it cannot be made.
    """
    lock = FileLock(f"{path}.lock", thread_local=False)  # any thread may close the journal
    try:
        lock.acquire(timeout=max(wait_s, _INTRODUCTION_S), poll_interval=_LOOKS_EVERY_S)
    except Timeout as error:
        raise JournalInUseError(_in_use(path)) from error
    except OSError as error:
        raise unusable(path, "the lock cannot be made", error) from error
    _introduce(path, JournalOwner(pid=os.getpid(), started_ms=now_ms, what=owner))
    return lock


def owner_of(path: Path) -> JournalOwner | None:
    """Return who holds the lock of a journal, or held it last; None where that is not known."""
    try:
        return JournalOwner.read(_note(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeError):
        return None


def _in_use(path: Path) -> str:
    holder = owner_of(path)
    named = "owner unknown" if holder is None else str(holder)
    if holder is not None and holder.what == HALTING:
        return f"{path}: a halt is being carried out here ({named}); try again when it is done"
    return (
        f"{path}: another bot writes this journal ({named}); stop it first, or use another folder"
    )


def _introduce(path: Path, owner: JournalOwner) -> None:
    """Say who holds the lock; on a full disk nobody is named, and nobody by a wrong number.

    Written in place: on Windows a file that somebody reads cannot be replaced.
    """
    note = _note(path)
    try:
        note.write_text(json.dumps(asdict(owner)) + "\n", encoding="utf-8")
    except OSError:
        with suppress(OSError):
            note.unlink()


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.owner")
