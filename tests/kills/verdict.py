"""The verdict: what the two files say, read from outside when no bot runs.

The journal is the bot's word, the server's file the broker's. Both are read from copies, so that
looking repairs nothing for the next life.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kills.child import BOT, END, WITNESS
from kills.scene import OURS
from mtquant.app.workspace import JOURNAL, SERVER_LOG, TERMINAL
from mtquant.model import Deal, DealEntry, DealKind, IntentAction, IntentRow, Order, Reason
from mtquant.storage import SqliteJournal
from mtquant.terminal.simulated import FileLog, SimulatedServer

if TYPE_CHECKING:
    from kills.scene import Scene

DUPLICATE, LOST, UNRESOLVED = "duplicate", "lost", "unresolved"
DISAGREES, HALT, DIED = "disagrees", "halt", "died"


@dataclass(frozen=True, slots=True)
class Finding:
    """Hold one thing that must not be."""

    kind: str
    detail: str

    def __str__(self) -> str:
        """Return it in a line."""
        return f"{self.kind}: {self.detail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Hold what journal and server said at a moment when no bot ran."""

    rows: dict[int, IntentRow]
    deals: list[Deal]
    halt_level: int
    sent: Counter[int]  # requests that reached the server, by intent
    orders: dict[int, list[Order]]  # of the bot, by intent
    booked: list[Deal]
    held: dict[int, int]  # units by ticket


def read_files(folder: Path, scene: Scene) -> Files:
    """Read a copy of a bot's folder as the next process would."""
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary) / BOT
        if (folder / BOT).is_dir():
            shutil.copytree(folder / BOT, copy)
        (copy / TERMINAL).mkdir(parents=True, exist_ok=True)
        with closing(SqliteJournal.open(copy / JOURNAL)) as journal:
            rows, deals, level = journal.intents(), journal.deals(), journal.halt_level()
        with closing(FileLog(copy / TERMINAL / SERVER_LOG, scene.fingerprint)) as log:
            requests = [record["order"] for record in log.records() if "order" in record]
            server = SimulatedServer(scene.market(), log)
    book = server.book
    orders: dict[int, list[Order]] = {}
    for order in (*book.orders(), *book.ledger.orders):
        if OURS.owns(order.intent_id) and order.reason is Reason.EXPERT:  # no stop, no target
            orders.setdefault(order.intent_id, []).append(order)
    return Files(
        rows={row.intent_id: row for row in rows},
        deals=deals,
        halt_level=level,
        sent=Counter(request["magic"] for request in requests),
        orders=orders,
        booked=list(book.ledger.deals),
        held={one.ticket: one.units for one in book.open_positions},
    )


def judge_between(files: Files) -> list[Finding]:
    """Return what must not be even while a process lies dead."""
    found = [
        Finding(DUPLICATE, f"intent {magic} reached the server {count} times")
        for magic, count in files.sent.items()
        if count > 1
    ]
    for magic, orders in files.orders.items():
        if len(orders) > 1:
            found.append(Finding(DUPLICATE, f"intent {magic} has {len(orders)} orders"))
        if magic not in files.rows:
            found.append(Finding(LOST, f"order {orders[0].order_ticket} of {magic} has no row"))
    booked = {deal.deal_ticket: deal for deal in files.booked}
    strange = (deal for deal in files.deals if booked.get(deal.deal_ticket) != deal)
    return found + [
        Finding(DISAGREES, f"deal {deal.deal_ticket} is not the server's") for deal in strange
    ]


def judge_end(folder: Path, files: Files) -> list[Finding]:
    """Return what must not be when the last life has ended in order."""
    found = [*judge_between(files), *_judge_witness(folder)]
    for row in files.rows.values():
        found += _judge_row(row, files)
    known = {deal.deal_ticket for deal in files.deals}
    missing = [deal.deal_ticket for deal in files.booked if deal.deal_ticket not in known]
    if missing:
        found.append(Finding(LOST, f"the journal lacks the deals {missing}"))
    end: dict[str, Any] = json.loads((folder / END).read_text(encoding="utf-8"))
    seen = dict(end["positions"])
    if not seen == files.held == _positions_by(files.deals):
        said = f"server {files.held}, bot {seen}, journal {_positions_by(files.deals)}"
        found.append(Finding(DISAGREES, f"positions: {said}"))
    if (files.halt_level, end["halt_level"]) != (0, 0):
        found.append(Finding(HALT, "the halt that was lifted still stands"))
    return found


def _judge_row(row: IntentRow, files: Files) -> list[Finding]:
    if row.is_open:
        return [Finding(UNRESOLVED, f"intent {row.intent_id} is {row.state.name}")]
    if row.intent.action is IntentAction.MODIFY:
        return []
    tickets = {order.order_ticket for order in files.orders.get(row.intent_id, [])}
    filled = sum(deal.volume_units for deal in files.booked if deal.order_ticket in tickets)
    if filled == row.filled_units:
        return []
    said = f"{row.state.name} with {row.filled_units}, its deals say {filled}"
    return [Finding(LOST, f"intent {row.intent_id} is {said}")]


def _judge_witness(folder: Path) -> list[Finding]:
    path = folder / WITNESS
    if not path.exists():
        return []
    notes = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    kinds = {"not journalled": LOST}
    return [Finding(kinds.get(one["what"], HALT), f"{one['what']}: {one}") for one in notes]


def _positions_by(deals: list[Deal]) -> dict[int, int]:
    """Return the units that deals leave open, by the ticket of the position."""
    units: Counter[int] = Counter()
    for deal in deals:
        if deal.kind is DealKind.TRADE:
            sign = 1 if deal.entry is DealEntry.IN else -1
            units[deal.position_ticket] += sign * deal.volume_units
    return {ticket: left for ticket, left in units.items() if left}
