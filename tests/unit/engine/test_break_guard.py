"""Nothing is held over a break by a firm's rule, whatever became of the bar that says so first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cut_worlds import answer
from worlds import (
    MONDAY_MS,
    DirectClient,
    Faulty,
    LiveRun,
    Scripted,
    World,
    bars_of,
    make_venue,
    stop_and_target,
)

from mtquant.engine import Engine
from mtquant.engine.loss_watch import LossWatch
from mtquant.model import Direction, IntentAction
from mtquant.risk.prop import (
    DailyBase,
    DailyLoss,
    DayRule,
    Level,
    Phase,
    PropClock,
    PropGuard,
    PropRules,
    WeekendRule,
)

if TYPE_CHECKING:
    from mtquant.strategy import Series

LONG = Direction.LONG
HOUR_MS = 3_600_000
FRIDAY_MS = MONDAY_MS + 4 * 24 * HOUR_MS
LAST_CLOSE_MS = FRIDAY_MS + 23 * HOUR_MS  # of the last bar before the weekend that can still sell
RULES = PropRules(
    firm="Firm",
    programme="Test",
    level=Level.OWN_PAGE,
    checked="2026-11",
    sources=("https://example.com",),
    phases=(Phase(name="only"),),
    day=DayRule(reset="00:00", zone="UTC"),
    daily_loss=DailyLoss(base=DailyBase.BALANCE, allowance_fraction=0.5),
    weekend=WeekendRule(may_hold=False),
)


class Flat(World):
    """Be a world whose firm forbids to hold over the weekend."""

    def engine(self, series: Series) -> Engine:
        """Return an engine over a series."""
        made = super().engine(series)
        guard = PropGuard(RULES, 1_000_000, PropClock(RULES.day, self.venue.clock), 0.0)
        losses = LossWatch(self.limits, self.venue.clock, guard)
        return Engine(made.slots, made.risk, made.desk, made.portfolio, losses=losses)


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
