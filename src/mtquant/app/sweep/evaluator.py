"""Who runs the trials of a sweep: made once in every worker process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mtquant.app.config import BotConfig, LoadedConfig, load_config
from mtquant.app.playing import kernel_job, plan_objections
from mtquant.app.sweep.periods import Window
from mtquant.app.sweep.reasons import reason_of
from mtquant.app.sweep.variants import Variants
from mtquant.app.wiring import Plan, make_exits, make_strategy, run_backtest
from mtquant.data import resample
from mtquant.data.store import StoredBars
from mtquant.engine.kernels import Job, Played, ask, objections_to, play, varied
from mtquant.engine.longer import LongerViews
from mtquant.model import EvaluationError
from mtquant.research import summarise_played
from mtquant.research.summary import Summary, summarise
from mtquant.strategy import Series

if TYPE_CHECKING:
    from collections.abc import Callable

    from mtquant.model import Bars, Timeframe
    from mtquant.research.sweep import Evaluator, Value


_LINE_BYTES: Final = 96 * 2**20
"""Memory that a window's indicators may take before they are dropped and made anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Factory:
    """Hold what an evaluator is made of, as values that travel to another process."""

    raw: Mapping[str, Any]
    config_folder: Path
    sources: tuple[StoredBars, ...]
    windows: tuple[Window, ...]

    def __call__(self) -> Evaluator:
        """Return a new evaluator.

        Raises:
            InputError: the configuration or the bars cannot be read.
        """
        loaded = load_config(raw=self.raw, folder=self.config_folder)
        sources = [source.open() for source in self.sources]
        bars = {one.name: sources[one.bars][one.start : one.stop] for one in self.windows}
        return make_evaluator(loaded, bars)


def make_evaluator(loaded: LoadedConfig, windows: Mapping[str, Bars]) -> Evaluator:
    """Return who runs this configuration over these windows: the one place where it is chosen."""
    if any(trial_objections(loaded, bars) for bars in windows.values()):
        return BacktestEvaluator(loaded, windows)
    return KernelEvaluator(loaded, windows)


class _Varying:
    """Hold a configuration whose values vary, and the windows it is run over."""

    def __init__(self, loaded: LoadedConfig, windows: Mapping[str, Bars]) -> None:
        self._loaded = loaded
        self._windows = windows
        self._variants = Variants(loaded)

    def check(self, combination: Mapping[str, Value]) -> None:
        """Refuse a combination whose values do not go together.

        Raises:
            ConfigError: what the class of the parameters says.
        """
        self._variants.check(combination)


class BacktestEvaluator(_Varying):
    """Run each trial as `mtquant backtest --event-driven` would: any strategy, any exit."""

    def evaluate(self, combination: Mapping[str, Value], window: str) -> Summary:
        """Run a combination over a window.

        Raises:
            EvaluationError: the strategy or the run broke.
        """
        loaded = replace(self._loaded, config=self._variants.of(combination))
        plan = Plan(loaded=loaded, bars=self._windows[window], fingerprint="")
        try:
            deals = run_backtest(plan).book.ledger.deals
            return summarise(plan.bars, deals, plan.config.venue)
        except Exception as error:  # a strategy may raise anything; the other trials go on
            raise EvaluationError(reason_of(error)) from error


class KernelEvaluator(_Varying):
    """Run each trial in one pass of the kernel; what the trials of a window share is made once."""

    def __init__(self, loaded: LoadedConfig, windows: Mapping[str, Bars]) -> None:
        super().__init__(loaded, windows)
        self._by_events = BacktestEvaluator(loaded, windows)
        self._exits = tuple(make_exits(loaded.config))
        self._stages = {name: self._stage(bars) for name, bars in windows.items()}
        self._cuts = {name: self._cutter(bars) for name, bars in windows.items()}

    def evaluate(self, combination: Mapping[str, Value], window: str) -> Summary:
        """Run a combination over a window.

        Raises:
            EvaluationError: the strategy or the run broke.
        """
        try:
            played = self.play(self._variants.of(combination), window)
            if played is not None:
                return summarise_played(played)
        except Exception as error:  # a strategy may raise anything; the other trials go on
            raise EvaluationError(reason_of(error)) from error
        return self._by_events.evaluate(combination, window)

    def play(self, config: BotConfig, window: str) -> Played | None:
        """Play a varied configuration over a window, None where it is too large for a kernel."""
        job, series = self._stages[window]
        if series.line_bytes > _LINE_BYTES:
            series.forget_lines()
        exits = self._exits
        if config.exits != self._loaded.config.exits:
            exits = tuple(make_exits(config))
        job = varied(job, replace(job.spec, exits=exits, limits=config.risk), series)
        if objections_to(job):
            return None
        strategy = make_strategy(config, self._loaded.folder)
        clock = config.venue.clock
        said = ask(strategy, series, LongerViews(window, series, clock, self._cuts[window]))
        return play(job, said.directions, said.strengths)

    def _cutter(self, bars: Bars) -> Callable[[Timeframe], Series]:
        """Return what makes the bars of longer timeframes of a window, each of them once."""
        clock = self._loaded.config.venue.clock
        return cache(lambda timeframe: Series.over(resample(bars, timeframe, clock)))

    def _stage(self, bars: Bars) -> tuple[Job, Series]:
        return kernel_job(Plan(loaded=self._loaded, bars=bars, fingerprint=""))


def trial_objections(loaded: LoadedConfig, bars: Bars) -> tuple[str, ...]:
    """Return why trials over bars need the event-driven engine, nothing if they do not."""
    return plan_objections(Plan(loaded=loaded, bars=bars, fingerprint=""))
