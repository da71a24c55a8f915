"""The file HALT beside a journal halts the bot, whatever stands in it."""

from __future__ import annotations

import codecs
import encodings
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from mtquant.app.halting import request
from mtquant.model import ConfigError, HaltOrder
from mtquant.storage import (
    HALT_FILE,
    SqliteJournal,
    halt_file,
    read_halt_file,
    write_halt_file,
)


@pytest.mark.parametrize(
    ("text", "level", "reason"),
    [
        ("", 1, "it is there"),
        ("\n", 1, "it is there"),
        ("3", 3, "it is there"),
        ("4 closing the book\n", 4, "closing the book"),
        ("2\nnews\nat 14:00", 2, "news at 14:00"),
        ("news", 1, "news"),
        ("3: closing", 3, "closing"),
        ("3, closing", 3, "closing"),
        ("4.", 4, "it is there"),
        ("3-close", 3, "close"),
        ("2 - news", 2, "- news"),
        ("3\u2014closing", 3, "closing"),
        ("4) out", 4, "out"),
        ("4!!", 4, "it is there"),
        ("30 lots", 1, "30 lots"),
        ("3rd floor", 1, "3rd floor"),
        ("2.5 lots too many", 1, "2.5 lots too many"),
        ("4:30 news", 1, "4:30 news"),
        ("2--3 days", 1, "2--3 days"),
        ("3% lost", 1, "3% lost"),
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


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff3 closing the book\r\n".encode(),  # an editor of Windows
        "\ufeff3 closing the book\r\n".encode("utf-16-le"),  # PowerShell 5: echo … > HALT
        "\ufeff3 closing the book\r\n".encode("utf-16-be"),
        b'"3 closing the book" \r\n',  # cmd: echo "…" > HALT
        b"'3 closing the book'\r\n",
        '\ufeff"3 closing the book"\r\n'.encode("utf-16-le"),
    ],
)
def test_it_is_read_as_windows_writes_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / HALT_FILE).write_bytes(content)

    halt = read_halt_file(tmp_path)

    assert halt is not None
    assert (halt.level, halt.reason) == (3, "closing the book")


@pytest.mark.parametrize(
    "content", ["\ufeff3 out".encode(), "\ufeff3 out".encode("utf-16-le"), b"3 out"]
)
def test_it_is_read_where_no_codec_can_be_loaded(tmp_path: Path, content: bytes) -> None:
    (tmp_path / HALT_FILE).write_bytes(content)
    codecs.unregister(encodings.search_function)  # as where no file can be opened any more
    try:
        halt = read_halt_file(tmp_path)
    finally:
        codecs.register(encodings.search_function)

    assert halt is not None
    assert (halt.level, halt.reason) == (3, "out")


@pytest.mark.parametrize(
    ("content", "level", "reason"),
    [
        (b'"2"', 2, "it is there"),
        (b'"', 1, "it is there"),
        (b'3 "news"', 3, '"news"'),
        (b"\xff\xfe3\x00 \x00x", 3, "\ufffd"),  # cut off within a character
        (b"\xff\xfe", 1, "it is there"),
        (b"\xef\xbb\xbf", 1, "it is there"),
        (("4 " + "€" * 9_000).encode(), 4, "€" * 498),
    ],
)
def test_what_is_odd_about_its_bytes_hides_no_level(
    tmp_path: Path, content: bytes, level: int, reason: str
) -> None:
    (tmp_path / HALT_FILE).write_bytes(content)

    halt = read_halt_file(tmp_path)

    assert halt is not None
    assert (halt.level, halt.reason) == (level, reason)


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


# ---------------------------------------------------------------------- several writers


def halt_of(level: int) -> HaltOrder:
    return HaltOrder(time_ms=0, level=level, who=f"ann {level}", reason="news")


def level_in(folder: Path) -> int:
    found = read_halt_file(folder)
    return 0 if found is None else found.level


@pytest.mark.parametrize("before", ["", "1 calm"])
def test_a_higher_level_that_was_written_after_the_look_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    looks: list[int] = []

    def overtaken(folder: Path) -> HaltOrder | None:
        seen = read_halt_file(folder)
        looks.append(0 if seen is None else seen.level)
        if len(looks) == 1:
            write_halt_file(folder, halt_of(4))
        return seen

    if before:
        (tmp_path / HALT_FILE).write_text(before, encoding="utf-8")
    monkeypatch.setattr(halt_file, "_TURN_S", 0.05)
    monkeypatch.setattr(halt_file, "read_halt_file", overtaken)

    write_halt_file(tmp_path, halt_of(1))

    assert read_halt_file(tmp_path) == HaltOrder(
        time_ms=int((tmp_path / HALT_FILE).stat().st_mtime * 1000),
        level=4,
        who="the file HALT",
        reason="by ann 4: news",
    )


@pytest.mark.parametrize("before", ["", "1 calm"])
def test_of_halts_at_the_same_moment_the_highest_level_stands(tmp_path: Path, before: str) -> None:
    levels = (2, 4, 3, 1)
    start = Barrier(len(levels))

    def write(folder: Path, level: int) -> int:
        start.wait(10)
        return write_halt_file(folder, halt_of(level))

    with ThreadPoolExecutor(len(levels)) as pool:
        for number in range(20):
            folder = tmp_path / str(number)
            folder.mkdir()
            if before:
                (folder / HALT_FILE).write_text(before, encoding="utf-8")
            told = list(pool.map(lambda level, at=folder: write(at, level), levels))
            assert level_in(folder) == 4
            assert all(said >= level for said, level in zip(told, levels, strict=True))


def test_a_level_that_another_program_lowers_meanwhile_is_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []

    def lowered(folder: Path) -> HaltOrder | None:
        looks.append(1)
        if len(looks) <= stubborn:
            (folder / HALT_FILE).write_text("1 calm", encoding="utf-8")
        return read_halt_file(folder)

    monkeypatch.setattr(halt_file, "read_halt_file", lowered)
    stubborn = 2

    assert write_halt_file(tmp_path, halt_of(3)) == 3
    assert level_in(tmp_path) == 3
    stubborn = 1_000
    with pytest.raises(ConfigError, match=r"HALT: cannot be written \(somebody else keeps low"):
        write_halt_file(tmp_path, halt_of(3))


def test_a_command_that_holds_its_turn_keeps_no_other_from_raising_the_level(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(halt_file, "_TURN_S", 0.05)

    with halt_file._turn(tmp_path / HALT_FILE):
        assert write_halt_file(tmp_path, halt_of(2)) == 2
        assert write_halt_file(tmp_path, halt_of(3)) == 3
    assert level_in(tmp_path) == 3


@pytest.mark.parametrize("failures", [2, 1_000])
def test_while_the_file_cannot_be_replaced_it_is_tried_again_and_then_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    (tmp_path / HALT_FILE).write_text("1 " + "calm " * 400, encoding="utf-8")
    tries: list[Path] = []
    replace = Path.replace

    def denied(self: Path, target: Path) -> Path:
        tries.append(target)
        if len(tries) <= failures:
            raise PermissionError(13, "Access is denied")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", denied)
    before = (tmp_path / HALT_FILE).stat().st_ino

    assert write_halt_file(tmp_path, halt_of(3)) == 3
    assert (tmp_path / HALT_FILE).read_text(encoding="utf-8") == "3 by ann 3: news\n"
    assert len(tries) == 3
    is_same = (tmp_path / HALT_FILE).stat().st_ino == before
    assert is_same == (failures > 2)
    assert not list(tmp_path.glob(f".{HALT_FILE}.*[0-9].draft"))
