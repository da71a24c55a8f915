"""`mtquant journal`: what a person sees, what a program reads, and what is refused."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from demo_process import command, environment, run
from worlds import DirectClient, Scripted, World, bars_of

from mtquant.app.cli import main
from mtquant.app.commands.journal import _STATES
from mtquant.model import Direction, IntentState
from mtquant.storage import SqliteJournal

Caller = Callable[..., tuple[int, str, str]]
VERSION_1 = Path(__file__).resolve().parents[1] / "data" / "journal_version_1.sql"
CLOSES = [110_000, 110_000, 110_000, 109_900, 109_500, *[109_500] * 6]
SCRIPT = [None, Direction.LONG, None, None, None, None, Direction.SHORT, None, Direction.LONG]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a bot that has traded: stopped out, short, and long again."""
    folder = tmp_path / "bot"
    folder.mkdir()
    world = World(bars=bars_of(CLOSES), strategy=lambda: Scripted(SCRIPT))
    with closing(SqliteJournal.open(folder / "journal.sqlite")) as journal:
        world.live(journal=journal, client=DirectClient)
    return folder


@pytest.fixture
def journal(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Caller:
    """Return a caller of `mtquant journal` in this process: exit code, output, errors."""

    def call(name: str, *words: str | Path, where: Path = folder) -> tuple[int, str, str]:
        arguments = ["mtquant", "journal", name, "--dir", where, *words]
        monkeypatch.setattr("sys.argv", [str(word) for word in arguments])
        code = main()
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def changed(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "journal.sqlite")) as connection, connection:
        connection.execute(statement)


# ---------------------------------------------------------------------- show


def test_show_says_how_the_journal_stands_and_lists_the_newest_last(journal: Caller) -> None:
    code, said, _ = journal("show", "--limit", "2")

    first, empty, header, older, newer, rest = said.splitlines()
    assert code == 0
    assert first == (
        "4 intents (4 DONE); halt level in force: 0; requests the bot has not taken up: none"
    )
    assert empty == ""
    assert header.split()[:5] == ["time", "(UTC)", "number", "action", "side"]
    assert older.split()[3:7] == ["close", "SELL", "0.49", "EURUSD"]
    assert newer.split()[3:8] == ["open", "BUY", "0.49", "EURUSD", "DONE"]
    assert rest == "… the newest 2 of 4; --limit shows more"


def test_show_filters_by_symbol_state_and_outcome(journal: Caller) -> None:
    def listed(*words: str) -> int:
        return len(json.loads(journal("show", "--json", *words)[1])["intents"])

    assert listed() == listed("--symbol", "EURUSD") == listed("--state", "Done") == 4
    assert listed("--symbol", "GBPUSD") == listed("--open") == listed("--state", "late") == 0
    assert "No intent is like that." in journal("show", "--open")[1]


def test_show_names_the_requests_that_wait_and_the_halt_file(journal: Caller, folder: Path) -> None:
    with closing(SqliteJournal.attach(folder / "journal.sqlite")) as attached:
        attached.request_halt(3, "ann\x1b[2J", "out", 1)
    (folder / "HALT").write_text("2 fire", encoding="utf-8")

    said = journal("show")[1]

    assert "requests the bot has not taken up: 2" in said
    assert r"  asked for: halt level 3, by ann\x1b[2J: out" in said
    assert "  asked for: halt level 2, by the file HALT: fire" in said
    assert len(json.loads(journal("show", "--json")[1])["pending"]) == 2


def test_the_states_that_can_be_asked_for_are_those_there_are() -> None:
    assert list(_STATES) == [state.value for state in IntentState]
    assert [state.upper() for state in _STATES] == [state.name for state in IntentState]


# ---------------------------------------------------------------------- verify


def test_verify_gives_rows_and_hash_and_holds_them_against_later(
    journal: Caller, folder: Path
) -> None:
    code, said, _ = journal("verify")
    facts = json.loads(journal("verify", "--json")[1])
    rows, last = str(facts["rows"]), facts["hash"]
    assert (code, said) == (
        0,
        (
            f"{rows} rows, last hash {last}; keep these two to prove later that nothing before was "
            "replaced\n"
        ),
    )
    with closing(SqliteJournal.open(folder / "journal.sqlite")):
        pass  # a later process: the log has grown

    code, said, _ = journal("verify", "--rows", rows, "--hash", last.upper())

    assert code == 0
    assert said.splitlines()[1] == f"row {rows} is the one whose hash was kept"
    code, _, problem = journal("verify", "--rows", "2", "--hash", last)
    assert code == 1
    assert problem.startswith("error: log row 2 is not the one whose hash was kept")
    code, _, problem = journal("verify", "--rows", "10000", "--hash", last)
    assert code == 1
    assert "and had 10000 when the hash was kept: its end was taken off" in problem
    assert journal("verify", "--rows", rows)[0] == 2


def test_a_changed_row_is_named_in_one_line(journal: Caller, folder: Path) -> None:
    changed(folder, "update log set time_ms = time_ms + 1 where sequence = 5")

    code, said, problem = journal("verify")

    assert (code, said) == (1, "")
    assert problem.startswith("error: log row 5 (note) is not what was written")
    assert problem.count("\n") == 1


def test_what_somebody_put_in_to_move_the_cursor_is_written_out(
    journal: Caller, folder: Path
) -> None:
    changed(folder, "update log set kind = char(27) || '[2J' where sequence = 5")

    assert r"log row 5 (\x1b[2J) is not" in journal("verify")[2]


# ---------------------------------------------------------------------- why


def test_why_tells_a_position_from_any_of_its_numbers(journal: Caller, folder: Path) -> None:
    with closing(SqliteJournal.attach(folder / "journal.sqlite")) as attached:
        opened = attached.intents()[0]
        closing_deal = attached.deals()[2]

    code, said, _ = journal("why", str(opened.order_ticket))

    assert code == 0
    assert said.startswith(f"position {opened.order_ticket} of test in EURUSD\n\n2017-01-02 00:00")
    assert max(map(len, said.splitlines())) <= 120
    for number in (opened.intent_id, closing_deal.deal_ticket):
        assert journal("why", str(number))[1].splitlines()[1:] == said.splitlines()[1:]
    facts = json.loads(journal("why", str(opened.intent_id), "--json")[1])
    assert facts["position_ticket"] == opened.order_ticket
    assert [row["kind"] for row in facts["rows"]].count("deal") == 2


def test_why_refuses_numbers_and_decisions_that_nobody_knows(journal: Caller) -> None:
    code, _, problem = journal("why", "4711")
    assert code == 1
    assert problem.startswith("error: 4711: not in this journal; looked at the numbers of 4 intent")
    code, _, problem = journal("why", "first")
    assert code == 1
    assert problem.startswith("error: 'first': no decision of this journal has this id")


# ---------------------------------------------------------------------- export


@pytest.mark.parametrize("digits", ["9" * 41, "0" * 5_000])
def test_why_refuses_a_number_that_is_too_long_for_one(journal: Caller, digits: str) -> None:
    code, _, problem = journal("why", digits)

    assert code == 1
    assert problem == f"error: {digits[:40]}…: a number of {len(digits)} digits is no ticket\n"


def test_export_writes_to_standard_output_and_into_a_new_file(
    folder: Path, tmp_path: Path, journal: Caller
) -> None:
    out = tmp_path / "deals.csv"

    piped = run("journal", "export", "--what", "deals", "--format", "csv", "--dir", str(folder))
    code, said, _ = journal("export", "--what", "deals", "--format", "csv", "--out", out)

    assert (code, said) == (0, f"deals written to {out}\n")
    rows = list(csv.DictReader(io.StringIO(out.read_bytes().decode(), newline="")))
    assert [row["entry"] for row in rows] == ["IN", "IN", "OUT", "IN", "OUT", "IN"]
    assert piped.stdout.splitlines() == out.read_text(encoding="utf-8").splitlines()
    code, _, problem = journal("export", "--what", "log", "--format", "jsonl", "--out", out)
    assert (code, problem) == (1, f"error: {out}: this file exists; --force replaces it\n")
    words = ("--what", "log", "--format", "jsonl", "--out", out, "--force", "--json")
    assert json.loads(journal("export", *words)[1]) == {"what": "log", "file": str(out)}
    assert journal("export", "--what", "log", "--format", "jsonl", "--json")[0] == 2


def test_a_reader_that_has_enough_is_no_error(folder: Path) -> None:
    words = command("journal", "export", "--what", "log", "--format", "jsonl", "--dir", str(folder))
    with subprocess.Popen(
        words, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


# ---------------------------------------------------------------------- all of them


@pytest.mark.parametrize(
    "words",
    [["show"], ["verify"], ["why", "1"], ["export", "--what", "log", "--format", "csv"]],
    ids=lambda words: words[0],
)
def test_every_command_says_what_is_wrong_with_the_journal(
    journal: Caller, tmp_path: Path, words: list[str]
) -> None:
    empty = tmp_path / "empty"
    assert journal(*words, where=empty)[2] == (
        f"error: {empty / 'journal.sqlite'}: there is no journal here\n"
    )

    empty.mkdir()
    with closing(sqlite3.connect(empty / "journal.sqlite")) as connection:
        connection.executescript(VERSION_1.read_text(encoding="utf-8"))
    code, said, problem = journal(*words, where=empty)
    assert (code, said) == (1, "")
    assert "the journal is of an older version; the next start of its bot takes it over" in problem

    (empty / "journal.sqlite").write_bytes(b"no database at all" * 100)
    code, said, problem = journal(*words, where=empty)
    assert (code, said) == (1, "")
    assert problem.count("\n") == 1


def test_a_journal_is_read_while_its_bot_holds_the_lock_and_left_as_it_is(
    journal: Caller, folder: Path
) -> None:
    with closing(SqliteJournal.open(folder / "journal.sqlite")) as bot:
        before = bot.verify()
        assert journal("show")[0] == journal("verify")[0] == 0
        assert journal("export", "--what", "intents", "--format", "csv")[0] == 0
        assert bot.verify() == before
