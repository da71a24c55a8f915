"""A journal that may not be used, or not now, is not told as a damaged one."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from journal_rows import sending_row

from mtquant.model import JournalError
from mtquant.storage import SqliteJournal, journal
from mtquant.storage.way_on import HOW_TO_GO_ON, NOT_ALLOWED, way_on

if TYPE_CHECKING:
    from pathlib import Path

is_root = not hasattr(os, "geteuid") or os.geteuid() == 0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the journal of a bot that has run."""
    path = tmp_path / "journal.sqlite"
    with closing(SqliteJournal.open(path)) as opened:
        opened.record_sending(sending_row(1))
    return path


def refused(path: Path) -> str:
    """Return why a journal cannot be read."""
    with pytest.raises(JournalError) as told, closing(SqliteJournal.attach(path)) as attached:
        attached.intents()
    return str(told.value)


def failure(code: int) -> sqlite3.Error:
    """Return an error of SQLite with one of its codes."""
    error = sqlite3.OperationalError("it failed")
    error.sqlite_errorcode = code
    return error


def test_a_journal_that_may_not_be_written_is_said_to_need_its_bots_account(path: Path) -> None:
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)
    with (
        closing(SqliteJournal(path, connection)) as attached,
        pytest.raises(JournalError, match=r"readonly database\); .* use the account of its bot"),
    ):
        attached.request_halt(1, "ann", "news", 1)


@pytest.mark.skipif(os.name == "nt", reason="links need a right of their own there")
def test_a_journal_beside_which_nothing_can_be_opened_is_not_told_as_damaged(path: Path) -> None:
    path.with_name("journal.sqlite-wal").symlink_to("nowhere/at-all")

    said = refused(path)

    assert said.endswith(f"(unable to open database file); {NOT_ALLOWED}")
    assert "move these away" not in said


@pytest.mark.skipif(is_root, reason="root may write everywhere")
def test_in_a_folder_that_one_may_only_read_the_account_of_the_bot_is_asked_for(
    path: Path,
) -> None:
    path.parent.chmod(0o500)
    try:
        assert refused(path).endswith(NOT_ALLOWED)
    finally:
        path.parent.chmod(0o700)


def test_a_journal_that_another_program_holds_gets_no_advice_that_moves_it_away(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_BUSY_TIMEOUT_S", 0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("pragma locking_mode = exclusive")
        other.execute("begin exclusive")

        assert refused(path).endswith("(database is locked)")


def test_a_file_that_is_no_database_says_both_ways_to_go_on(path: Path) -> None:
    path.write_bytes(b"no database" * 1_000)

    assert refused(path).endswith(f"(file is not a database); {HOW_TO_GO_ON}")


def test_a_text_that_is_none_says_both_ways_to_go_on(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("update intents set body = cast(x'7bff' as text)")

    assert refused(path).endswith(f"; {HOW_TO_GO_ON}")


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (failure(sqlite3.SQLITE_READONLY_DIRECTORY), NOT_ALLOWED),
        (failure(sqlite3.SQLITE_READONLY_CANTINIT), NOT_ALLOWED),
        (failure(sqlite3.SQLITE_CANTOPEN_ISDIR), NOT_ALLOWED),
        (failure(sqlite3.SQLITE_PERM), NOT_ALLOWED),
        (failure(sqlite3.SQLITE_AUTH), NOT_ALLOWED),
        (PermissionError(13, "Permission denied"), NOT_ALLOWED),
        (failure(sqlite3.SQLITE_CORRUPT_INDEX), HOW_TO_GO_ON),
        (failure(sqlite3.SQLITE_NOTADB), HOW_TO_GO_ON),
        (failure(sqlite3.SQLITE_READONLY_DBMOVED), ""),
        (failure(sqlite3.SQLITE_BUSY_SNAPSHOT), ""),
        (failure(sqlite3.SQLITE_IOERR_READ), ""),
        (failure(sqlite3.SQLITE_NOMEM), ""),
        (sqlite3.ProgrammingError("Cannot operate on a closed database."), ""),
        (OSError(5, "Input/output error"), ""),
    ],
    ids=repr,
)
def test_each_fault_has_its_own_way_on(error: Exception, advice: str) -> None:
    assert way_on(error).removeprefix("; ") == advice


def test_a_start_that_cannot_read_all_of_it_does_not_call_it_damaged(path: Path) -> None:
    class Failing(SqliteJournal):
        def verify(self) -> tuple[int, str]:
            raise JournalError("cannot be read (disk I/O error)") from failure(
                sqlite3.SQLITE_IOERR_READ
            )

    with pytest.raises(JournalError) as told:
        Failing.open(path)

    assert str(told.value) == "cannot be read (disk I/O error)"


def test_a_path_that_cannot_be_looked_at_is_no_journal(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"cannot be read \(File name too long\)$"):
        SqliteJournal.attach(tmp_path / ("x" * 300) / "journal.sqlite")


@pytest.mark.skipif(is_root, reason="root may look everywhere")
def test_a_folder_of_somebody_else_is_named_with_what_to_do(path: Path) -> None:
    path.parent.chmod(0)
    try:
        assert refused(path).endswith(f"cannot be read (Permission denied); {NOT_ALLOWED}")
    finally:
        path.parent.chmod(0o700)
