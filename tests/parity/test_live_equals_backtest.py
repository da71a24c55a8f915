"""The live runner on the simulated terminal and the backtest make the same deals, to the unit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import (
    Scripted,
    World,
    make_venue,
    require_same_books,
    stop_and_target,
    trailing,
    walked_bars,
)

from mtquant.model import Bars, Direction, MarginMode, Timeframe
from mtquant.risk import RiskLimits

PLACES = [  # symbol, currency of the account: with no conversion, or at the traded pair's own price
    *[("EURUSD", "USD")] * 3,
    *[("USDJPY", "USD")] * 2,
    ("EURUSD", "EUR"),
]
MODES = [MarginMode.HEDGING, MarginMode.HEDGING, MarginMode.NETTING, MarginMode.EXCHANGE]


@st.composite
def markets(draw: st.DrawFn, symbol: str = "EURUSD") -> Bars:
    """Draw a market with ties, gaps, spikes, zero and wide spreads, weekends and dojis."""
    timeframe = draw(st.sampled_from([Timeframe.M15, Timeframe.H1, Timeframe.D1]))
    count = draw(st.integers(20, 90))
    seed = draw(st.integers(0, 2**32 - 1))
    size = draw(st.sampled_from([0, 3, 30, 300]))
    rng = np.random.default_rng(seed)
    step = rng.integers(-size, size + 1, count)
    gap = np.where(rng.random(count) < 0.1, rng.integers(-5 * size - 1, 5 * size + 2, count), 0)
    return walked_bars(
        symbol,
        timeframe,
        level=110_000,
        step=step,
        gap=gap,
        wicks=rng.integers(0, size + 1, (2, count)),
        skipped=np.where(rng.random(count) < 0.05, rng.integers(1, 60, count), 0),
        spread=rng.choice([0, 0, 5, 10, 10, 10, 40, 200], count),
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draw a market, a script of signals, exits, costs and limits."""
    symbol, currency = draw(st.sampled_from(PLACES))
    bars = draw(markets(symbol))
    choice = st.sampled_from([None, None, None, *Direction])
    script = draw(st.lists(choice, min_size=len(bars), max_size=len(bars)))
    stop: dict[str, Any] = draw(
        st.sampled_from([{"stop_points": 15}, {"stop_points": 250}, {"stop_atr": 1.5}])
    )
    target: dict[str, Any] = draw(st.sampled_from([{}, {"target_points": 30}, {"target_atr": 2.0}]))
    trail: dict[str, Any] = draw(
        st.fixed_dictionaries(
            {
                "distance_atr": st.sampled_from([0.2, 1.0, 3.0]),
                "activation_atr": st.sampled_from([0.0, 1.0]),
                "step_atr": st.sampled_from([0.0, 0.5]),
            }
        )
    )
    trails = draw(st.booleans())
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return World(
        bars=bars,
        strategy=lambda: Scripted(script),
        exits=lambda: [
            stop_and_target(atr_period=3, **stop, **target),
            *([trailing(atr_period=3, **trail)] if trails else []),
        ],
        venue=make_venue(
            symbol=symbol,
            currency=currency,
            margin_mode=draw(st.sampled_from(MODES)),
            deposit=draw(st.sampled_from([500.0, 10_000.0])),
            leverage=draw(st.sampled_from([5, 30, 500])),
            commission=draw(st.sampled_from([0.0, 3.5])),
            stops_level_points=draw(st.sampled_from([0, 20])),
        ),
        limits=RiskLimits(
            risk_per_trade_fraction=draw(st.sampled_from([0.01, 0.1])),
            max_spread_points=draw(st.sampled_from([30, 500, 500])),
            max_daily_loss_fraction=draw(st.sampled_from([0.02, 0.5])),
        ),
        slippage=rng.integers(-3, 8, (len(bars), 2)).astype(np.int32),
    )


@settings(max_examples=150, deadline=None)
@given(worlds())
def test_both_runners_make_the_same_orders_and_deals(world: World) -> None:
    played, _ = world.backtest()
    run = world.live()

    require_same_books(run.market, played)
    assert run.journal.deals() == played.book.ledger.deals


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_both_runners_decide_the_same_things(world: World) -> None:
    _, told = world.backtest()
    run = world.live()

    names = {"signal_raised", "order_approved", "order_refused", "position_closed"}
    kept = [(n.name, n.time_ms, n.correlation_id, n.fields) for n in told if n.name in names]
    assert [
        (n.name, n.time_ms, n.correlation_id, n.fields) for n in run.notes if n.name in names
    ] == kept


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_the_books_balance_after_any_run(world: World) -> None:
    market, _ = world.backtest()

    assert market.book.balance_minor == sum(deal.net_minor for deal in market.book.ledger.deals)


@pytest.mark.slow
@settings(max_examples=3_000, deadline=None)
@given(worlds())
def test_both_runners_agree_on_many_more_worlds(world: World) -> None:
    played, _ = world.backtest()

    assert world.live().market.book.ledger.deals == played.book.ledger.deals
