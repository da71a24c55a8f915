"""The journal of simulated processes: what is written outlives them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mtquant.storage import SqliteJournal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mtquant.model import Deal, HaltOrder, IntentRow, Publish
    from simulation.disk import SyncedJournal
    from simulation.world import World


class DurableJournal:
    """Survive the process: what a method has written when it returns is there for the next one.

    It stands before a journal in memory, or in a file that each process opens anew.
    """

    def __init__(self, world: World, path: Path | None, in_memory: type[SyncedJournal]) -> None:
        self._world = world
        self._path = path
        self._kept: Any = in_memory() if path is None else SqliteJournal.open(path)
        self._acknowledged: tuple[Any, ...] | None = None  # before the write that was torn
        self._rows: dict[int, IntentRow] = {}
        self.risk: dict[str, Any] = {}  # what breaker and prop rules remember
        self.flattens_all = False
        self.asked_level = 0  # what people have asked for, whether or not it was taken up

    def reopen(self) -> None:
        """Open the file as a new process does."""
        if self._path is not None:
            self._kept.close()
            self._kept = SqliteJournal.open(self._path)

    def lose_power(self) -> None:
        """Keep what was synchronised; it must be all that was acknowledged."""
        acknowledged, self._acknowledged = self._acknowledged or self._state(), None
        if self._path is None:
            self._kept.lose_power()
        if self._state() != acknowledged:
            self._world.witness.note("I2.durable", "the journal has lost a write, or a part stays")
        self._rows = {row.intent_id: row for row in self._kept.intents()}
        self.risk = json.loads(self._kept.risk_state() or "{}")

    def close(self) -> None:
        """Give the file back."""
        if self._path is not None:
            self._kept.close()

    def record_sending(self, row: IntentRow) -> None:
        """Write a new intent."""
        self._world.is_near_send = True
        self._begin("before sending", "record_sending", row, is_order=True)
        self._world.witness.journalled(row, None)
        self._kept.record_sending(row)
        self._rows[row.intent_id] = row
        intent = row.intent
        words = f"{intent.action.name} {intent.side.name} {intent.volume_units} {intent.symbol}"
        said = f"{words} position={intent.position_ticket} {intent.strategy_id} {intent.trigger}"
        self._world.tell(f"journal {row.intent_id} SENDING {said}")
        self._pass_by("after sending", is_order=True)

    def record_intents(self, rows: Sequence[IntentRow]) -> None:
        """Write where intents stand."""
        written = rows[: -(-len(rows) // 2)]  # in the middle
        self._begin("before intents", "record_intents", written, is_order=True)
        for row in rows:
            before = self.row(row.intent_id)
            if before is not None:
                self._world.witness.journalled(row, before)
            said = f"{row.state.name} filled={row.filled_units} {row.detail}"
            self._world.tell(f"journal {row.intent_id} {said}")
        self._kept.record_intents(rows)
        self._rows.update((row.intent_id, row) for row in rows)
        self._pass_by("after intents", is_order=True)

    def record_deals(self, deals: Sequence[Deal]) -> None:
        """Write deals."""
        self._begin("before deals", "record_deals", deals[: -(-len(deals) // 2)], is_record=True)
        self._kept.record_deals(deals)
        self._world.tell(f"journal deals {[deal.deal_ticket for deal in deals]}")
        self._pass_by("after deals", is_record=True)

    def record_halt(self, halt: HaltOrder) -> None:
        """Write a halt or its release."""
        self._begin("before halt", "record_halt", halt, is_order=True, is_record=True)
        self._kept.record_halt(halt)
        self.flattens_all |= halt.level == 4
        self._world.tell(f"journal halt {halt.level} by {halt.who}: {halt.reason}")
        self._pass_by("after halt", is_order=True, is_record=True)

    def note(self, one: Publish) -> None:
        """Keep an observation until the next write."""
        self._kept.note(one)

    def flush(self) -> None:
        """Write the observations that wait."""
        self._kept.flush()

    def keep_room(self) -> bool:
        """Tell whether there is room for more than exits."""
        return self._world.room.is_there and self._kept.keep_room()

    def has_room(self) -> bool:
        """Tell the same."""
        return self._world.room.is_there and self._kept.has_room()

    def request_halt(self, level: int, who: str, reason: str, now_ms: int) -> int:
        """Ask the bot to halt or to resume."""
        number: int = self._kept.request_halt(level, who, reason, now_ms)
        self.asked_level = max(self.asked_level, level) if level else 0
        self._world.tell(f"asked for halt {level}: {reason}")
        return number

    def pending_halts(self) -> list[HaltOrder]:
        """Return the requests that nobody took up."""
        found: list[HaltOrder] = self._kept.pending_halts()
        return found

    def halt_level(self) -> int:
        """Return the level that stands."""
        level: int = self._kept.halt_level()
        return level

    def record_account(self, account: str) -> None:
        """Write whose journal this is."""
        self._kept.record_account(account)

    def account(self) -> str | None:
        """Return whose journal this is."""
        found: str | None = self._kept.account()
        return found

    def record_baseline(self, baseline_minor: int) -> None:
        """Write what the deals do not explain of the balance."""
        self._begin("before baseline", "record_baseline", baseline_minor, is_record=True)
        self._kept.record_baseline(baseline_minor)
        self._pass_by("after baseline", is_record=True)

    def record_risk(self, state: str) -> None:
        """Write what breaker and prop rules remember."""
        self._begin("before risk", "record_risk", state, is_record=True)
        read = json.loads(state)
        self._world.witness.risk.recorded(self.risk, read)
        self._kept.record_risk(state)
        self.risk = read
        self._world.tell(f"journal risk {state}")
        self._pass_by("after risk", is_record=True)

    def risk_state(self) -> str | None:
        """Return what breaker and prop rules remember."""
        found: str | None = self._kept.risk_state()
        return found

    @property
    def breaker_level(self) -> int:
        """Return the breaker's level, 0 before anything is remembered."""
        level: int = self.risk.get("breaker", {}).get("level", 0)
        return level

    def baseline_minor(self) -> int | None:
        """Return what the deals do not explain of the balance."""
        found: int | None = self._kept.baseline_minor()
        return found

    def released_ms(self) -> int:
        """Return when a halt was lifted last."""
        found: int = self._kept.released_ms()
        return found

    def intents(self) -> list[IntentRow]:
        """Return every intent."""
        found: list[IntentRow] = self._kept.intents()
        return found

    def deals(self) -> list[Deal]:
        """Return every deal."""
        found: list[Deal] = self._kept.deals()
        return found

    def row(self, intent_id: int) -> IntentRow | None:
        """Return an intent by its number."""
        return self._rows.get(intent_id)

    def rows(self) -> list[IntentRow]:
        """Return all intents."""
        return list(self._rows.values())

    def open_rows(self) -> list[IntentRow]:
        """Return the intents without an outcome."""
        return [row for row in self._rows.values() if row.is_open]

    def _begin(
        self, point: str, name: str, *torn: Any, is_order: bool = False, is_record: bool = False
    ) -> None:
        """Come to a write: it may fail, and the power may go when so much of it is written."""
        self._pass_by(point, is_order=is_order, is_record=is_record)
        executioner = self._world.executioner
        executioner.write()
        if executioner.fails_in_write():
            self._acknowledged = self._state()
            if self._path is None:  # a file that nobody has committed to holds nothing of it
                self._kept.tear(name, *torn)
            executioner.lose_power(f"power: {name}")
        if not self._world.is_healing and self._world.room.pass_write():
            self._world.tell("the disk is full")

    def _state(self) -> tuple[Any, ...]:
        kept = self._kept
        halts = kept.halt_level(), kept.pending_halts(), kept.released_ms()
        facts = kept.account(), kept.baseline_minor(), kept.risk_state()
        return kept.intents(), kept.deals(), halts, facts

    def _pass_by(self, point: str, *, is_order: bool = False, is_record: bool = False) -> None:
        named = f"journal: {point}"
        self._world.pass_by(named, is_order=is_order)
        if is_record:
            self._world.executioner.pass_record(named)
