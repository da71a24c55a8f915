"""Numbers that may be mistaken by a factor of a hundred, and how to write them beyond doubt.

Whoever writes 5 where 0.05 is asked for is off by a hundred. A field states what anybody may mean
by it (`metadata["sensible"]`). A bare number is taken only where its own reading lies in that range
and its reading in the other unit does not; else it is refused with both. A number that says its
unit, `5%` or `3x`, is never in doubt: for it the field's own limits are all that counts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from mtquant.model.errors import ConfigError

_SAID: Final = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([%x])\s*")
_ROUNDING: Final = 1e-9


class Unit(Enum):
    """Name what a bare number counts."""

    FRACTION = "parts of a whole"  # 0.05 or "5%"
    TIMES = "times"  # 1.5, "1.5x" or "150%"
    LEVERAGE = "leverage"  # times; less than the account is likely a margin: 3.33 % for 30
    PERCENT = "percent"  # 300 or "300%"


_RATIOS: Final = (Unit.TIMES, Unit.LEVERAGE)


@dataclass(frozen=True, slots=True)
class Sensible:
    """Hold the range of what anybody may mean by a number, both ends included, in its unit."""

    least: float
    most: float
    unit: Unit = Unit.FRACTION

    def value(self, raw: object, path: str) -> object:
        """Return the number that is meant, of each key in a section; else what is not to judge.

        Raises:
            ConfigError: it may mean two things, or can mean neither; the message shows both
                readings and how to write them.
        """
        if isinstance(raw, Mapping):
            return {key: self.value(one, f"{path}.{key}") for key, one in raw.items()}
        if isinstance(raw, str):
            return self._said(raw, path)
        if isinstance(raw, bool) or not isinstance(raw, int | float) or not 0 < raw < math.inf:
            return raw
        if not self.is_clear(raw):
            raise ConfigError(f"{path}: {raw!r} {self._readings(raw)}")
        return raw

    def is_clear(self, number: float) -> bool:
        """Tell whether a bare number means one thing only."""
        other = 100 * number if self.unit is Unit.PERCENT else number / 100
        return self._holds(number) and not self._holds(other)

    def _holds(self, number: float) -> bool:
        return self.least * (1 - _ROUNDING) <= number <= self.most * (1 + _ROUNDING)

    def _said(self, text: str, path: str) -> object:
        found = _SAID.fullmatch(text)
        if found is None or (found[2] == "x" and self.unit not in _RATIOS):
            return text
        number = float(found[1])
        if found[2] == "x" or self.unit is Unit.PERCENT:
            return number
        if self.unit is Unit.FRACTION and number > 100:
            raise ConfigError(f"{path}: {text!r} is more than the whole; write '5%' for 5 % of it")
        if self.unit is Unit.LEVERAGE and 0 < number < 100:
            raise ConfigError(f"{path}: {text!r} {_as_margin(number / 100)}")
        return number / 100

    def _readings(self, number: float) -> str:
        """Return what a bare number may mean, and how to write each."""
        if self.unit is Unit.PERCENT:
            return (
                f"may mean {_text(number)} % or the factor {_text(number)}, which is "
                f"{_text(100 * number)} %: write '{_text(number)}%' or '{_text(100 * number)}%'"
            )
        if self.unit is Unit.LEVERAGE and number < 1:
            return _as_margin(number)
        if self.unit is Unit.FRACTION and number > 100:
            return "is more than the whole, as a fraction and as a percentage; write '5%' for 5 %"
        other = number / 100 if number > self.least else 100 * number
        if self.unit in _RATIOS:
            return (
                f"may mean {_text(number)} times ({_percent(number)}) or {_text(other)} times "
                f"({_percent(other)}): write '{_text(number)}x' or '{_percent(other)}'"
            )
        if number > self.most:
            most = "the whole" if number > 1 else f"the {_percent(self.most)} that are sensible"
            return (
                f"is more than {most} as a fraction ({_percent(number)}), or means "
                f"{_percent(other)}: write '{_percent(other)}' if that is meant"
            )
        return (
            f"may mean the fraction {_text(number)}, which is {_percent(number)}, or "
            f"{_percent(other)}: write '{_percent(number)}' or '{_percent(other)}'"
        )


def _as_margin(number: float) -> str:
    leverage = f"{1 / number:.6g}"
    return (
        f"may mean {_text(number)} times ({_percent(number)}), less than the account, or a margin "
        f"of {_percent(number)}, which is a leverage of {leverage}: write '{_text(number)}x' or "
        f"'{leverage}x'"
    )


def _text(number: float) -> str:
    return f"{number:.12g}"


def _percent(fraction: float) -> str:
    return f"{_text(100 * fraction)}%"
