"""The folder of a run: ours or refused, continued or replaced, never half."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from mtquant.app.workspace import prepare, read_run
from mtquant.model import ConfigError, JournalError
from mtquant.storage import folders, write_whole

if TYPE_CHECKING:
    from pathlib import Path

FRESH = {"run.json", "journal.sqlite.lock", "journal.sqlite.owner"}


def test_a_new_folder_is_made_with_its_parents_and_gets_the_facts(tmp_path: Path) -> None:
    workspace = prepare(tmp_path / "a" / "b", "f1", {"kind": "demo"})

    assert not workspace.is_continued
    assert read_run(workspace.folder) == {"fingerprint": "f1", "kind": "demo"}


def test_an_unfinished_run_of_the_same_settings_is_continued(tmp_path: Path) -> None:
    first = prepare(tmp_path, "f1", {})
    first.path("events.jsonl").write_text("{}\n", encoding="utf-8")
    first.release()

    again = prepare(tmp_path, "f1", {})

    assert again.is_continued
    assert again.path("events.jsonl").exists()


def test_a_run_that_is_continued_tells_what_an_earlier_version_did_not(tmp_path: Path) -> None:
    prepare(tmp_path, "f1", {"kind": "demo", "older": 1}).release()
    facts = {"kind": "demo", "outage_ms": (1, 2), "folder": tmp_path}

    prepare(tmp_path, "f1", facts).release()

    assert read_run(tmp_path) == {
        "fingerprint": "f1",
        "kind": "demo",
        "older": 1,
        "outage_ms": [1, 2],
        "folder": str(tmp_path),
    }
    before = (tmp_path / "run.json").stat()
    prepare(tmp_path, "f1", facts).release()
    assert (tmp_path / "run.json").stat() == before  # there is nothing to add


def test_a_full_disk_keeps_no_run_from_being_continued_but_a_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(tmp_path / "old", "f1", {"kind": "demo"}).release()

    def full(_path: Path, _text: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folders, "write_through", full)

    again = prepare(tmp_path / "old", "f1", {"kind": "demo", "outage_ms": None})

    assert again.is_continued
    assert read_run(again.folder) == {"fingerprint": "f1", "kind": "demo"}
    again.release()
    with pytest.raises(ConfigError, match=r"run\.json: cannot be written \(No space left on dev"):
        prepare(tmp_path / "new", "f1", {"kind": "demo"})


def test_a_finished_run_is_replaced_whatever_its_settings(tmp_path: Path) -> None:
    first = prepare(tmp_path, "f1", {})
    first.write("summary.json", "{}")
    first.path("terminal").mkdir()
    first.path("terminal").joinpath("server.jsonl").write_text("x", encoding="utf-8")
    first.release()

    again = prepare(tmp_path, "f2", {})

    assert not again.is_continued
    assert {path.name for path in tmp_path.iterdir()} == FRESH


def test_part_of_a_run_without_its_facts_is_refused(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_bytes(b"")

    with pytest.raises(ConfigError, match=r"part of a run without its run\.json; remove the fold"):
        prepare(tmp_path, "f1", {})


def test_nobody_is_told_to_remove_a_journal_of_which_positions_may_stand(tmp_path: Path) -> None:
    for name in ("journal.sqlite", "events.jsonl"):
        (tmp_path / name).write_bytes(b"")

    with pytest.raises(ConfigError, match=r"positions may stand.* put run\.json back") as told:
        prepare(tmp_path, "f1", {})
    assert "remove the folder" not in str(told.value)


@pytest.mark.parametrize("has_journal", [False, True])
def test_a_run_with_other_settings_may_be_removed_only_if_it_has_no_journal(
    tmp_path: Path, *, has_journal: bool
) -> None:
    prepare(tmp_path, "f1", {}).release()
    if has_journal:
        (tmp_path / "journal.sqlite").write_bytes(b"")

    with pytest.raises(ConfigError, match="unfinished run with other settings") as told:
        prepare(tmp_path, "f2", {})
    assert ("remove the folder" in str(told.value)) is not has_journal


def test_a_file_is_replaced_in_one_piece(tmp_path: Path) -> None:
    workspace = prepare(tmp_path, "f1", {})

    workspace.write("summary.json", "1")
    workspace.write("summary.json", "2")

    assert workspace.path("summary.json").read_text(encoding="utf-8") == "2"
    assert not list(tmp_path.glob("*.draft"))


def test_a_file_system_that_cannot_write_names_through_keeps_nothing_from_being_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unable(_folder: Path) -> None:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(folders, "synchronise_names", unable)

    assert write_whole(tmp_path / "a.txt", "1").read_text(encoding="utf-8") == "1"


def test_unreadable_facts_are_named(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{", encoding="utf-8")

    with pytest.raises(ConfigError, match=r"run\.json: not readable"):
        read_run(tmp_path)


def test_the_facts_are_json_that_a_person_can_read(tmp_path: Path) -> None:
    prepare(tmp_path, "f1", {"config": {"seed": 1}})

    text = (tmp_path / "run.json").read_text(encoding="utf-8")
    assert json.loads(text)["config"] == {"seed": 1}
    assert text.endswith("}\n")


def test_a_folder_in_which_a_bot_runs_is_neither_cleared_nor_used(tmp_path: Path) -> None:
    running = prepare(tmp_path, "f1", {"kind": "demo"})
    running.write("summary.json", "{}")

    with pytest.raises(
        JournalError, match=rf"another bot writes this journal \(demo, process {os.getpid()}, s"
    ):
        prepare(tmp_path, "f2", {})
    assert running.path("summary.json").exists()


@pytest.mark.parametrize(
    "left",
    [[".run.json.7.draft"], ["journal.sqlite.lock"], ["journal.sqlite.owner", "HALT"], []],
)
def test_a_folder_that_a_killed_start_left_counts_as_empty(tmp_path: Path, left: list[str]) -> None:
    for name in left:
        (tmp_path / name).write_text("", encoding="utf-8")

    assert not prepare(tmp_path, "f1", {}).is_continued


def test_a_removal_that_was_killed_is_taken_up_again(tmp_path: Path) -> None:
    for name in ("summary.json", "journal.sqlite-journal", "report.html"):
        (tmp_path / name).write_text("", encoding="utf-8")
    (tmp_path / "terminal").mkdir()

    assert not prepare(tmp_path, "f9", {}).is_continued
    assert {path.name for path in tmp_path.iterdir()} == FRESH


def test_a_run_that_cannot_be_resumed_begins_anew(tmp_path: Path) -> None:
    first = prepare(tmp_path, "f1", {})
    first.path("events.jsonl").write_text("{}", encoding="utf-8")
    first.release()

    again = prepare(tmp_path, "f1", {}, resumable=False)

    assert not again.is_continued
    assert not again.path("events.jsonl").exists()


def test_facts_that_are_no_object_are_named(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("[1]", encoding="utf-8")

    with pytest.raises(ConfigError, match="it holds no object"):
        read_run(tmp_path)
