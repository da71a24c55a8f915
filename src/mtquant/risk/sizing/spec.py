"""How positions are sized, as a person configures it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from mtquant.model import ConfigError
from mtquant.model.sensible import Sensible
from mtquant.risk.sizing.formulas import kelly_plan_a_stake_fraction, kelly_stake_fraction

if TYPE_CHECKING:
    from collections.abc import Mapping


class SizingMethod(Enum):
    """Say what the volume of a position follows from."""

    PERCENT_AT_RISK = "percent at risk"
    FIXED_LOTS = "fixed lots"
    FIXED_FRACTIONAL = "fixed fractional"
    VOLATILITY = "volatility"
    KELLY = "Kelly"
    KELLY_PLAN_A = "Kelly by plan A"
    VOLATILITY_TARGET = "volatility target"


KELLY_METHODS: Final = frozenset({SizingMethod.KELLY, SizingMethod.KELLY_PLAN_A})

_DEFAULTS: Final[Mapping[str, float]] = MappingProxyType(
    {"atr_multiplier": 2.0, "kelly_fraction": 0.25}
)
_ODDS: Final = ("win_rate_fraction", "average_win", "average_loss", "kelly_fraction")
_USED: Final[Mapping[SizingMethod, tuple[str, ...]]] = MappingProxyType(
    {
        SizingMethod.PERCENT_AT_RISK: (),
        SizingMethod.FIXED_LOTS: ("lots",),
        SizingMethod.FIXED_FRACTIONAL: ("equity_fraction",),
        SizingMethod.VOLATILITY: ("atr_multiplier",),
        SizingMethod.KELLY: _ODDS,
        SizingMethod.KELLY_PLAN_A: _ODDS,
        SizingMethod.VOLATILITY_TARGET: ("annual_volatility_fraction",),
    }
)
_PARAMETERS: Final = tuple(dict.fromkeys(name for names in _USED.values() for name in names))


@dataclass(frozen=True, slots=True, kw_only=True)
class SizingSpec:
    """Hold a sizing method and the parameters that it uses; None is a parameter not given.

    `lots` is the volume of fixed lots; `equity_fraction` what a position is worth of equity for
    fixed fractional; `atr_multiplier` (2.0 unless given) how many ATR the volatility method takes
    for the stop distance; `win_rate_fraction`, `average_win` and `average_loss` (both positive, in
    one unit) are the record that Kelly goes by, `kelly_fraction` (0.25 unless given) the part of
    Kelly's stake that is taken; `annual_volatility_fraction` is the volatility a year that a
    position shall bring to equity. `max_lots` caps the volume of every method.

    >>> from mtquant.model import read
    >>> spec = read(SizingSpec, {"method": "fixed_lots", "lots": 0.1, "max_lots": 2})
    >>> spec.method.name, spec.parameter("lots")
    ('FIXED_LOTS', 0.1)
    """

    method: SizingMethod = SizingMethod.PERCENT_AT_RISK
    lots: float | None = None
    equity_fraction: float | None = field(default=None, metadata={"sensible": Sensible(0.005, 1)})
    atr_multiplier: float | None = None
    win_rate_fraction: float | None = field(
        default=None, metadata={"sensible": Sensible(0.01, 0.99)}
    )
    average_win: float | None = None
    average_loss: float | None = None
    kelly_fraction: float | None = field(default=None, metadata={"sensible": Sensible(0.02, 1)})
    annual_volatility_fraction: float | None = field(
        default=None, metadata={"sensible": Sensible(0.01, 1)}
    )
    max_lots: float | None = None

    def __post_init__(self) -> None:
        """Refuse what does not fit the method.

        Raises:
            ConfigError: a parameter is missing, not used by the method or out of its range, or
                Kelly's stake is more than equity; the message names it.
        """
        used = _USED[self.method]
        for name in _PARAMETERS:
            value = getattr(self, name)
            if name in used:
                self._require_given(name)
            elif value is not None:
                raise ConfigError(
                    f"{name}: {value!r} is not used by the method {self._method_key}; "
                    f"take it out, or choose {_methods_with(name)}"
                )
        for name in (*used, "max_lots"):
            self._require_in_range(name)
        if self.method in KELLY_METHODS:
            self._require_stake_below_equity()

    def parameter(self, name: str) -> float:
        """Return a parameter of the chosen method, or its default.

        Raises:
            ConfigError: the method does not use it.
        """
        if name not in _USED[self.method]:
            raise ConfigError(
                f"{name}: the method {self._method_key} does not use it; choose "
                f"{_methods_with(name)}"
            )
        given: float | None = getattr(self, name)
        return _DEFAULTS[name] if given is None else given

    @property
    def kelly_stake_fraction(self) -> float:
        """Return the whole stake by Kelly, of equity; 0 or less where the record has no edge.

        Raises:
            ConfigError: the method is not one of Kelly's.
        """
        is_textbook = self.method is SizingMethod.KELLY
        stake = kelly_stake_fraction if is_textbook else kelly_plan_a_stake_fraction
        return stake(
            self.parameter("win_rate_fraction"),
            self.parameter("average_win"),
            self.parameter("average_loss"),
        )

    @property
    def _method_key(self) -> str:
        return self.method.name.lower()

    def _require_given(self, name: str) -> None:
        if getattr(self, name) is None and name not in _DEFAULTS:
            raise ConfigError(
                f"{name}: the method {self._method_key} needs it, and it is not given; "
                f"set it to {_range_of(name)}"
            )

    def _require_in_range(self, name: str) -> None:
        value = getattr(self, name)
        if value is not None and not (0 < value < math.inf and value <= _most(name)):
            raise ConfigError(f"{name}: {value:g} cannot be; set it to {_range_of(name)}")
        if name == "win_rate_fraction" and value == 1:
            raise ConfigError(
                "win_rate_fraction: 1 is a record without a loss, which tells no odds; "
                f"set it to {_range_of(name)}"
            )

    def _require_stake_below_equity(self) -> None:
        part = self.parameter("kelly_fraction")
        stake = self.kelly_stake_fraction * part
        if not stake <= 1:
            raise ConfigError(
                f"kelly_fraction: {part:g} of the stake by {self._method_key} would risk "
                f"{stake:.0%} of equity on one trade; use at most {part / stake:.4g}"
            )


def _methods_with(name: str) -> str:
    """Return the methods that use a parameter, as they are written in a configuration."""
    return " or ".join(method.name.lower() for method, used in _USED.items() if name in used)


def _most(name: str) -> float:
    return 1.0 if name.endswith("_fraction") else math.inf


def _range_of(name: str) -> str:
    if name == "win_rate_fraction":
        return "more than 0 and less than 1"
    return "more than 0 and at most 1" if name.endswith("_fraction") else "a number above 0"
