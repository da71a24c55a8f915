"""A decision on its way: taken at a close or a tick, carried out once the broker was read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from mtquant.engine.slot import StrategySlot
from mtquant.model import Direction, Signal
from mtquant.strategy import ExitSignal

NEWER: Final = "there is a newer decision"
"""Why what an earlier signal of a strategy asked for is given up."""


@dataclass(slots=True, kw_only=True)
class Decision:
    """Hold what a closed bar or a tick decided for a slot, and which closes its entry waits for.

    `trigger` is the part of the decision key that names the bar or the tick; `seen_ms` is when the
    look began that saw it, where looks are timed.
    """

    slot: StrategySlot
    trigger: str
    signal: Signal | None
    exits: tuple[ExitSignal, ...]
    protection: tuple[int, int | None] | None
    waits_for: set[int] = field(default_factory=set)
    enters: bool = False
    decided_ms: int = 0
    seen_ms: int | None = None

    def is_late(self, now_ms: int) -> bool:
        """Tell whether too much time has passed since the bar or the tick was seen."""
        return self.seen_ms is not None and now_ms > self.seen_ms + self.slot.orders.deadline_ms

    @property
    def cause(self) -> str:
        """Return the cause under which the broker is read for this decision."""
        return f"decision:{self.slot.strategy_id}:{self.trigger}"

    @property
    def correlation_id(self) -> str:
        """Return the id that joins all that this decision causes."""
        return self.signal.signal_id if self.signal else self.trigger

    @property
    def wants(self) -> Direction | None:
        """Return the direction the signal asks for, None without a signal."""
        return self.signal.direction if self.signal else None
