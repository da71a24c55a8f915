"""What an exit is: it protects a new position, and may move or close it later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mtquant.model import Position, Side
    from mtquant.strategy.view import BarsView


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """Hold the protective distances of a new position, in points from its entry; None = none."""

    stop_distance_points: int | None = None
    target_distance_points: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitSignal:
    """Ask to move a position's stop loss to `stop_points`, or to close it when that is None."""

    position_ticket: int
    exit_name: str
    priority: int
    reason: str
    stop_points: int | None = None


class ExitStrategy(Protocol):
    """Protect and leave positions. Of several exits that speak up, the highest priority wins."""

    @property
    def name(self) -> str:
        """Return the name used in the journal."""
        ...

    @property
    def priority(self) -> int:
        """Return the rank among the exits: higher wins."""
        ...

    def on_start(self, bars: BarsView) -> None:
        """Ask for indicators; no bar is visible yet."""
        ...

    def protection(self, side: Side) -> Protection | None:
        """Return the distances for a position opened after the newest closed bar."""
        ...

    def on_bar(self, position: Position, bars: BarsView) -> ExitSignal | None:
        """Return what to do with a position after the newest closed bar, None for nothing."""
        ...


def strongest(signals: list[ExitSignal]) -> ExitSignal | None:
    """Return the signal of the highest priority (the first of equals), None of none."""
    return max(signals, key=lambda signal: signal.priority, default=None)
