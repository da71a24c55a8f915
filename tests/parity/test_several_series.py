"""Several symbols, timeframes and strategies on one account: skipped, walked and live alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from many_worlds import (
    Lane,
    LooksHigher,
    ManyWorld,
    many_venue,
    random_exits,
    random_script,
    require_equal,
    walk_of,
)
from worlds import MONDAY_MS, Scripted, require_same_books

from mtquant.model import MarginMode, Timeframe
from mtquant.risk import RiskLimits

PAIRS = [("EURUSD", "GBPUSD"), ("EURUSD", "USDJPY"), ("USDJPY", "EURUSD")]
MARKETS = [
    (Timeframe.M15, 150, (Timeframe.M15, Timeframe.H1)),
    (Timeframe.M5, 200, (Timeframe.M15, Timeframe.H1)),
    (Timeframe.H1, 90, (Timeframe.H1, Timeframe.H4)),
    (Timeframe.H1, 90, (Timeframe.H4, Timeframe.D1)),
]
SPRING_MS = 1_490_450_400_000  # 2017-03-25 14:00 UTC: eleven hours before the clock is set forward
LONGER = {Timeframe.M15: Timeframe.H1, Timeframe.H1: Timeframe.H4, Timeframe.H4: Timeframe.D1}


@st.composite
def many_worlds(draw: st.DrawFn) -> ManyWorld:
    """Draw two symbols, up to five strategies on them, and an account."""
    chance = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    symbols = draw(st.sampled_from(PAIRS))
    timeframe, count, lengths = draw(st.sampled_from(MARKETS))
    mode = draw(st.sampled_from([MarginMode.HEDGING, MarginMode.HEDGING, MarginMode.NETTING]))
    first_ms = draw(st.sampled_from([MONDAY_MS, MONDAY_MS, SPRING_MS]))
    late_ms = draw(st.sampled_from([0, 0, 7])) * timeframe.duration_ms
    bars = [
        walk_of(symbol, timeframe, count, chance, first_ms=first_ms + shift)
        for symbol, shift in zip(symbols, (0, late_ms), strict=True)
    ]
    wanted = [(symbol, length) for symbol in symbols for length in lengths]
    if mode is MarginMode.NETTING:
        wanted = [(symbol, lengths[draw(st.integers(0, 1))]) for symbol in symbols]
    elif draw(st.booleans()):
        wanted.append((symbols[0], lengths[0]))
    lanes = []
    for number, (symbol, length) in enumerate(draw(st.permutations(wanted))):
        script = random_script(chance, count)
        higher = LONGER.get(length) if draw(st.booleans()) else None
        lanes.append(
            Lane(
                name=f"lane{number}",
                symbol=symbol,
                timeframe=length,
                strategy=(
                    (lambda script=script: Scripted(script))
                    if higher is None
                    else (lambda script=script, higher=higher: LooksHigher(script, higher))
                ),
                exits=random_exits(chance),
            )
        )
    return ManyWorld(
        bars=bars[0],
        others=bars[1:],
        lanes=lanes,
        venue=many_venue(
            mode=mode,
            always_open=first_ms == SPRING_MS,
            deposit=draw(st.sampled_from([400.0, 10_000.0])),
            leverage=draw(st.sampled_from([10, 100])),
        ),
        limits=RiskLimits(
            max_positions=draw(st.sampled_from([1, 3, 9])),
            risk_per_trade_fraction=draw(st.sampled_from([0.01, 0.1])),
            max_daily_loss_fraction=draw(st.sampled_from([0.03, 0.9])),
        ),
    )


@settings(max_examples=70, deadline=None)
@given(many_worlds())
def test_skipping_quiet_stretches_gives_what_walking_gives(world: ManyWorld) -> None:
    skipped, _ = world.backtest()
    looked = world.looks
    walked = world.walked()

    require_same_books(skipped, walked)
    assert looked == world.looks


@settings(max_examples=40, deadline=None)
@given(many_worlds())
def test_live_and_backtest_make_the_same_orders_and_deals(world: ManyWorld) -> None:
    require_equal(world)


@pytest.mark.slow
@settings(max_examples=1_500, deadline=None)
@given(many_worlds())
def test_all_three_agree_on_many_more_worlds(world: ManyWorld) -> None:
    skipped, _ = world.backtest()

    assert world.walked().book.ledger.deals == skipped.book.ledger.deals
    assert world.live().market.book.ledger.deals == skipped.book.ledger.deals
