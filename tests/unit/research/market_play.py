"""Play a market by hand: what the research tests make their deals with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mtquant.exchange import AccountSpec, InstrumentSpec, Market, SlippageModel, VenueSpec
from mtquant.model import (
    Bars,
    Deal,
    MarginMode,
    Side,
    SwapMode,
    Timeframe,
    make_bars,
    units_from_lots,
)

HOUR_MS = 3_600_000
MONDAY_MS = 1_483_912_800_000  # 2017-01-08 22:00 UTC: Monday midnight of an EET server

Action = Callable[[Market], None]


def eurusd_venue(
    *,
    deposit: float = 10_000.0,
    leverage: int = 100,
    margin_mode: MarginMode = MarginMode.HEDGING,
) -> VenueSpec:
    """Return a EURUSD market with a commission and a swap that differs by side."""
    return VenueSpec(
        account=AccountSpec(deposit=deposit, leverage=leverage, margin_mode=margin_mode),
        instruments={
            "EURUSD": InstrumentSpec(
                digits=5,
                contract_size=100_000.0,
                base_currency="EUR",
                profit_currency="USD",
                swap_mode=SwapMode.POINTS,
                swap_long_points=-6.3,
                swap_short_points=1.7,
                commission_per_lot=3.5,
            )
        },
    )


def random_bars(*, seed: int, count: int, step_points: int = 60) -> Bars:
    """Return hourly bars of the working week: a random walk with a changing spread."""
    chance = np.random.Generator(np.random.PCG64(seed))
    hours = MONDAY_MS + HOUR_MS * np.arange(count + 48 * (count // 120 + 1), dtype=np.int64)
    working = (hours - MONDAY_MS) // HOUR_MS % 168 < 120
    close = 105_000 + np.cumsum(chance.integers(-step_points, step_points + 1, count))
    gap = chance.integers(-step_points // 4, step_points // 4 + 1, count)
    open_ = np.concatenate(([105_000], close[:-1])) + gap
    reach = chance.integers(0, step_points, (2, count))
    return make_bars(
        symbol="EURUSD",
        timeframe=Timeframe.H1,
        digits=5,
        time_ms=hours[working][:count],
        open=open_,
        high=np.maximum(open_, close) + reach[0],
        low=np.minimum(open_, close) - reach[1],
        close=close,
        spread=chance.integers(0, 25, count),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """Hold what a played market left behind: its deals and its equity at each bar's close."""

    deals: Sequence[Deal]
    equity_minor: list[int]
    open_positions: int


def play(bars: Bars, venue: VenueSpec, act: Callable[[Market], None]) -> Played:
    """Play every point of every bar; `act` makes its requests at each open."""
    market = Market.of_bars(venue, bars, SlippageModel().draw(len(bars), seed=3))
    equity = []
    while market.advance():
        if market.step == 0:
            act(market)
        if market.step == 3:
            equity.append(market.book.equity_minor)
    return Played(
        deals=tuple(market.book.ledger.deals),
        equity_minor=equity,
        open_positions=len(market.book.open_positions),
    )


def at_bars(actions: dict[int, Action]) -> Action:
    """Return an actor that acts at the opens of the bars named."""

    def act(market: Market) -> None:
        if market.bar in actions:
            actions[market.bar](market)

    return act


def buy(lots: float, *, stop: int = 0, target: int = 0) -> Action:
    """Return an action that buys, levels as distances from the bid in points (0 = none)."""
    return _open(Side.BUY, lots, stop, target)


def sell(lots: float, *, stop: int = 0, target: int = 0) -> Action:
    """Return an action that sells, levels as distances from the ask in points (0 = none)."""
    return _open(Side.SELL, lots, stop, target)


def close(lots: float | None = None) -> Action:
    """Return an action that closes some lots, or all, of the oldest position."""

    def act(market: Market) -> None:
        position = market.book.open_positions[0]
        units = position.units if lots is None else units_from_lots(lots)
        execution = market.book.close_market(position.ticket, units)
        assert execution.refusal is None, execution

    return act


def together(*actions: Action) -> Action:
    """Return an action that does several things in a row."""

    def act(market: Market) -> None:
        for action in actions:
            action(market)

    return act


def random_actor(seed: int) -> Action:
    """Return an actor that opens and closes, in whole and in part, by chance."""
    chance = np.random.Generator(np.random.PCG64(seed))

    def act(market: Market) -> None:
        book, draw = market.book, chance.random(4)
        lots = round(0.05 + 0.3 * float(draw[1]), 2)
        if draw[0] < 0.06 and len(book.open_positions) < 4:
            reach = 80 + int(400 * draw[2])
            levels = {"stop": reach, "target": reach} if draw[3] < 0.6 else {}
            (buy if draw[2] < 0.5 else sell)(lots, **levels)(market)
        elif draw[0] > 0.96 and book.open_positions:
            position = book.open_positions[int(draw[2] * len(book.open_positions))]
            part = units_from_lots(round(position.units / 2e8, 2))
            units = part if draw[3] < 0.5 and part else position.units
            book.close_market(position.ticket, units)

    return act


def _open(side: Side, lots: float, stop: int, target: int) -> Action:
    def act(market: Market) -> None:
        quote = market.book.quote("EURUSD")
        assert quote is not None
        at = quote.bid_points if side is Side.BUY else quote.ask_points
        market.book.open_market(
            "EURUSD",
            side,
            units_from_lots(lots),
            stop=at - side.value * stop if stop else 0,
            target=at + side.value * target if target else 0,
        )

    return act
