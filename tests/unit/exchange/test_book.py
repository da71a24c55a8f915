"""The book of a hedging account: requests, triggers, swap, margin and stop-out."""

from datetime import UTC, datetime

import pytest

from mtquant.exchange import Book, OrderRequest, Refusal, StopsRequest
from mtquant.model import DealEntry, DealKind, Reason, Side, SwapMode

NOON_MS = 1_483_358_400_000  # Monday, 2017-01-02, 12:00 UTC
LOT = 100_000_000
RICH = {"deposit": 1_000_000.0}


def utc_ms(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp() * 1000)


def closings(book: Book) -> list[tuple]:
    return [
        (deal.position_ticket, deal.reason, deal.price_points)
        for deal in book.ledger.deals
        if deal.entry is DealEntry.OUT
    ]


def open_both(book: Book, **levels) -> tuple[int, int]:
    long = book.open_market("EURUSD", Side.BUY, LOT, **levels)
    short = book.open_market("EURUSD", Side.SELL, LOT)
    return long.order_ticket, short.order_ticket


def buy(units: int = LOT) -> OrderRequest:
    return OrderRequest(symbol="EURUSD", side=Side.BUY, units=units)


# requests


def test_a_buy_opens_at_the_ask_and_a_sell_at_the_bid(book):
    made = book()
    buy = made.open_market("EURUSD", Side.BUY, LOT, magic=7, comment="in")
    sell = made.open_market("EURUSD", Side.SELL, LOT // 2)

    assert (buy.price_points, sell.price_points) == (100_010, 100_000)
    assert [(p.open_points, p.current_points) for p in made.positions()] == [
        (100_010, 100_000),
        (100_000, 100_010),
    ]
    assert (made.positions()[0].intent_id, made.positions()[0].comment) == (7, "in")


def test_opening_costs_the_spread_in_equity_and_the_commission_in_balance(book):
    made = book(commission_per_lot=3.5)
    made.open_market("EURUSD", Side.BUY, LOT // 10)

    assert made.balance_minor == 1_000_000 - 35
    assert made.equity_minor == 1_000_000 - 35 - 100


def test_a_slip_worsens_or_betters_the_fill_of_its_side(book):
    made = book()
    made.set_slippage("EURUSD", 3, -2)

    assert made.open_market("EURUSD", Side.BUY, LOT // 10).price_points == 100_013
    assert made.open_market("EURUSD", Side.SELL, LOT // 10).price_points == 100_002


@pytest.mark.parametrize(
    ("request_", "refusal"),
    [
        ({"symbol": "GBPUSD"}, Refusal.INVALID_REQUEST),
        ({"units": 0}, Refusal.INVALID_VOLUME),
        ({"units": LOT // 1000}, Refusal.INVALID_VOLUME),
        ({"units": 501 * LOT}, Refusal.INVALID_VOLUME),
        ({"stop": 100_000}, Refusal.INVALID_STOPS),
        ({"stop": -1}, Refusal.INVALID_STOPS),
        ({"target": 100_000}, Refusal.INVALID_STOPS),
        ({"units": 11 * LOT}, Refusal.NO_MONEY),
    ],
)
def test_an_impossible_opening_is_refused_and_changes_nothing(book, request_, refusal: Refusal):
    made = book()
    wanted = {"symbol": "EURUSD", "side": Side.BUY, "units": LOT} | request_
    answer = made.open_market(**wanted)

    assert answer.refusal is refusal
    assert made.open_positions == []
    assert len(made.ledger.deals) == 1


def test_an_opening_before_the_first_quote_is_refused(venue):
    empty = Book(venue(), NOON_MS)

    assert empty.quote("EURUSD") is None
    assert empty.open_market("EURUSD", Side.BUY, LOT).refusal is Refusal.NO_PRICES


def test_a_closed_market_refuses_every_request_that_a_check_lets_pass(book):
    made = book()
    ticket = made.open_market("EURUSD", Side.BUY, LOT).order_ticket
    made.jump("EURUSD", 100_000, 100_010, utc_ms(2017, 1, 7, 12))  # Saturday

    assert made.check(buy()) is None
    assert made.open_market("EURUSD", Side.BUY, LOT).refusal is Refusal.MARKET_CLOSED
    assert made.close_market(ticket, LOT).refusal is Refusal.MARKET_CLOSED
    assert made.modify_stops(ticket, 99_000, 0).refusal is Refusal.MARKET_CLOSED


@pytest.mark.parametrize(
    ("units", "refusal"),
    [
        (LOT + 1, Refusal.CLOSE_VOLUME),
        (0, Refusal.INVALID_VOLUME),
        (-LOT, Refusal.INVALID_VOLUME),
        (LOT // 1000, Refusal.INVALID_VOLUME),
    ],
)
def test_an_impossible_closing_is_refused(book, units: int, refusal: Refusal):
    made = book()
    ticket = made.open_market("EURUSD", Side.BUY, LOT).order_ticket

    assert made.close_market(ticket, units).refusal is refusal
    assert made.close_market(ticket + 1, LOT).refusal is Refusal.POSITION_GONE


def test_a_rest_below_the_minimum_volume_can_be_closed(book):
    made = book(volume_min_lots=0.1)
    ticket = made.open_market("EURUSD", Side.BUY, LOT // 10).order_ticket
    made.close_market(ticket, LOT * 6 // 100)

    assert made.close_market(ticket, LOT * 4 // 100).refusal is None
    assert made.open_positions == []


def test_parts_keep_the_ticket_the_levels_and_their_share_of_the_swap(book):
    made = book(swap_mode=SwapMode.POINTS, swap_long_points=-3.33)
    ticket = made.open_market("EURUSD", Side.BUY, LOT, stop=99_000, magic=5).order_ticket
    made.roll_over(utc_ms(2017, 1, 3))
    parts = [made.close_market(ticket, units, magic=9) for units in (33_000_000, 67_000_000)]

    assert [part.refusal for part in parts] == [None, None]
    first, last = made.ledger.deals[-2:]
    assert (first.swap_minor, last.swap_minor) == (-110, -223)
    assert (first.position_ticket, last.position_ticket) == (ticket, ticket)
    assert (first.intent_id, made.ledger.orders[-1].intent_id) == (5, 9)
    assert made.balance_minor == sum(deal.net_minor for deal in made.ledger.deals)
    assert made.open_positions == []


def test_levels_are_replaced_together_and_only_when_they_change(book):
    made = book(stops_level_points=20)
    ticket = made.open_market("EURUSD", Side.BUY, LOT, stop=99_000, target=101_000).order_ticket

    assert made.modify_stops(ticket, 99_000, 101_000).refusal is Refusal.NO_CHANGES
    assert made.modify_stops(ticket, 99_981, 0).refusal is Refusal.INVALID_STOPS
    assert made.modify_stops(ticket + 1, 1, 1).refusal is Refusal.POSITION_GONE
    assert made.modify_stops(ticket, 99_980, 0).refusal is None
    assert made.positions()[0].stop_loss_points == 99_980
    assert made.positions()[0].take_profit_points is None


@pytest.mark.parametrize(("stop", "is_frozen"), [(99_981, True), (99_980, False)])
def test_near_a_level_a_position_is_frozen(book, stop: int, *, is_frozen: bool):
    made = book(freeze_level_points=20)
    ticket = made.open_market("EURUSD", Side.BUY, LOT, stop=stop).order_ticket
    expected = Refusal.FROZEN if is_frozen else None
    wanted = StopsRequest(symbol="EURUSD", position_ticket=ticket, stop=99_000)

    assert made.check(wanted) is expected
    assert made.close_market(ticket, LOT).refusal is expected


def test_what_an_operation_would_cost_is_told_without_doing_it(book):
    made = book()

    assert made.margin_for("EURUSD", Side.BUY, LOT // 10, 109_910) == 10_991
    assert made.margin_after(buy()) == 100_010
    assert made.profit_for("EURUSD", Side.SELL, LOT, 100_000, 99_700) == 30_000
    assert made.margin_minor == 0


def test_a_deposit_is_a_balance_deal(book):
    made = book()
    made.deposit(-50_000, NOON_MS, "withdrawal")

    assert made.account().balance_minor == 950_000
    assert [deal.kind for deal in made.ledger.deals] == [DealKind.BALANCE, DealKind.BALANCE]


def test_an_account_without_a_deposit_starts_with_nothing(venue):
    made = Book(venue({"deposit": 0.0}), NOON_MS)

    assert made.ledger.deals == []
    assert made.account().margin_level is None


# triggers


def test_a_move_fills_at_the_level_and_a_gap_at_the_market(book):
    moved, jumped = book(), book()
    for made in (moved, jumped):
        made.open_market("EURUSD", Side.BUY, LOT, stop=99_900)
    moved.move("EURUSD", 99_800, NOON_MS + 1)
    jumped.jump("EURUSD", 99_800, 99_810, NOON_MS + 1)

    assert [c[2] for c in closings(moved)] == [99_900]
    assert [c[2] for c in closings(jumped)] == [99_800]
    assert moved.ledger.deals[-1].comment == jumped.ledger.deals[-1].comment == "[sl 0.99900]"


def test_a_gap_over_a_target_fills_better_than_the_level(book):
    made = book()
    made.open_market("EURUSD", Side.SELL, LOT, target=99_000)
    made.jump("EURUSD", 98_000, 98_010, NOON_MS + 1)

    assert [c[1:] for c in closings(made)] == [(Reason.TAKE_PROFIT, 98_010)]
    assert made.ledger.deals[-1].comment == "[tp 0.99000]"


@pytest.mark.parametrize(("bid", "is_closed"), [(99_991, False), (99_990, True)])
def test_a_short_target_is_met_by_the_ask_not_the_bid(book, bid: int, *, is_closed: bool):
    made = book()
    made.jump("EURUSD", 100_100, 100_110, NOON_MS)
    made.open_market("EURUSD", Side.SELL, LOT, target=100_000)
    made.move("EURUSD", bid, NOON_MS + 1)

    assert bool(closings(made)) is is_closed


def test_a_stop_slips_against_the_position_and_never_for_it(book):
    for slip, price in ((4, 99_896), (-4, 99_900)):
        made = book()
        made.open_market("EURUSD", Side.BUY, LOT, stop=99_900)
        made.set_slippage("EURUSD", 0, slip)
        made.move("EURUSD", 99_000, NOON_MS + 1)

        assert [c[2] for c in closings(made)] == [price]


def test_a_short_stop_slips_by_what_a_buy_slips(book):
    made = book()
    made.open_market("EURUSD", Side.SELL, LOT, stop=100_100)
    made.set_slippage("EURUSD", 4, 0)
    made.move("EURUSD", 100_500, NOON_MS + 1)

    assert closings(made)[0][1:] == (Reason.STOP_LOSS, 100_104)


def test_a_gap_closes_all_stops_before_any_target(book):
    made = book(RICH)
    target = made.open_market("EURUSD", Side.SELL, LOT, target=99_900).order_ticket
    stop = made.open_market("EURUSD", Side.BUY, LOT, stop=99_900).order_ticket
    made.jump("EURUSD", 99_000, 99_010, NOON_MS + 1)

    assert [c[:2] for c in closings(made)] == [
        (stop, Reason.STOP_LOSS),
        (target, Reason.TAKE_PROFIT),
    ]


def test_a_move_meets_levels_in_the_order_of_their_distance(book):
    made = book(RICH)
    far = made.open_market("EURUSD", Side.BUY, LOT, stop=99_800).order_ticket
    near = made.open_market("EURUSD", Side.BUY, LOT, stop=99_900).order_ticket
    target = made.open_market("EURUSD", Side.SELL, LOT, target=99_860).order_ticket  # bid 99850
    made.move("EURUSD", 99_700, NOON_MS + 1)

    assert [c[0] for c in closings(made)] == [near, target, far]


def test_equal_distances_meet_stops_first_then_the_older_ticket(book):
    made = book(RICH)
    target = made.open_market("EURUSD", Side.SELL, LOT, target=99_910).order_ticket
    first = made.open_market("EURUSD", Side.BUY, LOT, stop=99_900).order_ticket
    second = made.open_market("EURUSD", Side.BUY, LOT, stop=99_900).order_ticket
    made.move("EURUSD", 99_900, NOON_MS + 1)

    assert [c[0] for c in closings(made)] == [first, second, target]


def test_a_level_exactly_reached_is_met_and_one_point_short_is_not(book):
    made = book()
    made.open_market("EURUSD", Side.BUY, LOT, target=100_500)
    made.move("EURUSD", 100_499, NOON_MS + 1)
    assert closings(made) == []

    made.move("EURUSD", 100_500, NOON_MS + 2)
    assert [c[1:] for c in closings(made)] == [(Reason.TAKE_PROFIT, 100_500)]


def test_a_wider_spread_alone_can_stop_a_short_position(book):
    made = book()
    made.open_market("EURUSD", Side.SELL, LOT, stop=100_050)
    made.jump("EURUSD", 100_000, 100_060, NOON_MS + 1)

    assert [c[1:] for c in closings(made)] == [(Reason.STOP_LOSS, 100_060)]


def test_a_move_of_one_symbol_leaves_the_others_alone(venue):
    spec = venue().instruments["EURUSD"]
    made = Book(type(venue())(instruments={"EURUSD": spec, "GBPUSD": spec}), NOON_MS)
    for symbol in ("EURUSD", "GBPUSD"):
        made.jump(symbol, 100_000, 100_010, NOON_MS)
        made.open_market(symbol, Side.BUY, LOT, stop=99_900)
    made.move("GBPUSD", 99_000, NOON_MS + 1)

    assert [p.symbol for p in made.open_positions] == ["EURUSD"]


# swap


@pytest.mark.parametrize(
    ("midnight", "nights"),
    [((2017, 1, 3), 1), ((2017, 1, 5), 3), ((2017, 1, 7), 1), ((2017, 1, 8), 0), ((2017, 1, 9), 0)],
)
def test_the_night_that_ends_wednesday_counts_three_and_the_weekend_none(
    book, midnight: tuple, nights: int
):
    made = book(swap_mode=SwapMode.POINTS, swap_long_points=-7.0, swap_short_points=2.0)
    open_both(made)
    made.roll_over(utc_ms(*midnight))

    assert [p.swap_minor for p in made.open_positions] == [-700 * nights, 200 * nights]


def test_a_swap_counts_in_equity_at_once_and_in_the_balance_at_the_close(book):
    made = book(swap_mode=SwapMode.POINTS, swap_long_points=7.0)
    ticket = made.open_market("EURUSD", Side.BUY, 2 * LOT).order_ticket
    before = made.equity_minor
    made.roll_over(utc_ms(2017, 1, 3))

    assert made.equity_minor == before + 1400
    assert made.balance_minor == 1_000_000
    made.close_market(ticket, 2 * LOT)
    assert made.ledger.deals[-1].swap_minor == 1400
    assert made.balance_minor == made.equity_minor


def test_a_disabled_swap_costs_nothing(book):
    made = book(swap_long_points=-7.0)
    made.open_market("EURUSD", Side.BUY, LOT)
    made.roll_over(utc_ms(2017, 1, 3))

    assert made.open_positions[0].swap_minor == 0


# margin and stop-out


def test_used_margin_stays_at_the_opening_price(book):
    made = book()
    made.open_market("EURUSD", Side.BUY, LOT)
    made.move("EURUSD", 105_000, NOON_MS + 1)

    assert made.margin_minor == 100_010


def test_covered_volume_takes_the_hedged_contract(book):
    free, half = book(), book(margin_hedged_contract=50_000.0)
    for made in (free, half):
        open_both(made)

    assert free.margin_minor == 0
    assert half.margin_minor == 50_003  # 1 lot covered at the average of 1.00010 and 1.00000


def test_the_stop_out_closes_the_worst_position_first_and_stops_above_the_level(book):
    made = book({"deposit": 2_500.0})
    better = made.open_market("EURUSD", Side.BUY, LOT // 2).order_ticket
    worse = made.open_market("EURUSD", Side.BUY, 3 * LOT // 2).order_ticket
    made.move("EURUSD", 99_300, NOON_MS + 1)
    assert closings(made) == []

    made.move("EURUSD", 99_200, NOON_MS + 2)

    assert closings(made) == [(worse, Reason.STOP_OUT, 99_200)]
    assert [p.ticket for p in made.open_positions] == [better]
    assert made.ledger.deals[-1].comment == "[so 44.00%]"


def test_equal_losers_leave_by_age_and_a_hopeless_account_loses_all(book):
    made = book({"deposit": 2_500.0})
    tickets = [made.open_market("EURUSD", Side.BUY, LOT).order_ticket for _ in range(2)]
    made.jump("EURUSD", 97_000, 97_010, NOON_MS + 1)

    assert [c[0] for c in closings(made)] == tickets
    assert made.balance_minor == made.equity_minor < 0


def test_exactly_at_the_level_is_a_stop_out(book):
    made = book({"deposit": 1_000.1, "stop_out_percent": 50.0})
    made.open_market("EURUSD", Side.BUY, LOT)  # margin 1000.10, spread cost 10.00
    made.move("EURUSD", 99_510, NOON_MS + 1)  # 5.00 points short of half of the margin
    assert closings(made) == []

    made.move("EURUSD", 99_509, NOON_MS + 2)
    assert [c[1] for c in closings(made)] == [Reason.STOP_OUT]


def test_an_account_without_margin_is_not_stopped_out(book):
    made = book({"deposit": 2_500.0})
    open_both(made)
    made.jump("EURUSD", 50_000, 56_000, NOON_MS + 1)

    assert made.equity_minor < 0
    assert closings(made) == []
