"""The journal's log: what was changed afterwards shows, and older journals get one."""

from __future__ import annotations

import sqlite3
import threading
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
TABLES = ("log", "intents", "deals", "halts", "requests", "meta", "sqlite_sequence")
RISK = '{"breaker": {"level": 3}}'


def filled(path: Path) -> Path:
    with closing(SqliteJournal.open(path, owner="test", now_ms=1)) as journal:
        for number in (1, 2, 3):
            note = Publish(name="signal_raised", time_ms=1, correlation_id=f"bar:{number}")
            journal.note(note)
            journal.record_sending(sending_row(number))
            journal.record_intents([sending_row(number).moved(IntentState.DONE, 7)])
            journal.record_deals([a_deal(number, intent_id=number)])
        journal.record_account("1@Demo")
        journal.record_baseline(7)
        journal.record_risk('{"breaker": {"level": 1}}')
        journal.record_risk(RISK)
        for level in (2, 0):
            journal.record_halt(HaltOrder(time_ms=9, level=level, who="Ann", reason="x"))
        taken = journal.request_halt(3, "Bob", "storm", 10)
        journal.record_halt(
            HaltOrder(time_ms=11, level=3, who="Bob", reason="storm", request_id=taken)
        )
        journal.request_halt(4, "Cid", "flood", 12)
    return path


def changed(path: Path, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, values)


def test_an_untouched_journal_passes_and_tells_how_long_it_is(tmp_path: Path) -> None:
    path = filled(tmp_path / "journal.sqlite")
    with closing(SqliteJournal.attach(path)) as journal:
        count, last = journal.verify()
        rows = list(journal.log())

    assert count == len(rows) == 22
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
            assert reader.verify()[0] == 23
        assert len(reader.intents()) == before + 1
        assert reader.verify()[0] == 24


def test_the_log_goes_on_where_an_earlier_process_left_it(tmp_path: Path) -> None:
    path = filled(tmp_path / "journal.sqlite")
    with closing(SqliteJournal.open(path, owner="second", now_ms=2)) as journal:
        journal.record_sending(sending_row(4))
        count, _ = journal.verify()
        opened = [r.record() for r in journal.log() if r.record().get("name") == "journal_opened"]

    assert count == 24
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
    column = data.draw(st.sampled_from([*columns, None]))
    try:
        if column is None:
            changed(path, f"delete from {table} where rowid = ?", rowid)
        else:
            change = f"update {table} set {column} = coalesce({column}, '') || '77' where rowid = ?"
            changed(path, change, rowid)
        with closing(SqliteJournal.attach(path)) as journal, pytest.raises(JournalError):
            journal.verify()
    finally:
        path.write_bytes(whole)


def found_after(path: Path, statement: str) -> str:
    """Return why a changed journal is refused: the same by `verify` and by the next start."""
    changed(path, statement)
    with closing(SqliteJournal.attach(path)) as journal, pytest.raises(JournalError) as verified:
        journal.verify()
    with pytest.raises(JournalError, match="the journal is damaged") as started:
        SqliteJournal.open(path)
    assert str(verified.value) in str(started.value)
    return str(verified.value)


@pytest.mark.parametrize("key", ["account", "cash_baseline_minor", "risk_state", "fence", "owner"])
@pytest.mark.parametrize(
    "statement",
    ["update meta set value = '8' where key = '{}'", "delete from meta where key = '{}'"],
)
def test_each_word_that_trading_relies_on_is_held_against_the_log(
    tmp_path: Path, key: str, statement: str
) -> None:
    path = filled(tmp_path / "journal.sqlite")

    assert f"{key} is not what the log says" in found_after(path, statement.format(key))


def test_a_breaker_level_lowered_in_the_file_is_found(tmp_path: Path) -> None:
    path = filled(tmp_path / "journal.sqlite")

    lowered = "update meta set value = replace(value, '3', '0') where key = 'risk_state'"
    assert "risk_state is not what the log says" in found_after(path, lowered)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("insert into meta values ('mine', '1')", "mine is not what the log says"),
        ("update deals set time_ms = 6 where deal_ticket = 2", "row 2 of deals is not"),
        ("update halts set request_id = 0 where request_id is null", "row 1 of halts is not"),
        ("update halts set request_id = 2 where request_id = 1", "row 3 of halts is not"),
        ("update requests set taken = 1 where request_id = 2", "row 2 of requests is not"),
        ("update requests set taken = 0 where request_id = 1", "row 1 of requests is not"),
        ("update requests set level = 0 where request_id = 2", "row 2 of requests is not"),
        ("delete from requests where request_id = 2", "row 2 of requests is not"),
        (
            "insert into requests (level, who, reason, time_ms) values (0, 'Eve', 'over', 9)",
            "row 3 of requests is not",
        ),
        (
            "update sqlite_sequence set seq = 9223372036854775807 where name = 'halts'",
            "the next number of halts or requests is not",
        ),
    ],
)
def test_a_row_that_has_no_source_in_the_log_is_found(
    tmp_path: Path, statement: str, said: str
) -> None:
    assert said in found_after(filled(tmp_path / "journal.sqlite"), statement)


COPIED = "create table kept as select * from {0}"
WITHOUT_KEY = "create table kept (key text, value text not null) strict"
RENAMED = "alter table kept rename to {0}"


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (
            ["create trigger quiet after insert on halts begin delete from halts; end"],
            "trigger quiet is not one of a journal's",
        ),
        (["create table mine (number integer)"], "table mine is not one of a journal's"),
        (["create view mine as select * from halts"], "view mine is not one of a journal's"),
        (["create index mine on halts (level)"], "index mine is not one of a journal's"),
        (["drop index log_by_intent"], "index log_by_intent is missing"),
        (["drop table requests"], "table requests is missing"),
        (
            [COPIED.format("intents"), "drop table intents", RENAMED.format("intents")],
            "table intents is not the one that a journal has",
        ),
        (
            [
                WITHOUT_KEY,
                "insert into kept select * from meta",
                "drop table meta",
                RENAMED.format("meta"),
            ],
            "table meta is not the one that a journal has",
        ),
    ],
)
def test_a_schema_that_is_not_what_this_version_makes_is_found(
    tmp_path: Path, statements: list[str], said: str
) -> None:
    path = filled(tmp_path / "journal.sqlite")
    *before, last = statements
    for statement in before:
        changed(path, statement)

    assert said in found_after(path, last)


def rewritten(path: Path, *statements: str) -> None:
    """Change the schema as it stands in the file, and nothing that goes by it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("pragma writable_schema = on")
        for statement in statements:
            connection.execute(statement)


def test_a_decision_that_was_kept_from_the_index_which_knows_it_again_is_found(
    tmp_path: Path,
) -> None:
    path = filled(tmp_path / "journal.sqlite")
    unique = "'unique (decision_key, attempt)'"
    of_table, of_index = "name = 'intents'", "name = 'sqlite_autoindex_intents_1'"
    changed(path, f"create table kept as select * from sqlite_master where {of_index}")
    rewritten(
        path,
        f"update sqlite_master set sql = replace(sql, {unique}, 'check (1)') where {of_table}",
        f"delete from sqlite_master where {of_index}",
    )
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        journal = SqliteJournal(path, connection)
        journal._writes, journal._fence = True, int(journal.meta("fence") or 0)
        journal.record_sending(sending_row(4))
    rewritten(
        path,
        f"update sqlite_master set sql = replace(sql, 'check (1)', {unique}) where {of_table}",
        "insert into sqlite_master select * from kept",
    )

    assert "missing from index sqlite_autoindex_intents_1" in found_after(path, "drop table kept")


def test_a_request_stands_in_the_log_whoever_writes_it(tmp_path: Path) -> None:
    path = filled(tmp_path / "journal.sqlite")
    with (
        closing(SqliteJournal.open(path, owner="bot", now_ms=2)) as bot,
        closing(SqliteJournal.attach(path)) as person,
    ):
        bot.note(Publish(name="signal_raised", time_ms=1, correlation_id="bar:4"))
        number = person.request_halt(2, "Dan", "gap", 13)
        bot.record_sending(sending_row(4))
        told = list(bot.log())[-3:]
        bot.verify()
        person.verify()

    assert [row.record().get("name") for row in told] == ["halt_requested", "signal_raised", None]
    assert told[0].record() == {
        "name": "halt_requested",
        "time_ms": 13,
        "correlation_id": "halt",
        "fields": {"request_id": number, "level": 2, "who": "Dan", "reason": "gap"},
    }


def test_requests_and_rows_of_several_processes_make_one_chain(tmp_path: Path) -> None:
    path = filled(tmp_path / "journal.sqlite")

    def ask() -> None:
        with closing(SqliteJournal.attach(path)) as person:
            for number in range(20):
                person.request_halt(1, "Dan", "gap", number)

    with closing(SqliteJournal.open(path)) as bot:
        people = [threading.Thread(target=ask) for _ in range(3)]
        for one in people:
            one.start()
        for number in range(4, 34):
            bot.record_sending(sending_row(number))
        for one in people:
            one.join()
        assert len(bot.pending_halts()) == 61
        bot.verify()


def test_a_deal_with_a_number_that_no_column_holds_is_logged(tmp_path: Path) -> None:
    with closing(SqliteJournal.open(tmp_path / "journal.sqlite")) as journal:
        journal.record_deals([a_deal(1, intent_id=2**63)])
        journal.verify()
        assert journal.deals()[0].intent_id == 2**63


def test_a_forged_row_at_the_end_is_found(tmp_path: Path) -> None:
    path = filled(tmp_path / "journal.sqlite")
    changed(path, "insert into log values (23, 1, 'note', 0, '', '{}', 'ab')")

    with (
        closing(SqliteJournal.attach(path)) as journal,
        pytest.raises(JournalError, match="log row 23"),
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
        assert told == ["note"] * 3 + ["intent", "intent", "deal", "halt"] + ["note"] * 3
        assert [row.state.name for row in journal.intents()] == ["DONE", "UNKNOWN"]
        assert [one.net_minor for one in journal.deals()] == [-354]
        assert journal.halt_level() == 2
        assert [halt.level for halt in journal.pending_halts()] == [0]
        journal.record_sending(sending_row(4))
    with closing(SqliteJournal.attach(path)) as journal:
        assert journal._rows("pragma user_version") == [(SCHEMA_VERSION,)]
        journal.verify()


def version_2(path: Path) -> Path:
    """Make a journal as version 2 wrote it: requests stand in no log."""
    with closing(SqliteJournal.open(path)) as journal:
        journal.record_sending(sending_row(1))
        journal.record_risk(RISK)
        journal.record_halt(HaltOrder(time_ms=8, level=2, who="Ann", reason="storm", request_id=1))
    with closing(sqlite3.connect(path)) as connection, connection:
        add = "insert into requests (level, who, reason, time_ms, taken) values (?, ?, ?, ?, ?)"
        connection.execute(add, (2, "Ann", "storm", 8, 1))
        connection.execute(add, (0, "Bob", "over", 9, 0))
        connection.execute("pragma user_version = 2")
    return path


def test_a_journal_of_version_2_gets_its_requests_into_the_log(tmp_path: Path) -> None:
    path = version_2(tmp_path / "journal.sqlite")
    with closing(SqliteJournal.open(path)) as journal:
        journal.verify()
        assert journal._rows("pragma user_version") == [(SCHEMA_VERSION,)]
        assert [asked.who for asked in journal.pending_halts()] == ["Bob"]
        names = [row.record().get("name") for row in journal.log()]
        assert names[-3:] == ["halt_requested", "halt_requested", "journal_opened"]
        assert (journal.halt_level(), journal.risk_state()) == (2, RISK)
    assert "row 2 of requests is not" in found_after(path, "delete from requests where taken = 0")


def test_a_version_2_with_a_trigger_is_left_as_it_is(tmp_path: Path) -> None:
    path = version_2(tmp_path / "journal.sqlite")
    changed(path, "create trigger quiet after insert on log begin delete from halts; end")
    with pytest.raises(JournalError, match=r"cannot be taken over \(the trigger quiet is not one"):
        SqliteJournal.open(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("pragma user_version").fetchone() == (2,)
        assert connection.execute("select count(*) from halts").fetchone() == (1,)


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
