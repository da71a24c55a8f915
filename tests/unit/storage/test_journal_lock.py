"""The lock of a journal says who holds it from the moment on that it is held."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from mtquant.model import JournalInUseError
from mtquant.storage import SqliteJournal, journal_lock, lock_journal, owner_of

if TYPE_CHECKING:
    from pathlib import Path

STARTED_MS = 1_483_308_000_000
NAMED = rf"bot, process {os.getpid()}, started 2017-01-01 22:00:00 UTC"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def test_the_holder_is_named_before_it_has_opened_the_journal_of_an_earlier_process(
    path: Path,
) -> None:
    SqliteJournal.open(path, owner="killed", now_ms=1).close()
    lock = lock_journal(path, owner="bot", now_ms=STARTED_MS)

    with pytest.raises(JournalInUseError, match=rf"another bot writes this journal \({NAMED}\); "):
        lock_journal(path)
    lock.release()


def test_a_holder_that_names_itself_a_little_late_is_waited_for(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock_journal(path, owner="killed", now_ms=1).release()
    monkeypatch.setattr(journal_lock, "_introduce", lambda *_: None)
    lock = lock_journal(path)
    monkeypatch.undo()
    owner = journal_lock.JournalOwner(pid=os.getpid(), started_ms=STARTED_MS, what="bot")
    late = threading.Timer(0.1, journal_lock._introduce, (path, owner))
    late.start()

    with pytest.raises(JournalInUseError, match=NAMED):
        lock_journal(path)
    late.join()
    lock.release()


def test_a_halt_that_holds_the_lock_is_not_called_a_bot(path: Path) -> None:
    lock = lock_journal(path, owner=journal_lock.HALTING, now_ms=STARTED_MS)

    with pytest.raises(JournalInUseError, match=r"a halt is being carried out here \(halt, proc"):
        lock_journal(path)
    lock.release()


def test_a_lock_that_is_given_back_in_time_is_taken(path: Path) -> None:
    lock = lock_journal(path)
    release = threading.Timer(0.4, lock.release)
    release.start()

    lock_journal(path, wait_s=30).release()
    release.join()


@pytest.mark.parametrize("text", ["", "nonsense", "[1]", '{"pid": 1}', "\udcff"])
def test_a_lock_whose_holder_did_not_say_its_name_is_still_a_lock(path: Path, text: str) -> None:
    lock = lock_journal(path)
    path.with_name("journal.sqlite.owner").write_text(text, "utf-8", errors="surrogateescape")

    with pytest.raises(JournalInUseError, match=r"\(owner unknown\)"):
        lock_journal(path)
    lock.release()


def test_where_nobody_can_be_named_nobody_else_is(path: Path) -> None:
    lock_journal(path, owner="killed", now_ms=1).release()
    note = path.with_name("journal.sqlite.owner")
    note.unlink()
    note.mkdir()  # it cannot be written

    lock = lock_journal(path)

    assert owner_of(path) is None
    lock.release()


@pytest.mark.parametrize("started_ms", [10**30, -(10**30)])
def test_a_start_beyond_all_time_is_left_out(started_ms: int) -> None:
    owner = journal_lock.JournalOwner(pid=7, started_ms=started_ms, what="bot")

    assert str(owner) == "bot, process 7"
