"""The sweep command's work: read what was asked, run, rank, write."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtquant.app.config import LoadedConfig, load_config
from mtquant.app.sweep.lists import read_list
from mtquant.app.sweep.periods import Period
from mtquant.app.sweep.setup import SweepSetup, make_setup, run_setup
from mtquant.app.wiring import strategy_facts
from mtquant.engine.kernels import news
from mtquant.model import ConfigError, SystemClock
from mtquant.research.sweep import (
    DEFAULT_LIMIT,
    Space,
    SweepFolder,
    SweepResults,
    TrialState,
    drawn,
    find_figure,
    listed,
    make_grid,
    parse_axes,
    require_room,
)
from mtquant.research.sweep.folder import REPORT, TABLE
from mtquant.research.sweep.heat import require_map
from mtquant.research.sweep.report import View, render_sweep_report

if TYPE_CHECKING:
    from mtquant.research.sweep import Watcher

DEFAULT_OUT = Path("mtquant-sweep")


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepOptions:
    """Hold the options of the sweep."""

    config: Path | None = None
    strategy: str | None = None
    data: tuple[Path, ...] = ()
    grid: tuple[str, ...] = ()
    draws: int | None = None
    list_file: Path | None = None
    periods: tuple[Period, ...] = ()
    by: str = "sharpe"
    min_trades: int = 0
    top: int = 10
    map_names: tuple[str, ...] = ()
    out: Path = DEFAULT_OUT
    workers: int | None = None
    seed: int | None = None
    limit: int = DEFAULT_LIMIT


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepOutcome:
    """Hold a finished sweep: its trials, what is shown of them, and its facts."""

    results: SweepResults
    view: View
    facts: dict[str, Any]
    report: Path


def run_sweep_command(options: SweepOptions, watcher: Watcher) -> SweepOutcome:
    """Run a sweep, or what is left of it; write table, report and facts.

    Raises:
        InputError: what was asked for cannot be used or is too much.
        SweepError: a batch killed two workers, or every trial failed.
    """
    find_figure(options.by)
    clock = SystemClock()
    started_ms = clock.now_ms()
    setup = make_setup(_load(options), data=options.data, periods=options.periods)
    space = _space(options, setup)
    require_map(options.map_names, space.names)
    facts = setup.facts(space)
    _tell_the_way(setup, watcher)
    with SweepFolder.prepare(options.out, setup.fingerprint(space), facts) as place:
        results = run_setup(
            setup,
            space,
            place=place,
            workers=options.workers,
            limit=options.limit,
            watcher=watcher,
        )
        view = _view(options, setup)
        found = {**_found(results, view, options.top), "report": str(place.path(REPORT).resolve())}
        found["seconds"] = round((clock.now_ms() - started_ms) / 1000, 3)
        _write(place, results, view, setup)
        place.finish(found)
        return SweepOutcome(results=results, view=view, facts=found, report=place.path(REPORT))


def _tell_the_way(setup: SweepSetup, watcher: Watcher) -> None:
    """Say once what takes its time: trials without a kernel, or the kernel's first compilation."""
    found = setup.objections
    if found:
        watcher.on_trouble(f"trials run event by event, which is slower: {'; '.join(found)}")
        return
    about = news()
    if about:
        watcher.on_trouble(about)


def _load(options: SweepOptions) -> LoadedConfig:
    loaded = load_config(options.config, {"seed": options.seed})
    name = options.strategy
    if name is None or name == loaded.config.only_strategy.name:
        return loaded
    # parameters of another strategy would not fit this one
    overrides = {"seed": options.seed, "strategy": {"name": name}}
    return load_config(options.config, overrides)


def _space(options: SweepOptions, setup: SweepSetup) -> Space:
    windows, known = len(setup.windows), setup.parameters
    if options.list_file is not None:
        if options.grid or options.draws is not None:
            raise ConfigError("--list names every combination: leave --grid and --random out")
        space: Space = listed(read_list(options.list_file, known), known)
    else:
        axes = parse_axes(options.grid, known)
        if options.draws is None:
            space = make_grid(axes)
        else:
            require_room(options.draws, windows, len(axes), limit=options.limit)
            space = drawn(axes, options.draws, setup.loaded.config.seed)
    require_room(len(space), windows, len(space.names), limit=options.limit)
    return space


def _view(options: SweepOptions, setup: SweepSetup) -> View:
    account = setup.loaded.config.venue.account
    return View(
        by=options.by,
        min_trades=options.min_trades,
        map_names=options.map_names,
        currency=account.currency,
        digits=account.currency_digits,
    )


def _found(results: SweepResults, view: View, top: int) -> dict[str, Any]:
    """Return what was found as JSON values; the number of trials comes first."""
    ranked = results.ranked(view.by, view.min_trades)
    invalid, failed = TrialState.INVALID, TrialState.FAILED
    return {
        "trials": len(results),
        "with_result": results.count(TrialState.OK),
        "invalid": results.count(invalid),
        "failed": results.count(failed),
        "invalid_reasons": dict(results.common_reasons(invalid)),
        "failed_reasons": dict(results.common_reasons(failed)),
        "by": view.by,
        "min_trades": view.min_trades,
        "ranked": len(ranked),
        "currency": view.currency,
        "top": [results.row(row) for row in ranked[:top].tolist()],
    }


def _write(place: SweepFolder, results: SweepResults, view: View, setup: SweepSetup) -> None:
    config = setup.loaded.config
    draft = place.path(f".{TABLE}.draft")
    try:
        results.to_csv(draft)
        draft.replace(place.path(TABLE))
    except OSError as error:
        raise ConfigError(f"{place.path(TABLE)}: cannot be written ({error.strerror})") from error
    names = ", ".join(sorted({f"{b.symbol} {b.timeframe.name}" for b in setup.sources}))
    title = f"Sweep of {config.only_strategy.name} on {names}"
    fixed = {k: v for k, v in config.only_strategy.parameters.items() if k not in results.names}
    words = [f"{name} varied" for name in results.names] + [f"{k}={v}" for k, v in fixed.items()]
    facts = {
        **strategy_facts(config),
        "Strategy": f"{config.only_strategy.name} ({', '.join(words)})",
        "Windows": ", ".join(setup.window_names),
    }
    place.write(REPORT, render_sweep_report(title, results, view, facts=facts))
