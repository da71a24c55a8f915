"""Nothing is held over a break by a firm's rule, whatever became of the bar that says so first."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from cut_worlds import answer
from many_worlds import Lane, ManyWorld, ticks_at
from risk_rooms import prop_rules
from worlds import (
    MONDAY_MS,
    DirectClient,
    Faulty,
    LiveRun,
    Scripted,
    World,
    bars_of,
    make_venue,
    require_same_books,
    stop_and_target,
)

from mtquant.data import minute_bars
from mtquant.engine import Engine
from mtquant.engine.loss_watch import LossWatch
from mtquant.model import Direction, IntentAction, Timeframe
from mtquant.risk.prop import (
    DailyBase,
    DailyLoss,
    PropClock,
    PropGuard,
    WeekendRule,
)

if TYPE_CHECKING:
    from mtquant.strategy import Series

LONG = Direction.LONG
HOUR_MS = 3_600_000
FRIDAY_MS = MONDAY_MS + 4 * 24 * HOUR_MS
LAST_CLOSE_MS = FRIDAY_MS + 23 * HOUR_MS  # of the last bar before the weekend that can still sell
RULES = prop_rules(
    daily_loss=DailyLoss(base=DailyBase.BALANCE, allowance_fraction=0.5),
    weekend=WeekendRule(may_hold=False),
)


def ruled(made: Engine, world: World) -> Engine:
    """Return an engine of the same parts, under the firm's rules."""
    guard = PropGuard(RULES, 1_000_000, PropClock(RULES.day, world.venue.clock), 0.0)
    losses = LossWatch(world.limits, world.venue.clock, guard)
    return Engine(made.slots, made.risk, made.desk, made.portfolio, losses=losses)


class Flat(World):
    """Be a world whose firm forbids to hold over the weekend."""

    def engine(self, series: Series) -> Engine:
        """Return an engine over a series."""
        return ruled(super().engine(series), self)


def friday(**options: Any) -> LiveRun:
    """Run from the begin of a Friday to the end of its trading."""
    world = Flat(
        bars=bars_of([110_000] * 24, first_ms=FRIDAY_MS),
        strategy=lambda: Scripted([None, LONG]),
        exits=lambda: [stop_and_target(stop_points=2_000)],
        venue=make_venue(sessions=("", *("00:00-24:00",) * 5, "")),
        outages=options.pop("outages", ()),
    )
    return world.live(client=DirectClient, **options)


def closes(run: LiveRun) -> list[str]:
    """Return why closes were asked for."""
    rows = run.journal.intents()
    return [row.intent.reason for row in rows if row.intent.action is IntentAction.CLOSE]


def refusing(count: int) -> Any:
    """Return a wrapper that refuses the first closes."""

    def wrap(terminal: Any, _server: Any) -> Any:
        refused: list[int] = []

        def order_send(order: dict[str, Any]) -> Any:
            if "position" not in order or len(refused) == count:
                return terminal.order_send(order)
            refused.append(1)
            return answer(10006)

        return Faulty(terminal, order_send=order_send)

    return wrap


def test_the_bar_decides_where_nothing_hinders_it() -> None:
    run = friday()

    assert run.market.book.positions() == ()
    assert closes(run) == ["flat before break"]


def test_what_a_missed_bar_was_to_close_is_closed_when_the_link_is_back() -> None:
    run = friday(outages=[(LAST_CLOSE_MS - 60_000, LAST_CLOSE_MS + 5 * 60_000)])

    assert run.market.book.positions() == ()


@pytest.mark.parametrize("count", [1, 2])
def test_a_close_that_is_refused_is_asked_for_again(count: int) -> None:
    run = friday(wrap=refusing(count))

    assert run.market.book.positions() == ()
    assert len(closes(run)) == count + 1


@pytest.mark.parametrize(
    ("hour", "minute", "is_to_leave"),
    [
        (22, 59, False),
        (23, 0, False),  # the bar that has just closed decides first
        (23, 30, True),
        (24, 0, False),  # the market is shut
        (48 + 24, 0, False),  # it has opened again
        (48 + 24, 30, False),
    ],
)
def test_positions_are_left_while_the_market_is_open_and_a_break_comes(
    hour: int, minute: int, *, is_to_leave: bool
) -> None:
    world = Flat(
        bars=bars_of([110_000] * 24, first_ms=FRIDAY_MS),
        strategy=lambda: Scripted([]),
        venue=make_venue(sessions=("", *("00:00-24:00",) * 5, "")),
    )
    engine = world.backtest_engine()
    room: Any = engine._room

    at_ms = FRIDAY_MS + hour * HOUR_MS + minute * 60_000
    assert room.must_leave(engine.slots[0], at_ms) is is_to_leave


@pytest.mark.parametrize(
    ("session", "timeframe", "count"),
    [("00:00-22:00", Timeframe.H4, 6), ("00:00-23:55", Timeframe.H1, 24)],
)
def test_nothing_is_left_before_the_bar_that_decides_it(
    session: str, timeframe: Timeframe, count: int
) -> None:
    world = Flat(
        bars=bars_of([110_000] * count, first_ms=FRIDAY_MS, timeframe=timeframe),
        strategy=lambda: Scripted([None, LONG]),
        exits=lambda: [stop_and_target(stop_points=2_000)],
        venue=make_venue(sessions=("", *(session,) * 5, "")),
    )
    market, _ = world.backtest()

    require_same_books(world.live(client=DirectClient).market, market)


class FlatAtTicks(ManyWorld):
    """Be a world of ticks whose firm forbids to hold over the weekend."""

    def live_engine(self) -> Engine:
        """Return an engine for a live run."""
        return ruled(super().live_engine(), self)


def ten_minutes() -> FlatAtTicks:
    """Return a world with a tick a second that trades for ten minutes a week."""
    ticks = ticks_at(*((1 + number, 110_000 + number % 3) for number in range(599)))
    lane = Lane(
        name="one",
        symbol="EURUSD",
        timeframe=Timeframe.M1,
        strategy=lambda: Scripted([None, LONG]),
        exits=lambda: [stop_and_target(stop_points=200)],
    )
    venue = make_venue(sessions=("", "00:00-00:10", *("",) * 5))
    return FlatAtTicks(bars=minute_bars(ticks), ticks=[ticks], lanes=[lane], venue=venue)


def test_a_halt_that_cannot_close_is_read_for_no_more_often_than_its_pauses_say() -> None:
    read_ms: list[int] = []

    def wrap(terminal: Any, server: Any) -> Any:
        def order_send(order: dict[str, Any]) -> Any:
            return answer(10006) if "position" in order else terminal.order_send(order)

        def history_deals_get(*args: Any, **kwargs: Any) -> Any:
            read_ms.append(server.now_ms)
            return terminal.history_deals_get(*args, **kwargs)

        return Faulty(terminal, order_send=order_send, history_deals_get=history_deals_get)

    asked: list[int] = []

    def on_step(run: LiveRun) -> None:
        if run.now_ms() >= MONDAY_MS + 180_000 and not asked:
            asked.append(3)
            run.journal.request_halt(3, "ann", "out", run.now_ms())

    run = ten_minutes().live(client=DirectClient, wrap=wrap, on_step=on_step)

    assert len(run.market.book.positions()) == 1
    assert 5 < sum(one > MONDAY_MS + 180_000 for one in read_ms) < 30


def test_what_deals_have_closed_is_not_closed_again_while_it_is_shown() -> None:
    sent: list[float] = []

    def wrap(terminal: Any, server: Any) -> Any:
        held: dict[int, tuple[Any, int]] = {}

        def order_send(order: dict[str, Any]) -> Any:
            if "position" not in order or "volume" not in order:
                return terminal.order_send(order)
            sent.append(order["volume"])
            if held:
                return terminal.order_send(order)
            held.update(
                {one.ticket: (one, server.now_ms + 40_000) for one in terminal.positions_get()}
            )
            half = order | {"volume": round(order["volume"] / 2, 2)}
            return SimpleNamespace(**(terminal.order_send(half)._asdict() | {"retcode": 10010}))

        def positions_get(*args: Any, **kwargs: Any) -> Any:
            found = {one.ticket: one for one in terminal.positions_get(*args, **kwargs)}
            found |= {key: one for key, (one, end_ms) in held.items() if server.now_ms < end_ms}
            return tuple(found.values())

        return Faulty(terminal, order_send=order_send, positions_get=positions_get)

    run = ten_minutes().live(client=DirectClient, wrap=wrap)

    assert run.market.book.positions() == ()
    assert len(sent) == 2
