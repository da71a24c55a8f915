"""The embedded terminal for anybody's script: a market at a moment, its clock, a module's face."""

from __future__ import annotations

import os
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from filelock import FileLock, Timeout

from mtquant.app.stage import Stage, make_stage, note_opened, opened_before
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
from mtquant.terminal.simulated.faults import Faults, FaultScenario, FaultyTerminal, load_faults
from mtquant.terminal.simulated.records import read_record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType


VARIABLES: Final = (
    "MTQUANT_AT",
    "MTQUANT_FACTOR",
    "MTQUANT_DIR",
    "MTQUANT_CONFIG",
    "MTQUANT_SIM_SCENARIO",
    "MTQUANT_FAULTS",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceOptions:
    """Say where a script's market stands, how fast its clock goes, where its account lives.

    `faults` is a file that says what goes wrong.
    """

    at: str | None = None
    factor: float = 1.0
    folder: Path | None = None
    config: Path | None = None
    scenario: str | None = None
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

    Nothing runs in the background: the market catches up when somebody calls. A market at the
    present stays there: what passes while it is made counts as well.
    """

    def __init__(
        self,
        server: SimulatedServer,
        clock: Clock,
        *,
        start_ms: int,
        factor: float,
        began_ms: int | None = None,
    ) -> None:
        self._server, self._clock, self._factor = server, clock, factor
        self._start_ms = start_ms
        self._began_ms = clock.now_ms() if began_ms is None else began_ms

    def catch_up(self) -> None:
        """Play every tick that has come by now."""
        passed_ms = max(0, self._clock.now_ms() - self._began_ms)
        self._server.wait_until(self._start_ms + int(passed_ms * self._factor))


def open_face(options: FaceOptions, clock: Clock | None = None) -> ModuleType:
    """Return a module that scripts can use as `MetaTrader5`.

    With a folder the account survives the process: its log is `terminal/server.jsonl` there.

    Raises:
        ConfigError: the moment, scenario, configuration, faults or folder cannot be used.
        DataError: the log in the folder is of another market, or damaged.
    """
    used_clock = clock or SystemClock()
    now_ms = used_clock.now_ms()
    stage = make_stage(options.scenario, options.config)
    scenario = stage.faults if options.faults is None else load_faults(options.faults)
    opening = _Opening(options, stage, scenario, used_clock, now_ms)
    if options.folder is None:
        return opening.face(None)
    folder = options.folder / TERMINAL
    lock = _lock(folder)
    with ExitStack() as on_failure:
        on_failure.callback(lock.release)
        face = opening.face(folder)
        on_failure.pop_all()
    _LOCKS.append(lock)
    return face


@dataclass(frozen=True, slots=True)
class _Opening:
    """Hold what a face is made of, all of it read."""

    options: FaceOptions
    stage: Stage
    scenario: FaultScenario | None
    clock: Clock
    now_ms: int

    def face(self, folder: Path | None) -> ModuleType:
        stage, now_ms = self.stage, self.now_ms
        opened_ms = None if folder is None else opened_before(folder)
        wanted_ms = None
        if opened_ms is None or self.options.at is not None or stage.is_present:
            wanted_ms = stage.moment_ms(self.options.at, now_ms)
        if opened_ms is None:
            opened_ms = wanted_ms or 0
        fingerprint = _fingerprint(stage.fingerprint(opened_ms), self.scenario)
        log = MemoryLog() if folder is None else _log(folder, opened_ms, fingerprint)
        market = stage.market(opened_ms, max(now_ms, wanted_ms or 0, _reached_ms(log)))
        faults = _faults(self.scenario, log)
        server = SimulatedServer(market, log, faults)
        start_ms = server.now_ms if wanted_ms is None else max(server.now_ms, wanted_ms)
        if not server.was_restored:
            start_ms = max(start_ms, opened_ms)
        server.wait_until(start_ms)
        pace = Pace(
            server,
            self.clock,
            start_ms=start_ms,
            factor=self.options.factor,
            began_ms=now_ms if start_ms == now_ms else None,
        )
        terminal = _terminal(server, faults, self.scenario)
        return make_module(terminal, before_call=pace.catch_up)


def _log(folder: Path, opened_ms: int, fingerprint: str) -> ServerLog:
    """Return the log of a folder, which also remembers when its market was opened."""
    path = folder / SERVER_LOG
    if not path.exists():
        note_opened(folder, opened_ms)  # first: a log without it would be of no market
    log = FileLog(path, fingerprint)
    if opened_before(folder) is None:
        note_opened(folder, opened_ms)
    return log


def _reached_ms(log: ServerLog) -> int:
    """Return the time an earlier process had reached, 0 where there was none."""
    last = deque(log.records(), maxlen=1)
    return read_record(last[0]).time_ms if last else 0


def _fingerprint(of_market: str, scenario: FaultScenario | None) -> str:
    if scenario is None:
        return of_market
    return sha256(f"{of_market} {scenario!r}".encode()).hexdigest()


def _faults(scenario: FaultScenario | None, log: ServerLog) -> Faults | None:
    """Return the faults that an earlier process has begun, None where there was none."""
    first = next(log.records(), None)
    if scenario is None or first is None:
        return None
    return Faults(scenario, read_record(first).time_ms)


def _terminal(
    server: SimulatedServer, begun: Faults | None, scenario: FaultScenario | None
) -> SimulatedTerminal:
    """Return a terminal; faults that have not begun do so now."""
    if scenario is None:
        return SimulatedTerminal(server)
    if begun is not None:
        return FaultyTerminal(server, begun)
    faults = Faults(scenario)
    server.employ(faults)
    return FaultyTerminal(server, faults)


def options_from(environment: Mapping[str, str] | None = None) -> FaceOptions:
    """Return the options that environment variables ask for.

    Raises:
        ConfigError: MTQUANT_FACTOR is no number of 0 or more.
    """
    found = os.environ if environment is None else environment
    at, factor, folder, config, scenario, faults = (found.get(name) or None for name in VARIABLES)
    try:
        number = 1.0 if factor is None else float(factor)
    except ValueError as error:
        raise ConfigError(f"MTQUANT_FACTOR must be a number, was {factor!r}") from error
    return FaceOptions(
        at=at,
        factor=number,
        folder=Path(folder) if folder else None,
        config=Path(config) if config else None,
        scenario=scenario,
        faults=Path(faults) if faults else None,
    )


def drop_in_folder() -> Path:
    """Return the folder that holds a package named MetaTrader5, for PYTHONPATH."""
    return Path(__file__).resolve().parent / "drop_in"


def _lock(folder: Path) -> FileLock:
    """Let no other process run the terminal of a folder."""
    lock = FileLock(folder / "server.lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)  # until the process ends: a second one would tear the log
    except Timeout as error:
        raise ConfigError(
            f"{folder.parent}: another process runs the terminal of this folder"
        ) from error
    except OSError as error:
        raise ConfigError(f"{folder.parent}: cannot be written ({error.strerror})") from error
    return lock


_LOCKS: Final[list[FileLock]] = []  # held until the process ends
