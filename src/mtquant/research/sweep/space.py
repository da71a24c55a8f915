"""Spaces: all the combinations of a sweep, by their index."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from mtquant.model import ConfigError
from mtquant.research.sweep.parameters import Parameter, Value, find_parameter
from mtquant.research.sweep.ranges import Axis, Span, Steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    Indices = NDArray[np.int64]

_MOST: Final = 2**62  # what can still be counted


class Space(Protocol):
    """Hold combinations: which parameters vary, and the values at each index from 0."""

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the parameters, in their order."""
        ...

    def __len__(self) -> int: ...

    def values(self, index: int) -> tuple[Value, ...]:
        """Return the values at an index, in the order of the names."""
        ...

    def columns(self, indices: Indices) -> dict[str, NDArray[Any]]:
        """Return the values at indices as a column per parameter."""
        ...

    def facts(self) -> dict[str, Any]:
        """Return what makes the space what it is, as JSON values."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Hold every combination of the axes' values; the last axis varies fastest."""

    axes: tuple[Steps, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the parameters, in their order."""
        return tuple(axis.name for axis in self.axes)

    def __len__(self) -> int:
        return math.prod(len(axis.values) for axis in self.axes)

    def values(self, index: int) -> tuple[Value, ...]:
        """Return the values at an index, in the order of the names."""
        found: list[Value] = []
        for axis in reversed(self.axes):
            index, place = divmod(index, len(axis.values))
            found.append(axis.values[place])
        return tuple(reversed(found))

    def columns(self, indices: Indices) -> dict[str, NDArray[Any]]:
        """Return the values at indices as a column per parameter."""
        found: dict[str, NDArray[Any]] = {}
        rest = indices
        for axis in reversed(self.axes):
            rest, places = np.divmod(rest, len(axis.values))
            found[axis.name] = column(axis.values)[places]
        return {name: found[name] for name in self.names}

    def facts(self) -> dict[str, Any]:
        """Return the axes with their values."""
        return {"kind": "grid", "axes": {axis.name: list(axis.values) for axis in self.axes}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Hold combinations one by one, a column per parameter; `origin` says where they come from."""

    table: Mapping[str, NDArray[Any]]
    origin: Mapping[str, Any]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the parameters, in their order."""
        return tuple(self.table)

    def __len__(self) -> int:
        return len(next(iter(self.table.values())))

    def values(self, index: int) -> tuple[Value, ...]:
        """Return the values at an index, in the order of the names."""
        return tuple(one[index : index + 1].tolist()[0] for one in self.table.values())

    def columns(self, indices: Indices) -> dict[str, NDArray[Any]]:
        """Return the values at indices as a column per parameter."""
        return {name: one[indices] for name, one in self.table.items()}

    def facts(self) -> dict[str, Any]:
        """Return the origin, and a hash over all values."""
        digest = sha256()
        for name, one in self.table.items():
            digest.update(repr((name, one.tolist())).encode())
        return {**self.origin, "names": list(self.names), "sha256": digest.hexdigest()}


def make_grid(axes: Sequence[Axis]) -> Grid:
    """Return the grid over axes.

    Raises:
        ConfigError: there is no axis, one has no steps, or they have too many combinations.
    """
    if not axes:
        raise ConfigError("a sweep needs parameters to vary, such as --grid fast=5:50:5")
    for axis in axes:
        if isinstance(axis, Span):
            raise ConfigError(
                f"{axis.name}: a grid needs a step, such as "
                f"{axis.name}={axis.low:g}:{axis.high:g}:{(axis.high - axis.low) / 10:g}; "
                "without one, draw at random (--random N)"
            )
    steps = tuple(axis for axis in axes if isinstance(axis, Steps))
    total = math.prod(len(axis.values) for axis in steps)
    if total > _MOST:
        raise ConfigError(
            f"the grid has {total:,} combinations, more than can be run; vary fewer values, or "
            "draw some at random (--random)"
        )
    return Grid(axes=steps)


def listed(rows: Sequence[Mapping[str, object]], known: Mapping[str, Parameter]) -> Table:
    """Return the combinations of a list, which all set the same parameters.

    Raises:
        ConfigError: the list is empty, a row sets other parameters or comes twice, a value is
            wrong; rows are counted from 1.
    """
    if not rows or not rows[0]:
        raise ConfigError("the list holds no combinations")
    parameters = [find_parameter(name, known) for name in rows[0]]
    names = {one.name for one in parameters}
    seen: dict[tuple[Value, ...], int] = {}
    for number, row in enumerate(rows, 1):
        if set(row) != names:
            raise ConfigError(
                f"row {number} of the list sets {', '.join(row) or 'nothing'}; "
                f"row 1 sets {', '.join(rows[0])}"
            )
        try:
            values = tuple(one.value(row[one.name]) for one in parameters)
        except ConfigError as error:
            raise ConfigError(f"row {number} of the list: {error}") from error
        if values in seen:
            raise ConfigError(f"row {number} of the list repeats row {seen[values]}")
        seen[values] = number
    return _table([one.name for one in parameters], list(seen), {"kind": "list"})


def _table(
    names: Sequence[str], rows: Sequence[tuple[Value, ...]], origin: Mapping[str, Any]
) -> Table:
    columns = zip(*rows, strict=True)
    table = {name: column(values) for name, values in zip(names, columns, strict=True)}
    return Table(table=table, origin=origin)


def column(values: Sequence[Value]) -> NDArray[Any]:
    """Return values as a column: numbers as numbers where all of them are, objects otherwise."""
    kinds = {type(value) for value in values}
    for kind, dtype in ((bool, np.bool_), (int, np.int64), (float, np.float64)):
        if kinds == {kind} and _fits(values, kind):
            return np.array(values, dtype=dtype)
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def _fits(values: Sequence[Any], kind: type) -> bool:
    return kind is not int or all(-(2**63) <= value < 2**63 for value in values)
