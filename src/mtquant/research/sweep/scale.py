"""The colors of a heat map: blue is better, orange is worse than the center, if there is one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from mtquant.research.axes import value_step
from mtquant.research.words import span_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtquant.research.sweep.figures import Figure

_SHADES: Final = 9  # q0, deepest orange, to q8, deepest blue
_MIDDLE: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Hold the edges between shades, rising, and the shades from the lowest values up."""

    edges: tuple[float, ...]
    shades: tuple[int, ...]

    def shade(self, value: float) -> int:
        """Return the shade of a value, 0 to 8."""
        return self.shades[int(np.searchsorted(self.edges, value, side="right"))]


def scale_of(figure: Figure, values: NDArray[np.float64]) -> Scale:
    """Return the scale for values, of which there is at least one and none is NaN."""
    if figure.center is None:
        edges = _between(float(values.min()), float(values.max()))
        most = max(1, len(edges))
        shades = [_MIDDLE + round(_MIDDLE * place / most) for place in range(len(edges) + 1)]
    else:
        edges = _around(figure.center, values)
        shades = list(range(_SHADES))
    if figure.is_lower_better:
        shades.reverse()
    return Scale(edges=tuple(edges), shades=tuple(shades))


def edge_text(figure: Figure, value: float) -> str:
    """Return an edge for the legend.

    >>> from mtquant.research.sweep.figures import FIGURES
    >>> edge_text(FIGURES["max_drawdown"], 0.125), edge_text(FIGURES["net_profit"], -1500.0)
    ('12.5 %', '−1,500')
    """
    if figure.unit == "duration":
        return span_text(round(value))
    shown = 100 * value if figure.unit == "fraction" else value
    decimals = next((d for d in range(6) if math.isclose(round(shown, d), shown, abs_tol=1e-9)), 6)
    text = f"{abs(shown):,.{decimals}f}"
    sign = "−" if shown < 0 else ""
    return f"{sign}{text} %" if figure.unit == "fraction" else f"{sign}{text}"


def _around(center: float, values: NDArray[np.float64]) -> list[float]:
    """Return eight round edges around a center; the farthest twentieth is left to the ends."""
    reach = float(np.quantile(np.abs(values - center), 0.95))
    step = value_step(0.0, reach, _MIDDLE + 1) if reach > 0 else 1.0
    return [center + (place - _MIDDLE + 0.5) * step for place in range(_SHADES - 1)]


def _between(low: float, high: float) -> list[float]:
    """Return four edges between two values, rounded to a tenth of their distance."""
    if not high > low:
        return []
    step = (high - low) / (_MIDDLE + 1)
    decimals = 1 - math.floor(math.log10(step))
    return sorted({round(low + place * step, decimals) for place in range(1, _MIDDLE + 1)})
