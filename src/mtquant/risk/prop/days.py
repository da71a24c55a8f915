"""What each of the firm's days brought: which were traded, and their closed profits."""

from __future__ import annotations

from bisect import bisect_left
from fractions import Fraction


class DayBook:
    """Count an account's days, each named by its reset (UTC milliseconds); money in minor units."""

    __slots__ = ("_is_traded", "_net_minor", "_starts_ms")

    def __init__(self) -> None:
        self._starts_ms: list[int] = []
        self._net_minor: list[int] = []
        self._is_traded: list[int] = []

    def note_opened(self, day_ms: int) -> None:
        """Remember that a position was opened on a day."""
        self._is_traded[self._row(day_ms)] = 1

    def note_closed(self, day_ms: int, net_minor: int) -> None:
        """Add the net result of a closed trade to a day."""
        self._net_minor[self._row(day_ms)] += net_minor

    @property
    def days_traded(self) -> int:
        """Return on how many days a position was opened."""
        return sum(self._is_traded)

    @property
    def total_minor(self) -> int:
        """Return the closed profit of all days, minor units."""
        return sum(self._net_minor)

    @property
    def best_minor(self) -> int:
        """Return the closed profit of the best day, 0 if no day has one."""
        return max(0, *self._net_minor, 0)

    def best_share(self) -> Fraction | None:
        """Return the best day's part of the whole profit, None without a profit."""
        return Fraction(self.best_minor, self.total_minor) if self.total_minor > 0 else None

    def days_with(self, threshold_minor: int) -> int:
        """Return how many days closed at least a profit (minor units)."""
        return sum(net_minor >= threshold_minor for net_minor in self._net_minor)

    def state(self) -> dict[str, list[int]]:
        """Return what `restore` needs."""
        return {
            "days_ms": list(self._starts_ms),
            "days_net_minor": list(self._net_minor),
            "days_traded": list(self._is_traded),
        }

    def restore(self, starts_ms: list[int], net_minor: list[int], is_traded: list[int]) -> None:
        """Take over what `state` returned, in that order."""
        self._starts_ms = list(starts_ms)
        self._net_minor = list(net_minor)
        self._is_traded = list(is_traded)

    def _row(self, day_ms: int) -> int:
        row = bisect_left(self._starts_ms, day_ms)
        if row == len(self._starts_ms) or self._starts_ms[row] != day_ms:
            self._starts_ms.insert(row, day_ms)
            self._net_minor.insert(row, 0)
            self._is_traded.insert(row, 0)
        return row
