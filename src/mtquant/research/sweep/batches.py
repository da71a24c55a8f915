"""Cutting the combinations that are left into batches, each of about a quarter of a second."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

import numpy as np

from mtquant.research.sweep.trials import Batch

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TARGET_S: Final = 0.25
_LARGEST: Final = 8192
_GROWTH: Final = 8


class Batches:
    """Hand out what is left; how it is cut changes nothing but the pace.

    Batches begin with one combination and grow until they take long enough that handing them out
    costs nothing, yet short enough that little is lost when the process is killed.
    """

    def __init__(self, is_done: NDArray[np.bool_], windows: int, workers: int) -> None:
        """Find what is left; `is_done` bool[combinations x windows]."""
        left = ~is_done.reshape(-1, windows).all(axis=1)
        edges = np.flatnonzero(np.diff(np.concatenate(([False], left, [False])).astype(np.int8)))
        self._stretches = deque(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
        self._workers = workers
        self._size = 1
        self.left = int(left.sum())

    def take(self) -> Batch | None:
        """Return the next batch, None when all are taken."""
        if not self._stretches:
            return None
        start, end = self._stretches.popleft()
        share = -(-self.left // (2 * self._workers))  # towards the end, so that all end together
        stop = min(end, start + max(1, min(self._size, share)))
        if stop < end:
            self._stretches.appendleft((stop, end))
        self.left -= stop - start
        return Batch(start=start, stop=stop)

    def learn(self, batch: Batch, seconds: float) -> None:
        """Set the size of the next batches by how long one took."""
        wanted = int(len(batch) * _TARGET_S / max(seconds, 1e-6))
        self._size = max(1, min(wanted, _GROWTH * self._size, _LARGEST))
