"""A journal in memory, on a disk that forgets with the power what was not synchronised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mtquant.storage import MemoryJournal

if TYPE_CHECKING:
    from collections.abc import Callable

WRITES = (
    "record_sending",
    "record_intents",
    "record_deals",
    "record_halt",
    "record_account",
    "record_baseline",
    "record_risk",
    "request_halt",
)


class SyncedJournal:
    """Keep a copy of what the disk has for good: each write is synchronised before it returns.

    So does SQLite with synchronous=FULL: what is acknowledged outlives the power. Readers see
    what is written, synchronised or not, as they see the cache of an operating system.
    """

    def __init__(self) -> None:
        self._cache, self._disk = MemoryJournal(), MemoryJournal()
        self._unsynced: list[tuple[str, tuple[Any, ...]]] = []

    def write(self, name: str, *arguments: Any) -> Any:
        """Carry out a write, as one transaction."""
        result = getattr(self._cache, name)(*arguments)
        self._unsynced.append((name, arguments))
        self.commit()
        return result

    def commit(self) -> None:
        """Synchronise what is written."""
        self._sync(len(self._unsynced))

    def tear(self, name: str, *arguments: Any) -> None:
        """Come to the middle of a write: it stands in the cache, and the disk has none of it."""
        getattr(self._cache, name)(*arguments)
        self._unsynced.append((name, arguments))

    def lose_power(self) -> None:
        """Forget what was not synchronised."""
        lost, self._unsynced = self._unsynced, []
        if lost:
            self._cache, self._disk = self._disk, MemoryJournal()
            self._disk.__dict__.update(copied(self._cache))

    def _sync(self, count: int) -> None:
        for name, arguments in self._unsynced[:count]:
            getattr(self._disk, name)(*arguments)
        del self._unsynced[:count]

    def __getattr__(self, name: str) -> Any:
        found: Callable[..., Any] = getattr(self._cache, name)
        if name in WRITES:
            return lambda *arguments: self.write(name, *arguments)
        return found


class LazyJournal(SyncedJournal):
    """Acknowledge a write before it is synchronised: the last one is lost with the power."""

    def commit(self) -> None:
        self._sync(len(self._unsynced) - 1)


def copied(journal: MemoryJournal) -> dict[str, Any]:
    """Return what a journal in memory holds: its rows are frozen, their lists are its own."""
    held = vars(journal).items()
    return {key: one.copy() if hasattr(one, "copy") else one for key, one in held}
