"""Strategies: closed bars in, signals out; exits that protect and leave positions."""

from mtquant.strategy.base import ArrayStrategy, NoParameters, Strategy
from mtquant.strategy.columns import (
    CODES,
    DIRECTIONS,
    FLAT,
    LONG,
    NOTHING,
    SHORT,
    Columns,
    Signals,
    crossings,
    require_signal,
    require_signals,
)
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
    "CODES",
    "DIRECTIONS",
    "FLAT",
    "LONG",
    "NOTHING",
    "SHORT",
    "ArrayStrategy",
    "AtrTrailingStop",
    "AtrTrailingStopParameters",
    "BarsView",
    "Column",
    "Columns",
    "ExitSignal",
    "ExitStrategy",
    "Line",
    "LineColumn",
    "NoParameters",
    "Protection",
    "Series",
    "Signals",
    "SmaCrossover",
    "SmaCrossoverParameters",
    "StopLossTakeProfit",
    "StopLossTakeProfitParameters",
    "Strategy",
    "TickView",
    "crossings",
    "require_signal",
    "require_signals",
]
