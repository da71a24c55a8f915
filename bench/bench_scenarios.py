"""What a scenario costs: opening one at the present, and a year of hours through the module.

Budget: 2 s of CPU for a year of H1 bars with the calls a script makes on each bar. A worse figure
means that work was added to every tick, to charts or to the module's answers.
"""

from __future__ import annotations

import pytest
from measure import cpu_of

from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated import SimulatedServer, SimulatedTerminal, load_scenario

pytestmark = pytest.mark.bench
WEDNESDAY_MS = 1_717_588_800_000  # 2024-06-05, 12:00 UTC
YEAR_BUDGET_S = 2.0


def play_a_year() -> None:
    """Play the shipped year, asking on each bar what a script asks."""
    market = load_scenario("eurusd-demo").market(0)
    server = SimulatedServer(market)
    terminal = SimulatedTerminal(server)
    assert terminal.initialize()
    seen = -1
    while True:
        if market.bar != seen:
            seen = market.bar
            assert len(terminal.copy_rates_from_pos("EURUSD", mt5.TIMEFRAME_H1, 0, 100))
            terminal.symbol_info_tick("EURUSD")
            terminal.positions_get(symbol="EURUSD")
            terminal.account_info()
        if not server.step():
            return


def open_at_the_present() -> None:
    """Open ten symbols at a moment, thirty days of minutes behind them."""
    server = SimulatedServer(load_scenario("majors-and-gold-hedging").market(WEDNESDAY_MS))
    server.wait_until(WEDNESDAY_MS)


def test_a_year_of_hours_through_the_module() -> None:
    spent_s = cpu_of(play_a_year).median
    print(f"\na year of H1 bars, on-bar calls: {spent_s:.2f} s CPU (budget {YEAR_BUDGET_S:g})")


def test_opening_a_scenario_at_the_present() -> None:
    spent_s = cpu_of(open_at_the_present).median
    print(f"\nten symbols, 30 days of minutes, opened: {spent_s:.2f} s CPU")
