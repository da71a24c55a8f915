"""The values of one parameter, as people write them: `5:50:5`, `0.5:2.0:0.25`, `5,8,13`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

from mtquant.model import ConfigError
from mtquant.research.sweep.parameters import Parameter, Value, find_parameter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_VALUES: Final = 1_000_000
_LARGEST_EXPONENT: Final = 300  # of what a float holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Hold the values that a parameter takes, one by one, without repetition."""

    name: str
    values: tuple[Value, ...]

    def __post_init__(self) -> None:
        """Refuse no values, and the same one twice.

        Raises:
            ConfigError: the message names the parameter.
        """
        if not self.values:
            raise ConfigError(f"{self.name}: has no values; write {self.name}=5,8,13")
        seen: set[Value] = set()
        for value in self.values:
            if value in seen:
                raise ConfigError(f"{self.name}: {value} is given twice")
            seen.add(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Hold the ends of a stretch of real numbers: only random draws can fill it."""

    name: str
    low: float
    high: float


Axis = Steps | Span


def parse_axes(words: Sequence[str], known: Mapping[str, Parameter]) -> tuple[Axis, ...]:
    """Return the axes that words such as `fast=5:50:5` describe.

    Raises:
        ConfigError: a name is unknown or comes twice, a range is empty, or a value is wrong.
    """
    axes: list[Axis] = []
    for word in words:
        name, separator, text = word.partition("=")
        if not separator or not name.strip():
            raise ConfigError(f"{word!r}: write NAME=VALUES, such as fast=5:50:5 or fast=5,8,13")
        axis = parse_axis(find_parameter(name.strip(), known), text)
        if any(axis.name == other.name for other in axes):
            raise ConfigError(f"{axis.name}: is given twice")
        axes.append(axis)
    return tuple(axes)


def parse_axis(parameter: Parameter, text: str) -> Axis:
    """Return the axis that a text describes: values and ranges, with commas between them.

    A range is `start:stop:step`, its stop included; whole numbers may leave out a step of 1. A
    range of real numbers without a step is a `Span`.

    Raises:
        ConfigError: a range is empty, reversed or endless, or a value is wrong.
    """
    parts = text.split(",")
    if not parameter.is_number:
        return Steps(name=parameter.name, values=tuple(parameter.word(part) for part in parts))
    if len(parts) == 1 and text.count(":") == 1 and parameter.kind is float:
        return _span(parameter, text)
    values: list[Value] = []
    for part in parts:
        values.extend(_range(parameter, part) if ":" in part else [_word(parameter, part)])
    return Steps(name=parameter.name, values=tuple(values))


def _word(parameter: Parameter, part: str) -> Value:
    return parameter.word(parameter.in_unit(part))


def _span(parameter: Parameter, text: str) -> Span:
    low, high = (_word(parameter, part) for part in text.split(":"))
    if not (isinstance(low, float) and isinstance(high, float)):
        raise ConfigError(f"{parameter.name}: {text!r} needs two numbers")
    if not low < high:
        raise ConfigError(f"{parameter.name}: {text!r} is empty; the first end must be the lower")
    return Span(name=parameter.name, low=low, high=high)


def _range(parameter: Parameter, text: str) -> list[Value]:
    name, parts = parameter.name, text.split(":")
    if len(parts) > 3:
        raise ConfigError(f"{name}: {text!r} has too many parts; write start:stop:step")
    if len(parts) == 2 and parameter.kind is float:
        raise ConfigError(f"{name}: {text!r} needs a step; write start:stop:step")
    for end in parts[:2]:
        parameter.in_unit(end)
    start, stop, step = (_number(parameter, part, text) for part in [*parts, "1"][:3])
    if step == 0:
        raise ConfigError(f"{name}: {text!r} has a step of zero")
    if step < 0:
        raise ConfigError(f"{name}: {text!r} has a negative step; write the lower end first")
    if stop < start:
        raise ConfigError(f"{name}: {text!r} is empty; write the lower end first")
    steps = (stop - start) / step
    if steps >= MOST_VALUES:
        raise ConfigError(f"{name}: {text!r} has more than {MOST_VALUES:,} values")
    numbers = (start + row * step for row in range(int(steps) + 1))
    return [parameter.value(_exact(number, parameter)) for number in numbers]


def _number(parameter: Parameter, part: str, text: str) -> Decimal:
    """Return a number exactly as written, so that 0.1:0.3:0.1 ends at 0.3."""
    word = part.strip()
    parameter.require_digits(word)
    is_percent = word.endswith("%") and parameter.name.endswith("_fraction")
    try:
        number = Decimal(word.removesuffix("%") if is_percent else word)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number.adjusted() > _LARGEST_EXPONENT:
        raise ConfigError(f"{parameter.name}: {text!r} needs finite numbers, got {word!r}")
    if parameter.kind is int and number != number.to_integral_value():
        raise ConfigError(f"{parameter.name}: {text!r} needs whole numbers, got {word!r}")
    return number / 100 if is_percent else number


def _exact(number: Decimal, parameter: Parameter) -> int | float:
    return int(number) if parameter.kind is int else float(number)
