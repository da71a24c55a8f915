"""Read configuration: a strict dictionary → frozen dataclass reader that names what is wrong.

Unknown keys are refused with the nearest known name. Fields that end in `_fraction` or `_ratio`
take a fraction (0.01) or a text with a percent sign ("1%"); a bare fraction above 1 is refused,
because 5 might mean 5 % or 500 %. A field may state what anybody may mean by it
(`metadata["sensible"]`): then a bare number that may be one of the other unit is refused, too.
"""

from __future__ import annotations

import math
import re
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from enum import Enum
from typing import Any, TypeVar, Union, get_args, get_origin

from mtquant.model.codec import type_hints
from mtquant.model.errors import ConfigError, InputError

T = TypeVar("T")


class EnvText(str):
    """Mark a text that came from the environment: there a number is written as text, too."""

    __slots__ = ()


def nearest(name: str, known: list[str]) -> str:
    """Return a hint naming the known word nearest to `name`, or the whole list."""
    match = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean {match[0]!r}?" if match else f"known: {', '.join(sorted(known))}"


def read(cls: type[T], raw: object, where: str = "") -> T:
    """Build the frozen dataclass `cls` from a dictionary.

    Args:
        cls: the class; nested dataclasses, enums, tuples and dictionaries are followed.
        raw: the dictionary as parsed from YAML.
        where: dotted path of this section, for messages.

    Raises:
        ConfigError: a key is unknown or missing, or a value is of the wrong kind or range.
    """
    known = {f.name: f for f in fields(cls)}  # type: ignore[arg-type]  # a dataclass by contract
    if not isinstance(raw, Mapping):
        raise ConfigError(
            f"{where or 'configuration'}: expected a section with keys "
            f"({', '.join(known)}), got {raw!r}"
        )
    for key in raw:
        if key not in known:
            raise ConfigError(f"{_join(where, key)}: unknown key; {nearest(str(key), list(known))}")
    hints = type_hints(cls)
    values: dict[str, Any] = {}
    for name, field in known.items():
        path = _join(where, name)
        if name in raw:
            meant = raw[name]
            if "sensible" in field.metadata:
                meant = field.metadata["sensible"].value(_plain(meant), path)
            values[name] = _value(meant, hints[name], path)
        elif field.default is MISSING and field.default_factory is MISSING:
            raise ConfigError(f"{path}: this key is required")
    try:
        return cls(**values)
    except (ValueError, InputError, OverflowError) as error:
        raise ConfigError(_placed(where, str(error), known)) from error


def read_value(hint: Any, raw: object, where: str) -> Any:
    """Return one value as the type `hint` of a dataclass field wants it; `where` names it.

    Raises:
        ConfigError: the value is of the wrong kind or range.
    """
    return _value(raw, hint, where)


def _placed(where: str, message: str, known: Mapping[str, object]) -> str:
    """Put the section before a message; one that begins with a key makes a dotted path."""
    if not where:
        return message
    begins_with_key = re.split(r"[^A-Za-z0-9_]", message, maxsplit=1)[0] in known
    return f"{where}.{message}" if begins_with_key else f"{where}: {message}"


def _join(where: str, name: object) -> str:
    return f"{where}.{name}" if where else str(name)


def _value(raw: object, hint: Any, path: str) -> Any:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        options = [option for option in get_args(hint) if option is not type(None)]
        if raw is None and len(options) < len(get_args(hint)):
            return None
        return _option(raw, options, path)
    if origin is tuple:
        return _tuple(raw, hint, path)
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(raw, hint, path)
    return _single(raw, hint, path)


def _option(raw: object, options: list[Any], path: str) -> Any:
    if len(options) == 1:
        return _value(raw, options[0], path)
    lists = [option for option in options if get_origin(option) is tuple]
    if lists and len(options) == 2:  # one thing, or a list of such
        single = next(option for option in options if option not in lists)
        return _value(raw, lists[0] if isinstance(raw, list | tuple) else single, path)
    if type(raw) not in options:
        names = ", ".join(option.__name__ for option in options)
        raise ConfigError(f"{path}: expected one of {names}, got {raw!r}")
    return raw


def _single(raw: object, hint: Any, path: str) -> Any:
    if isinstance(hint, type) and is_dataclass(hint):
        return read(hint, raw, path)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _enum(raw, hint, path)
    if isinstance(raw, EnvText):
        raw = _from_environment(raw, hint)
    return _SCALARS.get(hint, _anything)(raw, path)


def _from_environment(text: EnvText, hint: Any) -> object:
    """Return what a text from the environment says where a number or a yes or no is asked for."""
    word = text.strip()
    if hint is bool and word.lower() in ("true", "false"):
        return word.lower() == "true"
    if hint in (int, float):
        try:
            return hint(word)
        except ValueError:
            return str(text)
    return str(text)


def _tuple(raw: object, hint: Any, path: str) -> tuple[Any, ...]:
    if not isinstance(raw, list | tuple):
        raise ConfigError(f"{path}: expected a list, got {raw!r}")
    item = get_args(hint)[0]
    return tuple(_value(one, item, f"{path}[{index}]") for index, one in enumerate(raw))


def _mapping(raw: object, hint: Any, path: str) -> dict[str, Any]:
    if not isinstance(raw, Mapping):
        raise ConfigError(f"{path}: expected a section, got {raw!r}")
    item = get_args(hint)[1]
    return {str(key): _value(one, item, _join(path, key)) for key, one in raw.items()}


def _enum(raw: object, hint: type[Enum], path: str) -> Enum:
    names = {name.lower(): member for name, member in hint.__members__.items()}
    if not isinstance(raw, str) or raw.lower() not in names:
        raise ConfigError(f"{path}: {raw!r} is not one of {', '.join(names)}")
    return names[raw.lower()]


def _plain(raw: object) -> object:
    """Return a number from the environment as one."""
    if isinstance(raw, Mapping):
        return {key: _plain(one) for key, one in raw.items()}
    return _from_environment(raw, float) if isinstance(raw, EnvText) else raw


def _percent(value: float) -> str:
    return f"{100 * value:g}%"


def _both_ways(raw: object) -> float | None:
    """Return a fraction that is written as both, such as `0.0005 = 0.05%`, None for others."""
    if not isinstance(raw, str) or "=" not in raw:
        return None
    left, _, right = raw.partition("=")
    try:
        fraction, percent = float(left), float(right.strip().removesuffix("%"))
    except ValueError:
        return None
    is_same = right.strip().endswith("%") and math.isclose(100 * fraction, percent, rel_tol=1e-9)
    return fraction if is_same else None


def _float(raw: object, path: str) -> float:
    name = path.rsplit(".", 1)[-1].split("[", 1)[0]
    if name.endswith("_fraction"):
        return _fraction(raw, path)
    if name.endswith("_ratio") and isinstance(raw, str):
        return _share(raw, path)
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise ConfigError(f"{path}: expected a number, got {raw!r}")
    number = _as_float(raw)
    if not math.isfinite(number):
        raise ConfigError(f"{path}: expected a finite number, got {raw!r}")
    return number


def _as_float(raw: float) -> float:
    try:
        return float(raw)
    except OverflowError:  # a whole number beyond every float
        return math.inf if raw > 0 else -math.inf


def _fraction(raw: object, path: str) -> float:
    number: float | None = None
    if isinstance(raw, str):
        number = _written(raw)
    elif isinstance(raw, int | float) and not isinstance(raw, bool):
        number = _as_float(raw)
    if number is None or math.isnan(number):
        raise ConfigError(f"{path}: expected a fraction such as 0.01, or '1%', got {raw!r}")
    if number < 0:
        raise ConfigError(f"{path}: must not be negative, was {raw!r}")
    if number > 1:
        raise ConfigError(
            f"{path}: {raw!r} is more than the whole: it reads as {_percent(number)}, or as "
            f"{number:g} % of it; fractions are written 0.05 or '5%' for 5 %"
        )
    return number


def _written(text: str) -> float | None:
    """Return what a text with a percent sign says as a fraction, None for other texts."""
    if not text.strip().endswith("%"):
        return None
    try:
        return float(text.strip().removesuffix("%")) / 100
    except ValueError:
        return _both_ways(text)


def _share(text: str, path: str) -> float:
    """Return a ratio that is written as a text: it may be more than the whole."""
    number = _written(text)
    if number is None or not math.isfinite(number):
        raise ConfigError(f"{path}: expected a ratio such as 1.5, or '150%', got {text!r}")
    return number


def _int(raw: object, path: str) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise ConfigError(f"{path}: expected a whole number, got {raw!r}")
    return raw


def _str(raw: object, path: str) -> str:
    if not isinstance(raw, str):
        raise ConfigError(f"{path}: expected text, got {raw!r}")
    return raw


def _bool(raw: object, path: str) -> bool:
    if not isinstance(raw, bool):
        raise ConfigError(f"{path}: expected true or false, got {raw!r}")
    return raw


def _anything(raw: object, _path: str) -> object:
    return raw


_SCALARS: dict[Any, Callable[[object, str], Any]] = {
    float: _float,
    int: _int,
    str: _str,
    bool: _bool,
}
