"""Exits: how positions are protected and left."""

from mtquant.strategy.exits.base import ExitSignal, ExitStrategy, Protection, strongest
from mtquant.strategy.exits.protective import StopLossTakeProfit, StopLossTakeProfitParameters
from mtquant.strategy.exits.rules import trailing_stop
from mtquant.strategy.exits.trailing import AtrTrailingStop, AtrTrailingStopParameters

__all__ = [
    "AtrTrailingStop",
    "AtrTrailingStopParameters",
    "ExitSignal",
    "ExitStrategy",
    "Protection",
    "StopLossTakeProfit",
    "StopLossTakeProfitParameters",
    "strongest",
    "trailing_stop",
]
