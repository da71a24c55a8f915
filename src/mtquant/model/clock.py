"""Where time comes from: a clock is handed in, nobody below `app` reads one by himself."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Tell the time in UTC milliseconds since 1970."""

    def now_ms(self) -> int:
        """Return the current time, UTC milliseconds."""
        ...


class SystemClock:
    """Read the computer's clock: the one place that does."""

    def now_ms(self) -> int:
        """Return the current time, UTC milliseconds."""
        return time.time_ns() // 1_000_000


class ManualClock:
    """Stand still until somebody moves it: simulated time and tests.

    >>> clock = ManualClock(1_000)
    >>> clock.set_ms(5_000)
    >>> clock.now_ms()
    5000
    """

    def __init__(self, now_ms: int = 0) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        """Return the time last set, UTC milliseconds."""
        return self._now_ms

    def set_ms(self, now_ms: int) -> None:
        """Move to `now_ms`, never backwards.

        Raises:
            ValueError: `now_ms` lies before the present.
        """
        if now_ms < self._now_ms:
            raise ValueError(f"time cannot run backwards: {self._now_ms} -> {now_ms}")
        self._now_ms = now_ms
