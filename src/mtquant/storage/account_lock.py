"""One bot per account: a lock beside the terminal, whatever folder a bot lives in."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from mtquant.model import AccountInUseError, ConfigError
from mtquant.storage.folders import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def account_lock(folder: Path, account: str, *, journal: Path, now_ms: int) -> Iterator[None]:
    """Hold an account while a bot trades it.

    Args:
        folder: where the locks of a terminal's accounts lie; every bot on it must name the same.
        account: login@server.
        journal: of the bot, to be told to others.
        now_ms: start of this process, UTC milliseconds, to be told likewise.

    Raises:
        AccountInUseError: another bot trades the account.
        ConfigError: the lock cannot be made.
    """
    stem = folder / f"account-{sha256(account.encode()).hexdigest()[:16]}"
    note = stem.with_suffix(".json")
    lock = FileLock(stem.with_suffix(".lock"), thread_local=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise AccountInUseError(
            f"account {account} is traded by another bot ({_told(note)}): stop it first; two bots "
            "would not know of each other's orders"
        ) from error
    except OSError as error:
        raise ConfigError(f"{folder}: the account's lock cannot be made ({error})") from error
    try:
        facts = {"account": account, "pid": os.getpid(), "started_ms": now_ms}
        write_whole(note, json.dumps({**facts, "journal": str(journal.absolute())}) + "\n")
        yield
    finally:
        lock.release()


def _told(note: Path) -> str:
    """Say who holds the lock, as far as he has told."""
    try:
        facts = json.loads(note.read_text(encoding="utf-8"))
        started = datetime.fromtimestamp(facts["started_ms"] // 1000, tz=UTC)
        return (
            f"process {facts['pid']}, started {started:%Y-%m-%d %H:%M:%S} UTC, {facts['journal']}"
        )
    except (OSError, ValueError, TypeError, KeyError, OverflowError):
        return "owner unknown"
