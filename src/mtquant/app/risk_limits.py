"""The section `risk` of a configuration: presets, a file of its own, and keys in sections."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from mtquant.data import parse_yaml, read_yaml
from mtquant.model import ConfigError
from mtquant.model.reading import nearest, read
from mtquant.risk import RiskLimits, in_sections
from mtquant.risk.coherence import require_coherent

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable
    from pathlib import Path


_SOURCES: Final = ("preset", "file")


def list_risk_presets() -> tuple[str, ...]:
    """Return the names of the shipped sets of limits."""
    found = (one.name for one in _shipped().iterdir() if one.name.endswith(".yaml"))
    return tuple(sorted(name.removesuffix(".yaml") for name in found))


def load_risk_preset(name: str) -> RiskLimits:
    """Return a shipped set of limits.

    Raises:
        ConfigError: there is none of this name.
    """
    return _coherent(_preset(name, "preset"), name)


def read_risk_limits(path: Path) -> RiskLimits:
    """Return the limits of a file, such as `config/risk-limits.yaml`.

    Raises:
        ConfigError: it is missing or says something wrong.
    """
    return _coherent(_of_file(path, str(path), ()), str(path))


def resolve_limits(raw: object, folder: Path, where: str = "risk") -> dict[str, Any]:
    """Return the keys of limits on one level: those of a preset, over them a file's, then others.

    Args:
        raw: the section as it is written; `preset` names a shipped set, `file` a YAML file.
        folder: what a relative file starts from.
        where: names the section in messages.

    Raises:
        ConfigError: a source cannot be read or names itself, or a key stands twice or in a wrong
            section.
    """
    return _resolved(raw, folder, where, ())


def _coherent(raw: Mapping[str, Any], where: str) -> RiskLimits:
    limits = read(RiskLimits, raw, where)
    try:
        require_coherent(limits)
    except ConfigError as error:
        raise ConfigError(f"{where}.{error}") from error
    return limits


def _resolved(raw: object, folder: Path, where: str, inside: tuple[Path, ...]) -> dict[str, Any]:
    """Return the keys of limits on one level; `inside` are the files that name this one."""
    if not isinstance(raw, Mapping):
        raise ConfigError(
            f"{where}: expected a section with keys such as risk_per_trade_fraction, got {raw!r}"
        )
    values: dict[str, Any] = {}
    if raw.get("preset") is not None:
        values |= _preset(str(raw["preset"]), f"{where}.preset")
    if raw.get("file") is not None:
        values |= _of_file(folder / str(raw["file"]), f"{where}.file", inside)
    own = {key: value for key, value in raw.items() if key not in _SOURCES}
    return values | in_sections(own, where)


def _of_file(path: Path, named_by: str, inside: tuple[Path, ...]) -> dict[str, Any]:
    whole = path.resolve()
    if whole in inside:
        raise ConfigError(f"{named_by}: {path} names itself, directly or through another file")
    return _resolved(read_yaml(path), whole.parent, str(path), (*inside, whole))


def _preset(name: str, where: str) -> dict[str, Any]:
    names = list_risk_presets()
    if name not in names:
        raise ConfigError(f"{where}: {name!r}; {nearest(name, list(names))}")
    text = (_shipped() / f"{name}.yaml").read_text(encoding="utf-8")
    parsed = parse_yaml(text, name)
    if not isinstance(parsed, Mapping):
        raise ConfigError(f"{name}: expected sections of limits")
    return in_sections(parsed, name)


def _shipped() -> Traversable:
    return files("mtquant.app") / "presets" / "risk"
