"""The file HALT beside a journal halts the bot, whatever stands in it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from mtquant.app.halting import request
from mtquant.model import ConfigError
from mtquant.storage import HALT_FILE, SqliteJournal

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "level", "reason"),
    [
        ("", 1, "it is there"),
        ("\n", 1, "it is there"),
        ("3", 3, "it is there"),
        ("4 closing the book\n", 4, "closing the book"),
        ("2\nnews\nat 14:00", 2, "news at 14:00"),
        ("news", 1, "news"),
        ("9 lives", 1, "9 lives"),
        ("31 days", 1, "31 days"),
        ("0 resume", 1, "0 resume"),
        ("\x00\udcff", 1, "\x00?"),
    ],
)
def test_it_names_a_level_and_a_reason_or_asks_for_the_first(
    tmp_path: Path, text: str, level: int, reason: str
) -> None:
    (tmp_path / HALT_FILE).write_text(text, encoding="utf-8", errors="replace")
    os.utime(tmp_path / HALT_FILE, (1_500_000_000, 1_500_000_000))
    journal = SqliteJournal.open(tmp_path / "journal.sqlite")
    (halt,) = journal.pending_halts()
    journal.close()

    assert (halt.level, halt.reason, halt.who) == (level, reason, "the file HALT")
    assert halt.time_ms == 1_500_000_000_000


def test_it_is_taken_up_once_and_again_after_it_has_been_raised(tmp_path: Path) -> None:
    journal = SqliteJournal.open(tmp_path / "journal.sqlite")
    assert journal.pending_halts() == []
    (tmp_path / HALT_FILE).write_text("2")
    (halt,) = journal.pending_halts()
    journal.record_halt(halt)
    assert journal.pending_halts() == []
    (tmp_path / HALT_FILE).write_text("3")
    assert [one.level for one in journal.pending_halts()] == [3]
    (tmp_path / HALT_FILE).unlink()
    assert journal.pending_halts() == []
    assert journal.halt_level() == 2
    journal.close()


def test_a_folder_of_that_name_halts_too(tmp_path: Path) -> None:
    (tmp_path / HALT_FILE).mkdir()
    journal = SqliteJournal.open(tmp_path / "journal.sqlite")

    assert [one.level for one in journal.pending_halts()] == [1]
    journal.close()


def test_nobody_resumes_while_it_is_there(tmp_path: Path) -> None:
    SqliteJournal.open(tmp_path / "journal.sqlite").close()
    (tmp_path / HALT_FILE).touch()

    with pytest.raises(ConfigError, match="HALT is there and halts the bot: remove it first"):
        request(tmp_path, level=0, who="ann", reason="calm")
    assert "request 1: halt level 1" in request(tmp_path, level=1, who="ann", reason="out")
