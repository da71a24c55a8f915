"""Taking over journals of older versions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mtquant.model import HaltOrder
from mtquant.storage.chain import FIRST, LogRow, body_of, meta_note, request_note
from mtquant.storage.schema import LOG, SCHEMA_VERSION
from mtquant.storage.verification import require_schema

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator


def migrate(connection: sqlite3.Connection) -> None:
    """Give a journal of version 1 or 2 what this version has, wholly or not at all.

    What it knows is written down as it stands. To a version 1 that is where each intent has come,
    the deals, the halts; of the steps between it kept state and detail only: they become notes.
    Version 2 has all of this in its log, but no requests.

    Raises:
        sqlite3.Error: it cannot be read or written.
        ValueError: a row cannot be read.
        JournalError: the schema is not that of its version; a trigger would see what is written.
    """
    (version,) = connection.execute("pragma user_version").fetchone()
    if version not in (1, 2):
        return
    if version == 2:  # the schema of version 3
        require_schema(connection.execute)
    connection.execute("begin immediate")
    try:
        if version == 1:
            for statement in LOG.split(";"):
                connection.execute(statement)
            _append(connection, _told(connection))
            connection.execute("drop table steps")
        _append(connection, _requested(connection))
        connection.execute(f"pragma user_version = {SCHEMA_VERSION}")
        connection.execute("commit")
    finally:
        if connection.in_transaction:
            connection.execute("rollback")


def _append(connection: sqlite3.Connection, rows: Iterable[dict[str, Any]]) -> None:
    tail = "select sequence, hash from log order by sequence desc limit 1"
    number, previous = connection.execute(tail).fetchone() or (0, FIRST)
    for sequence, row in enumerate(rows, number + 1):
        chained = LogRow(sequence=sequence, **row).chained(previous)
        previous = chained.hash
        connection.execute("insert into log values (?, ?, ?, ?, ?, ?, ?)", chained.values())


def _requested(connection: sqlite3.Connection) -> Iterator[dict[str, Any]]:
    requests = "select request_id, level, who, reason, time_ms from requests order by request_id"
    for number, level, who, reason, time_ms in connection.execute(requests):
        asked = HaltOrder(request_id=number, level=level, who=who, reason=reason, time_ms=time_ms)
        note = request_note(asked)
        yield _row("note", time_ms, body_of(note), 0, note.correlation_id)


def _told(connection: sqlite3.Connection) -> Iterator[dict[str, Any]]:
    steps = "select intent_id, state, time_ms, detail from steps order by sequence"
    for intent_id, state, time_ms, detail in connection.execute(steps):
        fields = {"intent_id": intent_id, "state": state, "detail": detail}
        note = {"name": "intent_moved", "time_ms": time_ms, "correlation_id": "", "fields": fields}
        yield _row("note", time_ms, json.dumps(note, separators=(",", ":")), intent_id)
    intents = "select intent_id, updated_ms, created_ms, body from intents order by intent_id"
    for intent_id, updated_ms, created_ms, body in connection.execute(intents):
        signal_id = json.loads(body)["intent"]["signal_id"]
        yield _row("intent", updated_ms or created_ms, body, intent_id, signal_id)
    for time_ms, body in connection.execute("select time_ms, body from deals order by deal_ticket"):
        yield _row("deal", time_ms, body, int(json.loads(body).get("intent_id", 0)))
    halts = "select time_ms, level, who, reason, request_id from halts order by sequence"
    for time_ms, level, who, reason, request_id in connection.execute(halts):
        halt = {
            "time_ms": time_ms,
            "level": level,
            "who": who,
            "reason": reason,
            "request_id": request_id or 0,
        }
        yield _row("halt", time_ms, json.dumps(halt, separators=(",", ":")), 0, "halt")
    for key, value in connection.execute("select key, value from meta order by key"):
        yield _row("note", 0, body_of(meta_note(key, value)))


def _row(
    kind: str, time_ms: int, body: str, intent_id: int = 0, correlation_id: str = ""
) -> dict[str, Any]:
    return {
        "time_ms": time_ms,
        "kind": kind,
        "intent_id": intent_id,
        "correlation_id": correlation_id,
        "body": body,
    }
