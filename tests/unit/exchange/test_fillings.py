"""What becomes of the volume that the market does not have: FOK, IOC, RETURN, BOC."""

import pytest

from mtquant.exchange import (
    Book,
    CancelRequest,
    ChangeRequest,
    Execution,
    OrderRequest,
    Progress,
    Refusal,
)
from mtquant.model import (
    ExecutionMode,
    Filling,
    MarginMode,
    OrderState,
    OrderType,
    Side,
)

NOON_MS = 1_483_358_400_000  # Monday, 2017-01-02, 12:00 UTC
LOT = 100_000_000
FOK, IOC, RETURN, BOC = Filling.FOK, Filling.IOC, Filling.RETURN, Filling.BOC
DEPTH = {"depth_points": (0, 2, 5), "depth_lots": (1.0, 2.0, 3.0)}
EXCHANGE = {"execution_mode": ExecutionMode.EXCHANGE, "fillings": (FOK, IOC, BOC)}
RICH = {"deposit": 10_000_000.0}
NETTING = RICH | {"margin_mode": MarginMode.EXCHANGE}


def order(lots: float, filling: Filling = FOK, **more) -> OrderRequest:
    values = {"symbol": "EURUSD", "side": Side.BUY} | more
    return OrderRequest(units=round(lots * LOT), filling=filling, **values)


def fills(book: Book) -> list[tuple[float, int]]:
    return [(d.volume_units / LOT, d.price_points) for d in book.ledger.deals if d.symbol]


def test_a_large_order_walks_through_the_depth_in_deals_of_one_order(book):
    made = book(RICH, **DEPTH)
    done = made.send(order(4.0))

    assert fills(made) == [(1.0, 100_010), (2.0, 100_012), (1.0, 100_015)]
    assert (done.progress, done.volume_units) == (Progress.DONE, 4 * LOT)
    assert done.price_points == 100_012  # (100010 + 2 x 100012 + 100015) / 4 = 100012.25
    assert len(made.positions()) == 1
    assert made.positions()[0].open_price == 1.0001225
    assert len({deal.order_ticket for deal in made.ledger.deals[1:]}) == 1
    assert made.positions()[0].volume_units == 4 * LOT


def test_what_a_tick_has_given_is_gone_until_the_next(book):
    made = book(RICH, **DEPTH)
    made.send(order(2.0))

    assert made.send(order(5.0)).refusal is Refusal.REJECTED
    assert made.send(order(4.0)).refusal is None
    assert made.send(order(0.01)).refusal is Refusal.REJECTED
    assert made.send(order(6.0, side=Side.SELL)).refusal is None
    made.move("EURUSD", 100_001, NOON_MS + 1)
    assert made.send(order(6.0)).refusal is None


def test_all_or_nothing_leaves_a_rejected_order_and_no_deal(book):
    made = book(RICH, **DEPTH)
    done = made.send(order(6.01))

    assert done.refusal is Refusal.REJECTED
    assert fills(made) == []
    assert made.ledger.orders[-1].state is OrderState.REJECTED


def test_immediate_or_cancel_takes_what_there_is_and_cancels_the_rest(book):
    made = book(RICH, **DEPTH)
    done = made.send(order(10.0, IOC))

    assert (done.refusal, done.progress, done.volume_units) == (None, Progress.PARTIAL, 6 * LOT)
    finished = made.ledger.orders[-1]
    assert (finished.state, finished.filled_units) == (OrderState.CANCELED, 6 * LOT)
    assert made.orders() == ()


def test_the_rest_of_a_return_order_waits_for_the_next_ticks(book):
    made = book(RICH, **DEPTH, **EXCHANGE)
    done = made.send(order(10.0, RETURN))
    waiting = made.orders()[0]

    assert (done.progress, done.volume_units) == (Progress.PARTIAL, 6 * LOT)
    assert (waiting.state, waiting.filled_units) == (OrderState.PARTIALLY_FILLED, 6 * LOT)
    made.move("EURUSD", 100_003, NOON_MS + 1)
    assert fills(made)[3:] == [(1.0, 100_013), (2.0, 100_015), (1.0, 100_018)]
    assert made.orders() == ()
    assert made.ledger.orders[-1].state is OrderState.FILLED
    assert len(made.positions()) == 1


def test_a_return_order_that_finds_nothing_is_only_placed(book):
    made = book(RICH, **DEPTH, **EXCHANGE)
    made.send(order(6.0))
    done = made.send(order(1.0, RETURN))

    assert (done.refusal, done.progress, done.deal_ticket) == (None, Progress.PLACED, 0)
    assert made.send(CancelRequest(order_ticket=done.order_ticket)).refusal is None
    assert made.ledger.orders[-1].state is OrderState.CANCELED


def test_a_position_that_is_being_closed_is_not_closed_twice(book):
    made = book(RICH, **DEPTH, **EXCHANGE)
    ticket = made.send(order(6.0)).order_ticket
    made.move("EURUSD", 100_001, NOON_MS + 1)
    made.send(order(6.0, side=Side.SELL))
    closing = order(6.0, RETURN, side=Side.SELL, position_ticket=ticket)

    assert made.send(closing).progress is Progress.PLACED
    assert made.send(closing).refusal is Refusal.CLOSE_ORDER_EXISTS
    made.move("EURUSD", 100_002, NOON_MS + 2)
    assert ticket not in {p.position_ticket for p in made.positions()}


@pytest.mark.parametrize(
    ("mode", "taken"),
    [
        (ExecutionMode.REQUEST, {FOK, IOC, RETURN}),
        (ExecutionMode.INSTANT, {FOK, IOC, RETURN}),
        (ExecutionMode.MARKET, {IOC}),
        (ExecutionMode.EXCHANGE, {IOC, RETURN}),
    ],
)
def test_the_execution_mode_says_which_fillings_a_market_order_may_ask_for(book, mode, taken):
    """MQL5 reference, Order Execution; the symbol's flags here allow IOC and BOC alone."""
    made = book(execution_mode=mode, fillings=(IOC, BOC))
    refusals = {one: made.check(order(0.1, one, price=100_010)) for one in Filling}

    assert {one for one, refusal in refusals.items() if refusal is None} == taken
    assert set(refusals.values()) == {None, Refusal.INVALID_FILL}


@pytest.mark.parametrize(
    ("mode", "order_type", "is_taken"),
    [
        (ExecutionMode.MARKET, OrderType.LIMIT, True),
        (ExecutionMode.EXCHANGE, OrderType.STOP_LIMIT, True),
        (ExecutionMode.EXCHANGE, OrderType.STOP, False),
        (ExecutionMode.INSTANT, OrderType.LIMIT, False),
    ],
)
def test_book_or_cancel_is_for_limits_where_there_is_a_book(book, mode, order_type, is_taken):
    made = book(execution_mode=mode, fillings=(BOC,))
    price = 99_000 if order_type is OrderType.LIMIT else 101_000
    wanted = order(0.1, BOC, order_type=order_type, price=price, stop_limit=100_500)

    assert made.check(wanted) is (None if is_taken else Refusal.INVALID_FILL)


# an exchange does not hold the price of a limit against the market


def test_a_limit_that_an_exchange_can_fill_is_filled_at_the_market(book):
    made = book(NETTING, **EXCHANGE)
    done = made.send(order(1.0, RETURN, order_type=OrderType.LIMIT, price=100_500))

    assert (done.refusal, done.progress, done.price_points) == (None, Progress.DONE, 100_010)
    assert made.ledger.orders[-1].state is OrderState.FILLED


def test_a_limit_takes_no_level_that_is_worse_than_its_price(book):
    made = book(NETTING, **DEPTH, **EXCHANGE)
    done = made.send(order(5.0, RETURN, order_type=OrderType.LIMIT, price=100_013))

    assert fills(made) == [(1.0, 100_010), (2.0, 100_012)]
    assert done.progress is Progress.PARTIAL
    assert made.orders()[0].filled_units == 3 * LOT


def test_book_or_cancel_never_takes_from_the_book(book):
    made = book(NETTING, **EXCHANGE)
    done = made.send(order(1.0, BOC, order_type=OrderType.LIMIT, price=100_500))

    assert done.refusal is Refusal.REJECTED
    assert made.ledger.orders[-1].state is OrderState.CANCELED
    assert fills(made) == []


def test_an_order_that_is_filled_beyond_its_own_stop_is_closed_at_once(book):
    made = book(NETTING, **EXCHANGE)
    wanted = order(1.0, RETURN, order_type=OrderType.LIMIT, price=100_500, stop=100_300)

    assert made.send(wanted).refusal is None
    assert fills(made) == [(1.0, 100_010), (1.0, 100_000)]


def test_an_order_that_cannot_be_paid_when_it_is_met_at_once_is_canceled(book):
    made = book({"deposit": 500.0, "margin_mode": MarginMode.EXCHANGE}, **EXCHANGE)
    done = made.send(order(1.0, RETURN, order_type=OrderType.LIMIT, price=100_500))

    assert done.refusal is Refusal.ACTIVATION_REJECTED
    assert made.ledger.orders[-1].state is OrderState.REJECTED


def test_a_change_can_make_a_limit_meet_the_market(book):
    made = book(NETTING, **EXCHANGE)
    ticket = made.send(order(1.0, RETURN, order_type=OrderType.LIMIT, price=99_000)).order_ticket
    made.send(ChangeRequest(order_ticket=ticket, price=100_200))

    assert fills(made) == [(1.0, 100_010)]


# prices that may have moved


@pytest.mark.parametrize("mode", [ExecutionMode.INSTANT, ExecutionMode.REQUEST])
def test_a_price_within_the_deviation_is_filled_at_the_current_one(book, mode):
    """Python documentation of MetaTrader: asked 108.018, filled 108.015, deviation 20."""
    made = book(execution_mode=mode)
    done = made.send(order(0.1, price=100_013, deviation=3))

    assert done.price_points == 100_010
    assert made.ledger.orders[-1].price_points == 100_013


@pytest.mark.parametrize(
    ("settings", "refusal"),
    [({}, Refusal.REQUOTE), ({"requotes": False}, Refusal.PRICE_CHANGED)],
)
def test_a_price_beyond_the_deviation_is_requoted_or_refused(book, settings, refusal):
    made = book(execution_mode=ExecutionMode.INSTANT, **settings)

    def ask(price: int) -> Execution:
        return made.send(order(0.1, price=price, deviation=3))

    assert ask(100_014).refusal is refusal
    assert ask(100_006).refusal is refusal
    assert ask(0).refusal is Refusal.INVALID_PRICE
    made.set_slippage("EURUSD", 4, 0)
    assert ask(100_010).refusal is refusal
    assert made.ledger.orders == []


@pytest.mark.parametrize("order_type", [OrderType.MARKET, OrderType.LIMIT])
def test_the_rest_of_an_order_ends_with_the_position_that_it_opened(book, order_type):
    made = book(RICH, depth_points=(0,), depth_lots=(1.0,), **EXCHANGE)
    price = 100_020 if order_type is OrderType.LIMIT else 0
    done = made.send(order(3.0, RETURN, order_type=order_type, price=price, stop=99_000))
    assert done.progress is Progress.PARTIAL
    made.close_market(done.order_ticket, LOT)
    made.move("EURUSD", 100_005, NOON_MS + 1)
    made.move("EURUSD", 100_001, NOON_MS + 2)

    assert made.positions() == ()
    assert made.orders() == ()
    assert made.ledger.orders[-1].state is OrderState.CANCELED
