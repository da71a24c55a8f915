"""Where time comes from: a clock is handed in, nobody below `app` reads one by himself."""

from __future__ import annotations

import time
from typing import Final, Protocol

MOST_BETWEEN_MS: Final = 15_000
"""How much the time between two looks counts for as watched: a clock may leap."""


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


class OnwardClock:
    """Never go back: what another clock is set back by, this one goes on without.

    Times that are compared, such as deadlines and quiet times, need a clock that only rises. What
    the other clock leaps ahead counts as passed: a machine that slept does not tell otherwise.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._shown_ms = clock.now_ms()
        self._added_ms = 0

    @property
    def added_ms(self) -> int:
        """Return by how much it is ahead of the other clock by now."""
        return self._added_ms

    def now_ms(self) -> int:
        """Return the current time, UTC milliseconds, and what the other clock was set back by."""
        now_ms = self._clock.now_ms() + self._added_ms
        if now_ms < self._shown_ms:
            self._added_ms += self._shown_ms - now_ms
            now_ms = self._shown_ms
        self._shown_ms = now_ms
        return now_ms


class WatchedClock:
    """Go on by the time that was watched: from look to look, by 15 s at most.

    Nobody has looked between two looks, and a leap of the clock is no evidence that anything has
    stayed away. It begins with the first look, at the time of then.

    >>> watched = WatchedClock()
    >>> [watched.look(now_ms) for now_ms in (0, 5_000, 605_000, 2_000, 3_000)]
    [0, 5000, 20000, 20000, 21000]
    """

    def __init__(self) -> None:
        self.now_ms: int | None = None
        self._looked_ms = 0

    def look(self, now_ms: int) -> int:
        """Note a look at a time; return the watched one, UTC milliseconds as of the first look."""
        if self.now_ms is None:
            self.now_ms = now_ms
        else:
            self.now_ms += max(0, min(now_ms - self._looked_ms, MOST_BETWEEN_MS))
        self._looked_ms = now_ms
        return self.now_ms


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
