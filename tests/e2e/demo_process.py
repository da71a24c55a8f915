"""Running the command line as a user does: a real process, its files, its end."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtquant.app.results import plan_of
from mtquant.app.workspace import read_run
from mtquant.model import Deal, DealEntry, DealKind, Position
from mtquant.terminal.simulated import FileLog, SimulatedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCES = Path(__file__).resolve().parents[2] / "src"
REQUESTS = (b'"order":{', b'"stops":{')


def command(*words: str) -> list[str]:
    """Return the words that run mtquant in this Python."""
    return [sys.executable, "-m", "mtquant", *words]


def environment() -> dict[str, str]:
    """Return an environment in which the sources are found, with nothing else changed."""
    paths = [str(SOURCES), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


def run(
    *words: str, cwd: Path | None = None, encoding: str = "utf-8"
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; `encoding` is what its console understands."""
    return subprocess.run(
        command(*words),
        env=environment() | {"PYTHONIOENCODING": encoding},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def start(*words: str) -> subprocess.Popen[str]:
    """Start a command and return at once."""
    return subprocess.Popen(
        command(*words),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def summary_of(folder: Path) -> dict[str, Any]:
    """Return summary.json."""
    loaded: dict[str, Any] = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return loaded


def requests_in(folder: Path) -> int:
    """Return how many trade requests the server's file holds."""
    path = folder / "terminal" / "server.jsonl"
    if not path.is_file():
        return 0
    content = path.read_bytes()
    return sum(content.count(word) for word in REQUESTS)


def wait_for_requests(process: subprocess.Popen[str], folder: Path, count: int) -> None:
    """Wait until the server has taken `count` requests, or the process has ended."""
    for _ in range(6_000):
        if requests_in(folder) >= count or process.poll() is not None:
            return
        time.sleep(0.005)
    raise AssertionError(f"the server did not take {count} requests in time")


def wait_for_event(process: subprocess.Popen[str], folder: Path, name: str) -> None:
    """Wait until events.jsonl tells of something, or the process has ended."""
    for _ in range(6_000):
        content = (folder / "events.jsonl").read_text(encoding="utf-8")
        if f'"name":"{name}"' in content or process.poll() is not None:
            return
        time.sleep(0.005)
    raise AssertionError(f"{name} was not told in time")


def wait_until_flat(process: subprocess.Popen[str], folder: Path) -> None:
    """Wait until events.jsonl tells of as many closed positions as opened ones."""
    for _ in range(6_000):
        content = (folder / "events.jsonl").read_text(encoding="utf-8")
        opened, closed = (content.count(f'"name":"position_{how}"') for how in ("opened", "closed"))
        if opened == closed or process.poll() is not None:
            return
        time.sleep(0.005)
    raise AssertionError("a position was not closed in time")


def kill(process: subprocess.Popen[str]) -> None:
    """Kill a process as the operating system would."""
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=90)


def journal_deals(folder: Path) -> list[Deal]:
    """Return the deals in the journal, read from its table as anybody could."""
    with sqlite3.connect(folder / "journal.sqlite") as connection:
        rows = connection.execute("select body from deals order by deal_ticket").fetchall()
    connection.close()
    return [Deal.from_dict(json.loads(body)) for (body,) in rows]


def held_units(folder: Path) -> int:
    """Return the open volume that the journal's deals leave."""
    side = {DealEntry.IN: 1, DealEntry.OUT: -1}
    deals = [one for one in journal_deals(folder) if one.kind is DealKind.TRADE]
    return sum(side[one.entry] * one.volume_units for one in deals)


def stop_in_a_position(process: subprocess.Popen[str], folder: Path) -> None:
    """Hold the process as soon as it knows of an open position."""
    for _ in range(6_000):
        process.send_signal(signal.SIGSTOP)
        if held_units(folder):
            return
        process.send_signal(signal.SIGCONT)
        time.sleep(0.01)
    raise AssertionError("no position was opened in time")


def terminal_deals(folder: Path) -> list[Deal]:
    """Return the deals at the simulated server, rebuilt from its own file."""
    with rebuilt_server(folder) as server:
        return list(server.book.ledger.deals)


def terminal_positions(folder: Path) -> list[Position]:
    """Return the positions that stand at the simulated server, likewise."""
    with rebuilt_server(folder) as server:
        return list(server.book.positions())


@contextmanager
def rebuilt_server(folder: Path) -> Iterator[SimulatedServer]:
    """Give the simulated server of a demo that does not run."""
    facts = read_run(folder)
    log = FileLog(folder / "terminal" / "server.jsonl", facts["fingerprint"])
    try:
        yield SimulatedServer(plan_of(facts).market(), log)
    finally:
        log.close()
