"""A folder of stored series, by key."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from filelock import FileLock, Timeout

from mtquant.data.store.entry import (
    StoredBars,
    UnreadableEntry,
    is_key,
    read_entry,
    write_entry,
)
from mtquant.model import Bars, Clock, DataError, SystemClock, Timeframe, make_bars

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_DRAFT: Final = ".draft-"
_LOCK: Final = ".lock"
_SHOWN: Final = 12


class BarsStore:
    """Keep bars in a folder, each series under its content's hash.

    An entry appears in one piece and never changes: readers need no lock and see no half of one.
    Where a key is asked for, its first characters are enough if no other key begins with them.
    """

    def __init__(self, folder: Path, *, clock: Clock | None = None, wait_s: float = 60) -> None:
        """Name the folder; it is made when the first bars are put.

        Args:
            folder: of this store alone.
            clock: says when bars were put; the computer's when not given.
            wait_s: how long a writer waits for another one.
        """
        self.folder = folder
        self._clock = clock or SystemClock()
        self._wait_s = wait_s

    def put(self, bars: Bars, *, source: str = "") -> StoredBars:
        """Keep bars; return their entry, the old one where they are kept already.

        Writers may put the same bars at once. Killed in between, one leaves a draft that nobody
        reads and the next writer removes.

        Args:
            bars: any bars; every row is checked.
            source: where they come from, for people.

        Raises:
            MarketDataError: the bars contradict themselves.
            DataError: there are none, or the folder cannot be written.
        """
        if not len(bars):
            raise DataError(f"{bars.symbol}: there are no bars to keep")
        bars = _checked(bars)
        key = bars.content_hash()
        with self._writing():
            known = self._kept(key)
            return known or self._add(bars, key, source)

    def get(self, key: str) -> Bars:
        """Return the bars of a key over memory-mapped columns; see `StoredBars.open`.

        Raises:
            DataError: no key or several begin so, or the entry is visibly damaged.
        """
        return self.entry(key).open()

    def entry(self, key: str) -> StoredBars:
        """Return what is known of the bars of a key.

        Raises:
            DataError: no key or several begin so, or the facts are damaged.
        """
        return read_entry(self.folder / self._whole(key))

    def entries(self) -> tuple[StoredBars, ...]:
        """Return every readable entry, by symbol, timeframe and first bar."""
        found = [one for one in self._scan() if isinstance(one, StoredBars)]
        return tuple(
            sorted(found, key=lambda e: (e.symbol, e.timeframe.value, e.first_ms, e.last_ms, e.key))
        )

    def unreadable(self) -> tuple[UnreadableEntry, ...]:
        """Return the entries that cannot be used, of damage or of another layout."""
        return tuple(one for one in self._scan() if isinstance(one, UnreadableEntry))

    def find(self, symbol: str, timeframe: Timeframe) -> tuple[StoredBars, ...]:
        """Return every readable entry of a symbol and timeframe, by first bar."""
        return tuple(e for e in self.entries() if (e.symbol, e.timeframe) == (symbol, timeframe))

    def verify(self, key: str) -> StoredBars:
        """Read a whole entry and compare it with what was put.

        Raises:
            DataError: it is damaged; the message names the column.
        """
        entry = self.entry(key)
        entry.verify()
        return entry

    def remove(self, key: str) -> str:
        """Remove the entry of a key, damaged or not; return the whole key.

        Bars that a process holds open stay readable there, but on Windows the removal is refused.

        Raises:
            DataError: no key or several begin so, the entry is in use, or cannot be removed.
        """
        whole = self._whole(key)
        with self._writing():
            self._set_aside(whole)
        return whole

    def _scan(self) -> Iterator[StoredBars | UnreadableEntry]:
        for key in self._keys():
            try:
                yield read_entry(self.folder / key)
            except DataError as error:
                yield UnreadableEntry(key=key, reason=str(error))

    def _keys(self) -> list[str]:
        try:
            return sorted(path.name for path in self.folder.iterdir() if is_key(path.name))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise DataError(f"{self.folder}: cannot be read ({error.strerror})") from error

    def _whole(self, key: str) -> str:
        start = key.lower()
        found = [one for one in self._keys() if start and one.startswith(start)]
        if len(found) == 1:
            return found[0]
        if not found:
            raise DataError(f"{self.folder}: there are no bars with the key {key!r}")
        shown = ", ".join(one[: max(_SHOWN, len(key) + 4)] for one in found[:4])
        raise DataError(f"{self.folder}: {len(found)} keys begin with {key!r} ({shown}); give more")

    def _kept(self, key: str) -> StoredBars | None:
        """Return the entry of a key if it is whole; a damaged one makes room for a new one."""
        if not (self.folder / key).exists():
            return None
        try:
            entry = read_entry(self.folder / key)
            entry.verify()
        except DataError:
            self._set_aside(key)
            return None
        return entry

    def _add(self, bars: Bars, key: str, source: str) -> StoredBars:
        draft = self._draft("new")
        write_entry(bars, draft, key=key, source=source, stored_ms=self._clock.now_ms())
        draft.replace(self.folder / key)
        return read_entry(self.folder / key)

    def _set_aside(self, key: str) -> None:
        """Take an entry away in one piece; what is left of it counts as a draft."""
        (self.folder / key).replace(self._draft("old") / key)

    def _draft(self, name: str) -> Path:
        draft = self.folder / f"{_DRAFT}{os.getpid()}-{name}"
        draft.mkdir()
        return draft

    def _sweep(self) -> None:
        """Remove drafts: while the lock is held, they belong to nobody."""
        for path in self.folder.glob(f"{_DRAFT}*"):
            shutil.rmtree(path, ignore_errors=True)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder / _LOCK, timeout=self._wait_s):
                self._sweep()
                try:
                    yield
                finally:
                    self._sweep()
        except Timeout as error:
            raise DataError(
                f"{self.folder}: another process has been writing for {self._wait_s:g} s; try again"
            ) from error
        except PermissionError as error:
            raise DataError(
                f"{error.filename or self.folder}: cannot be written, or is in use "
                f"({error.strerror})"
            ) from error
        except OSError as error:
            raise DataError(
                f"{self.folder}: cannot be written ({error.strerror or error})"
            ) from error


def _checked(bars: Bars) -> Bars:
    return make_bars(**{name: getattr(bars, name) for name in Bars.__slots__})
