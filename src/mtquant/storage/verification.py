"""Whether a journal's tables are what its log comes to, and its schema the one that is made."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

from mtquant.model import DataError, HaltOrder, IntentRow, JournalError
from mtquant.storage.chain import FIRST, META, OPENED, OWNER, REQUESTED, body_of, checked
from mtquant.storage.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mtquant.storage.chain import LogRow

    Select = Callable[[str], Iterator[tuple[Any, ...]]]

_SCHEMA: Final = "select type, name, tbl_name, sql from sqlite_master"
_ABOUT_ITSELF: Final = tuple(f'{{"name":"{name}"' for name in (META, OPENED, REQUESTED))


def verified(log: Iterable[LogRow], select: Select) -> tuple[int, str]:
    """Hold a log against its hashes, and all that `select` finds against the log.

    Returns:
        how many rows the log has, and the hash of the last one.

    Raises:
        JournalError: something was changed, taken out or put in afterwards.
    """
    require_schema(select)
    told = _Told()
    count, last = 0, FIRST
    for row in checked(log):
        count, last = row.sequence, row.hash
        try:
            told.take(row)
        except (DataError, LookupError, TypeError, ValueError) as error:
            raise JournalError(f"log row {row.sequence} cannot be read ({error})") from error
    told.require(select)
    return count, last


def require_schema(select: Select) -> None:
    """Refuse tables, indexes, triggers and views that are not those of this version.

    A trigger can undo what is written, and without its keys a table holds a decision twice.

    Raises:
        JournalError: one was changed, taken out or put in; it names the first one.
    """
    made = _schema()
    found = {(kind, name): rest for kind, name, *rest in select(_SCHEMA)}
    for kind, name in sorted(made.keys() | found.keys(), reverse=True):  # tables before indexes
        if (kind, name) not in made:
            raise JournalError(f"the {kind} {name} is not one of a journal's")
        if (kind, name) not in found:
            raise JournalError(f"the {kind} {name} is missing")
        if found[kind, name] != made[kind, name]:
            raise JournalError(f"the {kind} {name} is not the one that a journal has")


@cache
def _schema() -> dict[tuple[str, str], list[Any]]:
    with closing(sqlite3.connect(":memory:")) as empty:
        empty.executescript(TABLES)
        return {(kind, name): rest for kind, name, *rest in empty.execute(_SCHEMA)}


@dataclass(slots=True)
class _Told:
    """Hold what a log comes to: what must stand in the other tables."""

    intents: dict[int, bytes] = field(default_factory=dict)
    deals: dict[int, tuple[int, bytes]] = field(default_factory=dict)
    halts: list[HaltOrder] = field(default_factory=list)
    requests: list[HaltOrder] = field(default_factory=list)
    meta: dict[str, str] = field(default_factory=dict)

    def take(self, row: LogRow) -> None:
        """Take the next row of the log in."""
        if row.kind == "intent":
            self.intents[row.intent_id] = _digest(row.body)
        elif row.kind == "deal":
            deal = row.record()
            booked = int(deal["time_ms"]), _digest(row.body)
            self.deals.setdefault(int(deal["deal_ticket"]), booked)
        elif row.kind == "halt":
            self.halts.append(HaltOrder.from_dict(row.record()))
        elif row.body.startswith(_ABOUT_ITSELF):
            self._take_note(row.record())

    def _take_note(self, note: dict[str, Any]) -> None:
        fields = note["fields"]
        if note["name"] == META:
            self.meta |= fields
        elif note["name"] == OPENED:
            self.meta["owner"] = json.dumps({name: fields[name] for name in OWNER})
            self.meta["fence"] = str(fields["fence"])
        else:
            self.requests.append(HaltOrder.from_dict({"time_ms": note["time_ms"], **fields}))

    def require(self, select: Select) -> None:
        """Hold the tables against it.

        Raises:
            JournalError: a row is not what the log says it is; it names the first one.
        """
        self._require_intents(select)
        found = select("select deal_ticket, time_ms, body from deals order by deal_ticket")
        deals = ((number, time_ms, _digest(body)) for number, time_ms, body in found)
        told = ((number, *self.deals[number]) for number in sorted(self.deals))
        _require_same("deals", deals, told)
        _require_same("halts", select("select * from halts order by sequence"), self._halts())
        query = "select * from requests order by request_id"
        _require_same("requests", select(query), self._requests())
        self._require_numbering(select)
        meta = {str(key): value for key, value in select("select key, value from meta")}
        for key in sorted(meta.keys() | self.meta.keys()):
            if meta.get(key) != self.meta.get(key):
                raise JournalError(f"{key} is not what the log says it is")

    def _require_intents(self, select: Select) -> None:
        found = select("select intent_id, body from intents order by intent_id")
        bodies = ((number, _digest(body)) for number, body in found)
        _require_same("intents", bodies, sorted(self.intents.items()))
        for values in select("select * from intents order by intent_id"):
            try:
                row = IntentRow.from_dict(json.loads(values[-1]))
            except (DataError, ValueError) as error:
                raise JournalError(f"intent {values[0]} cannot be read ({error})") from error
            if values[:-1] != intent_values(row)[:-1]:  # older bodies lack newer fields
                raise JournalError(f"the columns of intent {values[0]} are not those of its body")

    def _halts(self) -> Iterator[tuple[Any, ...]]:
        for number, halt in enumerate(self.halts, 1):
            request_id = halt.request_id or None
            yield number, halt.level, halt.who, halt.reason, halt.time_ms, request_id

    def _requests(self) -> Iterator[tuple[Any, ...]]:
        taken = {halt.request_id for halt in self.halts}
        for asked in self.requests:
            is_taken = int(asked.request_id in taken)
            yield asked.request_id, asked.level, asked.who, asked.reason, asked.time_ms, is_taken

    def _require_numbering(self, select: Select) -> None:
        """Hold the numbers that SQLite gives next: at the greatest one nothing more is written."""
        asked = max((one.request_id for one in self.requests), default=0)
        told = [("halts", len(self.halts)), ("requests", asked)]
        found = select("select name, seq from sqlite_sequence order by name, seq")
        if list(found) != [(table, number) for table, number in told if number]:
            raise JournalError("the next number of halts or requests is not what the log says")


def intent_values(row: IntentRow) -> tuple[Any, ...]:
    """Return the columns of an intent, in order."""
    return (
        row.intent_id,
        row.intent.decision_key,
        row.attempt,
        row.state.name,
        row.intent.symbol,
        row.created_ms,
        row.updated_ms,
        body_of(row),
    )


def _require_same(
    table: str, found: Iterable[tuple[Any, ...]], told: Iterable[tuple[Any, ...]]
) -> None:
    """Compare rows, both ordered by their number, which comes first."""
    for one, other in zip_longest(found, told):
        if one != other:
            number = min(row[0] for row in (one, other) if row is not None)
            raise JournalError(f"row {number} of {table} is not what the log says it is")


def _digest(body: str) -> bytes:
    return sha256(body.encode()).digest()
