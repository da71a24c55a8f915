"""The kernel makes the deals of the engine on instruments that are no currency pairs, too."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from drawn_worlds import Draw, DrawnWorld, Graded, drawn_script
from worlds import (
    MONDAY_MS,
    Scripted,
    World,
    bars_of,
    make_venue,
    stop_and_target,
    trailing,
)

from mtquant.engine.kernels import RunSpec, layout, ledger_of, make_job, objections, play
from mtquant.exchange import AccountSpec, InstrumentSpec, VenueSpec
from mtquant.exchange.dealing import FillPrice
from mtquant.model import (
    Bars,
    CalculationMode,
    Direction,
    ExecutionMode,
    MarginMode,
    StopOutMode,
    SwapMode,
    Timeframe,
    make_bars,
)
from mtquant.research import summarise, summarise_played
from mtquant.risk import RiskLimits
from mtquant.strategy import ExitStrategy, Series

BARS = 120
FUTURES = (CalculationMode.FUTURES, CalculationMode.EXCH_FUTURES)
BONDS = (CalculationMode.EXCH_BONDS, CalculationMode.EXCH_BONDS_MOEX)
MODES = (
    *FUTURES,
    *BONDS,
    CalculationMode.FOREX,
    CalculationMode.FOREX_NO_LEVERAGE,
    CalculationMode.CFD,
    CalculationMode.CFD_LEVERAGE,
    CalculationMode.CFD_INDEX,
    CalculationMode.EXCH_STOCKS,
    CalculationMode.EXCH_STOCKS_MOEX,
)
TIMEFRAMES = (Timeframe.M1, Timeframe.M30, Timeframe.H4, Timeframe.D1, Timeframe.W1)
CLOCKS = ("utc", "eet_eu", "ny_plus_7", "fixed:+2", "fixed:-11", "fixed:+14")
SESSIONS = (None, None, ("",) + ("01:05-12:00",) * 5 + ("",), ("00:00-24:00",) * 7)
STARTS = (MONDAY_MS, 1_488_999_600_000, 1_508_997_600_000)  # before both changes of the clocks


def other_world(seed: int) -> DrawnWorld:
    """Return the world of a seed: other formulas, grids, digits and clocks, prices near zero."""
    draw = Draw(5_000_000 + seed)
    digits, tick = draw.pick([0, 1, 3, 5]), draw.pick([1, 1, 5, 25])
    bars = _bars(draw, digits, tick)
    directions, script = drawn_script(draw, len(bars))
    exits = _exits(draw)
    slips = draw.pick([0, 2, 8])
    return DrawnWorld(
        bars=bars,
        strategy=lambda: Graded(script, [1.0] * len(script)),
        exits=lambda: exits,
        venue=VenueSpec(
            account=_account(draw),
            instruments={"THING": _instrument(draw, digits, tick)},
            server_clock=draw.pick(CLOCKS),
        ),
        limits=RiskLimits(
            risk_per_trade_fraction=draw.pick([0.002, 0.01, 0.1]),
            max_spread_points=100_000,
            max_daily_loss_fraction=draw.pick([0.02, 0.5, 0.99]),
        ),
        slippage=draw.rng.integers(-slips, slips + 1, (len(bars), 2)).astype(np.int32),
        deviation_points=draw.pick([0, 20]),
        directions=directions,
        strengths=None,
    )


def _bars(draw: Draw, digits: int, tick: int) -> Bars:
    rng, timeframe = draw.rng, draw.pick(TIMEFRAMES)
    size, count = draw.pick([1, 3, 30, 120, 2000]), draw.pick([1, 2, BARS, BARS, BARS, BARS])
    gap = np.where(rng.random(count) < 0.15, rng.integers(-12 * size, 12 * size + 1, count), 0)
    moved = np.cumsum(rng.integers(-size, size + 1, count) + gap)
    close = draw.pick([5, 60, 600, 110_000, 5_000_000]) + moved
    opened = np.concatenate([close[:1], close[:-1] + gap[1:]])
    wick_up, wick_down = rng.integers(0, size + 1, (2, count))
    high, low = np.maximum(opened, close) + wick_up, np.minimum(opened, close) - wick_down
    columns = (np.maximum(1, column) * tick for column in (opened, high, low, close))
    skipped = np.where(rng.random(count) < 0.05, rng.integers(1, 60, count), 0)
    rows = np.arange(count) + np.cumsum(skipped)
    return make_bars(
        symbol="THING",
        timeframe=timeframe,
        digits=digits,
        time_ms=draw.pick(STARTS) + rows * timeframe.duration_ms,
        spread=rng.choice(draw.pick([[0], [0, 5, 40], [3, 200], [1, 2 * size]]), count) * tick,
        **dict(zip(("open", "high", "low", "close"), columns, strict=True)),
    )


def _exits(draw: Draw) -> list[ExitStrategy]:
    target = draw.pick([{}, {"target_points": 50}, {"target_points": 1000}])
    stop = draw.pick([{"stop_points": 25}, {"stop_points": 250}, {"stop_atr": 1.5}])
    exits: list[ExitStrategy] = [stop_and_target(**stop, **target)]
    return [*exits, trailing(atr_period=3, distance_atr=1.0)] if draw.chance(0.25) else exits


def _account(draw: Draw) -> AccountSpec:
    deposit = draw.pick([0.0, 50.0, 3_000.0, 3_000.0, 50_000.0, 5e6])
    by_money = draw.chance(0.2)
    return AccountSpec(
        currency="USD",
        currency_digits=draw.pick([0, 2, 3]),
        deposit=deposit,
        credit=draw.pick([0.0, 0.0, 1_000.0]),
        leverage=draw.pick([1, 10, 100, 500]),
        margin_mode=draw.pick(list(MarginMode)),
        stop_out_mode=StopOutMode.MONEY if by_money else StopOutMode.PERCENT,
        stop_out_percent=draw.pick([0.0, 50.0, 100.0]),
        stop_out_money=0.96 * deposit if by_money else 0.0,
        margin_call_money=deposit if by_money else 0.0,
    )


def _instrument(draw: Draw, digits: int, tick: int) -> InstrumentSpec:
    mode = draw.pick(MODES)
    is_future = mode in FUTURES
    swap_mode = draw.pick([SwapMode.DISABLED, SwapMode.POINTS, SwapMode.INTEREST_CURRENT])
    money = {"swap_long": -4.2, "swap_short": 1.3}
    points = {"swap_long_points": -7.3, "swap_short_points": 2.1}
    swaps: dict[SwapMode, Any] = {SwapMode.DISABLED: {}, SwapMode.POINTS: points}
    return InstrumentSpec(
        digits=digits,
        contract_size=draw.pick([0.01, 0.1, 1.0]) * 10**digits,
        base_currency="EUR",
        profit_currency="USD",
        calculation_mode=mode,
        tick_size_points=tick,
        tick_value=draw.pick([0.05, 1.0]) if is_future or mode is CalculationMode.CFD_INDEX else 0,
        margin_initial=draw.pick([1.0, 300.0]) if is_future or draw.chance(0.2) else 0.0,
        margin_maintenance=draw.pick([0.0, 8.0, 300.0]),
        margin_hedged_contract=draw.pick([0.0, 50_000.0]),
        margin_uses_leg=draw.chance(0.3),
        margin_rates=draw.pick([(1.0, 1.0, 0.0, 0.0), (0.5, 2.0, 0.4, 1.5), (1.0, 0.0, 0.0, 0.0)]),
        face_value=1_000.0 if mode in BONDS else 0.0,
        profit_digits=draw.pick([0, 2, 3]),
        execution_mode=draw.pick(list(ExecutionMode)),
        target_fill=draw.pick(list(FillPrice)),
        sessions=draw.pick(SESSIONS),
        holidays=draw.pick([(), ("2017-01-05", "2017-03-13", "2017-10-30")]),
        volume_min_lots=0.001,
        volume_step_lots=0.001,
        volume_max_lots=draw.pick([500.0, 1.0]),
        commission_percent=draw.pick([0.0, 0.003]),
        commission_minimum=draw.pick([0.0, 1.0]),
        swap_mode=swap_mode,
        swap_multipliers=draw.pick([None, (0.5, 1.0, 1.0, 1.0, 1.0, 1.5, 2.0)]),
        **swaps.get(swap_mode, money),
    )


def require_parity(world: DrawnWorld, where: str) -> int:
    """Hold deals, orders and figures of the kernel against the engine's; return the trades."""
    assert objections(world.spec()) == ()
    market, _ = world.backtest()
    job = make_job(world.spec(), world.bars, Series.over(world.bars))
    played = play(job, world.directions, interpreted=True)
    found, expected = ledger_of(played), market.book.ledger

    assert found.deals == expected.deals, where
    assert found.orders == expected.orders, where
    summary = summarise(world.bars, found.deals, world.venue)
    assert summarise_played(played, summary.trades_sha256) == summary, where
    return int((played.deals[:, layout.ENTRY_KIND] == 0).sum())


@pytest.mark.parametrize("chunk", range(4))
def test_instruments_of_every_formula_trade_alike(chunk: int) -> None:
    counts: Counter[str] = Counter()
    for seed in range(chunk * 300, (chunk + 1) * 300):
        world = other_world(seed)
        trades = require_parity(world, f"seed {seed}")
        counts[world.venue.instruments["THING"].calculation_mode.value] += trades
    assert counts.total() >= 300, counts
    assert all(counts[mode.value] for mode in MODES), counts


@pytest.mark.parametrize("seed", [1763, 8080, 35013, 39198, 42278, 50514, 50665, 53810])
def test_worlds_in_which_they_once_parted_trade_alike(seed: int) -> None:
    require_parity(other_world(seed), f"seed {seed}")


def test_a_dip_that_ends_at_a_new_peak_counts_as_time_below_it() -> None:
    script = [None, Direction.LONG] + [None] * 40
    closes = [110_000] * 4 + [109_900, 110_150] + [110_120] * 20 + [110_170] * 3
    world = World(bars=bars_of(closes, timeframe=Timeframe.M1), strategy=lambda: Scripted(script))
    job = make_job(spec_of(world), world.bars, Series.over(world.bars))
    played = play(job, np.array([0, 1] + [0] * 27, dtype=np.int8), interpreted=True)
    summary = summarise(world.bars, ledger_of(played).deals, world.venue)

    found = summarise_played(played, summary.trades_sha256)
    assert found.drawdown_duration_ms == summary.drawdown_duration_ms > 20 * 60_000


@pytest.mark.parametrize("side", [1, -1])
def test_a_fill_below_zero_needs_the_same_margin_on_a_netting_account(side: int) -> None:
    bars = bars_of([40] * 4 + [3] * 16, wick=1, spread=1)
    direction = Direction.LONG if side > 0 else Direction.SHORT
    world = World(
        bars=bars,
        strategy=lambda: Scripted([None] * 6 + [direction] + [None] * 20),
        exits=lambda: [stop_and_target(stop_points=30)],
        venue=make_venue(
            margin_mode=MarginMode.NETTING,
            deposit=1_000.0,
            leverage=1,
            calculation_mode=CalculationMode.CFD,
        ),
        slippage=np.full((len(bars), 2), 8, dtype=np.int32),
    )
    directions = np.zeros(len(bars), dtype=np.int8)
    directions[6] = side
    market, _ = world.backtest()
    job = make_job(spec_of(world), bars, Series.over(bars))
    played = play(job, directions, interpreted=True)

    assert ledger_of(played).deals == market.book.ledger.deals
    if market.book.open_positions:
        assert played.cells[layout.MARGIN] == market.book.margin_minor


def spec_of(world: World) -> RunSpec:
    """Return a world's run as the kernels take it."""
    return RunSpec(
        venue=world.venue,
        symbol=world.bars.symbol,
        exits=tuple(world.exits()),
        limits=world.limits,
        deviation_points=world.deviation_points,
        slippage=world.slippage,
    )
