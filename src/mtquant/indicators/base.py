"""What an indicator is: a definition that computes whole columns, or one bar at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Mapping

Floats = NDArray[np.float64]
Points = NDArray[np.int32] | NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceColumns:
    """Hold the prices an indicator reads: integer columns of equal length, in points."""

    open: Points
    high: Points
    low: Points
    close: Points

    def __len__(self) -> int:
        return len(self.close)


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
