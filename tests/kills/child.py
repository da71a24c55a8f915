"""The process that is killed: the real runner with real files, in lock-step with its market.

`python -m kills.child FOLDER --seed 1 --mode netting --kill "send: after@3"`. It goes on where the
files in the folder stand. At the end of the market it leaves `end.json` and exits with 0.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kills.planted import BUGS, Bug
from kills.points import TORN, Executioner, Plan, torn_passings
from kills.scene import Scene
from mtquant.app.workspace import EVENTS, JOURNAL, SERVER_LOG, TERMINAL, prepare
from mtquant.broker import Credentials, MT5Client, SymbolMapper
from mtquant.model import IntentAction, IntentRow, MarginMode, SystemClock
from mtquant.observe import EventLog
from mtquant.storage import SqliteJournal
from mtquant.terminal.simulated import FileLog, SimulatedServer, SimulatedTerminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mtquant.engine import LiveRunner
    from mtquant.model import Deal, HaltOrder

BOT, END, WITNESS = "bot", "end.json", "witness.jsonl"


class MortalJournal:
    """Stand before the journal; the process may end before, inside and after each write."""

    def __init__(self, journal: SqliteJournal, executioner: Executioner) -> None:
        self._journal = journal
        self._executioner = executioner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    def record_sending(self, row: IntentRow) -> None:
        """Write a new intent."""
        with self._executioner.writing("sending"):
            self._journal.record_sending(row)

    def record_intents(self, rows: Sequence[IntentRow]) -> None:
        """Write where intents stand."""
        with self._executioner.writing("intents"):
            self._journal.record_intents(rows)

    def record_deals(self, deals: Sequence[Deal]) -> None:
        """Write deals."""
        with self._executioner.writing("deals"):
            self._journal.record_deals(deals)

    def record_halt(self, halt: HaltOrder) -> None:
        """Write a halt or its release."""
        with self._executioner.writing("halt"):
            self._journal.record_halt(halt)


class Witness:
    """Look at the journal through a connection of its own whenever a request reaches the server.

    Such a connection sees what is committed and nothing else.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._journal: SqliteJournal | None = None

    def arrived(self, request: dict[str, Any]) -> None:
        """Note a request that has no open row, or enters while a halt is asked for or stands."""
        if self._journal is None:
            self._journal = SqliteJournal.attach(self._folder / BOT / JOURNAL)
        rows = self._journal.intents()
        if "stops" in request:
            ticket = request["stops"]["position_ticket"]
            found = [r for r in rows if r.is_open and r.intent.position_ticket == ticket]
        else:
            magic = request["order"]["magic"]
            found = [row for row in rows if row.is_open and row.intent_id == magic]
        if not found:
            self._note("not journalled", request)
        elif found[0].intent.action is IntentAction.OPEN:
            asked = [halt.level for halt in self._journal.pending_halts()]
            if self._journal.halt_level() or any(asked):
                self._note("entered while halted", request)

    def _note(self, what: str, request: dict[str, Any]) -> None:
        with (self._folder / WITNESS).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"what": what, "request": request}) + "\n")


class MortalLog(FileLog):
    """Keep the server's log; the process may end in the middle of a record and after it."""

    def __init__(
        self, path: Path, fingerprint: str, executioner: Executioner, witness: Witness
    ) -> None:
        self._place, self._executioner, self._witness = path, executioner, witness
        super().__init__(path, fingerprint)

    def write(self, record: dict[str, Any]) -> None:
        """Append one record."""
        is_request = "order" in record or "stops" in record
        if is_request:
            self._witness.arrived(record)
            self._executioner.tear("server: torn", self._place, json.dumps(record).encode())
        super().write(record)
        self._executioner.pass_by("server: appended" if is_request else "server: clock")


class MortalTerminal(SimulatedTerminal):
    """Be the terminal; the process may end at every call, and around every send."""

    def __init__(self, server: SimulatedServer, executioner: Executioner) -> None:
        super().__init__(server)
        self._executioner = executioner

    def begin(self, name: str) -> bool:
        """Begin a call."""
        self._executioner.pass_by("call")
        return super().begin(name)

    def order_send(self, *args: Any, **kwargs: Any) -> Any:
        """Send a trade request."""
        self._executioner.pass_by("send: before")
        answer = super().order_send(*args, **kwargs)
        self._executioner.pass_by("send: after")
        return answer


class Life:
    """Be one process of the bot, from its start to the end of the market."""

    gap_ms = None

    def __init__(self, folder: Path, scene: Scene, bug: Bug, executioner: Executioner) -> None:
        self._folder, self._scene = folder, scene
        self._executioner = executioner
        workspace = prepare(folder / BOT, scene.fingerprint, {"kind": "kills"})
        self._journal = SqliteJournal.open(
            workspace.path(JOURNAL),
            owner="kills",
            now_ms=SystemClock().now_ms(),
            lock=workspace.lock,
        )
        path = workspace.path(TERMINAL) / SERVER_LOG
        self._log = MortalLog(path, scene.fingerprint, executioner, Witness(folder))
        self._server = SimulatedServer(scene.market(), self._log)
        executioner.spares = self._is_quiet
        account = scene.venue.account
        session = bug.parts.session(
            MortalTerminal(self._server, executioner),
            scene.symbols,
            credentials=Credentials(
                login=account.login, password=account.password, server=scene.venue.server
            ),
            server_clock=scene.venue.clock,
            clock=self,
            mapper=SymbolMapper(),
        )
        self._client = MT5Client(session, self)
        self._engine = scene.engine(bug.parts, lambda: not self._is_quiet())
        self._events = EventLog(workspace.path(EVENTS), "kills")
        journal: Any = bug.journal(MortalJournal(self._journal, executioner))
        self._runner: LiveRunner = bug.parts.runner(
            self._engine, self._client, journal, self, self, subscriber=self._events
        )

    def now_ms(self) -> int:
        """Return the server's time: the bot's clock."""
        return self._server.now_ms

    async def next(self) -> bool:
        """Step the market, and let the person ask for a halt: the bot's pace."""
        stepped = self._server.step()
        wanted, journal = self._scene.wanted_halt(self._server.now_ms), self._journal
        if wanted != journal.halt_level() and not journal.pending_halts():
            journal.request_halt(wanted, "a person", "kills", self._server.now_ms)
        return stepped

    def run(self) -> None:
        """Run to the end of the market, and say how the bot sees it."""
        try:
            asyncio.run(self._runner.run())
        finally:
            self._client.close()
        held = self._engine.portfolio.positions
        log = self._folder / BOT / f"{JOURNAL}-wal"
        passings = self._executioner.passings | {TORN: torn_passings(log.stat().st_size)}
        end = {
            "positions": sorted((one.position_ticket, one.volume_units) for one in held),
            "halt_level": self._engine.risk.halt_level,
            "passings": passings,
        }
        self._journal.close()
        (self._folder / END).write_text(json.dumps(end), encoding="utf-8")

    def _is_quiet(self) -> bool:
        return self._server.now_ms >= self._scene.quiet_ms


def main(arguments: list[str] | None = None) -> int:
    """Live until killed, or until the market ends."""
    parser = argparse.ArgumentParser(prog="kills.child", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--mode", choices=["netting", "hedging"], required=True)
    parser.add_argument("--kill", type=Plan.parse, metavar="POINT@PASSING")
    parser.add_argument("--bug", choices=sorted(BUGS), default="none")
    chosen = parser.parse_args(arguments)
    executioner = Executioner(chosen.kill)
    executioner.attend(chosen.folder / BOT)
    scene = Scene(chosen.seed, MarginMode(chosen.mode))
    Life(chosen.folder, scene, BUGS[chosen.bug], executioner).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
