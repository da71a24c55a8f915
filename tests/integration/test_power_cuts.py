"""The power goes at any moment: what was acknowledged is there, and nothing is there by halves."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from journal_rows import sending_row
from power_cuts import Deed, Disk, record

from mtquant.app.workspace import read_run
from mtquant.model import JournalError
from mtquant.storage import SqliteJournal, read_halt_file
from mtquant.storage.chain import OPENED, LogRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SOURCE = Path(__file__).resolve().parents[2] / "src"
CUTS = 120
TOLD = "told.draft"
"""The file into which a program writes what has returned; a run's folder may hold one so called."""
JOURNAL = f"""
import os, sys
from dataclasses import replace
from pathlib import Path
from journal_rows import a_deal, sending_row
from mtquant.model import HaltOrder, IntentState
from mtquant.storage import SqliteJournal

folder = Path(sys.argv[1])
told = os.open(folder / "{TOLD}", os.O_WRONLY | os.O_CREAT)

def done():
    os.write(told, b"%d" % journal._tail[0])

for life in range(3):
    journal = SqliteJournal.open(folder / "journal.sqlite", owner="test", now_ms=life)
    done()
    journal._checkpoint_after(16)  # the log is moved into the database every few rows
    PLANTED
    for number in range(life * 8 + 1, life * 8 + 9):
        row = sending_row(number)
        journal.record_sending(row)
        done()
        journal.record_intents([replace(row, state=IntentState.DONE, filled_units=10_000_000)])
        done()
        journal.record_deals([a_deal(2 * number), a_deal(2 * number + 1)])
        done()
        journal.request_halt(1, "Ann", f"storm {{number}}", number)
        done()
        asked = journal.pending_halts()[0]
        journal.record_halt(HaltOrder(time_ms=number, level=0, who="Ann", reason="over",
            request_id=asked.request_id))
        done()
    journal.close()
"""
HALTS = f"""
import os, sys
from pathlib import Path
from mtquant.model import HaltOrder
from mtquant.storage import write_halt_file

PLANTED
folder = Path(sys.argv[1])
told = os.open(folder / "{TOLD}", os.O_WRONLY | os.O_CREAT)
for level in (1, 1, 2, 3, 2, 4):
    halt = HaltOrder(time_ms=0, level=level, who="Ann", reason="storm", request_id=0)
    os.write(told, b"%d" % write_halt_file(folder, halt))
"""
IRREPLACEABLE = """
def replace(self, target):  # as on Windows while somebody has the target open
    raise PermissionError(13, "Access is denied")

Path.replace = replace
"""
RUNS = f"""
import os, sys
from contextlib import closing
from pathlib import Path
from journal_rows import sending_row
from mtquant.app.workspace import JOURNAL, prepare
from mtquant.storage import SqliteJournal

folder = Path(sys.argv[1])
told = os.open(folder / "{TOLD}", os.O_WRONLY | os.O_CREAT)
for life in range(2):
    facts = {{"kind": "demo", "config": "x" * 2_000, "life": life}}  # it is written anew each time
    workspace = prepare(folder, "f1", facts)
    os.write(told, b"0")
    path = workspace.path(JOURNAL)
    with closing(SqliteJournal.open(path, owner="demo", lock=workspace.lock)) as journal:
        journal.record_sending(sending_row(life + 1))
        os.write(told, b"1")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("power") / "disk"


@pytest.fixture(scope="module")
def deeds(folder: Path) -> list[Deed]:
    return record(JOURNAL.replace("PLANTED", ""), folder, source=SOURCE)


def rows_of(journal: Path) -> list[LogRow]:
    with closing(SqliteJournal.attach(journal)) as attached:
        return list(attached.log())


def cuts(
    deeds: Sequence[Deed], into: Path, chosen: set[int], turn: int = 0
) -> Iterator[tuple[int, Path]]:
    """Yield how many writes had returned when the power went, and the folder as it is then.

    It goes in the middle of each chosen deed, or before it where it is the synchronising of a file.
    """
    disk, returned = Disk(deeds[0].path.parent), 0
    for number, deed in enumerate(deeds):
        if not deed.is_flush:
            disk.do(deed)
        if number in chosen:
            left = into / f"{number}"
            left.mkdir()
            disk.lose_power(left, np.random.default_rng([number, turn]))
            yield returned, left
        if deed.is_flush:
            disk.do(deed)
        returned += is_told(deed)


def is_told(deed: Deed) -> bool:
    """Tell whether a program says here that a write has returned."""
    return deed.kind == "W" and deed.path.name == TOLD


def told_by(deeds: Sequence[Deed]) -> list[int]:
    """Return what a program has said each time."""
    return [int(deed.content) for deed in deeds if is_told(deed)]


def found_in(journal: Path) -> list[LogRow]:
    """Return the rows that a new process finds; it verifies them, and goes on."""
    with closing(SqliteJournal.open(journal)) as opened:
        *found, note = opened.log()
        assert OPENED in note.body
        opened.record_sending(sending_row(1_000))
    return found


def lost(deeds: Sequence[Deed], into: Path, chosen: set[int]) -> list[str]:
    """Return what is wrong with the journals that cuts leave behind."""
    log, ends = rows_of(deeds[0].path.parent / "journal.sqlite"), [0, *told_by(deeds)]
    wrong = []
    for returned, left in cuts(deeds, into, chosen):
        try:
            found = found_in(left / "journal.sqlite")
        except JournalError as error:
            wrong.append(f"at deed {left.name}: {error}")
            continue
        if len(found) not in ends[returned : returned + 2] or found != log[: len(found)]:
            wrong.append(f"at deed {left.name}: {len(found)} rows, {ends[returned]} acknowledged")
    return wrong


def drawn(deeds: Sequence[Deed]) -> set[int]:
    return set(np.random.default_rng(1).permutation(len(deeds))[:CUTS].tolist())


def test_whenever_the_power_goes_the_journal_has_what_was_acknowledged(
    deeds: list[Deed], tmp_path: Path
) -> None:
    assert len(told_by(deeds)) == 3 * 41
    assert lost(deeds, tmp_path, drawn(deeds)) == []


@pytest.mark.slow
def test_at_each_single_deed_the_power_may_go(deeds: list[Deed], tmp_path: Path) -> None:
    assert lost(deeds, tmp_path, set(range(len(deeds)))) == []


def test_a_journal_that_is_not_written_through_loses_what_was_acknowledged(tmp_path: Path) -> None:
    planted = JOURNAL.replace("PLANTED", 'journal._connection.execute("pragma synchronous = off")')
    deeds = record(planted, tmp_path / "disk", source=SOURCE)

    assert lost(deeds, tmp_path, drawn(deeds))


@pytest.mark.parametrize("planted", ["", IRREPLACEABLE], ids=["replaced", "written over"])
def test_whenever_the_power_goes_the_file_halt_asks_for_no_lower_level(
    tmp_path: Path, planted: str
) -> None:
    deeds = record(HALTS.replace("PLANTED", planted), tmp_path / "disk", source=SOURCE)
    levels = [0, *told_by(deeds)]
    assert levels == [0, 1, 1, 2, 3, 3, 4]
    for turn in range(20):
        into = tmp_path / f"turn {turn}"
        into.mkdir()
        for returned, left in cuts(deeds, into, set(range(len(deeds))), turn):
            halt = read_halt_file(left)
            assert (halt.level if halt else 0) >= levels[returned], f"at deed {left.name}"


def test_whenever_the_power_goes_the_run_is_there_with_its_journalled_rows(tmp_path: Path) -> None:
    deeds = record(RUNS, tmp_path / "disk", source=SOURCE)
    assert told_by(deeds) == [0, 1, 0, 1]
    for returned, left in cuts(deeds, tmp_path, set(range(len(deeds)))):
        assert not returned or read_run(left)["fingerprint"] == "f1", f"at deed {left.name}"
