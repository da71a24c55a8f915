"""Taking over journals of older versions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mtquant.storage.chain import FIRST, LogRow
from mtquant.storage.schema import LOG, SCHEMA_VERSION

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator


def from_version_1(connection: sqlite3.Connection) -> None:
    """Give a journal of version 1 its log, wholly or not at all.

    What it knows is written down as it stands: where each intent has come, the deals, the halts.
    Of the steps between, version 1 kept state and detail only; they become notes.

    Raises:
        sqlite3.Error: it cannot be written.
        ValueError: a row cannot be read.
    """
    connection.execute("begin immediate")
    try:
        for statement in LOG.split(";"):
            connection.execute(statement)
        previous = FIRST
        for sequence, row in enumerate(_told(connection), 1):
            chained = LogRow(sequence=sequence, **row).chained(previous)
            previous = chained.hash
            connection.execute("insert into log values (?, ?, ?, ?, ?, ?, ?)", chained.values())
        connection.execute("drop table steps")
        connection.execute(f"pragma user_version = {SCHEMA_VERSION}")
        connection.execute("commit")
    finally:
        if connection.in_transaction:
            connection.execute("rollback")


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
