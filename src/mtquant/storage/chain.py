"""The journal's log: every row carries a hash over itself and the row before it."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from mtquant.model import Deal, HaltOrder, IntentRow, JournalError, Publish

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FIRST: Final = "0" * 64
"""What stands for the hash of the row before the first one."""

META: Final = "journal_meta"
"""The note that a word of the journal about itself was written: `fields` has key and value."""
OPENED: Final = "journal_opened"
"""The note that a process became the journal's writer; its time is the computer's."""
OWNER: Final = ("pid", "started_ms", "what")
"""What a writer says of itself, in the word `owner` and in the note that it opened the journal."""
REQUESTED: Final = "halt_requested"
"""The note that a halt or a release was asked for; its time is the computer's."""
_MOST: Final = 2**63
Recorded = IntentRow | Deal | HaltOrder | Publish


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """Hold one row of the log.

    `kind` is `note`, `intent`, `deal` or `halt`; `body` is the JSON text of the record as it was
    then. `intent_id` is 0 and `correlation_id` empty where there is none. Times are UTC
    milliseconds.
    """

    sequence: int
    time_ms: int
    kind: str
    intent_id: int
    correlation_id: str
    body: str
    hash: str = ""

    def chained(self, previous: str) -> LogRow:
        """Return the row with its hash, after a row with another."""
        words = (previous, *self.values()[:-1])
        return replace(self, hash=sha256(json.dumps(words).encode()).hexdigest())

    def values(self) -> tuple[Any, ...]:
        """Return the columns, in order."""
        return tuple(getattr(self, name) for name in _COLUMNS)

    def record(self) -> dict[str, Any]:
        """Return the record as a dictionary.

        Raises:
            JournalError: the body is no JSON object.
        """
        try:
            found = json.loads(self.body)
        except ValueError as error:
            raise JournalError(f"log row {self.sequence}: its body cannot be read") from error
        if not isinstance(found, dict):
            raise JournalError(f"log row {self.sequence}: its body is no object")
        return found


_COLUMNS: Final = tuple(field.name for field in fields(LogRow))


def log_row(sequence: int, one: Recorded) -> LogRow:
    """Return the row of a record, not chained yet."""
    intent_id, correlation_id = 0, ""
    if isinstance(one, IntentRow):
        kind, time_ms = "intent", one.updated_ms or one.created_ms
        intent_id, correlation_id = one.intent_id, one.intent.signal_id
    elif isinstance(one, Deal):
        kind, time_ms = "deal", one.time_ms
        intent_id = one.intent_id if one.intent_id < _MOST else 0  # other programs' numbers
    elif isinstance(one, HaltOrder):
        kind, time_ms, correlation_id = "halt", one.time_ms, "halt"
    else:
        kind, time_ms, correlation_id = "note", one.time_ms, one.correlation_id
    return LogRow(
        sequence=sequence,
        time_ms=time_ms,
        kind=kind,
        intent_id=intent_id,
        correlation_id=correlation_id,
        body=body_of(one),
    )


def meta_note(key: str, value: str) -> Publish:
    """Return the note of a word about the journal itself."""
    return Publish(name=META, time_ms=0, correlation_id="", fields={key: value})


def request_note(request: HaltOrder) -> Publish:
    """Return the note of a request."""
    return Publish(
        name=REQUESTED,
        time_ms=request.time_ms,
        correlation_id="halt",
        fields={
            "request_id": request.request_id,
            "level": request.level,
            "who": request.who,
            "reason": request.reason,
        },
    )


def body_of(one: Recorded) -> str:
    """Return a record as JSON text, always the same for the same record."""
    return json.dumps(one.to_dict(), separators=(",", ":"))


def checked(rows: Iterable[LogRow]) -> Iterator[LogRow]:
    """Yield the rows of a log, each after its hash and number were found right.

    Raises:
        JournalError: a row was changed, taken out or put in; it names the first one.
    """
    previous, expected = FIRST, 1
    for row in rows:
        if row.sequence != expected:
            raise JournalError(f"log row {expected} is missing: row {row.sequence} comes instead")
        if row.chained(previous).hash != row.hash:
            raise JournalError(
                f"log row {row.sequence} ({row.kind}) is not what was written: its hash differs"
            )
        previous, expected = row.hash, expected + 1
        yield row
