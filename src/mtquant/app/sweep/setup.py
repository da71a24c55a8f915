"""What a sweep is about, put together from a configuration, and run."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtquant import __version__
from mtquant.app.config import LoadedConfig, load_config
from mtquant.app.sweep.evaluator import Factory, trial_objections
from mtquant.app.sweep.periods import Period, Window, make_windows
from mtquant.app.sweep.variants import sweepable
from mtquant.app.wiring import Plan, find_strategy, make_plan
from mtquant.data.store import BarsStore
from mtquant.engine.kernels import news, prepare
from mtquant.model import Bars, ConfigError
from mtquant.research.sweep import DEFAULT_LIMIT, Parameter, SweepFolder, SweepResults, run_sweep
from mtquant.research.sweep.folder import BARS, working_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mtquant.research.sweep import Space, Watcher


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepSetup:
    """Hold a configuration, the bars it is run over, its windows and what can vary in it."""

    loaded: LoadedConfig
    sources: tuple[Bars, ...]
    windows: tuple[Window, ...]
    parameters: Mapping[str, Parameter]

    @property
    def window_names(self) -> tuple[str, ...]:
        """Return the names of the windows, in their order."""
        return tuple(window.name for window in self.windows)

    @property
    def objections(self) -> tuple[str, ...]:
        """Return why the trials are run event by event, nothing where the kernel runs them."""
        found = (trial_objections(self.loaded, bars) for bars in self.sources)
        return tuple(dict.fromkeys(one for some in found for one in some))

    def fingerprint(self, space: Space) -> str:
        """Return a hash of all that decides about results: another one is another sweep."""
        hashes = [bars.content_hash() for bars in self.sources]
        code = _code_hash(self.loaded)
        parts = (__version__, repr(self.loaded.config), hashes, self.windows, space.facts(), code)
        return self.loaded.fingerprint(*parts)

    def facts(self, space: Space) -> dict[str, Any]:
        """Return what sweep.json says of the sweep before it runs."""
        return {
            "kind": "sweep",
            "mtquant": __version__,
            "strategy": self.loaded.config.only_strategy.name,
            "event_driven_because": list(self.objections),
            "space": space.facts(),
            "combinations": len(space),
            "windows": {one.name: self._window_facts(one) for one in self.windows},
            **self.loaded.facts(),
        }

    def _window_facts(self, window: Window) -> dict[str, Any]:
        bars = self.sources[window.bars]
        return {
            "symbol": bars.symbol,
            "timeframe": bars.timeframe.name,
            "bars": window.stop - window.start,
            "first_ms": int(bars.time_ms[window.start]),
            "last_ms": int(bars.time_ms[window.stop - 1]),
        }


def make_setup(
    loaded: LoadedConfig | None = None,
    *,
    data: Sequence[Path] = (),
    periods: Sequence[Period] = (),
) -> SweepSetup:
    """Load what a sweep needs and check that it can be run.

    Args:
        loaded: the configuration; the shipped demo's when left out.
        data: files of bars that take the place of the configured source, each with its windows.
        periods: stretches of time, each a window of its own; the whole of the bars without.

    Raises:
        InputError: configuration, data or windows cannot be used.
    """
    loaded = loaded or load_config()
    if data:
        given = [load_config(raw=loaded.raw, folder=loaded.folder, data=path) for path in data]
        loaded = given[0]
    else:
        given = [loaded]
    sources = tuple(_bars_of(make_plan(one)) for one in given)
    if data:
        _require_different(data, sources)
    return SweepSetup(
        loaded=loaded,
        sources=sources,
        windows=make_windows(sources, periods),
        parameters=sweepable(loaded),
    )


def _bars_of(plan: Plan) -> Bars:
    """Return the bars that trials run over.

    Raises:
        ConfigError: the data are ticks.
    """
    if plan.ticks:
        raise ConfigError("data.ticks: a sweep runs over bars; give it `data.path` or --data")
    return plan.bars


def run_setup(
    setup: SweepSetup,
    space: Space,
    *,
    place: SweepFolder | None = None,
    workers: int | None = 1,
    limit: int = DEFAULT_LIMIT,
    watcher: Watcher | None = None,
) -> SweepResults:
    """Run every combination of a space; see `research.sweep.run_sweep`.

    Raises:
        ConfigError: the sweep is empty or too large, or nothing in it can be run.
        SweepError: a batch killed two workers, or every trial failed.
    """
    if news() and not setup.objections:
        prepare()  # before several processes would compile the same
    with working_folder(place) as folder:
        store = BarsStore(folder / BARS)
        factory = Factory(
            raw=setup.loaded.raw,
            config_folder=setup.loaded.folder,
            sources=tuple(store.put(bars) for bars in setup.sources),
            windows=setup.windows,
        )
        return run_sweep(
            space,
            factory,
            windows=setup.window_names,
            workers=workers,
            place=place,
            limit=limit,
            watcher=watcher,
        )


def _require_different(data: Sequence[Path], sources: Sequence[Bars]) -> None:
    """Refuse two files with the same bars: every trial would count twice."""
    seen: dict[str, Path] = {}
    for path, bars in zip(data, sources, strict=True):
        key = bars.content_hash()
        if key in seen:
            raise ConfigError(f"{path}: holds the same bars as {seen[key]}; give one of them")
        seen[key] = path


def _code_hash(loaded: LoadedConfig) -> str:
    """Return a hash of the file that holds the strategy: an edited one gives other results."""
    module = sys.modules[find_strategy(loaded.config.only_strategy.name, loaded.folder).__module__]
    path = getattr(module, "__file__", None)
    if path is None or not Path(path).is_file():
        return ""
    return sha256(Path(path).read_bytes()).hexdigest()
