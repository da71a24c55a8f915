"""Worlds drawn from a seed: markets, signals, exits, costs and accounts of every kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from worlds import (
    DIGITS,
    MONDAY_MS,
    Scripted,
    World,
    make_instrument,
    stop_and_target,
    trailing,
    walked_bars,
)

from mtquant.data import bars_of_ticks
from mtquant.engine.kernels import RunSpec
from mtquant.exchange import AccountSpec, Market, TickFeed, VenueSpec
from mtquant.exchange.dealing import FillPrice
from mtquant.model import (
    Bars,
    CommissionEntry,
    Direction,
    ExecutionMode,
    Filling,
    GtcMode,
    MarginMode,
    StopOutMode,
    SwapMode,
    Ticks,
    Timeframe,
    TradeMode,
)
from mtquant.risk import RiskLimits
from mtquant.strategy import CODES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mtquant.strategy import BarsView, ExitStrategy

BARS = 150
STRAINED_STOP = 250  # points, with a tenth of equity at risk and leverage near 50
PLACES = (("EURUSD", "USD"), ("EURUSD", "USD"), ("EURUSD", "EUR"), ("USDJPY", "USD"))
MIDDLES = {"EURUSD": 110_000, "USDJPY": 108_000}


@dataclass(kw_only=True)
class DrawnWorld(World):
    """Hold a world with what its strategy says, as columns."""

    directions: NDArray[np.int8]
    strengths: NDArray[np.float64] | None

    def spec(self) -> RunSpec:
        """Return the run as the kernels take it."""
        return RunSpec(
            venue=self.venue,
            symbol=self.bars.symbol,
            exits=tuple(self.exits()),
            limits=self.limits,
            deviation_points=self.deviation_points,
            slippage=self.slippage,
        )


@dataclass(kw_only=True)
class DrawnTickWorld(DrawnWorld):
    """Hold a world of real ticks; `bars` are made of them."""

    ticks: Ticks

    def market(self) -> Market:
        """Return a market that has played nothing."""
        return Market(self.venue, TickFeed(self.venue, self.ticks, self.slippage))


class Graded(Scripted):
    """Say what a list says, with strengths."""

    def __init__(self, script: Sequence[Direction | None], strengths: Sequence[float]) -> None:
        super().__init__(script)
        self._strengths = strengths

    def on_bar(self, bars: BarsView) -> Any:
        """Return the scripted direction with its strength."""
        direction = self._script[bars.index]
        if direction is None:
            return None
        return self.signal(bars, direction, strength=self._strengths[bars.index])


class Draw:
    """Draw from a seed."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng([seed, 20])

    def pick(self, things: Sequence[Any]) -> Any:
        """Return one of the things."""
        return things[int(self.rng.integers(len(things)))]

    def chance(self, fraction: float) -> bool:
        """Return True that often."""
        return bool(self.rng.random() < fraction)


def drawn_world(seed: int) -> DrawnWorld:
    """Return the world of a seed."""
    draw = Draw(seed)
    symbol, currency = draw.pick(PLACES)
    bars = drawn_bars(draw, symbol)
    directions, script = drawn_script(draw, len(bars))
    strengths = draw.rng.choice([0.25, 0.5, 1.0], len(bars)) if draw.chance(0.2) else None
    given = [1.0] * len(bars) if strengths is None else strengths.tolist()
    is_strained = draw.chance(0.55)
    exits = drawn_exits(draw, is_strained=is_strained)
    slips = draw.pick([0, 0, 2, 8])
    return DrawnWorld(
        bars=bars,
        strategy=lambda: Graded(script, given),
        exits=lambda: exits,
        venue=drawn_venue(
            draw, symbol, currency, is_strained=is_strained, may_drop=len(exits) == 1
        ),
        limits=RiskLimits(
            risk_per_trade_fraction=0.1 if is_strained else draw.pick([0.002, 0.01, 0.1]),
            max_spread_points=draw.pick([10, 500, 500]),
            max_daily_loss_fraction=0.99 if is_strained else draw.pick([0.02, 0.5, 0.9]),
        ),
        slippage=draw.rng.integers(-slips, slips + 1, (len(bars), 2)).astype(np.int32),
        deviation_points=draw.pick([0, 20]),
        directions=directions,
        strengths=strengths,
    )


def drawn_bars(draw: Draw, symbol: str) -> Bars:
    """Draw prices with ties, gaps, spikes, dojis, missing hours, zero and wide spreads."""
    rng = draw.rng
    timeframe = draw.pick([Timeframe.M15, Timeframe.H1, Timeframe.H1, Timeframe.H4, Timeframe.D1])
    size = draw.pick([1, 3, 30, 30, 120])
    step = rng.integers(-size, size + 1, BARS)
    gap = np.where(rng.random(BARS) < 0.1, rng.integers(-6 * size - 1, 6 * size + 2, BARS), 0)
    spike = np.where(rng.random((2, BARS)) < 0.03, 10 * size, size)
    return walked_bars(
        symbol,
        timeframe,
        level=MIDDLES[symbol],
        step=step,
        gap=gap,
        wicks=rng.integers(0, spike + 1),
        skipped=np.where(rng.random(BARS) < 0.03, rng.integers(1, 60, BARS), 0),
        spread=rng.choice(draw.pick([[0], [10], [0, 5, 10, 10, 40], [3, 10, 200]]), BARS),
    )


def drawn_script(draw: Draw, count: int) -> tuple[NDArray[np.int8], list[Direction | None]]:
    """Draw what a strategy says, seldom or often."""
    says = draw.rng.random(count) < draw.pick([0.06, 0.15, 0.5])
    choice = draw.rng.choice(draw.pick([[1, -1], [1, -1, 2], [1, 1, 2]]), count)
    directions = np.where(says, choice, 0).astype(np.int8)
    words = {code: direction for direction, code in CODES.items()}
    return directions, [words.get(code) for code in directions.tolist()]


def drawn_exits(draw: Draw, *, is_strained: bool) -> list[ExitStrategy]:
    """Draw exits: near and far, in points or average ranges, trailing or not."""
    if is_strained:
        return [stop_and_target(stop_points=STRAINED_STOP)]
    stop = draw.pick(
        [{"stop_points": 15}, {"stop_points": 250}, {"stop_atr": 1.5}, {"stop_atr": 4.0}]
    )
    target = draw.pick([{}, {"target_points": 40}, {"target_atr": 2.0}])
    exits: list[ExitStrategy] = [stop_and_target(atr_period=draw.pick([3, 14]), **stop, **target)]
    if draw.chance(0.35):
        exits.append(
            trailing(
                atr_period=draw.pick([3, 7]),
                distance_atr=draw.pick([0.2, 1.0, 3.0]),
                activation_atr=draw.pick([0.0, 1.0]),
                step_atr=draw.pick([0.0, 0.5]),
            )
        )
    return exits


def drawn_venue(
    draw: Draw, symbol: str, currency: str, *, is_strained: bool, may_drop: bool
) -> VenueSpec:
    """Draw an account and how the symbol is traded.

    A strained one needs most of its equity as margin, and stops out above the loss of a stop. Where
    levels `may_drop`, they may end with the day.
    """
    level = draw.pick([90.0, 100.0] if is_strained else [50.0, 50.0, 90.0, 99.0])
    # so little that equity changes by single minor units, and meets levels exactly
    least = 5.0 if is_strained else 500.0
    deposit = draw.pick([least, 3_000.0, 50_000.0])
    by_money = draw.chance(0.15)
    account = AccountSpec(
        currency=currency,
        deposit=deposit,
        credit=draw.pick([0.0, 0.0, 0.0, 100.0]),
        leverage=draw.pick([46, 48, 55] if is_strained else [2, 10, 30, 500]),
        margin_mode=draw.pick([*MarginMode, MarginMode.HEDGING]),
        stop_out_mode=StopOutMode.MONEY if by_money else StopOutMode.PERCENT,
        stop_out_percent=level,
        stop_out_money=0.96 * deposit if by_money else 0.0,
        margin_call_money=deposit if by_money else 0.0,
        converts_by_deal=draw.chance(0.3),
    )
    mode = draw.pick([ExecutionMode.MARKET, ExecutionMode.MARKET, *ExecutionMode])
    instrument = make_instrument(
        symbol,
        execution_mode=mode,
        fillings=draw.pick([(Filling.FOK,), (Filling.IOC,)]),
        trade_mode=draw.pick([TradeMode.FULL] * 8 + [TradeMode.LONG_ONLY, TradeMode.SHORT_ONLY]),
        stops_level_points=draw.pick([0, 0, 20]),
        freeze_level_points=draw.pick([0, 0, 0, 10]),
        target_fill=draw.pick(list(FillPrice)),
        gtc_mode=draw.pick([GtcMode.GTC, GtcMode.GTC, GtcMode.DAILY]) if may_drop else GtcMode.GTC,
        sessions=draw.pick([None, None, ("",) + ("01:05-12:00, 13:00-23:45",) * 5 + ("",)]),
        holidays=draw.pick([(), ("2017-01-05",)]),
        volume_min_lots=0.001,
        volume_step_lots=0.001,
        volume_max_lots=500.0 if is_strained else draw.pick([500.0, 0.5]),
        volume_limit_lots=draw.pick([0.0, 0.0, 500.0]),
        commission_per_lot=draw.pick([0.0, 3.5]),
        commission_percent=draw.pick([0.0, 0.0, 0.003]),
        commission_per_deal=draw.pick([0.0, 0.1]),
        commission_entry=draw.pick(list(CommissionEntry)),
        fee_per_lot=draw.pick([0.0, 0.0, 0.7]),
        **drawn_swap(draw),
    )
    return VenueSpec(account=account, instruments={symbol: instrument})


def drawn_swap(draw: Draw) -> dict[str, Any]:
    """Draw how nights are paid for."""
    if draw.chance(0.5):
        return {"triple_swap_weekday": draw.pick([None, 3, 5])}
    mode = draw.pick([SwapMode.DISABLED, SwapMode.DEPOSIT_CURRENCY, SwapMode.INTEREST_OPEN])
    if draw.chance(0.3):
        mode = draw.pick([SwapMode.INTEREST_CURRENT, SwapMode.BASE_CURRENCY])
    swaps = {} if mode is SwapMode.DISABLED else {"swap_long": -4.2, "swap_short": 1.3}
    none = {"swap_long_points": 0.0, "swap_short_points": 0.0}
    return {"swap_mode": mode, "swap_skips_holidays": draw.chance(0.3), **none, **swaps}


def drawn_tick_world(seed: int) -> DrawnTickWorld:
    """Return the world of a seed that trades on ticks."""
    draw = Draw(1_000_000 + seed)
    symbol, currency = draw.pick(PLACES)
    ticks = drawn_ticks(draw, symbol)
    is_strained = draw.chance(0.4)
    exits = drawn_exits(draw, is_strained=is_strained)
    venue = drawn_venue(draw, symbol, currency, is_strained=is_strained, may_drop=len(exits) == 1)
    timeframe = draw.pick([Timeframe.M1, Timeframe.M5, Timeframe.M15])
    bars = bars_of_ticks(ticks, timeframe, venue.clock)
    directions, script = drawn_script(draw, len(bars))
    slips = draw.pick([0, 2, 8])
    return DrawnTickWorld(
        ticks=ticks,
        bars=bars,
        strategy=lambda: Graded(script, [1.0] * len(script)),
        exits=lambda: exits,
        venue=venue,
        limits=RiskLimits(
            risk_per_trade_fraction=0.1 if is_strained else 0.01,
            max_spread_points=500,
            max_daily_loss_fraction=0.9,
        ),
        slippage=draw.rng.integers(-slips, slips + 1, (len(ticks), 2)).astype(np.int32),
        deviation_points=draw.pick([0, 20]),
        directions=directions,
        strengths=None,
    )


def drawn_ticks(draw: Draw, symbol: str) -> Ticks:
    """Draw ticks with jumps, pauses of hours, several in one millisecond, and wide spreads."""
    rng, count = draw.rng, draw.pick([600, 1500])
    size = draw.pick([1, 3, 10])
    jump = rng.integers(-30 * size, 30 * size + 1, count)
    step = rng.integers(-size, size + 1, count) + np.where(rng.random(count) < 0.02, jump, 0)
    bid = (MIDDLES[symbol] + np.cumsum(step)).astype(np.int32)
    pause = 3_600_000 * rng.integers(1, 60, count)
    wait = np.where(rng.random(count) < 0.01, pause, rng.choice([0, 0, 200, 5_000, 60_000], count))
    spread = rng.choice(draw.pick([[0], [3, 10], [2, 5, 60]]), count).astype(np.int32)
    return Ticks(
        symbol=symbol,
        digits=DIGITS[symbol],
        time_ms=(MONDAY_MS + 48 * 3_600_000 + np.cumsum(wait)).astype(np.int64),
        bid=bid,
        ask=bid + spread,
    )
