"""`mtquant journal export`: other programs read back what stands in the journal, and no formula."""

from __future__ import annotations

import csv
import io
import json
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mtquant.app.journal.exporting import COLUMNS, KINDS, csv_lines, export, write_export
from mtquant.app.plain_text import lots_text, money_text, price_text, shown
from mtquant.model import (
    ConfigError,
    Deal,
    DealEntry,
    DealKind,
    IntentAction,
    IntentRow,
    IntentState,
    OrderIntent,
    Reason,
    Side,
)
from mtquant.storage import SqliteJournal

if TYPE_CHECKING:
    from pathlib import Path

FORMULA = "=+-@\t\r\n"
texts = st.text() | st.text(alphabet=FORMULA + "',\"; a\x00\u2028") | st.text("=\ud800,")


def filled(folder: Path, text: str = "=1+1") -> list[IntentRow]:
    """Make a journal in which every text of the outside is the same one."""
    intent = OrderIntent(
        strategy_id="s",
        symbol="EURUSD",
        action=IntentAction.OPEN,
        side=Side.BUY,
        volume_units=1,
        trigger="bar:1",
        decided_ms=-5,
        deadline_ms=0,
        reason=text,
    )
    row = IntentRow(
        intent_id=1, intent=intent, state=IntentState.SENDING, comment=text, created_ms=1
    )
    deal = Deal(
        deal_ticket=4,
        order_ticket=5,
        position_ticket=6,
        time_ms=5,
        symbol=text,
        kind=DealKind.BALANCE,
        side=None,
        entry=DealEntry.IN,
        volume_units=0,
        price_points=0,
        profit_minor=-53,
        commission_minor=0,
        swap_minor=0,
        fee_minor=0,
        reason=Reason.CLIENT,
        comment=text,
    )
    folder.mkdir(parents=True, exist_ok=True)
    with closing(SqliteJournal.open(folder / "journal.sqlite")) as journal:
        journal.record_sending(row)
        journal.record_deals([deal])
    return [row]


def cells_of(lines: list[str]) -> list[list[str]]:
    return list(csv.reader(io.StringIO("".join(lines), newline=""), strict=True))


@given(text=texts, number=st.integers(), nothing=st.none())
def test_no_text_of_an_export_begins_like_a_formula(text: str, number: int, nothing: None) -> None:
    record = {"text": text, "number": number, "nothing": nothing}

    header, (cell, count, empty) = cells_of(list(csv_lines(list(record), [record])))

    assert header == ["text", "number", "nothing"]
    assert not cell.startswith(tuple(FORMULA))
    printed = text.encode("utf-8", "backslashreplace").decode()
    assert cell.removeprefix("'" if text.startswith(tuple(FORMULA)) else "") == printed
    assert (int(count), empty) == (number, "")


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=texts)
def test_a_whole_journal_comes_out_as_csv_and_as_json_lines(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "bot"
    for old in folder.glob("journal*"):
        old.unlink()
    rows = filled(folder, text)

    for what in ("intents", "deals", "log"):
        header, *records = cells_of(list(export(folder, what, "csv")))
        assert tuple(header) == COLUMNS[what]
        assert all(len(record) == len(header) for record in records)
        beginnings = {cell[0] for record in records for cell in record if cell}
        assert beginnings.isdisjoint(set(FORMULA) - {"-"})

    lines = list(export(folder, "intents", "jsonl"))
    assert [IntentRow.from_dict(json.loads(line)) for line in lines] == rows
    (deal,) = (Deal.from_dict(json.loads(line)) for line in export(folder, "deals", "jsonl"))
    assert (deal.symbol, deal.profit_minor) == (text, -53)
    with closing(SqliteJournal.attach(folder / "journal.sqlite")) as journal:
        log = [json.loads(line) for line in export(folder, "log", "jsonl")]
        assert [tuple(one.values()) for one in log] == [row.values() for row in journal.log()]


@pytest.mark.parametrize("what", KINDS)
def test_each_column_is_named_once_and_holds_the_value_of_the_json_lines(
    tmp_path: Path, what: str
) -> None:
    (opened,) = filled(tmp_path)
    done = opened.moved(IntentState.DONE, 7, order_ticket=50_000_007, filled_units=1)
    target = replace(
        opened.intent, action=IntentAction.CANCEL, trigger="bar:2", order_ticket=50_000_003
    )
    cancel = IntentRow(intent_id=2, intent=target, state=IntentState.SENDING, created_ms=2)
    with closing(SqliteJournal.open(tmp_path / "journal.sqlite")) as journal:
        journal.record_intents([done])
        journal.record_sending(cancel)

    header, *records = cells_of(list(export(tmp_path, what, "csv")))
    lines = [json.loads(line) for line in export(tmp_path, what, "jsonl")]

    assert len(set(header)) == len(header)
    assert len(records) == len(lines) > 0
    for cells, line in zip(records, lines, strict=True):
        of_intent = line.pop("intent", {})
        if of_intent:
            of_intent["target_order_ticket"] = of_intent.pop("order_ticket")
        assert line.keys().isdisjoint(of_intent)
        told = {name: as_cell(value) for name, value in (line | of_intent).items()}
        assert dict(zip(header, cells, strict=True)) == told


def as_cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(tuple(FORMULA)) else text


def test_numbers_stay_numbers_and_nothing_stays_empty(tmp_path: Path) -> None:
    filled(tmp_path)

    header, record = cells_of(list(export(tmp_path, "deals", "csv")))
    found = dict(zip(header, record, strict=True))

    assert (found["profit_minor"], found["side"], found["comment"]) == ("-53", "", "'=1+1")


def test_lines_end_in_cr_lf_and_quotes_are_doubled() -> None:
    lines = list(csv_lines(["a", "b"], [{"a": 'say "yes"', "b": "1\n2"}]))

    assert lines == ["a,b\r\n", '"say ""yes""","1\n2"\r\n']


def test_a_file_is_written_whole_and_replaced_only_when_asked(tmp_path: Path) -> None:
    filled(tmp_path / "bot")
    out = tmp_path / "deals.csv"

    def write(**more: Any) -> None:
        lines = export(tmp_path / "bot", "deals", "csv")
        write_export(out, lines, tmp_path / "bot", **({"force": False} | more))

    write()
    first = out.read_bytes()
    with pytest.raises(ConfigError, match="this file exists; --force replaces it"):
        write()
    out.write_text("mine", encoding="utf-8")
    write(force=True)

    assert out.read_bytes() == first
    assert first.count(b"\r\n") == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bot", "deals.csv"]


@pytest.mark.parametrize(
    "name", ["journal.sqlite", "journal.sqlite-wal", "summary.json", "run.json", "intents.csv"]
)
def test_an_export_never_replaces_the_journal(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "bot"
    filled(folder)
    before = (folder / "journal.sqlite").read_bytes()

    with pytest.raises(ConfigError, match="the folder of a bot holds the files of its run"):
        write_export(folder / ".." / "bot" / name, ["x"], folder, force=True)

    assert (folder / "journal.sqlite").read_bytes() == before


def test_a_folder_and_a_place_that_does_not_exist_are_refused(tmp_path: Path) -> None:
    for out, said in ((tmp_path, "this is a folder"), (tmp_path / "no" / "a.csv", "cannot be")):
        with pytest.raises(ConfigError, match=said):
            write_export(out, ["x"], tmp_path, force=True)


@given(st.text())
def test_what_is_shown_prints_and_keeps_what_did(text: str) -> None:
    assert shown(text).isprintable()
    assert shown(text) == text or not text.isprintable()


@given(st.integers(-(10**20), 10**20), st.integers(0, 8))
def test_fixed_numbers_are_exact(value: int, digits: int) -> None:
    from decimal import Decimal

    assert Decimal(price_text(value, digits)) == Decimal(value).scaleb(-digits)
    assert Decimal(money_text(value, ("USD", digits)).split()[0]) == Decimal(value).scaleb(-digits)
    assert Decimal(lots_text(value)) == Decimal(value).scaleb(-8)
