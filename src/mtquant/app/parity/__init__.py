"""Holding every way to play a configuration to the same orders, deals and money."""

from mtquant.app.parity.check import Parity, ParityOptions, check_parity

__all__ = ["Parity", "ParityOptions", "check_parity"]
