"""A strategy's opinion."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from mtquant.model.codec import Jsonable
from mtquant.model.kinds import Direction
from mtquant.model.timeframe import Timeframe

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal(Jsonable):
    """Say what a strategy wants to hold, and how strongly; it carries no volume.

    `time_ms` is the close of the bar that was decided on (UTC milliseconds); `strength` is 0 to 1
    (others call it confidence). Price levels are optional hints in points.
    """

    signal_id: str
    strategy_id: str
    time_ms: int
    symbol: str
    timeframe: Timeframe
    direction: Direction
    strength: float = 1.0
    price_points: int | None = None
    stop_loss_points: int | None = None
    take_profit_points: int | None = None
    reason: str = ""
    metadata: Mapping[str, Scalar] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a strength outside 0 to 1.

        Raises:
            ValueError: `strength` is out of range or not a number.
        """
        if not (math.isfinite(self.strength) and 0 <= self.strength <= 1):
            raise ValueError(f"signal strength must be 0 to 1, was {self.strength}")


def direction_from_value(value: float) -> tuple[Direction, float]:
    """Return direction and strength of a signal written as one number from -1 to 1.

    >>> direction_from_value(-0.5)
    (<Direction.SHORT: -1>, 0.5)

    Raises:
        ValueError: the value is outside -1 to 1 or not a number.
    """
    if not (math.isfinite(value) and -1 <= value <= 1):
        raise ValueError(f"a signal value must be -1 to 1, was {value}")
    if value == 0:
        return Direction.FLAT, 1.0
    return (Direction.LONG if value > 0 else Direction.SHORT), abs(value)
