"""Orders that wait: placed, changed, removed, filled and expired through the module's functions."""

from typing import Any

import pytest
from terminals import deal, make_server, make_terminal, pending, venue_of
from worlds import MONDAY_MS, bars_of

from mtquant.exchange import VenueSpec
from mtquant.model import ExecutionMode, Expiration, GtcMode, OrderType
from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated import SimulatedServer, SimulatedTerminal

KINDS = {
    mt5.ORDER_TYPE_BUY_LIMIT: ([110_000, 109_800], mt5.POSITION_TYPE_BUY, 1.099),
    mt5.ORDER_TYPE_SELL_LIMIT: ([110_000, 110_200], mt5.POSITION_TYPE_SELL, 1.101),
    mt5.ORDER_TYPE_BUY_STOP: ([110_000, 110_200], mt5.POSITION_TYPE_BUY, 1.101),
    mt5.ORDER_TYPE_SELL_STOP: ([110_000, 109_800], mt5.POSITION_TYPE_SELL, 1.099),
    mt5.ORDER_TYPE_BUY_STOP_LIMIT: (
        [110_000, 110_200, 109_900],
        mt5.POSITION_TYPE_BUY,
        1.1005,
    ),
    mt5.ORDER_TYPE_SELL_STOP_LIMIT: (
        [110_000, 109_800, 110_100],
        mt5.POSITION_TYPE_SELL,
        1.0995,
    ),
}
SERVER_S = MONDAY_MS // 1000 + 7200  # the first tick by the server's clock
MODIFY, REMOVE = mt5.TRADE_ACTION_MODIFY, mt5.TRADE_ACTION_REMOVE


def started(
    closes: list[int] | None = None, venue: VenueSpec | None = None, **bars: Any
) -> tuple[SimulatedServer, SimulatedTerminal]:
    server = make_server(bars_of(closes or [110_000] * 3, **bars), venue=venue)
    return server, make_terminal(server)


def play(server: SimulatedServer) -> None:
    while server.step():
        pass


def placed(terminal: SimulatedTerminal, *args: Any, **changes: Any) -> int:
    answer = terminal.order_send(pending(*args, **changes))
    assert answer.retcode == mt5.TRADE_RETCODE_DONE, answer
    return answer.order


def code_of(terminal: SimulatedTerminal, request: dict[str, Any]) -> int:
    checked, sent = terminal.order_check(request), terminal.order_send(request)
    assert checked.retcode == sent.retcode, (checked, sent)
    return sent.retcode


# ---------------------------------------------------------------- placing


@pytest.mark.parametrize("kind", KINDS)
def test_a_placed_order_answers_its_ticket_without_deal_and_price(kind: int):
    _, terminal = started()
    answer = terminal.order_send(pending(kind))

    assert (answer.retcode, answer.comment) == (10009, "Request executed")
    assert (answer.deal, answer.volume, answer.price) == (0, 0.1, 0.0)
    assert (answer.bid, answer.ask, answer.request_id) == (1.1, 1.1001, 1)
    assert terminal.orders_total() == 1
    assert terminal.positions_total() == 0
    assert terminal.history_orders_total(0, 2**31) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_waiting_order_is_described_as_it_was_asked_for(kind: int):
    _, terminal = started()
    request = pending(kind, sl=1.05 if kind % 2 == 0 else 1.15, tp=1.15 if kind % 2 == 0 else 1.05)
    ticket = terminal.order_send(request).order
    [order] = terminal.orders_get(ticket=ticket)

    assert (order.ticket, order.type, order.state) == (ticket, kind, mt5.ORDER_STATE_PLACED)
    assert (order.price_open, order.sl, order.tp) == (
        request["price"],
        request["sl"],
        request["tp"],
    )
    assert order.price_stoplimit == request.get("stoplimit", 0.0)
    assert order.price_current == (1.1001 if kind % 2 == 0 else 1.1)
    assert (order.volume_initial, order.volume_current) == (0.1, 0.1)
    assert (order.time_setup, order.time_setup_msc) == (SERVER_S, SERVER_S * 1000)
    assert (order.time_done, order.time_done_msc, order.time_expiration) == (0, 0, 0)
    assert (order.type_time, order.type_filling) == (mt5.ORDER_TIME_GTC, mt5.ORDER_FILLING_RETURN)
    assert (order.magic, order.comment, order.reason) == (7, "mtq1", mt5.ORDER_REASON_EXPERT)
    assert (order.position_id, order.position_by_id, order.external_id) == (0, 0, "")
    assert order.symbol == "EURUSD"


@pytest.mark.parametrize("kind", KINDS)
def test_a_waiting_order_becomes_a_position_with_its_ticket(kind: int):
    closes, side, price = KINDS[kind]
    server, terminal = started(closes)
    ticket = placed(terminal, kind)
    play(server)

    [position] = terminal.positions_get()
    assert (position.ticket, position.identifier, position.type) == (ticket, ticket, side)
    assert position.price_open == price
    assert position.magic == 7
    assert terminal.orders_get() == ()
    [order] = terminal.history_orders_get(ticket=ticket)
    assert (order.state, order.type_filling) == (mt5.ORDER_STATE_FILLED, 2)
    assert (order.position_id, order.volume_current) == (ticket, 0.0)
    assert order.time_setup == SERVER_S or kind in {6, 7}
    assert order.time_done > SERVER_S
    [one] = terminal.history_deals_get(ticket=ticket)
    assert (one.entry, one.price, one.position_id) == (mt5.DEAL_ENTRY_IN, price, ticket)
    assert (one.magic, one.comment, one.type) == (7, "mtq1", side)


@pytest.mark.parametrize(
    ("kind", "changes", "code"),
    [
        (2, {"type": 0}, 10013),
        (2, {"type": 8}, 10013),
        (2, {"symbol": ""}, 10013),
        (2, {"symbol": "NOPE"}, 10013),
        (2, {"volume": 0.0}, 10014),
        (2, {"price": 0.0}, 10015),
        (2, {"price": None}, 10015),
        (2, {"price": -1.0}, 10015),
        (2, {"price": 1.0990004}, 10015),
        (2, {"price": float("nan")}, 10015),
        (2, {"price": 1e300}, 10015),
        (2, {"price": 1.1002}, 10015),
        (3, {"price": 1.0999}, 10015),
        (4, {"price": 1.1}, 10015),
        (5, {"price": 1.1001}, 10015),
        (6, {"stoplimit": 0.0}, 10015),
        (6, {"stoplimit": 1.1005001}, 10015),
        (2, {"stoplimit": float("inf")}, 10015),
        (2, {"sl": 1.0995}, 10016),
        (2, {"tp": 1.0985}, 10016),
        (3, {"sl": 1.1005}, 10016),
        (2, {"sl": 1.0900001}, 10016),
        (2, {"type_time": 9}, 10022),
        (2, {"type_time": mt5.ORDER_TIME_SPECIFIED}, 10022),
        (2, {"type_time": mt5.ORDER_TIME_SPECIFIED, "expiration": SERVER_S}, 10022),
        (2, {"type_filling": 9}, 10030),
    ],
    ids=str,
)
def test_what_cannot_wait_is_refused_by_check_and_send(kind: int, changes: dict, code: int):
    _, terminal = started()

    assert code_of(terminal, pending(kind, **changes)) == code
    assert terminal.orders_get() == ()


def test_a_price_nearer_than_the_stops_level_is_refused():
    _, terminal = started(venue=venue_of(stops_level_points=100))

    assert code_of(terminal, pending(price=1.0992)) == mt5.TRADE_RETCODE_INVALID_PRICE
    assert placed(terminal, price=1.0991)


def test_orders_are_found_by_ticket_symbol_and_group():
    _, terminal = started()
    first, second = placed(terminal), placed(terminal, mt5.ORDER_TYPE_SELL_STOP)

    assert [one.ticket for one in terminal.orders_get()] == [first, second]
    assert [one.ticket for one in terminal.orders_get(ticket=second)] == [second]
    assert len(terminal.orders_get(symbol="EURUSD")) == 2
    assert len(terminal.orders_get(group="*USD")) == 2
    assert terminal.orders_get(group="!EURUSD") == terminal.orders_get(symbol="NOPE") == ()
    assert terminal.orders_get(ticket=1) == ()
    assert terminal.orders_total() == 2


# ---------------------------------------------------------------- changing and removing


def test_a_change_moves_price_levels_and_expiration_of_the_same_ticket():
    server, terminal = started()
    ticket = placed(terminal)
    server.step()
    later = SERVER_S + 86_400
    answer = terminal.order_send(
        {
            "action": MODIFY,
            "order": ticket,
            "price": 1.098,
            "sl": 1.09,
            "tp": 1.12,
            "type_time": mt5.ORDER_TIME_SPECIFIED,
            "expiration": later,
        }
    )

    assert (answer.retcode, answer.order, answer.request_id) == (10009, ticket, 2)
    assert (answer.deal, answer.volume, answer.price, answer.bid) == (0, 0.0, 0.0, 0.0)
    [order] = terminal.orders_get()
    assert (order.ticket, order.price_open, order.sl, order.tp) == (ticket, 1.098, 1.09, 1.12)
    assert (order.type_time, order.time_expiration) == (mt5.ORDER_TIME_SPECIFIED, later)
    assert order.time_setup == SERVER_S


def test_a_stop_limit_order_changes_both_prices():
    _, terminal = started()
    ticket = placed(terminal, mt5.ORDER_TYPE_BUY_STOP_LIMIT)
    request = {"action": MODIFY, "order": ticket, "price": 1.102, "stoplimit": 1.1015}

    assert terminal.order_send(request).retcode == mt5.TRADE_RETCODE_DONE
    [order] = terminal.orders_get()
    assert (order.price_open, order.price_stoplimit) == (1.102, 1.1015)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"order": 1}, 10035),
        ({"order": 0}, 10035),
        ({"symbol": "NOPE"}, 10013),
        ({"price": 0.0}, 10015),
        ({"price": 1.09900001}, 10015),
        ({"price": 1.2}, 10015),
        ({"sl": 1.2}, 10016),
        ({"sl": 1.0900001}, 10016),
        ({"type_time": 7}, 10022),
        ({"price": 1.099, "sl": 0.0}, 10025),
    ],
    ids=str,
)
def test_a_change_is_refused_with_its_code(changes: dict, code: int):
    _, terminal = started()
    ticket = placed(terminal)
    before = terminal.orders_get()

    assert (
        code_of(terminal, {"action": MODIFY, "order": ticket, "price": 1.098, "sl": 1.09} | changes)
        == code
    )
    assert terminal.orders_get() == before


def test_a_removed_order_is_in_the_history_as_canceled():
    server, terminal = started()
    ticket = placed(terminal)
    server.step()
    answer = terminal.order_send({"action": REMOVE, "order": ticket})

    assert (answer.retcode, answer.order, answer.deal) == (10009, ticket, 0)
    assert (answer.volume, answer.price, answer.bid, answer.ask) == (0.0, 0.0, 0.0, 0.0)
    assert terminal.orders_get() == ()
    [order] = terminal.history_orders_get(0, 2**31)
    assert (order.ticket, order.state) == (ticket, mt5.ORDER_STATE_CANCELED)
    assert (order.volume_initial, order.volume_current) == (0.1, 0.1)
    assert order.time_done_msc == server.now_ms + 7_200_000
    assert (order.time_setup, order.price_open, order.comment) == (SERVER_S, 1.099, "mtq1")
    assert terminal.history_deals_get(ticket=ticket) == ()
    assert code_of(terminal, {"action": REMOVE, "order": ticket}) == 10035


def test_near_the_market_an_order_is_frozen():
    _, terminal = started(venue=venue_of(freeze_level_points=200))
    ticket = placed(terminal)

    assert code_of(terminal, {"action": REMOVE, "order": ticket}) == mt5.TRADE_RETCODE_FROZEN
    request = {"action": MODIFY, "order": ticket, "price": 1.09}
    assert code_of(terminal, request) == mt5.TRADE_RETCODE_FROZEN


def test_a_symbol_given_with_a_ticket_has_to_be_the_order_s():
    _, terminal = started()
    ticket = placed(terminal)

    assert code_of(terminal, {"action": REMOVE, "order": ticket, "symbol": "NOPE"}) == 10013
    assert terminal.order_check({"action": REMOVE, "order": ticket}).retcode == 0
    answer = terminal.order_send({"action": REMOVE, "order": ticket, "symbol": "EURUSD"})
    assert answer.retcode == 10009


# ---------------------------------------------------------------- ending


@pytest.mark.parametrize(
    ("type_time", "expiration", "hours"),
    [
        (mt5.ORDER_TIME_GTC, 0, None),
        (mt5.ORDER_TIME_GTC, 1, None),
        (mt5.ORDER_TIME_SPECIFIED, SERVER_S + 3 * 3600, 3),
        (mt5.ORDER_TIME_SPECIFIED, SERVER_S + 4 * 3600, 4),
        (mt5.ORDER_TIME_DAY, 0, 24),
        (mt5.ORDER_TIME_SPECIFIED_DAY, SERVER_S + 30 * 3600, 48),
    ],
)
def test_an_order_lives_as_long_as_it_was_told(type_time: int, expiration: int, hours: int | None):
    server, terminal = started([110_000] * 60)
    ticket = placed(terminal, type_time=type_time, expiration=expiration)
    play(server)

    gone = terminal.history_orders_get(0, 2**31)
    if hours is None:
        assert gone == ()
        assert terminal.orders_get(ticket=ticket)[0].time_expiration == 0
        return
    [order] = gone
    assert (order.ticket, order.state) == (ticket, mt5.ORDER_STATE_EXPIRED)
    lived = order.time_done - SERVER_S
    assert hours * 3600 - 1 <= lived <= hours * 3600
    assert order.comment.startswith("expired [2017.01.0")
    assert (order.volume_initial, order.volume_current) == (0.1, 0.1)
    assert terminal.history_deals_get(ticket=ticket) == ()


def test_an_expiration_is_a_time_of_the_server_s_clock_summer_or_winter():
    friday_ms = 1_490_356_800_000  # 2017-03-24 12:00 UTC, 14:00 in winter
    server, terminal = started([110_000] * 80, first_ms=friday_ms)
    monday_s = (friday_ms + 3 * 86_400_000) // 1000 + 7200  # 14:00 in summer
    ticket = placed(terminal, type_time=mt5.ORDER_TIME_SPECIFIED, expiration=monday_s)
    assert terminal.orders_get()[0].time_expiration == monday_s
    play(server)

    [order] = terminal.history_orders_get(ticket=ticket)
    assert (order.time_expiration, order.time_done) == (monday_s, monday_s)
    assert order.comment == "expired [2017.03.27 14:00]"
    assert order.time_done - order.time_setup == 3 * 86_400


def test_a_symbol_takes_the_lifetimes_of_its_mask():
    venue = venue_of(expirations=(Expiration.GTC, Expiration.DAY), gtc_mode=GtcMode.DAILY)
    _, terminal = started(venue=venue)
    info = terminal.symbol_info("EURUSD")

    assert (info.expiration_mode, info.order_gtc_mode) == (3, mt5.SYMBOL_ORDERS_DAILY)
    request = pending(type_time=mt5.ORDER_TIME_SPECIFIED, expiration=SERVER_S + 3600)
    assert code_of(terminal, request) == mt5.TRADE_RETCODE_INVALID_EXPIRATION
    assert placed(terminal, type_time=mt5.ORDER_TIME_DAY)


def test_a_symbol_takes_the_order_types_of_its_mask():
    kinds = (OrderType.MARKET, OrderType.LIMIT)
    _, terminal = started(venue=venue_of(order_types=kinds, take_profit_allowed=False))

    assert terminal.symbol_info("EURUSD").order_mode == 1 + 2 + 16
    assert placed(terminal)
    assert code_of(terminal, pending(mt5.ORDER_TYPE_BUY_STOP)) == mt5.TRADE_RETCODE_INVALID_ORDER


def test_finished_orders_are_found_by_their_setup_however_late_they_ended():
    server, terminal = started([110_000] * 6)
    early = placed(terminal, price=1.09)
    for _ in range(9):
        server.step()
    late = placed(terminal, price=1.08)
    for ticket in (late, early):
        server.step()
        assert terminal.order_send({"action": REMOVE, "order": ticket}).retcode == 10009
    middle = SERVER_S + 3600

    assert [one.ticket for one in terminal.history_orders_get(0, middle)] == [early]
    assert [one.ticket for one in terminal.history_orders_get(middle, 2**31)] == [late]
    assert terminal.history_orders_total(0, 2**31) == 2
    assert terminal.history_orders_get(0, 2**31, group="!EUR*") == ()


# ---------------------------------------------------------------- closing by


def opened(terminal: SimulatedTerminal, **changes: Any) -> int:
    answer = terminal.order_send(deal(**changes))
    assert answer.retcode == mt5.TRADE_RETCODE_DONE, answer
    return answer.order


def test_a_position_closes_by_an_opposite_one_without_the_spread():
    server, terminal = started()
    long = opened(terminal, volume=0.3)
    short = opened(terminal, type=mt5.ORDER_TYPE_SELL, magic=8)
    server.step()
    answer = terminal.order_send(
        {
            "action": mt5.TRADE_ACTION_CLOSE_BY,
            "position": long,
            "position_by": short,
            "magic": 9,
        }
    )

    assert (answer.retcode, answer.volume, answer.price) == (10009, 0.1, 1.1)
    [rest] = terminal.positions_get()
    assert (rest.ticket, rest.volume, rest.price_open) == (long, 0.2, 1.1001)
    [order] = terminal.history_orders_get(ticket=answer.order)
    assert (order.type, order.state) == (mt5.ORDER_TYPE_CLOSE_BY, mt5.ORDER_STATE_FILLED)
    assert (order.position_id, order.position_by_id) == (long, short)
    assert order.comment == f"#{long} by #{short}"
    first, second = terminal.history_deals_get(ticket=answer.order)
    assert first.ticket == answer.deal
    assert first.entry == second.entry == mt5.DEAL_ENTRY_OUT_BY
    assert (first.position_id, second.position_id) == (long, short)
    assert (first.price, second.price) == (1.1, 1.1001)
    assert (first.profit, second.profit) == (-1.0, 0.0)


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [("long", "none", 10036), ("none", "short", 10036), ("long", "long", 10013)],
)
def test_a_close_by_is_refused_with_its_code(first: str, second: str, code: int):
    _, terminal = started()
    tickets = {"long": opened(terminal), "none": 1}
    tickets["short"] = opened(terminal, type=mt5.ORDER_TYPE_SELL)
    request = {
        "action": mt5.TRADE_ACTION_CLOSE_BY,
        "position": tickets[first],
        "position_by": tickets[second],
    }

    assert code_of(terminal, request) == code
    assert terminal.positions_total() == 2


# ---------------------------------------------------------------- check and send


def test_the_check_looks_neither_at_hours_nor_at_the_count_of_requests():
    venue = venue_of({"limit_requests_per_minute": 1}, sessions=("",) * 7)
    _, terminal = started(venue=venue)
    for request in (deal(), pending()):
        for _ in range(3):
            assert terminal.order_check(request).retcode == 0
    assert terminal.order_send(deal()).retcode == mt5.TRADE_RETCODE_MARKET_CLOSED


def test_the_check_of_a_waiting_order_states_the_margin_it_would_bind():
    _, terminal = started(venue=venue_of(margin_pending_rates=(1.0,) * 6))
    request = pending(volume=1.0)
    checked = terminal.order_check(request)
    terminal.order_send(request)

    assert (checked.retcode, checked.margin) == (0, 1099.0)
    assert terminal.account_info().margin == checked.margin


ORDER_OF_CHECKS: tuple[tuple[dict[str, Any], dict[str, Any], dict[str, Any], int], ...] = (
    # what is wrong beside: account, instrument, request -> the code that comes first
    ({}, {"sessions": ("",) * 7}, {"type_filling": 9}, 10030),
    ({}, {"sessions": ("",) * 7}, {"price": 0.0}, 10015),
    ({}, {"sessions": ("",) * 7}, {"volume": 0.0}, 10018),
    ({"trade_allowed": False}, {"sessions": ("",) * 7}, {}, 10018),
    ({"trade_allowed": False}, {}, {"volume": 0.0}, 10017),
    ({}, {}, {"volume": 0.0, "sl": 1.2}, 10014),
    ({"limit_orders": 1}, {}, {"sl": 1.2}, 10016),
    ({}, {"volume_limit_lots": 1.0}, {"volume": 400.0}, 10034),
    ({}, {"margin_pending_rates": (1.0,) * 6}, {"volume": 400.0}, 10019),
)


@pytest.mark.parametrize(("account", "instrument", "changes", "code"), ORDER_OF_CHECKS, ids=str)
def test_of_several_faults_the_first_in_the_server_s_order_is_told(
    account: dict, instrument: dict, changes: dict, code: int
):
    _, terminal = started(venue=venue_of(account, **instrument))

    assert terminal.order_send(pending(**changes)).retcode == code


# ---------------------------------------------------------------- prices and depth


def test_instant_execution_fills_within_the_deviation_and_requotes_beyond():
    _, terminal = started(venue=venue_of(execution_mode=ExecutionMode.INSTANT))
    filled = terminal.order_send(deal(price=1.1003, deviation=20))
    requoted = terminal.order_send(deal(price=1.1003, deviation=19))

    assert (filled.retcode, filled.price) == (10009, 1.1001)
    assert (requoted.retcode, requoted.price) == (10004, 0.0)
    assert (requoted.bid, requoted.ask, requoted.comment) == (1.1, 1.1001, "Requote")
    [order] = terminal.history_orders_get(0, 2**31)
    assert (order.price_open, order.price_current) == (1.1003, 1.1001)
    for price in (0.0, 1.10030001):
        answer = terminal.order_send(deal(price=price))
        assert (answer.retcode, answer.request_id) == (10015, 0)


def test_market_execution_takes_any_price_and_shows_none():
    _, terminal = started()
    for price in (None, 0.0, 5.0, 1.10000001):
        assert terminal.order_send(deal(price=price, deviation=0)).price == 1.1001
    orders = terminal.history_orders_get(0, 2**31)
    assert {(one.price_open, one.price_current) for one in orders} == {(0.0, 1.1001)}


def test_the_depth_lists_asks_above_bids_and_bounds_what_is_filled():
    venue = venue_of(depth_points=(0, 2, 5), depth_lots=(1.0, 2.0, 4.0))
    _, terminal = started(venue=venue)
    assert terminal.market_book_add("EURUSD")
    rows = terminal.market_book_get("EURUSD")

    assert [(row.type, row.price, row.volume_dbl) for row in rows] == [
        (mt5.BOOK_TYPE_SELL, 1.10015, 4.0),
        (mt5.BOOK_TYPE_SELL, 1.10012, 2.0),
        (mt5.BOOK_TYPE_SELL, 1.1001, 1.0),
        (mt5.BOOK_TYPE_BUY, 1.1, 1.0),
        (mt5.BOOK_TYPE_BUY, 1.09998, 2.0),
        (mt5.BOOK_TYPE_BUY, 1.09995, 4.0),
    ]
    assert terminal.symbol_info("EURUSD").ticks_bookdepth == 3
    answer = terminal.order_send(deal(volume=8.0, type_filling=mt5.ORDER_FILLING_IOC))
    assert (answer.retcode, answer.volume) == (10010, 7.0)
    [order] = terminal.history_orders_get(0, 2**31)
    assert (order.volume_initial, order.volume_current) == (8.0, 1.0)


def test_what_the_market_has_not_waits_and_is_filled_by_the_next_tick():
    venue = venue_of(
        execution_mode=ExecutionMode.EXCHANGE,
        depth_points=(0,),
        depth_lots=(0.5,),
    )
    server, terminal = started(venue=venue)
    answer = terminal.order_send(deal(volume=0.8, type_filling=mt5.ORDER_FILLING_RETURN))

    assert (answer.retcode, answer.volume) == (10010, 0.5)
    [order] = terminal.orders_get()
    assert (order.ticket, order.type) == (answer.order, mt5.ORDER_TYPE_BUY)
    assert order.state == mt5.ORDER_STATE_PARTIAL
    assert (order.volume_initial, order.volume_current) == (0.8, 0.3)
    server.step()
    assert terminal.orders_get() == ()
    assert [one.volume for one in terminal.history_deals_get(ticket=answer.order)] == [0.5, 0.3]


def test_what_a_waiting_order_opens_beyond_its_own_levels_is_closed_at_once():
    venue = venue_of(
        execution_mode=ExecutionMode.EXCHANGE, depth_points=(0,), depth_lots=(0.5,), commission=0.0
    )
    server, terminal = started([110_000, 110_200], venue=venue, wick=0, gaps=[0, 200])
    for _ in range(3):
        server.step()
    assert terminal.order_send(deal(volume=0.5, comment="first")).retcode == 10009
    request = deal(type_filling=mt5.ORDER_FILLING_RETURN, tp=1.1005)
    assert terminal.order_send(request).retcode == mt5.TRADE_RETCODE_PLACED
    server.step()  # to 1.10210, above its take profit

    assert [one.comment for one in terminal.positions_get()] == ["first"]


def test_the_rest_of_a_limit_order_is_filled_while_the_market_stays_beyond_its_price():
    venue = venue_of(depth_points=(0,), depth_lots=(0.5,))
    server, terminal = started([110_000, 110_200, 110_200], venue=venue, wick=0, gaps=[0, 200])
    ticket = placed(terminal, mt5.ORDER_TYPE_SELL_LIMIT, volume=1.5)
    for _ in range(6):  # three ticks above its price, each with half a lot
        server.step()

    assert [one.volume for one in terminal.history_deals_get(ticket=ticket)] == [0.5, 0.5, 0.5]
    assert terminal.orders_get() == ()


def test_where_hedging_is_prohibited_the_second_of_two_stop_orders_opens_nothing():
    venue = venue_of({"hedging_prohibited": True})
    server, terminal = started([110_000, 110_200, 109_800], venue=venue)
    for kind in (mt5.ORDER_TYPE_BUY_STOP, mt5.ORDER_TYPE_SELL_STOP):
        placed(terminal, kind)
    play(server)

    assert len({one.type for one in terminal.positions_get()}) == 1
