"""Whose account a terminal shows, what it may do there, and what Market Watch lets it see."""

from typing import Any

import pytest
from terminals import deal, make_server, make_terminal, pending, venue_of
from worlds import make_venue

from mtquant.exchange import AccountSpec, VenueSpec
from mtquant.model import AccountKind, ConfigError, ExecutionMode, Filling, MarginMode, StopOutMode
from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated import SimulatedTerminal, TerminalOptions
from mtquant.terminal.simulated.faults import FaultKind, Faults, FaultSpec, FaultyTerminal

NETTING = AccountSpec(
    login=1000002,
    password="second",
    investor_password="see",
    name="Second Trader",
    kind=AccountKind.REAL,
    currency_digits=2,
    deposit=5000.0,
    credit=500.0,
    leverage=50,
    margin_mode=MarginMode.NETTING,
    stop_out_mode=StopOutMode.MONEY,
    margin_call_money=900.0,
    stop_out_money=400.0,
    limit_orders=30,
)
EXCHANGE = AccountSpec(
    login=1000003,
    password="third",
    kind=AccountKind.CONTEST,
    margin_mode=MarginMode.EXCHANGE,
    trade_allowed=False,
    experts_allowed=False,
)


def make_venue_of_three() -> VenueSpec:
    usual = AccountSpec(fifo_close=True)
    instruments = make_venue().instruments
    return VenueSpec(account=usual, more_accounts=(NETTING, EXCHANGE), instruments=instruments)


@pytest.fixture
def terminal() -> SimulatedTerminal:
    return make_terminal(make_server(venue=make_venue_of_three()))


# ---------------------------------------------------------------- logging in


def test_each_account_has_its_own_money_positions_orders_and_history(terminal: SimulatedTerminal):
    first = terminal.order_send(deal())
    assert terminal.login(1000002, "second")
    assert terminal.account_info().login == 1000002
    assert terminal.positions_get() == terminal.orders_get() == ()
    second = terminal.order_send(deal(volume=0.3))
    waiting = terminal.order_send(pending())

    assert first.order < second.order < waiting.order
    assert [one.order for one in terminal.history_deals_get(0, 2**31)] == [0, 0, second.order]
    assert [one.ticket for one in terminal.orders_get()] == [waiting.order]
    assert terminal.login(1000001)
    assert [one.ticket for one in terminal.positions_get()] == [first.order]
    assert terminal.orders_total() == 0
    assert terminal.history_orders_get(ticket=second.order) == ()


@pytest.mark.parametrize(
    ("words", "login"),
    [
        ({"login": 1000002, "password": "second"}, 1000002),
        ({"login": 1000002, "password": "second", "server": "mtquant-Demo"}, 1000002),
        ({"login": 1000003}, 1000003),
        ({}, 1000001),
        ({"login": 1000002, "password": "demo"}, None),
        ({"login": 1000002, "password": "look"}, None),
        ({"login": 1000002, "password": "second", "server": "Other"}, None),
        ({"login": 1000004}, None),
    ],
    ids=str,
)
def test_initialize_logs_in_to_any_account_of_the_server(words: dict, login: int | None):
    terminal = SimulatedTerminal(make_server(venue=make_venue_of_three()))

    assert terminal.initialize(**words) is (login is not None)
    if login is None:
        assert terminal.last_error() == (-6, "Terminal: Authorization failed")
        assert terminal.account_info() is None
    else:
        assert terminal.account_info().login == login


def test_a_refused_login_leaves_connection_and_account_as_they_were(terminal: SimulatedTerminal):
    assert terminal.login(1000002)

    assert terminal.login(1000001, "wrong") is False
    assert terminal.last_error() == (-6, "Terminal: Authorization failed")
    assert terminal.account_info().login == 1000002


def test_after_a_shutdown_the_terminal_is_still_logged_in_to_its_account():
    terminal = make_terminal(make_server(venue=make_venue_of_three()))
    assert terminal.login(1000002)
    assert terminal.shutdown()

    assert terminal.initialize()
    assert terminal.account_info().login == 1000002


def test_an_investor_sees_everything_and_trades_nothing(terminal: SimulatedTerminal):
    assert terminal.login(1000002)
    ticket = terminal.order_send(deal()).order
    assert terminal.login(1000002, "see")

    assert not terminal.account_info().trade_allowed
    assert [one.ticket for one in terminal.positions_get()] == [ticket]
    for request in (
        deal(),
        pending(),
        {"action": mt5.TRADE_ACTION_SLTP, "symbol": "EURUSD", "position": ticket, "sl": 1.0},
        {"action": mt5.TRADE_ACTION_REMOVE, "order": 1},
    ):
        sent = terminal.order_send(request)
        assert sent.retcode == terminal.order_check(request).retcode == 10017
        assert sent.request_id > 0
    assert terminal.login(1000002, "second")
    assert terminal.account_info().trade_allowed
    assert terminal.order_send(deal()).retcode == 10009


# ---------------------------------------------------------------- what is told of an account


def test_an_account_is_described_as_the_venue_states_it(terminal: SimulatedTerminal):
    usual = terminal.account_info()
    assert (usual.trade_mode, usual.margin_mode) == (
        mt5.ACCOUNT_TRADE_MODE_DEMO,
        mt5.ACCOUNT_MARGIN_MODE_RETAIL_HEDGING,
    )
    assert (usual.margin_so_mode, usual.margin_so_call, usual.margin_so_so) == (0, 100.0, 50.0)
    assert (usual.fifo_close, usual.limit_orders, usual.credit) == (True, 0, 0.0)
    assert usual.name == "Demo Trader"

    assert terminal.login(1000002)
    info = terminal.account_info()
    assert (info.trade_mode, info.margin_mode) == (
        mt5.ACCOUNT_TRADE_MODE_REAL,
        mt5.ACCOUNT_MARGIN_MODE_RETAIL_NETTING,
    )
    assert (info.margin_so_mode, info.margin_so_call, info.margin_so_so) == (1, 900.0, 400.0)
    assert (info.name, info.leverage, info.limit_orders) == ("Second Trader", 50, 30)
    assert (info.balance, info.credit, info.equity, info.profit) == (5000.0, 500.0, 5500.0, 0.0)
    assert not info.fifo_close

    assert terminal.login(1000003)
    info = terminal.account_info()
    assert (info.trade_mode, info.margin_mode) == (
        mt5.ACCOUNT_TRADE_MODE_CONTEST,
        mt5.ACCOUNT_MARGIN_MODE_EXCHANGE,
    )
    assert (info.trade_allowed, info.trade_expert) == (False, False)


def test_equity_is_balance_credit_and_profit(terminal: SimulatedTerminal):
    assert terminal.login(1000002)
    terminal.order_send(deal())
    checked, info = terminal.order_check(deal()), terminal.account_info()

    assert info.profit == -1.0
    assert info.equity == pytest.approx(info.balance + info.credit + info.profit)
    assert (checked.balance, checked.equity, checked.profit) == (
        info.balance,
        info.equity,
        info.profit,
    )


def test_the_operator_puts_money_and_credit_on_an_account():
    server = make_server(venue=make_venue_of_three())
    terminal = make_terminal(server)
    server.deposit(12_345, "wire")
    server.deposit(-345, "withdrawal")
    server.grant_credit(7_000, "bonus", 1000002)
    with pytest.raises(ConfigError, match="there is no account 5"):
        server.deposit(1, "lost", 5)

    assert terminal.account_info().balance == 10_120.0
    _, wire, withdrawal = terminal.history_deals_get(0, 2**31)
    assert (wire.type, wire.profit, wire.comment) == (mt5.DEAL_TYPE_BALANCE, 123.45, "wire")
    assert (withdrawal.profit, withdrawal.order, withdrawal.symbol) == (-3.45, 0, "")
    assert terminal.login(1000002)
    assert terminal.account_info().credit == 570.0
    bonus = terminal.history_deals_get(0, 2**31)[-1]
    assert (bonus.type, bonus.profit) == (mt5.DEAL_TYPE_CREDIT, 70.0)


# ---------------------------------------------------------------- what the terminal lets through


def test_without_autotrading_no_request_leaves_the_terminal():
    terminal = SimulatedTerminal(make_server(), TerminalOptions(autotrading=False))
    terminal.initialize()

    assert not terminal.terminal_info().trade_allowed
    for request in (deal(), deal(symbol="NOPE"), pending(), {"action": 99}):
        sent, checked = terminal.order_send(request), terminal.order_check(request)
        assert sent.retcode == checked.retcode == 10027
        assert (sent.request_id, sent.bid, sent.ask) == (0, 0.0, 0.0)
        assert sent.comment == checked.comment == "AutoTrading disabled by client"


def test_without_python_trading_nothing_is_sent_and_checks_still_work():
    terminal = SimulatedTerminal(make_server(), TerminalOptions(python_trading=False))
    terminal.initialize()

    assert terminal.terminal_info().tradeapi_disabled
    assert terminal.order_send(deal()) is None
    text = "Auto-Trading using Python API disabled in Terminal"
    assert terminal.last_error() == (-8, text)
    assert terminal.order_check(deal()).retcode == 0
    assert terminal.order_send(deal(volume=1)) is None
    assert terminal.last_error() == (-2, 'Invalid "volume" argument')


def test_a_terminal_allows_trading_unless_told_otherwise():
    info = make_terminal().terminal_info()

    assert info.trade_allowed
    assert not info.tradeapi_disabled


def test_an_answer_that_was_ordered_is_given_once_and_nothing_is_executed():
    faults = Faults()
    terminal = FaultyTerminal(make_server(faults=faults), faults)
    assert terminal.initialize()
    for kind in (FaultKind.TIMEOUT, FaultKind.NO_CONNECTION):
        faults.strike_next(FaultSpec(kind=kind))

    assert terminal.order_check(deal()).retcode == 0
    assert terminal.order_send(deal(volume=0.0, symbol="NOPE")).retcode == 10013
    timeout, unconnected = terminal.order_send(deal()), terminal.order_send(deal())
    assert (timeout.retcode, timeout.comment) == (10012, "Request timeout")
    assert (timeout.request_id, unconnected.request_id) == (1, 0)
    assert unconnected.comment == "No connection"
    assert terminal.positions_total() == terminal.history_orders_total(0, 2**31) == 0
    assert terminal.order_send(deal()).retcode == 10009


def test_only_a_fault_of_a_trade_request_can_strike_the_next_one():
    with pytest.raises(ConfigError, match="link_loss does not meet trade requests"):
        Faults().strike_next(FaultSpec(kind=FaultKind.LINK_LOSS))


# ---------------------------------------------------------------- Market Watch


def test_a_hidden_symbol_has_no_prices_until_it_is_selected():
    terminal = make_terminal()
    assert terminal.symbol_select("EURUSD", False)

    info = terminal.symbol_info("EURUSD")
    assert (info.select, info.visible, info.bid, info.ask, info.time) == (False, False, 0, 0, 0)
    assert (terminal.symbols_total(), len(terminal.symbols_get())) == (1, 1)
    assert terminal.symbol_info_tick("EURUSD") is None
    assert terminal.last_error() == (-4, "Terminal: Not found")
    assert terminal.market_book_add("EURUSD") is False
    for request in (deal(), pending()):
        sent, checked = terminal.order_send(request), terminal.order_check(request)
        assert (sent.retcode, sent.request_id, checked.retcode) == (10021, 0, 10021)
    assert terminal.symbol_select("EURUSD")
    assert terminal.symbol_info_tick("EURUSD").bid == 1.1
    assert terminal.order_send(deal()).retcode == 10009


def test_a_symbol_in_use_cannot_be_hidden():
    terminal = make_terminal()
    failed = (-1, "Terminal: Call failed")
    position = terminal.order_send(deal()).order
    assert terminal.symbol_select("EURUSD", False) is False
    assert terminal.last_error() == failed
    terminal.order_send(deal(type=1, position=position))

    order = terminal.order_send(pending()).order
    assert terminal.symbol_select("EURUSD", False) is False
    terminal.order_send({"action": mt5.TRADE_ACTION_REMOVE, "order": order})

    assert terminal.market_book_add("EURUSD")
    assert terminal.symbol_select("EURUSD", False) is False
    assert terminal.last_error() == failed
    assert terminal.symbol_info("EURUSD").visible
    assert terminal.market_book_release("EURUSD")
    assert terminal.symbol_select("EURUSD", False)


def test_logging_in_shows_the_symbols_that_the_account_has_something_of(
    terminal: SimulatedTerminal,
):
    terminal.order_send(deal())
    assert terminal.login(1000002)
    assert terminal.symbol_select("EURUSD", False)

    assert terminal.login(1000001)
    assert terminal.symbol_info("EURUSD").visible


def test_a_symbol_says_how_it_is_traded():
    usual = make_terminal().symbol_info("EURUSD")
    assert (usual.trade_mode, usual.trade_exemode) == (4, 2)
    assert (usual.filling_mode, usual.expiration_mode, usual.order_mode) == (3, 15, 127)
    assert (usual.order_gtc_mode, usual.volume_limit, usual.ticks_bookdepth) == (0, 0.0, 1)

    venue = venue_of(
        execution_mode=ExecutionMode.INSTANT,
        fillings=(Filling.FOK, Filling.BOC, Filling.RETURN),
        volume_limit_lots=15.0,
        depth_points=(0, 1),
        depth_lots=(1.0, 1.0),
        stop_loss_allowed=False,
    )
    info: Any = make_terminal(make_server(venue=venue)).symbol_info("EURUSD")
    assert (info.trade_exemode, info.filling_mode, info.order_mode) == (1, 5, 127 - 16)
    assert (info.volume_limit, info.ticks_bookdepth) == (15.0, 2)
