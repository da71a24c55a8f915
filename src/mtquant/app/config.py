"""One typed configuration, read from one YAML file, validated once."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from mtquant.app.risk.fitting import require_fitting
from mtquant.app.risk_limits import resolve_limits
from mtquant.data import SAMPLES, parse_yaml, read_yaml
from mtquant.exchange import SlippageModel, VenueSpec
from mtquant.model import ConfigError, Timeframe
from mtquant.model.reading import EnvText, nearest, read
from mtquant.risk import RiskLimits

_MOST_POINTS: Final = 2**31 - 1  # what prices and the terminal's requests hold
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSpec:
    """Say where prices come from: the shipped sample, a file of bars or ticks, stored bars."""

    sample: str | None = None
    path: str | None = None
    stored: str | None = None
    ticks: str | None = None
    clock: str = "utc"
    rounding: bool = False

    def __post_init__(self) -> None:
        """Refuse several sources, none, or a sample that does not exist.

        Raises:
            ConfigError: the message says what there is.
        """
        given = (self.sample, self.path, self.stored, self.ticks)
        if sum(source is not None for source in given) != 1:
            raise ConfigError("give exactly one of sample, path, stored and ticks")
        if self.sample is not None and self.sample not in SAMPLES:
            raise ConfigError(f"sample {self.sample!r}: {nearest(self.sample, list(SAMPLES))}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategySpec:
    """Name a strategy and its parameters; `name` is a shipped one or `module:Class`."""

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneSpec:
    """Name one of several strategies, what it trades on which bars, and its exits.

    Symbol and timeframe are those of the data where nothing else is said; the `id` names its
    intents and is made of name, symbol and timeframe unless given.
    """

    name: str
    exits: Mapping[str, Mapping[str, Any]]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    symbol: str | None = None
    timeframe: Timeframe | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionSpec:
    """Hold how orders are sent."""

    deviation_points: int = 20
    decision_deadline_s: int = 60
    bot: int = 1
    real_money: bool = False

    def __post_init__(self) -> None:
        """Refuse a deadline that has passed when it begins.

        Raises:
            ConfigError: a number is out of range.
        """
        if self.decision_deadline_s < 1:
            raise ConfigError(f"decision_deadline_s must be at least 1: {self.decision_deadline_s}")
        if self.deviation_points < 0:
            raise ConfigError(f"deviation_points must not be negative: {self.deviation_points}")
        if self.deviation_points > _MOST_POINTS:
            raise ConfigError(
                f"deviation_points must be at most {_MOST_POINTS:,}, was {self.deviation_points}"
            )
        if not 0 <= self.bot <= 4095:
            raise ConfigError(f"bot must be 0 to 4095, was {self.bot}")


@dataclass(frozen=True, slots=True, kw_only=True)
class BotConfig:
    """Hold a whole configuration: of one strategy on one source of bars, or of several."""

    data: DataSpec | tuple[DataSpec, ...]
    venue: VenueSpec
    strategy: StrategySpec | None = None
    exits: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    strategies: tuple[LaneSpec, ...] = ()
    risk: RiskLimits = field(default_factory=RiskLimits)
    slippage: SlippageModel = field(default_factory=SlippageModel)
    execution: ExecutionSpec = field(default_factory=ExecutionSpec)
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse a seed that no generator takes, and two forms of one thing.

        Raises:
            ConfigError: the seed is negative, strategies are missing or stand twice.
        """
        if self.seed < 0:
            raise ConfigError(f"seed must not be negative, was {self.seed}")
        if not self.sources:
            raise ConfigError("data: the list is empty; name at least one source")
        if self.strategy is None and not self.strategies:
            raise ConfigError("strategy: this key is required, or a list of strategies")
        if self.strategies and (self.strategy is not None or self.exits):
            raise ConfigError(
                "strategies: give the list alone; each strategy in it has its own exits"
            )
        if self.strategy is not None and len(self.sources) > 1:
            raise ConfigError(
                "strategy: there are several sources of data; write a list of strategies, each "
                "with its symbol"
            )
        require_fitting(self.risk, self.venue)

    @property
    def sources(self) -> tuple[DataSpec, ...]:
        """Return where the bars come from, in order."""
        return self.data if isinstance(self.data, tuple) else (self.data,)

    @property
    def lanes(self) -> tuple[LaneSpec, ...]:
        """Return the strategies, in order; the single one as a list of one."""
        one = self.strategy
        if one is None:
            return self.strategies
        own_id = one.name.rsplit(":", 1)[-1]
        return (LaneSpec(name=one.name, parameters=one.parameters, exits=self.exits, id=own_id),)

    @property
    def only_strategy(self) -> StrategySpec:
        """Return the strategy of a configuration that has one.

        Raises:
            ConfigError: it lists several.
        """
        if self.strategy is None:
            raise ConfigError(
                "strategies: this needs a configuration of one strategy; give it as `strategy`, "
                "with its exits beside it"
            )
        return self.strategy

    def place(self, lane: int) -> str:
        """Return what stands before the keys of a strategy, for messages."""
        return "" if self.strategy is not None else f"strategies[{lane}]."


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedConfig:
    """Hold a configuration with the dictionary it came from: secrets still as `${NAME}` in it."""

    config: BotConfig
    raw: Mapping[str, Any]
    where: str
    folder: Path

    def facts(self) -> dict[str, Any]:
        """Return what a run's folder remembers: the configuration without its secrets."""
        return {"config": _redacted(self.raw), "config_folder": str(self.folder)}

    def fingerprint(self, *more: object) -> str:
        """Return a hash of the configuration and of what else makes a run what it is."""
        return _hash([self.raw, *more])

    def told_fingerprint(self, *more: object) -> str:
        """Return the same of what `facts` tell: it can be made again without the secrets."""
        return _hash([_redacted(self.raw), *more])


def _hash(parts: list[object]) -> str:
    text = json.dumps(parts, sort_keys=True, default=str)
    return sha256(text.encode()).hexdigest()


def load_config(
    path: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    *,
    raw: Mapping[str, Any] | None = None,
    folder: Path | None = None,
    data: Path | None = None,
    where: str = "",
) -> LoadedConfig:
    """Read a configuration file, or the shipped demo when none is given.

    Args:
        path: the YAML file.
        overrides: top-level keys that replace those of the file (from the command line).
        raw: an already read dictionary, instead of a file.
        folder: what relative paths in `raw` start from.
        data: a bars file that takes the place of the configured source.
        where: names the configuration in messages, instead of its file.

    Raises:
        ConfigError: the file is missing, not YAML, or says something wrong; the message names the
            key, the value and what would be right.
    """
    where = where or (str(path) if path else "the shipped demo configuration")
    parsed = raw if raw is not None else _parsed(path, where)
    if not isinstance(parsed, dict):
        raise ConfigError(f"{where}: expected sections such as data, venue, strategy")
    wanted = {key: value for key, value in (overrides or {}).items() if value is not None}
    values = parsed | wanted
    if data is not None:
        section = parsed.get("data")
        if isinstance(section, list):
            raise ConfigError(f"{where}: data is a list; --data takes the place of one source only")
        kept = section if isinstance(section, dict) else {}
        others = {"sample", "stored", "ticks"}
        rest = {key: value for key, value in kept.items() if key not in others}
        values["data"] = rest | {"path": str(data.resolve())}
    folder = folder or (path.resolve().parent if path else Path.cwd())
    try:
        if "risk" in values:
            values = dict(values) | {"risk": resolve_limits(values["risk"], folder)}
        config = read(BotConfig, _interpolated(values, ""))
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error
    return LoadedConfig(config=config, raw=values, where=where, folder=folder)


def _redacted(value: Any, key: str = "") -> Any:
    if isinstance(value, Mapping):
        return {name: _redacted(one, str(name)) for name, one in value.items()}
    if isinstance(value, list):
        return [_redacted(one, key) for one in value]
    if key.endswith("password") and not re.fullmatch(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}", str(value)):
        return "***"
    return value


def _parsed(path: Path | None, where: str) -> object:
    if path is not None:
        return read_yaml(path)
    shipped = files("mtquant.app") / "presets" / "demo.yaml"
    return parse_yaml(shipped.read_text(encoding="utf-8"), where)


def _interpolated(value: Any, where: str) -> Any:
    """Replace `${NAME}` and `${NAME:-default}` in texts by environment variables."""
    if isinstance(value, dict):
        return {k: _interpolated(v, f"{where}.{k}" if where else str(k)) for k, v in value.items()}
    if isinstance(value, list):
        return [_interpolated(one, f"{where}[{index}]") for index, one in enumerate(value)]
    if isinstance(value, str) and _VARIABLE.search(value):
        return EnvText(_VARIABLE.sub(lambda match: _variable(match, where), value))
    return value


def _variable(match: re.Match[str], where: str) -> str:
    name, default = match.group(1), match.group(2)
    found = os.environ.get(name, default)
    if found is None:
        raise ConfigError(
            f"{where}: the environment variable {name} is not set; set it, or give a default with "
            f"${{{name}:-value}}"
        )
    return found
