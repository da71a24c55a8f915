"""What a person sees in the terminal window: progress, events worth knowing, the results."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, TaskProgressColumn, TextColumn
from rich.progress import Progress as ProgressBar
from rich.table import Table

from mtquant.app.plain_text import shown
from mtquant.model import Publish, money_from_minor

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from mtquant.app.outage import ScriptedOutage
    from mtquant.app.results import Results
    from mtquant.app.wiring import Plan
    from mtquant.app.workspace import Workspace
    from mtquant.engine import Progress

_SENTENCES = {
    "link_lost": "link lost: {detail}; entries are off",
    "reconciled": "link restored after {hours:.1f} hours and reconciled: {opened} opened and "
    "{closed} closed while away, {positions} open, {unresolved} unresolved",
    "stop_lost": "position {position_ticket} has lost its stop loss: {action}",
    "order_not_ours": "order {order_ticket} carries a number of this bot and is not in its journal",
    "position_unmanaged": "position {position_ticket} of this bot in {symbol} has no strategy in "
    "the configuration: nobody watches its stop",
    "exit_dropped": "position {position_ticket} is not left as decided: {reason}",
    "journal_rebuilt": "no journal was here, and the broker knows this bot: {positions} positions, "
    "{orders} orders and {closed_orders} closed orders carry its numbers. The journal was rebuilt "
    "from the broker; halts and loss limits of an earlier one are forgotten",
    "cash_differs": "the balance is off by {difference_minor} minor units that no deal explains; "
    "entries are off",
    "halt_raised": "halt level {halt_level} by {who}: {reason}",
    "halt_cleared": "halt lifted by {who}: {reason}",
    "entry_warned": "entry let pass with a warning: {reasons}",
    "breaker_rose": "circuit breaker at level {level}: {reason}",
    "breaker_reset": "circuit breaker reset by {who}: {reason}",
    "drawdown_reset": "highest value begins anew after {drawdown_fraction:.2%}, by {who}: {reason}",
    "breaker_stays": "circuit breaker stays at level {level}: {reason}",
    "prop_rule_met": "prop rule {rule}: {what}",
    "prop_rules_not_kept": "the bot does not keep all rules of {firm}: {reasons}",
}
_PLAIN_STEPS = 10


class DemoScreen:
    """Show a running demo: a live line on a terminal, a line per tenth elsewhere."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._console = Console(stderr=True, quiet=quiet, highlight=False)
        self._bar = ProgressBar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            console=self._console,
        )
        self._live: Live | None = None
        self._task = self._bar.add_task("", total=1)
        self._total = 1
        self._trades = 0
        self._tenth = -1
        self._plan: Plan | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal and not self._quiet:
            self._live = Live(self._bar, console=self._console, refresh_per_second=8)
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def on_plan(self, plan: Plan, outage: ScriptedOutage | None, workspace: Workspace) -> None:
        """Say what is going to be run."""
        first = plan.lanes[0]
        self._plan, self._total = plan, len(plan.cut(first.symbol, first.timeframe))
        verb = "Continuing" if workspace.is_continued else "Running"
        bars = plan.bars
        self._print(
            f"{verb} {plan.title}: "
            f"{len(bars):,} bars, seed {plan.config.seed}, on the embedded terminal"
        )
        if outage:
            self._print(f"A loss of the link is scripted for {_utc(outage.from_ms)}.")

    def on_progress(self, progress: Progress) -> None:
        """Show where the run stands."""
        text = self._line(progress)
        if self._live is not None:
            self._bar.update(
                self._task, description=text, total=self._total, completed=progress.bars
            )
            return
        tenth = _PLAIN_STEPS * progress.bars // max(1, self._total)
        if tenth != self._tenth:
            self._tenth = tenth
            self._print(f"{100 * progress.bars // max(1, self._total):3d}% {text}")

    def on_event(self, event: Publish) -> None:
        """Count trades, and show what a person should know."""
        if event.name == "position_closed":
            self._trades += 1
            if event.fields.get("while_away"):
                price = self._price(event.fields.get("price_points"))
                self._print(
                    f"{_utc(event.time_ms)}  while away: position "
                    f"{event.fields.get('position_ticket')} closed by "
                    f"{event.fields.get('reason')} at {price}"
                )
        elif event.name in _SENTENCES and event.fields.get("cause") != "start":
            hours = int(event.fields.get("away_ms") or 0) / 3_600_000
            sentence = _SENTENCES[event.name].format(**event.fields, hours=hours)
            self._print(f"{_utc(event.time_ms)}  {sentence}")

    def show_stopped(self, time_ms: int) -> None:
        """Say that the run was interrupted and how it goes on."""
        self._print(
            f"Stopped at {_utc(time_ms)}. Positions keep their stop losses; run the same command "
            "to go on."
        )

    def show_results(self, results: Results) -> None:
        """Show the summary and where the report is."""
        if not self._quiet:
            show_results(results)

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)

    def _price(self, points: object) -> str:
        if self._plan is None or not isinstance(points, int):
            return "?"
        digits = self._plan.bars.digits
        return f"{points / 10**digits:.{digits}f}"

    def _line(self, progress: Progress) -> str:
        account = self._plan.config.venue.account if self._plan else None
        digits, currency = (account.currency_digits, account.currency) if account else (2, "")
        equity = money_from_minor(progress.equity_minor, digits)
        link = "" if progress.is_connected else "  NO LINK"
        return (
            f"{_utc(progress.time_ms)}  equity {equity:,.{digits}f} {currency}  "
            f"open {progress.open_positions}  trades {self._trades}  "
            f"drawdown {progress.drawdown:.1%}{link}"
        )


def show_results(results: Results) -> None:
    """Print a summary table and the path of the report to standard output."""
    console = Console(highlight=False)
    summary, currency = results.summary, results.currency
    table = Table(show_header=False, title="Summary", title_justify="left")
    table.add_column(style="bold")
    table.add_column(justify="right")
    rows = (
        ("Trades", "trades", "{:,}"),
        ("Net profit", "net_profit", "{:,.2f} " + currency),
        ("Return", "return_fraction", "{:.2%}"),
        ("Max drawdown", "max_drawdown", "{:.2%}"),
        ("Sharpe (server days, x sqrt 252)", "sharpe", "{:.2f}"),
        ("Sortino (server days, x sqrt 252)", "sortino", "{:.2f}"),
        ("Profit factor", "profit_factor", "{:.2f}"),
        ("Win rate", "win_rate", "{:.1%}"),
        ("Expectancy per trade", "expectancy", "{:,.2f} " + currency),
        ("Open positions", "open_positions", "{:,}"),
        ("Bars", "bars", "{:,}"),
        ("Seconds", "seconds", "{:.1f}"),
    )
    for label, key, pattern in rows:
        value = summary.get(key)
        table.add_row(label, "undefined" if value is None else pattern.format(value))
    console.print(table)
    console.print(f"Trades hash  {summary['trades_sha256']}", markup=False)
    for line in limit_lines(summary):
        console.print(line, markup=False, soft_wrap=True)
    if results.report is not None:
        console.print(f"Report       {results.report.resolve()}", markup=False, soft_wrap=True)


def limit_lines(summary: Mapping[str, Any]) -> list[str]:
    """Return what limits did to a run, for people: nothing where they refused nothing.

    A run of a kernel counts no refusals: without a trade it is said how to have them counted.
    """
    if "refused_entries" not in summary:
        if summary.get("trades") or summary.get("open_positions"):
            return []
        return ["Limits       no trade; `mtquant risk simulate` counts what was refused, by rule"]
    lines = []
    if summary["refused_entries"]:
        rules = ", ".join(f"{rule} {count:,}" for rule, count in summary["refused_by_rule"].items())
        refused, entries = summary["refused_entries"], summary["entries"]
        lines.append(f"Limits       {refused:,} of {entries:,} entries refused: {rules}")
    return lines + [f"Halt         {shown(reason)}" for reason in summary["halts"]]


def _utc(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, tz=UTC).strftime("%Y-%m-%d %H:%M")
