"""Bar lengths."""

from __future__ import annotations

from enum import Enum

MINUTE_MS = 60_000
_SHORTEST_MONTH = 28 * 1440  # minutes


class Timeframe(Enum):
    """Name a bar length; the value is its length in minutes (a month: nominal)."""

    M1 = 1
    M2 = 2
    M3 = 3
    M4 = 4
    M5 = 5
    M6 = 6
    M10 = 10
    M12 = 12
    M15 = 15
    M20 = 20
    M30 = 30
    H1 = 60
    H2 = 120
    H3 = 180
    H4 = 240
    H6 = 360
    H8 = 480
    H12 = 720
    D1 = 1440
    W1 = 10080
    MN1 = 43200

    @property
    def duration_ms(self) -> int:
        """Return the length of one bar in milliseconds.

        Raises:
            ValueError: a month has no fixed length.
        """
        if self is Timeframe.MN1:
            raise ValueError("MN1 has no fixed length in milliseconds; use W1 or shorter")
        return int(self.value) * MINUTE_MS

    @property
    def shortest_ms(self) -> int:
        """Return the least time between the openings of two bars, in milliseconds.

        Bars longer than an hour are cut by a server's clock: one of them is an hour shorter where
        daylight saving begins.

        >>> Timeframe.D1.shortest_ms // 3_600_000
        23
        """
        minutes = _SHORTEST_MONTH if self is Timeframe.MN1 else int(self.value)
        return (minutes - 60 if minutes > 60 else minutes) * MINUTE_MS
