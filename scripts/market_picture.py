"""Draw small charts of a day's hours, real beside made up, as one SVG."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COLUMNS: Final = 5
WIDTH: Final = 200
HEIGHT: Final = 150
GAP: Final = 16
TOP: Final = 52
_LEFT: Final = 26  # room for labels inside a panel
_UPPER: Final = 24
_LOWER: Final = 18
_STYLE: Final = (
    "text{font:11px system-ui,sans-serif;fill:#444}"
    ".title{font-weight:600;fill:#111}.head{font-size:13px;fill:#111}"
    ".grid{stroke:#e4e4e4}.real{stroke:#8a8a8a;stroke-width:2.5}"
    ".made{stroke:#0b66c3;stroke-width:1.8}.real,.made{fill:none;stroke-linejoin:round}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Hold one chart: 24 values of each side, NaN where nothing is known."""

    title: str
    real: NDArray[np.float64]
    made: NDArray[np.float64]


def picture(panels: Sequence[Panel]) -> str:
    """Return an SVG of all panels, five in a row."""
    rows = -(-len(panels) // COLUMNS)
    width = COLUMNS * (WIDTH + GAP) + GAP
    height = TOP + rows * (HEIGHT + GAP) + GAP
    head = (
        f'<text class="head" x="{GAP}" y="26">Volatility and spread by hour of the market’s day '
        "(from 17:00 in New York), median hour = 1</text>"
        f'<path class="real" d="M{width - 220} 22h24"/><text x="{width - 190}" y="26">real</text>'
        f'<path class="made" d="M{width - 140} 22h24"/>'
        f'<text x="{width - 110}" y="26">made up</text>'
    )
    drawn = "".join(
        f'<g transform="translate({GAP + (WIDTH + GAP) * (number % COLUMNS)} '
        f'{TOP + (HEIGHT + GAP) * (number // COLUMNS)})">{"".join(_panel(panel))}</g>'
        for number, panel in enumerate(panels)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="Hourly volatility and spreads of real and made-up bars">'
        f"<style>{_STYLE}</style>"
        f'<rect width="{width}" height="{height}" rx="8" fill="#fff"/>{head}{drawn}</svg>\n'
    )


def _panel(panel: Panel) -> Iterator[str]:
    top = 1.08 * float(np.nanmax([np.nanmax(panel.real), np.nanmax(panel.made)]))
    yield f'<text class="title" x="{_LEFT}" y="14">{escape(panel.title)}</text>'
    step = next(one for one in (0.5, 1.0, 2.0, 5.0, 10.0) if top / one <= 4.5)
    for value in np.arange(0.0, top, step).tolist():
        y = _y(value, top)
        yield f'<path class="grid" d="M{_LEFT} {y:.1f}H{WIDTH}"/>'
        yield f'<text x="{_LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>'
    for hour in (0, 6, 12, 18):
        yield f'<text x="{_x(hour):.1f}" y="{HEIGHT - 3}" text-anchor="middle">{hour}</text>'
    for css, values in (("real", panel.real), ("made", panel.made)):
        points = [
            f"{_x(hour):.1f} {_y(value, top):.1f}"
            for hour, value in enumerate(values.tolist())
            if np.isfinite(value)
        ]
        yield f'<path class="{css}" d="M{"L".join(points)}"/>'


def _x(hour: float) -> float:
    return _LEFT + 4 + (WIDTH - _LEFT - 8) * hour / 23


def _y(value: float, top: float) -> float:
    return HEIGHT - _LOWER - (HEIGHT - _LOWER - _UPPER) * value / top
