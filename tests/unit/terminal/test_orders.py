"""Every refusal has its own return code, and an execution shows in deals, orders and positions."""

import math
from typing import Any

import pytest
from terminals import deal, make_server, make_terminal
from worlds import MONDAY_MS, bars_of, make_venue

from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated import SimulatedTerminal

SATURDAY_MS = MONDAY_MS + 5 * 86_400_000
SLTP = mt5.TRADE_ACTION_SLTP


def opened(terminal: SimulatedTerminal, **changes: Any) -> int:
    answer = terminal.order_send(deal(**changes))
    assert answer.retcode == mt5.TRADE_RETCODE_DONE, answer
    return answer.order


def closing(ticket: int, **changes: Any) -> dict:
    return deal(**({"type": mt5.ORDER_TYPE_SELL, "position": ticket} | changes))


def code_of(terminal: SimulatedTerminal, request: dict) -> int:
    """Return the code of a refusal, the same from order_check and order_send."""
    checked, sent = terminal.order_check(request), terminal.order_send(request)
    assert checked.retcode == sent.retcode
    assert (sent.deal, sent.order, sent.volume, sent.price) == (0, 0, 0.0, 0.0)
    assert sent.comment == checked.comment
    return sent.retcode


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"action": 99}, 10013),
        ({"action": None}, 10013),
        ({"symbol": "NOPE"}, 10013),
        ({"symbol": None}, 10013),
        ({"type": mt5.ORDER_TYPE_BUY_LIMIT}, 10013),
        ({"type": 99}, 10013),
        ({"volume": None}, 10014),
        ({"volume": -0.1}, 10014),
        ({"volume": 0.005}, 10014),
        ({"volume": 0.015}, 10014),
        ({"volume": 500.01}, 10014),
        ({"volume": 1e300}, 10014),
        ({"volume": math.nan}, 10014),
        ({"volume": math.inf}, 10014),
        ({"volume": -math.inf}, 10014),
        ({"price": math.nan}, 10015),
        ({"price": math.inf}, 10015),
        ({"stoplimit": math.nan}, 10015),
        ({"sl": 1.2}, 10016),
        ({"sl": 1.1}, 10016),
        ({"tp": 1.0}, 10016),
        ({"sl": -1.0}, 10016),
        ({"sl": 1.09001234}, 10016),
        ({"sl": math.nan}, 10016),
        ({"tp": math.inf}, 10016),
        ({"tp": 1e300}, 10016),
        ({"volume": 500.0}, 10019),
        ({"type_filling": mt5.ORDER_FILLING_RETURN}, 10030),
        ({"type_filling": mt5.ORDER_FILLING_BOC}, 10030),
        ({"action": mt5.TRADE_ACTION_PENDING}, 10013),
        ({"action": mt5.TRADE_ACTION_MODIFY}, 10035),
        ({"action": mt5.TRADE_ACTION_REMOVE}, 10035),
        ({"action": mt5.TRADE_ACTION_CLOSE_BY}, 10036),
        ({"position": 1}, 10036),
        ({"action": SLTP, "position": 1}, 10036),
        ({"action": SLTP}, 10036),
    ],
    ids=str,
)
def test_an_opening_request_is_refused_with_its_code(changes: dict, code: int):
    terminal = make_terminal()

    assert code_of(terminal, deal(**changes)) == code
    assert terminal.positions_total() == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"type": mt5.ORDER_TYPE_BUY}, 10013),
        ({"volume": 0.0}, 10014),
        ({"volume": 0.015}, 10014),
        ({"volume": math.nan}, 10014),
        ({"volume": 0.2}, 10038),
        ({"volume": math.inf}, 10038),
    ],
    ids=str,
)
def test_a_closing_request_is_refused_with_its_code(changes: dict, code: int):
    terminal = make_terminal()
    ticket = opened(terminal)

    assert code_of(terminal, closing(ticket, **changes)) == code
    assert terminal.positions_get(ticket=ticket)[0].volume == 0.1


def test_levels_that_stand_already_are_no_changes():
    terminal = make_terminal()
    ticket = opened(terminal, sl=1.09, tp=1.12)
    request = {"action": SLTP, "symbol": "EURUSD", "position": ticket, "sl": 1.09, "tp": 1.12}

    assert code_of(terminal, request) == 10025
    assert code_of(terminal, request | {"sl": 1.2}) == 10016
    assert code_of(terminal, request | {"symbol": "NOPE"}) == 10013


def test_near_its_levels_a_position_is_frozen():
    terminal = make_terminal(make_server(venue=make_venue(freeze_level_points=50)))
    ticket = opened(terminal, sl=1.0998)

    assert code_of(terminal, closing(ticket)) == 10029


def test_levels_are_changed_without_a_deal():
    terminal = make_terminal()
    ticket = opened(terminal, sl=1.09)
    answer = terminal.order_send(
        {"action": SLTP, "symbol": "EURUSD", "position": ticket, "sl": 1.095, "tp": 1.12}
    )

    assert (answer.retcode, answer.comment) == (10009, "Request executed")
    assert answer[1:7] == (0, 0, 0.0, 0.0, 0.0, 0.0)
    assert answer.request_id == 2
    position = terminal.positions_get(ticket=ticket)[0]
    assert (position.sl, position.tp) == (1.095, 1.12)


def test_a_closed_market_refuses_what_the_check_lets_pass():
    terminal = make_terminal(make_server(bars_of([110_000] * 3, first_ms=SATURDAY_MS)))

    checked = terminal.order_check(deal())
    assert (checked.retcode, checked.comment) == (0, "Done")
    sent = terminal.order_send(deal())
    assert (sent.retcode, sent.comment, sent.order) == (10018, "Market closed", 0)


def test_a_market_closes_at_the_end_of_its_session():
    friday_evening = bars_of([110_000] * 4, first_ms=SATURDAY_MS - 3_600_000)
    server = make_server(friday_evening)
    terminal = make_terminal(server)
    ticket = opened(terminal)
    for _ in range(3):
        server.step()
    assert terminal.order_send(deal()).retcode == mt5.TRADE_RETCODE_DONE
    server.step()

    assert terminal.order_send(deal()).retcode == mt5.TRADE_RETCODE_MARKET_CLOSED
    assert terminal.order_send(closing(ticket)).retcode == mt5.TRADE_RETCODE_MARKET_CLOSED
    assert terminal.order_check(closing(ticket)).retcode == 0


def test_the_check_states_the_account_as_it_would_be():
    terminal = make_terminal()
    checked = terminal.order_check(deal(volume=1.0))

    assert checked.retcode == 0
    assert checked.balance == checked.equity == 10_000.0
    assert checked.margin == 1100.1
    assert checked.margin_free == checked.equity - checked.margin
    assert checked.margin_level == pytest.approx(100 * checked.equity / checked.margin)
    assert checked.request.magic == 7
    assert terminal.positions_total() == 0


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"volume": 1}, "volume"),
        ({"price": 1}, "price"),
        ({"sl": 1}, "sl"),
        ({"tp": "1.2"}, "tp"),
        ({"magic": 7.0}, "magic"),
        ({"magic": -1}, "magic"),
        ({"magic": 2**64}, "magic"),
        ({"type": 2**32}, "type"),
        ({"position": True}, "position"),
        ({"deviation": "20"}, "deviation"),
        ({"symbol": 5}, "symbol"),
        ({"comment": "x" * 30}, "comment"),
        ({"comment": "\ud800"}, "comment"),
        ({"symbol": "X" * 30}, "symbol"),
    ],
    ids=str,
)
def test_a_field_of_the_wrong_type_is_not_taken(changes: dict, name: str):
    terminal = make_terminal()
    for send in (terminal.order_send, terminal.order_check):
        assert send(deal() | changes) is None
        assert terminal.last_error() == (-2, f'Invalid "{name}" argument')


def test_a_request_is_one_dictionary_or_keywords():
    terminal: Any = make_terminal()

    assert terminal.order_check(**deal()).retcode == 0
    assert terminal.order_check(deal(), volume=0.1) is None
    assert terminal.last_error() == (-2, "Unnamed arguments not allowed")
    for wrong in ((), (5,), (None,), ([],), (deal(), deal())):
        assert terminal.order_check(*wrong) is None
        assert terminal.last_error() == (-2, "Invalid arguments")
    assert terminal.order_check(deal(unknown_key=object())).retcode == 0
    assert terminal.order_check(deal(comment="x" * 29)).retcode == 0


def test_an_execution_answers_tickets_volume_price_and_quote():
    terminal = make_terminal()
    answer = terminal.order_send(deal())

    assert (answer.retcode, answer.comment) == (10009, "Request executed")
    assert (answer.volume, answer.price, answer.bid, answer.ask) == (0.1, 1.1001, 1.1, 1.1001)
    assert answer.deal
    assert answer.order
    assert answer.request_id == 1
    assert answer.request.symbol == "EURUSD"
    assert terminal.order_send(deal(volume=-1.0)).bid == 0.0


def test_a_position_is_described_in_the_server_s_time():
    server = make_server()
    terminal = make_terminal(server)
    ticket = opened(terminal, sl=1.09, tp=1.12)
    server.step()
    [position] = terminal.positions_get()

    server_ms = MONDAY_MS + 7_200_000
    assert position.ticket == position.identifier == ticket
    assert (position.time, position.time_msc) == (server_ms // 1000, server_ms)
    assert position.time_update_msc == server_ms
    assert (position.type, position.reason, position.magic) == (0, mt5.POSITION_REASON_EXPERT, 7)
    assert (position.volume, position.price_open, position.sl, position.tp) == (
        0.1,
        1.1001,
        1.09,
        1.12,
    )
    assert position.price_current == terminal.symbol_info_tick("EURUSD").bid
    assert (position.symbol, position.comment) == ("EURUSD", "mtq1")


def test_deals_and_orders_tell_the_whole_story():
    server = make_server()
    terminal = make_terminal(server)
    ticket = opened(terminal)
    server.step()
    server.step()
    out = terminal.order_send(closing(ticket, volume=0.04, magic=9, comment="mtq2"))
    deposit, entry, part = terminal.history_deals_get(0, 2**31)

    assert (deposit.type, deposit.profit, deposit.symbol) == (mt5.DEAL_TYPE_BALANCE, 10_000.0, "")
    assert (entry.entry, entry.type, entry.order, entry.magic) == (0, 0, ticket, 7)
    assert (part.entry, part.type, part.order, part.position_id) == (1, 1, out.order, ticket)
    assert part.magic == 7  # of its position; the order keeps its own
    assert (part.volume, part.reason, part.comment) == (0.04, mt5.DEAL_REASON_EXPERT, "mtq2")
    assert part.time_msc == server.now_ms + 7_200_000
    assert part.time == part.time_msc // 1000
    assert (entry.commission, part.commission) == (-0.35, -0.14)

    first, second = terminal.history_orders_get(0, 2**31)
    assert (first.ticket, first.state, first.magic) == (ticket, mt5.ORDER_STATE_FILLED, 7)
    assert (second.magic, second.position_id, second.type) == (9, ticket, mt5.ORDER_TYPE_SELL)
    assert (second.volume_initial, second.volume_current, second.price_open) == (0.04, 0.0, 0.0)
    assert second.time_done_msc == part.time_msc
    assert terminal.orders_total() == len(terminal.orders_get()) == 0
    net = sum(d.profit + d.commission + d.swap + d.fee for d in (deposit, entry, part))
    assert terminal.account_info().balance == pytest.approx(net)


def test_history_is_chosen_by_ticket_position_or_inclusive_dates():
    server = make_server()
    terminal = make_terminal(server)
    ticket = opened(terminal)
    second = terminal.history_deals_get(0, 2**31)[-1].time
    server.step()
    other = opened(terminal)

    assert [d.order for d in terminal.history_deals_get(ticket=ticket)] == [ticket]
    assert [d.order for d in terminal.history_deals_get(position=other)] == [other]
    assert [o.ticket for o in terminal.history_orders_get(ticket=other, position=1)] == [other]
    assert len(terminal.history_deals_get(second, second)) == 2  # the deposit and the first deal
    assert len(terminal.history_deals_get(second, second, group="EUR*")) == 1
    assert terminal.history_deals_get(0, second - 1) == ()
    assert terminal.history_orders_total(second, second) == 1
    assert terminal.history_deals_total(second + 1, 2**31) == 1
    assert terminal.history_deals_get(0, 1, ticket=5) is None
    assert terminal.last_error() == (-2, "Unnamed arguments not allowed")
    assert terminal.history_deals_get(0) is None
    assert terminal.history_deals_get() is None
    assert terminal.last_error() == (-2, "Invalid arguments")


def test_no_deal_is_missed_where_the_clock_is_set_back():
    quiet = bars_of([110_000] * 6, first_ms=1_509_231_600_000)  # Sunday 2017-10-29 02:00
    server = make_server(quiet)
    terminal = make_terminal(server)
    book = server.book
    for hour in range(4):
        book.deposit(1, int(quiet.time_ms[hour]), f"hour {hour}")
    stamps = [d.time // 3600 % 24 for d in terminal.history_deals_get(0, 2**31)][1:]
    assert stamps == [2, 3, 3, 4]

    at_3 = terminal.history_deals_get(0, 2**31)[2].time
    assert [d.comment for d in terminal.history_deals_get(at_3, at_3)] == ["hour 1", "hour 2"]
