"""Simulated terminals for tests, and fakes that stand in front of them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from worlds import bars_of, make_venue

from mtquant.exchange import Market, VenueSpec
from mtquant.model import DealKind, OrderState
from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated import ServerLog, SimulatedServer, SimulatedTerminal
from mtquant.terminal.simulated.faults import (
    Faults,
    FaultScenario,
    FaultSpec,
    FaultyTerminal,
    Latency,
)

if TYPE_CHECKING:
    from mtquant.model import Bars


def venue_of(account: dict[str, Any] | None = None, **instrument: Any) -> VenueSpec:
    """Return the usual venue with some facts of its account and of EURUSD changed."""
    venue = make_venue(**instrument)
    return replace(venue, account=replace(venue.account, **(account or {})))


def make_server(
    bars: Bars | None = None,
    log: ServerLog | None = None,
    faults: Faults | None = None,
    venue: VenueSpec | None = None,
) -> SimulatedServer:
    """Return a server at the first tick of a market without slippage."""
    chosen = bars_of([110_000, 110_050, 110_020, 110_100]) if bars is None else bars
    still = np.zeros((len(chosen), 2), dtype=np.int32)
    return SimulatedServer(Market.of_bars(venue or make_venue(), chosen, still), log, faults)


def faulty(
    *specs: FaultSpec, server: dict[str, Any] | None = None, **scenario: Any
) -> tuple[FaultyTerminal, SimulatedServer]:
    """Return a connected terminal on which faults strike, and its server."""
    if "latency" in scenario:
        scenario["latency"] = Latency(**scenario["latency"])
    faults = Faults(FaultScenario(faults=specs, **scenario))
    made = make_server(faults=faults, **(server or {}))
    terminal = FaultyTerminal(made, faults)
    terminal.initialize()
    return terminal, made


def make_terminal(server: SimulatedServer | None = None) -> SimulatedTerminal:
    """Return a connected terminal."""
    terminal = SimulatedTerminal(server or make_server())
    assert terminal.initialize()
    return terminal


def deal(**changes: Any) -> dict[str, Any]:
    """Return a request that buys a tenth of a lot; None takes a field away."""
    request = {
        "action": mt5.TRADE_ACTION_DEAL,
        "symbol": "EURUSD",
        "volume": 0.1,
        "type": mt5.ORDER_TYPE_BUY,
        "price": 1.1,
        "deviation": 20,
        "magic": 7,
        "comment": "mtq1",
        "type_filling": mt5.ORDER_FILLING_FOK,
        "type_time": mt5.ORDER_TIME_GTC,
    }
    return {name: value for name, value in (request | changes).items() if value is not None}


def pending(kind: int = mt5.ORDER_TYPE_BUY_LIMIT, **changes: Any) -> dict[str, Any]:
    """Return a request for a waiting order some way from 1.10000 / 1.10010."""
    away = {
        mt5.ORDER_TYPE_BUY_LIMIT: {"price": 1.099},
        mt5.ORDER_TYPE_SELL_LIMIT: {"price": 1.101},
        mt5.ORDER_TYPE_BUY_STOP: {"price": 1.101},
        mt5.ORDER_TYPE_SELL_STOP: {"price": 1.099},
        mt5.ORDER_TYPE_BUY_STOP_LIMIT: {"price": 1.101, "stoplimit": 1.1005},
        mt5.ORDER_TYPE_SELL_STOP_LIMIT: {"price": 1.099, "stoplimit": 1.0995},
    }[kind]
    fields = {"action": mt5.TRADE_ACTION_PENDING, "type": kind} | away | changes
    return deal(**({"type_filling": mt5.ORDER_FILLING_RETURN, "deviation": None} | fields))


class Wrapped:
    """Pass every call to a terminal, but answer some in another way; remember what was called."""

    def __init__(self, terminal: Any, **answers: Any) -> None:
        self.inner = terminal
        self.answers = answers
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls.append(name)
            answer = self.answers.get(name)
            if answer is None:
                return getattr(self.inner, name)(*args, **kwargs)
            return answer(*args, **kwargs)

        return call


def require_consistent(terminal: Any, book: Any) -> None:
    """Hold the account against its deals, the positions against theirs, the orders to rules."""
    deals = book.ledger.deals
    granted = [deal for deal in deals if deal.kind is DealKind.CREDIT]
    assert book.credit_minor == sum(deal.net_minor for deal in granted)
    assert book.balance_minor == sum(deal.net_minor for deal in deals) - book.credit_minor
    volumes: dict[int, int] = {}
    for one in deals:
        if one.position_ticket:
            signed = one.side.value * one.volume_units
            volumes[one.position_ticket] = volumes.get(one.position_ticket, 0) + signed
    held = {ticket: units for ticket, units in volumes.items() if units}
    positions = book.positions()
    found = {p.identifier or p.position_ticket: p.side.value * p.volume_units for p in positions}
    assert found == held
    if book.account_spec.is_netting:
        assert len({p.symbol for p in positions}) == len(positions)
    require_orders(book)
    account = terminal.account_info()
    assert all(math.isfinite(value) for value in (account.equity, account.margin))
    assert len(terminal.positions_get()) == terminal.positions_total() == len(held)
    assert len(terminal.orders_get()) == terminal.orders_total() == len(book.orders())


def require_orders(book: Any) -> None:
    """Hold waiting and finished orders to what their states allow."""
    waiting, finished = book.orders(), book.ledger.orders
    tickets = [one.order_ticket for one in (*waiting, *finished)]
    assert len(set(tickets)) == len(tickets)
    assert all(one.state in {OrderState.PLACED, OrderState.PARTIALLY_FILLED} for one in waiting)
    assert all(0 <= one.filled_units < one.volume_units for one in waiting)
    times = [one.done_ms for one in finished]
    assert times == sorted(times)
    for one in finished:
        assert one.setup_ms <= one.done_ms
        if one.state is OrderState.FILLED:
            assert one.filled_units == one.volume_units
