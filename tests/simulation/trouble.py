"""What meets a process between any two of its deeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from mtquant.model import JournalError, OnwardClock

if TYPE_CHECKING:
    from mtquant.terminal.simulated import SimulatedServer
    from simulation.journal import DurableJournal
    from simulation.schedule import Hands

LEVELS: Final = (1, 1, 2, 3, 4)
_SLEEPS_MS: Final = (20_000, 40_000, 90_000, 90_000, 90_000, 600_000, 600_000, 7_200_000)
_SLEEPS_AT_MOST_MS: Final = 2 * 7_200_000  # the prices last no longer
_MOST_OFF_MS: Final = 600_000
_MADE_FRACTION: Final = 0.1  # of the looks, while there is no room
_WITH_POWER: Final = 0.5  # of the kills, where the power goes at all


class Killed(BaseException):
    """End the process as kill -9 does: nothing answers it."""


class PowerLost(Killed):
    """End the process with the power: what was not synchronised is gone as well."""


class DiskFullError(JournalError):
    """The journal could not be written."""


class Odds:
    """Let something happen by chance, with one draw for each time that it does."""

    def __init__(self, rng: np.random.Generator, chance: float) -> None:
        self._rng = rng
        self._chance = chance
        self._left = self._draw()

    def strike(self) -> bool:
        """Tell whether it happens now."""
        self._left -= 1
        if self._left:
            return False
        self._left = self._draw()
        return True

    def _draw(self) -> int:
        return int(self._rng.geometric(self._chance)) if self._chance else 0


class Executioner:
    """Kill the process at chosen points, or fill its disk, by chance.

    Points at orders and points at other records (deals, halts) have odds of their own.
    """

    def __init__(self, seed: int, hands: Hands) -> None:
        self._rng = np.random.default_rng([seed, 2])
        self._disk = np.random.default_rng([seed, 4])
        self._full_disks = hands.full_disks
        self._chances = (hands.kills, hands.kills_at_orders)
        power = np.random.default_rng([seed, 10])
        self._in_writes, self._power = Odds(power, hands.power_losses), power
        self._has_power_losses = hands.power_losses > 0
        self._at_records = Odds(np.random.default_rng([seed, 7]), hands.kills_at_records)
        self._draws: list[float] = []
        self.is_off = False
        self.kills: dict[str, int] = {}

    def pass_by(self, point: str, *, is_order: bool = False) -> None:
        """Come to a point at which the process may end.

        Raises:
            Killed: it does.
        """
        if self.is_off or not self._chances[is_order]:
            return
        if not self._draws:
            self._draws = self._rng.random(512).tolist()
        if self._draws.pop() < self._chances[is_order]:
            self._kill(point)

    def pass_record(self, point: str) -> None:
        """Come to a point beside a record of deals or halts.

        Raises:
            Killed: the process ends.
        """
        if not self.is_off and self._at_records.strike():
            self._kill(point)

    def write(self) -> None:
        """Come to a write of the journal.

        Raises:
            DiskFullError: there is no room.
        """
        if not self.is_off and self._full_disks and self._disk.random() < self._full_disks:
            self.kills["disk full"] = self.kills.get("disk full", 0) + 1
            raise DiskFullError("no room")

    def fails_in_write(self) -> bool:
        """Tell whether the power goes in the middle of a write."""
        return not self.is_off and self._in_writes.strike()

    def lose_power(self, point: str) -> None:
        """End the process with the power.

        Raises:
            PowerLost: always.
        """
        self.kills[point] = self.kills.get(point, 0) + 1
        raise PowerLost(point)

    def _kill(self, point: str) -> None:
        if self._has_power_losses and self._power.random() < _WITH_POWER:
            self.lose_power(point)
        self.kills[point] = self.kills.get(point, 0) + 1
        raise Killed(point)


class Caller:
    """Ask the bot to halt or to resume, from another process: between any two of its deeds."""

    def __init__(self, seed: int, hands: Hands) -> None:
        rng = self._rng = np.random.default_rng([seed, 6])
        self._odds = Odds(rng, hands.calls), Odds(rng, hands.calls_at_sends)
        self.calls = 0

    def pass_by(
        self, point: str, journal: DurableJournal, now_ms: int, *, is_near_send: bool
    ) -> None:
        """Come to a point between two deeds of the bot."""
        if self._odds[is_near_send].strike():
            self.calls += 1
            stands = journal.asked_level or journal.halt_level()
            is_lifted = bool(stands) and self._rng.random() < 0.5
            level = 0 if is_lifted else int(self._rng.choice(LEVELS))
            where = f"{'before a send, ' if is_near_send else ''}at {point}"
            journal.request_halt(level, "a person", where, now_ms)


class Sleeper:
    """Let the process sleep between two of its deeds, while the world goes on."""

    def __init__(self, seed: int, hands: Hands) -> None:
        rng = self._rng = np.random.default_rng([seed, 8])
        self._odds = Odds(rng, hands.stalls), Odds(rng, hands.stalls_at_sends)
        self.sleeps = 0
        self.slept_ms = 0
        self.slept_at = ""  # last

    def pass_by(self, point: str, server: SimulatedServer, *, is_near_send: bool) -> int:
        """Come to a point between two deeds; return for how long it slept there, ms."""
        if not self._odds[is_near_send].strike():
            return 0
        for_ms = int(self._rng.choice(_SLEEPS_MS))
        if self.slept_ms + for_ms > _SLEEPS_AT_MOST_MS:
            return 0
        self.sleeps += 1
        self.slept_ms += for_ms
        self.slept_at = point
        server.wait_until(server.now_ms + for_ms)
        return for_ms

    @property
    def words(self) -> str:
        """Return what to say of it where something broke."""
        return "; it slept" if self.sleeps else ""


class Breakdowns:
    """Let calls of the terminal raise, as those of a bridge do whose pipe breaks."""

    def __init__(self, seed: int, hands: Hands) -> None:
        rng = self._rng = np.random.default_rng([seed, 11])
        self._odds = Odds(rng, hands.breakdowns), Odds(rng, hands.breakdowns_at_sends)
        self.count = 0

    def pass_by(self, call: str, *, is_send: bool = False) -> None:
        """Come to a call, or to its end.

        Raises:
            Exception: the call breaks; it may be of any kind.
        """
        if self._odds[is_send].strike():
            self.count += 1
            kinds = (BrokenPipeError, EOFError, SystemError, ValueError)
            raise kinds[int(self._rng.integers(len(kinds)))](f"{call} broke")


class Room:
    """Be the room on the journal's disk: a row takes what was kept, and somebody makes more."""

    def __init__(self, seed: int, hands: Hands) -> None:
        self._rng = np.random.default_rng([seed, 12])
        self._odds = Odds(self._rng, hands.fills_disk)
        self.is_there = True
        self.times = 0

    def pass_write(self) -> bool:
        """Come to a write; tell whether the disk is full from now on."""
        if not self.is_there or not self._odds.strike():
            return False
        self.is_there = False
        self.times += 1
        return True

    def pass_step(self) -> None:
        """Come to the end of a look: somebody may make room."""
        if not self.is_there:
            self.is_there = bool(self._rng.random() < _MADE_FRACTION)


class BotClock:
    """Be the clock of the bot's machine: some minutes off, and set anew now and then."""

    def __init__(self, seed: int, hands: Hands, server: SimulatedServer) -> None:
        rng = self._rng = np.random.default_rng([seed, 9])
        self._server = server
        self._odds = Odds(rng, hands.clock_jumps)
        self.off_ms = hands.clock_off_ms
        self._were_off_ms = {0, self.off_ms}
        self.jumps = 0
        self.process = OnwardClock(self)

    def restart(self) -> None:
        """Begin to tell a new process the time."""
        self.process = OnwardClock(self)

    @property
    def ahead_ms(self) -> int:
        """Return how far the time that the process knows is ahead of the server's."""
        return self.process.now_ms() - self._server.now_ms

    def now_ms(self) -> int:
        """Return what it shows."""
        return self._server.now_ms + self.off_ms

    def pass_step(self) -> bool:
        """Come to the end of a look; tell whether the clock is set now."""
        if not self._odds.strike():
            return False
        self.off_ms = int(self._rng.integers(-_MOST_OFF_MS, _MOST_OFF_MS + 1))
        self._were_off_ms.add(self.off_ms)
        self.jumps += 1
        return True

    @property
    def errors_ms(self) -> list[int]:
        """Return by how much the bot may be wrong about the server's time.

        A new process takes its clock's word; one that has learnt how far the clock is off goes by
        that until it has learnt anew.
        """
        return sorted({self.off_ms - known_ms for known_ms in self._were_off_ms})

    @property
    def words(self) -> str:
        """Return what to say of it where something broke."""
        if self.jumps:
            return "; the clock was set"
        return "; the clock is off" if self.off_ms else ""
