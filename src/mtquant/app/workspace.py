"""The folder a run writes to: ours or refused, continued or replaced, never half."""

from __future__ import annotations

import contextlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from filelock import FileLock

from mtquant.model import ConfigError, SystemClock
from mtquant.storage import HALT_FILE, lock_journal, require_own_files, write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping


RUN, SUMMARY, REPORT = "run.json", "summary.json", "report.html"
JOURNAL, EVENTS, LOG, TERMINAL = "journal.sqlite", "events.jsonl", "log.jsonl", "terminal"
SERVER_LOG, LOCK, OWNER = "server.jsonl", f"{JOURNAL}.lock", f"{JOURNAL}.owner"
RESERVE: Final = f"{JOURNAL}.reserve"
_OURS: Final = frozenset(
    {
        RUN,
        SUMMARY,
        REPORT,
        JOURNAL,
        f"{JOURNAL}-wal",
        f"{JOURNAL}-shm",
        f"{JOURNAL}-journal",
        LOCK,
        OWNER,
        RESERVE,
        f"{RESERVE}.new",
        EVENTS,
        LOG,
        TERMINAL,
        HALT_FILE,
    }
)
_STAYS: Final = frozenset({LOCK, OWNER, RESERVE, HALT_FILE})
"""Files of whoever runs in a folder, not of a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """Hold a prepared folder, whether an unfinished run is continued in it, and its lock."""

    folder: Path
    is_continued: bool
    lock: FileLock | None = None

    def path(self, name: str) -> Path:
        """Return the path of one of the run's files."""
        return self.folder / name

    def write(self, name: str, text: str) -> Path:
        """Write a file in one piece: a reader sees the old one or the new one.

        Raises:
            ConfigError: it cannot be written.
        """
        return write_whole(self.folder / name, text)

    def release(self) -> None:
        """Give the folder's lock back."""
        if self.lock is not None:
            self.lock.release()


def prepare(
    folder: Path, fingerprint: str, facts: Mapping[str, Any], *, resumable: bool = True
) -> Workspace:
    """Make the folder ready for a run with this fingerprint, and hold its lock.

    An unfinished run with the same fingerprint is continued (or begun anew, when it is not
    resumable), and tells from then on what an earlier version did not; a finished one is replaced;
    anything else in the folder is left alone and refused.

    Raises:
        ConfigError: the folder is not ours, holds another unfinished run, or cannot be written.
        JournalError: another bot runs in the folder.
    """
    try:
        require_own_files(folder, _OURS, "a run")
        folder.mkdir(parents=True, exist_ok=True)
        lock = lock_journal(
            folder / JOURNAL, owner=str(facts.get("kind", "")), now_ms=SystemClock().now_ms()
        )
        with contextlib.ExitStack() as undo:
            undo.callback(lock.release)
            is_continued = _make_ready(folder, fingerprint, resumable=resumable)
            workspace = Workspace(folder=folder, is_continued=is_continued, lock=lock)
            _tell(workspace, {"fingerprint": fingerprint, **facts})
            undo.pop_all()
    except OSError as error:
        raise ConfigError(
            f"{folder}: cannot be written ({error.strerror}); choose another folder with --out"
        ) from error
    return workspace


def _tell(workspace: Workspace, facts: Mapping[str, Any]) -> None:
    """Write the facts of a run; of one that is continued, what an earlier version did not tell.

    Raises:
        ConfigError: it is a new run, and they cannot be written.
    """
    known = read_run(workspace.folder) if workspace.is_continued else {}
    told = known | json.loads(json.dumps(facts, default=str))
    if told == known:
        return
    try:
        workspace.write(RUN, json.dumps(told, indent=2) + "\n")
    except ConfigError:
        if not workspace.is_continued:  # else what is there will do: a full disk stops no bot
            raise


def read_run(folder: Path) -> dict[str, Any]:
    """Return the facts of the run in a folder.

    Raises:
        ConfigError: there is no run in it.
    """
    try:
        loaded = json.loads((folder / RUN).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{folder}: there is no run in this folder ({RUN} is missing)") from error
    except ValueError as error:
        raise ConfigError(f"{folder / RUN}: not readable ({error})") from error
    if not isinstance(loaded, dict):
        raise ConfigError(f"{folder / RUN}: not readable (it holds no object)")
    return loaded


def _make_ready(folder: Path, fingerprint: str, *, resumable: bool) -> bool:
    """Clear what is finished or torn; return whether an unfinished run is to be continued."""
    has_run, is_finished = (folder / RUN).exists(), (folder / SUMMARY).exists()
    content = {path.name for path in folder.iterdir() if not path.name.endswith(".draft")}
    if is_finished or not content - _STAYS:
        _clear(folder)
        return False
    if not has_run and JOURNAL in content:
        raise ConfigError(
            f"{folder}: holds a {JOURNAL} without its {RUN}; positions may stand, and halts be in "
            f"force: put {RUN} back from a copy, or choose another folder with --out"
        )
    if not has_run:
        raise ConfigError(f"{folder}: holds part of a run without its {RUN}; remove the folder")
    if read_run(folder).get("fingerprint") != fingerprint:
        removal = "" if JOURNAL in content else " remove the folder,"  # positions may stand
        raise ConfigError(
            f"{folder}: holds an unfinished run with other settings; finish it with those,"
            f"{removal} or choose another with --out"
        )
    if not resumable:
        _clear(folder)
    return resumable


def _clear(folder: Path) -> None:
    """Remove a run, but not a halt of whoever runs here.

    The summary goes last: while it stands, a torn removal is taken up again.
    """
    (folder / SUMMARY).touch()
    drafts = [path.name for path in folder.glob(".*.draft")]
    for name in (RUN, *drafts, *sorted(_OURS - {RUN, SUMMARY} - _STAYS), SUMMARY):
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
