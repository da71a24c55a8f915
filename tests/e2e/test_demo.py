"""The demo and its companions as real processes."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sqlite3
import sys
from typing import TYPE_CHECKING

import pytest
from demo_process import (
    journal_deals,
    kill,
    requests_in,
    run,
    start,
    summary_of,
    terminal_deals,
    wait_for_event,
    wait_for_requests,
)

if TYPE_CHECKING:
    from pathlib import Path

OUTPUTS = {"report.html", "journal.sqlite", "terminal", "events.jsonl", "summary.json"}
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX systems")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished demo with its outage."""
    folder = tmp_path_factory.mktemp("demo") / "out"
    done = run("demo", "--out", str(folder), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == summary_of(folder)
    return folder


def test_it_leaves_report_journal_terminal_events_and_summary(finished: Path) -> None:
    assert {path.name for path in finished.iterdir()} >= OUTPUTS


def test_journal_and_terminal_agree_deal_for_deal(finished: Path) -> None:
    deals = journal_deals(finished)

    assert len(deals) > 100
    assert deals == terminal_deals(finished)


def test_the_outage_is_told_with_the_stop_that_was_hit_while_away(finished: Path) -> None:
    events = [
        json.loads(line)
        for line in (finished / "events.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    lost = next(event for event in events if event["name"] == "link_lost")
    back = [event for event in events if event["name"] == "reconciled"][-1]
    away = [e for e in events if e["name"] == "position_closed" and e["while_away"]]

    assert [event["reason"] for event in away] == ["sl"]
    assert lost["time_ms"] <= away[0]["time_ms"] <= back["time_ms"]
    assert (back["closed"], back["unresolved"]) == (1, 0)


def test_events_are_numbered_in_order(finished: Path) -> None:
    lines = (finished / "events.jsonl").read_text(encoding="utf-8").splitlines()
    numbers = [json.loads(line)["seq"] for line in lines]

    assert numbers == list(range(1, len(lines) + 1))


def test_the_hash_is_taken_over_the_trades_of_the_summary(finished: Path) -> None:
    from mtquant.research import closed_trades, trades_csv

    text = trades_csv(closed_trades(journal_deals(finished)))

    assert text.startswith("symbol,side,volume_units,open_ms,open_points,close_ms,close_points,")
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert digest == summary_of(finished)["trades_sha256"]
    assert len(text.splitlines()) - 1 == summary_of(finished)["trades"]


def test_a_finished_run_is_replaced_and_gives_the_same_trades(finished: Path) -> None:
    before = summary_of(finished)

    assert run("demo", "--out", str(finished), "--json").returncode == 0

    after = summary_of(finished)
    assert {**after, "seconds": 0} == {**before, "seconds": 0}


def test_report_writes_the_page_again(finished: Path) -> None:
    page = (finished / "report.html").read_bytes()
    (finished / "report.html").unlink()

    done = run("report", str(finished))

    assert done.returncode == 0, done.stderr
    assert (finished / "report.html").read_bytes() == page


def test_a_backtest_of_the_same_configuration_makes_the_same_trades(tmp_path: Path) -> None:
    demo = run("demo", "--no-outage", "--seed", "5", "--out", str(tmp_path / "d"), "--json")
    backtest = run("backtest", "--seed", "5", "--json")

    shas = [json.loads(done.stdout)["trades_sha256"] for done in (demo, backtest)]
    assert shas[0] == shas[1]


@posix
def test_killed_while_orders_are_in_flight_it_goes_on_and_loses_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    chance = random.Random(20_171_229)
    for _ in range(5):
        process = start("demo", "--out", str(folder), "--json")
        wait_for_requests(process, folder, requests_in(folder) + chance.randrange(20, 150))
        kill(process)
        known, booked = journal_deals(folder), terminal_deals(folder)
        assert known == booked[: len(known)]

    done = run("demo", "--out", str(folder), "--json")

    assert done.returncode == 0, done.stderr
    assert journal_deals(folder) == terminal_deals(folder)
    with sqlite3.connect(folder / "journal.sqlite") as connection:
        open_states = "('NEW', 'SENDING', 'UNKNOWN')"
        left = connection.execute(f"select count(*) from intents where state in {open_states}")
        doubled = connection.execute(
            "select count(*) from (select decision_key from intents group by 1 having count(*) > 1)"
        )
        assert (left.fetchone(), doubled.fetchone()) == ((0,), (0,))
    connection.close()
    orders = [deal.intent_id for deal in terminal_deals(folder) if deal.entry.name == "IN"]
    assert len(orders[1:]) == len(set(orders[1:]))


@posix
def test_interrupted_it_stops_in_order_and_goes_on_with_the_same_trades(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    process = start("demo", "--out", str(folder), "--no-outage")
    wait_for_requests(process, folder, 60)
    os.kill(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=90)

    assert process.returncode == 130
    assert "Stopped at 2017-" in told
    assert "Traceback" not in told
    assert not (folder / "summary.json").exists()

    assert run("demo", "--out", str(folder), "--no-outage", "--json").returncode == 0
    whole = run("backtest", "--json")
    assert summary_of(folder)["trades_sha256"] == json.loads(whole.stdout)["trades_sha256"]


@posix
def test_a_second_bot_in_the_folder_is_refused_with_the_first_ones_number(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    first = start("demo", "--out", str(folder), "--json")
    wait_for_requests(first, folder, 5)

    second = run("demo", "--out", str(folder))
    kill(first)

    assert second.returncode == 1
    assert f"process {first.pid}, started 20" in second.stderr
    assert "Traceback" not in second.stderr


def names_of_events(folder: Path) -> list[str]:
    """Return the names of all observations, in order."""
    lines = (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["name"] for line in lines]


@posix
def test_a_halt_from_another_shell_closes_and_stops_entries_to_the_end(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    first = start("demo", "--out", str(folder), "--json")
    wait_for_requests(first, folder, 30)
    halted = run("halt", "--level", "3", "--reason", "news", "--who", "ann", "--dir", str(folder))
    assert halted.returncode == 0, halted.stderr
    first.communicate(timeout=180)

    assert summary_of(folder)["open_positions"] == 0
    with sqlite3.connect(folder / "journal.sqlite") as connection:
        halts = connection.execute("select level, who, reason from halts").fetchall()
    connection.close()
    assert halts == [(3, "ann", "news")]
    names = names_of_events(folder)
    assert "position_opened" not in names[names.index("halt_raised") :]


@posix
def test_a_halt_is_carried_out_while_the_bot_is_dead(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    first = start("demo", "--out", str(folder), "--json")
    wait_for_requests(first, folder, 30)
    kill(first)

    halted = run("halt", "--level", "3", "--reason", "news", "--who", "ann", "--dir", str(folder))

    assert halted.returncode == 0, halted.stderr
    assert "carried out at the terminal; no position stands on the account" in halted.stdout
    again = run("halt", "--level", "1", "--reason", "more", "--who", "bob", "--dir", str(folder))
    assert "the next one takes it up before its first order (level in force now: 3)" in again.stdout
    assert run("demo", "--out", str(folder), "--json").returncode == 0
    names = names_of_events(folder)
    assert "position_opened" not in names[names.index("halt_raised") :]


@posix
def test_a_halt_survives_the_death_of_the_bot_and_a_named_person_lifts_it(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    first = start("demo", "--out", str(folder), "--json")
    wait_for_requests(first, folder, 30)
    assert run("halt", "--reason", "news", "--dir", str(folder)).returncode == 0
    wait_for_event(first, folder, "halt_raised")
    kill(first)

    resumed = run("resume", "--who", "ann", "--reason", "over", "--dir", str(folder))
    assert resumed.returncode == 0, resumed.stderr
    assert run("demo", "--out", str(folder), "--json").returncode == 0

    names = names_of_events(folder)
    raised, cleared = names.index("halt_raised"), names.index("halt_cleared")
    assert "position_opened" not in names[raised:cleared]
    assert "position_opened" in names[cleared:]


@posix
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_killed_again_and_again_it_loses_nothing(tmp_path: Path, seed: int) -> None:
    folder = tmp_path / "out"
    chance = random.Random(seed)
    words = ("demo", "--seed", str(seed), "--out", str(folder), "--json")
    for _ in range(25):
        process = start(*words)
        wait_for_requests(process, folder, requests_in(folder) + chance.randrange(0, 60))
        kill(process)

    assert run(*words).returncode == 0
    assert journal_deals(folder) == terminal_deals(folder)


@posix
def test_the_report_of_a_killed_run_shows_what_it_lived_through(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    process = start("demo", "--out", str(folder), "--json")
    wait_for_requests(process, folder, 60)
    kill(process)

    done = run("report", str(folder))

    assert done.returncode == 0, done.stderr
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "29 Dec 2017" not in page
    assert "1 Jan 2017" in page
