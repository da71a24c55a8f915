"""How long a trade request is on its way to the server."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import exp, log
from statistics import NormalDist
from typing import Final

from mtquant.model import ConfigError

_MEDIAN_MS: Final = 60.0
_SPREAD: Final = log(1000.0 / _MEDIAN_MS) / NormalDist().inv_cdf(0.99)
_STALLS: Final = 0.001
_STALL_MS: Final = (2_000, 20_000)
_TINY: Final = 1e-12


class LatencyModel(Enum):
    """Say how the times that requests take are spread.

    UNIFORM: evenly between `at_least_ms` and `at_most_ms`. PUBLISHED: as brokers report it, half of
    them within 60 ms, one in a hundred longer than a second, one in a thousand stalled for 2 to 20
    seconds. TESTER: MetaTrader's random delay, 0 to 8 seconds in 90 of 100 cases, else 9 to 18.
    """

    UNIFORM = "uniform"
    PUBLISHED = "published"
    TESTER = "tester"


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Say how long a trade request is on its way.

    Sources: FOREX.com, execution statistics of February 2016 (mean 60 ms, 99.8 % within a second),
    a log of a bot on MetaTrader 5 (median 45 ms, stalls of many seconds); MetaTrader help, Strategy
    testing, random delay.
    """

    at_least_ms: int = 0
    at_most_ms: int = 0
    model: LatencyModel = LatencyModel.UNIFORM

    def __post_init__(self) -> None:
        """Refuse times that are none.

        Raises:
            ConfigError: the message begins with the key.
        """
        if self.at_least_ms < 0:
            raise ConfigError(f"at_least_ms: must not be negative, was {self.at_least_ms}")
        if self.at_most_ms < self.at_least_ms:
            raise ConfigError(
                f"at_most_ms: must be at least {self.at_least_ms}, was {self.at_most_ms}"
            )
        if self.model is not LatencyModel.UNIFORM and self.at_most_ms:
            raise ConfigError(
                f"at_most_ms: the model {self.model.value} has its own times, was {self.at_most_ms}"
            )

    @property
    def is_any(self) -> bool:
        """Tell whether requests take any time."""
        return self.at_most_ms > 0 or self.model is not LatencyModel.UNIFORM

    def delay_ms(self, chance: float, second_chance: float) -> int:
        """Return how long a request takes, by two numbers from 0 (included) to 1."""
        if self.model is LatencyModel.UNIFORM:
            span = self.at_most_ms - self.at_least_ms + 1
            return self.at_least_ms + int(chance * span)
        if self.model is LatencyModel.TESTER:
            seconds = int(chance * 10)
            return 1000 * (seconds if seconds < 9 else 9 + int(second_chance * 10))
        if second_chance < _STALLS:
            return int(_STALL_MS[0] + chance * (_STALL_MS[1] - _STALL_MS[0]))
        return round(_MEDIAN_MS * exp(_SPREAD * NormalDist().inv_cdf(max(chance, _TINY))))
