"""Each fault as a foreign client sees it: by the module's functions alone."""

import math
from typing import Any

import pytest
from terminals import deal, faulty, pending, venue_of
from worlds import bars_of

from mtquant.exchange import AccountSpec, VenueSpec
from mtquant.model import ExecutionMode, Filling, MarginMode
from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated import SimulatedServer, make_module
from mtquant.terminal.simulated.faults import FaultKind, FaultSpec, Only, Shape

K = FaultKind
HOUR_MS = 3_600_000
ALL = (0, 2**31 - 1)


def struck(kind: FaultKind, server: dict[str, Any] | None = None, **facts: Any) -> Any:
    """Return a module with one fault, and its server."""
    terminal, made = faulty(FaultSpec(kind=kind, **facts), server=server)
    return make_module(terminal), made


def steps(server: SimulatedServer, count: int) -> None:
    for _ in range(count):
        assert server.step()


def two_accounts() -> VenueSpec:
    venue = venue_of()
    second = AccountSpec(login=1000002, password="two", margin_mode=MarginMode.NETTING)
    return VenueSpec(account=venue.account, more_accounts=(second,), instruments=venue.instruments)


def counts(module: Any) -> tuple[int, int, int]:
    return (
        len(module.positions_get()),
        len(module.history_orders_get(*ALL)),
        len(module.history_deals_get(*ALL)),
    )


# ---------------------------------------------------------------- trade requests


@pytest.mark.parametrize("error", [-10005, -10001, -1])
def test_a_lost_request_answers_none_and_never_arrives(error: int):
    module, server = struck(K.LOST_REQUEST, error=error)

    assert module.order_send(deal()) is None
    assert module.last_error()[0] == error
    steps(server, 6)
    assert counts(module) == (0, 0, 1)
    assert module.last_error() == (1, "Success")
    assert module.order_send(deal()).retcode == mt5.TRADE_RETCODE_DONE


@pytest.mark.parametrize("error", [-10002, -10005])
def test_a_lost_reply_answers_none_and_the_deal_is_there(error: int):
    module, _ = struck(K.LOST_REPLY, error=error)

    assert module.order_send(deal()) is None
    assert module.last_error()[0] == error
    assert counts(module) == (1, 1, 2)
    assert module.positions_get()[0].magic == 7


def test_a_late_request_is_seen_nowhere_until_it_is_carried_out():
    module, server = struck(K.LATE, delay_ms=HOUR_MS)

    assert module.order_send(deal()) is None
    assert module.last_error() == (-10005, "IPC timeout")
    for _ in range(4):
        assert counts(module) == (0, 0, 1)
        assert module.orders_get() == ()
        steps(server, 1)
    position = module.positions_get()[0]
    order = module.history_orders_get(*ALL)[0]
    assert position.magic == order.magic == 7
    assert position.time_msc == order.time_setup_msc
    assert position.time_msc == module.symbol_info_tick("EURUSD").time_msc


@pytest.mark.parametrize("kind", [K.TIMEOUT, K.NO_CONNECTION, K.ANSWER])
@pytest.mark.parametrize("executed", [False, True])
def test_an_unclear_return_code_may_have_been_carried_out_or_not(kind: FaultKind, executed: bool):
    code = {K.TIMEOUT: 10012, K.NO_CONNECTION: 10031, K.ANSWER: 10011}[kind]
    facts = {"code": code} if kind is K.ANSWER else {}
    module, _ = struck(kind, executed=executed, **facts)

    result = module.order_send(deal())

    assert (result.retcode, result.deal, result.order) == (code, 0, 0)
    assert bool(module.positions_get()) is executed
    assert bool(result.request_id) is (executed or kind is not K.NO_CONNECTION)


@pytest.mark.parametrize("code", [10004, 10006, 10007, 10011, 10016, 10020, 10021, 10023, 10028])
def test_a_return_code_on_demand_carries_out_nothing(code: int):
    module, _ = struck(K.ANSWER, code=code)

    result = module.order_send(deal())

    assert result.retcode == code
    assert (result.bid > 0) is (code == 10004)
    assert counts(module) == (0, 0, 1)
    assert module.order_send(deal()).retcode == mt5.TRADE_RETCODE_DONE


def test_an_answer_without_a_code_draws_one_by_the_seed():
    seen = {
        seed: faulty(FaultSpec(kind=K.ANSWER), seed=seed)[0].order_send(deal()).retcode
        for seed in range(12)
    }

    assert len(set(seen.values())) > 3
    assert faulty(FaultSpec(kind=K.ANSWER), seed=5)[0].order_send(deal()).retcode == seen[5]


def test_a_requote_offers_the_current_prices():
    module, _ = struck(K.REQUOTE, times=2, nth=1)
    tick = module.symbol_info_tick("EURUSD")

    results = [module.order_send(deal()) for _ in range(3)]

    assert [one.retcode for one in results] == [10004, 10004, 10009]
    assert (results[0].bid, results[0].ask) == (tick.bid, tick.ask)


@pytest.mark.parametrize("mode", ExecutionMode)
@pytest.mark.parametrize("filling", [Filling.FOK, Filling.RETURN])
def test_a_placed_order_waits_and_is_filled_with_the_next_tick(
    mode: ExecutionMode, filling: Filling
):
    venue = venue_of(execution_mode=mode, fillings=tuple(Filling))
    module, server = struck(K.PLACED, server={"venue": venue})
    if mode is ExecutionMode.MARKET and filling is Filling.RETURN:
        filling = Filling.IOC
    number = {Filling.FOK: 0, Filling.IOC: 1, Filling.RETURN: 2}[filling]

    result = module.order_send(deal(price=1.1001, type_filling=number))

    assert (result.retcode, result.deal) == (mt5.TRADE_RETCODE_PLACED, 0)
    assert module.orders_get(ticket=result.order)[0].magic == 7
    assert module.positions_get() == ()
    steps(server, 1)
    assert module.orders_get() == ()
    assert module.positions_get()[0].identifier == result.order
    assert module.history_orders_get(ticket=result.order)[0].state == mt5.ORDER_STATE_FILLED


@pytest.mark.parametrize("filling", [0, 1])
def test_a_partial_fill_says_how_much_and_the_rest_is_gone(filling: int):
    venue = venue_of(fillings=tuple(Filling))
    module, server = struck(K.PARTIAL, filled_fraction=0.35, server={"venue": venue})

    result = module.order_send(deal(volume=1.0, type_filling=filling))

    assert (result.retcode, result.volume) == (mt5.TRADE_RETCODE_DONE_PARTIAL, 0.35)
    order = module.history_orders_get(ticket=result.order)[0]
    assert (order.volume_initial, order.volume_current) == (1.0, 0.65)
    assert module.positions_get()[0].volume == module.history_deals_get(*ALL)[1].volume == 0.35
    steps(server, 3)
    assert module.positions_total() == 1
    assert module.order_send(deal(volume=1.0)).volume == 1.0


def test_a_partial_close_leaves_the_rest_open():
    module, _ = struck(K.PARTIAL, nth=2, filled_fraction=0.5)
    ticket = module.order_send(deal(volume=0.4)).order

    result = module.order_send(deal(volume=0.4, type=1, position=ticket))

    assert (result.retcode, result.volume) == (mt5.TRADE_RETCODE_DONE_PARTIAL, 0.2)
    assert module.positions_get(ticket=ticket)[0].volume == 0.2


def test_a_volume_too_small_to_be_parted_is_filled_whole():
    module, _ = struck(K.PARTIAL)

    assert module.order_send(deal(volume=0.01)).retcode == mt5.TRADE_RETCODE_DONE


def test_a_fault_meets_only_the_requests_it_is_for():
    module, _ = struck(K.ANSWER, code=10016, only=Only.SLTP)
    ticket = module.order_send(deal()).order
    stops = {"action": mt5.TRADE_ACTION_SLTP, "symbol": "EURUSD", "position": ticket, "sl": 1.09}

    assert module.order_send(pending()).retcode == mt5.TRADE_RETCODE_DONE
    assert module.order_send(stops).retcode == 10016
    assert module.positions_get()[0].sl == 0
    assert module.order_send(stops).retcode == mt5.TRADE_RETCODE_DONE


@pytest.mark.parametrize(
    ("only", "request_of"),
    [
        (Only.DEAL, lambda _: deal()),
        (Only.PENDING, lambda _: pending()),
        (Only.MODIFY, lambda order: {"action": 7, "order": order, "price": 1.098}),
        (Only.REMOVE, lambda order: {"action": 8, "order": order}),
        (Only.CLOSE_BY, lambda order: {"action": 10, "position": order, "position_by": 5}),
    ],
    ids=["deal", "pending", "modify", "remove", "close_by"],
)
def test_every_action_can_be_named(only: Only, request_of: Any):
    module, _ = struck(K.TIMEOUT, only=only, nth=2)
    order = module.order_send(pending()).order

    assert module.order_send(request_of(order)).retcode == 10012


def test_what_the_terminal_refuses_uses_up_no_fault():
    module, _ = struck(K.LOST_REQUEST, nth=1)

    assert module.order_send(deal(symbol="NOPE")).retcode == 10013
    assert module.order_send(deal(volume=1)) is None
    assert module.last_error() == (-2, 'Invalid "volume" argument')
    assert module.order_send(deal()) is None
    assert module.last_error()[0] == -10005


def test_a_period_meets_every_request_in_it():
    module, server = struck(K.TIMEOUT, after_ms=1, for_ms=HOUR_MS)

    assert module.order_send(deal()).retcode == 10009
    steps(server, 1)
    assert {module.order_send(deal()).retcode for _ in range(3)} == {10012}
    steps(server, 4)
    assert module.order_send(deal()).retcode == 10009


# ---------------------------------------------------------------- links and switches


def test_a_lost_link_answers_no_call_until_initialize_after_it():
    module, server = struck(K.LINK_LOSS, after_ms=1, for_ms=HOUR_MS)
    steps(server, 1)

    assert module.positions_get() is None
    assert module.last_error() == (-10004, "No IPC connection")
    assert module.order_send(deal()) is None
    assert module.symbol_select("EURUSD", True) is False
    assert module.initialize() is False
    assert module.last_error()[0] == -10003
    steps(server, 4)
    assert module.account_info() is None
    assert module.initialize()
    assert counts(module) == (0, 0, 1)


def test_a_link_can_be_lost_with_a_call():
    module, _ = struck(K.LINK_LOSS, nth=2, function="positions_get")

    assert module.positions_get() == ()
    assert module.positions_get() is None
    assert module.last_error()[0] == -10004


def test_without_its_server_the_terminal_stands_still_and_sends_nothing():
    module, server = struck(K.SERVER_LOSS, after_ms=HOUR_MS, for_ms=2 * HOUR_MS)
    ticket = module.order_send(deal(sl=1.0995)).order
    steps(server, 3)
    before = module.symbol_info_tick("EURUSD"), module.positions_get(), module.account_info()
    prices = module.symbol_info("EURUSD").bid
    assert module.terminal_info().connected
    steps(server, 1)

    for _ in range(7):
        assert not module.terminal_info().connected
        now = module.symbol_info_tick("EURUSD"), module.positions_get(), module.account_info()
        assert now == before
        assert module.symbol_info("EURUSD").bid == prices
        result = module.order_send(deal())
        assert (result.retcode, result.request_id) == (10031, 0)
        steps(server, 1)
    steps(server, 1)
    assert module.terminal_info().connected
    assert module.symbol_info_tick("EURUSD") != before[0]
    assert module.positions_get(ticket=ticket)[0].price_current != before[1][0].price_current


def test_autotrading_goes_off_and_on():
    module, server = struck(K.AUTOTRADING_OFF, after_ms=1, for_ms=HOUR_MS)
    assert module.terminal_info().trade_allowed
    steps(server, 1)

    assert not module.terminal_info().trade_allowed
    assert module.order_send(deal()).retcode == 10027
    assert module.order_check(deal()).retcode == 10027
    steps(server, 4)
    assert module.order_send(deal()).retcode == 10009


def test_the_terminal_finds_itself_on_another_account():
    module, server = struck(K.ACCOUNT_SWITCH, after_ms=1, server={"venue": two_accounts()})
    module.order_send(deal())
    steps(server, 1)

    assert module.account_info().login == 1000002
    assert module.positions_get() == ()
    module.order_send(deal(volume=0.2))
    assert [one.volume for one in module.positions_get()] == [0.2]
    assert module.login(1000001, "demo")
    steps(server, 1)
    assert module.account_info().login == 1000001
    assert [one.volume for one in module.positions_get()] == [0.1]


def test_an_account_switch_can_come_between_check_and_send_and_go_by_itself():
    module, server = struck(
        K.ACCOUNT_SWITCH, nth=1, for_ms=HOUR_MS, login=1000002, server={"venue": two_accounts()}
    )

    assert module.account_info().login == 1000001
    assert module.order_send(deal()).retcode == 10009
    assert module.account_info().login == 1000002
    assert module.positions_total() == 1
    steps(server, 4)
    assert module.account_info().login == 1000001
    assert module.positions_total() == 0


def test_an_account_that_goes_while_its_cache_lags_comes_back_up_to_date():
    lag = FaultSpec(kind=K.CACHE_LAG, ticks=2, after_ms=1, for_ms=HOUR_MS)
    switch = FaultSpec(kind=K.ACCOUNT_SWITCH, nth=1, function="positions_get", for_ms=HOUR_MS)
    terminal, server = faulty(lag, switch, server={"venue": two_accounts()})
    module = make_module(terminal)
    steps(server, 1)
    assert module.order_send(deal()).retcode == 10009

    module.positions_get()
    assert module.account_info().login == 1000002
    steps(server, 4)
    assert module.account_info().login == 1000001
    assert [one.volume for one in module.positions_get()] == [0.1]


# ---------------------------------------------------------------- lag, prices, answers


def test_a_consistent_lag_shows_everything_as_it_was():
    module, server = struck(K.CACHE_LAG, ticks=2)
    steps(server, 3)
    balance = module.account_info()

    assert module.order_send(deal()).retcode == 10009
    for _ in range(2):
        assert counts(module) == (0, 0, 1)
        assert (module.positions_total(), module.history_deals_total(*ALL)) == (0, 1)
        assert module.account_info().margin == balance.margin == 0
        steps(server, 1)
    assert counts(module) == (1, 1, 2)
    assert module.account_info().margin > 0


def test_a_torn_lag_shows_parts_of_different_times():
    module, server = struck(
        K.CACHE_LAG, ticks=0, positions_ticks=3, history_ticks=1, orders_ticks=2
    )
    steps(server, 4)
    module.order_send(deal())
    module.order_send(pending())

    seen = []
    for _ in range(4):
        history = module.history_deals_total(*ALL) - 1, module.history_orders_total(*ALL)
        seen.append((module.positions_total(), module.orders_total(), *history))
        assert module.account_info().margin > 0
        steps(server, 1)
    assert seen == [(0, 0, 0, 0), (0, 0, 1, 1), (0, 1, 1, 1), (1, 1, 1, 1)]


def test_a_lagging_position_keeps_the_price_of_its_time():
    module, server = struck(K.CACHE_LAG, ticks=1, server={"bars": bars_of([110_000, 110_300])})
    module.order_send(deal())
    steps(server, 2)
    bid = module.symbol_info_tick("EURUSD").bid
    steps(server, 1)

    assert module.positions_get()[0].price_current == bid
    assert module.symbol_info_tick("EURUSD").bid != bid


def test_a_stale_feed_stands_still_while_the_market_moves():
    module, server = struck(K.STALE_FEED, after_ms=HOUR_MS, for_ms=HOUR_MS, symbol="EURUSD")
    steps(server, 3)
    before = module.symbol_info_tick("EURUSD")

    for _ in range(4):
        steps(server, 1)
        assert module.symbol_info_tick("EURUSD") == before
        assert module.symbol_info("EURUSD").time == before.time
    filled = module.order_send(deal(volume=0.1)).price
    assert filled == server.book.quote("EURUSD").ask_points / 1e5 != before.ask
    steps(server, 1)
    assert module.symbol_info_tick("EURUSD").time_msc > before.time_msc


@pytest.mark.parametrize("shape", [Shape.FAR, Shape.CROSSED, Shape.ZERO, Shape.NAN])
def test_a_spike_is_one_wrong_tick(shape: Shape):
    module, server = struck(K.SPIKE, after_ms=1, shape=shape, points=500)
    first = module.symbol_info_tick("EURUSD")
    steps(server, 1)
    wrong = module.symbol_info_tick("EURUSD")
    quote = server.book.quote("EURUSD")
    bid, ask = quote.bid_points / 1e5, quote.ask_points / 1e5

    assert first.ask - first.bid == pytest.approx(0.0001)
    if shape is Shape.FAR:
        assert (wrong.bid, wrong.ask) == pytest.approx((bid + 0.005, ask + 0.005))
    elif shape is Shape.CROSSED:
        assert wrong.bid > wrong.ask
    elif shape is Shape.ZERO:
        assert (wrong.bid, wrong.ask) == (0, 0)
    else:
        assert math.isnan(wrong.bid)
        assert math.isnan(wrong.ask)
    steps(server, 1)
    assert module.symbol_info_tick("EURUSD").ask == server.book.quote("EURUSD").ask_points / 1e5


CALLS = {
    "positions_get": (),
    "orders_get": (),
    "history_deals_get": ALL,
    "history_orders_get": ALL,
    "history_deals_total": ALL,
    "account_info": (),
    "terminal_info": (),
    "symbol_info": ("EURUSD",),
    "symbol_info_tick": ("EURUSD",),
    "symbols_get": (),
    "copy_rates_from_pos": ("EURUSD", mt5.TIMEFRAME_H1, 0, 1),
    "copy_ticks_from": ("EURUSD", 0, 1, mt5.COPY_TICKS_ALL),
    "order_check": (deal(),),
    "order_send": (deal(),),
    "version": (),
}


@pytest.mark.parametrize("name", CALLS)
def test_any_function_can_answer_none(name: str):
    module, _ = struck(K.NO_ANSWER, function=name, nth=2, times=2, error=-10005)
    call, arguments = getattr(module, name), CALLS[name]

    answers = [call(*arguments) is None for _ in range(4)]

    assert answers == [False, True, True, False]
    call(*arguments)
    assert module.last_error()[0] == 1


def test_a_function_that_answers_truth_answers_false():
    module, _ = struck(K.NO_ANSWER, function="symbol_select", error=-1)

    assert module.symbol_select("EURUSD", True) is False
    assert module.last_error() == (-1, "Terminal: Call failed")
    assert module.symbol_select("EURUSD", True) is True


def test_initialize_can_fail():
    terminal, _ = faulty(FaultSpec(kind=K.NO_ANSWER, function="initialize", nth=2, error=-10005))
    module = make_module(terminal)

    assert module.initialize() is False
    assert module.last_error() == (-10005, "IPC timeout")
    assert module.positions_get() is None
    assert module.initialize() is True


@pytest.mark.parametrize(
    ("facts", "kept"),
    [
        ({"length": 2}, "mt"),
        ({"text": "broker"}, "broker"),
        ({"text": "broker", "length": 3}, "bro"),
    ],
)
def test_the_broker_rewrites_comments(facts: dict[str, Any], kept: str):
    module, _ = struck(K.COMMENT, **facts)
    module.order_send(deal(comment="mtq1"))
    module.order_send(pending(comment="mtq2"))

    seen = [*module.positions_get(), *module.orders_get(), *module.history_orders_get(*ALL)]
    assert {one.comment for one in seen} == {kept}
    assert [one.comment for one in module.history_deals_get(*ALL)] == ["initial deposit", kept]


# ---------------------------------------------------------------- other hands


def test_a_stop_loss_is_stripped():
    module, server = struck(K.STRIPPED_STOP, after_ms=1)
    module.order_send(deal(sl=1.09, tp=1.12))
    module.order_send(deal(sl=1.09))
    steps(server, 1)

    assert [(one.sl, one.tp) for one in module.positions_get()] == [(0, 1.12), (1.09, 0)]


def test_a_manual_trade_is_somebody_elses():
    module, server = struck(K.MANUAL_TRADE, after_ms=1, volume=0.3, text="by hand")
    assert module.positions_get() == ()
    steps(server, 1)

    position = module.positions_get()[0]
    order, made = module.history_orders_get(*ALL)[0], module.history_deals_get(*ALL)[1]
    assert (position.magic, position.volume, position.comment) == (0, 0.3, "by hand")
    assert position.reason == mt5.POSITION_REASON_CLIENT
    assert order.reason == mt5.ORDER_REASON_CLIENT
    assert made.reason == mt5.DEAL_REASON_CLIENT
    module.order_send(deal())
    assert module.positions_get()[1].reason == mt5.POSITION_REASON_EXPERT


@pytest.mark.parametrize("mode", ExecutionMode)
def test_a_manual_trade_takes_any_price(mode: ExecutionMode):
    venue = venue_of(execution_mode=mode)
    module, server = struck(K.MANUAL_TRADE, after_ms=1, server={"venue": venue})
    steps(server, 1)

    assert [one.volume for one in module.positions_get()] == [0.01]


@pytest.mark.parametrize(("fraction", "left"), [(1.0, []), (0.5, [0.2])])
def test_a_position_is_closed_by_hand(fraction: float, left: list[float]):
    module, server = struck(K.MANUAL_CLOSE, after_ms=1, closed_fraction=fraction)
    ticket = module.order_send(deal(volume=0.4)).order
    steps(server, 1)

    assert [one.volume for one in module.positions_get()] == left
    closing = module.history_deals_get(position=ticket)[1]
    assert (closing.entry, closing.reason) == (mt5.DEAL_ENTRY_OUT, mt5.DEAL_REASON_CLIENT)
    assert closing.magic == 7


@pytest.mark.parametrize("amount", [250.0, -1000.0])
def test_money_comes_and_goes(amount: float):
    module, server = struck(K.BALANCE, after_ms=1, amount=amount, text="wire")
    before = module.account_info().balance
    steps(server, 1)

    assert module.account_info().balance == before + amount
    made = module.history_deals_get(*ALL)[-1]
    assert (made.type, made.profit, made.comment) == (mt5.DEAL_TYPE_BALANCE, amount, "wire")


def test_with_nothing_to_do_it_to_nothing_happens():
    module, server = struck(K.MANUAL_CLOSE)
    steps(server, 3)

    assert counts(module) == (0, 0, 1)


def test_a_fault_can_be_at_a_time_of_the_servers_clock():
    module, server = struck(K.BALANCE, at="2017-01-02T01:00", amount=5.0)
    while server.step():
        if module.account_info().balance > 10_000:
            break

    assert module.history_deals_get(*ALL)[-1].time == 1_483_318_800  # 01:00 on the server's wall


# ---------------------------------------------------------------- between two ticks


def test_a_late_request_is_carried_out_at_its_own_time_between_two_ticks():
    module, server = struck(K.LATE, delay_ms=90_000)
    module.order_send(deal())
    sent_msc = server.market.venue.clock.to_server_ms(server.now_ms)

    server.wait_until(server.now_ms + 89_999)
    assert counts(module) == (0, 0, 1)
    server.wait_until(server.now_ms + 10_000)
    assert module.positions_get()[0].time_msc == sent_msc + 90_000


def test_in_lock_step_a_late_request_keeps_its_time_too():
    module, server = struck(K.LATE, delay_ms=90_000)
    module.order_send(deal())
    sent_msc = server.market.venue.clock.to_server_ms(server.now_ms)
    steps(server, 1)

    assert module.positions_get()[0].time_msc == sent_msc + 90_000


def test_periods_begin_and_end_between_two_ticks():
    module, server = struck(K.LINK_LOSS, after_ms=10_000, for_ms=5_000)
    begun_ms = server.now_ms
    seen = []
    for second in (9, 10, 14, 15):
        server.wait_until(begun_ms + 1000 * second)
        module.initialize()
        seen.append(module.positions_get())

    assert seen == [(), None, None, ()]


def test_a_spike_lasts_until_the_next_tick():
    module, server = struck(K.SPIKE, after_ms=1, shape=Shape.ANY)
    steps(server, 1)
    wrong = repr(module.symbol_info_tick("EURUSD"))
    server.wait_until(server.now_ms + 1000)

    assert repr(module.symbol_info_tick("EURUSD")) == wrong


def test_money_comes_at_its_time_between_two_ticks():
    module, server = struck(K.BALANCE, after_ms=10_000, amount=5.0)
    server.wait_until(server.now_ms + 9_999)
    assert module.account_info().balance == 10_000
    server.wait_until(server.now_ms + 1)
    assert module.account_info().balance == 10_005


# ---------------------------------------------------------------- latency


def test_the_market_plays_on_while_a_request_is_on_its_way():
    bars = bars_of([110_000, 110_300, 110_600])
    terminal, _server = faulty(
        server={"bars": bars}, latency={"at_least_ms": 2 * HOUR_MS, "at_most_ms": 2 * HOUR_MS}
    )
    asked = terminal.symbol_info_tick("EURUSD")

    result = terminal.order_send(deal())

    tick = terminal.symbol_info_tick("EURUSD")
    assert tick.time_msc == asked.time_msc + 2 * HOUR_MS
    assert result.price == tick.ask != asked.ask
    assert terminal.history_deals_get(*ALL)[1].time_msc == tick.time_msc


def test_a_price_that_moves_on_the_way_is_requoted():
    terminal, _ = faulty(
        server={
            "bars": bars_of([110_000, 110_300, 110_600]),
            "venue": venue_of(execution_mode=ExecutionMode.INSTANT),
        },
        latency={"at_least_ms": 2 * HOUR_MS - 1, "at_most_ms": 2 * HOUR_MS},
    )
    ask = terminal.symbol_info_tick("EURUSD").ask

    assert terminal.order_send(deal(price=ask, deviation=5)).retcode == mt5.TRADE_RETCODE_REQUOTE
