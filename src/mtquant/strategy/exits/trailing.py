"""A stop loss that follows the price at a multiple of the average true range."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mtquant.indicators import Atr
from mtquant.model import ConfigError, Position, Side
from mtquant.strategy.exits.base import ExitSignal, Protection, require_in_reach
from mtquant.strategy.exits.rules import trailing_stop

if TYPE_CHECKING:
    from mtquant.strategy.view import BarsView


@dataclass(frozen=True, slots=True, kw_only=True)
class AtrTrailingStopParameters:
    """Hold distance, activation and smallest step, as multiples of the average true range.

    The stop starts to follow once the position is `activation_atr` in profit, and moves only when
    it improves by at least `step_atr`.
    """

    atr_period: int = 14
    distance_atr: float = 3.0
    activation_atr: float = 0.0
    step_atr: float = 0.25

    def __post_init__(self) -> None:
        """Refuse distances that are not distances.

        Raises:
            ConfigError: the message names the value.
        """
        if self.atr_period < 1:
            raise ConfigError(f"atr_period must be at least 1, was {self.atr_period}")
        if not (math.isfinite(self.distance_atr) and self.distance_atr > 0):
            raise ConfigError(f"distance_atr must be positive, was {self.distance_atr}")
        for name in ("activation_atr", "step_atr"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ConfigError(f"{name} must not be negative, was {value}")
        for name in ("distance_atr", "activation_atr", "step_atr"):
            require_in_reach(name, getattr(self, name))


class AtrTrailingStop:
    """Move the stop loss after each closed bar, in the position's favour only."""

    name = "atr_trailing_stop"
    priority = 20

    def __init__(self, parameters: AtrTrailingStopParameters) -> None:
        self.parameters = parameters

    def on_start(self, bars: BarsView) -> None:
        """Ask for the average true range."""
        self._atr = bars.use(Atr(self.parameters.atr_period))

    def protection(self, side: Side) -> Protection | None:  # noqa: ARG002 - starts after the entry
        """Return no distances: the first stop comes from another exit."""
        return Protection()

    def on_bar(self, position: Position, bars: BarsView) -> ExitSignal | None:
        """Return the new stop level when it improves enough."""
        p = self.parameters
        atr = self._atr[-1]
        if not atr > 0:
            return None
        spread = 0 if position.side is Side.BUY else bars.points.spread[-1]
        level = trailing_stop(
            position.side.value,
            position.open_points,
            position.stop_loss_points or 0,
            bars.points.close[-1] + spread,
            atr,
            p.distance_atr,
            p.activation_atr,
            p.step_atr,
        )
        if level == 0:
            return None
        return ExitSignal(
            position_ticket=position.position_ticket,
            exit_name=self.name,
            priority=self.priority,
            reason="stop follows the price",
            stop_points=level,
        )
