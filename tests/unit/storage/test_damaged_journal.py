"""A journal on a bad disk: full, or with bits that turned over."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from mtquant.model import IntentAction, IntentRow, IntentState, JournalError, OrderIntent, Side
from mtquant.storage import SqliteJournal

FLIPS = 120
BOTH_WAYS = r"put a copy back .*; or move these away: .* rebuilds it .* and halts .* are forgotten"


def row(number: int) -> IntentRow:
    intent = OrderIntent(
        strategy_id="t",
        symbol="EURUSD",
        action=IntentAction.OPEN,
        side=Side.BUY,
        volume_units=12_345_678,
        trigger=f"bar:{number}",
        decided_ms=1_483_308_000_000 + number,
        deadline_ms=1_483_308_060_000 + number,
    )
    return IntentRow(intent_id=number, intent=intent, state=IntentState.SENDING)


def fill(journal: SqliteJournal, first: int, last: int) -> None:
    for number in range(first, last + 1):
        journal.record_sending(row(number))


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a journal that was closed in order: all of it is in its one file."""
    folder = tmp_path_factory.mktemp("closed")
    with closing(SqliteJournal.open(folder / "journal.sqlite")) as journal:
        fill(journal, 1, 60)
    return folder


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a journal whose bot was killed: the newest rows are in the -wal."""
    folder = tmp_path_factory.mktemp("killed")
    with closing(SqliteJournal.open(folder / "before.sqlite")) as journal:
        fill(journal, 1, 40)
    with closing(SqliteJournal.open(folder / "before.sqlite")) as journal:
        fill(journal, 41, 60)
        for suffix in ("", "-wal"):  # without the -shm, as after a start of the machine
            shutil.copy(folder / f"before.sqlite{suffix}", folder / f"journal.sqlite{suffix}")
    return folder


def flipped(folder: Path, name: str, to: Path, seed: int) -> Path:
    """Return the path of a copy of a journal with one bit of one file turned over."""
    to.mkdir()
    for suffix in ("", "-wal"):
        if (folder / f"journal.sqlite{suffix}").is_file():
            shutil.copy(folder / f"journal.sqlite{suffix}", to)
    content = bytearray((to / name).read_bytes())
    place, bit = divmod(int(np.random.default_rng(seed).integers(8 * len(content))), 8)
    content[place] ^= 1 << bit
    (to / name).write_bytes(content)
    return to / "journal.sqlite"


def read(path: Path) -> list[IntentRow] | None:
    """Return the rows that a new process finds, None where it refuses to start."""
    try:
        with closing(SqliteJournal.open(path)) as journal:
            return journal.intents()
    except JournalError as refusal:
        told = str(refusal)
    assert str(path) in told
    assert "\n" not in told
    return None


def test_untouched_both_are_read_whole(closed: Path, killed: Path, tmp_path: Path):
    for folder in (closed, killed):
        copy = tmp_path / folder.name
        copy.mkdir()
        for path in folder.glob("journal.sqlite*"):
            shutil.copy(path, copy)
        assert read(copy / "journal.sqlite") == [row(number) for number in range(1, 61)]


def test_with_a_bit_turned_over_no_row_is_lost(closed: Path, tmp_path: Path):
    for seed in range(FLIPS):
        found = read(flipped(closed, "journal.sqlite", tmp_path / str(seed), seed))
        assert found is None or len(found) == 60, f"seed {seed}"


def test_with_a_bit_turned_over_no_row_says_something_else(closed: Path, tmp_path: Path):
    written = [row(number) for number in range(1, 61)]
    for seed in range(4 * FLIPS):
        found = read(flipped(closed, "journal.sqlite", tmp_path / str(seed), seed))
        assert found is None or found == written, f"seed {seed}"


def test_with_a_bit_of_the_wal_turned_over_the_newest_row_at_most_is_lost(
    killed: Path, tmp_path: Path
):
    """The newest commit looks as if the process had been killed while it wrote it."""
    written = [row(number) for number in range(1, 61)]
    for seed in range(FLIPS):
        found = read(flipped(killed, "journal.sqlite-wal", tmp_path / str(seed), seed))
        assert found in (None, written[:59], written), f"seed {seed}"


def test_a_damaged_wal_is_refused_to_whoever_asks_for_a_halt_too(killed: Path, tmp_path: Path):
    path = flipped(killed, "journal.sqlite-wal", tmp_path / "copy", 1)
    before = path.with_name("journal.sqlite-wal").read_bytes()

    with pytest.raises(JournalError, match=rf"-wal: .* commits cannot be read\); {BOTH_WAYS}"):
        SqliteJournal.attach(path)
    assert path.with_name("journal.sqlite-wal").read_bytes() == before


def test_a_damaged_journal_says_both_ways_to_go_on_and_each_of_them_once(
    closed: Path, tmp_path: Path
):
    path = tmp_path / "journal.sqlite"
    shutil.copy(closed / "journal.sqlite", path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("update intents set body = '{}' where intent_id = 7")

    with pytest.raises(JournalError, match=rf"the journal is damaged \(.*\); {BOTH_WAYS}$") as told:
        SqliteJournal.open(path)
    assert str(told.value).count("put a copy") == 1
    path.rename(tmp_path / "damaged.sqlite")
    SqliteJournal.open(path).close()


def test_a_wal_cut_off_anywhere_is_what_a_killed_process_leaves(killed: Path, tmp_path: Path):
    content = (killed / "journal.sqlite-wal").read_bytes()
    for number in range(60):
        copy = tmp_path / str(number)
        copy.mkdir()
        shutil.copy(killed / "journal.sqlite", copy)
        (copy / "journal.sqlite-wal").write_bytes(content[: len(content) * number // 60])
        found = read(copy / "journal.sqlite")
        assert found == [row(number) for number in range(1, len(found or ()) + 1)]


def test_what_an_older_round_left_behind_in_the_wal_is_no_damage(tmp_path: Path):
    path, copy = tmp_path / "journal.sqlite", tmp_path / "copy"
    copy.mkdir()
    with closing(SqliteJournal.open(path)) as journal:
        fill(journal, 1, 50)
        journal._connection.execute("pragma wal_checkpoint(full)").fetchall()
        fill(journal, 51, 53)  # from the beginning of the file again
        for name in ("journal.sqlite", "journal.sqlite-wal"):
            shutil.copy(tmp_path / name, copy)

    assert read(copy / "journal.sqlite") == [row(number) for number in range(1, 54)]


def test_with_no_room_left_nothing_is_half_written_and_with_room_again_it_goes_on(tmp_path: Path):
    path = tmp_path / "journal.sqlite"
    with closing(SqliteJournal.open(path)) as journal:
        fill(journal, 1, 10)
        pages = journal._connection.execute("pragma page_count").fetchone()[0]
        journal._connection.execute(f"pragma max_page_count = {pages + 2}")
        with pytest.raises(JournalError, match=r"cannot be written .*full") as caught:
            fill(journal, 11, 200)
        kept = journal.intents()
        journal._connection.execute("pragma max_page_count = 100000")
        fill(journal, len(kept) + 1, 200)

    assert "\n" not in str(caught.value)
    assert kept == [row(number) for number in range(1, len(kept) + 1)]
    assert 10 <= len(kept) < 200
    assert read(path) == [row(number) for number in range(1, 201)]
