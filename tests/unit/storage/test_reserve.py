"""Room that is kept on the disk for exits, and given up when the disk is full."""

import os
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from journal_rows import a_deal
from small_disks import fill, small_disk

from mtquant.model import (
    HaltOrder,
    IntentAction,
    IntentRow,
    IntentState,
    JournalError,
    OrderIntent,
    Publish,
    Side,
)
from mtquant.storage import SqliteJournal
from mtquant.storage.reserve import RESERVE_BYTES, Reserve


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def leave_free(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(0, 0, free))


def row(number: int) -> IntentRow:
    intent = OrderIntent(
        strategy_id="t",
        symbol="EURUSD",
        action=IntentAction.CLOSE,
        side=Side.BUY,
        volume_units=1_000_000,
        trigger=f"bar:{number}",
        decided_ms=number,
        deadline_ms=number + 60_000,
        position_ticket=5,
    )
    return IntentRow(intent_id=number, intent=intent, state=IntentState.SENDING)


class Bounded:
    """Bound the file of a journal; giving the reserve up lets it grow by some pages."""

    def __init__(self, journal: SqliteJournal, *, pages_kept: int) -> None:
        self._connection = journal._connection
        self._pages_kept = pages_kept
        self.is_held = True
        pages = self._connection.execute("pragma page_count").fetchone()[0]
        self._limit(pages)
        journal._reserve = self  # type: ignore[assignment]

    def _limit(self, pages: int) -> None:
        self._connection.execute(f"pragma max_page_count = {pages}")

    def hold(self) -> bool:
        return self.is_held

    def release(self) -> bool:
        was_held, self.is_held = self.is_held, False
        if was_held:
            pages = self._connection.execute("pragma page_count").fetchone()[0]
            self._limit(pages + self._pages_kept)
        return was_held


# ---------------------------------------------------------------------- the file


def test_room_is_taken_once_and_given_up_once(tmp_path: Path):
    reserve = Reserve(tmp_path / "room")

    assert not reserve.is_held
    assert reserve.hold()
    written = (tmp_path / "room").read_bytes()
    assert len(written) == RESERVE_BYTES
    assert len(set(written)) == 256  # no file system stores it in less
    assert reserve.hold()
    assert (tmp_path / "room").read_bytes() == written
    assert reserve.release()
    assert not reserve.is_held
    assert not reserve.release()


def test_what_a_killed_process_has_taken_in_part_is_no_room(tmp_path: Path):
    (tmp_path / "room").write_bytes(b"x" * (RESERVE_BYTES - 1))
    reserve = Reserve(tmp_path / "room")

    assert not reserve.is_held
    assert reserve.hold()
    assert (tmp_path / "room").stat().st_size == RESERVE_BYTES


def test_a_disk_that_has_just_enough_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    reserve = Reserve(tmp_path / "room")
    leave_free(monkeypatch, 2 * RESERVE_BYTES - 1)
    assert not reserve.hold()
    assert not list(tmp_path.iterdir())

    leave_free(monkeypatch, 2 * RESERVE_BYTES)
    assert reserve.hold()


def test_room_that_cannot_be_taken_leaves_nothing_behind(tmp_path: Path):
    assert not Reserve(tmp_path / "missing" / "room").hold()

    (tmp_path / "room").mkdir()
    assert not Reserve(tmp_path / "room").hold()
    assert not Reserve(tmp_path / "room").release()


def test_a_limit_that_is_met_on_the_way_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(_count: int) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mtquant.storage.reserve.os.urandom", full)

    assert not Reserve(tmp_path / "room").hold()
    assert not list(tmp_path.iterdir())


def test_a_file_that_a_backup_has_open_gives_its_room_back(tmp_path: Path):
    reserve = Reserve(tmp_path / "room")
    reserve.hold()
    with (tmp_path / "room").open("rb") as backup:
        assert reserve.release()
        assert os.fstat(backup.fileno()).st_size == 0
    assert not reserve.release()


def test_where_it_cannot_be_removed_it_is_cut_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def locked(_path: Path) -> None:
        raise PermissionError(13, "in use")

    reserve = Reserve(tmp_path / "room")
    reserve.hold()
    monkeypatch.setattr(Path, "unlink", locked)

    assert [reserve.release(), reserve.release()] == [True, False]
    assert (tmp_path / "room").stat().st_size == 0


def test_a_quota_is_tried_ever_more_seldom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    calls, tries = [], []

    def full(_count: int) -> bytes:
        tries.append(len(calls))
        raise OSError(122, "Disk quota exceeded")

    reserve = Reserve(tmp_path / "room")
    with monkeypatch.context() as context:
        context.setattr("mtquant.storage.reserve.os.urandom", full)
        for _ in range(300):
            assert not reserve.hold()
            calls.append("one")
    assert tries[:8] == [0, 2, 6, 14, 30, 62, 126, 191]

    assert [reserve.hold() for _ in range(70)][-1]
    reserve.release()
    assert reserve.hold()  # and at once after that


def test_room_is_given_up_to_open_a_journal_only_on_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    reserve = Reserve(tmp_path / "room")
    reserve.hold()
    reserve.release_to_open()
    assert reserve.is_held

    leave_free(monkeypatch, 100_000)
    reserve.release_to_open()
    assert not reserve.is_held


# ---------------------------------------------------------------------- real disks


def test_some_thousand_rows_find_room_on_a_full_disk(tmp_path: Path):
    disk = tmp_path / "disk"
    with small_disk(disk, 24), closing(SqliteJournal.open(disk / "journal.sqlite")) as journal:
        journal.record_sending(row(1))
        assert journal.keep_room()
        fill(disk / "filler")
        for number in range(2, 3_000):
            journal.record_sending(row(number))
        assert not journal.keep_room()

        (disk / "filler").unlink()
        assert journal.keep_room()
        journal.verify()


def test_a_row_is_not_kept_waiting_by_whoever_reads(tmp_path: Path):
    with small_disk(tmp_path / "disk", 24) as disk:
        path = disk / "journal.sqlite"
        with closing(SqliteJournal.open(path)) as journal:
            journal.record_sending(row(1))
            journal.keep_room()
            with closing(SqliteJournal.attach(path)) as other, other.snapshot():
                other.intents()
                fill(disk / "filler")
                began = time.monotonic()
                for number in range(2, 100):
                    journal.record_sending(row(number))
            assert time.monotonic() - began < 4  # SQLite would wait five seconds for him


@pytest.mark.parametrize("opened", ["open", "attach"])
def test_a_closed_journal_can_be_used_on_a_full_disk(tmp_path: Path, opened: str):
    with small_disk(tmp_path / "disk", 16) as disk:
        path = disk / "journal.sqlite"
        with closing(SqliteJournal.open(path)) as journal:
            journal.record_sending(row(1))
            journal.keep_room()
        fill(disk / "filler")
        with closing(getattr(SqliteJournal, opened)(path)) as journal:
            journal.request_halt(3, "a person", "full", 5)
            assert [one.intent_id for one in journal.intents()] == [1]
            assert [one.level for one in journal.pending_halts()] == [3]


def test_without_any_room_nobody_is_told_to_move_the_journal_away(tmp_path: Path):
    with small_disk(tmp_path / "disk", 16) as disk:
        path = disk / "journal.sqlite"
        with closing(SqliteJournal.open(path)) as journal:
            journal.record_sending(row(1))
        fill(disk / "filler")
        with pytest.raises(JournalError, match="make room on it, nothing else is wrong") as caught:
            SqliteJournal.attach(path)

    assert "forgotten" not in str(caught.value)


# ---------------------------------------------------------------------- the journal


def test_a_journal_keeps_room_for_whoever_asks_for_it(tmp_path: Path):
    kept = tmp_path / "journal.sqlite.reserve"
    with closing(SqliteJournal.open(tmp_path / "journal.sqlite")) as journal:
        journal.record_sending(row(1))
        assert not kept.exists()  # a backtest needs none

        assert not journal.has_room()
        assert journal.keep_room()
        assert journal.has_room()
        assert kept.stat().st_size == RESERVE_BYTES
        kept.unlink()
        assert not journal.has_room()
        assert journal.keep_room()
        assert kept.stat().st_size == RESERVE_BYTES


WRITES = {
    "sending": lambda journal, n: journal.record_sending(row(100 + n)),
    "deals": lambda journal, n: journal.record_deals([a_deal(100 + n)]),
    "halt": lambda journal, n: journal.record_halt(
        HaltOrder(time_ms=n, level=1, who="x", reason="y" * 500)
    ),
    "risk": lambda journal, n: journal.record_risk(f'{{"state": {n}}}'),
    "request": lambda journal, n: journal.request_halt(1, "x", "y" * 500, n),
}


@pytest.mark.parametrize("kind", WRITES)
def test_on_a_full_disk_each_row_is_written_once_in_the_room_that_was_kept(
    tmp_path: Path, kind: str
):
    with closing(SqliteJournal.open(tmp_path / "journal.sqlite")) as journal:
        disk = Bounded(journal, pages_kept=200)
        before, count = len(list(journal.log())), 0
        while disk.is_held:
            WRITES[kind](journal, count)
            count += 1

        assert count > 1
        assert not journal.has_room()
        assert len(list(journal.log())) - before == count
        journal.verify()


def test_what_was_observed_before_the_disk_was_full_is_not_lost(tmp_path: Path):
    with closing(SqliteJournal.open(tmp_path / "journal.sqlite")) as journal:
        disk = Bounded(journal, pages_kept=200)
        told = 0
        while disk.is_held:
            journal.note(
                Publish(name="told", time_ms=told, correlation_id="", fields={"words": "w" * 900})
            )
            told += 1
            journal.flush()
        names = [one.record().get("name") for one in journal.log() if one.kind == "note"]

    assert names.count("told") == told


def test_when_the_room_is_used_up_too_nothing_is_half_written(tmp_path: Path):
    with closing(SqliteJournal.open(tmp_path / "journal.sqlite")) as journal:
        disk = Bounded(journal, pages_kept=3)
        numbers = iter(range(1, 1_000))
        while disk.is_held:
            journal.record_sending(row(next(numbers)))
        journal.record_risk("x" * 1_000)
        with pytest.raises(JournalError, match=r"cannot be written \(database or disk is full\)"):
            journal.record_risk("x" * 20_000)
        written = next(numbers) - 1

        assert [one.intent_id for one in journal.intents()] == list(range(1, written + 1))
        assert journal.risk_state() == "x" * 1_000
        journal.verify()


def test_another_failure_costs_no_room(tmp_path: Path):
    with closing(SqliteJournal.open(tmp_path / "journal.sqlite")) as journal:
        with closing(sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)) as other:
            journal._connection.execute("pragma busy_timeout = 1")
            other.execute("begin immediate")
            assert journal.keep_room()
            with pytest.raises(JournalError, match="locked"):
                journal.record_sending(row(1))

        assert (tmp_path / "journal.sqlite.reserve").exists()


def test_a_request_of_another_process_may_use_the_room(tmp_path: Path):
    with closing(SqliteJournal.open(tmp_path / "journal.sqlite")) as journal:
        with closing(SqliteJournal.attach(tmp_path / "journal.sqlite")) as other:
            disk: Any = Bounded(other, pages_kept=50)
            while disk.is_held:
                other.request_halt(3, "x", "y" * 900, 1)
        asked = journal.pending_halts()

    assert {one.level for one in asked} == {3}
