"""Reading how far a server's file has come, without touching it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mtquant.model import DataError
from mtquant.terminal.simulated import last_time_ms

if TYPE_CHECKING:
    from pathlib import Path


def test_the_newest_whole_record_counts_and_a_torn_one_does_not(tmp_path: Path) -> None:
    path = tmp_path / "server.jsonl"
    torn = b'{"version":1,"fingerprint":"f"}\n{"t":10}\n{"t":20}\n{"t":30'
    path.write_bytes(torn)

    assert last_time_ms(path) == 20
    assert path.read_bytes() == torn


def test_without_a_file_or_a_time_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "server.jsonl"
    assert last_time_ms(path) is None

    path.write_bytes(b'{"version":1,"fingerprint":"f"}\n')
    assert last_time_ms(path) is None


def test_a_damaged_record_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "server.jsonl"
    path.write_bytes(b"\x00\xff\n")

    with pytest.raises(DataError, match="the server's log is damaged"):
        last_time_ms(path)
