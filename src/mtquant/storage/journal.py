"""The order journal: SQLite, written through before any method returns.

Write-ahead log with synchronous=FULL: a committed row survives the process and the power. One
process writes intents (it holds the lock file); others may only put halt requests in.
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from filelock import FileLock, Timeout

from mtquant.model import Deal, HaltOrder, IntentRow, IntentState, JournalError
from mtquant.storage.schema import SCHEMA_VERSION, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_BUSY_TIMEOUT_S = 5.0


class SqliteJournal:
    """Keep intents, deals and halts of one account in `journal.sqlite`."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection
        self._lock: FileLock | None = None

    @classmethod
    def open(cls, path: Path, *, owner: str = "", now_ms: int = 0) -> Self:
        """Open the journal as its one writer, making it where there is none.

        Args:
            path: the SQLite file; `<path>.lock` beside it is the lock.
            owner: who is writing, shown to a second bot.
            now_ms: start of this process, UTC milliseconds, shown likewise.

        Raises:
            JournalError: another process writes it, it cannot be read or written, is damaged, or
                was made by a newer version.
        """
        lock = FileLock(f"{path}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise JournalError(
                f"{path}: another bot writes this journal ({_owner_of(path)}); "
                "stop it first, or use another folder"
            ) from error
        except OSError as error:
            raise JournalError(f"{path}: the lock cannot be made ({error.strerror})") from error
        with ExitStack() as undo:  # whatever fails below, lock and file are given back
            undo.callback(lock.release)
            connection = _connected(path)
            undo.callback(connection.close)
            journal = cls(path, connection)
            journal._prepare()
            note = {"pid": os.getpid(), "started_ms": now_ms, "what": owner}
            journal.set_meta("owner", json.dumps(note))
            undo.pop_all()
        journal._lock = lock
        return journal

    @classmethod
    def attach(cls, path: Path) -> Self:
        """Open an existing journal without the lock: to read, or to request a halt.

        Raises:
            JournalError: there is no journal, or it cannot be read.
        """
        if not path.is_file():
            raise JournalError(f"{path}: there is no journal here")
        journal = cls(path, _connected(path))
        journal._require_version()
        return journal

    def close(self) -> None:
        """Close the file and give the lock back."""
        self._connection.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    # ------------------------------------------------------------------ the writer's rows

    def record_sending(self, row: IntentRow) -> None:
        """Write a new intent in state SENDING."""
        if row.state is not IntentState.SENDING:
            raise JournalError(f"intent {row.intent_id} is {row.state.name}, not SENDING")
        with self._transaction() as connection:
            try:
                connection.execute(
                    "insert into intents values (?, ?, ?, ?, ?, ?, ?, ?)", _intent_values(row)
                )
            except sqlite3.IntegrityError as error:
                raise JournalError(
                    f"decision of intent {row.intent_id} was journalled before: not sent again"
                ) from error
            _insert_step(connection, row)

    def record_intents(self, rows: Sequence[IntentRow]) -> None:
        """Write where intents stand now, and append the steps they took."""
        if not rows:
            return
        with self._transaction() as connection:
            for row in rows:
                connection.execute(
                    "update intents set state = ?, updated_ms = ?, body = ? where intent_id = ?",
                    (row.state.name, row.updated_ms, _json(row), row.intent_id),
                )
                _insert_step(connection, row)

    def record_deals(self, deals: Sequence[Deal]) -> None:
        """Write deals that the broker booked; a known deal is left as it is."""
        if not deals:
            return
        with self._transaction() as connection:
            connection.executemany(
                "insert or ignore into deals values (?, ?, ?)",
                [(deal.deal_ticket, deal.time_ms, _json(deal)) for deal in deals],
            )

    def record_halt(self, halt: HaltOrder) -> None:
        """Write a halt level, or its release (level 0), and mark its request as taken."""
        with self._transaction() as connection:
            connection.execute(
                "insert into halts (level, who, reason, time_ms, request_id) "
                "values (?, ?, ?, ?, ?)",
                (halt.level, halt.who, halt.reason, halt.time_ms, halt.request_id or None),
            )
            connection.execute(
                "update requests set taken = 1 where request_id = ?", (halt.request_id,)
            )

    def set_meta(self, key: str, value: str) -> None:
        """Write a word about the journal itself."""
        with self._transaction() as connection:
            connection.execute("insert or replace into meta values (?, ?)", (key, value))

    # ------------------------------------------------------------------ everybody's

    def request_halt(self, level: int, who: str, reason: str, now_ms: int) -> int:
        """Ask the bot to halt (1 to 4) or to resume (0); return the number of the request."""
        with self._transaction() as connection:
            cursor = connection.execute(
                "insert into requests (level, who, reason, time_ms) values (?, ?, ?, ?)",
                (level, who, reason, now_ms),
            )
            return int(cursor.lastrowid or 0)

    def pending_halts(self) -> list[HaltOrder]:
        """Return the requests nobody took up, oldest first."""
        rows = self._connection.execute(
            "select request_id, level, who, reason, time_ms from requests "
            "where taken = 0 order by request_id"
        )
        return [
            HaltOrder(request_id=number, level=level, who=who, reason=reason, time_ms=time_ms)
            for number, level, who, reason, time_ms in rows
        ]

    def halt_level(self) -> int:
        """Return the halt level that stands."""
        found = self._connection.execute(
            "select level from halts order by sequence desc limit 1"
        ).fetchone()
        return int(found[0]) if found else 0

    def intents(self) -> list[IntentRow]:
        """Return every intent, oldest first."""
        rows = self._connection.execute("select body from intents order by intent_id")
        return [IntentRow.from_dict(json.loads(body)) for (body,) in rows]

    def deals(self) -> list[Deal]:
        """Return every deal, oldest first."""
        rows = self._connection.execute("select body from deals order by deal_ticket")
        return [Deal.from_dict(json.loads(body)) for (body,) in rows]

    def meta(self, key: str) -> str | None:
        """Return a word about the journal itself, None if it was never written."""
        found = self._connection.execute("select value from meta where key = ?", (key,)).fetchone()
        return str(found[0]) if found else None

    # ------------------------------------------------------------------ inside

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit what is done inside, or nothing of it."""
        connection = self._connection
        try:
            connection.execute("begin immediate")
            with ExitStack() as undo:
                undo.callback(self._rollback)
                yield connection
                connection.execute("commit")
                undo.pop_all()
        except sqlite3.Error as error:
            raise JournalError(f"{self._path}: the journal cannot be written ({error})") from error

    def _rollback(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("rollback")

    def _prepare(self) -> None:
        if self._version() is None:
            script = f"begin immediate; {TABLES} pragma user_version = {SCHEMA_VERSION}; commit;"
            self._connection.executescript(script)
        self._require_version()

    def _version(self) -> int | None:
        found = int(self._connection.execute("pragma user_version").fetchone()[0])
        return found or None

    def _require_version(self) -> None:
        version = self._version()
        if version != SCHEMA_VERSION:
            kind = "newer" if version and version > SCHEMA_VERSION else "unknown"
            raise JournalError(
                f"{self._path}: the journal has the {kind} schema version {version}, this program "
                f"knows {SCHEMA_VERSION}; use the program that wrote it"
            )


def _connected(path: Path) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(
            path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        connection.execute("pragma foreign_keys = on")
    except sqlite3.Error as error:
        raise JournalError(f"{path}: this is not a usable journal ({error})") from error
    return connection


def _owner_of(path: Path) -> str:
    """Say who holds the lock, as far as the journal tells."""
    try:
        with closing(sqlite3.connect(path, timeout=1.0)) as connection:
            found = connection.execute("select value from meta where key = 'owner'").fetchone()
        owner: dict[str, Any] = json.loads(found[0]) if found else {}
    except (sqlite3.Error, ValueError):
        owner = {}
    if not owner:
        return "owner unknown"
    started = owner["started_ms"] // 1000
    return f"process {owner['pid']}, started {_utc_text(started)}"


def _utc_text(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _json(item: IntentRow | Deal) -> str:
    return json.dumps(item.to_dict(), separators=(",", ":"))


def _intent_values(row: IntentRow) -> tuple[Any, ...]:
    return (
        row.intent_id,
        row.intent.decision_key,
        row.attempt,
        row.state.name,
        row.intent.symbol,
        row.created_ms,
        row.updated_ms,
        _json(row),
    )


def _insert_step(connection: sqlite3.Connection, row: IntentRow) -> None:
    connection.execute(
        "insert into steps (intent_id, state, time_ms, detail) values (?, ?, ?, ?)",
        (row.intent_id, row.state.name, row.updated_ms, row.detail),
    )
