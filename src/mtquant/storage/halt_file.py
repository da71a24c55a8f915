"""The file HALT beside a journal: a halt for which nothing but an editor or `touch` is needed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from mtquant.model import HaltOrder

if TYPE_CHECKING:
    from pathlib import Path

HALT_FILE: Final = "HALT"
_LEVEL: Final = re.compile(r"\s*([1-4])(?!\S)\s*")
_READ: Final = 500


def read_halt_file(folder: Path) -> HaltOrder | None:
    """Return the halt that the file HALT in a folder asks for, None where there is none.

    It may begin with a level from 1 to 4, and the rest is the reason. Whatever else it holds,
    nothing or what cannot be read, it asks for level 1: who reaches for it means it.
    """
    path = folder / HALT_FILE
    try:
        if not path.exists():
            return None
        with path.open(encoding="utf-8", errors="replace") as file:
            text = file.read(_READ)
        time_ms = int(path.stat().st_mtime * 1000)
    except OSError:
        text, time_ms = "", 0
    found = _LEVEL.match(text)
    level = int(found[1]) if found else 1
    reason = " ".join(text[found.end() if found else 0 :].split())
    return HaltOrder(
        time_ms=time_ms,
        level=level,
        who="the file HALT",
        reason=reason or "it is there",
    )
