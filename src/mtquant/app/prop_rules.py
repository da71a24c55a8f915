"""The rule sets of prop firms that are shipped, and those of people's own files."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mtquant.data import parse_yaml, read_yaml
from mtquant.model import ConfigError
from mtquant.model.reading import nearest, read
from mtquant.risk.prop import PropRules

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_SUFFIX: Final = ".yaml"


def list_prop_rules() -> tuple[str, ...]:
    """Return the names of the shipped rule sets, such as ftmo-2-step, in alphabetical order."""
    names = (file.name for file in _shipped().iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)))


def load_prop_rules(name: str | Path) -> PropRules:
    """Return a shipped rule set by its name, or one of a YAML file by its path.

    A text that ends in .yaml or .yml, or holds a slash, is a path.

    Raises:
        ConfigError: there is no such rule set or file, or a key in it is wrong; the message names
            the file, the key, the value and what would be right.
    """
    if isinstance(name, Path) or _is_path(name):
        return _read(read_yaml(Path(name)), str(name))
    known = list_prop_rules()
    if name not in known:
        raise ConfigError(f"prop rules {name!r}: {nearest(name, list(known))}")
    text = (_shipped() / f"{name}{_SUFFIX}").read_text(encoding="utf-8")
    return _read(parse_yaml(text, name), name)


def _is_path(name: str) -> bool:
    return name.endswith((_SUFFIX, ".yml")) or "/" in name or "\\" in name


def _read(raw: object, where: str) -> PropRules:
    try:
        return read(PropRules, raw)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error


def _shipped() -> Traversable:
    return files("mtquant.app") / "presets" / "prop"
