"""Trades as marks in a price chart: told apart by shape, and by color as well."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

import numpy as np

from mtquant.model import Bars, Side, lots_from_units
from mtquant.research.plot import Frame
from mtquant.research.words import REASONS, minute_text, number_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mtquant.model import Deal
    from mtquant.research.trades import Trade

MARKER_SHAPES: Final = """<svg class="defs" aria-hidden="true" focusable="false"><defs>
<path id="m-buy" d="M0 0L4.5 8H-4.5Z"/>
<path id="m-sell" d="M0 0L4.5 -8H-4.5Z"/>
<circle id="m-gain" r="3.6"/>
<path id="m-loss" d="M-3.4 -3.4L3.4 3.4M-3.4 3.4L3.4 -3.4"/>
</defs></svg>"""
LEGEND: Final = "".join(
    f'<span><svg class="key" viewBox="-6 -9 12 18" aria-hidden="true">'
    f'<use href="#m-{kind}" class="{css}"{shift}/></svg>{text}</span>'
    for kind, css, shift, text in (
        ("buy", "", ' y="-4"', "buy"),
        ("sell", "", ' y="4"', "sell"),
        ("gain", "win", "", "exit with a gain"),
        ("loss", "loss", "", "exit with a loss"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Draw the trades of one account into the frame of a price chart."""

    bars: Bars
    frame: Frame
    currency: str
    digits: int

    def all(self, trades: Sequence[Trade]) -> str:
        """Return entry, exit and the line between them of every trade, numbered from 1."""
        drawn = "".join(self._mark(number, trade) for number, trade in enumerate(trades, 1))
        return f'<g class="trades" style="--mark:{_scale(len(trades)):.2f}">{drawn}</g>'

    def still_open(self, entries: Sequence[Deal]) -> str:
        """Return the entries of positions that were never closed."""
        return "".join(self._entry(deal) for deal in entries)

    def _entry(self, deal: Deal) -> str:
        x, y = self._at(deal.time_ms, deal.price_points)
        side = Side.SELL if deal.side is Side.SELL else Side.BUY
        digits = self.bars.digits
        words = (
            f"still open: {side.name} {lots_from_units(deal.volume_units):g}, "
            f"{minute_text(deal.time_ms)} {deal.price_points / 10**digits:.{digits}f}"
        )
        return (
            f'<g class="trades still"><title>{escape(words)}</title>'
            f'<use href="#m-{side.name.lower()}" x="{x}" y="{y}"/></g>'
        )

    def _mark(self, number: int, trade: Trade) -> str:
        x1, y1 = self._at(trade.open_ms, trade.open_points)
        x2, y2 = self._at(trade.close_ms, trade.close_points)
        won = trade.net_minor > 0
        entry = "buy" if trade.side is Side.BUY else "sell"
        return (
            f'<g class="{"win" if won else "loss"}"><title>{self._title(number, trade)}</title>'
            f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>'
            f'<use href="#m-{entry}" x="{x1}" y="{y1}"/>'
            f'<use href="#m-{"gain" if won else "loss"}" x="{x2}" y="{y2}"/></g>'
        )

    def _at(self, time_ms: int, points: int) -> tuple[str, str]:
        row = int(np.searchsorted(self.bars.time_ms, time_ms, side="right")) - 1
        within = (time_ms - int(self.bars.time_ms[row])) / self.bars.timeframe.duration_ms
        x = min(100.0, self.frame.x(row + min(within, 1.0)))
        return f"{x:.2f}%", f"{self.frame.y(points):.2f}%"

    def _title(self, number: int, trade: Trade) -> str:
        scale, digits = 10**self.bars.digits, self.bars.digits
        net = number_text(trade.net_minor / 10**self.digits, self.digits, signed=True)
        return escape(
            f"#{number} {trade.side.name} {lots_from_units(trade.volume_units):g}: "
            f"{minute_text(trade.open_ms)} {trade.open_points / scale:.{digits}f} → "
            f"{minute_text(trade.close_ms)} {trade.close_points / scale:.{digits}f}, "
            f"{net} {self.currency}, {REASONS[trade.reason]}"
        )


def _scale(trades: int) -> float:
    """Return how large markers are drawn: many of them must not hide the price."""
    return max(0.7, min(1.35, math.sqrt(60 / max(1, trades))))
