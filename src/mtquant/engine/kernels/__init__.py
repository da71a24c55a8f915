"""Kernels: whole runs in one loop over the market's own rules, compiled where numba is there."""

from mtquant.engine.kernels.compiler import is_available, news
from mtquant.engine.kernels.job import Job, RunSpec, make_job, make_tick_job, objections, varied
from mtquant.engine.kernels.ledger import ledger_of
from mtquant.engine.kernels.opinions import Said, ask
from mtquant.engine.kernels.reach import objections_to
from mtquant.engine.kernels.run import Played, play, prepare

__all__ = [
    "Job",
    "Played",
    "RunSpec",
    "Said",
    "ask",
    "is_available",
    "ledger_of",
    "make_job",
    "make_tick_job",
    "news",
    "objections",
    "objections_to",
    "play",
    "prepare",
    "varied",
]
