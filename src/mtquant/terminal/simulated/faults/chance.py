"""Chance that does not shift: each draw depends on seed, fault and counter alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zlib import crc32

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CHUNK: Final = 512


class Chance:
    """Draw numbers by name and counter: a fault more or less changes no other's draws."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._drawn: dict[str, tuple[int, NDArray[np.float64]]] = {}

    def draw(self, name: str, counter: int) -> float:
        """Return the number, 0 (included) to 1, of a name at a count."""
        chunk, row = divmod(counter, _CHUNK)
        found = self._drawn.get(name)
        if found is None or found[0] != chunk:
            key = [self._seed, 3, crc32(name.encode()), chunk]
            numbers = np.random.Generator(np.random.PCG64(key)).random(_CHUNK)
            found = self._drawn[name] = (chunk, numbers)
        return float(found[1][row])

    def pick(self, name: str, counter: int, count: int) -> int:
        """Return one of `count` numbers from 0 on, each equally likely."""
        return int(self.draw(name, counter) * count)
