"""Skipping quiet bars gives the same account as playing every point of every bar."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtquant.exchange import (
    AccountSpec,
    CancelRequest,
    InstrumentSpec,
    Market,
    OrderRequest,
    VenueSpec,
)
from mtquant.model import (
    Expiration,
    Filling,
    MarginMode,
    OrderType,
    Side,
    StopOutMode,
    SwapMode,
    Timeframe,
    make_bars,
)

MONDAY_MS = 1_489_363_200_000  # 2017-03-13, between the American and the European clock change
SYMBOL = "EURUSD"
WAITING = {"limit": OrderType.LIMIT, "stop": OrderType.STOP, "stop_limit": OrderType.STOP_LIMIT}


@dataclass(frozen=True)
class World:
    """A market, and at which bars somebody trades."""

    venue: VenueSpec
    bars: object
    slippage: np.ndarray
    plan: dict[int, list[tuple]]


def spread_column(chance: np.random.Generator, bars: int) -> np.ndarray:
    kind = chance.integers(3)
    if kind == 0:
        return np.zeros(bars, dtype=np.int64)
    if kind == 1:
        return np.full(bars, 12)
    return chance.integers(0, 60, bars)


def random_bars(chance: np.random.Generator, timeframe: Timeframe, count: int):
    step = int(chance.choice([3, 40, 300]))
    close = 100_000 + np.cumsum(chance.integers(-step, step + 1, count))
    gap = chance.integers(-step, step + 1, count) * (chance.random(count) < 0.3)
    opened = np.concatenate(([100_000], close[:-1])) + gap
    opened = np.where(chance.random(count) < 0.15, close, opened)  # dojis
    wick = chance.integers(0, step + 1, (2, count))
    missing = np.cumsum((chance.random(count) < 0.05) * chance.integers(1, 60, count))
    an_hour_or_none = timeframe.duration_ms - timeframe.shortest_ms
    irregular = an_hour_or_none * (chance.random(count) < 0.02)  # as where clocks are set forward
    times = MONDAY_MS + (np.arange(count) + missing) * timeframe.duration_ms - irregular
    return make_bars(
        symbol=SYMBOL,
        timeframe=timeframe,
        digits=5,
        time_ms=times,
        open=opened,
        close=close,
        high=np.maximum(opened, close) + wick[0],
        low=np.minimum(opened, close) - wick[1],
        spread=spread_column(chance, count),
    )


def random_plan(chance: np.random.Generator, bars) -> dict[int, list[tuple]]:
    plan: dict[int, list[tuple]] = {}
    for bar in sorted(chance.choice(len(bars), size=min(len(bars), 8), replace=False)):
        jobs = []
        for _ in range(chance.integers(1, 4)):
            kind = chance.choice(["open", "open", "modify", "close", *WAITING, "cancel"])
            side = int(chance.choice([1, -1]))
            lots = int(chance.choice([1, 7, 100]))
            stop, target = (int(d) for d in chance.choice([0, 1, 15, 90, 700], 2))
            jobs.append((str(kind), side, lots, stop, target))
        plan[int(bar)] = jobs
    return plan


@st.composite
def worlds(draw) -> World:
    chance = np.random.default_rng(draw(st.integers(0, 2**32)))
    timeframe = draw(
        st.sampled_from([Timeframe.M1, Timeframe.M30, Timeframe.H1, Timeframe.H4, Timeframe.D1])
    )
    bars = random_bars(chance, timeframe, draw(st.integers(1, 150)))
    spec = InstrumentSpec(
        digits=5,
        contract_size=100_000,
        base_currency="EUR",
        profit_currency="USD",
        swap_mode=SwapMode.POINTS,
        swap_long_points=draw(st.sampled_from([0.0, -6.3, -900.0])),
        swap_short_points=draw(st.sampled_from([1.5, -900.0])),
        commission_per_lot=draw(st.sampled_from([0.0, 3.5])),
        margin_hedged_contract=draw(st.sampled_from([0.0, 100_000.0])),
        stops_level_points=draw(st.sampled_from([0, 5])),
    )
    account = AccountSpec(
        deposit=draw(st.sampled_from([900.0, 5_000.0, 100_000.0])),
        leverage=draw(st.sampled_from([30, 500])),
        margin_mode=draw(st.sampled_from([MarginMode.HEDGING, MarginMode.NETTING])),
        stop_out_mode=draw(st.sampled_from(StopOutMode)),
        margin_call_money=500.0,
        stop_out_money=400.0,
    )
    clock = draw(st.sampled_from(["utc", "eet_eu", "ny_plus_7"]))
    venue = VenueSpec(account=account, server_clock=clock, instruments={SYMBOL: spec})
    slippage = chance.integers(-3, 4, (len(bars), 2)).astype(np.int32)
    return World(venue=venue, bars=bars, slippage=slippage, plan=random_plan(chance, bars))


def trade(market: Market, jobs: list[tuple]) -> list:
    book, answers = market.book, []
    for kind, side, hundredths, stop, target in jobs:
        bid, ask = book.quote(SYMBOL).bid_points, book.quote(SYMBOL).ask_points
        at = bid if side > 0 else ask
        levels = {
            "stop": at - side * stop if stop else 0,
            "target": at + side * target if target else 0,
        }
        mine = [p for p in book.open_positions if p.side == side]
        if kind == "open":
            units = hundredths * 1_000_000
            answers.append(book.open_market(SYMBOL, Side(side), units, **levels))
        elif kind in WAITING:
            price = (bid if side < 0 else ask) + side * (stop + 9) * (-1 if kind == "limit" else 1)
            answers.append(place(book, WAITING[kind], Side(side), hundredths, price))
        elif kind == "cancel":
            waiting = [one.ticket for one in book.live_orders]
            answers += [book.send(CancelRequest(order_ticket=one)) for one in waiting]
        elif kind == "modify" and mine:
            answers.append(book.modify_stops(mine[0].ticket, levels["stop"], levels["target"]))
        elif kind == "close" and mine:
            units = min(mine[0].units, hundredths * 1_000_000)
            answers.append(book.close_market(mine[0].ticket, units))
    return answers


def place(book, order_type: OrderType, side: Side, hundredths: int, price: int):
    """Place an order that waits a day at most, so that quiet bars come again."""
    return book.send(
        OrderRequest(
            symbol=SYMBOL,
            side=side,
            units=hundredths * 1_000_000,
            order_type=order_type,
            price=price,
            stop_limit=price - 5 * side.value,
            stop=price - side.value * 60,
            target=price + side.value * 90,
            filling=Filling.RETURN,
            expiration=Expiration.DAY,
        )
    )


def step_to_open(market: Market, bar: int) -> None:
    while (market.bar, market.step) != (bar, 0):
        assert market.advance()


def skip_to_open(market: Market, bar: int) -> None:
    while True:
        event = market.next_event_bar()
        if event >= bar:
            market.jump_to_open(bar)
            return
        assert event >= market.bar
        if event > market.bar:
            market.jump_to_open(event)
        while market.step < 3:
            market.advance()
        if market.bar + 1 == bar:
            market.jump_to_open(bar)
            return
        market.jump_to_open(market.bar + 1)


def photograph(market: Market) -> tuple:
    book = market.book
    return (market.bar, market.step, market.now_ms, book.account(), book.positions())


def play(world: World, go_to) -> tuple:
    market = Market.of_bars(world.venue, world.bars, world.slippage)
    photographs, answers = [], []
    market.advance()
    for bar, jobs in world.plan.items():
        if bar > 0:
            go_to(market, bar)
        answers.append(trade(market, jobs))
        photographs.append(photograph(market))
    if go_to is skip_to_open:
        skip_to_open(market, len(market))
    else:
        while market.advance():
            pass
    photographs.append(photograph(market))
    return photographs, answers, market.book.ledger.orders, market.book.ledger.deals


@settings(max_examples=250)
@given(worlds())
def test_skipping_quiet_bars_gives_the_same_ledger_and_money_as_playing_every_point(world: World):
    stepped, skipped = play(world, step_to_open), play(world, skip_to_open)

    assert skipped == stepped


@settings(max_examples=60)
@given(worlds())
def test_the_balance_is_always_the_sum_of_the_deals_and_time_never_runs_back(world: World):
    market = Market.of_bars(world.venue, world.bars, world.slippage)
    before = market.now_ms
    while market.advance():
        if market.step == 0 and market.bar in world.plan:
            trade(market, world.plan[market.bar])
        assert market.now_ms >= before
        before = market.now_ms
    book = market.book

    assert book.balance_minor == sum(deal.net_minor for deal in book.ledger.deals)
    floating = sum(p.profit_minor + p.swap_minor for p in book.positions())
    assert book.equity_minor == book.balance_minor + floating


@pytest.mark.parametrize("timeframe", [Timeframe.H4, Timeframe.D1, Timeframe.W1])
def test_a_bar_over_midnight_is_an_event_although_it_opens_before(timeframe: Timeframe):
    count = 6
    opened = np.full(count, 100_000)
    bars = make_bars(
        symbol=SYMBOL,
        timeframe=timeframe,
        digits=5,
        time_ms=MONDAY_MS + 7 * 3_600_000 + np.arange(count) * timeframe.duration_ms,
        open=opened,
        high=opened,
        low=opened,
        close=opened,
    )
    spec = InstrumentSpec(
        digits=5, contract_size=100_000, base_currency="EUR", profit_currency="USD"
    )
    market = Market.of_bars(
        VenueSpec(instruments={SYMBOL: spec}), bars, np.zeros((count, 2), dtype=np.int32)
    )
    market.advance()
    assert market.book.open_market(SYMBOL, Side.BUY, 1_000_000).refusal is None

    event = market.next_event_bar()

    midnight_ms = market.venue.clock.next_midnight_ms(market.now_ms)
    assert (
        int(bars.time_ms[event]) < midnight_ms < int(bars.time_ms[event]) + market.feed.duration_ms
    )
