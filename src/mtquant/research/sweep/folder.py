"""The folder of a sweep: ours or refused, gone on with or replaced, one writer at a time."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from filelock import FileLock, Timeout

from mtquant.model import ConfigError
from mtquant.storage import require_own_files, write_whole

FACTS, ROWS, TABLE, REPORT = "sweep.json", "rows.jsonl", "results.csv", "report.html"
BARS, LOCK = "bars", "sweep.lock"
_OURS: Final = frozenset({FACTS, ROWS, TABLE, REPORT, BARS, LOCK})


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepFolder:
    """Hold a prepared folder and its lock; a context manager that gives the lock back.

    `is_continued` tells whether rows of an earlier run may be in it.
    """

    folder: Path
    fingerprint: str
    facts: Mapping[str, Any]
    is_continued: bool
    lock: FileLock

    @classmethod
    def prepare(cls, folder: Path, fingerprint: str, facts: Mapping[str, Any]) -> SweepFolder:
        """Make a folder ready for the sweep with this fingerprint.

        The same sweep is gone on with, finished or not; another one is replaced if it is finished.

        Raises:
            ConfigError: the folder is not of a sweep, holds another unfinished one, is in use, or
                cannot be written.
        """
        try:
            require_own_files(folder, _OURS, "a sweep")
            folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(str(folder / LOCK))
            lock.acquire(timeout=0)
        except Timeout as error:
            raise ConfigError(
                f"{folder}: another sweep runs in this folder; wait for it, or choose another with "
                "--out"
            ) from error
        except OSError as error:
            raise ConfigError(
                f"{folder}: cannot be written ({error.strerror}); choose another folder with --out"
            ) from error
        place = cls(
            folder=folder,
            fingerprint=fingerprint,
            facts=facts,
            is_continued=False,
            lock=lock,
        )
        with ExitStack() as undo:
            undo.callback(lock.release)
            begun = place._begun()
            undo.pop_all()
        return begun

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.lock.release()

    def path(self, name: str) -> Path:
        """Return the path of one of the sweep's files."""
        return self.folder / name

    def write(self, name: str, text: str) -> Path:
        """Write a file in one piece: a reader sees the old one or the new one.

        Raises:
            ConfigError: it cannot be written.
        """
        return write_whole(self.path(name), text)

    def finish(self, found: Mapping[str, Any]) -> None:
        """Note that the sweep is finished, and what was found."""
        self._note("finished", found)

    def _begun(self) -> SweepFolder:
        old = _read_facts(self.folder)
        if old is not None and old.get("fingerprint") == self.fingerprint:
            if old.get("state") != "finished":
                self._note("running", {})
            return SweepFolder(
                folder=self.folder,
                fingerprint=self.fingerprint,
                facts=self.facts,
                is_continued=True,
                lock=self.lock,
            )
        if old is not None and old.get("state") != "finished":
            raise ConfigError(
                f"{self.folder}: holds an unfinished sweep with other settings; finish it with "
                "those, remove the folder, or choose another with --out"
            )
        for name in _OURS - {LOCK, FACTS}:
            path = self.path(name)
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        self._note("running", {})
        return self

    def _note(self, state: str, found: Mapping[str, Any]) -> None:
        facts = {"fingerprint": self.fingerprint, "state": state, **self.facts, **found}
        self.write(FACTS, json.dumps(facts, indent=2, default=str) + "\n")


@contextmanager
def working_folder(place: SweepFolder | None) -> Iterator[Path]:
    """Give the folder of a sweep, or one for the time being where nothing is kept."""
    if place is not None:
        yield place.folder
        return
    with tempfile.TemporaryDirectory(prefix="mtquant-sweep-") as scratch:
        yield Path(scratch)


def _read_facts(folder: Path) -> dict[str, Any] | None:
    path = folder / FACTS
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: not readable ({error}); remove the folder") from error
    if not isinstance(loaded, dict):
        raise ConfigError(f"{path}: not readable (it holds no object); remove the folder")
    return loaded
