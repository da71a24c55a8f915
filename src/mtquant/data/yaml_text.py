"""YAML files of people: read strictly, refused in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from mtquant.model import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def read_yaml(path: Path) -> object:
    """Return the content of a YAML file.

    Raises:
        ConfigError: the file cannot be read, is not UTF-8, not YAML, or has a key twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: the file cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: the file is not UTF-8 text ({error.reason})") from error
    return parse_yaml(text, str(path))


def parse_yaml(text: str, where: str) -> object:
    """Return the content of a YAML text; `where` names it in messages.

    Raises:
        ConfigError: it is not YAML, or has a key twice.
    """
    try:
        # a SafeLoader with one more rule
        return yaml.load(text, Loader=_StrictLoader)  # noqa: S506  # nosec B506
    except (yaml.YAMLError, RecursionError) as error:
        problem = " ".join(str(error).split())
        raise ConfigError(f"{where}: not valid YAML: {problem}") from error


class _StrictLoader(yaml.SafeLoader):
    """Refuse a key that stands twice in one section: YAML would let the last one win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - of the base class
        seen: set[str] = set()
        for key_node, _ in node.value:
            if isinstance(key_node, yaml.ScalarNode) and key_node.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key_node.value!r} stands twice", key_node.start_mark
                )
            seen.add(str(key_node.value))
        return super().construct_mapping(node, deep)
