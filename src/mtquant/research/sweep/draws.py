"""Random combinations: uniform over the axes, without repetition, the same for the same seed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mtquant.model import ConfigError
from mtquant.research.sweep.ranges import Axis, Span, Steps
from mtquant.research.sweep.space import Table, column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_TOO_MANY: Final = 100_000_000  # draws in one go


def drawn(axes: Sequence[Axis], count: int, seed: int) -> Table:
    """Return `count` different combinations, each value uniform over its axis.

    Raises:
        ConfigError: nothing is to be varied or drawn, or there are fewer combinations.
    """
    if not axes:
        raise ConfigError("random draws need ranges, such as --grid fast=5:50 --random 100")
    if not 1 <= count <= _TOO_MANY:
        raise ConfigError(f"draws must be 1 to {_TOO_MANY:,}, was {count:,}")
    if seed < 0:
        raise ConfigError(f"the seed of the draws must not be negative, was {seed}")
    sizes = [len(axis.values) for axis in axes if isinstance(axis, Steps)]
    total = math.prod(sizes) if len(sizes) == len(axes) else None
    if total is not None and count > total:
        raise ConfigError(
            f"{count:,} different draws were asked for, the ranges hold {total:,} combinations; "
            "draw fewer, or leave --random out for all of them"
        )
    generator = np.random.Generator(np.random.PCG64([seed, 3]))
    is_most = total is not None and total <= 2 * count
    places = _shuffled(sizes, count, generator) if is_most else _rejected(axes, count, generator)
    table = {
        axis.name: column(axis.values)[place] if isinstance(axis, Steps) else place
        for axis, place in zip(axes, places, strict=True)
    }
    return Table(table=table, origin={"kind": "random", "draws": count, "seed": seed})


def _shuffled(
    sizes: Sequence[int], count: int, generator: np.random.Generator
) -> list[NDArray[Any]]:
    """Draw from all combinations: where most are taken, trying for new ones would take long."""
    rest = generator.permutation(math.prod(sizes))[:count]
    places: list[NDArray[Any]] = []
    for size in reversed(sizes):
        rest, place = np.divmod(rest, size)
        places.append(place)
    return places[::-1]


def _rejected(
    axes: Sequence[Axis], count: int, generator: np.random.Generator
) -> list[NDArray[Any]]:
    """Draw each axis by itself until there are enough different combinations."""
    kept: list[NDArray[Any]] = []
    while True:
        have = len(kept[0]) if kept else 0
        if have == count:
            return kept
        more = [_draw(axis, count - have, generator) for axis in axes]
        joined = [np.concatenate(pair) for pair in zip(kept, more, strict=True)] if kept else more
        kept = [one[_first_of_each(joined)] for one in joined]


def _draw(axis: Axis, count: int, generator: np.random.Generator) -> NDArray[Any]:
    if isinstance(axis, Span):
        return generator.uniform(axis.low, axis.high, count)
    return generator.integers(0, len(axis.values), count)


def _first_of_each(columns: Sequence[NDArray[Any]]) -> NDArray[np.int64]:
    """Return the rows that repeat no earlier row, in their order."""
    record = np.rec.fromarrays(columns)
    _, first = np.unique(record, return_index=True)
    return np.sort(first)
