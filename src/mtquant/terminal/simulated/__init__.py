"""The embedded terminal: the MetaTrader5 module's face over the market of `exchange`."""

from mtquant.terminal.simulated.connecting import TerminalOptions
from mtquant.terminal.simulated.log import FileLog, MemoryLog, ServerLog, last_time_ms
from mtquant.terminal.simulated.module import make_module
from mtquant.terminal.simulated.scenario import (
    LoadedScenario,
    PriceSource,
    Scenario,
    SyntheticSource,
    load_scenario,
    read_scenario,
    shipped_scenarios,
)
from mtquant.terminal.simulated.server import Director, SimulatedServer
from mtquant.terminal.simulated.terminal import SimulatedTerminal

__all__ = [
    "Director",
    "FileLog",
    "LoadedScenario",
    "MemoryLog",
    "PriceSource",
    "Scenario",
    "ServerLog",
    "SimulatedServer",
    "SimulatedTerminal",
    "SyntheticSource",
    "TerminalOptions",
    "last_time_ms",
    "load_scenario",
    "make_module",
    "read_scenario",
    "shipped_scenarios",
]
