"""The event log: numbered lines of JSON; what a killed process tore is cut off."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mtquant.model import Publish
from mtquant.observe import EventLog, register_secret
from mtquant.observe import logs as machinery


@pytest.fixture(autouse=True)
def _no_secrets() -> Iterator[None]:
    yield
    machinery._secrets.clear()


def note(name: str = "order_approved", **fields: Any) -> Publish:
    return Publish(name=name, time_ms=5, correlation_id="c", fields=fields)


def written(path: Path, *events: Publish, run: str = "run") -> list[dict[str, Any]]:
    log = EventLog(path, run)
    for event in events:
        log(event)
    log.close()
    log.close()
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_events_are_numbered_in_order_within_their_run(tmp_path: Path):
    path = tmp_path / "events.jsonl"
    written(path, note(a=1), note("order_refused", b=None, c=0.5), run="first")
    found = written(path, note(), run="second")

    assert [(one["run"], one["seq"]) for one in found] == [
        ("first", 1),
        ("first", 2),
        ("second", 1),
    ]
    assert found[1] == {
        "run": "first",
        "seq": 2,
        "time_ms": 5,
        "name": "order_refused",
        "correlation_id": "c",
        "b": None,
        "c": 0.5,
    }


@pytest.mark.parametrize("tail", [b'{"run":"x"', b"\xff\x00", b" "])
def test_a_torn_line_is_cut_off_and_whole_lines_stay(tmp_path: Path, tail: bytes):
    path = tmp_path / "events.jsonl"
    written(path, note(a=1))
    path.write_bytes(path.read_bytes() + tail)

    assert [one["seq"] for one in written(path, note(), run="next")] == [1, 1]


def test_a_file_of_one_torn_line_becomes_empty(tmp_path: Path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"run":')

    assert [one["seq"] for one in written(path, note())] == [1]


def test_every_line_is_in_the_file_when_the_call_returns(tmp_path: Path):
    path = tmp_path / "events.jsonl"
    log = EventLog(path, "run")
    for count in range(1, 4):
        log(note())
        assert len(path.read_bytes().splitlines()) == count
    log.close()


def test_a_field_never_takes_the_place_of_the_envelope(tmp_path: Path):
    [found] = written(tmp_path / "events.jsonl", note(seq=99, run="forged", other=1))

    assert (found["run"], found["seq"], found["other"]) == ("run", 1, 1)


def test_values_beyond_json_do_not_break_a_line(tmp_path: Path):
    found = written(tmp_path / "events.jsonl", note(a=2**80, b="\ud800", c=float("nan")), note())

    assert found[0]["a"] == 2**80
    assert found[1]["seq"] == 2


def test_secrets_do_not_reach_the_file(tmp_path: Path):
    register_secret("k4narienvogel")
    [found] = written(
        tmp_path / "events.jsonl", note(detail="login k4narienvogel refused", password="x")
    )

    assert (found["detail"], found["password"]) == ("login *** refused", "***")


def test_a_line_that_is_written_in_parts_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path, whole = tmp_path / "events.jsonl", os.write
    log = EventLog(path, "run")
    monkeypatch.setattr(os, "write", lambda file, data: whole(file, data[:7]))
    log(note(a=1))
    monkeypatch.undo()
    log.close()

    assert json.loads(path.read_bytes())["a"] == 1
