"""What is written through is on the disk, also where `fsync` alone does not see to it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from mtquant.storage import disk

if TYPE_CHECKING:
    from pathlib import Path

fcntl = pytest.importorskip("fcntl", reason="of POSIX systems")
FULL = 51  # its number on macOS


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what a system that knows a full synchronisation is asked for."""
    words: list[str] = []
    monkeypatch.setattr(disk, "_FULL", FULL)
    monkeypatch.setattr(fcntl, "fcntl", lambda _number, word: words.append(f"fcntl {word}"))
    monkeypatch.setattr(os, "fsync", lambda _number: words.append("fsync"))
    return words


def test_where_the_cache_of_a_drive_can_be_written_out_it_is(
    tmp_path: Path, asked: list[str]
) -> None:
    disk.write_through(tmp_path / "a", "1")
    disk.synchronise_names(tmp_path)

    assert asked == [f"fcntl {FULL}"] * 2


def test_a_file_system_that_cannot_do_that_is_asked_for_what_it_can(
    tmp_path: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unable(_number: int, _word: int) -> None:
        raise OSError(45, "Operation not supported")

    monkeypatch.setattr(fcntl, "fcntl", unable)

    disk.write_through(tmp_path / "a", "1")

    assert asked == ["fsync"]


def test_elsewhere_fsync_does_it(
    tmp_path: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "_FULL", None)

    disk.write_through(tmp_path / "a", "1")

    assert asked == ["fsync"]
