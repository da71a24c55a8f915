"""Who runs the trials of a sweep: made once in every worker process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtquant.app.config import LoadedConfig, load_config
from mtquant.app.sweep.periods import Window
from mtquant.app.sweep.variants import Variants
from mtquant.app.wiring import Plan, run_backtest
from mtquant.data.store import StoredBars
from mtquant.model import EvaluationError
from mtquant.research.summary import Summary, summarise

if TYPE_CHECKING:
    from mtquant.model import Bars
    from mtquant.research.sweep import Evaluator, Value


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
    return BacktestEvaluator(loaded, windows)


class BacktestEvaluator:
    """Run each trial as `mtquant backtest` would, event by event: any strategy, any exit."""

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

    def evaluate(self, combination: Mapping[str, Value], window: str) -> Summary:
        """Run a combination over a window.

        Raises:
            EvaluationError: the strategy or the run broke.
        """
        loaded = LoadedConfig(
            config=self._variants.of(combination),
            raw=self._loaded.raw,
            where=self._loaded.where,
            folder=self._loaded.folder,
        )
        plan = Plan(loaded=loaded, bars=self._windows[window], fingerprint="")
        try:
            deals = run_backtest(plan).book.ledger.deals
            return summarise(plan.bars, deals, plan.config.venue)
        except Exception as error:  # a strategy may raise anything; the other trials go on
            raise EvaluationError(f"{type(error).__name__}: {error}") from error
