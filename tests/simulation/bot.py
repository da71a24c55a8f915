"""The process that can be killed: the real engine and runner, with strategies that decide often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zlib import crc32

from worlds import DirectClient, stop_and_target

from mtquant.broker import BrokerSession, Credentials, SymbolMapper
from mtquant.engine import Engine, LiveRunner, LossWatch, OrderMaker, StrategySlot
from mtquant.exchange import Terms
from mtquant.execution import Desk
from mtquant.model import BotIdentity, Direction, Position, Publish, Signal, Timeframe
from mtquant.portfolio import Portfolio
from mtquant.risk import RiskEngine
from mtquant.strategy import BarsView, ExitSignal, ExitStrategy, Series, Strategy, TickView
from mtquant.strategy.exits import Protection
from simulation.disk import SyncedJournal

if TYPE_CHECKING:
    from collections.abc import Generator

    from mtquant.model import Side
    from simulation.schedule import Habit, Schedule

MAPPER = SymbolMapper()
DEVIATION_POINTS = 20
_DIRECTIONS = (Direction.LONG, Direction.SHORT, Direction.LONG, Direction.SHORT, Direction.FLAT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Name the classes that a bot is made of; a mutant has another one somewhere."""

    engine: type[Engine] = Engine
    desk: Callable[[BotIdentity], Desk] = Desk
    portfolio: type[Portfolio] = Portfolio
    risk: type[RiskEngine] = RiskEngine
    runner: type[LiveRunner] = LiveRunner
    session: type[BrokerSession] = BrokerSession
    maker: type[OrderMaker] = OrderMaker
    losses: type[LossWatch] = LossWatch
    journal: type[SyncedJournal] = SyncedJournal  # where it is in memory


class Restless(Strategy):
    """Change its mind by chance, which depends on its name and the time alone.

    So it says the same after a restart.
    """

    def __init__(self, seed: int, habit: Habit, may_speak: Callable[[], bool]) -> None:
        super().__init__(habit.name)
        self._seed, self._habit, self._may_speak = seed, habit, may_speak

    def on_bar(self, bars: BarsView) -> Signal | None:
        """Return an opinion now and then."""
        direction = self._said(bars.close_ms)
        return None if direction is None else self.signal(bars, direction)

    def _said(self, time_ms: int) -> Direction | None:
        draw = crc32(f"{self._seed}:{self.strategy_id}:{time_ms}".encode())
        if draw % 1000 >= 1000 * self._habit.speaks_fraction or not self._may_speak():
            return None
        if self._habit.is_steady:
            draw = crc32(f"{self._seed}:{self.strategy_id}".encode()) % 4 * 1000  # never flat
        return _DIRECTIONS[draw // 1000 % len(_DIRECTIONS)]


class RestlessOnTicks(Restless):
    """Change its mind at ticks."""

    def on_bar(self, bars: BarsView) -> Signal | None:
        """Return nothing."""
        return None

    def on_tick(self, ticks: TickView) -> Signal | None:
        """Return an opinion now and then."""
        direction = self._said(ticks.time_ms)
        return None if direction is None else self.tick_signal(ticks, direction)


class RestlessExit:
    """Move stops, and leave, by the same chance."""

    name = "restless"
    priority = 50

    def __init__(self, seed: int, habit: Habit) -> None:
        self._seed, self._habit = seed, habit

    def on_start(self, bars: BarsView) -> None:
        """Ask for nothing."""

    def protection(self, side: Side) -> Protection:
        """Leave the protection to the other exit."""
        return Protection()

    def on_bar(self, position: Position, bars: BarsView) -> ExitSignal | None:
        """Return a stop, the end, or mostly nothing."""
        habit, ticket = self._habit, position.position_ticket
        draw = crc32(f"{self._seed}:{habit.name}:{ticket}:{bars.close_ms}".encode()) % 1000
        if draw < 1000 * habit.leaves_fraction:
            return self._signal(ticket, None)
        if draw < 1000 * (habit.leaves_fraction + habit.moves_fraction):
            distance = habit.stop_points + draw % 50
            return self._signal(ticket, bars.points.close[-1] - position.side.value * distance)
        return None

    def _signal(self, ticket: int, stop: int | None) -> ExitSignal:
        return ExitSignal(
            position_ticket=ticket,
            exit_name=self.name,
            priority=self.priority,
            reason="restless",
            stop_points=stop,
        )


class Turn:
    """Give the control back to the simulation between two looks: its pace."""

    gap_ms = None

    async def next(self) -> bool:
        """Wait for the simulation."""
        await self
        return True

    def __await__(self) -> Generator[None, None, None]:
        yield


class Bot:
    """Run the real live runner look by look, on one thread and without an event loop."""

    def __init__(
        self,
        schedule: Schedule,
        parts: Parts,
        *,
        terminal: Any,
        journal: Any,
        clock: Any,
        subscriber: Callable[[Publish], None],
        may_speak: Callable[[], bool],
    ) -> None:
        venue, account = schedule.venue, schedule.venue.account
        self.session = parts.session(
            terminal,
            schedule.symbols,
            credentials=Credentials(
                login=account.login, password=account.password, server=venue.server
            ),
            server_clock=venue.clock,
            clock=clock,
            mapper=MAPPER,
        )
        identity = BotIdentity()
        self.engine = parts.engine(
            [_slot(schedule, parts.maker, habit, may_speak) for habit in schedule.habits],
            parts.risk(schedule.limits),
            parts.desk(identity),
            parts.portfolio(identity, venue.clock),
            losses=parts.losses(schedule.limits, venue.clock, schedule.guard()),
        )
        client: Any = DirectClient(self.session, clock)
        self._runner = parts.runner(
            self.engine, client, journal, Turn(), clock, subscriber=subscriber
        )
        self._steps = self._runner.run()

    def look(self) -> None:
        """Let the process go on until it waits again; what ends it is raised."""
        self._steps.send(None)

    def kill(self) -> None:
        """End the process between two looks."""
        self._steps.close()


def _slot(
    schedule: Schedule, maker: type[OrderMaker], habit: Habit, may_speak: Callable[[], bool]
) -> StrategySlot:
    symbol = habit.symbol
    strategy = RestlessOnTicks if habit.on_ticks else Restless
    digits = schedule.venue.instrument(symbol).digits
    orders = maker(
        habit.name,
        Terms.of(schedule.venue, symbol),
        deviation_points=DEVIATION_POINTS,
        deadline_ms=60_000,
    )
    exits: list[ExitStrategy] = [
        stop_and_target(stop_points=habit.stop_points, target_points=habit.target_points),
        RestlessExit(schedule.seed, habit),
    ]
    return StrategySlot(
        strategy(schedule.seed, habit, may_speak),
        exits,
        Series(symbol, Timeframe.M1, digits),
        orders,
    )
