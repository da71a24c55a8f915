"""A bot whose journal is locked, has no room, or is wanted by several bots at once."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import time
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from demo_process import (
    command,
    environment,
    journal_deals,
    kill,
    requests_in,
    run,
    start,
    terminal_deals,
    wait_for_requests,
)

from mtquant.app.workspace import read_run
from mtquant.storage import SqliteJournal
from mtquant.terminal.simulated import FileLog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

resource = pytest.importorskip("resource", reason="limits and signals of POSIX systems")
ROOM_BYTES = 1_000_000  # reached by the journal's -wal long before any other file


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
        _, told = running.communicate(timeout=60)
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


def test_on_a_full_disk_no_order_leaves_without_its_row_and_a_restart_goes_on(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "out"
    full = subprocess.run(
        command("demo", "--no-outage", "--out", str(folder), "--json"),
        env=environment(),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM_BYTES, ROOM_BYTES)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    sent = numbers_sent(folder)

    assert full.returncode == 1
    assert re.fullmatch(r"error: .*the journal cannot be written \(.*\)\n", full.stderr)
    assert len(sent) > 3
    assert sent <= numbers_journalled(folder)

    done = run("demo", "--no-outage", "--out", str(folder), "--json")

    assert done.returncode == 0, done.stderr
    assert journal_deals(folder) == terminal_deals(folder)
    with closing(SqliteJournal.attach(folder / "journal.sqlite")) as journal:
        assert not [row for row in journal.intents() if row.is_open]
    assert numbers_sent(folder) <= numbers_journalled(folder)


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

    told = [bot.communicate(timeout=30)[1] for bot in over] + [late.stderr]
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
