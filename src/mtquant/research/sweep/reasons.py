"""Reasons in one line: for the screen, for tables, for JSON."""

from __future__ import annotations

import re
from typing import Final

_LONGEST: Final = 200
_CODES: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?)")
"""Colors and titles, as terminals read them."""


def one_line(text: str) -> str:
    r"""Return the first line that says something, without control characters, 200 at most.

    >>> one_line("\n\x1b[31mFailed\x1b[0m at\tonce\nin nopython mode")
    'Failed at once'
    """
    lines = (_plain(line) for line in _CODES.sub("", text).splitlines())
    line = next((line for line in lines if line), "")
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def _plain(line: str) -> str:
    return " ".join("".join(one if one.isprintable() else " " for one in line).split())
