"""What can be swept: the fields of parameter classes, by the names people write."""

from __future__ import annotations

import types
from dataclasses import dataclass, fields
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, TypeAlias, Union, get_args, get_origin

from mtquant.model import ConfigError
from mtquant.model.codec import type_hints
from mtquant.model.reading import nearest, read_value
from mtquant.model.sensible import Sensible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Value: TypeAlias = bool | int | float | str | None
NONE: Final = "none"
_SCALARS: Final = (bool, int, float, str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """Name something that can be swept, and the type of the field behind it.

    `name` is `fast` for a parameter of the strategy, dotted for others, such as
    `risk.risk_per_trade_fraction`.
    """

    name: str
    hint: Any
    sensible: Sensible | None = None

    @property
    def kind(self) -> type[Any]:
        """Return bool, int, float, str or an enumeration.

        Raises:
            ConfigError: values of this field are no single words or numbers.
        """
        options = [one for one in self._options() if one is not type(None)]
        kind = options[0] if len(options) == 1 else None
        if isinstance(kind, type) and (kind in _SCALARS or issubclass(kind, Enum)):
            return kind
        raise ConfigError(
            f"{self.name}: cannot be swept; only numbers, words and true or false can"
        )

    @property
    def is_number(self) -> bool:
        """Tell whether ranges of values make sense."""
        return self.kind in {int, float}

    def value(self, raw: object) -> Value:
        """Return a value as a combination holds it: as in a configuration, enumerations by name.

        Raises:
            ConfigError: it is not of the field's type or range.
        """
        kind = self.kind
        checked = read_value(self.hint, raw, self.name)
        if isinstance(checked, Enum):
            return checked.name.lower()
        if raw is not None and kind is float:
            return float(checked)
        plain: Value = checked
        return plain

    def word(self, text: str) -> Value:
        """Return the value that a word on the command line means.

        Raises:
            ConfigError: it means none.
        """
        text = text.strip()
        if not text:
            raise ConfigError(f"{self.name}: a value is missing (write {self.name}=5,8,13)")
        if text.lower() == NONE and type(None) in self._options():
            return None
        if self.is_number:
            self.require_digits(text)
        return self.value(_plain(text, self.kind))

    def in_unit(self, text: str) -> str:
        """Return a word of a person as a bare number in the parameter's unit, others unchanged.

        Raises:
            ConfigError: a bare number may mean a percentage, too; the message shows both readings.
        """
        if self.sensible is None or not self.is_number:
            return text
        self.require_digits(text)
        plain = _plain(text.strip(), self.kind)
        meant = self.sensible.value(plain, self.name)
        return text if meant is plain else repr(meant)

    def require_digits(self, text: str) -> None:
        """Refuse `_` between digits, which is more often a slip than a thousands mark.

        Raises:
            ConfigError: the message has the text.
        """
        if "_" in text:
            raise ConfigError(f"{self.name}: {text!r} is no number; write it without _")

    def _options(self) -> tuple[Any, ...]:
        if get_origin(self.hint) in {Union, types.UnionType}:
            return get_args(self.hint)
        return (self.hint,)


def parameters_of(cls: type[Any], section: str = "") -> list[Parameter]:
    """Return the fields of a dataclass as parameters; `section` comes before their names."""
    hints = type_hints(cls)
    before = f"{section}." if section else ""
    return [
        Parameter(name=f"{before}{f.name}", hint=hints[f.name], sensible=f.metadata.get("sensible"))
        for f in fields(cls)
    ]


def by_name(parameters: Iterable[Parameter]) -> dict[str, Parameter]:
    """Return parameters by their names."""
    return {parameter.name: parameter for parameter in parameters}


def find_parameter(name: str, known: Mapping[str, Parameter]) -> Parameter:
    """Return the parameter of that name.

    Raises:
        ConfigError: there is none; the message has the nearest name.
    """
    if name not in known:
        raise ConfigError(f"{name}: there is no such parameter; {nearest(name, list(known))}")
    return known[name]


def _plain(text: str, kind: type[Any]) -> object:
    """Return a word as YAML would have it, where that matters to the field."""
    if kind is bool:
        return {"true": True, "false": False}.get(text.lower(), text)
    if kind in {int, float} and not text.endswith("%"):
        for number in (int, float) if kind is float else (int,):
            try:
                return number(text)
            except ValueError:
                continue
    return text
