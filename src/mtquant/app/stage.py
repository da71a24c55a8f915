"""What a script's market is made of: a configuration's data, or a scenario, at a moment."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

from mtquant.app.config import load_config
from mtquant.app.wiring import Plan, make_plan
from mtquant.model import ConfigError
from mtquant.terminal.simulated import LoadedScenario, load_scenario
from mtquant.terminal.simulated.faults import FaultScenario

if TYPE_CHECKING:
    from pathlib import Path

    from mtquant.exchange import Market

DEFAULT_MOMENT: Final = "2017-06-01T12:00"
OPENED: Final = "opened.json"


class Stage(Protocol):
    """Give a market at a moment, and say which market it is."""

    @property
    def faults(self) -> FaultScenario | None:
        """Return what goes wrong in it, None for nothing."""
        ...

    @property
    def is_present(self) -> bool:
        """Tell whether the market goes on while nobody looks: it stands at the present."""
        ...

    def moment_ms(self, at: str | None, now_ms: int) -> int:
        """Return the moment that is asked for, UTC ms; None: the usual one."""
        ...

    def market(self, opened_ms: int, now_ms: int) -> Market:
        """Return the market as opened at a moment; it has played nothing."""
        ...

    def fingerprint(self, opened_ms: int) -> str:
        """Return a hash that changes whenever the market would be another one."""
        ...


@dataclass(frozen=True, slots=True)
class ConfiguredStage:
    """Play the data of a bot's configuration."""

    plan: Plan

    @property
    def faults(self) -> FaultScenario | None:
        """Return None: a bot's configuration has no faults."""
        return None

    @property
    def is_present(self) -> bool:
        """Tell whether the market goes on while nobody looks: recorded prices do not."""
        return False

    def moment_ms(self, at: str | None, now_ms: int) -> int:  # noqa: ARG002 - of a Stage
        """Return the moment that is asked for, within the data."""
        times = self.plan.bars.time_ms
        duration_ms = self.plan.bars.timeframe.duration_ms
        return _within(at, int(times[0]), int(times[-1]) + duration_ms - 1)

    def market(self, opened_ms: int, now_ms: int) -> Market:  # noqa: ARG002 - of a Stage
        """Return the market of the data."""
        return self.plan.market()

    def fingerprint(self, opened_ms: int) -> str:  # noqa: ARG002 - of a Stage
        """Return the plan's fingerprint."""
        return self.plan.fingerprint


@dataclass(frozen=True, slots=True)
class ScenarioStage:
    """Play a scenario; a made-up market stands at the present."""

    loaded: LoadedScenario

    @property
    def faults(self) -> FaultScenario | None:
        """Return the faults that the scenario states."""
        stated = self.loaded.scenario.faults
        return None if stated == FaultScenario() else stated

    @property
    def is_present(self) -> bool:
        """Tell whether the market goes on while nobody looks: a made-up one does."""
        return self.loaded.moves_with_the_calendar

    def moment_ms(self, at: str | None, now_ms: int) -> int:
        """Return the moment that is asked for; recorded prices have theirs."""
        if self.loaded.moves_with_the_calendar:
            return now_ms if at is None else _parsed(at)
        first_ms, last_ms = self.loaded.recorded_ms()
        return _within(at, first_ms, last_ms)

    def market(self, opened_ms: int, now_ms: int) -> Market:
        """Return the scenario's market; beside recorded prices it ends with them."""
        end_ms = now_ms if self.is_present else min(now_ms, self.loaded.recorded_ms()[1])
        return self.loaded.market(opened_ms, end_ms)

    def fingerprint(self, opened_ms: int) -> str:
        """Return a hash of the scenario, its prices and the moment it was opened at."""
        return self.loaded.fingerprint(opened_ms)


def make_stage(scenario: str | None, config: Path | None) -> Stage:
    """Return what is to be played.

    Raises:
        InputError: both are given, or one cannot be used.
    """
    if scenario is None:
        return ConfiguredStage(make_plan(load_config(config), "terminal"))
    if config is not None:
        raise ConfigError("give a scenario or a configuration, not both")
    return ScenarioStage(load_scenario(scenario))


def opened_before(folder: Path) -> int | None:
    """Return when the market of a folder was opened (UTC ms), None for a new folder.

    Raises:
        ConfigError: the folder's note is damaged.
    """
    path = folder / OPENED
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["opened_ms"]
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path}: this note of the market's moment is damaged") from error
    if type(found) is not int:
        raise ConfigError(f"{path}: this note of the market's moment is damaged")
    return found


def note_opened(folder: Path, opened_ms: int) -> None:
    """Remember when the market of a folder was opened."""
    written = folder / f"{OPENED}.new"
    written.write_text(json.dumps({"opened_ms": opened_ms}) + "\n", encoding="utf-8")
    written.replace(folder / OPENED)  # a kill leaves no half of it


def _within(at: str | None, first_ms: int, last_ms: int) -> int:
    wanted_ms = _parsed(at or DEFAULT_MOMENT)
    if at is None and not first_ms <= wanted_ms <= last_ms:
        return first_ms
    if not first_ms <= wanted_ms <= last_ms:
        first, last = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (first_ms, last_ms))
        raise ConfigError(f"at: {at} is not in the data, which goes from {first} to {last}")
    return wanted_ms


def _parsed(at: str) -> int:
    try:
        moment = datetime.fromisoformat(at)
    except ValueError as error:
        raise ConfigError(f"at: {at!r} is no moment; write {DEFAULT_MOMENT} (UTC)") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)
