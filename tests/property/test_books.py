"""Random order flows on random markets: the books stay true, whatever is asked."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from book_oracle import Witness, replayed_balance
from hypothesis import given, settings
from order_flows import Flow, ask, flows, play, played

from mtquant.exchange import CancelRequest, OrderRequest, Refusal
from mtquant.model import ExecutionMode, Filling, Side

if TYPE_CHECKING:
    from mtquant.exchange import Book, Execution, Market

HAPPENS = (
    *("FILLED", "CANCELED", "EXPIRED", "REJECTED"),
    *("IN", "OUT", "INOUT", "OUT_BY"),
    *("STOP_LOSS", "TAKE_PROFIT", "STOP_OUT"),
    *("DONE", "PARTIAL", "PLACED"),
    *("LIMIT FILLED", "STOP FILLED", "LIMIT EXPIRED", "STOP EXPIRED", "STOP_LIMIT EXPIRED"),
    *("LIMIT CANCELED", "STOP CANCELED", "STOP_LIMIT CANCELED", "MARKET CANCELED"),
    *("LIMIT REJECTED", "STOP REJECTED", "MARKET REJECTED", "CLOSE_BY FILLED"),
)
NEVER_ASKED = {Refusal.ONLY_REAL, Refusal.EXPERTS_DISABLED, Refusal.NO_PRICES}
RARE = {Refusal.ACTIVATION_REJECTED, Refusal.CLOSE_ORDER_EXISTS}  # seen in the long run


def watched(flow: Flow, seen: Counter[str]) -> Market:
    """Play a flow and hold its book to the rules after every quote and every request."""
    market = flow.market()
    witness = Witness(market)
    left = list(flow.jobs)
    for point in range(4 * len(flow.bars)):
        market.advance()
        witness.look_after_tick()
        while left and left[0][0] == point:
            answer = ask(market.book, flow, left.pop(0)[1])
            witness.look(is_settled=answer is not None and answer.refusal is None)
            if answer is not None:
                seen[answer.refusal.name if answer.refusal else answer.progress.name] += 1
    assert replayed_balance(market.book, witness.terms) == market.book.balance_minor
    seen.update(witness.seen)
    return market


def campaign(examples: int) -> Counter[str]:
    """Play many flows; return what has happened in them."""
    seen: Counter[str] = Counter()

    @settings(max_examples=examples, deadline=None)
    @given(flows())
    def stay_true(flow: Flow) -> None:
        watched(flow, seen)
        seen["flows"] += 1
        seen["flows with a gap"] += flow.has_gap

    stay_true()
    return seen


def require_variety(seen: Counter[str], rare: set[Refusal]) -> None:
    """A third of the markets has gaps, and everything that can happen has happened."""
    assert seen["flows with a gap"] >= 0.3 * seen["flows"]
    assert [one for one in HAPPENS if not seen[one]] == []
    refusals = set(Refusal) - NEVER_ASKED - rare
    assert [one.name for one in refusals if not seen[one.name]] == []


def test_books_stay_true_under_any_order_flow():
    seen = campaign(2_000)

    assert seen["flows"] >= 2_000
    require_variety(seen, RARE)


@pytest.mark.slow
def test_books_stay_true_under_very_many_order_flows():
    seen = campaign(50_000)

    assert seen["flows"] >= 50_000
    require_variety(seen, set())


@settings(max_examples=150, deadline=None)
@given(flows())
def test_the_same_calls_give_the_same_history(flow: Flow):
    first, second = played(flow), played(flow)

    assert first.ledger == second.ledger
    assert first.account() == second.account()
    assert (first.positions(), first.orders()) == (second.positions(), second.orders())


def test_closing_everything_returns_the_margin_to_zero():
    ended: list[bool] = []

    @settings(max_examples=300, deadline=None)
    @given(flows())
    def close_all(flow: Flow) -> None:
        market = flow.market()
        play(flow, market)
        book = market.book
        is_over = liquidated(book)
        ended.append(is_over)
        if is_over:
            assert book.margin_minor == 0
            assert book.equity_minor == book.balance_minor + book.credit_minor

    close_all()

    assert sum(ended) >= 0.5 * len(ended)


def liquidated(book: Book) -> bool:
    """Cancel all orders and close all positions; tell whether hours and levels let it end."""
    may_fail = {Refusal.MARKET_CLOSED, Refusal.FROZEN, Refusal.TOO_MANY_REQUESTS}
    for order in book.live_orders:
        answer = book.send(CancelRequest(order_ticket=order.ticket))
        assert answer.refusal is None or answer.refusal in may_fail
    for position in book.open_positions:
        answer = closed(book, position.ticket)
        assert answer.refusal is None or answer.refusal in may_fail | {
            Refusal.INVALID_VOLUME,  # more than the largest order
            Refusal.INVALID_PRICE,  # a quote off the grid
            Refusal.CLOSE_ORDER_EXISTS,
            Refusal.REQUOTE,
            Refusal.PRICE_CHANGED,
            Refusal.REJECTED,  # more than the depth
            Refusal.FIFO_CLOSE,  # an older one was refused
            Refusal.POSITION_GONE,  # the stop-out was faster
        }
    return not (book.open_positions or book.live_orders)


def closed(book: Book, ticket: int) -> Execution:
    """Close a position at the market, as far as there is volume."""
    position = next((one for one in book.open_positions if one.ticket == ticket), None)
    if position is None:
        return book.close_market(ticket, 1)
    quote = book.quote(position.symbol)
    assert quote is not None
    mode = book.venue.instrument(position.symbol).execution_mode
    return book.send(
        OrderRequest(
            symbol=position.symbol,
            side=Side(-position.side),
            units=position.units,
            price=quote.bid_points if position.side > 0 else quote.ask_points,
            deviation=1_000,
            position_ticket=ticket,
            filling=Filling.FOK if mode is ExecutionMode.MARKET else Filling.IOC,
        )
    )
