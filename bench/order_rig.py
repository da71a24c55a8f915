"""A whole bot under a stopwatch: the real engine, live runner and journal, a watched terminal."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from worlds import bars_of, make_venue, stop_and_target

from mtquant.broker import BrokerSession, MT5Client
from mtquant.engine import Engine, LiveRunner, OrderMaker, StrategySlot
from mtquant.exchange import Market, Terms
from mtquant.execution import Desk
from mtquant.model import (
    BotIdentity,
    Direction,
    IntentAction,
    IntentRow,
    IntentState,
    OrderIntent,
    Publish,
    Side,
    Signal,
    Timeframe,
)
from mtquant.observe import EventLog
from mtquant.portfolio import Portfolio
from mtquant.risk import RiskEngine, RiskLimits
from mtquant.storage import SqliteJournal
from mtquant.strategy import BarsView, Series, Strategy
from mtquant.terminal.simulated import MemoryLog, SimulatedServer, SimulatedTerminal

if TYPE_CHECKING:
    from mtquant.model import Command, Deal, HaltOrder

OUR = BotIdentity()
VENUE = make_venue(deposit=1e6, sessions=("00:00-24:00",) * 7)
LIMITS = RiskLimits(
    risk_per_trade_fraction=0.001, max_positions=500, max_entries_per_minute=1_000_000
)
TENTH_OF_A_LOT = 10_000_000
JOURNAL = "journal.sqlite"


class Journal(SqliteJournal):
    """Be the journal on a disk that takes `flush_s` longer for each flush."""

    flush_s = 0.0

    def record_sending(self, row: IntentRow) -> None:
        super().record_sending(row)
        self._wait()

    def record_intents(self, rows: Sequence[IntentRow]) -> None:
        super().record_intents(rows)
        self._wait()

    def record_deals(self, deals: Sequence[Deal]) -> None:
        super().record_deals(deals)
        self._wait()

    def record_halt(self, halt: HaltOrder) -> None:
        super().record_halt(halt)
        self._wait()

    def request_halt(self, level: int, who: str, reason: str, now_ms: int) -> int:
        number = super().request_halt(level, who, reason, now_ms)
        self._wait()
        return number

    def _wait(self) -> None:
        if self.flush_s:
            time.sleep(self.flush_s)  # noqa: TID251 - the time that such a disk takes


class Timed(Engine):
    """Note when the bar was handed over that is decided on."""

    handed = 0.0

    def advance(self, series: Series, start: int, stop: int) -> tuple[int, Sequence[Command]]:
        self.handed = time.perf_counter()
        return super().advance(series, start, stop)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Hold an order: when its bar was handed over, when it was entered and answered (s)."""

    handed: float
    entered: float
    answered: float
    opens: bool


class Watched(SimulatedTerminal):
    """Note when each order comes in."""

    def __init__(self, server: SimulatedServer) -> None:
        super().__init__(server)
        self.engine: Timed | None = None
        self.sent: list[Sent] = []

    def order_send(self, *args: Any, **kwargs: Any) -> Any:
        entered = time.perf_counter()
        answer = super().order_send(*args, **kwargs)
        self.sent.append(
            Sent(
                handed=self.engine.handed if self.engine else 0.0,
                entered=entered,
                answered=time.perf_counter(),
                opens=not args[0].get("position"),
            )
        )
        return answer


class InTurn(Strategy):
    """Say in turn what a list says, one word every few bars."""

    def __init__(self, words: Sequence[Direction] = (), every: int = 1) -> None:
        super().__init__("in turn")
        self._words, self._every = words, every

    def on_bar(self, bars: BarsView) -> Signal | None:
        turn, rest = divmod(bars.index, self._every)
        if rest or not self._words:
            return None
        return self.signal(bars, self._words[turn % len(self._words)])


class Pace:
    """Let the market step, at once or every few seconds, until somebody ends it."""

    gap_ms = None  # the market waits

    def __init__(self, server: SimulatedServer, pause_s: float = 0.0) -> None:
        self._server, self._pause_s = server, pause_s
        self.is_over = False

    async def next(self) -> bool:
        if self._pause_s:
            await asyncio.sleep(self._pause_s)
        return not self.is_over and self._server.step()


class NoPace:
    """End after the first look, and note when it was over."""

    gap_ms = None
    reached = 0.0

    async def next(self) -> bool:
        self.reached = time.perf_counter()
        return False


class Face:
    """Tell a server's time."""

    def __init__(self, server: SimulatedServer) -> None:
        self._server = server

    def now_ms(self) -> int:
        return self._server.now_ms


@dataclass(kw_only=True)
class Bot:
    """Hold a bot in a folder, put together as the demo does it, on a server that may be older."""

    folder: Path
    server: SimulatedServer
    strategies: Sequence[Strategy]
    pace: Pace | NoPace
    on_note: Callable[[Publish], None] = lambda _: None
    journal: Journal = field(init=False)
    terminal: Watched = field(init=False)
    engine: Timed = field(init=False)

    def __post_init__(self) -> None:
        self.journal = Journal.open(self.folder / JOURNAL, owner="bench")
        self._events = EventLog(self.folder / "events.jsonl", "bench")
        self.terminal = Watched(self.server)
        clock = Face(self.server)
        self._client = MT5Client(make_session(self.terminal, self.server), clock)
        slots = [_slot(f"s{number}", one) for number, one in enumerate(self.strategies)]
        self.engine = Timed(slots, RiskEngine(LIMITS), Desk(OUR), Portfolio(OUR, VENUE.clock))
        self.terminal.engine = self.engine
        self._runner = LiveRunner(
            self.engine, self._client, self.journal, self.pace, clock, subscriber=self._hear
        )

    def run(self) -> None:
        """Run to the end."""
        try:
            asyncio.run(self._runner.run())
        finally:
            self._client.close()
            self._events.close()
            self.journal.close()

    def _hear(self, one: Publish) -> None:
        self._events(one)
        self.on_note(one)


def make_session(terminal: SimulatedTerminal, server: SimulatedServer) -> BrokerSession:
    """Return a session of a terminal, on the server's time."""
    return BrokerSession(terminal, ["EURUSD"], server_clock=VENUE.clock, clock=Face(server))


def make_server(bars: int) -> SimulatedServer:
    """Return a server on a market of hours that goes up and down a little."""
    prices = bars_of([110_000 + 20 * (number % 2) for number in range(bars)])
    market = Market.of_bars(VENUE, prices, np.zeros((bars, 2), dtype=np.int32))
    return SimulatedServer(market, MemoryLog())


def _slot(name: str, strategy: Strategy) -> StrategySlot:
    strategy.strategy_id = name
    orders = OrderMaker(name, Terms.of(VENUE, "EURUSD"), deviation_points=20, deadline_ms=60_000)
    series = Series("EURUSD", Timeframe.H1, 5)
    return StrategySlot(strategy, [stop_and_target(stop_points=5_000)], series, orders)


class Past:
    """Trade as a bot did that is gone: its orders stand at the broker and in a journal."""

    def __init__(self, server: SimulatedServer, strategies: int = 1) -> None:
        self._server, self._strategies = server, strategies
        self._session = make_session(SimulatedTerminal(server), server)
        self._session.connect()
        self._rows: dict[int, IntentRow] = {}  # by the ticket of their order

    def buy(self) -> int:
        """Open a position; return its ticket."""
        return self._order(IntentAction.OPEN)

    def close(self, ticket: int) -> None:
        """Close a position."""
        self._order(IntentAction.CLOSE, ticket)

    def write(self, path: Path, unresolved: int = 0) -> None:
        """Write the journal; the last entries are left without an outcome, as after a kill."""
        settled = frozenset(list(self._rows)[: len(self._rows) - unresolved])
        done = [
            row.moved(
                IntentState.DONE, row.created_ms, order_ticket=ticket, filled_units=TENTH_OF_A_LOT
            )
            for ticket, row in self._rows.items()
            if ticket in settled
        ]
        journal = SqliteJournal.open(path)
        for row in self._rows.values():
            journal.record_sending(row)
        journal.record_intents(done)
        deals = self._session.view().deals
        journal.record_deals([deal for deal in deals if deal.order_ticket in settled])
        journal.close()

    def _order(self, action: IntentAction, ticket: int = 0) -> int:
        number, now_ms = len(self._rows) + 1, self._server.now_ms
        quote = self._session.quote("EURUSD")
        intent = OrderIntent(
            strategy_id=f"s{number % self._strategies}",
            symbol="EURUSD",
            action=action,
            side=Side.BUY,
            volume_units=TENTH_OF_A_LOT,
            trigger=f"bar:{number}",
            decided_ms=now_ms,
            deadline_ms=now_ms + 60_000,
            price_points=quote.ask_points if action is IntentAction.OPEN else quote.bid_points,
            stop_loss_points=quote.bid_points - 5_000 if action is IntentAction.OPEN else None,
            deviation_points=20,
            position_ticket=ticket,
            reason="in turn",
        )
        row = IntentRow(
            intent_id=OUR.intent_id(number),
            intent=intent,
            state=IntentState.SENDING,
            comment=f"mtq{number}",
            created_ms=now_ms,
            updated_ms=now_ms,
        )
        answer = self._session.send(row)
        if not answer.order_ticket:
            raise RuntimeError(answer.detail)
        self._rows[answer.order_ticket] = row
        return answer.order_ticket
