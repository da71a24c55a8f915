"""The order journal: SQLite, written through before any method returns.

Write-ahead log with synchronous=FULL: a committed row survives the process and the power. One
process writes intents (it holds the lock file); others may only put halt requests in. Whatever is
written, by whomever, is appended to a log whose rows are chained by their hashes, in the same
transaction: SQLite lets one transaction write at a time, and each reads the end of the chain anew.
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Self, TypeVar

from mtquant.model import (
    DataError,
    Deal,
    HaltOrder,
    IntentRow,
    IntentState,
    JournalError,
    Publish,
    Scalar,
)
from mtquant.storage.chain import (
    FIRST,
    OPENED,
    LogRow,
    Recorded,
    body_of,
    log_row,
    meta_note,
    request_note,
)
from mtquant.storage.halt_file import read_halt_file
from mtquant.storage.journal_lock import JournalOwner, lock_journal
from mtquant.storage.migrate import migrate
from mtquant.storage.reserve import lacks_room, let_open, reserve_of
from mtquant.storage.schema import SCHEMA_VERSION, TABLES
from mtquant.storage.verification import intent_values, verified
from mtquant.storage.wal import require_whole_log
from mtquant.storage.way_on import HOW_TO_GO_ON, unusable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from filelock import FileLock

_BUSY_TIMEOUT_S = 5.0
_ACCOUNT = "account"
_BASELINE = "cash_baseline_minor"
_RISK = "risk_state"
_UNREADABLE = (sqlite3.Error, UnicodeError)
"""What reading a damaged file raises; damage may make a name or a message no text."""
_NO_OLDER_ROW = (ValueError, LookupError, TypeError, AttributeError)
"""What taking over an older journal raises where a body is not what such a journal writes."""
_USUAL_PAGES, _FEW_PAGES = 1_000, 64

Kind = TypeVar("Kind", IntentRow, Deal)
Result = TypeVar("Result")


class SqliteJournal:
    """Keep intents, deals and halts of one account in `journal.sqlite`."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection
        self._lock: FileLock | None = None
        self._writes = False
        self._fence = 0
        self._reserve = reserve_of(path)
        self._tail = (0, FIRST)  # number and hash of the last row of the log
        self._notes: list[Publish] = []

    @classmethod
    def open(
        cls, path: Path, *, owner: str = "", now_ms: int = 0, lock: FileLock | None = None
    ) -> Self:
        """Open the journal as its one writer, making it where there is none.

        Args:
            path: the SQLite file; `<path>.lock` beside it is the lock.
            owner: what is writing, shown to a second bot.
            now_ms: start of this process, UTC milliseconds, shown likewise.
            lock: the lock, if `lock_journal` has taken it already; the journal gives it back.

        Raises:
            JournalError: another process writes it, it cannot be read or written, is damaged, or
                was made by a newer version.
        """
        if lock is None:
            lock = lock_journal(path, owner=owner, now_ms=now_ms)
        with ExitStack() as undo:  # whatever fails below, lock and file are given back
            undo.callback(lock.release)
            let_open(path)
            require_whole_log(path)
            connection = _connected(path, "rwc")
            undo.callback(connection.close)
            journal = cls(path, connection)
            journal._writes = True
            journal._write_through()
            journal._prepare()
            journal._take_over(owner, now_ms)
            undo.pop_all()
        journal._lock = lock
        return journal

    @classmethod
    def attach(cls, path: Path) -> Self:
        """Open an existing journal without the lock: to read, or to request a halt.

        Raises:
            JournalError: there is no journal, or it cannot be read.
        """
        try:
            is_there = path.is_file()
            if is_there:
                let_open(path)
        except OSError as error:
            raise unusable(path, "cannot be read", error) from error
        if not is_there:
            raise JournalError(f"{path}: there is no journal here")
        require_whole_log(path)  # closing the last connection removes the log
        connection = _connected(path, "rw")
        with ExitStack() as undo:
            undo.callback(connection.close)
            journal = cls(path, connection)
            journal._require_version()
            journal._write_through()
            undo.pop_all()
        return journal

    def close(self) -> None:
        """Write the observations that wait, close the file and give the lock back."""
        with suppress(JournalError):  # they are no more than that, and whoever closes may be ill
            self.flush()
        self._connection.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    # ------------------------------------------------------------------ the writer's rows

    def record_sending(self, row: IntentRow) -> None:
        """Write a new intent in state SENDING."""
        if row.state is not IntentState.SENDING:
            raise JournalError(f"intent {row.intent_id} is {row.state.name}, not SENDING")

        def work(connection: sqlite3.Connection) -> None:
            try:
                connection.execute(
                    "insert into intents values (?, ?, ?, ?, ?, ?, ?, ?)", intent_values(row)
                )
            except sqlite3.IntegrityError as error:
                raise JournalError(
                    f"decision of intent {row.intent_id} was journalled before: not sent again"
                ) from error
            self._log(row)

        self._write(work)

    def record_intents(self, rows: Sequence[IntentRow]) -> None:
        """Write where intents stand now."""
        if not rows:
            return

        def work(connection: sqlite3.Connection) -> None:
            for row in rows:
                found = connection.execute(
                    "update intents set state = ?, updated_ms = ?, body = ? where intent_id = ?",
                    (row.state.name, row.updated_ms, body_of(row), row.intent_id),
                )
                if not found.rowcount:
                    raise JournalError(f"intent {row.intent_id} was never journalled")
                self._log(row)

        self._write(work)

    def record_deals(self, deals: Sequence[Deal]) -> None:
        """Write deals that the broker booked; a known deal is left as it is."""
        if not deals:
            return

        def work(connection: sqlite3.Connection) -> None:
            for deal in deals:
                added = connection.execute(
                    "insert or ignore into deals values (?, ?, ?)",
                    (deal.deal_ticket, deal.time_ms, body_of(deal)),
                )
                if added.rowcount:
                    self._log(deal)

        self._write(work)

    def record_halt(self, halt: HaltOrder) -> None:
        """Write a halt level, or its release (level 0), and mark its request as taken."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "insert into halts (level, who, reason, time_ms, request_id) "
                "values (?, ?, ?, ?, ?)",
                (halt.level, halt.who, halt.reason, halt.time_ms, halt.request_id or None),
            )
            connection.execute(
                "update requests set taken = 1 where request_id = ?", (halt.request_id,)
            )
            self._log(halt)

        self._write(work)

    def record_account(self, account: str) -> None:
        """Write whose journal this is, as login@server."""
        self._record_meta(_ACCOUNT, account)

    def record_baseline(self, baseline_minor: int) -> None:
        """Write what the deals do not explain of the balance, minor units."""
        self._record_meta(_BASELINE, str(baseline_minor))

    def record_risk(self, state: str) -> None:
        """Write what breaker and prop rules remember, as JSON."""
        self._record_meta(_RISK, state)

    def note(self, one: Publish) -> None:
        """Keep an observation: it is written with the next rows, or by `flush`."""
        self._notes.append(one)

    def flush(self) -> None:
        """Write the observations that wait."""
        if self._notes:
            self._write(lambda _connection: None)

    def keep_room(self) -> bool:
        """Keep some of the disk's room in a file, for exits; tell whether it is kept.

        Once that was given up there is none until the disk has twice as much.
        """
        if self._reserve.is_held:
            return True
        is_kept = self._reserve.hold()
        if is_kept:
            self._checkpoint_after(_USUAL_PAGES)
        return is_kept

    def has_room(self) -> bool:
        """Tell whether room is kept, changing nothing."""
        return self._reserve.is_held

    # ------------------------------------------------------------------ everybody's

    def request_halt(self, level: int, who: str, reason: str, now_ms: int) -> int:
        """Ask the bot to halt (1 to 4) or to resume (0); return the number of the request."""

        def work(connection: sqlite3.Connection) -> int:
            cursor = connection.execute(
                "insert into requests (level, who, reason, time_ms) values (?, ?, ?, ?)",
                (level, who, reason, now_ms),
            )
            number = int(cursor.lastrowid or 0)
            asked = HaltOrder(
                time_ms=now_ms, level=level, who=who, reason=reason, request_id=number
            )
            self._log(request_note(asked))
            return number

        return self._write(work, needs_lock=False)

    def pending_halts(self) -> list[HaltOrder]:
        """Return the requests nobody took up, oldest first.

        One of them may be the file HALT beside the journal, while a lower level is in force.
        """
        rows = self._rows(
            "select request_id, level, who, reason, time_ms from requests "
            "where taken = 0 order by request_id"
        )
        found = [
            HaltOrder(request_id=number, level=level, who=who, reason=reason, time_ms=time_ms)
            for number, level, who, reason, time_ms in rows
        ]
        of_file = read_halt_file(self._path.parent)
        if of_file is not None and of_file.level > self.halt_level():
            found.append(of_file)
        return found

    def halt_level(self) -> int:
        """Return the halt level that stands: the highest since the last release."""
        found = self._rows(
            "select coalesce(max(level), 0) from halts where sequence > "
            "(select coalesce(max(sequence), 0) from halts where level = 0)"
        )
        return int(found[0][0])

    def released_ms(self) -> int:
        """Return when a halt was lifted last (UTC ms), 0 for never."""
        return int(self._rows("select coalesce(max(time_ms), 0) from halts where level = 0")[0][0])

    def account(self) -> str | None:
        """Return whose journal this is, None before anything was traded."""
        return self.meta(_ACCOUNT)

    def baseline_minor(self) -> int | None:
        """Return what the deals do not explain of the balance, None before it was settled."""
        found = self.meta(_BASELINE)
        return None if found is None else int(found)

    def risk_state(self) -> str | None:
        """Return what breaker and prop rules remember, None before anything."""
        return self.meta(_RISK)

    def intents(self) -> list[IntentRow]:
        """Return every intent, oldest first.

        Raises:
            JournalError: a row cannot be read.
        """
        return self._read(IntentRow, "select body from intents order by intent_id")

    def deals(self) -> list[Deal]:
        """Return every deal, oldest first.

        Raises:
            JournalError: a row cannot be read.
        """
        return self._read(Deal, "select body from deals order by deal_ticket")

    def log(self) -> Iterator[LogRow]:
        """Yield the rows of the log, oldest first, as they stand in the file.

        Raises:
            JournalError: the file cannot be read.
        """
        for row in self._stream("select * from log order by sequence"):
            yield _log_row(row)

    def story(
        self,
        intent_ids: Iterable[int],
        correlation_ids: Iterable[str],
        deal_tickets: Iterable[int] = (),
    ) -> list[LogRow]:
        """Return the rows of the log about some intents, decisions or deals, oldest first."""
        query = (
            "select * from log where intent_id in (select value from json_each(?)) "
            "or correlation_id in (select value from json_each(?))"
        )
        values = [json.dumps([number for number in intent_ids if number])]
        values.append(json.dumps([name for name in correlation_ids if name]))
        tickets = list(deal_tickets)
        if tickets:  # no index leads to them: the whole log is read
            query += (
                " union select * from log where kind = 'deal' and "
                "json_extract(body, '$.deal_ticket') in (select value from json_each(?))"
            )
            values.append(json.dumps(tickets))
        return [_log_row(row) for row in self._rows(f"{query} order by sequence", *values)]

    def verify(self) -> tuple[int, str]:
        """Hold the log against its hashes, and the tables against the log.

        Returns:
            how many rows the log has, and the hash of the last one. Whoever has kept an earlier
            number and hash can tell that nothing before it was replaced.

        Raises:
            JournalError: something was changed, taken out or put in afterwards.
        """
        with self.snapshot():
            # an index that lacks a row lets a decision in twice, and no row of a table tells of it
            verdict = self._rows("pragma integrity_check(1)")[0][0]
            if verdict != "ok":
                raise JournalError(_said(verdict))
            return verified(self.log(), self._stream)

    def meta(self, key: str) -> str | None:
        """Return a word about the journal itself, None if it was never written."""
        found = self._rows("select value from meta where key = ?", key)
        return str(found[0][0]) if found else None

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let all that is read inside be of one moment, whatever another process writes meanwhile.

        Raises:
            JournalError: the journal cannot be read.
        """
        with ExitStack() as undo:
            if not self._connection.in_transaction:
                self._rows("begin")
                undo.callback(self._rollback)
            yield

    # ------------------------------------------------------------------ inside

    def _record_meta(self, key: str, value: str) -> None:
        """Write a word that trading relies on: the log knows it too."""

        def work(connection: sqlite3.Connection) -> None:
            _put_meta(connection, key, value)
            self._log(meta_note(key, value))

        self._write(work)

    def _take_over(self, owner: str, now_ms: int) -> None:
        """Become the one writer: whoever was it before is refused from now on."""
        before = self._fence = int(self.meta("fence") or 0)
        facts: dict[str, Scalar] = {"pid": os.getpid(), "started_ms": now_ms, "what": owner}

        def work(connection: sqlite3.Connection) -> None:
            fence = before + 1
            for key, value in (("owner", json.dumps(facts)), ("fence", str(fence))):
                _put_meta(connection, key, value)
            fields = {**facts, "fence": fence}
            self._log(Publish(name=OPENED, time_ms=now_ms, correlation_id="", fields=fields))

        self._write(work)
        self._fence = before + 1

    def _log(self, one: Recorded) -> None:
        """Append a record to the log, inside a transaction."""
        number, previous = self._tail
        row = log_row(number + 1, one).chained(previous)
        self._connection.execute("insert into log values (?, ?, ?, ?, ?, ?, ?)", row.values())
        self._tail = (row.sequence, row.hash)

    def _require_fence(self) -> None:
        """Refuse to write after somebody else has taken over."""
        fence = int(self.meta("fence") or 0)
        if fence != self._fence:
            owner = JournalOwner.read(self.meta("owner") or "") or "owner unknown"
            raise JournalError(
                f"{self._path}: another bot has taken this journal over ({owner}); "
                f"its fencing number is {fence}, ours {self._fence}"
            )

    def _find_tail(self) -> None:
        """Read where the log ends: another process may have written since."""
        found = self._rows("select sequence, hash from log order by sequence desc limit 1")
        self._tail = found[0] if found else (0, FIRST)

    def _rows(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(query, values).fetchall()
        except _UNREADABLE as error:
            raise unusable(self._path, "the journal cannot be read", error) from error

    def _stream(self, query: str) -> Iterator[tuple[Any, ...]]:
        """Yield rows one by one: there may be more than fit into memory."""
        try:
            for row in self._connection.execute(query):  # noqa: UP028 - `yield from` would close it
                yield row
        except _UNREADABLE as error:
            raise unusable(self._path, "the journal cannot be read", error) from error

    def _read(self, kind: type[Kind], query: str) -> list[Kind]:
        rows = self._rows(query)
        try:
            return [kind.from_dict(json.loads(body)) for (body,) in rows]
        except (DataError, ValueError) as error:
            raise JournalError(
                f"{self._path}: the journal is damaged ({_said(error)}); {HOW_TO_GO_ON}"
            ) from error

    def _write(
        self, work: Callable[[sqlite3.Connection], Result], *, needs_lock: bool = True
    ) -> Result:
        """Commit what is done, or nothing of it; on a full disk in the room that was kept."""
        if needs_lock and not self._writes:
            raise JournalError(f"{self._path}: only the process that holds the lock may write this")
        try:
            try:
                return self._commit(work, needs_lock=needs_lock)
            except sqlite3.Error as error:
                if not lacks_room(error) or not self._reserve.release():
                    raise
            self._checkpoint_after(_FEW_PAGES)
            return self._commit(work, needs_lock=needs_lock)
        except (sqlite3.Error, OverflowError, UnicodeError) as error:
            if lacks_room(error):  # SQLite says so itself
                raise JournalError(
                    f"{self._path}: the journal cannot be written ({error})"
                ) from error
            raise unusable(self._path, "the journal cannot be written", error) from error

    def _commit(self, work: Callable[[sqlite3.Connection], Result], *, needs_lock: bool) -> Result:
        connection = self._connection
        connection.execute("begin immediate")
        with ExitStack() as undo:
            undo.callback(self._rollback)
            self._find_tail()
            if needs_lock:
                self._require_fence()
                for one in self._notes:
                    self._log(one)
            done = work(connection)
            connection.execute("commit")
            undo.pop_all()
        if needs_lock:
            self._notes.clear()
        return done

    def _checkpoint_after(self, pages: int) -> None:
        """Move the log into the database whenever it has so many pages: it takes room of its own.

        It is never waited for: who reads keeps the log from being moved.
        """
        self._connection.execute(f"pragma wal_autocheckpoint = {pages}")

    def _rollback(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("rollback")

    def _write_through(self) -> None:
        """Make every commit survive the process and the power."""
        try:
            self._connection.execute("pragma journal_mode = wal")
            self._connection.execute("pragma synchronous = full")
            self._connection.execute("pragma fullfsync = on")  # macOS: out of the drive's cache too
            self._connection.execute("pragma foreign_keys = on")
        except _UNREADABLE as error:
            raise unusable(self._path, "this is not a usable journal", error) from error

    def _prepare(self) -> None:
        if self._version() is None and not self._rows("select 1 from sqlite_master"):
            script = f"begin immediate; {TABLES} pragma user_version = {SCHEMA_VERSION}; commit;"
            try:
                self._connection.executescript(script)
            except sqlite3.Error as error:
                raise unusable(self._path, "the journal cannot be made", error) from error
        try:
            migrate(self._connection)
        except (*_UNREADABLE, *_NO_OLDER_ROW, JournalError) as error:
            raise unusable(
                self._path, "the journal of an older version cannot be taken over", error
            ) from error
        self._require_version()
        try:
            self.verify()
        except JournalError as error:
            if isinstance(error.__cause__, sqlite3.Error) and HOW_TO_GO_ON not in str(error):
                raise  # nothing is damaged: it could not be looked at
            said = _said(error).removesuffix(f"; {HOW_TO_GO_ON}")
            raise JournalError(
                f"{self._path}: the journal is damaged ({said}); {HOW_TO_GO_ON}"
            ) from error

    def _version(self) -> int | None:
        found = int(self._rows("pragma user_version")[0][0])
        return found or None

    def _require_version(self) -> None:
        version = self._version()
        if version != SCHEMA_VERSION:
            if version and version < SCHEMA_VERSION:
                raise JournalError(
                    f"{self._path}: the journal is of an older version; the next start of its bot "
                    "takes it over"
                )
            kind = "newer" if version else "unknown"
            raise JournalError(
                f"{self._path}: the journal has the {kind} schema version {version}, this program "
                f"knows {SCHEMA_VERSION}; use the program that wrote it"
            )


def _connected(path: Path, mode: str) -> sqlite3.Connection:
    try:
        return sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=_BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
        )
    except sqlite3.Error as error:
        raise unusable(path, "this is not a usable journal", error) from error


def _said(problem: object) -> str:
    """Return what was said in one line."""
    return " ".join(str(problem).split())


def _put_meta(connection: sqlite3.Connection, key: str, value: str) -> None:
    connection.execute("insert or replace into meta values (?, ?)", (key, value))


def _log_row(values: tuple[Any, ...]) -> LogRow:
    return LogRow(**dict(zip(LogRow.__dataclass_fields__, values, strict=True)))
