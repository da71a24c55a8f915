"""Faults on demand: what goes wrong between a client, its terminal and the server."""

from mtquant.terminal.simulated.faults.director import Faults
from mtquant.terminal.simulated.faults.kinds import FaultKind, Only, Shape
from mtquant.terminal.simulated.faults.latency import Latency, LatencyModel
from mtquant.terminal.simulated.faults.spec import (
    FaultRates,
    FaultScenario,
    FaultSpec,
    load_faults,
    read_faults,
)
from mtquant.terminal.simulated.faults.terminal import FaultyTerminal

__all__ = [
    "FaultKind",
    "FaultRates",
    "FaultScenario",
    "FaultSpec",
    "Faults",
    "FaultyTerminal",
    "Latency",
    "LatencyModel",
    "Only",
    "Shape",
    "load_faults",
    "read_faults",
]
