"""How the results of trades are spread, as a chart of columns."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from mtquant.research.axes import value_step, value_ticks
from mtquant.research.words import number_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_BINS = 24  # about


def counted(nets: Sequence[float]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the edges of round, equal ranges and how many values lie in each.

    Zero is always an edge; a range holds its lower edge. There is at least one value.
    """
    low, high = min(0.0, *nets), max(0.0, *nets)
    step = value_step(low, high, _BINS) if high > low else 1.0
    first, last = math.floor(low / step + 1e-9), math.floor(high / step + 1e-9) + 1
    bins = np.floor(np.asarray(nets) / step + 1e-9).astype(np.int64) - first
    edges: NDArray[np.float64] = np.arange(first, last + 1, dtype=np.float64) * step
    counts: NDArray[np.int64] = np.bincount(bins, minlength=last - first).astype(np.int64)
    return edges, counts


def histogram_html(nets: Sequence[float], currency: str) -> str:
    """Return net results of trades (account currency) as a chart; a sentence without trades."""
    if not nets:
        return '<p class="empty">No trades were closed.</p>'
    edges, counts = counted(nets)
    most = 1.06 * int(counts.max())
    label = (
        f"Net results of {len(nets)} trades, from {number_text(min(nets))} "
        f"to {number_text(max(nets))} {currency}"
    )
    columns = "".join(
        _column(number, edges, int(count), most, currency)
        for number, count in enumerate(counts)
        if count
    )
    return (
        f'<div class="plot columns"><svg role="img" aria-label="{escape(label)}">'
        f"{_axes(edges, most)}{columns}"
        '<line class="floor" x1="0" x2="100%" y1="100%" y2="100%"/></svg></div>'
    )


def _axes(edges: NDArray[np.float64], most: float) -> str:
    left, right = float(edges[0]), float(edges[-1])
    parts = []
    for tick in value_ticks(0.0, most, lambda value, _decimals: f"{value:.0f}"):
        if tick.at == round(tick.at):  # there is no half a trade
            y = f"{100 - 100 * tick.at / most:.2f}%"
            parts.append(
                f'<line class="grid" x1="0" x2="100%" y1="{y}" y2="{y}"/>'
                f'<text class="ylabel" x="100%" dx="8" dy=".33em" y="{y}">{tick.label}</text>'
            )
    for tick in value_ticks(left, right, _signed):
        x = f"{100 * (tick.at - left) / (right - left):.2f}%"
        parts.append(f'<text class="xlabel" x="{x}" y="100%" dy="18">{tick.label}</text>')
    return "".join(parts)


def _column(number: int, edges: NDArray[np.float64], count: int, most: float, currency: str) -> str:
    start, end = float(edges[number]), float(edges[number + 1])
    width = 100 / (len(edges) - 1)
    height = 100 * count / most
    words = f"{count} from {number_text(start)} to {number_text(end)} {currency}"
    return (
        f'<rect class="{"gain" if start >= 0 else "fall"}" x="{(number + 0.06) * width:.2f}%" '
        f'y="{100 - height:.2f}%" width="{0.88 * width:.2f}%" height="{height:.2f}%">'
        f"<title>{escape(words)}</title></rect>"
    )


def _signed(value: float, decimals: int) -> str:
    return number_text(value, decimals, signed=True)
