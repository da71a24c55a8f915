"""Printed answers and histories of MetaQuotes' documentation come out of the embedded terminal.

Sources: the Python documentation (order_send, order_check, history_orders_get), the MQL5 book
(orders, close by, HistoryDealGet functions), MQL5 reference (OrderCheck), platform help (netting
prices, volume limit), public tester reports. Tickets are the server's own and differ.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mtquant.exchange import AccountSpec, InstrumentSpec, Market, VenueSpec
from mtquant.model import (
    CalculationMode,
    ExecutionMode,
    MarginMode,
    ServerClock,
    Timeframe,
    make_bars,
)
from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated import SimulatedServer, SimulatedTerminal

if TYPE_CHECKING:
    from collections.abc import Sequence

CLOCK = ServerClock("eet_eu")
ALWAYS = ("00:00-24:00",) * 7
MONDAY = "2017.01.02 00:00"
DEAL, SLTP = mt5.TRADE_ACTION_DEAL, mt5.TRADE_ACTION_SLTP
PENDING, CLOSE_BY = mt5.TRADE_ACTION_PENDING, mt5.TRADE_ACTION_CLOSE_BY


def second_of(text: str) -> int:
    """Return a server's wall time as the module tells it: epoch seconds."""
    return int(datetime.strptime(text, "%Y.%m.%d %H:%M").replace(tzinfo=UTC).timestamp())


class World:
    """A market of flat bars: every quote stands for a bar."""

    def __init__(
        self,
        symbol: str,
        digits: int,
        quotes: Sequence[tuple[float, float]],
        *,
        times: Sequence[str] = (),
        timeframe: Timeframe = Timeframe.M1,
        account: dict[str, Any] | None = None,
        **instrument: Any,
    ) -> None:
        facts = {
            "digits": digits,
            "contract_size": 100_000.0,
            "base_currency": symbol[:3],
            "profit_currency": symbol[3:],
            "sessions": ALWAYS,
        }
        self.symbol = symbol
        venue = VenueSpec(
            account=AccountSpec(**({"deposit": 100_000.0} | (account or {}))),
            instruments={symbol: InstrumentSpec(**(facts | instrument))},
        )
        bids = [round(bid * 10**digits) for bid, _ in quotes]
        opened = [second_of(one) * 1000 for one in times]
        if not opened:
            opened = [
                second_of(MONDAY) * 1000 + i * timeframe.duration_ms for i in range(len(bids))
            ]
        bars = make_bars(
            symbol=symbol,
            timeframe=timeframe,
            digits=digits,
            time_ms=np.array([CLOCK.to_utc_ms(ms) for ms in opened]),
            **dict.fromkeys(("open", "high", "low", "close"), np.array(bids)),
            spread=np.array([round((ask - bid) * 10**digits) for bid, ask in quotes]),
        )
        still = np.zeros((len(bars), 2), dtype=np.int32)
        self.server = SimulatedServer(Market.of_bars(venue, bars, still))
        self.terminal = SimulatedTerminal(self.server)
        assert self.terminal.initialize()

    def next_quote(self) -> None:
        """Go to the first tick of the next bar."""
        for _ in range(4):
            assert self.server.step()

    def send(self, action: int, kind: int = 0, volume: float = 0.0, **fields: Any) -> Any:
        """Send a request."""
        request = {"action": action, "type": kind, "volume": volume, "symbol": self.symbol}
        return self.terminal.order_send(request | fields)

    def deals(self, **chosen: Any) -> list[Any]:
        """Return the trades of the history."""
        found = self.terminal.history_deals_get(0, 2**31 - 1)
        return [one for one in found if one.symbol]


def test_the_sale_of_the_python_documentation_is_filled_within_its_deviation():
    world = World(
        "USDJPY",
        3,
        [(108.018, 108.023), (108.015, 108.02)],
        execution_mode=ExecutionMode.INSTANT,
    )
    bought = world.send(DEAL, mt5.ORDER_TYPE_BUY, 0.1, price=108.023, deviation=20, type_filling=2)
    world.next_quote()
    sold = world.send(
        DEAL,
        mt5.ORDER_TYPE_SELL,
        0.1,
        price=108.018,
        deviation=20,
        type_filling=mt5.ORDER_FILLING_RETURN,
        magic=234000,
        comment="python script close",
        position=bought.order,
    )

    assert (bought.retcode, bought.volume, bought.price) == (10009, 0.1, 108.023)
    assert (sold.retcode, sold.volume, sold.price) == (10009, 0.1, 108.015)
    assert (sold.bid, sold.ask, sold.comment) == (108.015, 108.02, "Request executed")
    assert sold.retcode_external == 0
    assert sold.request.magic == 234000
    assert world.terminal.positions_get() == ()


@pytest.mark.parametrize(
    ("ask", "volume", "sessions", "expected", "retcode"),
    [
        (1.1046, 0.1, ALWAYS, (110.46, 10669.04, 9758.74), 10009),
        (1.10479, 1.0, ("",) * 7, (1104.79, 9674.71, 975.71), 10018),
    ],
)
def test_the_checks_of_the_reference(
    ask: float, volume: float, sessions: tuple, expected: tuple, retcode: int
):
    quotes = [(ask - 0.0001, ask)]
    world = World("EURUSD", 5, quotes, account={"deposit": 10779.5}, sessions=sessions)
    request = {"action": DEAL, "symbol": "EURUSD", "volume": volume, "type": 0}
    checked = world.terminal.order_check(request)
    sent = world.terminal.order_send(request)

    assert (checked.retcode, checked.comment) == (0, "Done")
    assert (checked.balance, checked.equity, checked.profit) == (10779.5, 10779.5, 0.0)
    assert (checked.margin, checked.margin_free) == expected[:2]
    assert round(checked.margin_level, 2) == expected[2]
    assert sent.retcode == retcode
    assert bool(sent.deal) == bool(sent.order) == (retcode == 10009)


def test_a_check_keeps_the_identities_of_the_python_documentation():
    world = World("USDJPY", 3, [(108.076, 108.081)])
    assert world.send(DEAL, 0, 3.0).retcode == 10009
    checked = world.terminal.order_check(
        {
            "action": DEAL,
            "symbol": "USDJPY",
            "volume": 1.0,
            "type": 0,
            "price": 108.081,
            "sl": 107.98100000000001,
            "tp": 108.181,
            "deviation": 10,
            "magic": 234000,
            "comment": "python script",
        }
    )

    assert checked.margin == 4000.0
    assert checked.equity == checked.balance + checked.profit
    assert checked.margin_free == pytest.approx(checked.equity - checked.margin)
    assert checked.margin_level == checked.equity / checked.margin * 100


def test_printed_answers_of_real_servers():
    world = World("USDJPY", 3, [(139.514, 139.518)])
    sold = world.send(DEAL, mt5.ORDER_TYPE_SELL, 0.02)
    assert (sold.retcode, sold.volume, sold.price) == (10009, 0.02, 139.514)
    assert (sold.bid, sold.ask) == (139.514, 139.518)
    levels = world.send(SLTP, position=sold.order, sl=140.0)
    assert tuple(levels)[:8] == (10009, 0, 0, 0.0, 0.0, 0.0, 0.0, "Request executed")

    waiting = world.send(PENDING, mt5.ORDER_TYPE_BUY_LIMIT, 0.05, price=139.0, type_filling=2)
    assert (waiting.deal, waiting.volume, waiting.price) == (0, 0.05, 0.0)
    assert (waiting.bid, waiting.ask) == (139.514, 139.518)

    gold = World("XAUUSD", 3, [(1929.22, 1929.31)], execution_mode=ExecutionMode.INSTANT)
    moved = gold.send(DEAL, 0, 0.01, price=1929.33, deviation=10)
    assert (moved.retcode, moved.comment, moved.price) == (10004, "Requote", 0.0)
    assert (moved.bid, moved.ask, moved.volume) == (1929.22, 1929.31, 0.0)
    unpriced = gold.send(DEAL, 0, 0.01)
    assert (unpriced.retcode, unpriced.comment, unpriced.request_id) == (10015, "Invalid price", 0)


def test_the_stops_of_the_article_on_checks_are_refused():
    world = World("EURUSD", 5, [(1.11423, 1.11433)], stops_level_points=30)

    refused = world.send(DEAL, 0, 0.1, sl=1.11425, tp=1.11421)
    assert (refused.retcode, refused.comment) == (10016, "Invalid stops")
    for sl, tp in ((1.11394, 0.0), (0.0, 1.11452)):
        assert world.send(DEAL, 0, 0.1, sl=sl, tp=tp).retcode == 10016
    assert world.send(DEAL, 0, 0.1, sl=1.11393, tp=1.11453).retcode == 10009


def test_the_close_by_of_the_book():
    world = World("EURUSD", 5, [(1.0834, 1.08344)])
    long = world.send(DEAL, mt5.ORDER_TYPE_BUY, 0.01).order
    short = world.send(DEAL, mt5.ORDER_TYPE_SELL, 0.01).order
    done = world.send(CLOSE_BY, position=long, position_by=short)

    [order] = world.terminal.history_orders_get(ticket=done.order)
    assert (order.type, order.state) == (mt5.ORDER_TYPE_CLOSE_BY, mt5.ORDER_STATE_FILLED)
    assert (order.price_open, order.price_current) == (1.0834, 1.0834)
    assert order.comment == f"#{long} by #{short}"
    assert (order.position_id, order.position_by_id) == (long, short)
    rows = [
        (one.type, one.entry, one.price, one.profit, one.position_id) for one in world.deals()[2:]
    ]
    assert rows == [
        (mt5.DEAL_TYPE_SELL, mt5.DEAL_ENTRY_OUT_BY, 1.0834, -0.04, long),
        (mt5.DEAL_TYPE_BUY, mt5.DEAL_ENTRY_OUT_BY, 1.08344, 0.0, short),
    ]
    assert (done.deal, done.volume, done.price) == (world.deals()[2].ticket, 0.01, 1.0834)
    assert world.terminal.positions_get() == ()


def test_the_reversal_of_the_book():
    prices = (1.10011, 1.10009, 1.10018, 1.10017)
    netting = {"margin_mode": MarginMode.NETTING}
    world = World("EURUSD", 5, [(one, one) for one in prices], account=netting)
    orders, positions = [], []
    for kind, volume in ((0, 0.01), (0, 0.01), (1, 0.03), (0, 0.01)):
        if orders:
            world.next_quote()
        orders.append(world.send(DEAL, kind, volume).order)
        positions.append(world.terminal.positions_get())

    assert [(d.order, d.type, d.entry, d.volume, d.price, d.profit) for d in world.deals()] == [
        (orders[0], 0, mt5.DEAL_ENTRY_IN, 0.01, 1.10011, 0.0),
        (orders[1], 0, mt5.DEAL_ENTRY_IN, 0.01, 1.10009, 0.0),
        (orders[2], 1, mt5.DEAL_ENTRY_INOUT, 0.03, 1.10018, 0.16),
        (orders[3], 0, mt5.DEAL_ENTRY_OUT, 0.01, 1.10017, 0.01),
    ]
    assert {one.position_id for one in world.deals()} == {orders[0]}
    [turned] = positions[2]
    assert (turned.ticket, turned.identifier) == (orders[2], orders[0])
    assert (turned.type, turned.volume, turned.price_open) == (1, 0.01, 1.10018)
    history = world.terminal.history_orders_get(0, 2**31 - 1)
    assert [one.price_open for one in history] == [0.0] * 4
    assert [one.price_current for one in history] == list(prices)
    assert positions[3] == ()


def test_the_average_prices_of_the_help():
    steps = ((0, 0.01, 1.1005), (0, 0.02, 1.10052), (1, 0.02, 1.10067), (0, 0.01, 1.10056))
    netting = {"margin_mode": MarginMode.NETTING}
    world = World("EURUSD", 5, [(price, price) for *_, price in steps], account=netting)
    opened = []
    for number, (kind, volume, _) in enumerate(steps):
        if number:
            world.next_quote()
        assert world.send(DEAL, kind, volume).retcode == 10009
        opened.append(world.terminal.positions_get()[0].price_open)

    assert opened[:3] == [1.1005, 1.10051333, 1.10051333]
    assert opened[3] == 1.10053666


def test_a_buy_limit_over_a_weekend_is_filled_at_its_own_price():
    world = World(
        "USDRUB",
        3,
        [(75.9, 75.92), (75.66, 75.67), (75.66, 75.67)],
        times=("2022.02.04 17:55", "2022.02.07 10:00", "2022.02.07 10:01"),
    )
    ticket = world.send(PENDING, mt5.ORDER_TYPE_BUY_LIMIT, 0.01, price=75.75, type_filling=2).order
    world.next_quote()

    [order] = world.terminal.history_orders_get(ticket=ticket)
    assert (order.type, order.state) == (mt5.ORDER_TYPE_BUY_LIMIT, mt5.ORDER_STATE_FILLED)
    assert (order.price_open, order.price_current) == (75.75, 75.67)
    assert order.time_setup == second_of("2022.02.04 17:55")
    assert order.time_done == second_of("2022.02.07 10:00")
    assert [one.price for one in world.deals()] == [75.75]


def test_the_orders_of_a_position_of_the_python_documentation():
    world = World(
        "USDCHF",
        5,
        [(0.98, 0.98005), (0.97858, 0.97863), (0.95758, 0.95763)],
        execution_mode=ExecutionMode.INSTANT,
    )
    limit = {"price": 0.97898, "type_filling": mt5.ORDER_FILLING_RETURN}
    opened = world.send(PENDING, mt5.ORDER_TYPE_BUY_LIMIT, 0.01, **limit).order
    world.next_quote()
    world.next_quote()
    closed = world.send(DEAL, mt5.ORDER_TYPE_SELL, 0.01, price=0.95758, position=opened).order

    names = [
        "ticket",
        "type",
        "type_filling",
        "position_id",
        "volume_initial",
        "price_open",
        "price_current",
    ]
    found = world.terminal.history_orders_get(position=opened)
    assert [tuple(getattr(one, name) for name in names) for one in found] == [
        (opened, 2, 2, opened, 0.01, 0.97898, 0.97863),
        (closed, 1, 0, opened, 0.01, 0.95758, 0.95758),
    ]


@pytest.mark.parametrize(
    ("times", "expires", "done"),
    [
        (("2025.01.07 08:00", "2025.01.08 08:00"), "2025.01.08 08:00", "2025.01.08 08:00"),
        (("2025.01.03 08:00", "2025.01.06 01:05"), "2025.01.04 08:00", "2025.01.06 01:05"),
    ],
)
def test_orders_of_the_tester_s_report_expire_while_the_market_is_open(
    times: tuple[str, ...], expires: str, done: str
):
    week = ("", *("01:05-24:00",) * 5, "")
    quotes = [(2650.1, 2650.3)] * 2
    world = World("XAUUSD", 2, quotes, times=times, sessions=week, contract_size=100.0)
    placed = world.send(
        PENDING,
        mt5.ORDER_TYPE_BUY_STOP,
        0.01,
        price=2700.0,
        type_filling=2,
        type_time=mt5.ORDER_TIME_SPECIFIED,
        expiration=second_of(expires),
        comment="breakout",
    )
    world.next_quote()

    [order] = world.terminal.history_orders_get(ticket=placed.order)
    assert order.state == mt5.ORDER_STATE_EXPIRED
    assert (order.time_expiration, order.time_done) == (second_of(expires), second_of(done))
    assert order.comment == f"expired [{done}]"
    assert order.volume_initial == order.volume_current == 0.01
    assert world.deals() == []


def test_levels_write_themselves_into_the_comments():
    world = World("BTCUSD", 2, [(65100.0, 65110.0), (65083.0, 65093.81)], contract_size=1.0)
    ticket = world.send(DEAL, mt5.ORDER_TYPE_SELL, 0.01, sl=65087.71 + 30, magic=724071).order
    world.send(SLTP, position=ticket, sl=65112.0, tp=65093.9)
    world.next_quote()

    closing = world.deals()[-1]
    assert (closing.comment, closing.reason) == ("[tp 65093.90]", mt5.DEAL_REASON_TP)
    assert (closing.price, closing.magic, closing.entry) == (65093.81, 724071, 1)
    [order] = world.terminal.history_orders_get(ticket=closing.order)
    assert (order.reason, order.comment) == (mt5.ORDER_REASON_TP, "[tp 65093.90]")


def test_the_volume_limit_of_the_help():
    netting = {"margin_mode": MarginMode.NETTING}
    world = World("EURUSD", 5, [(1.1, 1.1001)], account=netting, volume_limit_lots=5.0)
    assert world.send(DEAL, 0, 5.0).retcode == 10009

    def code(kind: int, volume: float, price: float) -> int:
        return world.send(PENDING, kind, volume, price=price, type_filling=2).retcode

    assert code(mt5.ORDER_TYPE_BUY_LIMIT, 0.01, 1.09) == 10034
    assert code(mt5.ORDER_TYPE_SELL_LIMIT, 5.01, 1.11) == 10034
    assert code(mt5.ORDER_TYPE_SELL_LIMIT, 5.0, 1.11) == 10009


def test_the_margin_of_a_waiting_order_of_the_help():
    world = World(
        "TSTUSD",
        3,
        [(15.434, 15.436), (15.43, 15.432)],
        calculation_mode=CalculationMode.CFD_LEVERAGE,
        contract_size=5000.0,
        margin_pending_rates=(1.0,) * 6,
    )
    assert world.send(DEAL, 0, 1.0).retcode == 10009
    world.next_quote()
    assert world.send(DEAL, 0, 2.0).retcode == 10009
    assert world.terminal.account_info().margin == 2315.0
    request = {"action": PENDING, "type": 2, "symbol": "TSTUSD", "volume": 1.0, "price": 15.412}
    assert world.terminal.order_check(request).margin == 3085.6
    assert world.terminal.order_send(request).retcode == 10009
    assert world.terminal.account_info().margin == 3085.6
