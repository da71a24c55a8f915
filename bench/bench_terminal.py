"""What a trade request and an idle tick cost on the embedded terminal.

Budgets: 200 us of CPU a request, 10 us a tick on which ten open positions have nothing to do. The
figures are reported and not asserted: machines wander. A worse one means that work was added to
the checks, the book or the log of every request, or to every tick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from measure import cpu_of

from mtquant.exchange import AccountSpec, InstrumentSpec, Market, VenueSpec
from mtquant.model import Bars, Timeframe, make_bars
from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated import FileLog, MemoryLog, SimulatedServer, SimulatedTerminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mtquant.terminal.simulated import ServerLog

pytestmark = pytest.mark.bench
PAIRS = 500
TICKS = 20_000
REQUEST_BUDGET_US, TICK_BUDGET_US = 200, 10
EURUSD = InstrumentSpec(
    digits=5,
    contract_size=100_000.0,
    base_currency="EUR",
    profit_currency="USD",
    sessions=("00:00-24:00",) * 7,
)
VENUE = VenueSpec(account=AccountSpec(deposit=1e6), instruments={"EURUSD": EURUSD})


def made_up_bars(count: int) -> Bars:
    """Return bars that go up and down by 20 points."""
    close = 110_000 + 20 * (np.arange(count) % 2)
    opened = np.roll(close, 1)
    return make_bars(
        symbol="EURUSD",
        timeframe=Timeframe.M1,
        digits=5,
        time_ms=1_483_315_200_000 + np.arange(count) * 60_000,
        open=opened,
        high=np.maximum(opened, close) + 5,
        low=np.minimum(opened, close) - 5,
        close=close,
        spread=10,
    )


def connected(log: ServerLog, bars: int = 4) -> tuple[SimulatedServer, SimulatedTerminal]:
    """Return a server on a quiet market and a terminal on it."""
    market = Market.of_bars(VENUE, made_up_bars(bars), np.zeros((bars, 2), dtype=np.int32))
    server = SimulatedServer(market, log)
    terminal = SimulatedTerminal(server)
    assert terminal.initialize()
    return server, terminal


def request(**fields: Any) -> dict[str, Any]:
    """Return a request for a tenth of a lot."""
    return {"action": mt5.TRADE_ACTION_DEAL, "symbol": "EURUSD", "volume": 0.1} | fields


def open_and_close(terminal: SimulatedTerminal) -> None:
    """Buy at the market and close the position."""
    bought = terminal.order_send(request(type=mt5.ORDER_TYPE_BUY, sl=1.09, tp=1.11))
    closed = terminal.order_send(request(type=mt5.ORDER_TYPE_SELL, position=bought.order))
    assert closed.retcode == mt5.TRADE_RETCODE_DONE


def place_and_remove(terminal: SimulatedTerminal) -> None:
    """Place a buy limit and remove it."""
    placed = terminal.order_send(
        request(
            action=mt5.TRADE_ACTION_PENDING,
            type=mt5.ORDER_TYPE_BUY_LIMIT,
            price=1.09,
            type_filling=mt5.ORDER_FILLING_RETURN,
        )
    )
    removed = terminal.order_send({"action": mt5.TRADE_ACTION_REMOVE, "order": placed.order})
    assert removed.retcode == mt5.TRADE_RETCODE_DONE


@pytest.mark.parametrize("pair", [open_and_close, place_and_remove])
@pytest.mark.parametrize("kind", ["memory", "file"])
def test_a_trade_request(
    pair: Callable[[SimulatedTerminal], None], kind: str, tmp_path: Path
) -> None:
    log = MemoryLog() if kind == "memory" else FileLog(tmp_path / "server.jsonl", "bench")
    _, terminal = connected(log)

    def work() -> None:
        for _ in range(PAIRS):
            pair(terminal)

    spent_us = 1e6 * cpu_of(work).median / (2 * PAIRS)
    name = f"{pair.__name__.replace('_', ' ')}, {kind} log"
    print(f"\n{name}: {spent_us:.0f} us CPU a request (budget {REQUEST_BUDGET_US})")


@pytest.mark.parametrize("positions", [0, 10])
def test_an_idle_tick(positions: int) -> None:
    bars = 6 * TICKS // 4 + 10
    server, terminal = connected(MemoryLog(), bars)
    for _ in range(positions):
        terminal.order_send(request(type=mt5.ORDER_TYPE_BUY, sl=1.0, tp=1.2))

    def work() -> None:
        for _ in range(TICKS):
            server.step()

    spent_us = 1e6 * cpu_of(work).median / TICKS
    assert terminal.positions_total() == positions
    budget = f" (budget {TICK_BUDGET_US})" if positions else ""
    print(f"\nidle tick, {positions} positions: {spent_us:.1f} us CPU{budget}")
