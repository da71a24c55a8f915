"""The report of a sweep: how many trials, the map of two parameters, the best of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

from mtquant.research.page import asset, html_page, section, subtitle
from mtquant.research.sweep.figures import FIGURES, Figure, find_figure
from mtquant.research.sweep.heat import heat_map, value_text, varying_names
from mtquant.research.sweep.heat_svg import heat_html
from mtquant.research.sweep.trials import TrialState
from mtquant.research.tables import facts_html
from mtquant.research.words import NOTHING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mtquant.research.sweep.results import SweepResults

SHOWN: Final = (
    "net_profit", "return_fraction", "max_drawdown", "sharpe", "profit_factor", "trades",
    "win_rate",
)  # fmt: skip
_ROWS: Final = 20
_REASONS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Say what of a sweep is shown: ranked by which figure, of trials with how many trades.

    `map_names` are the two parameters of the map, the first two that vary when left out;
    `currency` and its `digits` are those of the account.
    """

    by: str = "sharpe"
    min_trades: int = 0
    map_names: tuple[str, ...] = ()
    currency: str = ""
    digits: int = 2


def render_sweep_report(
    title: str, results: SweepResults, view: View, *, facts: Mapping[str, str]
) -> str:
    """Return the report as an HTML page; the same results give the same bytes.

    Args:
        title: what was swept; the page's heading.
        results: all trials.
        view: what is shown of them.
        facts: names and values to show among the settings.

    Raises:
        ConfigError: the figure or a parameter of the map does not exist.
    """
    figure = find_figure(view.by)
    heat = heat_map(results, view.by, names=view.map_names, min_trades=view.min_trades)
    ranked = results.ranked(view.by, view.min_trades).tolist()
    body = [section("Trials", _cards(results, view, ranked), css="plain", is_hidden=True)]
    if heat is not None:
        body.append(heat_html(heat, results, view.currency, view.digits))
    best = f"The best {min(_ROWS, len(ranked))} of {len(results):,} trials"
    body.append(section(best, _warning(len(results)) + _table(results, view, ranked[:_ROWS])))
    body += [
        section(f"{name} ({results.count(state):,})", _reasons(results, state))
        for state, name in ((TrialState.INVALID, "Invalid"), (TrialState.FAILED, "Failed"))
        if results.count(state)
    ]
    settings = {**facts, "Ranked by": _rule(figure, view), "Trials": f"{len(results):,}"}
    body.append(section("Settings", facts_html(settings)))
    return html_page(
        title,
        subtitle((f"{len(results):,} trials", *_windows_words(results), _rule(figure, view))),
        "\n".join(body),
        styles=asset("report.css") + asset("sweep.css"),
    )


def table_figures(by: str, shown: Sequence[str] = SHOWN) -> list[Figure]:
    """Return the figures that a table of the best shows, the one that ranks first."""
    return [FIGURES[by], *(FIGURES[name] for name in shown if name != by)]


def parameter_columns(results: SweepResults) -> list[str]:
    """Return the parameters that a table shows: those that vary, or all when none does."""
    return list(varying_names(results) or results.names)


def short_names(names: Sequence[str]) -> list[str]:
    """Return the last parts of dotted names, and the whole names where two would be the same.

    >>> short_names(["fast", "exits.stop_loss_take_profit.stop_atr"])
    ['fast', 'stop_atr']
    """
    last = Counter(name.rpartition(".")[2] for name in names)
    parts = ((name, name.rpartition(".")[2]) for name in names)
    return [part if last[part] == 1 else name for name, part in parts]


def heading(figure: Figure, currency: str) -> str:
    """Return a column's heading with its unit."""
    return f"{figure.label}, {currency}" if figure.unit == "money" and currency else figure.label


def none_ranked(view: View) -> str:
    """Return why no trial is ranked.

    >>> none_ranked(View(by="sharpe"))
    'No trial is ranked: sharpe is undefined for every trial'
    """
    if view.min_trades == 0:
        return f"No trial is ranked: {view.by} is undefined for every trial"
    return f"No trial is ranked: none has {view.by} and at least {view.min_trades} trades"


def _rule(figure: Figure, view: View) -> str:
    direction = "lowest" if figure.is_lower_better else "highest"
    fewest = f", at least {view.min_trades} trades" if view.min_trades else ""
    return f"{figure.label.lower()}, {direction} first{fewest}"


def _windows_words(results: SweepResults) -> tuple[str, ...]:
    return (f"{len(results.windows)} windows",) if len(results.windows) > 1 else ()


def _cards(results: SweepResults, view: View, ranked: Sequence[int]) -> str:
    figure = FIGURES[view.by]
    best = figure.text(results.figure(view.by, ranked[0]), view.digits) if ranked else NOTHING
    unit = f" {view.currency}" if figure.unit == "money" and ranked else ""
    combinations = len(results) // len(results.windows)
    cards = (
        ("Trials", f"{len(results):,}", (f"{combinations:,} combinations x "
         f"{len(results.windows)} window{'s' * (len(results.windows) > 1)}")),
        ("With a result", f"{results.count(TrialState.OK):,}", f"{len(ranked):,} of them ranked"),
        ("Invalid", f"{results.count(TrialState.INVALID):,}", "values that do not go together"),
        ("Failed", f"{results.count(TrialState.FAILED):,}", "the run broke"),
        (f"Best by {figure.label.lower()}", best + unit,
         f"trial {ranked[0] + 1:,}" if ranked else "no trial is ranked"),
    )  # fmt: skip
    items = (
        f'<div><dt>{escape(name)}</dt><dd class="figure">{escape(value)}</dd>'
        f'<dd class="note">{escape(note)}</dd></div>'
        for name, value, note in cards
    )
    return f'<dl class="cards">{"".join(items)}</dl>'


def _table(results: SweepResults, view: View, rows: Sequence[int]) -> str:
    if not rows:
        return f'<p class="empty">{escape(none_ranked(view))}</p>'
    figures = table_figures(view.by)
    names = parameter_columns(results)
    windows = ["Window"] * (len(results.windows) > 1)
    shown = short_names(names)
    heads = ["", "Trial", *windows, *shown, *(heading(one, view.currency) for one in figures)]
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    cells = (_cells(results, row, names, figures, view.digits) for row in rows)
    lines = "".join(
        f'<tr><th scope="row">{number}</th>{one}</tr>' for number, one in enumerate(cells, 1)
    )
    return (
        '<div class="scroll" role="region" aria-label="The best trials" tabindex="0">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _cells(
    results: SweepResults, row: int, names: Sequence[str], figures: Sequence[Figure], digits: int
) -> str:
    combination = results.combination(row)
    cells = [f"{row + 1:,}"]
    if len(results.windows) > 1:
        cells.append(results.windows[int(results.window[row])])
    cells += [value_text(combination[name]) for name in names]
    texts = [figure.text(results.figure(figure.name, row), digits) for figure in figures]
    plain = "".join(f"<td>{escape(text)}</td>" for text in cells)
    first, *rest = (escape(text) for text in texts)
    others = "".join(f"<td>{text}</td>" for text in rest)
    return f'{plain}<td class="best">{first}</td>{others}'


def _warning(trials: int) -> str:
    return (
        f'<p class="warns">The best of {trials:,} trials looks better than it is: among many, '
        "some do well by chance. Trust a region of the map where neighbors agree more than its "
        "single best cell, and test what you choose on data that the sweep has not seen.</p>"
    )


def _reasons(results: SweepResults, state: TrialState) -> str:
    common = results.common_reasons(state, _REASONS)
    rows = "".join(
        f'<tr><th scope="row">{escape(reason)}</th><td>{count:,}</td></tr>'
        for reason, count in common
    )
    left = results.count(state) - sum(count for _, count in common)
    if left:
        rows += f'<tr class="total"><th scope="row">other reasons</th><td>{left:,}</td></tr>'
    return (
        f'<div class="scroll reasons" role="region" aria-label="{state.value}" tabindex="0">'
        '<table><thead><tr><th scope="col">Reason</th><th scope="col">Trials</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )
