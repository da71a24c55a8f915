"""JSON round trip of the frozen dataclasses, without a framework."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import Any, Self, Union, get_args, get_origin, get_type_hints

from mtquant.model.errors import DataError

_EXACT_FLOATS = 2**53
_HINTS: dict[type[Any], dict[str, Any]] = {}


class Jsonable:
    """Give a frozen dataclass `to_dict` and `from_dict`: enums by name, nested classes as dicts."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Return a dictionary of JSON values."""
        return {f.name: _plain(getattr(self, f.name)) for f in fields(self)}  # type: ignore[arg-type]  # a dataclass by contract

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Build the object from a dictionary made by `to_dict`.

        Raises:
            DataError: a field is unknown, missing, or has a value of the wrong kind.
        """
        if not isinstance(data, Mapping):
            raise DataError(f"{cls.__name__} must be an object, was {data!r}")
        hints = type_hints(cls)
        known = {f.name: f for f in fields(cls)}  # type: ignore[arg-type]  # a dataclass by contract
        for name in data:
            if name not in known:
                raise DataError(f"{cls.__name__} has no field {name!r}")
        values: dict[str, Any] = {}
        for name, field in known.items():
            if name in data:
                values[name] = _typed(data[name], hints[name], f"{cls.__name__}.{name}")
            elif field.default is MISSING and field.default_factory is MISSING:
                raise DataError(f"{cls.__name__} needs the field {name!r}")
        try:
            return cls(**values)
        except ValueError as error:
            raise DataError(f"{cls.__name__}: {error}") from error


def type_hints(cls: type[Any]) -> dict[str, Any]:
    """Return the resolved annotations of a class, remembered."""
    found = _HINTS.get(cls)
    if found is None:
        found = _HINTS[cls] = get_type_hints(cls)
    return found


def schema(cls: type) -> dict[str, str]:
    """Return field name → type text of a dataclass: the shape a stored snapshot is held against."""
    return {f.name: str(f.type) for f in fields(cls)}


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, Jsonable):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _typed(value: Any, hint: Any, where: str) -> Any:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        options = [option for option in get_args(hint) if option is not type(None)]
        if value is None and len(options) < len(get_args(hint)):
            return None
        return _typed_option(value, options, where)
    if origin is tuple:
        return _typed_tuple(value, hint, where)
    if origin is not None and issubclass(origin, Mapping):
        return _typed_mapping(value, hint, where)
    return _typed_plain(value, hint, where)


def _typed_option(value: Any, options: list[Any], where: str) -> Any:
    if len(options) == 1:
        return _typed(value, options[0], where)
    if type(value) not in options:
        raise DataError(f"{where} must be one of the plain kinds, was {value!r}")
    return value


def _typed_tuple(value: Any, hint: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise DataError(f"{where} must be a list, was {value!r}")
    item = get_args(hint)[0]
    return tuple(_typed(one, item, where) for one in value)


def _typed_mapping(value: Any, hint: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise DataError(f"{where} must be an object, was {value!r}")
    item = get_args(hint)[1]
    return {str(key): _typed(one, item, f"{where}[{key!r}]") for key, one in value.items()}


def _typed_plain(value: Any, hint: Any, where: str) -> Any:
    if isinstance(hint, type) and issubclass(hint, Enum):
        if not isinstance(value, str) or value not in hint.__members__:
            raise DataError(f"{where} must be one of {', '.join(hint.__members__)}, was {value!r}")
        return hint[value]
    if isinstance(hint, type) and is_dataclass(hint) and issubclass(hint, Jsonable):
        return hint.from_dict(value)
    if hint is float and type(value) is int and abs(value) < _EXACT_FLOATS:
        return float(value)
    if hint in (int, float, str, bool) and type(value) is not hint:
        raise DataError(f"{where} must be {hint.__name__}, was {value!r}")
    return value
