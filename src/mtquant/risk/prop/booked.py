"""What deals have booked since the last look at an account, and the balances that they tell of."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass
from itertools import accumulate
from operator import itemgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_time_ms = itemgetter(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayClose:
    """Hold the values with which a day ended, minor units, money paid in or out since left out.

    `highest_minor` is the highest balance at any reset that has passed since the last look.
    """

    balance_minor: int
    equity_minor: int
    highest_minor: int


class BookedDeals:
    """Hold what deals have added to the balance since the last look (UTC ms, minor units)."""

    __slots__ = ("_rows",)

    def __init__(self) -> None:
        self._rows: list[tuple[int, int]] = []

    def __bool__(self) -> bool:
        """Tell whether there are any."""
        return bool(self._rows)

    def note(self, time_ms: int, net_minor: int) -> None:
        """Take in what a deal has added."""
        insort(self._rows, (time_ms, net_minor), key=_time_ms)  # those of one time as told

    def clear(self) -> None:
        """Forget all: a look has seen it."""
        self._rows.clear()

    def total_minor(self) -> int:
        """Return what all of them have added."""
        return sum(net_minor for _, net_minor in self._rows)

    def since_minor(self, begin_ms: int) -> int:
        """Return what those from an instant on have added."""
        return sum(net_minor for time_ms, net_minor in self._rows if time_ms >= begin_ms)

    def highest_minor(self, before_minor: int) -> int:
        """Return the highest balance on the way from the one before them."""
        steps = (net_minor for _, net_minor in self._rows)
        return max(accumulate(steps, initial=before_minor))

    def closes(
        self, before_minor: int, last_day_ms: int, day_start_ms: Callable[[int], int]
    ) -> list[int]:
        """Return the balance at each reset after a day's that a deal lies behind.

        Args:
            before_minor: the balance before the first deal.
            last_day_ms: the reset that began the day of that balance.
            day_start_ms: returns the last reset at or before an instant.
        """
        found: list[int] = []
        running_minor, day_ms = before_minor, last_day_ms
        for time_ms, net_minor in self._rows:
            start_ms = day_start_ms(time_ms)
            if start_ms > day_ms:
                found.append(running_minor)
                day_ms = start_ms
            running_minor += net_minor
        return found

    def rows(self) -> list[tuple[int, int]]:
        """Return their times and amounts, in the order of time."""
        return list(self._rows)

    def state(self) -> list[int]:
        """Return what `restore` needs: times and amounts in turn."""
        return [number for row in self._rows for number in row]

    def restore(self, state: list[int]) -> None:
        """Take over what `state` returned."""
        self._rows = list(zip(state[::2], state[1::2], strict=True))
