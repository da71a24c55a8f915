"""A session answers with our words or a typed error, and loses nothing."""

import asyncio
import json
import math
import threading
from collections.abc import Callable
from typing import Any

import pytest
from terminals import Wrapped, deal, make_server, make_terminal

from mtquant.broker import BrokerSession, Credentials, Glance, MT5Client
from mtquant.model import (
    BrokerAPIError,
    BrokerConnectionError,
    BrokerTimeoutError,
    InstrumentProofError,
    IntentAction,
    IntentRow,
    IntentState,
    LoginRefusedError,
    ManualClock,
    MarginMode,
    OrderIntent,
    Outcome,
    RetryableError,
    ServerClock,
    Side,
    SymbolNotFoundError,
    Timeframe,
    TradeMode,
    WrongAccountError,
)
from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated import SimulatedServer, SimulatedTerminal

GETTERS = (
    "account_info",
    "positions_get",
    "orders_get",
    "history_orders_get",
    "history_deals_get",
    "symbol_info_tick",
)


class At:
    """Tell a server's time."""

    def __init__(self, server: SimulatedServer) -> None:
        self.server = server

    def now_ms(self) -> int:
        return self.server.now_ms


def changed(struct: Any, **changes: Any) -> Any:
    return type(struct)((struct._asdict() | changes).values())


class Desk:
    """Hold a session on a wrapped simulated terminal."""

    def __init__(self, **credentials: Any) -> None:
        self.server = make_server()
        self.inner = SimulatedTerminal(self.server)
        self.terminal = Wrapped(self.inner)
        self.session = BrokerSession(
            self.terminal,
            ["EURUSD"],
            credentials=Credentials(**credentials) if credentials else None,
            server_clock=ServerClock("eet_eu"),
            clock=At(self.server),
        )

    def answer(self, name: str, change: Callable[[Any], Any]) -> None:
        """Change what the terminal answers to one call."""
        self.terminal.answers[name] = lambda *args, **kwargs: change(
            getattr(self.inner, name)(*args, **kwargs)
        )

    def heal(self) -> None:
        self.terminal.answers.clear()


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.session.connect()
    made.terminal.calls.clear()
    return made


def intent_row(**changes: Any) -> IntentRow:
    facts: dict[str, Any] = {
        "strategy_id": "test",
        "symbol": "EURUSD",
        "action": IntentAction.OPEN,
        "side": Side.BUY,
        "volume_units": 10_000_000,
        "trigger": "1",
        "decided_ms": 0,
        "deadline_ms": 0,
    }
    intent = OrderIntent(**(facts | changes))
    return IntentRow(intent_id=77, intent=intent, state=IntentState.SENDING, comment="mtq1")


def test_connecting_selects_the_symbols_and_proves_the_arithmetic():
    desk = Desk(login=1000001, password="demo", server="mtquant-Demo")
    account = desk.session.connect()

    assert account.login == 1000001
    assert desk.session.instrument("EURUSD").digits == 5
    assert {"order_calc_profit", "order_calc_margin"} <= set(desk.terminal.calls)
    assert desk.session.is_connected()
    assert desk.session.symbols() == ["EURUSD"]


@pytest.mark.parametrize("call", ["order_calc_profit", "order_calc_margin"])
@pytest.mark.parametrize("factor", [10.0, 0.1, math.nan])
def test_a_terminal_that_calculates_otherwise_is_not_traded_on(call: str, factor: float):
    desk = Desk()
    desk.answer(call, lambda amount: amount * factor)

    with pytest.raises(InstrumentProofError, match=r"by the terminal and .* by our rules"):
        desk.session.connect()


@pytest.mark.parametrize("factor", [10.0, 0.1, 1.2, math.nan])
def test_a_symbol_with_a_contradictory_tick_value_is_not_traded(factor: float):
    """One public demo server states gold's tick value ten times off."""
    desk = Desk()
    desk.answer(
        "symbol_info",
        lambda info: changed(info, trade_tick_value_loss=factor * info.trade_tick_value_loss),
    )

    with pytest.raises(InstrumentProofError, match=r"EURUSD: a tick of one lot is worth .* by"):
        desk.session.connect()


@pytest.mark.parametrize("stated", [0.0, 1.015, 0.95])
def test_a_tick_value_that_is_not_known_yet_or_moves_with_its_quote_is_let_pass(stated: float):
    desk = Desk()
    desk.answer("symbol_info", lambda info: changed(info, trade_tick_value_loss=stated))

    desk.session.connect()


def test_a_terminal_that_does_not_calculate_is_not_traded_on():
    desk = Desk()
    desk.answer("order_calc_margin", lambda _: None)

    with pytest.raises(BrokerAPIError, match="does not answer order_calc_margin"):
        desk.session.connect()


def test_a_refused_login_is_an_error_without_the_password():
    desk = Desk(login=1000001, password="wrong-secret")

    with pytest.raises(LoginRefusedError, match="Authorization failed") as caught:
        desk.session.connect()
    assert "wrong-secret" not in str(caught.value) + repr(caught.value.details)


@pytest.mark.parametrize("server", ["", "mtquant-Demo"])
def test_another_account_than_the_wanted_one_is_refused(server: str):
    desk = Desk(login=1000001, server=server)
    desk.answer("account_info", lambda info: changed(info, login=5))

    with pytest.raises(WrongAccountError, match="account 5"):
        desk.session.connect()


@pytest.mark.parametrize("mode", [mt5.ACCOUNT_MARGIN_MODE_RETAIL_NETTING, 1])
def test_an_account_that_nets_its_positions_is_traded_too(mode: int):
    desk = Desk()
    desk.answer("account_info", lambda info: changed(info, margin_mode=mode))

    assert desk.session.connect().margin_mode is not MarginMode.HEDGING


def test_a_symbol_without_a_price_yet_has_no_quote_and_is_no_error(desk: Desk):
    desk.inner.symbol_select("EURUSD", False)

    assert desk.session.last_quote("EURUSD") is None
    assert desk.session.view().quotes == ()
    with pytest.raises(BrokerAPIError, match="EURUSD: the terminal has no price of it yet"):
        desk.session.quote("EURUSD")


def test_a_tick_without_a_time_is_no_quote(desk: Desk):
    desk.answer("symbol_info_tick", lambda tick: changed(tick, time_msc=0))

    assert desk.session.last_quote("EURUSD") is None


def test_a_symbol_that_was_hidden_after_its_first_price_is_an_error(desk: Desk):
    assert desk.session.last_quote("EURUSD") is not None
    desk.inner.symbol_select("EURUSD", False)

    with pytest.raises(RetryableError):
        desk.session.view()


def test_a_bar_ends_by_the_wall_clock_where_that_is_earlier(desk: Desk):
    before_summer_ms = 1_490_486_400_000  # 2017-03-26 00:00 UTC, an hour before the clock jumps

    ends_ms = desk.session.bar_end_ms(before_summer_ms, Timeframe.H4)

    assert ends_ms == before_summer_ms + 3 * 3_600_000


def test_a_symbol_that_the_broker_lacks_is_named():
    desk = Desk()
    desk.terminal.answers["symbol_select"] = lambda *_: desk.inner.symbol_select("NOPE")
    desk.terminal.answers["symbol_info"] = lambda *_: desk.inner.symbol_info("NOPE")

    with pytest.raises(SymbolNotFoundError, match="EURUSD: the broker does not offer 'EURUSD'"):
        desk.session.connect()


def test_a_selection_that_fails_for_now_is_tried_again():
    desk = Desk()
    desk.terminal.answers["symbol_select"] = lambda *_: False
    desk.terminal.answers["last_error"] = lambda: (-1, "Terminal: Call failed")

    with pytest.raises(BrokerAPIError, match=r"symbol_select: Terminal: Call failed \(-1\)"):
        desk.session.connect()


def test_a_glance_shows_what_a_whole_reading_would(desk: Desk):
    desk.inner.order_send(deal())
    view = desk.session.view()

    assert desk.session.glance() == Glance.of(view)
    assert view.positions


@pytest.mark.parametrize("call", GETTERS)
def test_no_answer_to_any_getter_is_an_error_and_loses_no_news(desk: Desk, call: str):
    desk.inner.order_send(deal())
    desk.answer(call, lambda _: None)
    for _ in range(2):
        with pytest.raises(RetryableError):
            desk.session.view()
    desk.heal()
    view = desk.session.view()

    assert [one.symbol for one in view.deals] == ["", "EURUSD"]
    assert len(view.closed_orders) == len(view.positions) == 1
    again = desk.session.view()
    assert again.deals == again.closed_orders == ()


def test_without_a_link_reads_are_connection_errors(desk: Desk):
    desk.inner.shutdown()
    session = desk.session
    for read in (
        session.account,
        session.view,
        session.positions,
        session.symbols,
        session.glance,
        lambda: session.quote("EURUSD"),
        lambda: session.closed_bars("EURUSD", Timeframe.H1, 5),
        lambda: session.forming_bar_ms("EURUSD", Timeframe.H1),
    ):
        with pytest.raises(BrokerConnectionError):
            read()
    assert not session.is_connected()


def test_a_symbol_that_was_not_selected_is_an_error(desk: Desk):
    for read in (
        desk.session.instrument,
        desk.session.quote,
        lambda name: desk.session.closed_bars(name, Timeframe.H1, 1),
        lambda name: desk.session.forming_bar_ms(name, Timeframe.H1),
    ):
        with pytest.raises(SymbolNotFoundError, match="GBPUSD was not selected"):
            read("GBPUSD")


@pytest.mark.parametrize(
    ("call", "change"),
    [
        ("symbol_info_tick", lambda tick: changed(tick, bid=math.nan)),
        ("account_info", lambda info: changed(info, equity=math.inf)),
        ("history_deals_get", lambda deals: tuple(changed(d, entry=9) for d in deals)),
        ("history_orders_get", lambda found: tuple(changed(o, state=99) for o in found)),
        ("positions_get", lambda found: tuple(changed(p, price_open=math.nan) for p in found)),
    ],
)
def test_an_answer_that_no_rule_can_read_is_a_failed_read(
    desk: Desk, call: str, change: Callable[[Any], Any]
):
    desk.inner.order_send(deal())
    desk.answer(call, change)

    with pytest.raises(BrokerAPIError, match="cannot be read"):
        desk.session.view()
    desk.heal()
    assert len(desk.session.view().deals) == 2


def test_another_account_during_a_reading_is_refused(desk: Desk):
    desk.inner.order_send(deal())
    calls: list[int] = []

    def second_time(info: Any) -> Any:
        calls.append(1)
        return changed(info, server="Other") if len(calls) == 2 else info

    desk.answer("account_info", second_time)
    with pytest.raises(WrongAccountError, match="at Other"):
        desk.session.view()
    desk.heal()
    assert len(desk.session.view().deals) == 2


def test_a_reading_that_took_too_long_is_no_reading_and_loses_no_news(desk: Desk):
    desk.inner.order_send(deal())

    def sleep(found: Any) -> Any:
        desk.server.wait_until(desk.server.now_ms + 90_000)
        return found

    desk.answer("orders_get", sleep)
    with pytest.raises(BrokerTimeoutError, match=r"took 90 s"):
        desk.session.view()
    desk.heal()
    assert len(desk.session.view().deals) == 2


def test_an_older_order_that_is_closed_later_is_still_told(desk: Desk):
    first = desk.inner.order_send(deal()).order
    second = desk.inner.order_send(deal()).order
    desk.answer("history_orders_get", lambda found: [o for o in found if o.ticket == second])
    desk.answer("history_deals_get", lambda found: [d for d in found if d.order == second])
    assert [o.order_ticket for o in desk.session.view().closed_orders] == [second]
    desk.heal()
    late = desk.session.view()

    assert [o.order_ticket for o in late.closed_orders] == [first]
    assert [d.order_ticket for d in late.deals] == [0, first]


@pytest.mark.parametrize(
    ("code", "mode"),
    [
        (mt5.SYMBOL_TRADE_MODE_DISABLED, TradeMode.DISABLED),
        (mt5.SYMBOL_TRADE_MODE_LONGONLY, TradeMode.LONG_ONLY),
        (mt5.SYMBOL_TRADE_MODE_SHORTONLY, TradeMode.SHORT_ONLY),
        (mt5.SYMBOL_TRADE_MODE_CLOSEONLY, TradeMode.CLOSE_ONLY),
        (mt5.SYMBOL_TRADE_MODE_FULL, TradeMode.FULL),
    ],
)
def test_a_reading_shows_the_trade_mode_of_now(desk: Desk, code: int, mode: TradeMode):
    assert desk.session.view().trade_modes == {"EURUSD": TradeMode.FULL}
    desk.answer("symbol_info", lambda info: changed(info, trade_mode=code))

    assert desk.session.view().trade_modes == {"EURUSD": mode}


def test_a_reading_asks_once_for_each_symbol_and_a_glance_not_at_all(desk: Desk):
    desk.session.view()
    desk.session.glance()
    desk.session.last_quote("EURUSD")

    assert desk.terminal.calls.count("symbol_info") == 1


def test_a_trade_mode_that_cannot_be_read_fails_the_reading(desk: Desk):
    desk.answer("symbol_info", lambda info: changed(info, trade_mode=77))
    with pytest.raises(BrokerAPIError, match="cannot be read"):
        desk.session.view()
    desk.answer("symbol_info", lambda _info: None)
    with pytest.raises(BrokerAPIError, match="symbol_info"):
        desk.session.view()


@pytest.mark.parametrize(
    ("info_of", "outcome", "more"),
    [
        ({"trade_mode": mt5.SYMBOL_TRADE_MODE_DISABLED}, Outcome.REFUSED, ": EURUSD is suspended"),
        ({"trade_mode": mt5.SYMBOL_TRADE_MODE_CLOSEONLY}, Outcome.DISABLED, ""),
        ({}, Outcome.DISABLED, ""),
        (None, Outcome.DISABLED, ""),
    ],
)
def test_a_suspended_symbol_is_no_disabled_account(
    desk: Desk, info_of: dict[str, int] | None, outcome: Outcome, more: str
):
    desk.answer("order_send", lambda got: changed(got, retcode=10017, comment="Trade disabled"))
    desk.answer("symbol_info", lambda info: None if info_of is None else changed(info, **info_of))
    done = desk.session.send(intent_row())

    assert (done.outcome, done.detail) == (outcome, f"10017 Trade disabled{more}")


def raising(error: Exception) -> Callable[..., Any]:
    def call(*_: object) -> Any:
        raise error

    return call


@pytest.mark.parametrize("error", [OSError("broken pipe"), SystemError("no result")], ids=repr)
def test_an_answer_stands_whatever_a_later_read_raises(desk: Desk, error: Exception):
    desk.answer("order_send", lambda got: changed(got, retcode=10017, comment="Trade disabled"))
    desk.terminal.answers["symbol_info"] = raising(error)
    done = desk.session.send(intent_row())

    assert (done.outcome, done.detail) == (Outcome.DISABLED, "10017 Trade disabled")
    assert json.loads(done.reply)["retcode"] == 10017


@pytest.mark.parametrize("retcode", [10026, 10027])
def test_a_switched_off_robot_is_disabled_whatever_the_symbol(desk: Desk, retcode: int):
    desk.answer("order_send", lambda got: changed(got, retcode=retcode))
    desk.answer("symbol_info", lambda info: changed(info, trade_mode=0))

    assert desk.session.send(intent_row()).outcome is Outcome.DISABLED


def test_looking_at_the_positions_uses_up_no_news(desk: Desk):
    desk.inner.order_send(deal())

    assert desk.session.positions() == desk.session.positions()
    assert len(desk.session.view().deals) == 2


def test_positions_of_untraded_symbols_are_counted_whatever_they_are(desk: Desk):
    desk.inner.order_send(deal())
    info = desk.inner.symbol_info("EURUSD")
    desk.answer("positions_get", lambda found: (*found, changed(found[0], ticket=9, symbol="GAZP")))
    desk.terminal.answers["symbol_info"] = lambda name: changed(
        info, name=name, trade_calc_mode=34, digits=2
    )
    view = desk.session.view()

    assert [p.symbol for p in view.positions] == ["EURUSD", "GAZP"]
    assert view.positions[1].digits == 2


def test_the_history_may_name_symbols_that_are_gone(desk: Desk):
    desk.inner.order_send(deal())
    desk.answer(
        "history_deals_get", lambda found: tuple(changed(d, symbol="OLD.M17") for d in found[1:])
    )

    assert [d.symbol for d in desk.session.view().deals] == ["OLD.M17"]


def test_closed_bars_leave_the_forming_one_out(desk: Desk):
    for _ in range(9):
        desk.server.step()
    bars = desk.session.closed_bars("EURUSD", Timeframe.H1, 10)
    forming_ms = desk.session.forming_bar_ms("EURUSD", Timeframe.H1)

    assert [b.time_ms for b in bars] == desk.server.market.bars.time_ms[:2].tolist()
    assert forming_ms == desk.server.market.bars.time_ms[2]


def test_an_order_is_sent_once_and_its_answer_classed(desk: Desk):
    done = desk.session.send(intent_row())
    assert (done.outcome, done.volume_units, done.price_points) == (
        Outcome.CONFIRMED,
        10_000_000,
        110_010,
    )
    assert done.order_ticket == desk.inner.positions_get()[0].ticket

    refused = desk.session.send(intent_row(volume_units=1))
    assert refused.outcome is Outcome.REFUSED
    assert refused.detail == "10014 Invalid volume"
    assert desk.terminal.calls.count("order_send") == 2


def test_an_answer_that_got_lost_is_unknown_and_not_repeated(desk: Desk):
    desk.answer("order_send", lambda _: None)
    desk.terminal.answers["last_error"] = lambda: (-10005, "IPC timeout")
    result = desk.session.send(intent_row())

    assert (result.outcome, result.detail) == (Outcome.UNKNOWN, "-10005 IPC timeout")
    assert desk.terminal.calls.count("order_send") == 1
    assert desk.inner.positions_total() == 1


def test_numbers_that_are_none_do_not_hide_an_answer(desk: Desk):
    desk.answer("order_send", lambda got: changed(got, price=math.nan, volume=math.inf))

    assert desk.session.send(intent_row()).outcome is Outcome.CONFIRMED


def test_nothing_is_sent_on_another_account_or_without_a_link(desk: Desk):
    desk.answer("account_info", lambda info: changed(info, login=5))
    other = desk.session.send(intent_row())
    desk.answer("account_info", lambda _: None)
    away = desk.session.send(intent_row())
    strange = desk.session.send(intent_row(symbol="NOPE"))

    assert other.outcome is Outcome.DISABLED
    assert away.outcome is strange.outcome is Outcome.REFUSED
    assert other.detail.startswith("not sent: the terminal is on account 5")
    assert "order_send" not in desk.terminal.calls


def test_nothing_is_sent_by_a_terminal_that_has_lost_its_server(desk: Desk):
    desk.answer("terminal_info", lambda info: changed(info, connected=False))
    unsent = desk.session.send(intent_row())

    assert unsent.outcome is Outcome.REFUSED
    assert unsent.detail == "not sent: the terminal has lost its server: what it shows is old"
    assert "order_send" not in desk.terminal.calls
    for read in (desk.session.view, desk.session.glance, desk.session.connect):
        with pytest.raises(BrokerConnectionError, match="has lost its server"):
            read()


def test_a_reading_in_which_the_server_is_lost_does_not_count(desk: Desk):
    states = iter([True, False])
    desk.answer("terminal_info", lambda info: changed(info, connected=next(states)))

    with pytest.raises(BrokerConnectionError, match="has lost its server"):
        desk.session.view()


def test_a_foreign_position_can_be_closed_by_its_broker_name(desk: Desk):
    desk.session._traded.clear()
    desk.session._standard.clear()
    ticket = desk.inner.order_send(deal()).order
    closing = intent_row(action=IntentAction.CLOSE, position_ticket=ticket)

    assert desk.session.send(closing).outcome is Outcome.CONFIRMED
    assert desk.inner.positions_total() == 0


def test_a_foreign_position_whose_symbol_cannot_be_read_is_not_sent_for(desk: Desk):
    desk.session._traded.clear()
    desk.terminal.answers["symbol_info"] = raising(OSError("broken pipe"))
    closing = intent_row(action=IntentAction.CLOSE, position_ticket=5)
    done = desk.session.send(closing)

    assert done.outcome is Outcome.REFUSED
    assert done.detail == "not sent: symbol_info: OSError: broken pipe"
    assert "order_send" not in desk.terminal.calls


@pytest.mark.parametrize("sl", [1.0985, 1.0, 0.0])
def test_a_glance_changes_with_a_stop_that_somebody_moves(desk: Desk, sl: float):
    desk.inner.order_send(deal(sl=1.0986))
    before = desk.session.glance()
    assert before == desk.session.glance()
    desk.answer("positions_get", lambda found: (changed(found[0], sl=sl),))

    assert desk.session.glance() != before


def test_a_glance_at_a_stop_that_is_no_number_is_a_failed_read(desk: Desk):
    desk.inner.order_send(deal())
    desk.answer("positions_get", lambda found: (changed(found[0], sl=math.nan),))

    with pytest.raises(BrokerAPIError, match="positions_get: the answer cannot be read"):
        desk.session.glance()


def test_a_glance_has_equity_and_changes_only_with_trades(desk: Desk):
    before = desk.session.glance()
    desk.answer("account_info", lambda info: changed(info, equity=info.equity + 5.0, credit=2.0))
    after = desk.session.glance()

    assert after.equity_minor - before.equity_minor == 500
    assert after.equity_minor - after.own_equity_minor == 200
    assert after == before


# ---------------------------------------------------------------- the asynchronous face


def client_on(session: Any, **options: Any) -> MT5Client:
    return MT5Client(session, ManualClock(5), backoff_s=0.001, **options)


def test_every_call_runs_on_the_one_owner_thread():
    desk, seen = Desk(), set()

    def note(answer: Any) -> Any:
        seen.add(threading.get_ident())
        return answer

    for call in (*GETTERS, "initialize", "order_send", "symbols_get", "terminal_info"):
        desk.answer(call, note)

    async def work() -> None:
        client = client_on(desk.session)
        await client.connect()
        await asyncio.gather(
            *(client.view() for _ in range(5)), client.send(intent_row()), client.symbols()
        )
        await client.bars("EURUSD", Timeframe.H1, 5)
        assert (await client.quote("EURUSD")).bid_points == 110_000
        assert len(await client.positions()) == 1
        assert (await client.account()).login == 1000001
        assert (await client.health_check()).is_connected
        await client.disconnect()
        client.close()

    asyncio.run(work())
    assert len(seen) == 1
    assert threading.get_ident() not in seen


class Failing:
    """Fail a number of times, then answer."""

    def __init__(self, error: Exception, times: int) -> None:
        self.error, self.times, self.calls = error, times, 0

    def _work(self, *_: object) -> str:
        self.calls += 1
        if self.calls <= self.times:
            raise self.error
        return "answer"

    account = view = send = is_connected = _work


@pytest.mark.parametrize(
    ("error", "times", "calls", "comes_through"),
    [
        (BrokerConnectionError("away"), 2, 3, True),
        (BrokerConnectionError("away"), 3, 3, False),
        (BrokerAPIError("busy"), 1, 2, True),
        (WrongAccountError("other"), 1, 1, False),
        (ValueError("defect"), 1, 1, False),
    ],
    ids=str,
)
def test_reads_are_repeated_only_while_nothing_could_have_happened(
    error: Exception, times: int, calls: int, comes_through: bool
):
    session = Failing(error, times)
    client = client_on(session)
    if comes_through:
        assert asyncio.run(client.view()) == "answer"
    else:
        with pytest.raises(type(error)):
            asyncio.run(client.view())
    client.close()

    assert session.calls == calls


def test_a_send_is_never_repeated():
    session = Failing(BrokerConnectionError("away"), 5)
    client = client_on(session, attempts=5)

    with pytest.raises(BrokerConnectionError):
        asyncio.run(client.send(intent_row()))
    client.close()
    assert session.calls == 1


@pytest.mark.parametrize(
    "error", [BrokerConnectionError("x"), WrongAccountError("x"), OSError("x"), ValueError("x")]
)
def test_a_health_check_reports_what_is_wrong_and_raises_nothing(error: Exception):
    client = client_on(Failing(error, 1))
    status = asyncio.run(client.health_check())
    client.close()

    assert (status.is_connected, status.error, status.last_check_ms) == (False, "x", 5)
    assert not asyncio.run(client.health_check()).is_connected


def test_a_terminal_without_its_server_is_not_healthy():
    desk = Desk()
    client = client_on(desk.session)
    status = asyncio.run(client.health_check())
    client.close()

    assert not status.is_connected
    assert status.error == "the terminal has no link to its server"
    assert status.latency_ms >= 0


def test_a_terminal_that_was_never_started_cannot_be_connected_to():
    desk = Desk()
    desk.terminal.answers["initialize"] = lambda **_: False

    with pytest.raises(RetryableError):
        desk.session.connect()


def test_the_wrapped_terminal_still_trades():
    assert make_terminal().order_send(deal()).deal
