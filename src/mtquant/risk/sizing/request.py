"""What the size of one position is asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mtquant.model import ConfigError, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class SizingRequest:
    """Hold a trade that wants a volume.

    `strength` is that of the signal, `scale` what a circuit breaker leaves of sizes and
    `likeness_scale` what correlation with what is held does; all are 0 to 1 and multiply what the
    method gives. `atr_points` (not whole: an average) and
    `annual_volatility_fraction` (0.08 = 8 % a year) are the instrument's, None or NaN while they
    are not ready; only the methods that go by them look at them.
    """

    side: Side
    entry_points: int
    stop_points: int
    strength: float = 1.0
    scale: float = 1.0
    likeness_scale: float = 1.0
    atr_points: float | None = None
    annual_volatility_fraction: float | None = None

    def __post_init__(self) -> None:
        """Refuse what would raise a volume or mean nothing.

        Raises:
            ConfigError: the message names the key, the value and what would be right.
        """
        for name in ("strength", "scale", "likeness_scale"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ConfigError(f"{name}: {value:g} cannot be; give a number from 0 to 1")
        for name in ("atr_points", "annual_volatility_fraction"):
            measured = getattr(self, name)
            if measured is not None and (measured < 0 or math.isinf(measured)):
                raise ConfigError(
                    f"{name}: {measured:g} cannot be; give a finite number, 0 or more, or None "
                    "while it is not ready"
                )

    @property
    def left_fraction(self) -> float:
        """Return what breaker and correlation together leave of a size, 0 to 1."""
        return self.scale * self.likeness_scale
