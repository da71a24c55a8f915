"""MetaTrader's words become ours and ours theirs: times, prices, volumes, requests."""

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from terminals import deal, make_server, make_terminal
from worlds import bars_of, make_venue

from mtquant.broker import translate
from mtquant.model import (
    DataError,
    DealKind,
    IntentAction,
    IntentRow,
    IntentState,
    MarginMode,
    OrderIntent,
    OrderState,
    OrderType,
    Reason,
    Side,
    SymbolNotFoundError,
)
from mtquant.terminal import constants as mt5

VENUE = make_venue()
EURUSD = VENUE.instrument("EURUSD")
CLOCK = VENUE.clock
STARTS_MS = {
    "winter": 1_483_308_000_000,
    "summer": 1_498_424_400_000,
    "spring change": 1_490_565_600_000,  # Sunday 2017-03-26 22:00 UTC, the first hours after it
}


ON_POSITIONS = (IntentAction.CLOSE, IntentAction.MODIFY)


def row(action: IntentAction = IntentAction.OPEN, **changes: Any) -> IntentRow:
    facts: dict[str, Any] = {
        "strategy_id": "test",
        "symbol": "EURUSD",
        "action": action,
        "side": Side.BUY,
        "volume_units": 29_000_000,
        "trigger": "1",
        "decided_ms": 0,
        "deadline_ms": 0,
        "price_points": 110_010,
        "stop_loss_points": 109_000,
        "deviation_points": 20,
        "position_ticket": 50_000_001 if action in ON_POSITIONS else 0,
        "order_ticket": 50_000_002 if action is IntentAction.CANCEL else 0,
    }
    return IntentRow(
        intent_id=0xA700100000001,
        intent=OrderIntent(**(facts | changes)),
        state=IntentState.SENDING,
        comment="mtq1",
    )


@pytest.mark.parametrize("start_ms", STARTS_MS.values(), ids=STARTS_MS)
def test_what_the_book_holds_comes_back_through_the_terminal(start_ms: int):
    server = make_server(bars_of([110_000, 110_050, 110_000], first_ms=start_ms))
    terminal = make_terminal(server)
    ticket = terminal.order_send(deal(sl=1.09, tp=1.12)).order
    server.step()
    server.step()
    [found] = terminal.positions_get()
    now_ms = server.now_ms
    assert translate.position_from(found, EURUSD, CLOCK, now_ms, 2) == server.book.positions()[0]

    terminal.order_send(deal(type=1, position=ticket, volume=0.05))
    orders = [translate.order_from(o, EURUSD, CLOCK) for o in terminal.history_orders_get(0, 2**31)]
    assert orders == server.book.ledger.orders
    deals = [
        translate.deal_from(d, EURUSD if d.symbol else None, CLOCK, 2)
        for d in terminal.history_deals_get(0, 2**31)
    ]
    assert deals == server.book.ledger.deals
    assert deals[0].kind is DealKind.BALANCE
    assert translate.account_from(terminal.account_info(), now_ms) == server.book.account()
    quote = translate.quote_from(terminal.symbol_info_tick("EURUSD"), EURUSD, CLOCK)
    assert quote == server.book.quote("EURUSD")
    rates = terminal.copy_rates_from_pos("EURUSD", mt5.TIMEFRAME_H1, 0, 5)
    assert translate.bar_from(rates[0], EURUSD, CLOCK).time_ms == start_ms


def test_the_instrument_is_the_one_that_the_terminal_states():
    info = make_terminal().symbol_info("EURUSD")
    described = translate.instrument_from(info, "EURUSD")

    assert described == replace(EURUSD, sessions=described.sessions)


def test_an_instrument_that_no_rule_fits_is_refused_with_its_name():
    info = make_terminal().symbol_info("EURUSD")
    for changes, error in (
        ({"trade_calc_mode": mt5.SYMBOL_CALC_MODE_EXCH_STOCKS}, SymbolNotFoundError),
        ({"volume_min": 0.0}, DataError),
        ({"digits": 12}, DataError),
    ):
        with pytest.raises(error, match="EURUSD: "):
            translate.instrument_from(SimpleNamespace(**(info._asdict() | changes)), "EURUSD")


def test_a_foreign_instrument_may_be_of_any_kind_or_gone():
    info = make_terminal().symbol_info("EURUSD")._asdict()
    odd = info | {
        "trade_calc_mode": 34,
        "digits": 12,
        "volume_min": 0.0,
        "trade_contract_size": 0.0,
    }

    assert translate.foreign_instrument(SimpleNamespace(**odd), "GAZP").symbol == "GAZP"
    assert translate.foreign_instrument(None, "X" * 40).digits == 8


@pytest.mark.parametrize(
    ("lots", "units"), [(0.5, 50_000_000), (0.0, 0), (math.nan, 0), (math.inf, 0)]
)
def test_a_foreign_instrument_has_its_whole_name_and_its_largest_order_where_it_is_known(
    lots: float, units: int
):
    info = make_terminal().symbol_info("EURUSD")._asdict() | {"volume_max": lots}

    found = translate.foreign_instrument(SimpleNamespace(**info), "X" * 40)

    assert (found.symbol, found.volume_max_units) == ("X" * 40, units)
    assert translate.foreign_instrument(None, "GAZP").volume_max_units == 0


@pytest.mark.parametrize(
    ("kind", "state", "wanted"),
    [
        (mt5.ORDER_TYPE_SELL_LIMIT, 1, (Side.SELL, OrderType.LIMIT, OrderState.PLACED)),
        (mt5.ORDER_TYPE_BUY_STOP_LIMIT, 0, (Side.BUY, OrderType.STOP_LIMIT, OrderState.SUBMITTED)),
        (mt5.ORDER_TYPE_CLOSE_BY, 4, (Side.BUY, OrderType.CLOSE_BY, OrderState.FILLED)),
        (mt5.ORDER_TYPE_BUY, 7, (Side.BUY, OrderType.MARKET, OrderState.SUBMITTED)),
        (mt5.ORDER_TYPE_SELL, 9, (Side.SELL, OrderType.MARKET, OrderState.PLACED)),
    ],
)
def test_every_type_and_state_of_an_order_is_known(kind: int, state: int, wanted: tuple):
    terminal = make_terminal()
    terminal.order_send(deal())
    [order] = terminal.history_orders_get(0, 2**31)
    changed = SimpleNamespace(**(order._asdict() | {"type": kind, "state": state, "reason": 99}))
    found = translate.order_from(changed, EURUSD, CLOCK)

    assert (found.side, found.order_type, found.state) == wanted
    assert found.reason is Reason.CLIENT


def test_a_waiting_order_is_read_as_the_book_holds_it():
    server = make_server()
    terminal = make_terminal(server)
    expires_s = int(terminal.symbol_info_tick("EURUSD").time) + 7_200
    terminal.order_send(
        deal(
            action=mt5.TRADE_ACTION_PENDING,
            type=mt5.ORDER_TYPE_BUY_STOP_LIMIT,
            price=1.11,
            stoplimit=1.1095,
            sl=1.1,
            tp=1.12,
            type_filling=mt5.ORDER_FILLING_RETURN,
            type_time=mt5.ORDER_TIME_SPECIFIED,
            expiration=expires_s,
        )
    )

    [order] = [translate.order_from(one, EURUSD, CLOCK) for one in terminal.orders_get()]
    assert (order,) == server.book.orders()
    assert order.expires_ms == CLOCK.to_utc_ms(expires_s * 1000)


def test_an_averaged_position_is_read_to_the_thousandth_of_a_point():
    venue = replace(VENUE, account=replace(VENUE.account, margin_mode=MarginMode.NETTING))
    server = make_server(venue=venue)
    terminal = make_terminal(server)
    terminal.order_send(deal())
    server.step()
    terminal.order_send(deal(volume=0.2))

    [found] = terminal.positions_get()
    read = translate.position_from(found, EURUSD, CLOCK, server.now_ms, 2)
    [held] = server.book.positions()
    assert read.open_thousandths == held.open_thousandths > 0
    assert (read.open_points, read.identifier) == (held.open_points, held.identifier)


def test_credit_is_no_balance():
    server = make_server()
    terminal = make_terminal(server)
    server.grant_credit(5_000, "lent")
    kinds = [
        translate.deal_from(one, None, CLOCK, 2).kind
        for one in terminal.history_deals_get(0, 2**31)
    ]

    assert kinds == [DealKind.BALANCE, DealKind.CREDIT]


def typed_as_the_module_demands(request: dict) -> bool:
    floats = {"volume", "price", "sl", "tp"}
    texts = {"symbol", "comment"}
    return all(
        type(value) is (float if name in floats else str if name in texts else int)
        for name, value in request.items()
    )


def test_an_opening_request_states_everything():
    request = translate.request_from(row(), "EURUSD.m", EURUSD, mt5.ORDER_FILLING_IOC)

    assert request == {
        "action": mt5.TRADE_ACTION_DEAL,
        "symbol": "EURUSD.m",
        "magic": 0xA700100000001,
        "comment": "mtq1",
        "type": mt5.ORDER_TYPE_BUY,
        "volume": 0.29,
        "price": 1.1001,
        "deviation": 20,
        "type_filling": mt5.ORDER_FILLING_IOC,
        "type_time": mt5.ORDER_TIME_GTC,
        "sl": 1.09,
        "tp": 0.0,
    }
    assert typed_as_the_module_demands(request)


@pytest.mark.parametrize("action", IntentAction)
@pytest.mark.parametrize("price", [None, 110_000])
def test_every_request_carries_the_magic_and_exact_types(action: IntentAction, price: int | None):
    request = translate.request_from(row(action, price_points=price), "EURUSD", EURUSD, 0)

    assert request["magic"] == 0xA700100000001
    assert typed_as_the_module_demands(request)
    assert ("position" in request) is (action in ON_POSITIONS)
    assert request.get("order") == (50_000_002 if action is IntentAction.CANCEL else None)


def test_a_close_trades_the_other_way_and_names_its_position():
    request = translate.request_from(row(IntentAction.CLOSE), "EURUSD", EURUSD, 0)

    assert (request["type"], request["position"]) == (mt5.ORDER_TYPE_SELL, 50_000_001)
    assert "sl" not in request


def test_a_modification_sends_both_levels():
    request = translate.request_from(row(IntentAction.MODIFY), "EURUSD", EURUSD, 0)

    assert (request["action"], request["sl"], request["tp"]) == (mt5.TRADE_ACTION_SLTP, 1.09, 0.0)


@given(st.text(max_size=60))
def test_a_comment_never_makes_a_request_invalid(comment: str):
    request = translate.request_from(replace(row(), comment=comment), "EURUSD", EURUSD, 0)

    assert len(request["comment"]) <= 16
    assert request["comment"] == "" or request["comment"].isascii()
    assert make_terminal().order_check(request) is not None


@pytest.mark.parametrize(
    ("mask", "filling"),
    [(0, 2), (1, 0), (2, 1), (3, 0), (4, 2), (5, 0), (6, 1), (7, 0)],
)
def test_the_filling_is_one_that_the_mask_allows(mask: int, filling: int):
    assert translate.filling_for(mask) == filling
