"""A client that trades on a terminal with faults; as a program it writes what it has seen."""

import json
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any, ClassVar

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from terminals import deal, pending
from worlds import bars_of, make_venue

from mtquant.exchange import AccountSpec, Market, VenueSpec
from mtquant.model import MarginMode
from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated import FileLog, SimulatedServer
from mtquant.terminal.simulated.faults import (
    FaultKind,
    FaultRates,
    Faults,
    FaultScenario,
    FaultSpec,
    FaultyTerminal,
    Latency,
)

BARS = bars_of([110_000 + 40 * (i % 5) - 25 * (i % 3) for i in range(40)], wick=20)
ALL = (0, 2**31 - 1)


def rates_of(chance: float, **more: Any) -> FaultRates:
    """Return rates at which everything goes wrong."""
    names = [one.name for one in fields(FaultRates) if one.name.endswith("_fraction")]
    return FaultRates(**(dict.fromkeys(names, chance) | more))


RATES = rates_of(0.04, for_ms=7_200_000, delay_ms=4_000_000, link_loss_fraction=0.01)


def scenario_of(seed: int) -> FaultScenario:
    """Return a scenario in which all kinds of faults strike now and then, some between ticks."""
    listed = (
        FaultSpec(kind=FaultKind.BALANCE, after_ms=10_100_000, amount=50.0),
        FaultSpec(kind=FaultKind.MANUAL_TRADE, after_ms=10_100_000),
        FaultSpec(kind=FaultKind.SERVER_LOSS, after_ms=20_300_000, for_ms=3_000_000),
        FaultSpec(kind=FaultKind.LATE, nth=9, times=4, delay_ms=500_000 + seed),
        FaultSpec(kind=FaultKind.LINK_LOSS, after_ms=40_200_000, for_ms=5_100_000),
        FaultSpec(kind=FaultKind.STRIPPED_STOP, after_ms=50_700_001),
        FaultSpec(kind=FaultKind.CACHE_LAG, after_ms=60_700_000, for_ms=9_000_000, ticks=3),
    )
    latency = Latency(at_most_ms=2_000_000)
    return FaultScenario(seed=seed, faults=listed, rates=RATES, latency=latency)


def venue() -> VenueSpec:
    """Return a venue with a hedging and a netting account."""
    netting = AccountSpec(login=1000002, password="two", margin_mode=MarginMode.NETTING)
    usual = make_venue()
    return VenueSpec(account=usual.account, more_accounts=(netting,), instruments=usual.instruments)


def state(server: SimulatedServer) -> tuple:
    """Return all that a server knows."""
    books = tuple(
        (
            (book.account(), book.credit_minor, book.positions(), book.orders()),
            (tuple(book.ledger.orders), tuple(book.ledger.deals)),
        )
        for book in server.market.books.values()
    )
    tickets = server.book.ledger.tickets
    late = tuple(server._late)
    return server.market.bar, server.market.step, tickets.next_order, tickets.next_deal, late, books


class Watched(SimulatedServer):
    """Remember the state after every step and request, by the size of the file."""

    states: ClassVar[dict[int, tuple]] = {}

    def __init__(self, path: Path, log: FileLog, faults: Faults) -> None:
        self.path = path
        still = np.zeros((len(BARS), 2), dtype=np.int32)
        super().__init__(Market.of_bars(venue(), BARS, still), log, faults)

    def remember(self) -> None:
        self.states[self.path.stat().st_size] = state(self)

    def _carry_out_effects(self) -> None:
        before = self.path.stat().st_size
        super()._carry_out_effects()
        if self.path.stat().st_size > before:
            self.remember()

    def touch(self) -> None:
        super().touch()
        self.remember()

    def execute(self, request: Any, login: Any = None) -> Any:
        answer = super().execute(request, login)
        self.remember()
        return answer

    def run_short(self, scarcity: Any, login: Any = None) -> None:
        super().run_short(scarcity, login)
        self.remember()

    def execute_later(self, request: Any, login: Any, due_ms: int) -> None:
        super().execute_later(request, login, due_ms)
        self.remember()

    def note_sent(self, struck: int) -> None:
        super().note_sent(struck)
        self.remember()


def request_of(number: int, positions: Any) -> dict[str, Any]:
    """Return the request of a turn."""
    if positions and number % 3 == 0:
        one = positions[number % len(positions)]
        close = {"position": one.ticket, "volume": one.volume, "type": 1 - one.type}
        return deal(**close, magic=number)
    if positions and number % 5 == 0:
        one = positions[-1]
        action = {"action": mt5.TRADE_ACTION_SLTP, "position": one.ticket, "symbol": one.symbol}
        return action | {"sl": round(one.price_open - 0.001, 5)}
    if number % 4 == 0:
        return pending(price=1.0995, magic=number)
    return deal(magic=number, type=number % 2, sl=0.0, volume=0.1 * (1 + number % 3))


class Run:
    """Hold a client, its terminal and the server behind it."""

    def __init__(self, folder: Path, scenario: FaultScenario) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "log.jsonl"
        self.log = FileLog(path, "print")
        faults = Faults(scenario)
        self.server = Watched(path, self.log, faults)
        self.terminal = FaultyTerminal(self.server, faults)
        self.terminal.initialize()
        self.seen: list[str] = []

    def turn(self, number: int) -> None:
        """Look, trade at every other turn, and let the next tick come."""
        terminal = self.terminal
        if number % 7 == 0:
            terminal.initialize(login=1000001)
        positions = terminal.positions_get() or ()
        answers = [positions, terminal.symbol_info_tick("EURUSD")]
        if number % 2:
            answers.append(terminal.order_send(request_of(number, positions)))
        answers += [terminal.last_error(), terminal.account_info(), terminal.orders_get()]
        answers.append(terminal.history_deals_get(*ALL))
        self.seen += [repr(one) for one in answers]
        if number % 3 == 0:
            self.server.wait_until(self.server.now_ms + 200_000 + number)
        else:
            self.server.step()

    def close(self) -> None:
        """End the process, as far as the log can tell."""
        self.log.close()


def play_all(folder: Path, scenario: FaultScenario, turns: int = 300) -> list[str]:
    """Trade until the end of the data; return what was seen."""
    Watched.states = {}
    run = Run(folder, scenario)
    for number in range(turns):
        run.turn(number)
    run.close()
    return run.seen


if __name__ == "__main__":
    into = Path(sys.argv[1])
    into.mkdir(parents=True)
    found = play_all(into, scenario_of(int(sys.argv[2])))
    (into / "seen.json").write_text(json.dumps(found))
