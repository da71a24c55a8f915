"""Subscribers to the engine's observations."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final

from mtquant.model import Publish
from mtquant.observe.logs import get_logger

Subscriber = Callable[[Publish], None]

_LEVELS: Final = {
    "link_lost": logging.WARNING,
    "strategy_failed": logging.ERROR,
    "reconciled": logging.INFO,
    "halt_raised": logging.WARNING,
    "halt_cleared": logging.WARNING,
    "breaker_rose": logging.WARNING,
    "breaker_reset": logging.WARNING,
    "breaker_stays": logging.WARNING,
    "drawdown_reset": logging.WARNING,
    "prop_rule_met": logging.WARNING,
    "prop_rules_not_kept": logging.WARNING,
    "entry_dropped": logging.WARNING,
    "exit_dropped": logging.WARNING,
    "stop_lost": logging.WARNING,
    "order_not_ours": logging.ERROR,
    "position_unmanaged": logging.ERROR,
    "journal_rebuilt": logging.WARNING,
    "cash_differs": logging.ERROR,
    "cash_agrees": logging.INFO,
    "decision_repeated": logging.WARNING,
    "signal_missed": logging.INFO,
}

_ALARMING: Final = frozenset({"UNKNOWN", "LATE", "NOTSENT", "PARTIAL"})


def fan_out(subscribers: Sequence[Subscriber]) -> Subscriber:
    """Return a subscriber that hands each observation to all of them, in order."""

    def publish(event: Publish) -> None:
        for subscriber in subscribers:
            subscriber(event)

    return publish


class LogSubscriber:
    """Write observations to the log; trades at level DEBUG, what a person must know above it."""

    def __init__(self, name: str = "mtquant.engine") -> None:
        self._logger = get_logger(name)

    def __call__(self, event: Publish) -> None:
        """Log one observation with its correlation id."""
        level = _LEVELS.get(event.name, logging.DEBUG)
        if event.name == "position_closed" and event.fields.get("while_away"):
            level = logging.WARNING
        if event.name == "intent_resolved" and event.fields.get("state") in _ALARMING:
            level = logging.WARNING
        fields = {key: value for key, value in event.fields.items() if value is not None}
        # bound, not passed: a field may bear a name that the log call has itself
        bound = self._logger.bind(
            **fields, correlation_id=event.correlation_id, time_ms=event.time_ms
        )
        bound.log(level, event.name)
