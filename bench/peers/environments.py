"""Throw-away virtual environments, one for each peer: their dependencies contradict each other.

An environment that was finished for the same requirements and the same Python is used again.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

STAMP: Final = "peer-stamp.json"
# Byte-code is written once at installation; our own packages are not to be found in there.
UNWANTED: Final = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")


class NotInstalledError(Exception):
    """A peer cannot be installed on this machine; the text is the installer's last word."""


def clean_environment() -> dict[str, str]:
    """Return the variables under which environments are made and used."""
    return {name: value for name, value in os.environ.items() if name not in UNWANTED}


def ensure_environment(folder: Path, name: str, requirements: Sequence[str]) -> Path:
    """Return the Python of the environment of a peer, made if it is not there.

    Raises:
        NotInstalledError: it cannot be made here.
    """
    place = folder / name
    python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = {"python": sys.version, "requirements": list(requirements)}
    if python.exists() and _read_stamp(place) == stamp:
        return python
    shutil.rmtree(place, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for command in ([sys.executable, "-m", "venv", str(place)], [*pip, *requirements]):
        done = subprocess.run(
            command, env=clean_environment(), capture_output=True, encoding="utf-8", check=False
        )
        if done.returncode:
            raise NotInstalledError(last_line(done.stderr or done.stdout))
    (place / STAMP).write_text(json.dumps(stamp), encoding="utf-8")
    return python


def last_line(text: str) -> str:
    """Return the last line of a program's output that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"


def _read_stamp(place: Path) -> object:
    try:
        return json.loads((place / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
