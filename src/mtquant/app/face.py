"""The embedded terminal for anybody's script: a market at a moment, its clock, a module's face."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from filelock import FileLock, Timeout

from mtquant.app.config import load_config
from mtquant.app.wiring import make_plan
from mtquant.app.workspace import SERVER_LOG, TERMINAL
from mtquant.model import Clock, ConfigError, SystemClock
from mtquant.terminal.simulated import (
    FileLog,
    MemoryLog,
    ServerLog,
    SimulatedServer,
    SimulatedTerminal,
    make_module,
)
from mtquant.terminal.simulated.faults import (
    Faults,
    FaultScenario,
    FaultyTerminal,
    load_faults,
)
from mtquant.terminal.simulated.records import read_record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from mtquant.app.wiring import Plan

DEFAULT_MOMENT: Final = "2017-06-01T12:00"
VARIABLES: Final = tuple(f"MTQUANT_{name}" for name in ("AT", "FACTOR", "DIR", "CONFIG", "FAULTS"))
_NEVER: Final = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceOptions:
    """Say where a script's market stands, how fast its clock goes, where its account lives.

    `faults` is a file that says what goes wrong.
    """

    at: str | None = None
    factor: float = 1.0
    folder: Path | None = None
    config: Path | None = None
    faults: Path | None = None

    def __post_init__(self) -> None:
        """Refuse a clock that runs backwards.

        Raises:
            ConfigError: the factor is negative or no number.
        """
        if not 0 <= self.factor < float("inf"):
            raise ConfigError(f"factor must be 0 or more, was {self.factor}")


class Pace:
    """Let a market follow the computer's clock from where it stands, `factor` times as fast.

    Nothing runs in the background: the market catches up when somebody calls.
    """

    def __init__(
        self, server: SimulatedServer, clock: Clock, *, start_ms: int, factor: float
    ) -> None:
        self._server, self._clock, self._factor = server, clock, factor
        self._start_ms = start_ms
        self._began_ms = clock.now_ms()

    def catch_up(self) -> None:
        """Play every tick that has come by now."""
        passed_ms = max(0, self._clock.now_ms() - self._began_ms)
        self._server.play_until(self._start_ms + int(passed_ms * self._factor))


def open_face(options: FaceOptions, clock: Clock | None = None) -> ModuleType:
    """Return a module that scripts can use as `MetaTrader5`.

    With a folder the account survives the process: its log is `terminal/server.jsonl` there.

    Raises:
        ConfigError: the moment, the configuration, the faults or the folder cannot be used.
        DataError: the log in the folder is of another market, or damaged.
    """
    scenario = None if options.faults is None else load_faults(options.faults)
    more = [] if scenario is None else [repr(scenario)]
    plan = make_plan(load_config(options.config), "terminal", *more)
    log: ServerLog = MemoryLog()
    if options.folder is not None:
        log = _open_log(options.folder, plan.fingerprint)
    faults = None if scenario is None else _faults(scenario, log)
    server = SimulatedServer(plan.market(), log, faults)
    start_ms = server.now_ms
    if options.at is not None or not server.was_restored:
        wanted_ms = _moment_ms(options.at, plan)
        start_ms = max(start_ms, wanted_ms)
    server.play_until(start_ms)
    if faults is not None and not server.was_restored:
        faults.wake(server.market)
        server.touch()
    pace = Pace(server, clock or SystemClock(), start_ms=start_ms, factor=options.factor)
    terminal = SimulatedTerminal(server) if faults is None else FaultyTerminal(server, faults)
    return make_module(terminal, before_call=pace.catch_up)


def _faults(scenario: FaultScenario, log: ServerLog) -> Faults:
    """Return the faults of a scenario, which begin where an earlier process began."""
    first = next(log.records(), None)
    since_ms = _NEVER if first is None else read_record(first).time_ms
    return Faults(scenario, since_ms)


def options_from(environment: Mapping[str, str] | None = None) -> FaceOptions:
    """Return the options that environment variables ask for.

    Raises:
        ConfigError: MTQUANT_FACTOR is no number of 0 or more.
    """
    found = os.environ if environment is None else environment
    at, factor, folder, config, faults = (found.get(name) or None for name in VARIABLES)
    try:
        number = 1.0 if factor is None else float(factor)
    except ValueError as error:
        raise ConfigError(f"MTQUANT_FACTOR must be a number, was {factor!r}") from error
    return FaceOptions(
        at=at,
        factor=number,
        folder=Path(folder) if folder else None,
        config=Path(config) if config else None,
        faults=Path(faults) if faults else None,
    )


def drop_in_folder() -> Path:
    """Return the folder that holds a package named MetaTrader5, for PYTHONPATH."""
    return Path(__file__).resolve().parent / "drop_in"


def _open_log(folder: Path, fingerprint: str) -> FileLog:
    terminal = folder / TERMINAL
    lock = FileLock(terminal / "server.lock")
    try:
        terminal.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)  # until the process ends: a second one would tear the log
    except Timeout as error:
        raise ConfigError(f"{folder}: another process runs the terminal of this folder") from error
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written ({error.strerror})") from error
    _LOCKS.append(lock)
    return FileLog(terminal / SERVER_LOG, fingerprint)


def _moment_ms(at: str | None, plan: Plan) -> int:
    times = plan.bars.time_ms
    first_ms, last_ms = int(times[0]), int(times[-1]) + plan.bars.timeframe.duration_ms - 1
    try:
        moment = datetime.fromisoformat(at or DEFAULT_MOMENT)
    except ValueError as error:
        raise ConfigError(f"at: {at!r} is no moment; write {DEFAULT_MOMENT} (UTC)") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    wanted_ms = int(moment.timestamp() * 1000)
    if at is None and not first_ms <= wanted_ms <= last_ms:
        return first_ms
    if not first_ms <= wanted_ms <= last_ms:
        first, last = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (first_ms, last_ms))
        raise ConfigError(f"at: {at} is not in the data, which goes from {first} to {last}")
    return wanted_ms


_LOCKS: Final[list[FileLock]] = []  # held until the process ends
