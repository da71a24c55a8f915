"""A prop firm's stop closes all that was decided before it, also what is not shown yet."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from many_worlds import Lane, ManyWorld, many_venue
from worlds import DirectClient, LiveRun, Scripted, bars_of, stop_and_target

from mtquant.model import Direction, IntentAction, IntentState, MarginMode, Timeframe
from mtquant.risk import BreakerSpec, RiskLimits
from mtquant.terminal.simulated import SimulatedTerminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from mtquant.terminal.simulated import SimulatedServer

LONG = Direction.LONG
STOP_AT = (7, 1)  # bar and point
OLD, YOUNG = [None, LONG], [*[None] * 6, LONG]  # the second one's position is as old as the bar
LATER = [*[None] * 10, LONG]


def a_world(*scripts: list[Direction | None]) -> ManyWorld:
    """Return a world in which each strategy opens what its script says."""
    lanes = [
        Lane(
            name=f"lane{number}",
            symbol="EURUSD",
            timeframe=Timeframe.M1,
            strategy=lambda script=script: Scripted(script),
            exits=lambda: [stop_and_target(stop_points=1_000)],
        )
        for number, script in enumerate(scripts)
    ]
    return ManyWorld(
        lanes=lanes,
        bars=bars_of([110_000] * 16, timeframe=Timeframe.M1),
        venue=many_venue(mode=MarginMode.HEDGING, always_open=True),
        limits=RiskLimits(max_positions=3, breaker=BreakerSpec()),
    )


def showing_after(minutes: int) -> Callable[[Any, SimulatedServer], Any]:
    """Return a wrapper that shows positions only so many minutes after they were opened."""

    def wrap(terminal: Any, server: SimulatedServer) -> Any:
        def positions_get() -> Any:
            now_ms = server.market.venue.clock.to_server_ms(server.now_ms)
            old_ms = now_ms - minutes * 60_000
            return tuple(one for one in terminal.positions_get() if one.time_msc < old_ms)

        return _Showing(terminal, positions_get)

    return wrap


class _Showing(SimpleNamespace):
    def __init__(self, terminal: Any, positions_get: Callable[[], Any]) -> None:
        super().__init__(terminal=terminal, positions_get=positions_get)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.terminal, name)


def stopping(run: LiveRun) -> None:
    """Ask for a cut of everything, as a prop firm's rule does."""
    if (run.market.bar, run.market.step) == STOP_AT:
        run.engine.losses._stop_tag = "prop:1"


def closes(run: LiveRun) -> list[tuple[str, IntentState]]:
    rows = run.journal.intents()
    return [(r.intent.reason, r.state) for r in rows if r.intent.action is IntentAction.CLOSE]


@pytest.mark.parametrize("minutes", [0, 1])
@pytest.mark.parametrize("scripts", [(OLD, YOUNG), (YOUNG,)])
def test_closing_all_closes_what_shows_only_after_it_began(
    scripts: tuple[list[Direction | None], ...], minutes: int
) -> None:
    run = a_world(*scripts).live(wrap=showing_after(minutes), on_step=stopping, client=DirectClient)

    assert run.market.book.positions() == ()
    assert closes(run) == [("loss limit", IntentState.DONE)] * len(scripts)
    assert run.engine.losses.cut is None


def test_closing_all_leaves_what_a_later_entry_opens() -> None:
    run = a_world(OLD, LATER).live(on_step=stopping, client=DirectClient)

    entry = run.journal.intents()[-1]
    assert entry.intent.action is IntentAction.OPEN
    assert [one.intent_id for one in run.market.book.positions()] == [entry.intent_id]
    assert run.engine.losses.cut is None


def test_closing_all_goes_on_in_a_new_process_with_what_was_decided_before_it() -> None:
    def on_step(run: LiveRun) -> None:
        stopping(run)
        if (run.market.bar, run.market.step) == (STOP_AT[0], STOP_AT[1] + 1):
            run.runner.stop()

    world = a_world(OLD, YOUNG, LATER)
    first = LiveRun(world, wrap=showing_after(1), on_step=on_step, client=DirectClient)
    first.run()
    assert len(first.market.book.positions()) == 1  # the one that was not shown

    second = LiveRun(
        world,
        journal=first.journal,
        wrap=lambda *_: showing_after(1)(SimulatedTerminal(first.server), first.server),
        client=DirectClient,
    )
    second.server, second.market = first.server, first.market
    second.run()

    entry = second.journal.intents()[-1]
    assert entry.intent.action is IntentAction.OPEN
    assert [one.intent_id for one in second.market.book.positions()] == [entry.intent_id]
    assert closes(second) == [("loss limit", IntentState.DONE)] * 2
    assert second.engine.losses.cut is None
