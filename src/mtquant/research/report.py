"""The report of a run: one HTML page that needs nothing but itself."""

from __future__ import annotations

import json
import os
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from mtquant.model import CommissionEntry, SwapMode, money_from_minor
from mtquant.research import charts, metrics, tables
from mtquant.research.cards import cards_html
from mtquant.research.equity import bar_ends_ms, equity_curve
from mtquant.research.histogram import histogram_html
from mtquant.research.markers import MARKER_SHAPES
from mtquant.research.page import asset, html_page, section, subtitle
from mtquant.research.plot import COLUMNS
from mtquant.research.summary import starting_deposit_minor, with_start
from mtquant.research.trades import closed_trades, open_entries
from mtquant.research.words import day_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from mtquant.exchange import InstrumentSpec, VenueSpec
    from mtquant.model import Bars, Deal, Instrument
    from mtquant.research.charts import Chart
    from mtquant.research.summary import Summary
    from mtquant.research.trades import Trade


def render_report(
    title: str,
    *,
    summary: Summary,
    bars: Bars,
    deals: Sequence[Deal],
    venue: VenueSpec,
    facts: Mapping[str, str],
    others: Sequence[Bars] = (),
) -> str:
    """Return the report as an HTML page: figures, charts, months, trades and settings.

    Everything is inside the page: it opens without a network and forbids itself to load anything.
    The same run gives the same bytes.

    Args:
        title: what ran; the page's heading.
        summary: the figures, from `summarise`.
        bars: the bars of the run.
        deals: all deals of the account, the deposit among them.
        venue: the market that was traded.
        facts: names and values to show among the settings, such as parameters and seeds.
        others: the bars of more symbols that were traded; the price chart shows `bars` alone.

    Raises:
        DataError: the deals do not fit the bars.
    """
    deposit_minor = starting_deposit_minor(bars, deals)
    equity = equity_curve(bars, deals, venue, others)
    fallen = metrics.drawdown(with_start(bars, equity, deposit_minor)[1])[1:]
    trades = closed_trades(deals)
    digits, currency = summary.currency_digits, summary.currency
    figures = (
        _prices(bars, trades, deals, summary),
        charts.equity_chart(bars, equity, deposit_minor, digits, currency),
        charts.drawdown_chart(bars, fallen),
    )
    body = (
        section("Key figures", cards_html(summary), css="plain", is_hidden=True),
        *(_figure(chart) for chart in figures),
        _results(tables.monthly(bars, equity, trades, deposit_minor), trades, summary),
        _trades(trades, (bars, *others), digits),
        section("Settings", tables.facts_html(_settings(bars, venue, summary, facts))),
    )
    scripts = _scripts(_cursor_data(bars, equity, fallen, summary))
    return _page(title, _subtitle(bars, summary, venue), "\n".join(body), scripts)


def _page(title: str, below: str, body: str, scripts: str) -> str:
    styles = asset("report.css")
    return html_page(title, below, body, styles=styles, shapes=MARKER_SHAPES, scripts=scripts)


def _prices(bars: Bars, trades: Sequence[Trade], deals: Sequence[Deal], summary: Summary) -> Chart:
    """Return the chart of the prices with the trades and open positions of their symbol."""
    own = [trade for trade in trades if trade.symbol == bars.symbol]
    still_open = [deal for deal in open_entries(deals) if deal.symbol == bars.symbol]
    return charts.price_chart(bars, own, still_open, summary.currency_digits, summary.currency)


def _trades(trades: Sequence[Trade], traded: Sequence[Bars], digits: int) -> str:
    price_digits = {one.symbol: one.digits for one in traded}
    return section(f"Trades ({len(trades):,})", tables.trades_html(trades, price_digits, digits))


def _scripts(data: str) -> str:
    return f"""
<script type="application/json" id="data">{data}</script>
<script>
{asset("report.js")}</script>"""


def write_report(
    path: Path,
    title: str,
    *,
    summary: Summary,
    bars: Bars,
    deals: Sequence[Deal],
    venue: VenueSpec,
    facts: Mapping[str, str],
) -> None:
    """Write `render_report` to a file in one step: readers see the old page or the new one.

    Raises:
        DataError: the deals do not fit the bars.
        OSError: the folder does not exist or cannot be written.
    """
    page = render_report(title, summary=summary, bars=bars, deals=deals, venue=venue, facts=facts)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        unfinished.write_text(page, encoding="utf-8", newline="\n")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _subtitle(bars: Bars, summary: Summary, venue: VenueSpec) -> str:
    parts = (
        f"{bars.symbol} {bars.timeframe.name}",
        f"{day_text(summary.first_ms)} – {day_text(summary.last_ms)}",
        f"{summary.bars:,} bars",
        venue.server,
        "times in UTC",
    )
    return subtitle(parts)


def _results(months: Sequence[tables.Month], trades: Sequence[Trade], summary: Summary) -> str:
    digits = summary.currency_digits
    nets = [money_from_minor(trade.net_minor, digits) for trade in trades]
    return "\n".join(
        (
            '<div class="pair">',
            section("Months", tables.months_html(months, digits)),
            '<div class="stack">',
            section("Sides and exits", tables.sides_html(trades, digits)),
            section("Spread of trade results", histogram_html(nets, summary.currency)),
            "</div></div>",
        )
    )


def _figure(chart: Chart) -> str:
    return (
        f'<figure class="panel chart" id="{chart.name}"><figcaption><h2>{chart.title}</h2>'
        f'<span class="legend">{chart.legend}</span>'
        f'<output class="readout">{escape(chart.readout)}</output></figcaption>'
        f'<div class="plot"><svg role="img" aria-label="{escape(chart.label)}">{chart.drawing}'
        f'<line class="cursor" y1="0" y2="100%"/></svg></div></figure>'
    )


def _settings(
    bars: Bars, venue: VenueSpec, summary: Summary, facts: Mapping[str, str]
) -> dict[str, str]:
    """Return the facts given, and behind them our own, unless they are given."""
    account, spec = venue.account, venue.instruments[bars.symbol]
    low, high = int(bars.spread.min()), int(bars.spread.max())
    own = {
        "Account": f"{account.currency}, {account.margin_mode.value}, 1:{account.leverage}",
        "Commission": _commission_words(spec, account.currency),
        "Swap": _swap_words(venue.instrument(bars.symbol)),
        "Spread": f"{low} points" if low == high else f"{low} to {high} points",
        "Stop-out": f"at a margin level of {account.stop_out_percent:g} %",
        "Server clock": venue.server_clock,
        "Times": "UTC; days end at the server's midnight, months at UTC midnight",
        "Equity and drawdown": "at bar closes, open positions at the closing quote",
        "Trades SHA-256": summary.trades_sha256 or "not computed",
    }
    return {**facts, **own, **facts}


def _commission_words(spec: InstrumentSpec, currency: str) -> str:
    parts = [f"{spec.commission_per_lot:g} {currency} per lot and side"]
    if spec.commission_entry is not CommissionEntry.BOTH:
        parts.append(f"deals {spec.commission_entry.value} only")
    if spec.commission_percent:
        parts.append(f"{spec.commission_percent:g} % of the value")
    if spec.commission_per_deal:
        parts.append(f"{spec.commission_per_deal:g} per deal")
    if spec.commission_minimum:
        parts.append(f"at least {spec.commission_minimum:g}")
    if spec.fee_per_lot:
        parts.append(f"fee {spec.fee_per_lot:g} per lot")
    return ", ".join(parts)


def _swap_words(instrument: Instrument) -> str:
    mode = instrument.swap_mode
    if mode is SwapMode.DISABLED:
        return "none"
    long, short = (
        f"{swap:g}".replace("-", "−") for swap in (instrument.swap_long, instrument.swap_short)
    )
    if mode in {SwapMode.INTEREST_CURRENT, SwapMode.INTEREST_OPEN}:
        return f"long {long} %, short {short} % a year"
    words = "points" if mode is SwapMode.POINTS else f"per lot in {mode.value.replace('_', ' ')}"
    return f"long {long}, short {short} {words} per night"


def _cursor_data(
    bars: Bars, equity: NDArray[np.int64], fallen: NDArray[np.float64], summary: Summary
) -> str:
    """Return what the cursor reads out, as JSON that cannot end its script element."""
    count = min(len(bars), COLUMNS)
    rows = np.linspace(0, len(bars) - 1, count).round().astype(np.int64)
    values = {
        "minutes": ((bar_ends_ms(bars)[rows] + 1) // 60_000).tolist(),
        "price": bars.close[rows].tolist(),
        "equity": equity[rows].tolist(),
        "drawdown": (10_000 * fallen[rows]).round().astype(np.int64).tolist(),
        "digits": {"price": bars.digits, "equity": summary.currency_digits, "drawdown": 2},
        "units": {"price": "", "equity": f" {summary.currency}", "drawdown": " %"},
    }
    return json.dumps(values, separators=(",", ":")).replace("<", "\\u003c")
