"""A heat map as a drawing inside the page: positions in percent, so that text keeps its size."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Final

import numpy as np

from mtquant.research.sweep.scale import edge_text, scale_of

if TYPE_CHECKING:
    from mtquant.research.sweep.heat import HeatAxis, HeatMap
    from mtquant.research.sweep.results import SweepResults
    from mtquant.research.sweep.scale import Scale

_LABELS: Final = 12  # at most, along an axis
_FEW: Final = 5  # columns that have room for their value on a small screen
_HATCH: Final = (
    '<svg class="defs" aria-hidden="true"><defs><pattern id="hatch" width="6" height="6" '
    'patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="nothing" width="6" '
    'height="6"/><line class="stripe" x1="0" x2="0" y1="0" y2="6"/></pattern></defs></svg>'
)


def heat_html(heat: HeatMap, results: SweepResults, currency: str, digits: int) -> str:
    """Return the map as a figure with its legend and a sentence that says what a cell shows."""
    drawing = _Drawing(heat=heat, results=results, currency=currency, digits=digits)
    figure = heat.figure
    unit = f" ({currency})" if figure.unit == "money" else ""
    names = f"{heat.across.name} and {heat.up.name}" if heat.up.name else heat.across.name
    height = max(90, min(640, 34 * len(heat.up.labels)))
    label = escape(drawing.label())
    return (
        f'{_HATCH}<figure class="panel chart" id="heat"><figcaption>'
        f"<h2>{escape(figure.label)}{escape(unit)} by {escape(names)}</h2></figcaption>"
        f'<p class="says">{escape(_sentence(heat))}</p>'
        f'<div class="plot heat"><svg role="img" aria-label="{label}" style="height:{height}px">'
        f"{drawing.cells()}{_labels(heat)}</svg></div>"
        f"{_legend(heat, drawing.scale, unit)}</figure>"
    )


class _Drawing:
    """Draw the cells of a map."""

    def __init__(self, *, heat: HeatMap, results: SweepResults, currency: str, digits: int) -> None:
        self._heat = heat
        self._results = results
        self._unit = f" {currency}" if heat.figure.unit == "money" else ""
        self._digits = digits
        self._wide, self._high = len(heat.across.labels), len(heat.up.labels)
        shown = heat.values[~np.isnan(heat.values)]
        self.scale = scale_of(heat.figure, shown) if len(shown) else None

    def cells(self) -> str:
        """Return all cells; where nothing was tried, the ground shows."""
        tried = np.flatnonzero(self._heat.tried).tolist()
        return "".join(self._cell(cell) for cell in tried)

    def label(self) -> str:
        """Return the map in words."""
        heat = self._heat
        axes = f"{self._wide} values of {heat.across.name}"
        if heat.up.name:
            axes += f" by {self._high} of {heat.up.name}"
        empty = int(np.isnan(heat.values).sum())
        if empty == len(heat.values):
            return f"{heat.figure.label} for {axes}; no cell has a result"
        find = np.nanargmin if heat.figure.is_lower_better else np.nanargmax
        cell = int(find(heat.values))
        without = f"; {empty} cells without a result" if empty else ""
        best = f"best {self._text(cell)} at {self._where(cell)}"
        return f"{heat.figure.label} for {axes}; {best}{without}"

    def _cell(self, cell: int) -> str:
        row, place = divmod(cell, self._wide)
        width, height = 100 / self._wide, 100 / self._high
        x, y = place * width, 100 - (row + 1) * height
        box = f'x="{x:.3f}%" y="{y:.3f}%" width="{width:.3f}%" height="{height:.3f}%"'
        value = float(self._heat.values[cell])
        if self.scale is None or math.isnan(value):
            words = f"{self._where(cell)}: {self._why_none(cell)}"
            return f'<rect class="none" {box}><title>{escape(words)}</title></rect>'
        trial = int(self._heat.best[cell])
        trades = self._results.figure("trades", trial) or 0
        words = f"{self._where(cell)}: {self._text(cell)}, {trades:,} trades, trial {trial + 1:,}"
        shade = f"q{self.scale.shade(value)}"
        drawn = f'<rect class="{shade}" {box}><title>{escape(words)}</title></rect>'
        if self._wide > _LABELS or self._high > 2 * _LABELS:
            return drawn
        css = f"in {shade}" if self._wide <= _FEW else f"in {shade} many"
        middle = f'x="{x + width / 2:.3f}%" y="{y + height / 2:.3f}%"'
        text = escape(self._heat.figure.text(value, self._digits))
        return f'{drawn}<text class="{css}" {middle} dy=".35em">{text}</text>'

    def _text(self, cell: int) -> str:
        return self._heat.figure.text(float(self._heat.values[cell]), self._digits) + self._unit

    def _where(self, cell: int) -> str:
        row, place = divmod(cell, self._wide)
        across, up = self._heat.across, self._heat.up
        text = f"{across.name} {across.labels[place]}"
        return f"{text}, {up.name} {up.labels[row]}" if up.name else text

    def _why_none(self, cell: int) -> str:
        if self._heat.ran[cell]:
            return f"{self._heat.figure.label.lower()} is not defined, or too few trades"
        places = self._heat.up.places * self._wide + self._heat.across.places
        return self._results.reasons.get(int(np.argmax(places == cell)), "no result")


def _sentence(heat: HeatMap) -> str:
    direction = "lowest" if heat.figure.is_lower_better else "highest"
    if heat.others:
        words = ", ".join(f"{name} ({count} values)" for name, count in heat.others)
        return f"Each cell shows the {direction} value over {words}."
    if heat.tried.max() > 1:
        return f"Each cell shows the {direction} value of its trials."
    return "Each cell shows one trial."


def _labels(heat: HeatMap) -> str:
    parts = []
    for number, (at, label) in enumerate(_ticks(heat.across)):
        second = " second" if number % 2 else ""
        parts.append(
            f'<text class="xlabel{second}" x="{at:.3f}%" y="100%" dy="18">{escape(label)}</text>'
        )
    for at, label in _ticks(heat.up):
        y = f"{100 - at:.3f}%"
        parts.append(f'<text class="left" x="0" dx="-8" y="{y}" dy=".35em">{escape(label)}</text>')
    across, up = escape(heat.across.name), escape(heat.up.name)
    parts.append(f'<text class="axis" x="50%" y="100%" dy="38">{across}</text>')
    if up:
        parts.append(f'<text class="axis up" x="0" y="0" dx="-8" dy="-10">{up}</text>')
    return "".join(parts)


def _ticks(axis: HeatAxis) -> list[tuple[float, str]]:
    """Return where labels stand, in percent, and what they say; not more than fit."""
    texts = axis.starts or axis.labels
    middle = 0.0 if axis.starts else 0.5
    every = -(-len(texts) // _LABELS)
    shown = range(0, len(texts), every)
    return [(100 * (place + middle) / len(texts), texts[place]) for place in shown]


def _legend(heat: HeatMap, scale: Scale | None, unit: str) -> str:
    nothing = (
        '<span><svg class="swatch"><rect class="none" width="100%" height="100%"/></svg>'
        "no result</span>"
    )
    if scale is None:
        return f'<p class="legend">{nothing}</p>'
    count = len(scale.shades)
    parts = [
        f'<rect class="q{shade}" x="{100 * place / count:.3f}%" width="{100 / count:.3f}%" '
        'y="0" height="14"/>'
        for place, shade in enumerate(scale.shades)
    ]
    for place, edge in enumerate(scale.edges, 1):
        second = " second" if place % 2 == 0 else ""
        parts.append(
            f'<text class="xlabel{second}" x="{100 * place / count:.3f}%" y="14" dy="15">'
            f"{escape(edge_text(heat.figure, edge))}</text>"
        )
    figure = heat.figure
    better = f"{figure.label}{unit}: {'lower' if figure.is_lower_better else 'higher'} is better"
    return (
        f'<div class="plot key"><svg aria-hidden="true">{"".join(parts)}</svg></div>'
        f'<p class="legend"><span>{escape(better)}</span>{nothing}</p>'
    )
