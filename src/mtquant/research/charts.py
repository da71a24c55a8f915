"""The three charts of a report: price with trades, equity, drawdown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mtquant.research.axes import Tick, value_ticks
from mtquant.research.markers import LEGEND, Marks
from mtquant.research.plot import Frame, area_path, axes_svg, line_path, stretched_svg
from mtquant.research.words import number_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from mtquant.model import Bars, Deal
    from mtquant.research.trades import Trade


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Hold what one figure shows; `label` says it in words, `readout` is its value at the end."""

    name: str
    title: str
    label: str
    readout: str
    legend: str
    drawing: str


def price_chart(
    bars: Bars, trades: Sequence[Trade], entries: Sequence[Deal], digits: int, currency: str
) -> Chart:
    """Return closing bids with the trades, and the entries of what is still open."""
    prices = bars.close
    fills = [points for t in trades for points in (t.open_points, t.close_points)]
    fills += [deal.price_points for deal in entries]
    low, high = min([int(prices.min()), *fills]), max([int(prices.max()), *fills])
    frame = Frame.around(len(bars), low, high)
    scale = 10**bars.digits
    ticks = [
        Tick(at=tick.at * scale, label=tick.label)
        for tick in value_ticks(frame.low / scale, frame.high / scale, number_text)
    ]
    marks = Marks(bars=bars, frame=frame, currency=currency, digits=digits)
    first, last = (f"{int(prices[row]) / scale:.{bars.digits}f}" for row in (0, -1))
    return Chart(
        name="price",
        title="Price and trades",
        label=f"{bars.symbol} closing bid from {first} to {last}, with {len(trades)} trades",
        readout=last,
        legend=LEGEND,
        drawing=axes_svg(frame, ticks, bars.time_ms)
        + stretched_svg(line_path("price", frame, prices))
        + marks.all(trades)
        + marks.still_open(entries),
    )


def equity_chart(
    bars: Bars, equity: NDArray[np.int64], deposit_minor: int, digits: int, currency: str
) -> Chart:
    """Return equity at bar closes (minor units) over the starting deposit."""
    money = equity / 10**digits
    deposit = deposit_minor / 10**digits
    low, high = min(money.min(), deposit), max(money.max(), deposit)
    frame = Frame.around(len(bars), float(low), float(high))
    ticks = value_ticks(frame.low, frame.high, number_text)
    final = f"{number_text(float(money[-1]), digits)} {currency}"
    base = f"{frame.y(deposit):.2f}%"
    return Chart(
        name="equity",
        title="Equity",
        label=(
            f"Equity from {number_text(deposit, digits)} to {final}, "
            f"lowest {number_text(float(money.min()), digits)}, "
            f"highest {number_text(float(money.max()), digits)}"
        ),
        readout=final,
        legend='<span><i class="dash"></i>starting deposit</span>',
        drawing=axes_svg(frame, ticks, bars.time_ms)
        + stretched_svg(
            area_path("equity", frame, money, frame.low) + line_path("equity", frame, money)
        )
        + f'<line class="base" x1="0" x2="100%" y1="{base}" y2="{base}"/>',
    )


def drawdown_chart(bars: Bars, fractions: NDArray[np.float64]) -> Chart:
    """Return drawdown (fractions of the peak) hanging from zero."""
    deepest = float(fractions.max())
    frame = Frame(rows=len(bars), low=0.0, high=100 * deepest * 1.08 or 1.0, is_down=True)
    percent = 100 * fractions
    ticks = value_ticks(0.0, frame.high, lambda value, digits: f"{value:.{digits}f} %")
    return Chart(
        name="drawdown",
        title="Drawdown",
        label=f"Fall of equity below its peak, at most {100 * deepest:.2f} percent",
        readout=f"{percent[-1]:.2f} %",
        legend="",
        drawing=axes_svg(frame, ticks[:: 2 if len(ticks) > 4 else 1], bars.time_ms)
        + stretched_svg(area_path("fall", frame, percent, 0.0) + line_path("fall", frame, percent)),
    )
