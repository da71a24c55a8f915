"""Columns as compiled code takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def frozen(column: NDArray[Any]) -> NDArray[Any]:
    """Return a plain, contiguous, read-only view of a column: one type for the compiler."""
    plain = np.ascontiguousarray(column).view(np.ndarray)
    plain.flags.writeable = False
    return plain
