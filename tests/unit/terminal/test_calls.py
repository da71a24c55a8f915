"""Calls fail as the module's do: None or False and a last_error, never an exception."""

import datetime as dt
from typing import Any

import numpy as np
import pytest
from terminals import deal, faulty, make_server, make_terminal
from worlds import MONDAY_MS, bars_of, make_venue

from mtquant.exchange import InstrumentSpec, VenueSpec
from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated import SimulatedTerminal
from mtquant.terminal.simulated.arguments import matches_group
from mtquant.terminal.simulated.faults import FaultKind, FaultSpec

NO_CONNECTION = (-10004, "No IPC connection")
H1 = mt5.TIMEFRAME_H1
READS: dict[str, tuple] = {
    "version": (),
    "terminal_info": (),
    "account_info": (),
    "symbols_total": (),
    "symbols_get": (),
    "symbol_info": ("EURUSD",),
    "symbol_info_tick": ("EURUSD",),
    "copy_rates_from": ("EURUSD", H1, 2**31, 3),
    "copy_rates_from_pos": ("EURUSD", H1, 0, 3),
    "copy_rates_range": ("EURUSD", H1, 0, 2**31),
    "order_calc_margin": (0, "EURUSD", 1.0, 1.1),
    "order_calc_profit": (0, "EURUSD", 1.0, 1.1, 1.2),
    "order_check": (deal(),),
    "order_send": (deal(),),
    "positions_total": (),
    "positions_get": (),
    "orders_total": (),
    "orders_get": (),
    "history_orders_total": (0, 2**31),
    "history_orders_get": (0, 2**31),
    "history_deals_total": (0, 2**31),
    "history_deals_get": (0, 2**31),
}


def test_last_error_is_empty_before_the_first_call():
    assert SimulatedTerminal(make_server()).last_error() == (0, "")


@pytest.mark.parametrize("name", READS)
def test_before_initialize_and_after_shutdown_nothing_is_answered(name: str):
    terminal = SimulatedTerminal(make_server())
    assert getattr(terminal, name)(*READS[name]) is None
    assert terminal.last_error() == NO_CONNECTION

    assert terminal.initialize()
    assert getattr(terminal, name)(*READS[name]) is not None
    assert terminal.last_error() == (1, "Success")

    assert terminal.shutdown()
    assert terminal.last_error() == (1, "Success")
    assert getattr(terminal, name)(*READS[name]) is None
    assert terminal.last_error() == NO_CONNECTION


def test_without_a_link_login_and_select_are_false():
    terminal = SimulatedTerminal(make_server())

    assert terminal.login(1000001) is False
    assert terminal.symbol_select("EURUSD") is False
    assert terminal.last_error() == NO_CONNECTION


def test_a_call_that_succeeds_clears_the_error_and_asking_for_it_does_not():
    terminal = make_terminal()
    assert terminal.symbol_info("NOPE") is None
    assert terminal.last_error() == terminal.last_error() == (-4, "Terminal: Not found")

    assert terminal.symbols_total() == 1
    assert terminal.last_error() == (1, "Success")


def test_an_outage_cuts_the_link_until_initialize_is_called_after_it():
    loss = FaultSpec(kind=FaultKind.LINK_LOSS, after_ms=1, for_ms=3_599_999)
    terminal, server = faulty(loss)
    server.step()

    assert terminal.positions_get() is None
    assert terminal.last_error() == NO_CONNECTION
    assert terminal.initialize() is False
    assert terminal.last_error()[0] == -10003

    while server.now_ms < MONDAY_MS + 3_600_000:
        assert not terminal.has_link
        server.step()
    assert terminal.positions_get() is None
    assert terminal.initialize()
    assert terminal.positions_get() == ()


@pytest.mark.parametrize(
    ("args", "kwargs", "code"),
    [
        ((), {"login": 1000001, "password": "demo", "server": "mtquant-Demo"}, 1),
        ((), {"login": 1000001}, 1),
        (("C:/terminal64.exe",), {"timeout": 5, "portable": True}, 1),
        ((), {"login": 1000001, "password": "wrong"}, -6),
        ((), {"login": 1000001, "server": "Other"}, -6),
        ((), {"login": 5}, -6),
        ((), {"login": 0}, -2),
        ((), {"login": "1000001"}, -2),
        ((), {"login": 1000001, "password": 5}, -2),
        (("a", "b"), {}, -2),
        ((5,), {}, -2),
    ],
)
def test_initialize_takes_what_the_module_takes(args: tuple, kwargs: dict, code: int):
    terminal = SimulatedTerminal(make_server())

    assert terminal.initialize(*args, **kwargs) is (code == 1)
    assert terminal.last_error()[0] == code
    assert (terminal.account_info() is not None) is (code == 1)


def test_login_takes_password_and_server_unnamed():
    terminal = make_terminal()

    assert terminal.login(1000001, "demo", "mtquant-Demo")
    assert terminal.login(1000001, "nope") is False
    assert terminal.login(1, 2, 3, 4) is False
    assert terminal.login() is False
    assert terminal.last_error() == (-2, 'Invalid "login" argument')


@pytest.mark.parametrize("name", [name for name, args in READS.items() if args])
def test_a_wrong_number_of_arguments_is_refused_in_the_module_s_words(name: str):
    terminal = make_terminal()

    assert getattr(terminal, name)(*READS[name], 1, 2, 3) is None
    assert terminal.last_error()[0] == -2
    assert getattr(terminal, name)() is None
    assert terminal.last_error()[0] == -2


def test_positional_arguments_cannot_be_named():
    terminal: Any = make_terminal()

    with pytest.raises(TypeError):
        terminal.symbol_info(symbol="EURUSD")
    assert terminal.history_deals_get(date_from=0, date_to=5) is None
    assert terminal.last_error() == (-2, "Invalid arguments")


NONSENSE = [-1, 0, 10**30, 1.5, float("nan"), float("inf"), "EURUSD", "", None, [], {}, b"x", True]


@pytest.mark.parametrize("name", [*READS, "symbol_select", "login", "initialize"])
@pytest.mark.parametrize("nonsense", NONSENSE, ids=repr)
def test_nonsense_as_any_argument_raises_nothing(name: str, nonsense: Any):
    terminal: Any = make_terminal()
    usual = READS.get(name, ("EURUSD", True))
    for position in range(len(usual) + 1):
        args = [*usual]
        args[position : position + 1] = [nonsense]
        if usual or position:
            if name not in {"version", "terminal_info", "account_info"} and "total" not in name:
                getattr(terminal, name)(*args)
        elif name in {"symbols_get", "positions_get", "orders_get"}:
            getattr(terminal, name)(nonsense)
        assert terminal.last_error()[0] in {1, -2, -4, -6, -10004}


@pytest.mark.parametrize("keyword", ["ticket", "symbol", "group", "position"])
@pytest.mark.parametrize("nonsense", NONSENSE, ids=repr)
def test_nonsense_as_a_filter_raises_nothing(keyword: str, nonsense: Any):
    terminal = make_terminal()
    terminal.order_send(deal())
    for name in ("positions_get", "orders_get", "history_deals_get", "history_orders_get"):
        answer = getattr(terminal, name)(**{keyword: nonsense})
        assert answer is None or isinstance(answer, tuple)


def test_filters_choose_by_ticket_before_symbol_before_group():
    terminal = make_terminal()
    ticket = terminal.order_send(deal()).order

    assert len(terminal.positions_get(ticket=ticket, symbol="NOPE")) == 1
    assert terminal.positions_get(ticket=1, symbol="EURUSD") == ()
    assert terminal.positions_get(symbol="NOPE", group="*") == ()
    assert len(terminal.positions_get(symbol="EURUSD")) == 1
    assert len(terminal.positions_get(group="*USD")) == terminal.positions_total() == 1
    assert terminal.positions_get(group="!EUR*") == ()
    assert terminal.positions_get("EURUSD") is None
    assert terminal.last_error() == (-2, "Unnamed arguments not allowed")
    assert terminal.positions_get(ticket="x") is None
    assert terminal.last_error() == (-2, 'Invalid "ticket" argument')


@pytest.mark.parametrize(
    ("group", "names"),
    [
        ("*", ["EURUSD", "EURJPY", "GBPUSD", "US[5]?"]),
        ("EURUSD", ["EURUSD"]),
        ("EUR*", ["EURUSD", "EURJPY"]),
        ("*USD*,!EUR*", ["GBPUSD"]),
        ("*, !EUR*, EURJPY", ["EURJPY", "GBPUSD", "US[5]?"]),
        ("US[5]?", ["US[5]?"]),
        ("EURUS?", []),
        ("[E]*", []),
        ("", []),
        ("NOPE", []),
    ],
)
def test_groups_are_words_with_stars_and_later_words_overrule(group: str, names: list[str]):
    known = ["EURUSD", "EURJPY", "GBPUSD", "US[5]?"]

    assert [name for name in known if matches_group(name, group)] == names


def test_symbols_get_takes_a_group_named_or_not():
    terminal = make_terminal()

    assert [one.name for one in terminal.symbols_get("EUR*")] == ["EURUSD"]
    assert terminal.symbols_get(group="!*") == ()
    assert terminal.symbols_get("a", "b") is None


def test_a_symbol_without_a_price_has_no_tick_and_cannot_be_traded():
    eurusd = make_venue().instruments["EURUSD"]
    gold = InstrumentSpec(digits=2, contract_size=100.0, base_currency="XAU", profit_currency="USD")
    venue = VenueSpec(instruments={"EURUSD": eurusd, "XAUUSD": gold})
    terminal = make_terminal(make_server(venue=venue))

    assert terminal.symbol_info("XAUUSD").bid == 0.0
    assert terminal.symbol_info_tick("XAUUSD") is None
    assert terminal.last_error() == (-4, "Terminal: Not found")
    assert terminal.order_send(deal(symbol="XAUUSD")).retcode == mt5.TRADE_RETCODE_PRICE_OFF
    assert terminal.order_check(deal(symbol="XAUUSD")).retcode == mt5.TRADE_RETCODE_PRICE_OFF
    assert terminal.copy_rates_from_pos("XAUUSD", H1, 0, 5) is None


def test_selecting_shows_and_hides_a_symbol():
    terminal = make_terminal()

    assert terminal.symbol_info("EURUSD").select
    assert terminal.symbol_select("EURUSD", False)
    assert not terminal.symbol_info("EURUSD").visible
    assert terminal.symbol_select("EURUSD")
    assert terminal.symbol_select("NOPE") is False


def test_the_tick_is_in_the_server_s_time_of_both_precisions():
    tick = make_terminal().symbol_info_tick("EURUSD")

    server_ms = MONDAY_MS + 2 * 3_600_000
    assert (tick.time, tick.time_msc) == (server_ms // 1000, server_ms)
    assert (tick.bid, tick.ask) == (1.1, 1.1001)


def test_calculations_are_those_of_the_book():
    terminal = make_terminal()

    assert terminal.order_calc_margin(mt5.ORDER_TYPE_BUY, "EURUSD", 1.0, 1.1) == 1100.0
    assert terminal.order_calc_profit(mt5.ORDER_TYPE_SELL, "EURUSD", 0.1, 1.1, 1.099) == 10.0
    assert terminal.order_calc_profit(0, "EURUSD", 1, 1, 2) == 100_000.0
    assert terminal.order_calc_profit(7, "EURUSD", 1.0, 1.1, 1.2) is None
    assert terminal.last_error() == (-2, "Invalid arguments")


def test_dates_may_be_numbers_or_datetimes_of_any_zone():
    terminal = make_terminal(make_server(bars_of([110_000] * 5)))
    start_s = MONDAY_MS // 1000 + 7200
    for date in (
        start_s,
        start_s + 0.9,
        np.float64(start_s),
        dt.datetime.fromtimestamp(start_s, tz=dt.UTC),
        dt.datetime.fromtimestamp(start_s, tz=dt.timezone(dt.timedelta(hours=5))),
    ):
        assert len(terminal.copy_rates_from("EURUSD", H1, date, 9)) == 1
    for date in (np.int64(start_s), dt.date(2017, 1, 2), "2017-01-02", True, None):
        assert terminal.copy_rates_from("EURUSD", H1, date, 9) is None
        assert terminal.last_error() == (-2, "Invalid arguments")


def yen_venue() -> VenueSpec:
    """Return a venue on which EURUSD is played, and yen convert through a pair without quotes."""
    yen = {"digits": 3, "contract_size": 100_000.0, "profit_currency": "JPY"}
    return VenueSpec(
        instruments={
            "EURUSD": make_venue().instruments["EURUSD"],
            "EURJPY": InstrumentSpec(base_currency="EUR", **yen),
            "USDJPY": InstrumentSpec(base_currency="USD", **yen),
        }
    )


def test_a_pair_that_converts_itself_computes_before_its_first_quote():
    terminal = make_terminal(make_server(venue=yen_venue()))

    assert terminal.order_calc_profit(0, "USDJPY", 1.0, 108.183, 108.483) == 276.54
    assert terminal.order_calc_profit(1, "USDJPY", 1.0, 108.179, 107.879) == 278.09
    assert terminal.order_calc_margin(0, "USDJPY", 0.1, 108.183) == 100.0


def test_money_that_an_unquoted_pair_converts_is_not_answered():
    terminal = make_terminal(make_server(venue=yen_venue()))

    assert terminal.order_calc_profit(0, "EURJPY", 1.0, 120.0, 121.0) is None
    assert terminal.last_error() == (-4, "Terminal: Not found")
    assert terminal.order_calc_margin(0, "EURJPY", 1.0, 120.0) is None
    assert terminal.symbol_info("EURJPY").trade_tick_value_loss == 0.0


def test_a_symbol_shows_what_money_it_takes():
    terminal = make_terminal(
        make_server(
            venue=make_venue(
                margin_initial=100_000.0, margin_maintenance=50_000.0, margin_uses_leg=True
            )
        )
    )
    info = terminal.symbol_info("EURUSD")

    assert (info.margin_initial, info.margin_maintenance) == (100_000.0, 50_000.0)
    assert info.margin_hedged_use_leg
    assert (info.trade_tick_value_profit, info.trade_tick_value_loss) == (1.0, 1.0)
