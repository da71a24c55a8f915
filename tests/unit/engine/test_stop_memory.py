"""Where a stop stood last is known over restarts, lost answers and views that lag."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from worlds import (
    DirectClient,
    LiveRun,
    MovingExit,
    Scripted,
    World,
    bars_of,
    make_venue,
    silent,
    stop_and_target,
    trailing,
)

from mtquant.engine.stop_guard import StopGuard
from mtquant.execution import QUIET_MS, Desk
from mtquant.model import (
    OVERTAKEN,
    BotIdentity,
    Direction,
    IntentAction,
    IntentRow,
    IntentState,
    MarginMode,
    OrderIntent,
    Position,
    Side,
)
from mtquant.terminal.simulated import SimulatedTerminal

if TYPE_CHECKING:
    from collections.abc import Callable

LONG, SHORT = Direction.LONG, Direction.SHORT
NETTING, HEDGING = MarginMode.NETTING, MarginMode.HEDGING
GONE = "stop loss was gone"
END_BAR = 8
HOUR_MS = 3_600_000

every_account = pytest.mark.parametrize("mode", [NETTING, HEDGING])
both_sides = pytest.mark.parametrize("direction", [LONG, SHORT])


def trailed_world(mode: MarginMode = HEDGING, direction: Direction = LONG) -> World:
    """Return a world whose stop is trailed over some bars, after which the market stands still."""
    step = 100 if direction is LONG else -100
    closes = [110_000, 110_000, *(110_000 + step * n for n in range(1, END_BAR - 1))]
    return World(
        bars=bars_of(closes + closes[-1:] * 6),
        strategy=lambda: Scripted([None, direction]),
        exits=lambda: [stop_and_target(stop_points=300), trailing(atr_period=1, distance_atr=1.0)],
        venue=make_venue(margin_mode=mode),
    )


class Process(LiveRun):
    """Be a process that ends at a step of a bar; `deeds` are done by hand at others."""

    def __init__(
        self,
        world: World,
        before: LiveRun | None = None,
        *,
        ends: tuple[int, int] = (-1, -1),
        deeds: dict[tuple[int, int], Callable[[LiveRun], None]] | None = None,
    ) -> None:
        def on_step(run: LiveRun) -> None:
            now = run.market.bar, run.market.step
            if now == ends:
                run.runner.stop()
            if deeds and now in deeds:
                deeds[now](run)

        if before is None:
            super().__init__(world, on_step=on_step)
            return
        super().__init__(
            world,
            journal=before.journal,
            wrap=lambda _terminal, _server: SimulatedTerminal(before.server),
            on_step=on_step,
        )
        self.server, self.market = before.server, before.market


def position_of(run: LiveRun) -> Position:
    (position,) = run.market.book.positions()
    return position


def set_stop(run: LiveRun, points: int | None) -> None:
    """Move the stop of the position by hand, or take it away."""
    request = {"action": 6, "symbol": "EURUSD", "position": position_of(run).position_ticket}
    price = {} if points is None else {"sl": points / 100_000}
    assert run.terminal.order_send(request | price).retcode == 10009


def strip(run: LiveRun) -> None:
    set_stop(run, None)


def rows_since(run: LiveRun, count: int) -> list[tuple[str, int | None]]:
    return [(r.intent.reason, r.intent.stop_loss_points) for r in run.journal.intents()[count:]]


# ---------------------------------------------------------------------- real processes


@every_account
@both_sides
def test_a_moved_stop_that_is_taken_away_while_the_bot_is_off_is_put_back_where_it_was(
    mode: MarginMode, direction: Direction
) -> None:
    world = trailed_world(mode, direction)
    first = Process(world, ends=(END_BAR, 1))
    first.run()
    opened, *moves = first.journal.intents()
    stood = position_of(first).stop_loss_points
    assert stood == moves[-1].intent.stop_loss_points != opened.intent.stop_loss_points
    strip(first)

    after = Process(world, first, ends=(END_BAR, 3))
    after.run()

    assert rows_since(after, 1 + len(moves)) == [(GONE, stood)]
    assert position_of(after).stop_loss_points == stood


@every_account
@both_sides
def test_a_stop_that_is_taken_away_again_after_a_restart_closes_the_position(
    mode: MarginMode, direction: Direction
) -> None:
    world = trailed_world(mode, direction)
    first = Process(world, ends=(END_BAR, 3), deeds={(END_BAR, 1): strip})
    first.run()
    assert first.journal.intents()[-1].intent.reason == GONE
    strip(first)

    after = Process(world, first)
    after.run()

    assert after.market.book.positions() == ()
    assert after.journal.intents()[-1].intent.reason == "no stop loss"


@every_account
@both_sides
def test_a_stop_that_a_person_moved_counts_more_than_the_journal_once_a_reading_shows_it(
    mode: MarginMode, direction: Direction
) -> None:
    world = trailed_world(mode, direction)
    first = Process(world, ends=(END_BAR, 1))
    first.run()
    count = len(first.journal.intents())
    by_hand = (position_of(first).stop_loss_points or 0) - 50 * (1 if direction is LONG else -1)
    set_stop(first, by_hand)

    after = Process(world, first, ends=(END_BAR, 3), deeds={(END_BAR, 2): strip})
    after.run()

    assert rows_since(after, count) == [(GONE, by_hand)]


@every_account
@both_sides
def test_a_stop_that_a_person_moved_is_seen_when_nothing_else_happens(
    mode: MarginMode, direction: Direction
) -> None:
    moved = []

    def move(run: Process) -> None:
        away = 50 * (1 if direction is LONG else -1)
        moved.append((position_of(run).stop_loss_points or 0) - away)
        set_stop(run, moved[0])

    deeds = {(END_BAR, 1): move, (END_BAR, 2): strip}
    run = Process(trailed_world(mode, direction), ends=(END_BAR, 3), deeds=deeds)
    run.run()

    last = run.journal.intents()[-1].intent
    assert (last.reason, last.stop_loss_points) == (GONE, moved[0])


def test_a_stop_that_nobody_moved_is_put_back_at_the_entrys_after_a_restart() -> None:
    world = replace(trailed_world(), exits=lambda: [stop_and_target(stop_points=300)])
    first = Process(world, ends=(END_BAR, 1))
    first.run()
    (opened,) = first.journal.intents()
    strip(first)

    after = Process(world, first)
    after.run()

    assert rows_since(after, 1) == [(GONE, opened.intent.stop_loss_points)]


# ---------------------------------------------------------------------- what the guard believes

TICKET = 7
IDENTITY = BotIdentity()
OPENED = IDENTITY.intent_id(1)
STOPS = {Side.BUY: (109_700, 109_900), Side.SELL: (110_300, 110_100)}  # the entry's, a nearer one
both = pytest.mark.parametrize("side", list(Side))


def row(sequence: int, side: Side, stop: int, state: IntentState, ms: int = 0) -> IntentRow:
    """Return the entry (sequence 1), or a move of its stop."""
    action = IntentAction.OPEN if sequence == 1 else IntentAction.MODIFY
    return IntentRow(
        intent_id=IDENTITY.intent_id(sequence),
        intent=OrderIntent(
            strategy_id="test",
            symbol="EURUSD",
            action=action,
            side=side,
            volume_units=10_000_000,
            trigger=f"bar:{sequence}",
            decided_ms=ms,
            deadline_ms=ms,
            stop_loss_points=stop,
            position_ticket=0 if sequence == 1 else TICKET,
        ),
        state=state,
        created_ms=ms,
        updated_ms=ms,
        filled_units=10_000_000 if sequence == 1 else 0,
    )


def held(side: Side, stop: int | None) -> Position:
    return Position(
        position_ticket=TICKET,
        symbol="EURUSD",
        side=side,
        volume_units=10_000_000,
        open_points=110_000,
        open_ms=0,
        current_points=110_000,
        current_ms=0,
        stop_loss_points=stop,
        take_profit_points=None,
        profit_minor=0,
        swap_minor=0,
        digits=5,
        contract_size=100_000,
        intent_id=OPENED,
    )


def guard_of(*rows: IntentRow) -> tuple[Desk, StopGuard]:
    desk = Desk(IDENTITY)
    desk.restore(rows)
    return desk, StopGuard(desk)


def last_stop(guard: StopGuard, side: Side, now_ms: int = 0) -> int:
    (bare,) = guard.look([held(side, None)], now_ms)
    return bare.stop_points


@both
def test_of_several_moves_the_newest_that_was_done_counts_also_where_it_is_wider(
    side: Side,
) -> None:
    wide, near = STOPS[side]
    done = IntentState.DONE
    _, guard = guard_of(
        row(1, side, wide, done), row(2, side, near, done), row(3, side, wide, done)
    )

    assert last_stop(guard, side) == wide


@both
def test_a_move_that_was_refused_counts_for_nothing(side: Side) -> None:
    wide, near = STOPS[side]
    refused = row(2, side, near, IntentState.REJECTED)
    _, guard = guard_of(row(1, side, wide, IntentState.DONE), refused)

    assert last_stop(guard, side) == wide


@both
@pytest.mark.parametrize("is_nearer", [True, False])
def test_of_a_move_without_an_answer_and_the_stop_before_it_the_nearer_one_is_put_back(
    side: Side, is_nearer: bool
) -> None:
    wide, near = STOPS[side]
    before, moved = (wide, near) if is_nearer else (near, wide)
    unanswered = row(2, side, moved, IntentState.NOTSENT)
    _, guard = guard_of(row(1, side, before, IntentState.DONE), unanswered)

    assert last_stop(guard, side) == near


@both
def test_a_move_that_a_close_overtook_may_stand_where_the_order_opened_its_position_again(
    side: Side,
) -> None:
    wide, near = STOPS[side]
    overtaken = replace(row(2, side, near, IntentState.REJECTED), detail=OVERTAKEN)
    _, guard = guard_of(row(1, side, wide, IntentState.DONE), overtaken)

    assert last_stop(guard, side) == near


@both
def test_what_a_reading_shows_after_a_move_was_given_up_counts(side: Side) -> None:
    wide, near = STOPS[side]
    given_up = row(2, side, near, IntentState.NOTSENT)
    _, guard = guard_of(row(1, side, wide, IntentState.DONE), given_up)

    assert guard.look([held(side, wide)], QUIET_MS) == []

    assert last_stop(guard, side, QUIET_MS) == wide


@both
def test_a_move_that_was_confirmed_counts_before_any_reading_shows_it(side: Side) -> None:
    wide, near = STOPS[side]
    desk, guard = guard_of(row(1, side, wide, IntentState.DONE))
    guard.look([held(side, wide)], 0)
    desk.restore([row(2, side, near, IntentState.DONE)])

    assert last_stop(guard, side) == near


@both
@pytest.mark.parametrize(("after_ms", "is_old_news"), [(0, True), (QUIET_MS, False)])
def test_a_view_that_lags_behind_a_move_does_not_bring_the_old_stop_back(
    side: Side, after_ms: int, is_old_news: bool
) -> None:
    wide, near = STOPS[side]
    desk, guard = guard_of(row(1, side, wide, IntentState.DONE))
    guard.look([held(side, wide)], 0)
    desk.restore([row(2, side, near, IntentState.DONE)])

    guard.look([held(side, wide)], after_ms)

    assert last_stop(guard, side, after_ms) == (near if is_old_news else wide)


def test_a_stop_that_is_shown_again_after_a_reading_without_the_position_is_remembered() -> None:
    wide, near = STOPS[Side.BUY]
    _, guard = guard_of(row(1, Side.BUY, wide, IntentState.DONE))
    guard.look([held(Side.BUY, near)], 0)
    guard.look([], 1_000)

    assert last_stop(guard, Side.BUY, 2_000) == near


# ---------------------------------------------------------------------- what strategies ask for


def loosening() -> MovingExit:
    """Return exits that ask at each bar for a stop that is farther away than the last one."""
    return MovingExit(300, lambda one, bars: bars.points.close[-1] - one.side.value * 5_000)


@both_sides
def test_a_lost_stop_whose_return_is_not_answered_is_not_moved_away_meanwhile(
    direction: Direction,
) -> None:
    world = replace(trailed_world(direction=direction), exits=lambda: [loosening()])
    before: list[int | None] = []

    def wrap(terminal: Any, _server: Any) -> Any:
        lost: list[int] = []

        def is_first_move(order: dict[str, Any]) -> bool:
            is_lost = order["action"] == 6 and order.get("magic", 0) > 0 and not lost
            if is_lost:
                lost.append(1)
            return is_lost

        return silent(terminal, "order_send", is_first_move)

    def on_step(run: LiveRun) -> None:
        if (run.market.bar, run.market.step) == (END_BAR + 1, 0):
            before.append(position_of(run).stop_loss_points)
            strip(run)

    run = world.live(client=DirectClient, wrap=wrap, on_step=on_step)

    asked = [
        row.intent for row in run.journal.intents() if row.intent.stop_loss_points != before[0]
    ]
    assert {one.action for one in asked} <= {IntentAction.OPEN, IntentAction.CLOSE}
    assert [one.stop_loss_points for one in run.market.book.positions()] in ([], before)
