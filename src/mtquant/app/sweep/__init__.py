"""Sweeps over a configuration: which parameters it has, over what they are run, and by whom."""

from mtquant.app.sweep.periods import Period, parse_period
from mtquant.app.sweep.setup import SweepSetup, make_setup, run_setup

__all__ = ["Period", "SweepSetup", "make_setup", "parse_period", "run_setup"]
