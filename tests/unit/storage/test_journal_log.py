"""The journal's log: what was changed afterwards shows, and older journals get one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from journal_rows import a_deal, sending_row

from mtquant.model import (
    HaltOrder,
    IntentState,
    JournalError,
    Publish,
)
from mtquant.storage import SCHEMA_VERSION, SqliteJournal

VERSION_1 = Path(__file__).parents[2] / "data" / "journal_version_1.sql"
TABLES = ("log", "intents", "deals", "halts")


def filled(path: Path) -> Path:
    with closing(SqliteJournal.open(path, owner="test", now_ms=1)) as journal:
        for number in (1, 2, 3):
            note = Publish(name="signal_raised", time_ms=1, correlation_id=f"bar:{number}")
            journal.note(note)
            journal.record_sending(sending_row(number))
            journal.record_intents([sending_row(number).moved(IntentState.DONE, 7)])
            journal.record_deals([a_deal(number, intent_id=number)])
        for level in (2, 0):
            journal.record_halt(HaltOrder(time_ms=9, level=level, who="Ann", reason="x"))
    return path


def changed(path: Path, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, values)


def test_an_untouched_journal_passes_and_tells_how_long_it_is(tmp_path: Path) -> None:
    path = filled(tmp_path / "journal.sqlite")
    with closing(SqliteJournal.attach(path)) as journal:
        count, last = journal.verify()
        rows = list(journal.log())

    assert count == len(rows) == 15
    assert last == rows[-1].hash


def test_a_journal_is_whole_also_while_its_bot_writes_on(tmp_path: Path) -> None:
    path = filled(tmp_path / "journal.sqlite")
    with (
        closing(SqliteJournal.open(path, owner="bot", now_ms=2)) as bot,
        closing(SqliteJournal.attach(path)) as reader,
    ):
        with reader.snapshot():
            before = len(reader.intents())
            bot.record_sending(sending_row(4))
            assert len(reader.intents()) == before
            assert reader.verify()[0] == 16
        assert len(reader.intents()) == before + 1
        assert reader.verify()[0] == 17


def test_the_log_goes_on_where_an_earlier_process_left_it(tmp_path: Path) -> None:
    path = filled(tmp_path / "journal.sqlite")
    with closing(SqliteJournal.open(path, owner="second", now_ms=2)) as journal:
        journal.record_sending(sending_row(4))
        count, _ = journal.verify()
        opened = [r.record() for r in journal.log() if r.record().get("name") == "journal_opened"]

    assert count == 17
    assert [one["fields"]["what"] for one in opened] == ["test", "second"]
    assert [one["fields"]["fence"] for one in opened] == [1, 2]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_every_change_of_a_value_and_every_row_taken_out_is_found(
    tmp_path: Path, data: st.DataObject
) -> None:
    path = tmp_path / "journal.sqlite"
    if not path.exists():
        filled(path)
    whole = path.read_bytes()
    table = data.draw(st.sampled_from(TABLES))
    with closing(sqlite3.connect(path)) as connection:
        columns = [row[1] for row in connection.execute(f"pragma table_info({table})")]
        rows = [row[0] for row in connection.execute(f"select rowid from {table}")]
    rowid = data.draw(st.sampled_from(rows))
    told = {"deals": ["body"], "halts": columns[1:-1]}
    column = data.draw(st.sampled_from([*told.get(table, columns), None]))
    try:
        if column is None:
            changed(path, f"delete from {table} where rowid = ?", rowid)
        else:
            change = f"update {table} set {column} = {column} || '7' where rowid = ?"
            changed(path, change, rowid)
        with closing(SqliteJournal.attach(path)) as journal, pytest.raises(JournalError):
            journal.verify()
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize("key", ["account", "cash_baseline_minor"])
def test_what_trading_relies_on_is_held_against_the_log_too(tmp_path: Path, key: str) -> None:
    path = filled(tmp_path / "journal.sqlite")
    with closing(SqliteJournal.open(path)) as journal:
        journal.record_account("1@Demo")
        journal.record_baseline(7)
        journal.verify()
    changed(path, "update meta set value = '8' where key = ?", key)

    with (
        closing(SqliteJournal.attach(path)) as journal,
        pytest.raises(JournalError, match=f"{key} is not what the log says"),
    ):
        journal.verify()


def test_a_deal_with_a_number_that_no_column_holds_is_logged(tmp_path: Path) -> None:
    with closing(SqliteJournal.open(tmp_path / "journal.sqlite")) as journal:
        journal.record_deals([a_deal(1, intent_id=2**63)])
        journal.verify()
        assert journal.deals()[0].intent_id == 2**63


def test_a_forged_row_at_the_end_is_found(tmp_path: Path) -> None:
    path = filled(tmp_path / "journal.sqlite")
    changed(path, "insert into log values (16, 1, 'note', 0, '', '{}', 'ab')")

    with (
        closing(SqliteJournal.attach(path)) as journal,
        pytest.raises(JournalError, match="log row 16"),
    ):
        journal.verify()


def test_a_writer_that_was_overtaken_writes_nothing_more(tmp_path: Path) -> None:
    path = filled(tmp_path / "journal.sqlite")
    with closing(SqliteJournal.open(path)) as first:
        changed(path, "update meta set value = '9' where key = 'fence'")  # a lock that failed
        with pytest.raises(JournalError, match=r"taken this journal over.*number is 9, ours 2"):
            first.record_sending(sending_row(4))
    with closing(SqliteJournal.attach(path)) as journal:
        assert [row.intent_id for row in journal.intents()] == [1, 2, 3]


def version_1(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_1.read_text(encoding="utf-8"))
    return path


def test_a_journal_of_version_1_is_taken_over_whole(tmp_path: Path) -> None:
    path = version_1(tmp_path / "journal.sqlite")
    with closing(SqliteJournal.open(path)) as journal:
        journal.verify()
        told = [row.kind for row in journal.log()]
        assert told == ["note"] * 3 + ["intent", "intent", "deal", "halt", "note"]
        assert [row.state.name for row in journal.intents()] == ["DONE", "UNKNOWN"]
        assert [one.net_minor for one in journal.deals()] == [-354]
        assert journal.halt_level() == 2
        assert [halt.level for halt in journal.pending_halts()] == [0]
        journal.record_sending(sending_row(4))
    with closing(SqliteJournal.attach(path)) as journal:
        assert journal._rows("pragma user_version") == [(SCHEMA_VERSION,)]
        journal.verify()


def test_whoever_only_looks_is_told_that_a_journal_is_older(tmp_path: Path) -> None:
    path = version_1(tmp_path / "journal.sqlite")
    with pytest.raises(JournalError, match="older version; the next start of its bot"):
        SqliteJournal.attach(path)


def test_a_version_1_that_cannot_be_read_is_left_as_it_is(tmp_path: Path) -> None:
    path = version_1(tmp_path / "journal.sqlite")
    changed(path, "update intents set body = 'no json' where intent_id = 1")
    with pytest.raises(JournalError, match="older version cannot be taken over"):
        SqliteJournal.open(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("pragma user_version").fetchone() == (1,)
        assert connection.execute("select count(*) from steps").fetchone() == (3,)
