"""The ladder of losses a person sets, and what the circuit breaker tells of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from mtquant.model import ConfigError, Jsonable
from mtquant.model.sensible import Sensible
from mtquant.risk.windows import LOSS_WINDOWS, LossBasis, LossWindow

LEVELS: Final = (1, 2, 3)


class CircuitBreakerStatus(Enum):
    """Name the levels: warn and trade smaller; reduce and open nothing; flatten and lock."""

    NORMAL = 0
    LEVEL_1_WARNING = 1
    LEVEL_2_REDUCE = 2
    LEVEL_3_HALT = 3


LOSS: Final = Sensible(0.001, 1)
"""What anybody may mean by a loss at which something happens, a fraction."""
_LOSS: Final = {"sensible": LOSS}
_SCALE: Final = {"sensible": Sensible(0.02, 1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerSpec:
    """Hold the ladder of one bot.

    A level begins at a loss of its fraction of a window's start, reached exactly or passed, in any
    of `windows`. The scales are what is left of a volume at levels 1 and 2. `cool_down_minutes`
    pass after the last rise before a person may reset.
    """

    level_1_fraction: float = field(default=0.05, metadata=_LOSS)
    level_2_fraction: float = field(default=0.10, metadata=_LOSS)
    level_3_fraction: float = field(default=0.15, metadata=_LOSS)
    level_1_scale: float = field(default=0.75, metadata=_SCALE)
    level_2_scale: float = field(default=0.5, metadata=_SCALE)
    windows: tuple[str, ...] = LOSS_WINDOWS
    basis: LossBasis = LossBasis.EQUITY
    cool_down_minutes: int = 60

    def __post_init__(self) -> None:
        """Refuse a ladder that does not rise.

        Raises:
            ConfigError: the message begins with the key and says the value and what would be right.
        """
        below, least = "0", 0.0
        for level in LEVELS:
            key, fraction = f"level_{level}_fraction", self.limit_fraction(level)
            if not least < fraction < 1:
                raise ConfigError(f"{key}: must be above {below} and below 1, was {fraction:g}")
            below, least = f"{key} ({fraction:g})", fraction
        if not 0 < self.level_1_scale <= 1:
            raise ConfigError(
                f"level_1_scale: must be above 0 and at most 1, was {self.level_1_scale:g}"
            )
        if not 0 < self.level_2_scale <= self.level_1_scale:
            raise ConfigError(
                "level_2_scale: must be above 0 and at most level_1_scale "
                f"({self.level_1_scale:g}), was {self.level_2_scale:g}"
            )
        if self.cool_down_minutes < 1:
            raise ConfigError(
                f"cool_down_minutes: must be at least 1, was {self.cool_down_minutes}"
            )
        self._require_windows()

    def limit_fraction(self, level: int) -> float:
        """Return the loss at which a level from 1 to 3 begins, a fraction."""
        return (self.level_1_fraction, self.level_2_fraction, self.level_3_fraction)[level - 1]

    def level_of(self, loss_fraction: float) -> int:
        """Return the level that a loss belongs to, 0 below the first; a limit met is reached."""
        return sum(loss_fraction >= self.limit_fraction(level) for level in LEVELS)

    def scale(self, level: int) -> float:
        """Return what is left of a volume at a level from 0 to 3, a factor: all to nothing."""
        return (1.0, self.level_1_scale, self.level_2_scale, 0.0)[level]

    def _require_windows(self) -> None:
        for name in self.windows:
            if name not in LOSS_WINDOWS:
                raise ConfigError(f"windows: {name!r} is not one of {', '.join(LOSS_WINDOWS)}")
        if not self.windows or len(set(self.windows)) < len(self.windows):
            raise ConfigError(
                f"windows: name at least one of {', '.join(LOSS_WINDOWS)}, each once, "
                f"was ({', '.join(self.windows)})"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerStep(Jsonable):
    """Tell of a rise of the level, and of the loss that caused it. Money in minor units.

    `window` is the one that lost most, `limit_fraction` where the new level begins, `now_ms` the
    broker's time of the observation (UTC ms), `reason` all of it in words.
    """

    from_level: int
    level: int
    window: str
    loss_fraction: float
    loss_minor: int
    start_minor: int
    limit_fraction: float
    now_ms: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerReset(Jsonable):
    """Tell who took the breaker back to normal, from which level, when (UTC ms) and why."""

    from_level: int
    who: str
    reason: str
    now_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerReport(Jsonable):
    """Hold the breaker's state for people. Times are UTC ms, money is in minor units.

    `triggered_ms`, `trigger_level`, `minutes_since_trigger`, `can_reset_ms`, `window` and `reason`
    speak of the last rise, None while there is none to reset. `windows` tells of every window,
    those that do not count too, and is empty before the first observation.
    """

    status: CircuitBreakerStatus
    triggered_ms: int | None
    trigger_level: int | None
    minutes_since_trigger: float | None
    can_reset: bool
    can_reset_ms: int | None
    can_open: bool
    can_increase: bool
    can_reduce: bool
    scale: float
    window: str | None
    reason: str | None
    windows: tuple[LossWindow, ...]
