"""From a combination to a configuration: which parameters there are, and where each goes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from mtquant.app.wiring import EXITS, find_strategy
from mtquant.model import ConfigError
from mtquant.model.reading import read
from mtquant.research.sweep import Parameter, Value, by_name, parameters_of
from mtquant.risk import RiskLimits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mtquant.app.config import BotConfig, LoadedConfig

_RISK: Final = "risk"
_EXITS: Final = "exits"


def sweepable(loaded: LoadedConfig) -> dict[str, Parameter]:
    """Return what a configuration lets vary: its strategy's parameters, its exits', its limits.

    Raises:
        ConfigError: there is no such strategy or exit.
    """
    config = loaded.config
    strategy = find_strategy(config.only_strategy.name, loaded.folder)
    found = parameters_of(strategy.Parameters)
    for name in config.exits:
        if name in EXITS:  # another one is refused where the exits are made
            found += parameters_of(EXITS[name][1], f"{_EXITS}.{name}")
    found += parameters_of(RiskLimits, _RISK)
    return by_name(found)


class Variants:
    """Make the configurations of combinations."""

    def __init__(self, loaded: LoadedConfig) -> None:
        self._config = loaded.config
        self._newest: tuple[Mapping[str, Value], BotConfig] | None = None
        self._strategy = find_strategy(loaded.config.only_strategy.name, loaded.folder)

    def check(self, combination: Mapping[str, Value]) -> None:
        """Refuse a combination whose values do not go together.

        Raises:
            ConfigError: what the class of the parameters says.
        """
        config = self.of(combination)
        read(self._strategy.Parameters, config.only_strategy.parameters, "strategy.parameters")
        for name, raw in config.exits.items():
            if raw is not self._config.exits[name]:
                read(EXITS[name][1], raw, f"{_EXITS}.{name}")

    def of(self, combination: Mapping[str, Value]) -> BotConfig:
        """Return the configuration with the values of a combination in their places.

        Raises:
            ConfigError: a limit is out of range.
        """
        if self._newest is None or self._newest[0] is not combination:
            self._newest = combination, self._made(combination)
        return self._newest[1]

    def _made(self, combination: Mapping[str, Value]) -> BotConfig:
        own: dict[str, Any] = {}
        limits: dict[str, Any] = {}
        exits: dict[str, Mapping[str, Any]] = dict(self._config.exits)
        for name, value in combination.items():
            section, _, field = name.rpartition(".")
            if not section:
                own[field] = value
            elif section == _RISK:
                limits[field] = value
            else:
                exit_name = section.removeprefix(f"{_EXITS}.")
                exits[exit_name] = {**exits[exit_name], field: value}
        base = self._config
        parameters = {**base.only_strategy.parameters, **own}
        strategy = replace(base.only_strategy, parameters=parameters)
        return replace(base, strategy=strategy, exits=exits, risk=self._limits(limits))

    def _limits(self, changes: Mapping[str, Any]) -> RiskLimits:
        if not changes:
            return self._config.risk
        try:
            return replace(self._config.risk, **changes)
        except ConfigError as error:
            raise ConfigError(f"{_RISK}.{error}") from error
