"""The engine and its runners: one core, two worlds."""

from mtquant.engine.backtest import BacktestRunner
from mtquant.engine.drive import drive
from mtquant.engine.engine import Engine
from mtquant.engine.holdings import require_one_slot_a_symbol
from mtquant.engine.live import LiveRunner, Pace, Progress
from mtquant.engine.loss_watch import LossWatch
from mtquant.engine.orders import OrderMaker
from mtquant.engine.slot import StrategySlot

__all__ = [
    "BacktestRunner",
    "Engine",
    "LiveRunner",
    "LossWatch",
    "OrderMaker",
    "Pace",
    "Progress",
    "StrategySlot",
    "drive",
    "require_one_slot_a_symbol",
]
