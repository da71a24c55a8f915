"""Strategies that look at ticks: when they are asked, what they see, what comes of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from many_worlds import Lane, ManyWorld, many_venue, ticks_at
from worlds import Scripted

from mtquant.app.guard import GuardedStrategy
from mtquant.data import minute_bars
from mtquant.model import Direction, Reason, Side, Signal, Ticks, Timeframe
from mtquant.strategy import BarsView, Series, TickView

if TYPE_CHECKING:
    from mtquant.strategy import Strategy


def a_world(ticks: Ticks, strategy: Strategy) -> ManyWorld:
    lane = Lane(name="one", symbol="EURUSD", timeframe=Timeframe.M1, strategy=lambda: strategy)
    return ManyWorld(bars=minute_bars(ticks), ticks=[ticks], lanes=[lane], venue=many_venue())


class Listening(Scripted):
    """Remember what happens, and buy once at a price."""

    def __init__(self, buys_below: int = 0) -> None:
        super().__init__([])
        self.heard: list[tuple[str, int, int]] = []
        self._buys_below = buys_below

    def on_bar(self, bars: BarsView) -> Signal | None:
        """Remember the bar."""
        self.heard.append(("bar", bars.points.close[-1], len(bars)))
        return None

    def on_tick(self, ticks: TickView) -> Signal | None:
        """Remember the tick; buy below a price."""
        self.heard.append(("tick", ticks.bid_points, len(ticks.bars)))
        if ticks.bid_points < self._buys_below:
            return self.tick_signal(ticks, Direction.LONG, reason="cheap")
        return None


TICKS = ticks_at((1, 110_000), (30, 110_005), (61, 109_990), (80, 109_900), (90, 109_600), (130, 1))


def test_ticks_come_before_the_bar_that_they_close_and_not_before_the_first_bar() -> None:
    strategy = Listening()

    a_world(TICKS, strategy).backtest()

    assert strategy.heard == [
        ("bar", 110_005, 1),
        ("tick", 109_900, 1),
        ("tick", 109_600, 1),
        ("tick", 1, 1),
        ("bar", 109_600, 2),
    ]


def test_a_decision_on_a_tick_fills_at_that_tick_and_its_stop_is_met_at_a_later_one() -> None:
    world = a_world(TICKS, Listening(buys_below=109_950))

    played, _ = world.backtest()
    run = world.live()

    opened, stopped = played.book.ledger.deals[1:3]
    assert (opened.side, opened.time_ms) == (Side.BUY, int(TICKS.time_ms[3]))
    assert (stopped.reason, stopped.time_ms) == (Reason.STOP_LOSS, int(TICKS.time_ms[4]))
    assert run.market.book.ledger.deals == played.book.ledger.deals


def test_a_strategy_without_on_tick_is_not_asked_and_the_market_may_skip() -> None:
    silent = Scripted([])
    assert not silent.wants_ticks
    assert silent.on_tick(TickView(BarsView(Series("EURUSD", Timeframe.M1, 5)), 5)) is None
    assert not GuardedStrategy(Scripted([])).wants_ticks
    assert GuardedStrategy(Listening()).wants_ticks


def test_a_tick_shows_prices_and_points() -> None:
    seen: list[tuple[str, float, float, int]] = []

    class Looking(Listening):
        def on_tick(self, ticks: TickView) -> Signal | None:
            seen.append((ticks.symbol, ticks.bid, ticks.ask, ticks.spread_points))
            return None

    a_world(TICKS, Looking()).backtest()

    assert seen[0] == ("EURUSD", 1.099, 1.0991, pytest.approx(seen[0][3]))


def test_a_strategy_that_fails_on_a_tick_is_switched_off(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Failing(Listening):
        def on_tick(self, ticks: TickView) -> Signal | None:
            super().on_tick(ticks)
            raise ZeroDivisionError("mine")

    failing = Failing()
    with caplog.at_level(logging.CRITICAL):
        a_world(TICKS, GuardedStrategy(failing)).live()

    assert [name for name, *_ in failing.heard] == ["bar", "tick"]
