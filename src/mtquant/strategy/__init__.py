"""Strategies: closed bars in, signals out; exits that protect and leave positions."""

from mtquant.strategy.base import NoParameters, Strategy
from mtquant.strategy.exits import (
    AtrTrailingStop,
    AtrTrailingStopParameters,
    ExitSignal,
    ExitStrategy,
    Protection,
    StopLossTakeProfit,
    StopLossTakeProfitParameters,
)
from mtquant.strategy.series import Line, Series
from mtquant.strategy.sma_crossover import SmaCrossover, SmaCrossoverParameters
from mtquant.strategy.ticks import TickView
from mtquant.strategy.view import BarsView, Column, LineColumn

__all__ = [
    "AtrTrailingStop",
    "AtrTrailingStopParameters",
    "BarsView",
    "Column",
    "ExitSignal",
    "ExitStrategy",
    "Line",
    "LineColumn",
    "NoParameters",
    "Protection",
    "Series",
    "SmaCrossover",
    "SmaCrossoverParameters",
    "StopLossTakeProfit",
    "StopLossTakeProfitParameters",
    "Strategy",
    "TickView",
]
