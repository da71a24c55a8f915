"""Real ticks: bars are made of them, levels met at them, and strategies may look at each."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from many_worlds import (
    Lane,
    LooksHigher,
    ManyWorld,
    Ticking,
    many_venue,
    random_exits,
    random_script,
    require_equal,
    ticks_of,
    walk_of,
)
from worlds import Scripted, require_same_books

from mtquant.data import minute_bars
from mtquant.model import MarginMode, Timeframe
from mtquant.risk import RiskLimits

M1, M5, M15 = Timeframe.M1, Timeframe.M5, Timeframe.M15


@st.composite
def tick_worlds(draw: st.DrawFn, *, looks_at_ticks: bool) -> ManyWorld:
    """Draw ticks of one or two symbols with strategies on bars made of them."""
    chance = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    symbols = draw(st.sampled_from([("EURUSD",), ("USDJPY",), ("EURUSD", "GBPUSD")]))
    count = draw(st.sampled_from([60, 500]))
    ticks = [ticks_of(symbol, count, chance) for symbol in symbols]
    bars = [minute_bars(one) for one in ticks]
    if looks_at_ticks and draw(st.booleans()):  # the points of a bar's path are ticks, too
        bars = [walk_of(symbol, M5, 60, chance, size=25) for symbol in symbols]
        ticks = []
    elif len(symbols) > 1 and draw(st.booleans()):  # ticks of one, bars of the other
        bars[1] = walk_of(symbols[1], M5, 60, chance, size=25)
        ticks = ticks[:1]
    lanes = []
    for number, symbol in enumerate(symbols):
        base = bars[number].timeframe
        for length in draw(st.sampled_from([(base,), (base, M15), (M15,)])):
            script = random_script(chance, 200)
            strategy = partial(Scripted, script)
            if looks_at_ticks and draw(st.booleans()):
                strategy = partial(Ticking, script, draw(st.sampled_from([15, 60])))
            elif draw(st.booleans()):
                strategy = partial(LooksHigher, script, Timeframe.H1)
            lanes.append(
                Lane(
                    name=f"lane{number}{length.name}",
                    symbol=symbol,
                    timeframe=length,
                    strategy=strategy,
                    exits=random_exits(chance),
                )
            )
    one_each = len({lane.symbol for lane in lanes}) == len(lanes)
    modes = [MarginMode.HEDGING, MarginMode.NETTING] if one_each else [MarginMode.HEDGING]
    return ManyWorld(
        bars=bars[0],
        others=bars[1:],
        ticks=ticks,
        lanes=lanes,
        venue=many_venue(mode=draw(st.sampled_from(modes)), deposit=2_000.0),
        limits=RiskLimits(
            max_positions=draw(st.sampled_from([1, 5])),
            risk_per_trade_fraction=draw(st.sampled_from([0.01, 0.1])),
            max_daily_loss_fraction=0.9,
        ),
    )


@settings(max_examples=25, deadline=None)
@given(tick_worlds(looks_at_ticks=False))
def test_on_ticks_both_runners_make_the_same_orders_and_deals(world: ManyWorld) -> None:
    require_equal(world)


@settings(max_examples=50, deadline=None)
@given(tick_worlds(looks_at_ticks=False))
def test_skipping_quiet_ticks_gives_what_walking_gives(world: ManyWorld) -> None:
    skipped, _ = world.backtest()
    walked = world.walked()

    require_same_books(skipped, walked)


@settings(max_examples=25, deadline=None)
@given(tick_worlds(looks_at_ticks=True))
def test_strategies_that_look_at_ticks_trade_alike_in_both_runners(world: ManyWorld) -> None:
    require_equal(world)


@pytest.mark.slow
@settings(max_examples=600, deadline=None)
@given(tick_worlds(looks_at_ticks=True))
def test_many_more_worlds_of_ticks_agree(world: ManyWorld) -> None:
    require_equal(world)
