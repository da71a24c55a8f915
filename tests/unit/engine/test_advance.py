"""Consuming closed bars: any split of a span gives the same commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import Scripted, World, bars_of

from mtquant.exchange import Book
from mtquant.model import BrokerReport, BrokerView, Command, Direction, Publish, ReadBroker
from mtquant.strategy import Series

if TYPE_CHECKING:
    from mtquant.engine import Engine

LONG, SHORT = Direction.LONG, Direction.SHORT


def a_world(script: list[Direction | None], count: int = 40) -> World:
    walk = 110_000 + np.cumsum(np.random.default_rng(1).integers(-30, 31, count))
    return World(bars=bars_of(walk.tolist()), strategy=lambda: Scripted(script))


def flat_view(world: World, time_ms: int) -> BrokerView:
    book = Book(world.venue, time_ms)
    book.jump("EURUSD", 110_000, 110_010, time_ms)
    quote = book.quote("EURUSD")
    return BrokerView(
        time_ms=time_ms,
        account=book.account(),
        positions=(),
        orders=(),
        deals=(),
        closed_orders=(),
        quotes=(quote,) if quote else (),
    )


def consumed(world: World, cuts: list[int]) -> list[tuple[int, Command]]:
    """Advance over all bars in the spans between `cuts`; answer each read with a flat account."""
    series = Series.over(world.bars)
    engine: Engine = world.engine(series)
    engine.step(BrokerReport(view=flat_view(world, int(world.bars.time_ms[0])), cause="start"))
    seen: list[tuple[int, Command]] = []
    at = 0
    for stop in [*sorted(cuts), len(series)]:
        while at < stop:
            at, commands = engine.advance(series, at, stop)
            seen += [(at, command) for command in commands]
            for command in commands:
                if isinstance(command, ReadBroker):
                    view = flat_view(world, int(world.bars.time_ms[at - 1]) + 3_600_000)
                    report = BrokerReport(view=view, cause=command.cause)
                    seen += [(at, answer) for answer in engine.step(report)]
    return seen


@given(
    script=st.lists(st.sampled_from([None, None, LONG, SHORT]), min_size=40, max_size=40),
    cuts=st.lists(st.integers(0, 40), max_size=12),
)
def test_any_split_of_a_span_gives_the_same_commands(
    script: list[Direction | None], cuts: list[int]
) -> None:
    world = a_world(script)

    assert consumed(world, cuts) == consumed(world, [])


def test_bars_without_a_signal_give_no_commands_and_are_consumed_at_once() -> None:
    world = a_world([None] * 40)
    series = Series.over(world.bars)

    assert world.engine(series).advance(series, 0, 40) == (40, ())


def test_it_stops_behind_the_first_bar_that_asks_for_something() -> None:
    world = a_world([None, None, LONG, None, SHORT])
    series = Series.over(world.bars)

    at, commands = world.engine(series).advance(series, 0, 40)

    assert at == 3
    assert [type(command) for command in commands] == [Publish, ReadBroker]


def test_missed_bars_are_shown_to_the_strategy_but_not_decided_on() -> None:
    world = a_world([LONG, None, SHORT])
    series = Series.over(world.bars)
    series.decidable_from = 3
    engine = world.engine(series)

    at, commands = engine.advance(series, 0, 1)

    assert at == 1
    assert [getattr(command, "name", "") for command in commands] == ["signal_missed"]


@pytest.mark.parametrize("index", [5, 40])
def test_a_span_that_is_empty_or_behind_gives_nothing(index: int) -> None:
    world = a_world([LONG] * 40)
    series = Series.over(world.bars)

    assert world.engine(series).advance(series, index, 3) == (index, ())
