"""Whether a strategy's `signals` say what its `on_bar` says, and know nothing of later bars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from mtquant.app.parity.words import moment, seconds_since
from mtquant.model import Signal, SystemClock
from mtquant.strategy import CODES, DIRECTIONS, NOTHING, BarsView, Columns, Series, require_signals

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from mtquant.app.wiring import Plan
    from mtquant.strategy import Signals

SAME: Final = "signals as on_bar"
NO_AHEAD: Final = "no look-ahead"

_ANYWHERE: Final = 32
"""How many cuts are made at bars that are drawn by the seed."""
_ROWS: Final = 200_000_000
"""How many bars may be looked at for all cuts together: some five seconds of a usual strategy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalFinding:
    """Hold what was found about a strategy's signals.

    `finding` says in words where they fail, empty if they do not; `bar` is that bar's row.
    """

    name: str
    about: str
    seconds: float
    finding: str = ""
    bar: int | None = None

    @property
    def holds(self) -> bool:
        """Tell whether nothing was found."""
        return not self.finding


def stated_signals(plan: Plan, count: int | None = None) -> Signals | None:
    """Return what a new strategy states about the first `count` bars, None if it states nothing.

    Raises:
        StrategyError: the signals are of the wrong shape or mean nothing.
    """
    bars = plan.bars[:count]
    strategy = plan.strategy()
    said = strategy.signals(Columns(Series.over(bars)))
    return None if said is None else require_signals(said, len(bars), type(strategy).__name__)


def compare_with_on_bar(plan: Plan, said: Signals) -> SignalFinding:
    """Ask `on_bar` about every bar, and compare."""
    started_ms = SystemClock().now_ms()
    strategy, view = plan.strategy(), BarsView(Series.over(plan.bars))
    strategy.on_start(view)
    at_odds: list[int] = []
    words = ""
    for bar, code in enumerate(said.tolist()):
        view.index = bar
        signal = strategy.on_bar(view)
        if _code(signal) == code and (signal is None or signal.strength == 1.0):
            continue
        if not at_odds:
            words = f"{_bar(plan, bar)}: on_bar says {_wish(signal)}, signals say {_word(code)}"
        at_odds.append(bar)
    if len(at_odds) > 1:
        words += f"; they are at odds at {len(at_odds):,} bars"
    return SignalFinding(
        name=SAME,
        about=f"asked at {len(said):,} bars",
        seconds=seconds_since(started_ms),
        finding=words,
        bar=at_odds[0] if at_odds else None,
    )


def look_ahead(plan: Plan, said: Signals) -> SignalFinding:
    """Cut the bars off behind many of them, and look whether signals before the cut change."""
    started_ms = SystemClock().now_ms()
    places = np.flatnonzero(said) + 1
    cuts = cut_points(len(said), places, plan.config.seed)
    finding, bar = "", None
    for cut in cuts:
        shown = stated_signals(plan, cut)
        if shown is None:
            finding = f"the strategy states no signals about the first {cut:,} bars, but about all"
            break
        changed = np.flatnonzero(shown != said[:cut])
        if len(changed):
            bar = int(changed[0])
            finding = _changed(plan, bar, cut, int(said[bar]), int(shown[bar]))
            break
    tried = int(np.isin(places, cuts).sum())
    return SignalFinding(
        name=NO_AHEAD,
        about=f"cut at {len(cuts):,} bars, {tried:,} of {len(places):,} signals among them",
        seconds=seconds_since(started_ms),
        finding=finding,
        bar=bar,
    )


def cut_points(count: int, places: NDArray[np.int64], seed: int) -> list[int]:
    """Return how many bars to keep at each cut, rising: behind every signal, and anywhere.

    Where that would be too much to look at, a part of the signals is drawn.
    """
    chance = np.random.default_rng([seed, count])
    room = max(_ANYWHERE, 2 * _ROWS // max(1, count))
    if len(places) > room:
        places = chance.choice(places, room, replace=False)
    anywhere: Iterable[int] = chance.integers(1, count + 1, _ANYWHERE).tolist()
    return sorted({*places.tolist(), *anywhere})


def _changed(plan: Plan, bar: int, cut: int, with_all: int, with_some: int) -> str:
    until = moment(int(plan.bars.time_ms[cut - 1]))
    return (
        f"{_bar(plan, bar)}: signals say {_word(with_all)} where all bars are shown, and "
        f"{_word(with_some)} where the first {cut:,} are, up to {until}: they look ahead"
    )


def _code(signal: Signal | None) -> int:
    return NOTHING if signal is None else CODES[signal.direction]


def _word(code: int) -> str:
    return DIRECTIONS[code].name if code in DIRECTIONS else "nothing"


def _wish(signal: Signal | None) -> str:
    if signal is None:
        return "nothing"
    weight = "" if signal.strength == 1.0 else f" with strength {signal.strength:g}"
    why = f" ({signal.reason})" if signal.reason else ""
    return f"{signal.direction.name}{weight}{why}"


def _bar(plan: Plan, bar: int) -> str:
    return f"bar {bar}, {moment(int(plan.bars.time_ms[bar]))} UTC"
