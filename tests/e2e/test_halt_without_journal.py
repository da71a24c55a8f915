"""Where the journal cannot be used a halt closes the bot's positions, and a start says so."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from demo_process import (
    command,
    environment,
    kill,
    run,
    start,
    stop_in_a_position,
    terminal_positions,
    wait_for_event,
    wait_for_requests,
    wait_until_flat,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

resource = pytest.importorskip("resource", reason="limits and signals of POSIX systems")
HALT = ("halt", "--level", "3", "--reason", "news", "--who", "ann", "--dir")
CLOSED = "it was carried out at the terminal; no position stands on the account\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def running(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a demo in the folder, and give it back when it trades."""
    process = start("demo", "--no-outage", "--out", str(folder), "--json")
    wait_for_requests(process, folder, 20)
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate(timeout=90)


def killed_with_a_position(process: subprocess.Popen[str], folder: Path) -> None:
    """Kill a demo at a moment at which a position of it stands."""
    stop_in_a_position(process, folder)
    kill(process)
    assert terminal_positions(folder)


def remove_journal(folder: Path) -> None:
    for name in ("journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm"):
        (folder / name).unlink(missing_ok=True)


def test_with_the_journal_missing_and_no_bot_running_it_is_carried_out(
    folder: Path, running: subprocess.Popen[str]
) -> None:
    killed_with_a_position(running, folder)
    remove_journal(folder)

    done = run(*HALT, str(folder))

    assert done.returncode == 0, done.stderr
    assert "there is no journal here. The file HALT was written and asks for level 3" in done.stdout
    assert done.stdout.endswith(CLOSED)
    assert terminal_positions(folder) == []
    assert (folder / "HALT").read_text(encoding="utf-8") == "3 by ann: news\n"


def test_with_the_journal_removed_under_it_a_bot_obeys_the_file(
    folder: Path, running: subprocess.Popen[str]
) -> None:
    remove_journal(folder)
    running.send_signal(signal.SIGSTOP)  # it must not end before the command has looked

    done = run(*HALT, str(folder))
    running.send_signal(signal.SIGCONT)

    assert done.returncode == 0, done.stderr
    assert f"the bot that runs here (demo, process {running.pid}, " in done.stdout
    wait_for_event(running, folder, "halt_raised")
    wait_until_flat(running, folder)
    kill(running)
    assert terminal_positions(folder) == []


def test_with_the_journal_locked_the_bot_ends_and_the_halt_is_carried_out(
    folder: Path, running: subprocess.Popen[str]
) -> None:
    journal = folder / "journal.sqlite"
    with closing(sqlite3.connect(journal, isolation_level=None, timeout=30)) as other:
        other.execute("begin immediate")
        done = run(*HALT, str(folder))
    running.communicate(timeout=90)

    assert running.returncode == 1  # of the same lock
    assert done.returncode == 0, done.stderr
    assert "(database is locked). The file HALT was written" in done.stdout
    assert done.stdout.endswith(CLOSED)
    assert terminal_positions(folder) == []


def test_with_no_room_for_anything_but_the_file_the_command_says_what_is_not_done(
    folder: Path, running: subprocess.Popen[str]
) -> None:
    killed_with_a_position(running, folder)
    full = subprocess.run(
        command(*HALT, str(folder)),
        env=environment(),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, 1_000)),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    *before, said = full.stderr.splitlines()
    assert full.returncode == 1
    assert len(before) == 1
    assert re.fullmatch(r"the log .* cannot be written \(File too large\)", before[0])
    assert "The file HALT was written and asks for level 3; " in said
    assert "not all of it was carried out at the terminal; 1 positions stand on the acc" in said
    again = run(*HALT, str(folder))
    assert again.returncode == 0, again.stderr
    assert terminal_positions(folder) == []


def test_a_journal_moved_away_is_rebuilt_from_the_broker_and_the_person_is_told(
    folder: Path, running: subprocess.Popen[str]
) -> None:
    killed_with_a_position(running, folder)
    (position,) = terminal_positions(folder)
    remove_journal(folder)

    done = run("demo", "--no-outage", "--out", str(folder))

    assert done.returncode == 0, done.stderr
    assert re.search("no journal was here, and the broker knows this bot: 1 positions", done.stderr)
    told = [json.loads(line) for line in (folder / "events.jsonl").read_bytes().splitlines()]
    (rebuilt,) = [event for event in told if event["name"] == "journal_rebuilt"]
    after = told[told.index(rebuilt) :]
    tickets = {one.get("position_ticket") for one in after if one["name"] == "position_closed"}
    assert position.position_ticket in tickets  # it was managed on
