"""A halt is on disk, and obeyed, whatever is wrong with the journal; or the command says no."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from mtquant.app import halting
from mtquant.app.halting import request
from mtquant.app.workspace import JOURNAL, RUN, prepare
from mtquant.model import ConfigError, HaltError, JournalError
from mtquant.storage import (
    HALT_FILE,
    HALTING,
    SqliteJournal,
    disk,
    journal,
    journal_lock,
    lock_journal,
    read_halt_file,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mtquant.model import HaltOrder


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_BUSY_TIMEOUT_S", 0.1)
    monkeypatch.setattr(halting, "_TURN_S", 0.3)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a bot that has run, and of which nothing says what it traded."""
    SqliteJournal.open(tmp_path / "journal.sqlite").close()
    return tmp_path


@pytest.fixture
def bot(folder: Path) -> Iterator[SqliteJournal]:
    """Open the journal as a bot that runs does."""
    with closing(SqliteJournal.open(folder / "journal.sqlite", owner="demo", now_ms=1)) as journal:
        yield journal


def without_journal(folder: Path) -> None:
    for path in folder.glob("journal.sqlite*"):
        if path.suffix not in {".lock", ".owner"}:
            path.unlink()


def written(folder: Path) -> tuple[int, str]:
    halt = read_halt_file(folder)
    assert halt is not None
    return halt.level, halt.reason


@pytest.mark.parametrize("exists", [True, False])
def test_a_folder_in_which_no_bot_has_run_is_refused_and_left_as_it_is(
    tmp_path: Path, *, exists: bool
) -> None:
    folder = tmp_path / "mistyped"
    if exists:
        folder.mkdir()

    with pytest.raises(ConfigError, match=r"mistyped: no bot has run in this folder, and"):
        request(folder, level=3, who="ann", reason="news")

    assert folder.exists() == exists
    assert [path.name for path in tmp_path.rglob("*")] == ["mistyped"] * exists


def test_a_halt_is_written_to_a_file_when_the_journal_is_missing(folder: Path) -> None:
    without_journal(folder)

    said = request(folder, level=1, who="ann", reason="news")

    assert "there is no journal here. The file HALT was written and asks for level 1; no" in said
    assert written(folder) == (1, "by ann: news")
    assert not (folder / "journal.sqlite").exists()


@pytest.mark.parametrize("level", [1, 3])
def test_a_halt_is_written_to_a_file_when_the_journal_is_locked(
    folder: Path, bot: SqliteJournal, level: int
) -> None:
    with closing(sqlite3.connect(folder / "journal.sqlite", isolation_level=None)) as other:
        other.execute("begin immediate")
        said = request(folder, level=level, who="ann", reason="news")

    assert "(database is locked). The file HALT was written" in said
    assert f"the bot that runs here (demo, process {os.getpid()}, started" in said
    assert "reads it before its next order" in said
    assert [halt.level for halt in bot.pending_halts()] == [level]


def test_a_halt_is_written_to_a_file_when_the_log_is_damaged_under_a_bot(
    folder: Path, bot: SqliteJournal
) -> None:
    for number in range(40):
        bot.record_risk(str(number))
    wal = folder / "journal.sqlite-wal"
    whole = wal.read_bytes()
    wal.write_bytes(whole[:2_000] + b"\xff" + whole[2_001:])

    said = request(folder, level=1, who="ann", reason="news")

    assert "newest commits cannot be read" in said
    assert written(folder) == (1, "by ann: news")
    wal.write_bytes(whole)


def test_a_halt_is_written_to_a_file_when_the_journal_has_no_room(
    folder: Path, bot: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected = journal._connected

    def without_room(path: Path, mode: str) -> sqlite3.Connection:
        connection = connected(path, mode)
        connection.execute("pragma max_page_count = 1")
        return connection

    with closing(sqlite3.connect(folder / "journal.sqlite")) as other, other:
        other.execute("create table filler (text)")
        other.execute("insert into filler values (hex(zeroblob(3000)))")
    monkeypatch.setattr(journal, "_connected", without_room)

    said = request(folder, level=1, who="ann", reason="x" * 20_000)

    assert "database or disk is full" in said
    assert [halt.level for halt in bot.pending_halts()] == [1]


def test_a_halt_file_is_written_through_to_the_disk(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    fsync = os.fsync

    def recorded(number: int) -> None:
        synced.append(os.fstat(number).st_ino)
        fsync(number)

    without_journal(folder)
    monkeypatch.setattr(disk, "_FULL", None)  # macOS does it by another word
    monkeypatch.setattr(os, "fsync", recorded)

    request(folder, level=1, who="ann", reason="news")

    assert synced[0] == (folder / HALT_FILE).stat().st_ino
    assert os.name == "nt" or synced[1:] == [folder.stat().st_ino]


def test_a_higher_level_in_the_file_stays(folder: Path) -> None:
    without_journal(folder)
    (folder / HALT_FILE).write_text("3 fire", encoding="utf-8")

    said = request(folder, level=1, who="ann", reason="news")

    assert "asks for level 3" in said
    assert written(folder) == (3, "fire")
    (folder / HALT_FILE).write_text("", encoding="utf-8")
    with pytest.raises(HaltError, match="asks for level 2; it was not carried out"):
        request(folder, level=2, who="ann", reason="worse")  # nothing says what ran here
    assert written(folder) == (2, "by ann: worse")


def test_a_halt_that_nothing_keeps_is_an_error_that_says_what_stands(folder: Path) -> None:
    without_journal(folder)
    (folder / HALT_FILE).mkdir()  # halts at level 1, and cannot be written

    with pytest.raises(HaltError, match=r"HALT: cannot be written \(.*\): it asks for level 1"):
        request(folder, level=1, who="ann", reason="news")


def test_a_bot_that_cannot_be_told_is_named(folder: Path, bot: SqliteJournal) -> None:
    without_journal(folder)
    (folder / HALT_FILE).mkdir()

    with pytest.raises(HaltError, match=rf"process {os.getpid()}, .* does not know of it: stop th"):
        request(folder, level=3, who="ann", reason="news")
    assert bot.halt_level() == 0


def test_nothing_is_resumed_by_a_file(folder: Path) -> None:
    without_journal(folder)

    with pytest.raises(JournalError, match="there is no journal here"):
        request(folder, level=0, who="ann", reason="calm")
    assert not (folder / HALT_FILE).exists()


@pytest.mark.parametrize("level", [0, 1, 3])
def test_the_folder_of_a_backtest_is_refused_running_or_not(tmp_path: Path, level: int) -> None:
    workspace = prepare(tmp_path, "f1", {"kind": "backtest"}, resumable=False)
    path = workspace.path(JOURNAL)
    with closing(SqliteJournal.open(path, owner="backtest", lock=workspace.lock)) as running:
        with pytest.raises(ConfigError, match="the folder of a backtest"):
            request(tmp_path, level=level, who="ann", reason="news")
        assert running.pending_halts() == []

    with pytest.raises(ConfigError, match="the folder of a backtest"):
        request(tmp_path, level=level, who="ann", reason="news")
    assert not (tmp_path / HALT_FILE).exists()


def test_a_backtest_that_has_written_nothing_yet_but_its_name_is_refused_too(
    tmp_path: Path,
) -> None:
    lock = lock_journal(tmp_path / JOURNAL, owner="backtest", now_ms=1)

    with pytest.raises(ConfigError, match="the folder of a backtest"):
        request(tmp_path, level=1, who="ann", reason="news")
    lock.release()


def test_a_backtest_that_was_refused_in_the_folder_of_a_bot_takes_no_halt_away(
    tmp_path: Path,
) -> None:
    workspace = prepare(tmp_path, "f1", {"kind": "demo"})
    SqliteJournal.open(workspace.path(JOURNAL), owner="demo", lock=workspace.lock).close()
    with pytest.raises(ConfigError, match="holds an unfinished run with other settings"):
        prepare(tmp_path, "f2", {"kind": "backtest"}, resumable=False)

    assert "request 1: halt level 1" in request(tmp_path, level=1, who="ann", reason="news")
    assert "request 2: resume" in request(tmp_path, level=0, who="ann", reason="calm")


@pytest.mark.parametrize("text", [None, "", "[1]"])
def test_where_no_run_tells_what_a_folder_is_its_journal_is_taken_for_a_bots(
    folder: Path, text: str | None
) -> None:
    lock_journal(folder / JOURNAL, owner="backtest", now_ms=1).release()
    if text is not None:
        (folder / RUN).write_text(text, encoding="utf-8")

    assert "request 1: halt level 1" in request(folder, level=1, who="ann", reason="news")


# ---------------------------------------------------------------------- a bot that runs


def test_what_removes_something_waits_until_the_bot_has_taken_it_up(
    folder: Path, bot: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(halting, "_TURN_S", 30)

    pause = threading.Event()

    def take_up() -> None:
        with closing(SqliteJournal.attach(folder / "journal.sqlite")) as seen:
            while not seen.pending_halts():
                pause.wait(0.01)
            (halt,) = seen.pending_halts()
        with sqlite3.connect(folder / "journal.sqlite") as other:  # the bot's is of another thread
            other.execute("update requests set taken = 1")
            assert halt.level == 3
        other.close()

    taking = threading.Thread(target=take_up)
    taking.start()

    said = request(folder, level=3, who="ann", reason="news")

    taking.join()
    assert said.startswith("request 1: halt level 3, by ann; the bot has taken it up (level in")
    assert bot.pending_halts() == []


def test_a_bot_that_has_not_taken_it_up_in_time_is_named(folder: Path, bot: SqliteJournal) -> None:
    said = request(folder, level=3, who="ann", reason="news")

    assert f"the bot that runs here (demo, process {os.getpid()}, started" in said
    assert (
        "has not taken it up yet after 0.3 s: it does so before its next order; should it" in said
    )
    assert [halt.level for halt in bot.pending_halts()] == [3]


def test_what_a_bot_leaves_as_it_ends_is_carried_out_without_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(halting, "_TURN_S", 30)
    lock = lock_journal(folder / "journal.sqlite", owner="demo", now_ms=1)
    end = threading.Timer(0.6, lock.release)
    end.start()

    with pytest.raises(HaltError, match=r"not carried out at the terminal \(.*no run in this fold"):
        request(folder, level=3, who="ann", reason="news")  # it has got as far as the terminal
    end.join()


def test_a_run_that_finishes_without_having_taken_it_up_is_no_success(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(halting, "_TURN_S", 30)
    lock = lock_journal(folder / "journal.sqlite", owner="demo", now_ms=1)

    def finish() -> None:
        (folder / "summary.json").touch()
        lock.release()

    end = threading.Timer(0.6, finish)
    end.start()

    with pytest.raises(HaltError, match="the run has finished meanwhile, without having taken it"):
        request(folder, level=3, who="ann", reason="news")
    end.join()


# ---------------------------------------------------------------------- two halts at once


def test_another_halt_that_holds_the_lock_is_not_taken_for_a_bot(folder: Path) -> None:
    lock = lock_journal(folder / "journal.sqlite", owner=HALTING, now_ms=1)

    said = request(folder, level=1, who="ann", reason="news")
    with pytest.raises(HaltError, match=r"the halt stands, but .* \(halt, process"):
        request(folder, level=3, who="ann", reason="worse")

    lock.release()
    assert "request 1: halt level 1, by ann; whatever starts here takes it up" in said
    with closing(SqliteJournal.attach(folder / "journal.sqlite")) as found:
        assert [halt.level for halt in found.pending_halts()] == [1, 3]


def test_a_halt_waits_for_another_one_and_then_does_its_own(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(halting, "_TURN_S", 30)
    lock = lock_journal(folder / "journal.sqlite", owner=HALTING, now_ms=1)
    release = threading.Timer(0.6, lock.release)
    release.start()

    with pytest.raises(HaltError, match=r"not carried out at the terminal \(.*no run in this fold"):
        request(folder, level=3, who="ann", reason="news")  # it has got as far as the terminal
    release.join()


def test_without_a_journal_another_halt_is_not_taken_for_a_bot_either(folder: Path) -> None:
    lock = lock_journal(folder / "journal.sqlite", owner=HALTING, now_ms=1)
    without_journal(folder)

    said = request(folder, level=1, who="ann", reason="news")
    with pytest.raises(HaltError, match=r"asks for level 3; it was not carried out .*\(halt, proc"):
        request(folder, level=3, who="ann", reason="worse")

    lock.release()
    assert "whatever runs or starts here reads it before its next order" in said


def test_a_lock_that_cannot_be_made_takes_only_the_terminal_away(folder: Path) -> None:
    (folder / "journal.sqlite.lock").unlink()
    (folder / "journal.sqlite.lock").mkdir()

    said = request(folder, level=1, who="ann", reason="news")
    with pytest.raises(HaltError, match=r"asks for level 3; it was not carried out .*lock cannot"):
        request(folder, level=3, who="ann", reason="news")

    assert "the lock cannot be made" in said
    assert written(folder) == (3, "by ann: news")
    shutil.rmtree(folder / "journal.sqlite.lock")


# ---------------------------------------------------------------------- a user who may do nothing


@pytest.fixture
def forbidden(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a bot of another user: neither lock nor file HALT may be opened."""

    def acquire(_lock: object, **_given: object) -> None:
        raise PermissionError(13, "Permission denied")

    without_journal(folder)
    monkeypatch.setattr(journal_lock.FileLock, "acquire", acquire)
    monkeypatch.setattr(halting, "write_halt_file", unwritable)
    return folder


def unwritable(_folder: Path, _order: HaltOrder) -> int:
    raise ConfigError("HALT: cannot be written (Permission denied)")


@pytest.mark.parametrize("level", [1, 3])
@pytest.mark.parametrize("standing", ["", "2 by ann: calm"])
def test_a_user_who_may_do_nothing_is_told_that_nobody_knows_of_the_halt(
    forbidden: Path, level: int, standing: str
) -> None:
    if standing and level > 1:
        (forbidden / HALT_FILE).write_text(standing, encoding="utf-8")

    with pytest.raises(HaltError, match="whatever runs or starts here does not know of it") as told:
        request(forbidden, level=level, who="ann", reason="news")

    said = str(told.value)
    assert "reads it before" not in said
    assert "use the account of its bot" in said
    assert "give the command again" not in said
    assert ("not carried out at the terminal" in said) == (level > 1)


def test_what_the_file_asks_for_already_is_read_whoever_may_not_write_it(forbidden: Path) -> None:
    (forbidden / HALT_FILE).write_text("3 by ann: calm", encoding="utf-8")

    with pytest.raises(HaltError, match=r"asks for level 3, .*; whatever runs or starts here read"):
        request(forbidden, level=1, who="ann", reason="news")
    with pytest.raises(HaltError, match=r"it was not carried out .* use the account of its b") as t:
        request(forbidden, level=3, who="ann", reason="news")
    assert "does not know" not in str(t.value)
    assert "give the command again" not in str(t.value)


def test_a_bot_is_not_said_to_be_ignorant_of_a_halt_that_the_file_asks_for_already(
    folder: Path, bot: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_journal(folder)
    (folder / HALT_FILE).write_text("3 by ann: calm", encoding="utf-8")
    monkeypatch.setattr(halting, "write_halt_file", unwritable)

    for level in (1, 3):
        with pytest.raises(HaltError, match=r"the bot that runs here \(demo, .* reads it before"):
            request(folder, level=level, who="ann", reason="news")
    assert bot.halt_level() == 0


def test_where_no_bot_runs_and_nothing_is_written_no_bot_is_said_to_look_for_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_journal(folder)
    monkeypatch.setattr(halting, "write_halt_file", unwritable)

    with pytest.raises(HaltError, match="the next one does not know of it: start none before"):
        request(folder, level=1, who="ann", reason="news")
