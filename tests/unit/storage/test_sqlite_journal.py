"""The journal's file: one writer, nothing acknowledged is lost, nothing damaged is trusted."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from mtquant.model import IntentAction, IntentRow, IntentState, JournalError, OrderIntent, Side
from mtquant.storage import SCHEMA_VERSION, SqliteJournal

SOURCE = Path(__file__).resolve().parents[3] / "src"
ROW = """
import sys
from pathlib import Path
from mtquant.model import *
from mtquant.storage import SqliteJournal

def row(n):
    intent = OrderIntent(strategy_id="t", symbol="EURUSD", action=IntentAction.OPEN, side=Side.BUY,
        volume_units=1, trigger=str(n), decided_ms=0, deadline_ms=0)
    return IntentRow(intent_id=n, intent=intent, state=IntentState.SENDING)

journal = SqliteJournal.open(Path(sys.argv[1]), owner="test", now_ms=1_483_308_000_000)
"""
WRITER = (
    ROW
    + """
for n in range(1, 1_000_000):
    journal.record_sending(row(n))
    print(n, flush=True)
"""
)
HOLDER = ROW + "journal.record_sending(row(1))\nprint('ready', flush=True)\nsys.stdin.read()\n"


@contextmanager
def process(program: str, path: Path) -> Iterator[subprocess.Popen]:
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    ) as running:
        try:
            yield running
        finally:
            running.kill()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def filled(path: Path, rows: int = 60) -> Path:
    with closing(SqliteJournal.open(path)) as journal:
        for number in range(1, rows + 1):
            journal.record_sending(sending(number))
    return path


def sending(number: int) -> IntentRow:
    intent = OrderIntent(
        strategy_id="t",
        symbol="EURUSD",
        action=IntentAction.OPEN,
        side=Side.BUY,
        volume_units=1,
        trigger=str(number),
        decided_ms=0,
        deadline_ms=0,
    )
    return IntentRow(intent_id=number, intent=intent, state=IntentState.SENDING)


def test_commits_are_written_through(path: Path):
    with closing(SqliteJournal.open(path)) as journal:
        ask = journal._connection.execute
        assert ask("pragma journal_mode").fetchone() == ("wal",)
        assert ask("pragma synchronous").fetchone() == (2,)  # FULL
        assert ask("pragma fullfsync").fetchone() == (1,)  # of effect on macOS only
        assert ask("pragma foreign_keys").fetchone() == (1,)
        assert ask("pragma user_version").fetchone() == (SCHEMA_VERSION,)


def test_what_was_written_is_there_after_opening_again(path: Path):
    filled(path, 3)
    with closing(SqliteJournal.open(path)) as journal:
        assert [row.intent_id for row in journal.intents()] == [1, 2, 3]
        assert journal.meta("nothing") is None


def test_every_acknowledged_row_survives_a_killed_process(path: Path):
    with process(WRITER, path) as writer:
        assert writer.stdout
        acknowledged = [int(writer.stdout.readline()) for _ in range(40)]
        writer.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in writer.stdout.read().split()]
    with closing(SqliteJournal.open(path)) as journal:
        found = [row.intent_id for row in journal.intents()]

    assert found[: len(acknowledged)] == acknowledged
    assert len(found) <= len(acknowledged) + 1  # written, and killed before it could say so


def test_a_second_writer_is_refused_naming_the_first_and_may_still_read_and_ask(path: Path):
    with process(HOLDER, path) as holder:
        assert holder.stdout
        holder.stdout.readline()
        with pytest.raises(JournalError) as caught:
            SqliteJournal.open(path)
        with closing(SqliteJournal.attach(path)) as journal:
            assert len(journal.intents()) == 1
            assert journal.request_halt(2, "Ann", "storm", 5) == 1
            assert len(journal.pending_halts()) == 1
    assert f"process {holder.pid}, started 2017-01-01 22:00:00 UTC" in str(caught.value)
    assert "\n" not in str(caught.value)
    SqliteJournal.open(path).close()  # the lock ended with its process


def test_without_the_lock_only_requests_are_written(path: Path):
    filled(path, 1)
    with closing(SqliteJournal.attach(path)) as journal:
        for write in (
            lambda: journal.record_sending(sending(2)),
            lambda: journal.record_intents([sending(1)]),
            lambda: journal.record_account("1@Demo"),
        ):
            with pytest.raises(JournalError, match="holds the lock"):
                write()
        assert journal.request_halt(1, "Ann", "storm", 1) == 1


def test_attaching_makes_no_journal(path: Path):
    with pytest.raises(JournalError, match="there is no journal here"):
        SqliteJournal.attach(path)
    assert not path.exists()


def stamp(path: Path, version: int) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"pragma user_version = {version}")


def test_a_newer_schema_is_refused_in_one_line(path: Path):
    stamp(filled(path, 1), SCHEMA_VERSION + 1)
    for use in (SqliteJournal.open, SqliteJournal.attach):
        with pytest.raises(JournalError, match=f"newer schema version {SCHEMA_VERSION + 1}") as e:
            use(path)
        assert "\n" not in str(e.value)


def test_a_database_of_another_program_is_left_alone(path: Path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table letters (body text)")
    with pytest.raises(JournalError, match="unknown schema version"):
        SqliteJournal.open(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("select name from sqlite_master").fetchall() == [("letters",)]


@pytest.mark.parametrize("content", [b"garbage" * 100, b"SQLite format 3\x00" + b"\xff" * 200])
def test_a_file_that_is_no_database_is_refused_and_the_lock_given_back(path: Path, content: bytes):
    path.write_bytes(content)
    for use in (SqliteJournal.open, SqliteJournal.attach):
        with pytest.raises(JournalError) as caught:
            use(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
    path.unlink()
    SqliteJournal.open(path).close()


@pytest.mark.parametrize("part", [0.1, 0.4, 0.7, 0.95])
def test_a_truncated_file_is_not_trusted(path: Path, part: float):
    filled(path)
    os.truncate(path, int(path.stat().st_size * part))

    with pytest.raises(JournalError) as caught:
        SqliteJournal.open(path)
    assert "\n" not in str(caught.value)


def test_a_row_that_cannot_be_read_is_an_error(path: Path):
    filled(path, 1)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("update intents set body = '{\"intent_id\": 1}'")
    with pytest.raises(JournalError, match="damaged"):
        SqliteJournal.open(path)
    with (
        closing(SqliteJournal.attach(path)) as journal,
        pytest.raises(JournalError, match="damaged"),
    ):
        journal.intents()


def test_a_place_where_nothing_can_be_written_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "file" / "journal.sqlite", tmp_path / "folder"):
        with pytest.raises(JournalError, match=r"file|folder"):
            SqliteJournal.open(path)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere"
)
def test_a_read_only_folder_is_refused(tmp_path: Path):
    tmp_path.chmod(0o500)
    with pytest.raises(JournalError, match="lock cannot be made"):
        SqliteJournal.open(tmp_path / "journal.sqlite")
    tmp_path.chmod(0o700)


def test_after_closing_nothing_is_read_or_written(path: Path):
    journal = SqliteJournal.open(path)
    journal.close()
    journal.close()
    for use in (journal.intents, journal.halt_level, lambda: journal.record_sending(sending(1))):
        with pytest.raises(JournalError):
            use()


def test_a_busy_journal_is_an_error_and_nothing_is_half_written(path: Path):
    with closing(SqliteJournal.open(path)) as journal:
        journal._connection.execute("pragma busy_timeout = 1")
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("begin immediate")
            with pytest.raises(JournalError, match="cannot be written"):
                journal.record_sending(sending(1))
            other.execute("rollback")
        journal.record_sending(sending(1))


def test_what_sqlite_cannot_hold_is_an_error_and_rolled_back(path: Path):
    with closing(SqliteJournal.open(path)) as journal:
        for number in (2**63, 2**70):
            with pytest.raises(JournalError, match="cannot be written"):
                journal.record_sending(sending(number))
        journal.record_sending(sending(1))
        assert len(journal.intents()) == 1


def test_any_thread_may_close_the_journal(path: Path):
    journal = SqliteJournal.open(path)
    closing_thread = threading.Thread(target=journal.close)
    closing_thread.start()
    closing_thread.join()

    SqliteJournal.open(path).close()
