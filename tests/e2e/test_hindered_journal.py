"""A bot whose journal is locked, has no room, or is wanted by several bots at once."""

from __future__ import annotations

import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from demo_process import (
    command,
    environment,
    held_units,
    journal_deals,
    kill,
    requests_in,
    run,
    start,
    stop_in_a_position,
    terminal_deals,
    terminal_positions,
    wait_for_requests,
)
from small_disks import fill, small_disk

from mtquant.app.workspace import read_run
from mtquant.model import HaltOrder, IntentAction
from mtquant.storage import SqliteJournal
from mtquant.storage.reserve import RESERVE_BYTES
from mtquant.terminal.simulated import FileLog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mtquant.model import IntentRow

if sys.platform == "win32":
    pytest.skip("signals of POSIX systems", allow_module_level=True)


def numbers_sent(folder: Path) -> set[int]:
    """Return the numbers of the orders that reached the server."""
    path = folder / "terminal" / "server.jsonl"
    with closing(FileLog(path, read_run(folder)["fingerprint"])) as log:
        return {record["order"]["magic"] for record in log.records() if "order" in record}


def numbers_journalled(folder: Path) -> set[int]:
    """Return the numbers of the journal's intents."""
    with closing(SqliteJournal.attach(folder / "journal.sqlite")) as journal:
        return {row.intent_id for row in journal.intents()}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a demo in the folder `out`, and give it back when it trades."""
    process = start("demo", "--no-outage", "--out", str(tmp_path / "out"), "--json")
    wait_for_requests(process, tmp_path / "out", 20)
    yield process
    if process.poll() is None:
        kill(process)


def halts_of(journal: SqliteJournal) -> list[HaltOrder]:
    """Return the halts that were raised, oldest first."""
    return [HaltOrder.from_dict(one.record()) for one in journal.log() if one.kind == "halt"]


def locked(folder: Path) -> sqlite3.Connection:
    """Return a connection that holds the journal's write lock."""
    other = sqlite3.connect(folder / "journal.sqlite", isolation_level=None, timeout=30)
    other.execute("begin immediate")
    return other


def test_while_another_program_locks_the_journal_no_order_leaves_and_the_bot_ends(
    tmp_path: Path, running: subprocess.Popen[str]
) -> None:
    folder = tmp_path / "out"
    with closing(locked(folder)):
        sent, began = requests_in(folder), time.monotonic()
        _, told = running.communicate(timeout=180)
        waited_s = time.monotonic() - began
        sent_since = requests_in(folder) - sent

    assert running.returncode == 1
    assert re.fullmatch(r"error: .*the journal cannot be written \(database is locked\)\n", told)
    assert waited_s < 30
    assert sent_since <= 1  # one may have been journalled just before
    assert numbers_sent(folder) <= numbers_journalled(folder)


def test_a_lock_that_is_soon_given_back_is_waited_for(
    tmp_path: Path, running: subprocess.Popen[str]
) -> None:
    folder = tmp_path / "out"
    with closing(locked(folder)):
        time.sleep(1)
    sent = requests_in(folder)
    wait_for_requests(running, folder, sent + 20)

    assert requests_in(folder) >= sent + 20
    assert running.poll() is None


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """Give the folder of a demo that was killed, on a small disk; the broker has one of its own."""
    before, folder = tmp_path / "before", tmp_path / "out"
    begun = start("demo", "--no-outage", "--out", str(before), "--json")
    wait_for_requests(begun, before, 20)
    kill(begun)
    with small_disk(folder, 16):
        shutil.copytree(before, folder, dirs_exist_ok=True)
        with small_disk(folder / "terminal", 16):
            shutil.copytree(before / "terminal", folder / "terminal", dirs_exist_ok=True)
            yield folder


def empty_log(folder: Path) -> None:
    """Move the log of the journal's database into it, so that every further row takes room."""
    with closing(sqlite3.connect(folder / "journal.sqlite", timeout=30)) as other:
        other.execute("pragma wal_checkpoint(truncate)")


def wait_until_closed(folder: Path) -> None:
    """Wait until the journal knows of no position any more, and what became of each order."""
    for _ in range(2_000):
        if not held_units(folder) and not open_intents(folder):
            return
        time.sleep(0.01)
    raise AssertionError("the position was not closed in time")


def open_intents(folder: Path) -> list[IntentRow]:
    """Return the journal's intents whose outcome is not known."""
    with closing(SqliteJournal.attach(folder / "journal.sqlite")) as journal:
        return [row for row in journal.intents() if row.is_open]


def wait_for_a_request(folder: Path) -> None:
    """Wait until a halt is asked for, in the journal or by the file."""
    for _ in range(2_000):
        with closing(SqliteJournal.attach(folder / "journal.sqlite")) as journal:
            if journal.pending_halts():
                return
        time.sleep(0.01)
    raise AssertionError("no halt was asked for in time")


def go_on_with_room(words: tuple[str, ...], folder: Path, more: int) -> None:
    """Empty the disk, resume, and let the bot go on until so many more requests were taken."""
    (folder / "filler").unlink()
    run("resume", "--who", "a person", "--reason", "room again", "--dir", str(folder))
    again = start(*words)
    wait_for_requests(again, folder, requests_in(folder) + more)
    kill(again)


def test_on_a_full_disk_the_bot_opens_nothing_and_still_closes(small: Path) -> None:
    words = ("demo", "--no-outage", "--out", str(small), "--json")
    process = start(*words)
    wait_for_requests(process, small, 40)
    stop_in_a_position(process, small)
    fill(small / "filler")
    halt = start("halt", "--level", "3", "--reason", "full", "--dir", str(small))
    wait_for_a_request(small)
    process.send_signal(signal.SIGCONT)
    told, failed = halt.communicate(timeout=180)
    wait_until_closed(small)
    kill(process)

    assert halt.returncode == 0, told + failed
    assert not terminal_positions(small)
    assert journal_deals(small) == terminal_deals(small)
    with closing(SqliteJournal.attach(small / "journal.sqlite")) as journal:
        journal.verify()
        reasons = [one.reason for one in halts_of(journal)]
        rows = journal.intents()
    # nothing need be full for who finds room in the log that SQLite has taken before
    assert reasons[0].startswith("the disk is full") or reasons == ["full"]
    assert rows[-1].intent.action is IntentAction.CLOSE
    assert not open_intents(small)

    go_on_with_room(words, small, 10)

    assert len(numbers_journalled(small)) > len(rows)
    assert numbers_sent(small) <= numbers_journalled(small)


def test_on_a_full_disk_no_order_leaves_without_its_row_and_a_restart_goes_on(small: Path) -> None:
    words = ("demo", "--no-outage", "--out", str(small), "--json")
    process = start(*words)
    wait_for_requests(process, small, 40)
    stop_in_a_position(process, small)
    empty_log(small)
    process.send_signal(signal.SIGCONT)
    for _ in range(6_000):  # also what the bot had kept for itself
        fill(small / "filler")
        if process.poll() is not None:
            break
        time.sleep(0.005)
    _, failed = process.communicate(timeout=180)
    sent = numbers_sent(small)

    assert process.returncode == 1
    assert re.fullmatch(r"error: .*the journal cannot be written \(.*\)\n", failed)
    assert len(sent) > 5
    assert sent <= numbers_journalled(small)

    go_on_with_room(words, small, 20)

    assert len(numbers_sent(small)) > len(sent)
    assert numbers_sent(small) <= numbers_journalled(small)


def test_a_bot_that_can_keep_no_room_opens_nothing(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="limits of POSIX systems")
    folder, limit = tmp_path / "out", RESERVE_BYTES - 1
    done = subprocess.run(
        command("demo", "--no-outage", "--out", str(folder), "--json"),
        env=environment(),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert requests_in(folder) == 0
    with closing(SqliteJournal.attach(folder / "journal.sqlite")) as journal:
        assert [one.reason[:17] for one in halts_of(journal)] == ["the disk is full:"]


@pytest.mark.parametrize("has_history", [False, True], ids=["fresh", "after a killed run"])
def test_of_bots_that_start_in_one_folder_at_once_one_goes_on_and_the_others_name_it(
    tmp_path: Path, *, has_history: bool
) -> None:
    folder = tmp_path / "out"
    words = ("demo", "--no-outage", "--out", str(folder), "--json")
    if has_history:
        before = start(*words)
        wait_for_requests(before, folder, 200)
        kill(before)  # the last words of its journal are of a process that is no more
    bots = [start(*words) for _ in range(3)]
    for _ in range(1_000):
        over = [bot for bot in bots if bot.poll() is not None]
        if len(over) == 2:
            break
        time.sleep(0.02)
    (winner,) = [bot for bot in bots if bot.poll() is None]
    wait_for_requests(winner, folder, requests_in(folder) + 5)
    late = run("demo", "--no-outage", "--out", str(folder))
    kill(winner)

    told = [bot.communicate(timeout=90)[1] for bot in over] + [late.stderr]
    assert [bot.returncode for bot in over] == [1, 1]
    for said in told:
        named = re.search(
            rf"error: .*another bot writes this journal \(demo, process {winner.pid}, started "
            r"([-0-9]+ [:0-9]+) UTC\); stop it first, or use another folder\n",
            said,
        )
        assert named, said
        started = datetime.strptime(named[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        assert abs((datetime.now(tz=UTC) - started).total_seconds()) < 120
