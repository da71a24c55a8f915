"""The world of a run: server, terminal, journal, other hands, and the process that gets killed."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np

from mtquant.exchange import OrderRequest
from mtquant.model import (
    BotIdentity,
    Filling,
    Publish,
    Reason,
    RetryableError,
    Side,
    WrongAccountError,
)
from mtquant.terminal.simulated import SimulatedServer
from mtquant.terminal.simulated.faults import FaultKind, Faults, FaultyTerminal
from simulation.bot import Bot, Parts
from simulation.checks import UPHELD, Violation
from simulation.journal import DurableJournal
from simulation.schedule import HEALING_STEPS, HOME, LAST_STEPS, Schedule
from simulation.trouble import (
    LEVELS,
    BotClock,
    Breakdowns,
    Caller,
    DiskFullError,
    Executioner,
    Killed,
    PowerLost,
    Room,
    Sleeper,
)
from simulation.witness import OURS, Witness

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from mtquant.exchange import Book, Execution, Request
    from mtquant.terminal.simulated.records import Task

_BLINDING = (FaultKind.LINK_LOSS, FaultKind.SERVER_LOSS, FaultKind.ACCOUNT_SWITCH)
_OTHER_PROGRAMS = (0, 777, BotIdentity(bot=2).intent_id(1))


class WatchedServer(SimulatedServer):
    """Show the witness what the bot's requests bring."""

    def __init__(self, schedule: Schedule, faults: Faults, witness: Witness) -> None:
        self._witness = witness
        super().__init__(schedule.market(), director=faults)

    @property
    def late(self) -> Sequence[Any]:
        """Return what is due later: (when, (login, task))."""
        return self._late

    def execute(self, request: Request, login: int | None = None) -> Execution:
        """Carry out a request of the bot."""
        self._witness.arrived(request, HOME if login is None else login)
        self._witness.stops.see(self.book)
        done = super().execute(request, login)
        self._witness.stops.see(self.book)
        return done

    def execute_later(self, request: Request, login: int, due_ms: int) -> None:
        """Take in a request of the bot."""
        self._witness.arrived(request, login)
        super().execute_later(request, login, due_ms)

    def by_hand(self, request: OrderRequest) -> Execution:
        """Carry out a request of somebody else."""
        self._witness.stops.see(self.book)
        return super().execute(request, HOME)

    def _apply(self, book: Book, task: Task) -> None:
        self._witness.stops.see(self.book)
        super()._apply(book, task)


class Wire(FaultyTerminal):
    """Be the terminal; the process may end at every call, and before and after every send."""

    def __init__(self, server: WatchedServer, faults: Faults, world: World) -> None:
        super().__init__(server, faults)
        self._world = world

    def begin(self, name: str) -> bool:
        """Begin a call."""
        if name != "terminal_info":  # it goes with account_info, and has no draws of its own
            self._world.pass_by(f"call: {name}")
        if name != "order_send":
            self._world.break_down(name)
        return super().begin(name)

    def account_info(self) -> Any:
        """Return an AccountInfo."""
        info = super().account_info()
        if info is not None:
            minor = round(100 * info.equity), round(100 * info.margin)
            self._world.witness.entries.shown_account(*minor)
        return info

    def positions_get(self, *args: Any, **kwargs: Any) -> Any:
        """Return the open positions."""
        witness, faults = self._world.witness, self._world.faults
        if not any(map(faults.on, _BLINDING)):
            witness.read_ms = self._world.server.now_ms
        answer = super().positions_get(*args, **kwargs)
        witness.is_blind = bool(faults.on(FaultKind.SERVER_LOSS))
        return answer

    def symbol_info_tick(self, symbol: str, /) -> Any:
        """Return the latest Tick."""
        tick = super().symbol_info_tick(symbol)
        if tick is not None and tick.bid == tick.bid and tick.ask == tick.ask:
            spread = round((tick.ask - tick.bid) * 10 ** self._digits(symbol))
            self._world.witness.shown(symbol, self._clock.to_utc_ms(tick.time_msc), spread)
        return tick

    def order_send(self, *args: Any, **kwargs: Any) -> Any:
        """Send a trade request."""
        world, request = self._world, args[0]
        world.is_near_send = False  # from here on it is the terminal's
        self._notice()
        world.executioner.pass_by("send: before", is_order=True)
        world.tell(f"send {sorted(request.items())}")
        world.witness.sent(request, self._logon.book.account_spec.login)
        world.break_down("order_send", is_send=True)
        answer = super().order_send(*args, **kwargs)
        world.break_down("order_send", is_send=True)
        said = self.last_error() if answer is None else (answer.retcode, answer.volume)
        world.tell(f"answer {said}")
        world.executioner.pass_by("send: after", is_order=True)
        return answer


@dataclass(kw_only=True)
class Outcome:
    """Hold how a run ended."""

    seed: int
    violations: list[Violation]
    digest: str
    steps: int
    kills: dict[str, int]
    strikes: dict[str, int]
    sends: int
    calls: int
    sleeps: int
    jumps: int
    breaker_steps: list[tuple[int, int]]
    parts_cut: int
    lines: list[str] = field(default_factory=list)


class World:
    """Play one schedule to its end, or to the first violation that nothing excuses."""

    def __init__(
        self,
        schedule: Schedule,
        parts: Parts | None = None,
        *,
        active: frozenset[str] = UPHELD,
        keeps_lines: bool = False,
        journal_path: Path | None = None,
    ) -> None:
        self.schedule = schedule
        self._parts = parts or Parts()
        self._hash = sha256()
        self._secret = schedule.venue.account.password
        self._keeps_lines = keeps_lines
        self._lines: list[str] = []
        self.witness = Witness(schedule, active)
        self.executioner = Executioner(schedule.seed, schedule.hands)
        self._caller = Caller(schedule.seed, schedule.hands)
        self.sleeper = Sleeper(schedule.seed, schedule.hands)
        self.breakdowns = Breakdowns(schedule.seed, schedule.hands)
        self.room = Room(schedule.seed, schedule.hands)
        self.is_near_send = False
        self.journal = DurableJournal(self, journal_path, self._parts.journal)
        self.faults = Faults(schedule.faults)
        self.server = WatchedServer(schedule, self.faults, self.witness)
        self._alarms = list(self.faults.alarms)
        self.clock = BotClock(schedule.seed, schedule.hands, self.server)
        self.witness.attend(self)
        self._terminal = Wire(self.server, self.faults, self)
        self._start_ms = self.server.now_ms
        self._rng = np.random.default_rng([schedule.seed, 3])
        self._bot: Bot | None = None
        self._rests = 0
        self.is_healing = False

    def pass_by(self, point: str, *, is_order: bool = False) -> None:
        """Come to a point between two deeds of the process.

        Raises:
            Killed: it ends there.
        """
        if not self.is_healing:
            near = self.is_near_send
            self._caller.pass_by(point, self.journal, self.clock.now_ms(), is_near_send=near)
            # inside of the call nothing of ours runs: no look can be later
            is_ours = point != "call: order_send"
            slept_ms = is_ours and self.sleeper.pass_by(point, self.server, is_near_send=near)
            if slept_ms:
                self.tell(f"slept {slept_ms} at {point}")
            self.executioner.pass_by(point, is_order=is_order)

    def break_down(self, call: str, *, is_send: bool = False) -> None:
        """Come to a call that may raise.

        Raises:
            Exception: it does.
        """
        if self.is_healing:
            return
        try:
            self.breakdowns.pass_by(call, is_send=is_send)
        except Exception as problem:
            self.tell(f"raised {problem!r}")
            raise

    def tell(self, line: str) -> None:
        """Write a line of the event log."""
        line = f"{self.witness.step} {self.server.now_ms - self._start_ms} {line}"
        self._hash.update(line.encode())
        if self._secret in line:
            self.witness.note("I16.secret", line.replace(self._secret, "***"))
        if self._keeps_lines:
            self._lines.append(line)

    def run(self) -> Outcome:
        """Play the steps, then heal and conclude."""
        try:
            return self._run()
        finally:
            self.journal.close()

    def _run(self) -> Outcome:
        for _ in range(self.schedule.steps):
            if not self._step(self._play):
                return self._outcome()
        self._heal()
        for _ in range(HEALING_STEPS):
            if not self._step(self.server.step):
                return self._outcome()
        if self._bot is not None:  # money paid in is read with the next order, or by a new process
            self._end(self._bot, 0)
        for _ in range(LAST_STEPS):
            if not self._step(self.server.step):
                return self._outcome()
            if not self.witness.standing_under_halt():
                break
        self.witness.conclude(self._bot)
        return self._outcome()

    def _step(self, play: Callable[[], Any]) -> bool:
        self.witness.step += 1
        play()
        self._let_look()
        self.witness.look(self._bot)
        return not self.witness.is_over

    def _play(self) -> None:
        draws = self._rng.random(8).tolist()
        if draws[0] < 0.6:
            self.server.step()
        else:
            pause_ms = (500, 2_000, 7_000)[int(draws[1] * 3)]
            self.server.wait_until(self.server.now_ms + pause_ms)
        if self.clock.pass_step():
            self.tell(f"clock off by {self.clock.off_ms}")
        self.room.pass_step()
        self._halt(draws[2], draws[3])
        self._trade_by_hand(draws[4], draws[5])
        if self._bot is not None and draws[6] < self.schedule.hands.stops:
            self.executioner.kills["between looks"] = (
                self.executioner.kills.get("between looks", 0) + 1
            )
            self._end(self._bot, int(draws[7] * 10))

    # ------------------------------------------------------------------ the process

    def _let_look(self) -> None:
        if self._bot is None:
            if self._rests > 0:
                self._rests -= 1
                return
            self.tell("start")
            self.journal.reopen()
            self._bot = self._new_bot()
        try:
            self._bot.look()
        except Killed as point:
            self.tell(f"killed {point}")
            if isinstance(point, PowerLost):
                self.journal.lose_power()
            self._end(self._bot, int(self._rng.integers(0, 6)))
        except (RetryableError, WrongAccountError, DiskFullError) as problem:
            self.tell(f"ended {problem}")
            self._end(self._bot, int(self._rng.integers(1, 4)))
        except Exception as problem:  # noqa: BLE001 - whatever it is, the process is over
            self.witness.note("end", f"{type(problem).__name__}: {problem}")

    def _new_bot(self) -> Bot:
        self.clock.restart()
        return Bot(
            self.schedule,
            self._parts,
            terminal=self._terminal,
            journal=self.journal,
            clock=self.clock.process,
            subscriber=self._hear,
            may_speak=lambda: not self.is_healing,
        )

    def _end(self, bot: Bot, rests: int) -> None:
        bot.kill()
        self.is_near_send = False
        self._bot, self._rests = None, 0 if self.is_healing else rests

    def _hear(self, one: Publish) -> None:
        self.tell(f"note {one.name} {one.correlation_id} {sorted(one.fields.items())}")
        self.witness.published(one)

    def _heal(self) -> None:
        self.tell("heal")
        self.is_healing = self.executioner.is_off = self.room.is_there = True
        self.witness.healed_ms = self.server.now_ms
        self.faults.alarms.clear()

    # ------------------------------------------------------------------ other hands

    def _halt(self, chance: float, which: float) -> None:
        hands = self.schedule.hands
        if self.journal.pending_halts():
            return
        level = self.journal.halt_level()
        stands = level or self.journal.breaker_level
        if not level and chance < hands.halts:
            level = LEVELS[int(which * len(LEVELS))]
            self.journal.request_halt(level, "a person", "test", self.server.now_ms)
        elif stands and chance < hands.resumes:
            self.journal.request_halt(0, "a person", "test", self.server.now_ms)

    def _trade_by_hand(self, chance: float, which: float) -> None:
        hands = self.schedule.hands
        if chance < hands.others_trade:
            symbol = self.schedule.symbols[int(which * len(self.schedule.symbols))]
            instrument = self.schedule.venue.instrument(symbol)
            magic = _OTHER_PROGRAMS[int(which * 97) % len(_OTHER_PROGRAMS)]
            side = Side.BUY if int(which * 997) % 2 else Side.SELL
            self._order(symbol, side, instrument.volume_min_units * 3, magic)
        elif chance < hands.others_trade + hands.others_close:
            others = [p for p in self.server.book.open_positions if not OURS.owns(p.magic)]
            if others:
                one = others[int(which * len(others))]
                self._order(one.symbol, Side(-one.side), one.units, one.magic, one.ticket)

    def _order(self, symbol: str, side: Side, units: int, magic: int, ticket: int = 0) -> None:
        quote = self.server.book.quote(symbol)
        if quote is None:
            return
        done = self.server.by_hand(
            OrderRequest(
                symbol=symbol,
                side=side,
                units=units,
                price=quote.ask_points if side is Side.BUY else quote.bid_points,
                deviation=1_000,
                filling=Filling.FOK,
                position_ticket=ticket,
                magic=magic,
                reason=Reason.EXPERT if magic else Reason.CLIENT,
            )
        )
        self.tell(f"by hand {magic} {symbol} {side.name} {units} {ticket}: {done.order_ticket}")

    def _outcome(self) -> Outcome:
        strikes: dict[str, int] = {}
        for alarm in self._alarms:
            name = alarm.spec.kind.name
            strikes[name] = strikes.get(name, 0) + alarm.struck + alarm.begun
        strikes |= {"RAISED": self.breakdowns.count, "DISK_FILLED": self.room.times}
        return Outcome(
            seed=self.schedule.seed,
            violations=self.witness.found,
            digest=self._hash.hexdigest(),
            steps=self.witness.step,
            kills=self.executioner.kills,
            strikes=strikes,
            sends=sum(self.witness.sends.values()),
            calls=self._caller.calls,
            sleeps=self.sleeper.sleeps,
            jumps=self.clock.jumps,
            breaker_steps=self.witness.risk.steps,
            parts_cut=self.witness.risk.parts_cut,
            lines=self._lines,
        )
