"""What an exit is: it protects a new position, and may move or close it later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from mtquant.model import ConfigError

if TYPE_CHECKING:
    from mtquant.model import Position, Side
    from mtquant.strategy.view import BarsView

_FARTHEST_POINTS: Final = 2**31 - 1
_FARTHEST_ATR: Final = 10_000
"""A price has 32 bits of points, and an average true range is seldom below a few of them."""


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


def require_in_reach(name: str, distance: float) -> None:
    """Refuse a distance that no price can be away.

    Args:
        name: of the parameter; it ends in `_points` or in `_atr`, for multiples of the range.
        distance: its value.

    Raises:
        ConfigError: the message says how far a distance may go.
    """
    most = _FARTHEST_POINTS if name.endswith("_points") else _FARTHEST_ATR
    if distance > most:
        raise ConfigError(f"{name} must be at most {most:,}, was {distance}")


def strongest(signals: list[ExitSignal]) -> ExitSignal | None:
    """Return the signal of the highest priority (the first of equals), None of none."""
    return max(signals, key=lambda signal: signal.priority, default=None)
