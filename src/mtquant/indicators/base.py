"""What an indicator is: a definition that computes whole columns, or one bar at a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PIECE = 32_768  # rows

Floats = NDArray[np.float64]
Points = NDArray[np.int32] | NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class PriceColumns:
    """Hold the prices an indicator reads: integer columns of equal length, in points."""

    open: Points
    high: Points
    low: Points
    close: Points

    def __len__(self) -> int:
        return len(self.close)

    @cached_property
    def close_total(self) -> NDArray[np.int64]:
        """Return the running sum of the closes, int64[n]; all averages of them share it."""
        total = np.empty(len(self), dtype=np.int64)
        before = np.int64(0)
        for rows in pieces(len(self)):
            # widened first: a sum that widens as it adds takes several times as long
            np.cumsum(self.close[rows].astype(np.int64), out=total[rows])
            total[rows] += before
            before = total[rows.stop - 1]
        return total


def pieces(count: int) -> Iterator[slice]:
    """Yield the rows of a column in pieces that stay in the processor's cache."""
    for start in range(0, count, _PIECE):
        yield slice(start, min(count, start + _PIECE))


class Stream(Protocol):
    """Compute an indicator bar by bar; gives the same bits as `Indicator.calculate`."""

    def update(self, high: int, low: int, close: int) -> float:
        """Take one closed bar (points) and return the value, NaN while warming up."""
        ...

    def reset(self) -> None:
        """Forget every bar."""
        ...

    def state(self) -> Mapping[str, object]:
        """Return what is remembered, for people."""
        ...


class Indicator(Protocol):
    """Define an indicator: immutable, hashable, safe to share between threads."""

    @property
    def name(self) -> str:
        """Return name and parameters, such as `SMA(20)`."""
        ...

    @property
    def first(self) -> int:
        """Return the index of the first bar that has a value."""
        ...

    def calculate(self, prices: PriceColumns) -> Floats:
        """Return float64[n] in points, NaN before `first`."""
        ...

    def stream(self) -> Stream:
        """Return a new stream that has seen no bar."""
        ...


def require_period(period: int) -> None:
    """Refuse a window that holds no bar.

    Raises:
        ValueError: `period` is below 1.
    """
    if period < 1:
        raise ValueError(f"period must be at least 1, was {period}")
