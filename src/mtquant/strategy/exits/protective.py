"""Stop loss and take profit at distances fixed when the position opens."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mtquant.indicators import Atr
from mtquant.model import ConfigError, Position, Side
from mtquant.strategy.exits.base import ExitSignal, Protection, require_in_reach
from mtquant.strategy.exits.rules import level_distance

if TYPE_CHECKING:
    from mtquant.strategy.view import BarsView


@dataclass(frozen=True, slots=True, kw_only=True)
class StopLossTakeProfitParameters:
    """Hold the distances: in points, or as multiples of the average true range.

    Exactly one of `stop_points` and `stop_atr` is given; at most one for the target.
    """

    atr_period: int = 14
    stop_points: int | None = None
    stop_atr: float | None = None
    target_points: int | None = None
    target_atr: float | None = None

    def __post_init__(self) -> None:
        """Refuse missing, doubled, negative or endless distances.

        Raises:
            ConfigError: the message names the pair or the value.
        """
        if (self.stop_points is None) == (self.stop_atr is None):
            raise ConfigError("give exactly one of stop_points and stop_atr")
        if self.target_points is not None and self.target_atr is not None:
            raise ConfigError("give at most one of target_points and target_atr")
        if self.atr_period < 1:
            raise ConfigError(f"atr_period must be at least 1, was {self.atr_period}")
        for name in ("stop_points", "stop_atr", "target_points", "target_atr"):
            value = getattr(self, name)
            if value is None:
                continue
            if not (math.isfinite(value) and value > 0):
                raise ConfigError(f"{name} must be positive, was {value}")
            require_in_reach(name, value)


class StopLossTakeProfit:
    """Place a stop loss, and a take profit if wanted, with the opening order."""

    name = "stop_loss_take_profit"
    priority = 10

    def __init__(self, parameters: StopLossTakeProfitParameters) -> None:
        self.parameters = parameters

    def on_start(self, bars: BarsView) -> None:
        """Ask for the average true range."""
        self._atr = bars.use(Atr(self.parameters.atr_period))

    def protection(self, side: Side) -> Protection | None:  # noqa: ARG002 - equal for both sides
        """Return the distances, None while the average true range is not ready."""
        p = self.parameters
        atr = self._atr[-1]
        needs_atr = p.stop_atr is not None or p.target_atr is not None
        if needs_atr and not atr > 0:  # also when it is NaN
            return None
        return Protection(
            stop_distance_points=_distance(p.stop_points, p.stop_atr, atr),
            target_distance_points=_distance(p.target_points, p.target_atr, atr),
        )

    def on_bar(self, position: Position, bars: BarsView) -> ExitSignal | None:  # noqa: ARG002 - waits
        """Return nothing: the levels stand at the broker."""
        return None


def _distance(points: int | None, multiple: float | None, atr: float) -> int | None:
    return level_distance(points or 0, multiple or 0.0, atr) or None
