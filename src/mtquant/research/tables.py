"""The tables of a report: months, sides, trades and settings."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

import numpy as np

from mtquant.model import Side, lots_from_units, money_from_minor
from mtquant.research import metrics
from mtquant.research.words import (
    NOTHING,
    REASONS,
    minute_text,
    moment,
    month_name,
    number_text,
    percent_text,
    span_text,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mtquant.model import Bars
    from mtquant.research.trades import Trade

_ALL: Final = "All"


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """Hold one UTC month: trades closed in it, their net (minor units), growth of equity."""

    start_ms: int
    nets_minor: tuple[int, ...]
    return_fraction: float | None
    end_equity_minor: int


def monthly(
    bars: Bars, equity: NDArray[np.int64], trades: Sequence[Trade], deposit_minor: int
) -> list[Month]:
    """Return every UTC month that has bars; equity int64[n] at bar closes, minor units."""
    months_of = _months(bars.time_ms)
    closed = _months(np.array([trade.close_ms for trade in trades], dtype=np.int64))
    found = []
    before = deposit_minor
    for month in np.unique(months_of):
        end = int(equity[np.flatnonzero(months_of == month)[-1]])
        nets = tuple(trades[row].net_minor for row in np.flatnonzero(closed == month).tolist())
        found.append(
            Month(
                start_ms=int(month.astype("datetime64[ms]").astype(np.int64)),
                nets_minor=nets,
                return_fraction=metrics.return_fraction(before, end),
                end_equity_minor=end,
            )
        )
        before = end
    return found


def months_html(months: Sequence[Month], digits: int) -> str:
    """Return the months as a table with a bar for each result."""
    widest = max((abs(m.return_fraction or 0.0) for m in months), default=0.0) or 1.0
    rows = []
    for month in months:
        at = moment(month.start_ms)
        growth = month.return_fraction
        share = 100 * abs(growth or 0.0) / widest
        side = "gain" if (growth or 0.0) >= 0 else "fall"
        rows.append(
            f'<tr><th scope="row">{month_name(at)} {at.year}</th>'
            f"<td>{len(month.nets_minor)}</td>"
            f"{_money(sum(month.nets_minor), digits)}"
            f"<td>{number_text(month.end_equity_minor / 10**digits, digits)}</td>"
            f'<td class="{_tone(growth)}">{percent_text(growth, signed=True)}</td>'
            f'<td class="bar" aria-hidden="true"><i class="{side}" style="--share:{share:.0f}%">'
            "</i></td></tr>"
        )
    head = _head("Month", "Trades", "Net", "Equity", "Return", "")
    return _box("Monthly results", f"{head}<tbody>{''.join(rows)}</tbody>")


def sides_html(trades: Sequence[Trade], digits: int) -> str:
    """Return what long and short trades were worth, and how trades ended."""
    groups: list[tuple[str, list[Trade]]] = [
        ("Long", [t for t in trades if t.side is Side.BUY]),
        ("Short", [t for t in trades if t.side is Side.SELL]),
        *(
            (words.capitalize(), [t for t in trades if t.reason is reason])
            for reason, words in REASONS.items()
        ),
        (_ALL, list(trades)),
    ]
    rows = [
        _group_row(name, [t.net_minor for t in group], digits)
        for name, group in groups
        if group or name in {"Long", "Short", _ALL}
    ]
    head = _head("Trades", "Number", "Won", "Net", "Profit factor", "Mean")
    return _box("Results by side and exit", f"{head}<tbody>{''.join(rows)}</tbody>")


def trades_html(trades: Sequence[Trade], price_digits: Mapping[str, int], digits: int) -> str:
    """Return every trade as a row, times in UTC; `price_digits` are those of each symbol."""
    head = _head(
        "#", "Side", "Lots", "Opened (UTC)", "Price", "Closed (UTC)", "Price", "Held",
        "Commission", "Swap", "Net", "Exit",
    )  # fmt: skip
    if not trades:
        return '<p class="empty">No trades were closed.</p>'
    rows = (_trade_row(n, trade, price_digits, digits) for n, trade in enumerate(trades, 1))
    return _box("Trade list", f"{head}<tbody>{''.join(rows)}</tbody>", css="tall trades-table")


def facts_html(facts: Mapping[str, str]) -> str:
    """Return names and values as a description list."""
    items = (
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
        for name, value in facts.items()
    )
    return f'<dl class="facts">{"".join(items)}</dl>'


def _months(time_ms: NDArray[np.int64]) -> NDArray[np.datetime64]:
    return time_ms.astype("datetime64[ms]").astype("datetime64[M]")


def _group_row(name: str, nets: list[int], digits: int) -> str:
    mean = metrics.expectancy(nets)
    total = ' class="total"' if name == _ALL else ""
    return (
        f'<tr{total}><th scope="row">{name}</th><td>{len(nets)}</td>'
        f"<td>{percent_text(metrics.win_rate(nets), 1)}</td>"
        f"{_money(sum(nets), digits)}"
        f"<td>{number_text(metrics.profit_factor(nets))}</td>"
        f"<td>{NOTHING if mean is None else number_text(mean / 10**digits, digits, signed=True)}"
        "</td></tr>"
    )


def _trade_row(number: int, trade: Trade, digits_of: Mapping[str, int], digits: int) -> str:
    price_digits = digits_of[trade.symbol]
    scale = 10**price_digits
    side = trade.side.name.title()
    word = side if len(digits_of) == 1 else f"{side} {escape(trade.symbol)}"
    cells = (
        f"{lots_from_units(trade.volume_units):.2f}",
        minute_text(trade.open_ms),
        f"{trade.open_points / scale:.{price_digits}f}",
        minute_text(trade.close_ms),
        f"{trade.close_points / scale:.{price_digits}f}",
        span_text(trade.close_ms - trade.open_ms),
        number_text(trade.commission_minor / 10**digits, digits),
        number_text(trade.swap_minor / 10**digits, digits),
    )
    middle = "".join(f"<td>{cell}</td>" for cell in cells)
    return (
        f'<tr><th scope="row">{number}</th><td class="word">{word}</td>{middle}'
        f'{_money(trade.net_minor, digits)}<td class="word">{REASONS[trade.reason]}</td></tr>'
    )


def _money(minor: int, digits: int) -> str:
    text = number_text(money_from_minor(minor, digits), digits, signed=True)
    return f'<td class="{_tone(minor)}">{text}</td>'


def _tone(value: float | None) -> str:
    return "" if not value else "gain" if value > 0 else "fall"


def _head(*names: str) -> str:
    cells = (
        f'<th scope="col">{escape(name)}</th>'
        if name
        else '<td class="bar" aria-hidden="true"></td>'
        for name in names
    )
    return f"<thead><tr>{''.join(cells)}</tr></thead>"


def _box(label: str, table: str, css: str = "") -> str:
    return (
        f'<div class="scroll {css}" role="region" aria-label="{label}" tabindex="0">'
        f"<table>{table}</table></div>"
    )
