"""Simulated terminals for tests, and fakes that stand in front of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from worlds import bars_of, make_venue

from mtquant.exchange import Market, VenueSpec
from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated import Outage, ServerLog, SimulatedServer, SimulatedTerminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mtquant.model import Bars


def make_server(
    bars: Bars | None = None,
    log: ServerLog | None = None,
    outages: Sequence[Outage] = (),
    venue: VenueSpec | None = None,
) -> SimulatedServer:
    """Return a server at the first tick of a market without slippage."""
    chosen = bars_of([110_000, 110_050, 110_020, 110_100]) if bars is None else bars
    still = np.zeros((len(chosen), 2), dtype=np.int32)
    return SimulatedServer(Market(venue or make_venue(), chosen, still), log, outages)


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
    """Hold the account against its deals and the positions against theirs."""
    deals = book.ledger.deals
    assert book.balance_minor == sum(deal.net_minor for deal in deals)
    volumes: dict[int, int] = {}
    for one in deals:
        if one.position_ticket:
            sign = 1 if one.entry.name == "IN" else -1
            volumes[one.position_ticket] = (
                volumes.get(one.position_ticket, 0) + sign * one.volume_units
            )
    open_volumes = {ticket: units for ticket, units in volumes.items() if units}
    assert {p.position_ticket: p.volume_units for p in book.positions()} == open_volumes
    assert all(units > 0 for units in open_volumes.values())
    account = terminal.account_info()
    assert all(math.isfinite(value) for value in (account.equity, account.margin))
    assert len(terminal.positions_get()) == len(open_volumes)
