"""Orders that are met: what the rules allow by then, what volume there is, and when."""

from datetime import UTC, datetime

import numpy as np
import pytest

from mtquant.exchange import (
    AccountSpec,
    Book,
    ChangeRequest,
    InstrumentSpec,
    Market,
    OrderRequest,
    Refusal,
    VenueSpec,
)
from mtquant.model import (
    CalculationMode,
    DealEntry,
    ExecutionMode,
    Expiration,
    Filling,
    GtcMode,
    MarginMode,
    OrderState,
    OrderType,
    Reason,
    Side,
    Timeframe,
    TradeMode,
    make_bars,
)

NOON_MS = 1_483_358_400_000  # Monday, 2017-01-02, 12:00 UTC
HOUR_MS = 3_600_000
LOT = 100_000_000
NETTING = {"margin_mode": MarginMode.NETTING, "deposit": 1_000_000.0}
THIN = {  # a lot at the best price, two more a point away
    "execution_mode": ExecutionMode.EXCHANGE,
    "depth_points": (0, 1),
    "depth_lots": (1.0, 2.0),
}
RICH = {"deposit": 1_000_000.0}


def utc_ms(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp() * 1000)


def order(order_type: OrderType, side: Side, price: int, **more) -> OrderRequest:
    wanted = {"symbol": "EURUSD", "units": LOT, "filling": Filling.RETURN} | more
    return OrderRequest(order_type=order_type, side=side, price=price, **wanted)


def market(side: Side, **more) -> OrderRequest:
    return order(OrderType.MARKET, side, 0, **({"filling": Filling.FOK} | more))


def states(made: Book) -> list[OrderState]:
    return [one.state for one in made.ledger.orders]


# rules


def test_an_order_that_would_hedge_when_it_is_met_is_rejected(book):
    made = book(RICH | {"hedging_prohibited": True})
    made.send(order(OrderType.STOP, Side.BUY, 100_100))
    made.send(market(Side.SELL))
    made.move("EURUSD", 100_200, NOON_MS + 1)

    assert [p.side for p in made.open_positions] == [-1]
    assert states(made)[-1] is OrderState.REJECTED


def test_an_order_that_would_open_against_the_trade_mode_when_it_is_met_is_rejected(book):
    made = book(NETTING, trade_mode=TradeMode.LONG_ONLY)
    made.send(market(Side.BUY, stop=99_900))
    made.send(order(OrderType.STOP, Side.SELL, 99_800))
    made.move("EURUSD", 99_700, NOON_MS + 1)

    assert made.open_positions == []
    assert states(made)[-1] is OrderState.REJECTED


def test_the_rest_of_a_market_order_does_not_turn_a_position_that_may_not_turn(book):
    made = book(NETTING, trade_mode=TradeMode.LONG_ONLY, **THIN)
    for _ in range(2):
        made.send(market(Side.BUY, units=2 * LOT))
        made.jump("EURUSD", 100_000, 100_010, NOON_MS + 1)
    made.send(market(Side.SELL, units=4 * LOT, filling=Filling.RETURN))
    made.send(market(Side.SELL, units=LOT, filling=Filling.RETURN))  # nothing is left of the tick
    made.jump("EURUSD", 100_000, 100_010, NOON_MS + 2)
    made.jump("EURUSD", 100_000, 100_010, NOON_MS + 3)

    assert made.open_positions == []
    assert states(made)[-1] is OrderState.REJECTED


def test_what_is_left_of_an_order_that_has_traded_is_canceled_not_rejected(book):
    made = book({"deposit": 210_000.0, "leverage": 1}, **THIN)
    made.send(order(OrderType.LIMIT, Side.BUY, 100_010, units=2 * LOT))
    made.deposit(-5_000_000, NOON_MS, "withdrawal")
    made.jump("EURUSD", 100_000, 100_010, NOON_MS + 1)

    last = made.ledger.orders[-1]
    assert (last.state, last.filled_units) == (OrderState.CANCELED, LOT)


def test_an_order_that_waits_for_volume_counts_as_a_position_to_come(book):
    made = book(RICH | {"limit_positions": 2}, **THIN)
    made.send(market(Side.BUY, units=3 * LOT))
    made.send(market(Side.BUY, filling=Filling.RETURN))  # takes a place, finds no volume

    assert made.send(market(Side.SELL)).refusal is Refusal.POSITION_LIMIT


# volume


def test_the_rest_of_a_limit_order_is_filled_by_the_next_tick_however_still(book):
    jumped, moved = book(RICH, **THIN), book(RICH, **THIN)
    for made in (jumped, moved):
        made.send(order(OrderType.LIMIT, Side.BUY, 100_020, units=5 * LOT))
    jumped.jump("EURUSD", 100_000, 100_010, NOON_MS + 1)
    moved.move("EURUSD", 100_001, NOON_MS + 1)

    for made in (jumped, moved):
        assert [p.units for p in made.open_positions] == [5 * LOT]
        assert made.live_orders == []


def test_what_waits_for_volume_keeps_its_place_among_the_orders(book):
    made = book(RICH, **THIN)
    first = made.send(order(OrderType.LIMIT, Side.BUY, 99_000)).order_ticket
    second = made.send(order(OrderType.LIMIT, Side.BUY, 98_000)).order_ticket
    made.send(ChangeRequest(order_ticket=first, price=100_010))
    third = made.send(order(OrderType.LIMIT, Side.BUY, 100_020, units=4 * LOT)).order_ticket
    fourth = made.send(order(OrderType.LIMIT, Side.BUY, 97_000)).order_ticket
    made.jump("EURUSD", 100_000, 100_010, NOON_MS + 1)

    assert [one.ticket for one in made.live_orders] == [second, fourth]
    assert made.ledger.orders[-1].order_ticket == third


def test_a_tick_of_one_symbol_brings_no_volume_of_another(venue):
    spec = venue(**THIN).instruments["EURUSD"]
    made = Book(
        VenueSpec(account=AccountSpec(**RICH), instruments={"EURUSD": spec, "GBPUSD": spec}),
        NOON_MS,
    )
    for symbol in ("EURUSD", "GBPUSD"):
        made.jump(symbol, 100_000, 100_010, NOON_MS)
    made.send(market(Side.BUY, units=3 * LOT))
    made.jump("GBPUSD", 100_000, 100_010, NOON_MS + 1)

    assert made.send(market(Side.BUY)).refusal is Refusal.REJECTED


def test_a_stop_order_stays_one_while_its_rest_waits_for_volume(book):
    made = book(RICH, **THIN)
    made.send(order(OrderType.STOP, Side.BUY, 100_100, units=4 * LOT))
    made.jump("EURUSD", 100_100, 100_110, NOON_MS + 1)
    assert [(one.order_type, one.price_points) for one in made.orders()] == [
        (OrderType.STOP, 100_100)
    ]

    made.jump("EURUSD", 100_000, 100_010, NOON_MS + 2)
    assert made.orders() == ()
    assert (made.ledger.orders[-1].order_type, states(made)) == (
        OrderType.STOP,
        [OrderState.FILLED],
    )


@pytest.mark.parametrize("account", [RICH, NETTING])
def test_levels_that_were_changed_outlive_the_rest_of_the_order(book, account):
    made = book(account, **THIN)
    ticket = made.send(
        market(Side.BUY, units=4 * LOT, stop=99_000, filling=Filling.RETURN)
    ).order_ticket
    made.modify_stops(ticket, 99_900, 0)
    made.jump("EURUSD", 100_000, 100_010, NOON_MS + 1)

    assert [(p.units, p.stop) for p in made.open_positions] == [(4 * LOT, 99_900)]


def test_a_position_that_the_rest_of_an_order_opens_beyond_its_level_is_closed_at_once(book):
    made = book(NETTING, **THIN)
    made.send(market(Side.BUY, units=3 * LOT, stop=99_990, filling=Filling.RETURN))
    made.send(market(Side.BUY, stop=99_990, filling=Filling.RETURN))
    made.jump("EURUSD", 99_900, 99_910, NOON_MS + 1)

    assert made.open_positions == []
    assert [deal.reason for deal in made.ledger.deals[-2:]] == [Reason.EXPERT, Reason.STOP_LOSS]


def test_an_ioc_limit_without_volume_is_refused_and_not_said_to_wait(book):
    made = book(RICH, **THIN)
    made.send(market(Side.BUY, units=3 * LOT))
    answer = made.send(order(OrderType.LIMIT, Side.BUY, 100_020, filling=Filling.IOC))

    assert answer.refusal is Refusal.REJECTED
    assert made.live_orders == []


# orders for the book alone


BOC = {"execution_mode": ExecutionMode.EXCHANGE, "fillings": tuple(Filling)}


def test_a_boc_order_that_is_changed_into_the_market_is_canceled(book):
    made = book(RICH, **BOC)
    ticket = made.send(order(OrderType.LIMIT, Side.BUY, 99_000, filling=Filling.BOC)).order_ticket
    answer = made.send(ChangeRequest(order_ticket=ticket, price=100_020))

    assert answer.refusal is Refusal.REJECTED
    assert states(made) == [OrderState.CANCELED]
    assert made.open_positions == []


def test_a_boc_stop_limit_whose_limit_is_met_at_once_is_canceled(book):
    made = book(RICH, **BOC)
    wanted = order(OrderType.STOP_LIMIT, Side.BUY, 100_100, stop_limit=100_100, filling=Filling.BOC)
    made.send(wanted)
    made.move("EURUSD", 100_200, NOON_MS + 1)

    assert states(made) == [OrderState.CANCELED]
    assert made.open_positions == []


def test_a_boc_order_in_the_book_may_be_filled_in_parts(book):
    made = book(RICH, **(THIN | BOC))
    made.send(order(OrderType.LIMIT, Side.BUY, 99_990, units=2 * LOT, filling=Filling.BOC))
    made.jump("EURUSD", 99_980, 99_990, NOON_MS + 1)

    assert [p.units for p in made.open_positions] == [LOT]
    assert [one.left for one in made.live_orders] == [LOT]


# hours


def test_a_rest_is_not_filled_outside_trading_hours(book):
    made = book(NETTING, **THIN)
    made.send(market(Side.BUY, units=4 * LOT, filling=Filling.RETURN))
    made.jump("EURUSD", 100_000, 100_010, utc_ms(2017, 1, 7, 12))  # Saturday
    assert [p.units for p in made.open_positions] == [3 * LOT]

    made.jump("EURUSD", 100_000, 100_010, utc_ms(2017, 1, 9, 12))
    assert [p.units for p in made.open_positions] == [4 * LOT]


def test_a_level_met_outside_trading_hours_outlives_the_ticks_of_other_symbols(venue):
    day = ("09:00-18:00",) * 7
    closed, open_ = (
        venue(sessions=hours).instruments["EURUSD"] for hours in (day, ("00:00-24:00",) * 7)
    )
    made = Book(
        VenueSpec(
            account=AccountSpec(**RICH),
            server_clock="utc",
            instruments={"EURUSD": closed, "GBPUSD": open_},
        ),
        NOON_MS,
    )
    for symbol in ("EURUSD", "GBPUSD"):
        made.jump(symbol, 100_000, 100_010, NOON_MS)
    for symbol in ("EURUSD", "GBPUSD"):
        made.send(market(Side.BUY, symbol=symbol, stop=99_900))
    made.jump("EURUSD", 99_800, 99_810, NOON_MS + 8 * HOUR_MS)
    made.jump("GBPUSD", 99_800, 99_810, NOON_MS + 9 * HOUR_MS)
    made.jump("EURUSD", 99_800, 99_810, NOON_MS + 22 * HOUR_MS)

    assert made.open_positions == []


# what is asked for


def test_a_stop_limit_price_of_another_order_type_is_overlooked(book):
    made = book(RICH)
    wanted = order(OrderType.LIMIT, Side.BUY, 99_000, stop_limit=1, stop=98_000, target=99_500)
    answer = made.send(wanted)
    ticket = answer.order_ticket
    same = ChangeRequest(
        order_ticket=ticket, price=99_000, stop_limit=1, stop=98_000, target=99_500
    )

    assert answer.refusal is None
    assert made.send(same).refusal is Refusal.NO_CHANGES


@pytest.mark.parametrize("mode", MarginMode)
def test_a_change_must_find_the_margin_that_it_adds(book, mode):
    account = {"deposit": 101_000.0, "leverage": 1, "margin_mode": mode}
    made = book(account, margin_pending_rates=(1.0,) * 6)
    first = made.send(order(OrderType.LIMIT, Side.BUY, 90_000)).order_ticket
    made.send(order(OrderType.LIMIT, Side.BUY, 90_000, units=LOT // 10))

    assert made.send(ChangeRequest(order_ticket=first, price=99_990)).refusal is Refusal.NO_MONEY
    assert made.send(ChangeRequest(order_ticket=first, price=80_000)).refusal is None
    assert made.margin_minor == 8_900_000


def test_near_a_level_no_order_changes_the_volume_of_a_netting_position(book):
    made = book(NETTING, freeze_level_points=20)
    made.send(market(Side.BUY, stop=99_990))

    assert made.send(market(Side.SELL)).refusal is Refusal.FROZEN
    assert made.send(market(Side.BUY)).refusal is Refusal.FROZEN


@pytest.mark.parametrize(
    ("expirations", "stop"), [(tuple(Expiration), 0), ((Expiration.DAY,), 99_000)]
)
def test_levels_end_with_the_day_only_where_orders_may_last_longer(book, expirations, stop):
    made = book(gtc_mode=GtcMode.DAILY, expirations=expirations)
    made.open_market("EURUSD", Side.BUY, LOT, stop=99_000)
    made.roll_over(utc_ms(2017, 1, 3))

    assert made.open_positions[0].stop == stop


def test_the_accrued_interest_that_a_short_bond_owes_can_bring_its_stop_out():
    spec = InstrumentSpec(
        digits=2,
        contract_size=1.0,
        base_currency="USD",
        profit_currency="USD",
        calculation_mode=CalculationMode.EXCH_BONDS,
        face_value=1_000.0,
        accrued_interest=100.0,
        spread_points=0,
    )
    count = 6
    opened = np.full(count, 10_000)
    bars = make_bars(
        symbol="BOND",
        timeframe=Timeframe.M1,
        digits=2,
        time_ms=NOON_MS + np.arange(count) * 60_000,
        open=opened,
        high=opened + np.array([0, 0, 0, 6_500, 0, 0]),
        low=opened,
        close=opened,
    )
    venue = VenueSpec(account=AccountSpec(deposit=1_200.0), instruments={"BOND": spec})
    played = Market.of_bars(venue, bars, np.zeros((count, 2), dtype=np.int32))
    played.advance()
    played.book.open_market("BOND", Side.SELL, LOT)

    event = played.next_event_bar()
    while played.advance():
        pass

    closing = played.book.ledger.deals[-1]
    assert (closing.entry, closing.reason) == (DealEntry.OUT, Reason.STOP_OUT)
    assert event == 3
