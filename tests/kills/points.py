"""The points at which a process kills itself, and the executioner who waits there.

`os.kill(os.getpid(), SIGKILL)` ends the process from inside as `kill -9` does from outside: no
handler runs, no buffer is written, no lock is given back by hand.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WRITES: Final = ("sending", "intents", "deals", "halt")
TORN: Final = "journal torn"
POINTS: Final = (
    *(f"{write}: {when}" for write in WRITES for when in ("before", "in transaction", "after")),
    *(f"{write}: at commit" for write in WRITES),
    "send: before",
    "send: after",
    "server: torn",
    "server: appended",
    "server: clock",
    "call",
    "file",
    TORN,
)
_FILE_EVENTS: Final = frozenset(
    {"open", "os.rename", "os.remove", "os.truncate", "os.mkdir", "sqlite3.connect"}
)
_LEAST_BYTES, _MORE_BYTES = 34_000, 1_499


@dataclass(frozen=True, slots=True)
class Plan:
    """Name a point and which passing of it is the last one; passings count from 1."""

    point: str
    passing: int

    @classmethod
    def parse(cls, text: str) -> Plan:
        """Return the plan that a command line holds."""
        point, _, passing = text.rpartition("@")
        if point not in POINTS:
            raise ValueError(f"{point!r} is no point")
        return cls(point, int(passing))

    def __str__(self) -> str:
        """Return the plan as it stands on a command line."""
        return f"{self.point}@{self.passing}"


class Executioner:
    """Count the passings of every point, and kill the process at the one that is planned."""

    def __init__(self, plan: Plan | None) -> None:
        self.passings: Counter[str] = Counter()
        self.spares: Callable[[], bool] = lambda: False
        self._plan = plan
        self._writing = ""

    def pass_by(self, point: str) -> None:
        """Come to a point; this may be the end."""
        if self._is_last(point):
            os.kill(os.getpid(), signal.SIGKILL)

    def tear(self, point: str, path: Path, content: bytes) -> None:
        """Come to a point at which half of what is to be written still reaches the file."""
        if self._is_last(point):
            with path.open("ab", buffering=0) as file:
                file.write(content[: len(content) // 2])
            os.kill(os.getpid(), signal.SIGKILL)

    @contextmanager
    def writing(self, write: str) -> Iterator[None]:
        """Let the journal write something; the points around and inside carry its name."""
        self.pass_by(f"{write}: before")
        self._writing = write
        try:
            yield
        finally:
            self._writing = ""
        self.pass_by(f"{write}: after")

    def attend(self, folder: Path) -> None:
        """Wait at the statements of SQLite and at the files of a folder too."""
        connect = sqlite3.connect

        def watched(*args: Any, **kwargs: Any) -> sqlite3.Connection:
            connection: sqlite3.Connection = connect(*args, **kwargs)
            connection.set_trace_callback(self._see_statement)
            return connection

        sqlite3.connect = watched  # type: ignore[assignment] # in this process alone
        ours = str(folder)

        def see_event(event: str, arguments: tuple[Any, ...]) -> None:
            if event in _FILE_EVENTS and arguments and ours in str(arguments[0]):
                self.pass_by("file")

        sys.addaudithook(see_event)
        if self._plan and self._plan.point == TORN:
            _limit_files(_LEAST_BYTES + _MORE_BYTES * self._plan.passing)

    def _see_statement(self, statement: str) -> None:
        """See a statement before it is carried out."""
        if not self._writing:
            return
        verb = statement.split(maxsplit=1)[0].lower()
        if verb == "commit":
            self.pass_by(f"{self._writing}: at commit")
        elif verb != "begin":
            self.pass_by(f"{self._writing}: in transaction")

    def _is_last(self, point: str) -> bool:
        if self.spares():
            if self._plan and self._plan.point == TORN:
                _limit_files(None)
            return False
        self.passings[point] += 1
        plan = self._plan
        return plan is not None and plan.point == point and self.passings[point] == plan.passing


def torn_passings(size: int) -> int:
    """Return how many passings of `TORN` a write-ahead log of this size has."""
    return max(0, (size - _LEAST_BYTES) // _MORE_BYTES)


def _limit_files(size: int | None) -> None:
    """Have the system kill this process in the middle of the write that passes a size.

    The journal's write-ahead log is the file that grows fastest: what had room of the write is in
    it, the rest is not. None lifts the limit.
    """
    import resource

    if size is None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        return

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python ignores it
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
