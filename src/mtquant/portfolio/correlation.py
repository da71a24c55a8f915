"""How much two symbols move together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST: Final = 30
"""Returns that two symbols must have in common to be compared."""
Closes = tuple["NDArray[np.int64]", "NDArray[Any]"]
"""Open times (UTC ms, rising) and closes (points) of the newest closed bars."""


def correlation(one: Closes, other: Closes, bars: int) -> float | None:
    """Return Pearson's correlation of the log returns of bars that both symbols have.

    Only the newest `bars` common times count; None for fewer than 30 returns, or where one of the
    symbols has not moved.
    """
    _, rows, others = np.intersect1d(one[0], other[0], assume_unique=True, return_indices=True)
    first = np.diff(np.log(one[1][rows[-bars - 1 :]].astype(float)))
    second = np.diff(np.log(other[1][others[-bars - 1 :]].astype(float)))
    if len(first) < LEAST or not (first.std() > 0 and second.std() > 0):
        return None
    return float(np.clip(np.corrcoef(first, second)[0, 1], -1.0, 1.0))
