"""Terminals: the MetaTrader5 module's surface, whoever stands behind it."""

from mtquant.terminal.protocol import Terminal
from mtquant.terminal.sequence import StructSequence, struct_type

__all__ = ["StructSequence", "Terminal", "struct_type"]
