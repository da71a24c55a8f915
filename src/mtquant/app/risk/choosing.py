"""Limits that the command line names: of a configuration, a preset, a file, with keys set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mtquant.app.config import LoadedConfig, load_config
from mtquant.app.risk_limits import resolve_limits
from mtquant.data import parse_yaml
from mtquant.model import ConfigError
from mtquant.risk import in_sections

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """Hold a configuration with limits of its own, and a name for them."""

    name: str
    loaded: LoadedConfig


def make_variants(
    loaded: LoadedConfig,
    presets: Sequence[str] = (),
    paths: Sequence[Path] = (),
    settings: Sequence[str] = (),
) -> tuple[Variant, ...]:
    """Return a configuration as it is, and with each of the other limits in place of its own.

    Settings (`KEY=VALUE`) come on top of every other one; without any other, of its own.

    Raises:
        ConfigError: there is no such preset or file, or a key or value is wrong.
    """
    others: list[tuple[str, dict[str, Any]]] = [
        (f"preset {name}", {"preset": name}) for name in presets
    ]
    others += [(f"file {path}", {"file": str(path.resolve())}) for path in paths]
    changes = [read_setting(one) for one in settings]
    if settings and not others:
        others = [("own", dict(loaded.raw.get("risk") or {}))]
    told = "".join(f", {one}" for one in settings)
    return (
        Variant(name="own", loaded=loaded),
        *(_variant(loaded, f"{name}{told}", raw, changes) for name, raw in others),
    )


def read_setting(text: str) -> dict[str, Any]:
    """Return what `KEY=VALUE` says as a section of limits; the key may have dots.

    >>> read_setting("portfolio.max_positions=3"), read_setting("sizing.method=fixed_lots")
    ({'max_positions': 3}, {'sizing': {'method': 'fixed_lots'}})

    Raises:
        ConfigError: there is no `=`, the value is no YAML, or the key stands in a wrong section.
    """
    key, separator, value = text.partition("=")
    names = [name.strip() for name in key.split(".")]
    if not separator or not all(names):
        raise ConfigError(f"--set {text!r}: write it as KEY=VALUE, such as max_positions=3")
    found: Any = parse_yaml(value.strip(), f"--set {text}")
    for name in reversed(names):
        found = {name: found}
    return in_sections(found, f"--set {text}")


def _variant(
    loaded: LoadedConfig, name: str, raw: dict[str, Any], changes: Sequence[Mapping[str, Any]]
) -> Variant:
    values: dict[str, Any] = resolve_limits(raw, loaded.folder)
    for change in changes:
        values = _merged(values, change)
    made = load_config(raw={**loaded.raw, "risk": values}, folder=loaded.folder, where=name)
    return Variant(name=name, loaded=made)


def _merged(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(base)
    for key, value in change.items():
        below = found.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            found[key] = _merged(below, value)
        else:
            found[key] = value
    return found
