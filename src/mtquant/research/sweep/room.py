"""How large a sweep may be: refused before anything runs, with its numbers."""

from __future__ import annotations

from typing import Final

from mtquant.model import ConfigError
from mtquant.research.sweep.figures import FIGURES

DEFAULT_LIMIT: Final = 1_000_000
MEMORY_BYTES: Final = 1 << 30
_OTHER_BYTES: Final = 120  # state, window and reason of a trial, and its part of the sorting


def bytes_needed(rows: int, parameters: int) -> int:
    """Return about how much memory the results of so many trials take, in bytes."""
    return rows * (8 * (len(FIGURES) + parameters) + _OTHER_BYTES)


def require_room(
    combinations: int,
    windows: int,
    parameters: int,
    *,
    limit: int = DEFAULT_LIMIT,
    memory_bytes: int = MEMORY_BYTES,
) -> None:
    """Refuse a sweep that is too large to run or to hold.

    Raises:
        ConfigError: there are more trials than `limit`, or their results need more than
            `memory_bytes`; or there is nothing to run.
    """
    rows = combinations * windows
    if rows < 1:
        raise ConfigError("there is no combination to run")
    each = f" ({combinations:,} combinations x {windows} windows)" if windows > 1 else ""
    if rows > limit:
        raise ConfigError(
            f"the sweep has {rows:,} trials{each}, more than the limit of {limit:,}; vary fewer "
            "values, draw some at random (--random), or raise --limit"
        )
    needed = bytes_needed(rows, parameters)
    if needed > memory_bytes:
        raise ConfigError(
            f"the results of {rows:,} trials{each} need about {needed / 1e6:,.0f} MB of memory, "
            f"more than the {memory_bytes / 1e6:,.0f} MB they may take; vary fewer values"
        )
