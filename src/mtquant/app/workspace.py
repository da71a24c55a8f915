"""The folder a run writes to: ours or refused, continued or replaced, never half."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mtquant.model import ConfigError

RUN, SUMMARY, REPORT = "run.json", "summary.json", "report.html"
JOURNAL, EVENTS, LOG, TERMINAL = "journal.sqlite", "events.jsonl", "log.jsonl", "terminal"
SERVER_LOG = "server.jsonl"
_OURS: Final = frozenset(
    {
        RUN,
        SUMMARY,
        REPORT,
        JOURNAL,
        f"{JOURNAL}-wal",
        f"{JOURNAL}-shm",
        f"{JOURNAL}.lock",
        EVENTS,
        LOG,
        TERMINAL,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """Hold a prepared folder and whether an unfinished run is continued in it."""

    folder: Path
    is_continued: bool

    def path(self, name: str) -> Path:
        """Return the path of one of the run's files."""
        return self.folder / name

    def write(self, name: str, text: str) -> Path:
        """Write a file in one piece: a reader sees the old one or the new one."""
        target = self.folder / name
        draft = target.with_name(f".{name}.draft")
        draft.write_text(text, encoding="utf-8", newline="\n")
        draft.replace(target)
        return target


def prepare(folder: Path, fingerprint: str, facts: dict[str, Any]) -> Workspace:
    """Make the folder ready for a run with this fingerprint.

    An unfinished run with the same fingerprint is continued, a finished one is replaced; anything
    else in the folder is left alone and refused.

    Raises:
        ConfigError: the folder is not ours, holds another unfinished run, or cannot be written.
    """
    try:
        return _prepared(folder, fingerprint, facts)
    except OSError as error:
        raise ConfigError(
            f"{folder}: cannot be written ({error.strerror}); choose another folder with --out"
        ) from error


def read_run(folder: Path) -> dict[str, Any]:
    """Return the facts of the run in a folder.

    Raises:
        ConfigError: there is no run in it.
    """
    try:
        loaded: dict[str, Any] = json.loads((folder / RUN).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{folder}: there is no run in this folder ({RUN} is missing)") from error
    except ValueError as error:
        raise ConfigError(f"{folder / RUN}: not readable ({error})") from error
    return loaded


def _prepared(folder: Path, fingerprint: str, facts: dict[str, Any]) -> Workspace:
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder}: this is a file; --out needs a folder")
    folder.mkdir(parents=True, exist_ok=True)
    strangers = sorted(
        path.name
        for path in folder.iterdir()
        if path.name not in _OURS and not path.name.endswith(".draft")
    )
    if strangers:
        raise ConfigError(
            f"{folder}: holds files that are not of a run ({', '.join(strangers[:3])}); "
            "use an empty folder with --out"
        )
    has_run, is_finished = (folder / RUN).exists(), (folder / SUMMARY).exists()
    if not has_run and any(folder.iterdir()):
        raise ConfigError(f"{folder}: holds part of a run without its {RUN}; remove the folder")
    continued = has_run and not is_finished
    if continued and read_run(folder).get("fingerprint") != fingerprint:
        raise ConfigError(
            f"{folder}: holds an unfinished run with other settings; finish it with those, remove "
            "the folder, or choose another with --out"
        )
    if is_finished:
        _clear(folder)
    workspace = Workspace(folder=folder, is_continued=continued)
    if not continued:
        text = json.dumps({"fingerprint": fingerprint, **facts}, indent=2, default=str)
        workspace.write(RUN, text + "\n")
    return workspace


def _clear(folder: Path) -> None:
    """Remove a finished run; run.json goes last, so that a torn removal is noticed."""
    for name in sorted(_OURS - {RUN, f"{JOURNAL}.lock"}):
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    (folder / RUN).unlink(missing_ok=True)
