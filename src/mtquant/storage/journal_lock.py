"""The lock file of a journal: one process writes it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from mtquant.model import JournalError, JournalInUseError

if TYPE_CHECKING:
    from pathlib import Path


def lock_journal(path: Path) -> FileLock:
    """Take the lock of a journal: whoever holds it is its one writer.

    Raises:
        JournalInUseError: another process holds it.
        JournalError: it cannot be made.
    """
    lock = FileLock(f"{path}.lock", thread_local=False)  # any thread may close the journal
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise JournalInUseError(
            f"{path}: another bot writes this journal ({owner_of(path)}); "
            "stop it first, or use another folder"
        ) from error
    except OSError as error:
        raise JournalError(f"{path}: the lock cannot be made ({error.strerror})") from error
    return lock


def owner_of(path: Path) -> str:
    """Say who holds the lock, as far as the journal tells."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as found:
            row = found.execute("select value from meta where key = 'owner'").fetchone()
        owner = json.loads(row[0])
        return f"process {owner['pid']}, started {_utc_text(owner['started_ms'] // 1000)}"
    except (sqlite3.Error, ValueError, TypeError, KeyError, OverflowError):
        return "owner unknown"


def _utc_text(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
