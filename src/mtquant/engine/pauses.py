"""Pauses between tries at something that keeps failing."""

from __future__ import annotations

from typing import Final

FIRST_MS: Final = 1_000
LAST_MS: Final = 60_000


class Pauses:
    """Say when to try again: at once, then after pauses that double, from a second to a minute.

    The broker is asked as often as it takes, and never floods: what it refuses now it may take
    later, and each try is an order.
    """

    def __init__(self) -> None:
        self._pause_ms = FIRST_MS
        self._due_ms = 0

    def are_over(self, now_ms: int) -> bool:
        """Tell whether the next try is due."""
        return now_ms >= self._due_ms

    def note_try(self, now_ms: int) -> None:
        """Remember that something was tried."""
        self._due_ms = now_ms + self._pause_ms
        self._pause_ms = min(2 * self._pause_ms, LAST_MS)

    def wait(self, now_ms: int, for_ms: int = FIRST_MS) -> None:
        """Look again a while later; nothing was tried."""
        self._due_ms = now_ms + for_ms

    def end(self) -> None:
        """Begin anew: there is nothing to be tried any more."""
        self._pause_ms, self._due_ms = FIRST_MS, 0
