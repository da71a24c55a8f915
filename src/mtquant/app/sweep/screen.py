"""What a person sees of a sweep: a bar on the way, the best trials at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from mtquant.research.sweep import TrialState
from mtquant.research.sweep.heat import value_text
from mtquant.research.sweep.report import (
    heading,
    none_ranked,
    parameter_columns,
    short_names,
    table_figures,
)

if TYPE_CHECKING:
    from types import TracebackType

    from mtquant.app.sweep.work import SweepOutcome

_SHOWN: Final = ("net_profit", "max_drawdown", "profit_factor", "trades")  # fit 80 columns


class SweepScreen:
    """Show a bar on a terminal; elsewhere, and when quiet, only what went wrong."""

    def __init__(self, *, quiet: bool) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=32),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self._console,
            disable=quiet or not self._console.is_terminal,
        )
        self._task = self._bar.add_task("Trials", total=None)
        self._quiet = quiet
        self._done = self._total = 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()
        if kind is KeyboardInterrupt and self._total and not self._quiet:
            self._console.print(
                f"Stopped: {self._done:,} of {self._total:,} trials are finished; run the same "
                "command to go on.",
                soft_wrap=True,
            )

    def on_progress(self, done: int, total: int) -> None:
        """Move the bar."""
        self._done, self._total = done, total
        self._bar.update(self._task, completed=done, total=total)

    def on_trouble(self, message: str) -> None:
        """Say what went wrong."""
        self._console.print(f"warning: {message}", markup=False, soft_wrap=True)


def show_sweep(outcome: SweepOutcome, top: int) -> None:
    """Print the best trials, the number of all, and where the report is."""
    console = Console(highlight=False)
    results, view = outcome.results, outcome.view
    ranked = results.ranked(view.by, view.min_trades).tolist()
    if ranked[:top]:
        console.print(_table(outcome, ranked[:top]))
    without = [s for s in (TrialState.INVALID, TrialState.FAILED) if results.count(s)]
    counts = [
        f"{len(results):,} trials",
        f"{results.count(TrialState.OK):,} with a result",
        *(f"{results.count(state):,} {state.value}" for state in without),
    ]
    console.print(", ".join(counts), markup=False)
    for state in without:
        for reason, count in results.common_reasons(state, 3):
            console.print(f"  {state.value}: {reason} ({count:,})", markup=False, soft_wrap=True)
    if not ranked:
        console.print(none_ranked(view), markup=False)
    console.print(f"Report  {outcome.report.resolve()}", markup=False, soft_wrap=True)


def _table(outcome: SweepOutcome, rows: list[int]) -> Table:
    results, view = outcome.results, outcome.view
    figures, names = table_figures(view.by, _SHOWN), parameter_columns(results)
    title = f"The best {len(rows)} of {len(results):,} trials by {view.by}"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("Trial", justify="right")
    if len(results.windows) > 1:
        table.add_column("Window")
    for name in short_names(names):
        table.add_column(name, justify="right")
    for figure in figures:
        table.add_column(heading(figure, view.currency), justify="right")
    for row in rows:
        combination = results.combination(row)
        cells = [f"{row + 1:,}"]
        if len(results.windows) > 1:
            cells.append(results.windows[int(results.window[row])])
        cells += [value_text(combination[name]) for name in names]
        cells += [one.text(results.figure(one.name, row), view.digits) for one in figures]
        table.add_row(*cells)
    return table
