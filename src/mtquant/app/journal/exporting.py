"""`mtquant journal export`: the journal for other programs."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from mtquant.app.journal.opened import reading
from mtquant.model import ConfigError, Deal, IntentRow, OrderIntent
from mtquant.storage import write_whole
from mtquant.storage.chain import LogRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from mtquant.storage import SqliteJournal

KINDS: Final = ("intents", "deals", "log")
FORMATS: Final = ("csv", "jsonl")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_OF_INTENT: Final = {
    field.name: {"order_ticket": "target_order_ticket"}.get(field.name, field.name)
    for field in fields(OrderIntent)
}
"""Columns of an intent's fields: the order it is about is not the order it became."""
COLUMNS: Final = {
    "intents": (
        "intent_id",
        *_OF_INTENT.values(),
        *(one.name for one in fields(IntentRow) if one.name not in ("intent_id", "intent")),
    ),
    "deals": tuple(field.name for field in fields(Deal)),
    "log": tuple(field.name for field in fields(LogRow)),
}


def export(folder: Path, what: str, as_format: str) -> Iterator[str]:
    """Yield the lines of an export, each with its end.

    Raises:
        JournalError: there is no journal in the folder, or it cannot be read.
    """
    with reading(folder) as journal:
        records = _records(journal, what)
        if as_format == "csv":
            yield from csv_lines(COLUMNS[what], map(_flat, records))
        else:
            yield from (json.dumps(record, separators=(",", ":")) + "\n" for record in records)


def write_export(out: Path, lines: Iterable[str], folder: Path, *, force: bool) -> None:
    """Write an export to a file, in one piece.

    Raises:
        ConfigError: the file lies in the bot's folder, exists and `force` is not given, or cannot
            be written.
        JournalError: the journal cannot be read.
    """
    if _is_same(out.absolute().parent, folder):
        raise ConfigError(f"{out}: the folder of a bot holds the files of its run; choose another")
    if out.is_dir():
        raise ConfigError(f"{out}: this is a folder; --out needs the name of a file")
    if out.exists() and not force:
        raise ConfigError(f"{out}: this file exists; --force replaces it")
    write_whole(out, "".join(lines))


def csv_lines(columns: Sequence[str], records: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield records as CSV (RFC 4180): a header, lines that end in CR LF, None as nothing.

    A text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    for values in (columns, *([record[name] for name in columns] for record in records)):
        line = io.StringIO()
        csv.writer(line).writerow([_cell(value) for value in values])
        yield line.getvalue()


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = value.encode("utf-8", "backslashreplace").decode()  # half a surrogate is no character
    return f"'{text}" if text.startswith(_FORMULA) else text


def _records(journal: SqliteJournal, what: str) -> Iterator[dict[str, Any]]:
    if what == "log":
        names = COLUMNS["log"]
        yield from (dict(zip(names, row.values(), strict=True)) for row in journal.log())
    else:
        yield from (one.to_dict() for one in getattr(journal, what)())


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record with the fields of the intent in it beside its own."""
    if "intent" not in record:
        return record
    return record | {column: record["intent"][name] for name, column in _OF_INTENT.items()}


def _is_same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)
