"""Orders that wait: where they may stand, what meets them, how they end."""

from datetime import UTC, datetime

import pytest

from mtquant.exchange import (
    AccountSpec,
    Book,
    CancelRequest,
    ChangeRequest,
    FillPrice,
    InstrumentSpec,
    OrderRequest,
    Progress,
    Refusal,
    VenueSpec,
)
from mtquant.model import (
    CalculationMode,
    ExecutionMode,
    Expiration,
    Filling,
    GtcMode,
    MarginMode,
    OrderState,
    OrderType,
    Reason,
    Side,
)

NOON_MS = 1_483_358_400_000  # Monday, 2017-01-02, 12:00 UTC
LOT = 100_000_000
BUY, SELL = Side.BUY, Side.SELL
LIMIT, STOP, STOP_LIMIT = OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT
HOUR_MS = 3_600_000


def pending(side: Side, order_type: OrderType, price: int, **more) -> OrderRequest:
    values = {"units": LOT, "filling": Filling.RETURN, "comment": "mine"} | more
    return OrderRequest(symbol="EURUSD", side=side, order_type=order_type, price=price, **values)


def ms(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp() * 1000)


def fills(book: Book) -> list[tuple[int, int]]:
    return [(d.order_ticket, d.price_points) for d in book.ledger.deals if d.symbol]


# where an order may stand: bid 100000, ask 100010


@pytest.mark.parametrize(
    ("side", "order_type", "nearest", "step"),
    [
        (BUY, LIMIT, 100_009, -1),
        (BUY, STOP, 100_011, 1),
        (SELL, LIMIT, 100_001, 1),
        (SELL, STOP, 99_999, -1),
    ],
)
def test_an_order_waits_on_its_side_of_the_market(book, side, order_type, nearest, step):
    made = book()
    far = book(stops_level_points=30)

    assert made.send(pending(side, order_type, nearest)).progress is Progress.PLACED
    assert made.check(pending(side, order_type, nearest - step)) is Refusal.INVALID_PRICE
    assert far.check(pending(side, order_type, nearest + 29 * step)) is None
    assert far.check(pending(side, order_type, nearest + 28 * step)) is Refusal.INVALID_PRICE


@pytest.mark.parametrize(
    ("side", "price", "limit", "refusal"),
    [
        (BUY, 100_100, 100_100, None),
        (BUY, 100_100, 100_101, Refusal.INVALID_PRICE),
        (BUY, 100_010, 100_000, Refusal.INVALID_PRICE),
        (BUY, 100_100, 0, Refusal.INVALID_PRICE),
        (SELL, 99_900, 99_900, None),
        (SELL, 99_900, 99_899, Refusal.INVALID_PRICE),
    ],
)
def test_the_limit_of_a_stop_limit_stands_on_its_better_side(book, side, price, limit, refusal):
    assert book().check(pending(side, STOP_LIMIT, price, stop_limit=limit)) is refusal


def test_levels_of_a_waiting_order_are_measured_from_its_price(book):
    made = book()

    assert made.check(pending(BUY, STOP, 100_200, stop=100_100, target=100_300)) is None
    assert made.check(pending(BUY, STOP, 100_200, stop=100_200)) is Refusal.INVALID_STOPS
    assert made.check(pending(BUY, STOP, 100_200, target=100_199)) is Refusal.INVALID_STOPS


# what meets an order


@pytest.mark.parametrize(
    ("side", "order_type", "price", "bid_to"),
    [
        (BUY, LIMIT, 99_950, 99_940),
        (BUY, STOP, 100_050, 100_040),
        (SELL, LIMIT, 100_050, 100_050),
        (SELL, STOP, 99_950, 99_950),
    ],
)
def test_a_move_fills_an_order_at_its_level_when_its_own_price_gets_there(
    book, side, order_type, price, bid_to
):
    made = book()
    order = made.send(pending(side, order_type, price, stop=0)).order_ticket
    step = 1 if bid_to < 100_000 else -1

    made.move("EURUSD", bid_to + step, NOON_MS + 1)
    assert fills(made) == []
    made.move("EURUSD", bid_to, NOON_MS + 2)
    assert fills(made) == [(order, price)]
    assert made.orders() == ()
    assert made.positions()[0].position_ticket == order
    assert made.ledger.orders[-1].state is OrderState.FILLED


@pytest.mark.parametrize(
    ("side", "order_type", "price", "bid", "fill"),
    [
        (BUY, STOP, 100_050, 100_100, 100_113),  # the ask, and 3 points of slippage
        (SELL, STOP, 99_950, 99_900, 99_898),
        (BUY, LIMIT, 99_950, 99_900, 99_950),
        (SELL, LIMIT, 100_050, 100_100, 100_050),
    ],
)
def test_after_a_gap_stops_fill_at_the_market_and_limits_at_their_price(  # noqa: PLR0917
    book, side, order_type, price, bid, fill
):
    """MQL5 book: a buy limit 75.750 that the market opened beyond, at 75.670, filled at 75.750."""
    made = book()
    made.set_slippage("EURUSD", 3, 2)
    made.send(pending(side, order_type, price))
    made.jump("EURUSD", bid, bid + 10, NOON_MS + 1)

    assert [price for _, price in fills(made)] == [fill]
    assert made.ledger.orders[-1].current_points == (
        fill if order_type is STOP else bid + 10 * (side is BUY)
    )


def test_a_venue_may_fill_limits_at_the_better_market(book):
    made = book(limit_fill=FillPrice.MARKET)
    made.send(pending(BUY, LIMIT, 99_950))
    made.jump("EURUSD", 99_900, 99_910, NOON_MS + 1)

    assert [price for _, price in fills(made)] == [99_910]


def test_a_stop_limit_becomes_a_limit_with_the_same_ticket(book):
    made = book()
    order = made.send(pending(BUY, STOP_LIMIT, 100_100, stop_limit=100_050)).order_ticket
    made.move("EURUSD", 100_120, NOON_MS + 5)
    waiting = made.orders()[0]

    assert (waiting.order_ticket, waiting.order_type) == (order, LIMIT)
    assert (waiting.price_points, waiting.stop_limit_points) == (100_050, 0)
    assert waiting.setup_ms == NOON_MS + 5
    made.move("EURUSD", 100_030, NOON_MS + 6)
    assert fills(made) == [(order, 100_050)]


def test_a_stop_limit_can_turn_and_fill_within_one_move(book):
    made = book()
    order = made.send(pending(BUY, STOP_LIMIT, 100_100, stop_limit=100_100)).order_ticket
    made.move("EURUSD", 100_200, NOON_MS + 5)

    assert fills(made) == [(order, 100_100)]


def test_a_position_that_an_order_opened_meets_its_levels_on_the_same_move(book):
    made = book()
    order = made.send(pending(BUY, STOP, 100_100, stop=99_000, target=100_300)).order_ticket
    made.move("EURUSD", 100_500, NOON_MS + 5)

    assert [price for _, price in fills(made)] == [100_100, 100_300]
    assert made.ledger.deals[-1].reason is Reason.TAKE_PROFIT
    assert made.ledger.deals[-1].position_ticket == order


def test_a_stop_inside_the_spread_is_met_as_soon_as_the_order_is_filled(book):
    made = book()
    made.jump("EURUSD", 100_000, 100_100, NOON_MS)
    made.send(pending(SELL, STOP, 99_900, stop=99_950))
    made.move("EURUSD", 99_850, NOON_MS + 5)

    assert [price for _, price in fills(made)] == [99_900, 100_000]
    assert made.positions() == ()


def test_stops_come_before_targets_and_orders_at_one_tick(book):
    made = book({"deposit": 1_000_000.0})
    long = made.open_market("EURUSD", BUY, LOT, stop=99_900).order_ticket
    short = made.open_market("EURUSD", SELL, LOT, target=99_900).order_ticket
    order = made.send(pending(BUY, LIMIT, 99_890)).order_ticket
    made.jump("EURUSD", 99_800, 99_810, NOON_MS + 1)

    done = [deal.position_ticket for deal in made.ledger.deals[-3:]]
    assert done == [long, short, order]


def test_an_order_that_is_met_without_money_is_rejected(book):
    made = book({"deposit": 1500.0})
    order = made.send(pending(BUY, STOP, 100_100, units=2 * LOT)).order_ticket
    made.move("EURUSD", 100_200, NOON_MS + 1)

    assert fills(made) == []
    assert (made.ledger.orders[-1].order_ticket, made.ledger.orders[-1].state) == (
        order,
        OrderState.REJECTED,
    )


def test_outside_trading_hours_levels_and_orders_wait_for_the_first_tick_inside(book):
    hours = ("", *("09:00-17:00",) * 5, "")
    made = book(sessions=hours)
    made.open_market("EURUSD", BUY, LOT, stop=99_900)
    made.send(pending(SELL, STOP, 99_900))
    made.move("EURUSD", 99_800, ms(2017, 1, 2, 18))
    made.move("EURUSD", 99_700, ms(2017, 1, 2, 19))
    assert len(fills(made)) == 1

    made.move("EURUSD", 99_750, ms(2017, 1, 3, 9))
    assert [price for _, price in fills(made)[1:]] == [99_700, 99_700]


# changing and canceling


def test_a_change_gives_new_levels_and_needs_a_difference(book):
    made = book()
    ticket = made.send(pending(BUY, LIMIT, 99_900)).order_ticket
    same = ChangeRequest(order_ticket=ticket, price=99_900)
    other = ChangeRequest(order_ticket=ticket, price=99_800, stop=99_700)

    assert made.send(same).refusal is Refusal.NO_CHANGES
    assert made.send(other).refusal is None
    assert (made.orders()[0].price_points, made.orders()[0].stop_loss_points) == (99_800, 99_700)
    wrong = ChangeRequest(order_ticket=ticket, price=100_010)
    assert made.send(wrong).refusal is Refusal.INVALID_PRICE
    crossed = ChangeRequest(order_ticket=ticket, price=99_800, stop=99_800)
    assert made.send(crossed).refusal is Refusal.INVALID_STOPS


def test_a_canceled_order_goes_to_the_history_unfilled(book):
    made = book()
    ticket = made.send(pending(BUY, LIMIT, 99_900)).order_ticket

    assert made.send(CancelRequest(order_ticket=ticket)).refusal is None
    assert made.send(CancelRequest(order_ticket=ticket)).refusal is Refusal.INVALID_ORDER
    done = made.ledger.orders[-1]
    assert (done.state, done.filled_units, done.comment) == (OrderState.CANCELED, 0, "mine")


def test_near_the_market_an_order_is_frozen(book):
    made = book(freeze_level_points=20)
    ticket = made.send(pending(BUY, LIMIT, 99_980)).order_ticket
    made.move("EURUSD", 99_989, NOON_MS + 1)  # ask 99999: 19 points away

    assert made.send(CancelRequest(order_ticket=ticket)).refusal is Refusal.FROZEN
    change = ChangeRequest(order_ticket=ticket, price=99_900)
    assert made.send(change).refusal is Refusal.FROZEN
    made.move("EURUSD", 99_990, NOON_MS + 2)
    assert made.send(change).refusal is None


# expiration


@pytest.mark.parametrize(
    ("expiration", "wanted", "done"),
    [
        (Expiration.SPECIFIED, ms(2017, 1, 3, 8), ms(2017, 1, 3, 8)),
        (Expiration.SPECIFIED, ms(2017, 1, 7, 8), ms(2017, 1, 9, 1, 5)),  # a Saturday
        (Expiration.SPECIFIED_DAY, ms(2017, 1, 3, 8), ms(2017, 1, 3, 23, 59, 59)),
        (Expiration.DAY, 0, ms(2017, 1, 3)),
    ],
)
def test_an_order_expires_when_its_market_is_open(book, expiration, wanted, done):
    """Tester reports: an order that runs out on a Saturday is done on Monday at 01:05."""
    made = book(sessions=("", "01:05-24:00", *("00:00-24:00",) * 4, ""))
    order = pending(BUY, LIMIT, 90_000, expiration=expiration, expires_ms=wanted)
    assert made.send(order).refusal is None
    for moment in (done - 1, done, done + HOUR_MS):
        if moment < done:
            made.show("EURUSD", 100_000, 100_010, moment)
            assert len(made.orders()) == 1
        else:
            made.move("EURUSD", 100_001, moment)

    finished = made.ledger.orders[-1]
    stamp = datetime.fromtimestamp(done / 1000, UTC).strftime("%Y.%m.%d %H:%M")
    assert (finished.state, finished.done_ms) == (OrderState.EXPIRED, done)
    assert (finished.comment, finished.filled_units) == (f"expired [{stamp}]", 0)
    assert made.orders() == ()


def test_a_day_order_ends_with_trading_where_that_is_earlier(book):
    made = book(sessions=("", *("09:00-21:00",) * 5, ""))
    made.send(pending(BUY, LIMIT, 90_000, expiration=Expiration.DAY))
    made.show("EURUSD", 100_000, 100_010, ms(2017, 1, 3, 9))

    assert made.ledger.orders[-1].done_ms == ms(2017, 1, 2, 21)


def test_where_good_till_canceled_means_a_day_all_ends_with_it(book):
    made = book(gtc_mode=GtcMode.DAILY)
    made.open_market("EURUSD", BUY, LOT, stop=99_000)
    made.send(pending(BUY, LIMIT, 90_000))
    made.roll_over(ms(2017, 1, 3))
    made.show("EURUSD", 100_000, 100_010, ms(2017, 1, 3, 1))

    assert made.orders() == ()
    assert made.positions()[0].stop_loss_points is None


@pytest.mark.parametrize(
    ("expiration", "wanted"),
    [(Expiration.SPECIFIED, NOON_MS), (Expiration.SPECIFIED_DAY, ms(2017, 1, 1))],
)
def test_an_order_must_not_have_expired_before_it_begins(book, expiration, wanted):
    order = pending(BUY, LIMIT, 90_000, expiration=expiration, expires_ms=wanted)

    assert book().send(order).refusal is Refusal.INVALID_EXPIRATION


def test_an_expiration_that_the_symbol_does_not_know_is_refused(book):
    made = book(expirations=(Expiration.GTC,))

    order = pending(BUY, LIMIT, 90_000, expiration=Expiration.DAY)
    assert made.send(order).refusal is Refusal.INVALID_EXPIRATION


# margin


def cfd_book(**account) -> Book:
    spec = InstrumentSpec(
        digits=3,
        contract_size=5000,
        base_currency="XAG",
        profit_currency="USD",
        calculation_mode=CalculationMode.CFD_LEVERAGE,
        margin_pending_rates=(1.0,) * 6,
    )
    venue = VenueSpec(account=AccountSpec(**account), instruments={"XAGUSD": spec})
    return Book(venue, NOON_MS)


@pytest.mark.parametrize("mode", [MarginMode.HEDGING, MarginMode.NETTING])
def test_a_waiting_order_holds_margin_of_its_own_where_its_rate_says_so(mode: MarginMode):
    """Administrator help: 2315.00 for two positions, 770.60 for a buy limit, 3085.60 in all."""
    book = cfd_book(margin_mode=mode)
    for lots, price in ((1, 15_436), (2, 15_432)):
        book.jump("XAGUSD", price, price, book.now_ms + 1)
        book.send(OrderRequest(symbol="XAGUSD", side=BUY, units=lots * LOT))
    assert book.margin_minor == 231_500

    limit = OrderRequest(
        symbol="XAGUSD",
        side=BUY,
        order_type=LIMIT,
        units=LOT,
        price=15_412,
        filling=Filling.RETURN,
    )
    assert book.margin_after(limit) == 308_560
    ticket = book.send(limit).order_ticket
    assert book.margin_minor == 308_560
    book.send(CancelRequest(order_ticket=ticket))
    assert book.margin_minor == 231_500


def test_a_waiting_order_needs_its_margin_when_it_is_placed():
    book = cfd_book(deposit=1000.0)
    book.jump("XAGUSD", 15_400, 15_400, NOON_MS)
    limit = OrderRequest(symbol="XAGUSD", side=BUY, order_type=LIMIT, units=2 * LOT, price=15_000)

    assert book.send(limit).refusal is Refusal.NO_MONEY


def test_futures_at_forts_hold_the_margin_of_the_larger_side_with_its_orders():
    """Administrator help, Exchange FORTS: 45,563.13 for the sellers' side."""
    spec = InstrumentSpec(
        digits=0,
        contract_size=1,
        base_currency="RUB",
        profit_currency="RUB",
        calculation_mode=CalculationMode.EXCH_FUTURES_FORTS,
        execution_mode=ExecutionMode.EXCHANGE,
        margin_initial=7665.41,
        margin_initial_short=7739.59,
        tick_value=1.0,
        settlement_price=73_638,
        margin_pending_rates=(1.0,) * 6,
        volume_min_lots=1.0,
        volume_step_lots=1.0,
    )
    account = AccountSpec(currency="RUB", deposit=1e6, margin_mode=MarginMode.EXCHANGE)
    book = Book(VenueSpec(account=account, instruments={"SI": spec}), NOON_MS)
    book.jump("SI", 73_640, 73_640, NOON_MS)
    book.send(OrderRequest(symbol="SI", side=BUY, units=3 * LOT))
    book.send(OrderRequest(symbol="SI", side=BUY, order_type=LIMIT, units=2 * LOT, price=73_000))
    book.send(OrderRequest(symbol="SI", side=SELL, order_type=LIMIT, units=10 * LOT, price=74_500))

    assert book.margin_minor == 4_556_313
