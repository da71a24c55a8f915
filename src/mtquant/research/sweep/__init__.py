"""Sweeps: one strategy with many parameters, every trial counted, none lost."""

from mtquant.research.sweep.draws import drawn
from mtquant.research.sweep.evaluator import Evaluator, EvaluatorFactory
from mtquant.research.sweep.figures import FIGURES, Figure, find_figure
from mtquant.research.sweep.folder import SweepFolder
from mtquant.research.sweep.parameters import (
    Parameter,
    Value,
    by_name,
    find_parameter,
    parameters_of,
)
from mtquant.research.sweep.ranges import Axis, Span, Steps, parse_axes, parse_axis
from mtquant.research.sweep.report import View, render_sweep_report
from mtquant.research.sweep.results import SweepResults
from mtquant.research.sweep.room import DEFAULT_LIMIT, MEMORY_BYTES, require_room
from mtquant.research.sweep.runner import Silence, Watcher, cores, run_sweep
from mtquant.research.sweep.space import Grid, Space, Table, listed, make_grid
from mtquant.research.sweep.trials import TrialState

__all__ = [
    "DEFAULT_LIMIT",
    "FIGURES",
    "MEMORY_BYTES",
    "Axis",
    "Evaluator",
    "EvaluatorFactory",
    "Figure",
    "Grid",
    "Parameter",
    "Silence",
    "Space",
    "Span",
    "Steps",
    "SweepFolder",
    "SweepResults",
    "Table",
    "TrialState",
    "Value",
    "View",
    "Watcher",
    "by_name",
    "cores",
    "drawn",
    "find_figure",
    "find_parameter",
    "listed",
    "make_grid",
    "parameters_of",
    "parse_axes",
    "parse_axis",
    "render_sweep_report",
    "require_room",
    "run_sweep",
]
