"""A heat map's cells: two parameters, and the best value of a figure over everything else."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from mtquant.model import ConfigError
from mtquant.model.reading import nearest
from mtquant.research.sweep.figures import Figure, find_figure
from mtquant.research.sweep.trials import TrialState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mtquant.research.sweep.results import SweepResults

_MOST_CELLS: Final = 40  # along an axis; more values than that share cells
_BINS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatAxis:
    """Hold the cells along an axis: their labels, and in which one each trial lies, int64[n].

    Where a cell is a stretch of values, `starts` says where each begins.
    """

    name: str
    labels: tuple[str, ...]
    places: NDArray[np.int64]
    starts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatMap:
    """Hold the cells of two axes; each column is indexed by row of cells x width + column.

    `best` is the trial's row with the best figure of a cell, -1 without; `tried` counts trials and
    `ran` those that were not refused. `others` says what else varied, with its number of values.
    """

    figure: Figure
    across: HeatAxis
    up: HeatAxis
    best: NDArray[np.int64]
    values: NDArray[np.float64]
    tried: NDArray[np.int64]
    ran: NDArray[np.int64]
    others: tuple[tuple[str, int], ...]


def varying_names(results: SweepResults) -> tuple[str, ...]:
    """Return the parameters that take more than one value, in their order."""
    return tuple(name for name, one in results.parameters.items() if len(_distinct(one)) > 1)


def heat_map(
    results: SweepResults, by: str, *, names: Sequence[str] = (), min_trades: int = 0
) -> HeatMap | None:
    """Return the map of a figure over two parameters, the first two that vary unless named.

    None when no parameter varies.

    Raises:
        ConfigError: a parameter or the figure does not exist, or two are not named.
    """
    figure = find_figure(by)
    require_map(names, results.names)
    vary = varying_names(results)
    chosen = tuple(names) or vary[:2]
    if not chosen:
        return None
    across = _axis(chosen[0], results.parameters[chosen[0]])
    up = HeatAxis(name="", labels=("",), places=np.zeros(len(results), dtype=np.int64))
    if len(chosen) == 2:
        up = _axis(chosen[1], results.parameters[chosen[1]])
    others = [(n, len(_distinct(results.parameters[n]))) for n in vary if n not in chosen]
    if len(results.windows) > 1:
        others.append(("window", len(results.windows)))
    count = len(across.labels) * len(up.labels)
    cells = up.places * len(across.labels) + across.places
    best = np.full(count, -1, dtype=np.int64)
    ranked = results.ranked(by, min_trades)
    filled, first = np.unique(cells[ranked], return_index=True)
    best[filled] = ranked[first]
    values = np.full(count, np.nan)
    values[filled] = results.figures[by][best[filled]]
    return HeatMap(
        figure=figure,
        across=across,
        up=up,
        best=best,
        values=values,
        tried=np.bincount(cells, minlength=count),
        ran=np.bincount(cells[results.is_state(TrialState.OK)], minlength=count),
        others=tuple(others),
    )


def require_map(names: Sequence[str], known: Sequence[str]) -> None:
    """Refuse names that are not two different parameters of a sweep, or none.

    Raises:
        ConfigError: the message says what there is.
    """
    for name in names:
        if name not in known:
            raise ConfigError(f"map: {name} is not in this sweep; {nearest(name, list(known))}")
    if names and (len(names) != 2 or names[0] == names[1]):
        raise ConfigError(f"map: two different parameters are needed, got {', '.join(names)}")


def value_text(value: object) -> str:
    """Return a parameter's value for people.

    >>> value_text(20), value_text(0.1 + 0.2), value_text(None), value_text(True)
    ('20', '0.3', 'none', 'yes')
    """
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _axis(name: str, values: NDArray[Any]) -> HeatAxis:
    distinct = _distinct(values)
    if len(distinct) > _MOST_CELLS and values.dtype != object:
        return _binned(name, values.astype(np.float64))
    number = {value: place for place, value in enumerate(distinct)}
    places = np.array([number[value] for value in values.tolist()], dtype=np.int64)
    return HeatAxis(name=name, labels=tuple(map(value_text, distinct)), places=places)


def _binned(name: str, values: NDArray[np.float64]) -> HeatAxis:
    low, high = float(values.min()), float(values.max())
    edges = np.linspace(low, high, _BINS + 1)
    places = np.clip(((values - low) / (high - low) * _BINS).astype(np.int64), 0, _BINS - 1)
    texts = [f"{edge:.4g}" for edge in edges.tolist()]
    labels = tuple(f"{start} to {stop}" for start, stop in pairwise(texts))
    return HeatAxis(name=name, labels=labels, places=places, starts=tuple(texts[:-1]))


def _distinct(values: NDArray[Any]) -> list[Any]:
    """Return the different values, rising; none and words in an order that is always the same."""
    if values.dtype != object:
        found: list[Any] = np.unique(values).tolist()
        return found
    return sorted(set(values.tolist()), key=_order)


def _order(value: object) -> tuple[int, float, str]:
    if value is None:
        return 0, 0.0, ""
    if isinstance(value, bool | int | float):
        return 1, float(value), ""
    return 2, 0.0, str(value)
