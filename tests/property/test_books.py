"""Random order flows on random markets: the books stay true, whatever is asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import MONDAY_MS, make_venue

from mtquant.exchange import Book, Market
from mtquant.model import (
    Bars,
    Deal,
    DealEntry,
    DealKind,
    Reason,
    Side,
    Timeframe,
    make_bars,
)

STEP = 1_000_000  # 0.01 lot


@dataclass(frozen=True, slots=True)
class Flow:
    """Hold a market and what is asked of it at each of its points."""

    bars: Bars
    slippage: np.ndarray
    requests: list[tuple[int, int, int, int, int]]
    leverage: int


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    """Draw a market (gaps in a third of the draws and more) and random requests."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(st.integers(4, 16))
    size = draw(st.sampled_from([1, 20, 200]))
    has_gaps = draw(st.booleans())
    gap = rng.integers(-8 * size, 8 * size + 1, count) * (rng.random(count) < 0.4) * has_gaps
    close = 110_000 + np.cumsum(rng.integers(-size, size + 1, count) + gap)
    opened = np.concatenate([close[:1], close[:-1] + gap[1:]])
    wicks = rng.integers(0, size + 1, (2, count))
    bars = make_bars(
        symbol="EURUSD",
        timeframe=Timeframe.H4,
        digits=5,
        time_ms=MONDAY_MS + np.arange(count) * Timeframe.H4.duration_ms,
        open=opened,
        high=np.maximum(opened, close) + wicks[0],
        low=np.minimum(opened, close) - wicks[1],
        close=close,
        spread=rng.choice([0, 3, 10, 60], count),
    )
    requests = draw(
        st.lists(
            st.tuples(
                st.integers(0, 4 * count - 1),  # at which point of the path
                st.integers(0, 4),  # what: buy, sell, close, close part, modify
                st.integers(-400, 400),  # stop distance
                st.integers(-400, 400),  # target distance
                st.integers(0, 300),  # volume in steps, and which position
            ),
            max_size=24,
        )
    )
    slippage = rng.integers(-4, 9, (count, 2)).astype(np.int32)
    leverage = draw(st.sampled_from([1, 30, 1_000]))
    return Flow(bars, slippage, sorted(requests), leverage)


def played(flow: Flow) -> tuple[Market, list[tuple[Deal, int]]]:
    """Play a flow to its end; return the market and each deal with the bar it happened in."""
    market = Market(make_venue(leverage=flow.leverage), flow.bars, flow.slippage)
    left = list(flow.requests)
    located: list[tuple[Deal, int]] = []
    for point in range(4 * len(flow.bars)):
        market.advance()
        require_true_books(market.book)
        while left and left[0][0] == point:
            ask(market.book, left.pop(0))
            require_true_books(market.book)
        located += [(deal, market.bar) for deal in market.book.ledger.deals[len(located) :]]
    return market, located


def ask(book: Book, request: tuple[int, int, int, int, int]) -> None:
    """Make one request; most are sensible, many are not."""
    _, what, stop_distance, target_distance, number = request
    quote = book.quote("EURUSD")
    assert quote is not None
    if what <= 1:
        side = Side.BUY if what == 0 else Side.SELL
        at = quote.bid_points if what == 0 else quote.ask_points
        book.open_market(
            "EURUSD",
            side,
            number * STEP,
            stop=at - side.value * stop_distance if stop_distance else 0,
            target=at + side.value * target_distance if target_distance else 0,
        )
        return
    positions = book.open_positions
    ticket = positions[number % len(positions)].ticket if positions else number
    units = positions[number % len(positions)].units if positions else STEP
    if what == 2:
        book.close_market(ticket, units)
    elif what == 3:
        book.close_market(ticket, number * STEP)
    else:
        book.modify_stops(ticket, quote.bid_points - stop_distance, 0)


def require_true_books(book: Book) -> None:
    """Hold what must be true after every step."""
    floating = sum(book.floating_minor(p) + p.swap_minor for p in book.open_positions)
    assert book.balance_minor == sum(deal.net_minor for deal in book.ledger.deals)
    assert book.equity_minor == book.balance_minor + floating
    assert book.margin_minor >= 0
    assert book.margin_minor == 0 or book.open_positions


@settings(max_examples=500, deadline=None)
@given(flows())
def test_books_stay_true_under_any_order_flow(flow: Flow) -> None:
    market, located = played(flow)
    book = market.book

    opened = {deal.position_ticket: deal for deal, _ in located if is_opening(deal)}
    assert {p.ticket for p in book.open_positions} <= set(opened)
    assert [deal.deal_ticket for deal, _ in located] == sorted(d.deal_ticket for d, _ in located)
    for deal, bar in located:
        if deal.kind is DealKind.TRADE:
            require_fair_price(flow, deal, bar)
            assert deal.order_ticket in {order.order_ticket for order in book.ledger.orders}
    require_closed_volumes(book, [deal for deal, _ in located])


def is_opening(deal: Deal) -> bool:
    """Tell whether a deal opened a position."""
    return deal.kind is DealKind.TRADE and deal.entry is DealEntry.IN


def require_fair_price(flow: Flow, deal: Deal, bar: int) -> None:
    """No deal outside the bar's range, its spread and its slippage; stops never better."""
    slip = int(np.abs(flow.slippage[bar]).max())
    low = int(flow.bars.low[bar]) - slip
    high = int(flow.bars.high[bar]) + int(flow.bars.spread[bar]) + slip
    assert low <= deal.price_points <= high
    if deal.reason in (Reason.STOP_LOSS, Reason.TAKE_PROFIT):
        level = round(float(deal.comment.strip("[]").split()[1]) * 10**5)
        side = 1 if deal.side is Side.SELL else -1  # of the position
        beyond = side * (deal.price_points - level)
        assert beyond <= 0 if deal.reason is Reason.STOP_LOSS else beyond >= 0


def require_closed_volumes(book: Book, deals: list[Deal]) -> None:
    """What was opened is closed or open, to the last unit."""
    still = {p.ticket: p.units for p in book.open_positions}
    for opening in filter(is_opening, deals):
        ticket = opening.position_ticket
        closed = sum(
            deal.volume_units
            for deal in deals
            if deal.position_ticket == ticket and deal.entry is DealEntry.OUT
        )
        assert closed + still.get(ticket, 0) == opening.volume_units


@settings(max_examples=100, deadline=None)
@given(flows())
def test_the_same_calls_give_the_same_history(flow: Flow) -> None:
    first, second = played(flow)[0].book, played(flow)[0].book

    assert first.ledger == second.ledger
    assert first.account() == second.account()


@settings(max_examples=100, deadline=None)
@given(flows())
def test_closing_everything_returns_the_margin_to_zero(flow: Flow) -> None:
    book = played(flow)[0].book

    for position in book.open_positions:
        book.close_market(position.ticket, position.units)

    if book.in_session("EURUSD"):
        assert book.margin_minor == 0
        assert book.equity_minor == book.balance_minor
