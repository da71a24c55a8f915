"""A chart's plot: where rows and values stand, its axes and its lines.

Positions are percentages, so that text and markers keep their size at any width; only the lines
live in a nested drawing that is stretched.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

import numpy as np

from mtquant.research.axes import Tick, time_ticks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mtquant.model import IntColumn

COLUMNS: Final = 740  # two points each: the lowest and the highest value
_STRETCH: Final = 1000


def thinned_rows(values: NDArray[np.generic], columns: int = COLUMNS) -> NDArray[np.int64]:
    """Return the rows to draw, rising: the ends, and the extremes of each of `columns` stretches.

    At most 2 x `columns` + 2 rows, so that a line of any length keeps its spikes.
    """
    n = len(values)
    if n <= 2 * columns:
        return np.arange(n, dtype=np.int64)
    edges = np.linspace(0, n, columns + 1).astype(np.int64)
    rows = {0, n - 1}
    for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        part = values[start:stop]
        rows.update((start + int(part.argmin()), start + int(part.argmax())))
    return np.array(sorted(rows), dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Map rows and values of one chart to percentages of its plot."""

    rows: int
    low: float
    high: float
    is_down: bool = False

    @classmethod
    def around(cls, rows: int, low: float, high: float) -> Frame:
        """Return a frame with a little air above and below."""
        air = 0.06 * (high - low) or abs(high) * 0.01 or 1.0
        return cls(rows=rows, low=low - air, high=high + air)

    def x(self, row: float) -> float:
        """Return how far right a row stands, 0 to 100."""
        return 100 * row / max(1, self.rows - 1)

    def y(self, value: float) -> float:
        """Return how far down a value stands, 0 to 100."""
        up = 100 * (self.high - value) / (self.high - self.low)
        return 100 - up if self.is_down else up

    def path(self, rows: IntColumn, values: NDArray[np.generic]) -> str:
        """Return the drawing commands of a line in the stretched drawing."""
        scale = _STRETCH / 100
        points = (
            f"{self.x(row) * scale:.1f} {self.y(value) * scale:.0f}"
            for row, value in zip(rows.tolist(), values[rows].tolist(), strict=True)
        )
        return "M" + "L".join(points)


def axes_svg(frame: Frame, ticks: Sequence[Tick], time_ms: IntColumn) -> str:
    """Return grid lines and labels of both axes."""
    parts = []
    for tick in ticks:
        y = f"{frame.y(tick.at):.2f}%"
        parts.append(
            f'<line class="grid" x1="0" x2="100%" y1="{y}" y2="{y}"/>'
            f'<text class="ylabel" x="100%" dx="8" dy=".33em" y="{y}">{escape(tick.label)}</text>'
        )
    for number, tick in enumerate(time_ticks(time_ms)):
        x = frame.x(tick.at)
        css = "xlabel" + (" second" if number % 2 else "") + (" first" if x < 3 else "")
        parts.append(
            f'<line class="grid upright" x1="{x:.2f}%" x2="{x:.2f}%" y1="0" y2="100%"/>'
            f'<text class="{css}" x="{x:.2f}%" y="100%" dy="18">{escape(tick.label)}</text>'
        )
    return "".join(parts)


def stretched_svg(inside: str) -> str:
    """Return a drawing that fills the plot, whatever its shape."""
    return (
        f'<svg class="lines" viewBox="0 0 {_STRETCH} {_STRETCH}" preserveAspectRatio="none" '
        f'width="100%" height="100%">{inside}</svg>'
    )


def line_path(css: str, frame: Frame, values: NDArray[np.generic]) -> str:
    """Return a line through values, one per row; `css` names its look."""
    return f'<path class="line {css}" d="{frame.path(thinned_rows(values), values)}"/>'


def area_path(css: str, frame: Frame, values: NDArray[np.generic], base: float) -> str:
    """Return the area between a line and a base value."""
    bottom = frame.y(base) * _STRETCH / 100
    line = frame.path(thinned_rows(values), values)
    return f'<path class="area {css}" d="{line}L{_STRETCH} {bottom:.0f}L0 {bottom:.0f}Z"/>'
