"""The parity command's work: play in every way that applies, compare, look at the signals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mtquant.app.config import load_config
from mtquant.app.parity.difference import Difference, first_difference
from mtquant.app.parity.opinions import (
    NO_AHEAD,
    SAME,
    SignalFinding,
    compare_with_on_bar,
    look_ahead,
    stated_signals,
)
from mtquant.app.parity.ways import (
    BACKTEST,
    COMPILED,
    INTERPRETED,
    LIVE,
    PlayedWay,
    play_backtest,
    play_kernel,
    play_live,
)
from mtquant.app.playing import ask_plan, kernel_job, kernel_stage
from mtquant.app.wiring import Plan, make_plan
from mtquant.engine.kernels import Said, is_available, news
from mtquant.model import ConfigError, HaltError, RetryableError, SymbolNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mtquant.strategy import Signals

LIVE_BARS: Final = 20_000
"""How many bars the live runner plays where nobody says how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParityOptions:
    """Hold the options of the parity command; `bars` cuts the data to the first so many."""

    config: Path | None = None
    data: Path | None = None
    seed: int | None = None
    bars: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Hold a way that was played, and where it parts from the reference, if it does.

    The reference of others is compared with nothing.
    """

    played: PlayedWay
    is_reference: bool
    difference: Difference | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Hold a way or a look at the signals that was not taken, and why.

    It does not apply, or it `refuses` what others play: then they are not equal.
    """

    name: str
    why: str
    refuses: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """Hold what was played and what was found."""

    plan: Plan
    ways: tuple[Compared, ...]
    opinions: tuple[SignalFinding, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def is_equal(self) -> bool:
        """Tell whether all ways are equal and nothing speaks against the signals."""
        parted = any(one.difference for one in self.ways)
        refused = any(one.refuses for one in self.left_out)
        return not (parted or refused) and all(one.holds for one in self.opinions)


def check_parity(options: ParityOptions, tell: Callable[[str], None]) -> Parity:
    """Play a configuration in every way that applies, and compare the ways.

    Args:
        options: what to play.
        tell: takes a line for people, where something takes its time or another way.

    Raises:
        InputError: configuration, data or signals cannot be used.
    """
    loaded = load_config(options.config, {"seed": options.seed}, data=options.data)
    plan = make_plan(loaded, "parity")
    _require_one_on_bars(plan)
    return compare_ways(cut_to(plan, options.bars), options.bars, tell)


def _require_one_on_bars(plan: Plan) -> None:
    """Refuse what cannot be cut and compared bar by bar.

    Raises:
        ConfigError: it runs on ticks, or is more than one strategy on the bars of its data.
    """
    lanes = plan.lanes
    if plan.ticks:
        raise ConfigError("parity plays bars only: data.ticks cannot be compared")
    if plan.others or len(lanes) > 1 or lanes[0].timeframe is not plan.bars.timeframe:
        raise ConfigError(
            f"parity compares one strategy on the {plan.bars.timeframe.name} bars of its data; "
            f"this configuration runs {plan.title}"
        )


def compare_ways(plan: Plan, live_bars: int | None, tell: Callable[[str], None]) -> Parity:
    """Play a plan in every way that applies, and compare the ways.

    Args:
        plan: what to play.
        live_bars: how many bars the live runner plays at most; None: `LIVE_BARS`.
        tell: takes a line for people.

    Raises:
        StrategyError: the signals are of the wrong shape or mean nothing.
    """
    tell(_begin(BACKTEST, plan))
    reference = play_backtest(plan, tell)
    kernels, why_not = _kernels(plan, tell)
    live, refused = _live(plan, reference, live_bars or LIVE_BARS, tell)
    ways = [
        Compared(played=reference, is_reference=True),
        *(_compared(reference, played) for played in kernels),
        *live,
    ]
    opinions, unstated = _opinions(plan, stated_signals(plan), tell)
    left_out = (*why_not, *refused, *unstated)
    return Parity(plan=plan, ways=tuple(ways), opinions=opinions, left_out=left_out)


def cut_to(plan: Plan, count: int | None) -> Plan:
    """Return a plan over its first bars.

    Raises:
        ConfigError: fewer than two bars would be left, and nothing would be traded.
    """
    if count is None or count >= len(plan.bars):
        return plan
    if count < 2:
        raise ConfigError(f"--bars {count}: a decision needs a bar after it; give at least 2")
    return replace(plan, bars=plan.bars[:count])


def _live(
    plan: Plan, reference: PlayedWay, most: int, tell: Callable[[str], None]
) -> tuple[tuple[Compared, ...], tuple[LeftOut, ...]]:
    """Play live, and where that is over fewer bars, as many in the backtest to compare with."""
    short = cut_to(plan, most)
    mine: tuple[Compared, ...] = ()
    if len(short.bars) < len(plan.bars):
        tell(
            f"live is played over the first {most:,} of {len(plan.bars):,} bars, and compared with "
            "a backtest over the same; --bars says how many"
        )
        reference = play_backtest(short, tell)
        mine = (Compared(played=reference, is_reference=True),)
    tell(f"{_begin(LIVE, short)} through the terminal's calls; 100,000 take a minute or two")
    try:
        played = play_live(short, tell)
    except (HaltError, RetryableError, SymbolNotFoundError) as error:
        return mine, (LeftOut(name=LIVE, why=str(error), refuses=True),)
    return (*mine, _compared(reference, played)), ()


def _kernels(
    plan: Plan, tell: Callable[[str], None]
) -> tuple[list[PlayedWay], tuple[LeftOut, ...]]:
    stage, against = kernel_stage(plan)
    if stage is None:
        why = "; ".join(against)
        return [], tuple(LeftOut(name=way, why=why) for way in (INTERPRETED, COMPILED))
    job, series = stage
    said = ask_plan(plan, series)
    tell(_begin(INTERPRETED, plan))
    played = [play_kernel(plan, job, said, interpreted=True)]
    about = news()
    if not is_available():
        return played, (LeftOut(name=COMPILED, why=about),)
    tell(about or _begin(COMPILED, plan))
    first = cut_to(plan, 2)  # compiles, so that the seconds of the run are its own
    play_kernel(first, kernel_job(first)[0], _cut_short(said, 2), interpreted=False)
    return [*played, play_kernel(plan, job, said, interpreted=False)], ()


def _cut_short(said: Said, count: int) -> Said:
    strengths = said.strengths
    return Said(said.directions[:count], None if strengths is None else strengths[:count])


def _opinions(
    plan: Plan, said: Signals | None, tell: Callable[[str], None]
) -> tuple[tuple[SignalFinding, ...], tuple[LeftOut, ...]]:
    if said is None:
        why = "the strategy states no signals, on_bar alone speaks"
        return (), tuple(LeftOut(name=name, why=why) for name in (SAME, NO_AHEAD))
    tell("looking at the strategy's signals")
    return (compare_with_on_bar(plan, said), look_ahead(plan, said)), ()


def _compared(reference: PlayedWay, played: PlayedWay) -> Compared:
    difference = first_difference(reference, played)
    return Compared(played=played, is_reference=False, difference=difference)


def _begin(way: str, plan: Plan) -> str:
    return f"{way}: {len(plan.bars):,} bars"
