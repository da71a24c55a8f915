"""Indicators by MetaTrader's definitions: whole columns or bar by bar, with equal bits."""

from mtquant.indicators.atr import Atr
from mtquant.indicators.base import Floats, Indicator, PriceColumns, Stream, pieces
from mtquant.indicators.sma import Sma

__all__ = ["Atr", "Floats", "Indicator", "PriceColumns", "Sma", "Stream", "pieces"]
