"""Where a number stands in a rising column."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mtquant.engine.kernels.layout import Cells


def count_up_to(column: Cells, value: int) -> int:
    """Return how many numbers of a rising column are not above a value."""
    low, high = 0, len(column)
    while low < high:
        middle = (low + high) // 2
        if column[middle] <= value:
            low = middle + 1
        else:
            high = middle
    return low


def is_open(edges: Cells, time_ms: int) -> bool:
    """Tell whether trading is open at a time (UTC ms); see `layout.Calendar`."""
    return count_up_to(edges, time_ms) % 2 == 1
