"""What a strategy says against something that is not shown, or shown wrongly, is not lost."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from cut_worlds import MINUTES, answer, falling, volume_of
from many_worlds import Lane, ManyWorld, many_venue, ticks_at
from worlds import (
    DirectClient,
    Faulty,
    LiveRun,
    MovingExit,
    Scripted,
    Successor,
    World,
    make_venue,
    silent,
    stop_and_target,
)

from mtquant.data import minute_bars
from mtquant.model import (
    Direction,
    IntentAction,
    IntentState,
    MarginMode,
    Side,
    Timeframe,
)
from mtquant.storage import MemoryJournal

if TYPE_CHECKING:
    from collections.abc import Callable

    from mtquant.model import Signal
    from mtquant.strategy import TickView

LONG, SHORT, FLAT = Direction.LONG, Direction.SHORT, Direction.FLAT
MINUTE_MS = 60_000


class SaysAtTicks(Scripted):
    """Say at ticks what a table says, by their number."""

    def __init__(self, table: dict[int, Direction]) -> None:
        super().__init__([])
        self._table, self._count = table, 0

    def on_tick(self, ticks: TickView) -> Signal | None:
        """Say it."""
        self._count += 1
        wanted = self._table.get(self._count)
        return None if wanted is None else self.tick_signal(ticks, wanted)


def mover() -> MovingExit:
    """Return exits that ask at each bar to move the stop a point nearer."""
    return MovingExit(200, lambda one, _bars: (one.stop_loss_points or 0) + one.side.value)


def ticking(table: dict[int, Direction], exits: Callable[[], Any] | None = None) -> ManyWorld:
    """Return a world with a tick every two seconds."""
    ticks = ticks_at(*((1 + 2 * number, 110_000 + number % 3) for number in range(200)))
    lane = Lane(
        name="one",
        symbol="EURUSD",
        timeframe=Timeframe.M1,
        strategy=lambda: SaysAtTicks(table),
        exits=exits or (lambda: [stop_and_target(stop_points=200)]),
    )
    return ManyWorld(
        bars=minute_bars(ticks), ticks=[ticks], lanes=[lane], venue=many_venue(always_open=True)
    )


class Placed:
    """Answer the first entry, or the first close, that it is placed, and fill it later."""

    def __init__(self, delay_ms: int, *, is_close: bool = False, fraction: float = 1.0) -> None:
        self._delay_ms, self._is_close, self._fraction = delay_ms, is_close, fraction
        self._due: tuple[int, Callable[[], Any]] | None = None
        self._is_met = False

    def __call__(self, terminal: Any, server: Any) -> Any:
        """Wrap a terminal."""

        def order_send(order: dict[str, Any]) -> Any:
            is_one = ("position" in order) is self._is_close and "volume" in order
            if self._is_met or not is_one:
                return terminal.order_send(order)
            self._is_met = True
            part = order | {"volume": round(self._fraction * order["volume"], 2)}
            self._due = server.now_ms + self._delay_ms, lambda: terminal.order_send(part)
            return answer(10008)

        return Faulty(terminal, order_send=order_send)

    def on_step(self, run: LiveRun) -> None:
        """Fill it when it is due."""
        if self._due is not None and run.now_ms() >= self._due[0]:
            (_, fill), self._due = self._due, None
            assert fill().retcode == 10009


def play(world: World, placed: Placed) -> LiveRun:
    """Run with an order that is filled later."""
    return world.live(client=DirectClient, wrap=placed, on_step=placed.on_step)


# ---------------------------------------------------------------------- entries not shown yet


@pytest.mark.parametrize("delay_ms", [1_000, 5_000, 40_000])
@pytest.mark.parametrize("then", [FLAT, SHORT])
def test_a_signal_against_an_entry_that_is_on_its_way_closes_what_comes_of_it(
    delay_ms: int, then: Direction
) -> None:
    run = play(ticking({10: LONG, 11: then}), Placed(delay_ms))

    assert all(one.side is Side.SELL for one in run.market.book.positions())
    assert IntentAction.CLOSE in {row.intent.action for row in run.journal.intents()}


def test_a_signal_for_an_entry_that_is_on_its_way_closes_nothing() -> None:
    run = play(ticking({10: LONG, 11: LONG}), Placed(5_000))

    assert len(run.market.book.positions()) == 1
    assert {row.intent.action for row in run.journal.intents()} == {IntentAction.OPEN}


def test_a_newer_signal_for_the_entry_keeps_it() -> None:
    run = play(ticking({10: LONG, 11: FLAT, 12: LONG}), Placed(20_000))

    assert len(run.market.book.positions()) == 1


@pytest.mark.parametrize("delay_ms", [40_000, 58_000, 70_000])
def test_an_exit_of_a_bar_waits_for_an_entry_that_fills_after_it(delay_ms: int) -> None:
    world = World(bars=MINUTES, strategy=lambda: Scripted([None, LONG, FLAT]))
    run = play(world, Placed(delay_ms))

    assert run.market.book.positions() == ()


@pytest.mark.parametrize("readings", [1, 3])
def test_an_exit_waits_for_a_position_that_a_reading_leaves_out(readings: int) -> None:
    left = [readings]

    def wrap(terminal: Any, server: Any) -> Any:
        def positions_get(*args: Any, **kwargs: Any) -> Any:
            if server.market.bar == 4 and left[0]:
                left[0] -= 1
                return ()
            return terminal.positions_get(*args, **kwargs)

        return Faulty(terminal, positions_get=positions_get)

    world = World(bars=MINUTES, strategy=lambda: Scripted([None, LONG, None, FLAT]))
    run = world.live(client=DirectClient, wrap=wrap)

    assert run.market.book.positions() == ()


def test_an_exit_whose_position_is_not_shown_for_too_long_is_told() -> None:
    def wrap(terminal: Any, server: Any) -> Any:
        def positions_get(*args: Any, **kwargs: Any) -> Any:
            return () if server.market.bar >= 4 else terminal.positions_get(*args, **kwargs)

        return Faulty(terminal, positions_get=positions_get)

    world = World(bars=MINUTES, strategy=lambda: Scripted([None, LONG, None, FLAT]))
    run = world.live(client=DirectClient, wrap=wrap)

    [held] = run.market.book.positions()
    [dropped] = run.named("exit_dropped")
    assert dropped.fields["position_ticket"] == held.position_ticket
    assert "not shown" in dropped.fields["reason"]


# ---------------------------------------------------------------------- shown too large


@pytest.mark.parametrize("lag_ms", [20_000, 40_000, 55_000])
@pytest.mark.parametrize("flat_at", [6, 7])
def test_an_exit_closes_what_a_cut_has_left_while_more_is_shown(lag_ms: int, flat_at: int) -> None:
    def wrap(terminal: Any, server: Any) -> Any:
        cut: dict[int, tuple[float, int]] = {}  # by ticket: what was there, until when it is shown

        def order_send(order: dict[str, Any]) -> Any:
            ticket = order.get("position")
            if ticket and "volume" in order and not cut:
                shown = volume_of(terminal, ticket)
                if order["volume"] < shown - 1e-9:
                    cut[ticket] = shown, server.now_ms + lag_ms
            return terminal.order_send(order)

        def positions_get(*args: Any, **kwargs: Any) -> Any:
            found = []
            for one in terminal.positions_get(*args, **kwargs):
                lots, until_ms = cut.get(one.ticket, (one.volume, 0))
                lots = lots if server.now_ms < until_ms else one.volume
                found.append(SimpleNamespace(**(one._asdict() | {"volume": lots})))
            return tuple(found)

        return Faulty(terminal, order_send=order_send, positions_get=positions_get)

    run = falling([None, LONG, *[None] * (flat_at - 2), FLAT]).live(client=DirectClient, wrap=wrap)

    assert run.market.book.positions() == ()


# ---------------------------------------------------------------------- closes that do not do it


@pytest.mark.parametrize("fraction", [0.25, 0.5])
def test_the_rest_of_an_exit_that_was_filled_in_part_is_closed_at_its_second_attempt(
    fraction: float,
) -> None:
    def wrap(terminal: Any, _server: Any) -> Any:
        met: list[int] = []

        def order_send(order: dict[str, Any]) -> Any:
            if "position" not in order or met:
                return terminal.order_send(order)
            met.append(1)
            part = order | {"volume": round(order["volume"] * fraction, 2)}
            return SimpleNamespace(**(terminal.order_send(part)._asdict() | {"retcode": 10010}))

        return Faulty(terminal, order_send=order_send)

    world = World(bars=MINUTES, strategy=lambda: Scripted([None, LONG, None, FLAT]))
    run = world.live(client=DirectClient, wrap=wrap)

    closes = [row for row in run.journal.intents() if row.intent.action is IntentAction.CLOSE]
    assert run.market.book.positions() == ()
    assert [(row.attempt, row.state) for row in closes] == [
        (1, IntentState.PARTIAL),
        (2, IntentState.DONE),
    ]
    first, second = closes
    assert second.intent.volume_units == first.intent.volume_units - first.filled_units


@pytest.mark.parametrize("again", [4, 5])
def test_an_exit_behind_a_close_that_comes_to_nothing_is_carried_out(again: int) -> None:
    def wrap(terminal: Any, _server: Any) -> Any:
        lost: list[int] = []

        def is_first_close(order: dict[str, Any]) -> bool:
            is_lost = "position" in order and not lost
            if is_lost:
                lost.append(1)
            return is_lost

        return silent(terminal, "order_send", is_first_close)

    script = [None, LONG, None, FLAT, *[None] * (again - 4), FLAT]
    world = World(bars=MINUTES, strategy=lambda: Scripted(script))
    run = world.live(client=DirectClient, wrap=wrap)

    assert run.market.book.positions() == ()


def test_a_close_that_was_kept_from_leaving_is_made_by_the_next_process_of_the_same_minute() -> (
    None
):
    runs: list[LiveRun] = []

    def wrap(terminal: Any, _server: Any) -> Any:
        def terminal_info() -> Any:
            told = terminal.terminal_info()._asdict()
            rows = runs[0].journal.intents() if runs else []
            if rows and rows[-1].intent.action is IntentAction.CLOSE:
                told["connected"] = False
                runs[0].runner.stop()
            return SimpleNamespace(**told)

        return Faulty(terminal, terminal_info=terminal_info)

    world = World(bars=MINUTES, strategy=lambda: Scripted([None, LONG, None, FLAT]))
    runs.append(LiveRun(world, client=DirectClient, wrap=wrap))
    runs[0].run()
    assert runs[0].journal.intents()[-1].never_left
    after = Successor(runs[0], client=DirectClient)
    after.run()

    assert after.market.book.positions() == ()
    assert after.journal.intents()[-1].attempt == 2


# ---------------------------------------------------------------------- entries that wait


@pytest.mark.parametrize("at", [70, 87, 88, 89])
def test_a_stop_that_is_moved_meanwhile_loses_no_entry_that_waits(at: int) -> None:
    world = ticking({10: LONG, at - 29: SHORT}, exits=lambda: [mover()])
    run = play(world, Placed(5_000, is_close=True))

    assert [one.side for one in run.market.book.positions()] == [Side.SELL]


def test_an_entry_that_waits_gives_way_to_a_newer_signal_and_is_told() -> None:
    world = ticking({10: LONG, 20: SHORT, 22: FLAT})
    run = play(world, Placed(20_000, is_close=True))

    assert run.market.book.positions() == ()
    assert "there is a newer decision" in [
        one.fields["reason"] for one in run.named("entry_dropped")
    ]


# ---------------------------------------------------------------------- bars at a reconnect


@pytest.mark.parametrize("fails_again", [False, True])
def test_a_bar_that_a_reconnect_has_read_decides_at_the_next_one_if_its_reading_failed(
    fails_again: bool,
) -> None:
    close_ms = int(MINUTES.time_ms[0]) + 4 * MINUTE_MS  # of the bar that says FLAT

    def wrap(terminal: Any, server: Any) -> Any:
        again = [fails_again]

        def is_away(*_args: Any, **_named: Any) -> bool:
            if server.now_ms <= close_ms:
                return close_ms - 20_000 <= server.now_ms
            fails, again[0] = again[0], False
            return fails

        return silent(terminal, "positions_get", is_away)

    world = World(bars=MINUTES, strategy=lambda: Scripted([None, LONG, None, FLAT]))
    run = world.live(client=DirectClient, wrap=wrap)

    assert run.market.book.positions() == ()
    assert run.named("signal_missed") == []


# ---------------------------------------------------------------------- newer signals


@pytest.mark.parametrize(("then", "count"), [(LONG, 1), (FLAT, 0)])
def test_the_rest_of_an_exit_stays_where_a_newer_signal_wants_it(
    then: Direction, count: int
) -> None:
    run = play(ticking({10: LONG, 20: FLAT, 25: then}), Placed(20_000, is_close=True, fraction=0.5))

    assert len(run.market.book.positions()) == count


def test_a_signal_that_waits_behind_a_close_that_is_done_gives_way_without_a_word() -> None:
    table = {10: LONG, 20: FLAT, 21: FLAT, 25: LONG}
    run = play(ticking(table), Placed(20_000, is_close=True))

    assert run.market.book.positions() == ()
    assert run.named("exit_dropped") == []


# ---------------------------------------------------------------------- a history that is cut


@pytest.mark.parametrize("is_cut", [False, True])
@pytest.mark.parametrize("is_journal_new", [False, True])
def test_an_exit_closes_all_that_is_held_however_far_back_the_history_goes(
    *, is_cut: bool, is_journal_new: bool
) -> None:
    def on_step(run: LiveRun) -> None:
        if (run.market.bar, run.market.step) == (6, 1):
            order = {"action": 1, "symbol": "EURUSD", "magic": 0}
            for kind, lots in ((0, 0.05), (1, 0.02)):
                done = run.terminal.order_send(order | {"type": kind, "volume": lots})
                assert done.retcode == 10009
        if (run.market.bar, run.market.step) == (8, 3):
            run.runner.stop()

    def wrap(terminal: Any, _server: Any) -> Any:
        def history_deals_get(*args: Any, **kwargs: Any) -> Any:
            found = terminal.history_deals_get(*args, **kwargs)
            return tuple(one for one in found if not (is_cut and one.magic and one.entry == 0))

        return Faulty(terminal, history_deals_get=history_deals_get)

    world = World(
        bars=MINUTES,
        strategy=lambda: Scripted([None, LONG, *[None] * 7, FLAT]),
        venue=make_venue(margin_mode=MarginMode.NETTING),
    )
    first = LiveRun(world, client=DirectClient, on_step=on_step)
    first.run()
    journal = MemoryJournal() if is_journal_new else None
    after = Successor(first, journal=journal, client=DirectClient, wrap=wrap)
    after.run()

    assert after.market.book.positions() == ()
