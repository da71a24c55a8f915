"""Evaluators whose results follow from the combination alone, and that break when asked to."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtquant.model import ConfigError, EvaluationError
from mtquant.research import Summary
from mtquant.research.sweep import Parameter, by_name

Combination = Mapping[str, Any]

KNOWN = by_name(
    [
        Parameter(name="fast", hint=int),
        Parameter(name="slow", hint=int),
        Parameter(name="level", hint=float),
        Parameter(name="stop", hint=float | None),
        Parameter(name="risk.lost_fraction", hint=float),
        Parameter(name="mode", hint=str),
        Parameter(name="is_on", hint=bool),
        Parameter(name="several", hint=tuple[int, ...]),
    ]
)


def summary(**figures: Any) -> Summary:
    """Return a summary with these figures; the others are none or zero."""
    values = dict.fromkeys(Summary.__dataclass_fields__, 0) | {
        "currency": "USD",
        "currency_digits": 2,
        "sortino": None,
        "profit_factor": None,
        "win_rate": None,
        "expectancy": None,
        "average_win": None,
        "average_loss": None,
        "trades_sha256": "",
    }
    return Summary(**values | figures)


@dataclass(frozen=True, kw_only=True)
class Fake:
    """Be factory and evaluator: `slow` must exceed `fast`; some values break, wait or die.

    A worker that dies leaves a mark in `marks` and dies only once, unless `dies_always`.
    """

    fails_at: int | None = None
    breaks_at: int | None = None
    dies_at: int | None = None
    marks: Path | None = None
    dies_always: bool = False
    waits_s: float = 0.0
    cannot_begin: bool = False

    def __call__(self) -> Fake:
        if self.cannot_begin:
            raise ConfigError("the evaluator cannot begin")
        return self

    def check(self, combination: Combination) -> None:
        if combination.get("slow", 10**9) <= combination["fast"]:
            raise ConfigError(f"slow must be longer than fast, was {combination['slow']}")

    def evaluate(self, combination: Combination, window: str) -> Summary:
        fast, slow = combination["fast"], combination.get("slow", 100)
        if self.waits_s:
            threading.Event().wait(self.waits_s)
        if fast == self.dies_at:
            self._die()
        if fast == self.breaks_at:
            raise ZeroDivisionError("a defect")
        if fast == self.fails_at:
            raise EvaluationError(f"ValueError: fast is {fast}")
        net = round(100 / 7 * fast - slow + len(window), 2)
        return summary(
            net_profit=net,
            sharpe=None if fast % 5 == 0 else net / 3,
            max_drawdown=1 / fast,
            trades=fast,
        )

    def _die(self) -> None:
        mark = (self.marks or Path()) / "died"
        if self.dies_always or not mark.exists():
            mark.touch()
            os._exit(7)


class Heard:
    """Remember what a watcher is told."""

    def __init__(self) -> None:
        self.progress: list[tuple[int, int]] = []
        self.troubles: list[str] = []

    def on_progress(self, done: int, total: int) -> None:
        self.progress.append((done, total))

    def on_trouble(self, message: str) -> None:
        self.troubles.append(message)
