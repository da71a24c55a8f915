"""Stored bars come back as they were, are shared and read-only, and no half or damage is read."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from mtquant.data import load_parquet, load_sample, save_parquet
from mtquant.data.store import BarsStore, StoredBars
from mtquant.model import (
    Bars,
    DataError,
    ManualClock,
    MarketDataError,
    ServerClock,
    Timeframe,
    make_bars,
)

REFERENCE = Path(__file__).parents[4] / "shared" / "data" / "bars"
SERVER_TIMES = {"GBPUSD_H1_2012-2018.parquet": "eet_eu", "USDJPY_H1_2012-2018.parquet": "eet_eu"}
PUT = """
import sys
from pathlib import Path
from mtquant.data import load_sample
from mtquant.data.store import BarsStore
print(BarsStore(Path(sys.argv[1])).put(load_sample()).key)
"""
READ = """
import pickle, sys
entry = pickle.loads(bytes.fromhex(sys.argv[1]))
print(entry.open().content_hash())
"""
HELD = """
import os, sys
from pathlib import Path
from mtquant.data import load_sample
from mtquant.data.store import BarsStore, bars_store
def killed(*args, **more):
    written(*args, **more)
    os._exit(9)
written, bars_store.write_entry = bars_store.write_entry, killed
BarsStore(Path(sys.argv[1])).put(load_sample())
"""


def bars_of(rows: int = 3, timeframe: Timeframe = Timeframe.M15, **more) -> Bars:
    close = 100_000 + np.arange(rows)
    given = {
        "symbol": "EURUSD",
        "timeframe": timeframe,
        "digits": 5,
        "time_ms": np.arange(rows) * timeframe.value * 60_000,
        "open": close - 5,
        "high": close + 7,
        "low": close - 9,
        "close": close,
        "spread": 2,
        "tick_volume": 2**40 + np.arange(rows),
    }
    return make_bars(**(given | more))


def started(code: str, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", code, *words], stdout=subprocess.PIPE, text=True)


def names_in(store: BarsStore) -> set[str]:
    return {path.name for path in store.folder.iterdir()} - {".lock"}


def change_facts(entry: StoredBars, **changes: object) -> None:
    path = entry.folder / "facts.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.fixture
def store(tmp_path: Path) -> BarsStore:
    return BarsStore(tmp_path / "bars", clock=ManualClock(1_700_000_000_000))


@given(rows=st.integers(1, 70), digits=st.integers(0, 8), timeframe=st.sampled_from(Timeframe))
def test_bars_come_back_as_they_were_put(tmp_path_factory, rows: int, digits: int, timeframe):
    store = BarsStore(tmp_path_factory.getbasetemp() / "any-bars")
    bars = bars_of(rows, digits=digits, timeframe=timeframe)

    back = store.get(store.put(bars).key)

    assert (back.symbol, back.timeframe, back.digits) == ("EURUSD", timeframe, digits)
    for name in ("time_ms", "open", "high", "low", "close", "spread", "tick_volume"):
        column, given_column = getattr(back, name), getattr(bars, name)
        assert column.dtype == given_column.dtype
        assert column.tolist() == given_column.tolist()


def test_an_entry_tells_what_is_in_it(store: BarsStore):
    bars = bars_of()
    entry = store.put(bars, source="by hand")

    assert entry == store.entry(entry.key)
    assert (entry.key, entry.folder) == (bars.content_hash(), store.folder / entry.key)
    assert (entry.symbol, entry.timeframe, entry.digits) == ("EURUSD", Timeframe.M15, 5)
    assert (entry.rows, entry.first_ms, entry.last_ms) == (3, 0, 1_800_000)
    assert (entry.stored_ms, entry.source) == (1_700_000_000_000, "by hand")


def test_a_part_of_a_series_is_stored_as_a_series_of_its_own(store: BarsStore):
    part = load_sample()[10:20]

    assert store.get(store.put(part).key).content_hash() == part.content_hash()


def test_stored_columns_cannot_be_written(store: BarsStore):
    back = store.get(store.put(bars_of()).key)

    with pytest.raises(ValueError, match="read-only"):
        back.close[0] = 1
    with pytest.raises(ValueError, match="WRITEABLE"):
        back.close.setflags(write=True)


def test_an_entry_is_opened_in_another_process_without_carrying_its_columns(store: BarsStore):
    entry = store.put(load_sample())
    carried = pickle.dumps(entry)

    there = started(READ, carried.hex())

    assert there.communicate()[0].strip() == entry.key
    assert len(carried) < 2_000


def test_bars_that_are_kept_already_keep_their_entry(store: BarsStore):
    first = store.put(bars_of(), source="first")

    assert store.put(bars_of(), source="second") == first
    assert len(store.entries()) == 1


def test_several_writers_of_the_same_bars_make_one_entry(store: BarsStore):
    writers = [started(PUT, str(store.folder)) for _ in range(3)]
    keys = {writer.communicate()[0].strip() for writer in writers}

    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert keys == {load_sample().content_hash()}
    assert names_in(store) == keys


def test_a_writer_waits_for_another_one_and_says_so_when_it_takes_too_long(store: BarsStore):
    store.put(bars_of())
    impatient = BarsStore(store.folder, wait_s=0)

    with (
        FileLock(store.folder / ".lock"),
        pytest.raises(DataError, match="another process has been writing for 0 s"),
    ):
        impatient.put(bars_of(4))
    assert len(impatient.entries()) == 1


def test_a_writer_killed_before_its_end_leaves_nothing_that_is_read(store: BarsStore):
    killed = started(HELD, str(store.folder))
    killed.communicate()
    left = [path.name for path in store.folder.iterdir() if path.is_dir()]

    assert (killed.returncode, len(left)) == (9, 1)
    assert (store.entries(), store.unreadable()) == ((), ())
    with pytest.raises(DataError, match="no bars with the key"):
        store.get(load_sample().content_hash())

    entry = store.put(load_sample())
    assert names_in(store) == {entry.key}


def test_bars_are_found_by_symbol_and_timeframe_in_order(store: BarsStore):
    later = store.put(bars_of(time_ms=np.arange(3) * 900_000 + 9_000_000))
    gold, earlier = store.put(bars_of(symbol="XAUUSD")), store.put(bars_of())
    hour = store.put(bars_of(timeframe=Timeframe.H1))

    assert store.find("EURUSD", Timeframe.M15) == (earlier, later)
    assert store.find("EURUSD", Timeframe.D1) == ()
    assert store.entries() == (earlier, later, hour, gold)


def test_a_folder_that_does_not_exist_holds_nothing_and_is_not_made(store: BarsStore):
    assert (store.entries(), store.find("EURUSD", Timeframe.M1)) == ((), ())
    with pytest.raises(DataError, match="there are no bars with the key 'ab'"):
        store.remove("ab")
    assert not store.folder.exists()


def test_the_first_characters_of_a_key_are_enough_while_no_other_begins_so(store: BarsStore):
    keys = [store.put(bars_of(rows)).key for rows in range(1, 18)]
    twins = next(
        [one for one in keys if one[0] == first]
        for first in "0123456789abcdef"
        if sum(one[0] == first for one in keys) > 1
    )

    assert store.entry(keys[0][:20].upper()).key == keys[0]
    with pytest.raises(DataError, match=f"{len(twins)} keys begin with '{twins[0][0]}' ") as caught:
        store.get(twins[0][0])
    assert twins[0][:5] in str(caught.value)


@pytest.mark.parametrize("key", ["", "zz", "..", "/", "EURUSD"])
def test_what_is_no_key_is_refused(store: BarsStore, key: str):
    store.put(bars_of())

    with pytest.raises(DataError, match="there are no bars with the key"):
        store.get(key)


def test_removed_bars_are_gone_and_stay_readable_where_they_are_open(store: BarsStore):
    entry, other = store.put(bars_of()), store.put(bars_of(4))
    opened = None if sys.platform == "win32" else entry.open()

    assert store.remove(entry.key[:16]) == entry.key
    assert store.entries() == (other,)
    assert names_in(store) == {other.key}
    assert opened is None or opened.content_hash() == entry.key


@pytest.mark.parametrize(
    "name", ["time_ms", "open", "high", "low", "close", "spread", "tick_volume"]
)
def test_a_damaged_column_is_named(store: BarsStore, name: str):
    entry = store.put(bars_of())
    wanted = np.ascontiguousarray(getattr(entry.open(), name)).tobytes()
    content = bytearray((entry.folder / "columns.bin").read_bytes())
    content[content.index(wanted) + len(wanted) // 2] ^= 1
    (entry.folder / "columns.bin").write_bytes(content)

    with pytest.raises(DataError, match=rf"columns\.bin: damaged: {name}; remove the entry"):
        store.verify(entry.key)


def test_whole_bars_are_verified(store: BarsStore):
    entry = store.put(load_sample())

    assert store.verify(entry.key[:9]) == entry


@pytest.mark.parametrize("change", [-1, 1, -(10**9)])
def test_a_file_of_another_length_is_not_opened(store: BarsStore, change: int):
    entry = store.put(bars_of())
    path = entry.folder / "columns.bin"
    content = path.read_bytes() + b"\0"
    path.write_bytes(content[: max(0, len(content) - 1 + change)])

    with pytest.raises(DataError, match="3 rows take 408 bytes, found"):
        store.get(entry.key)


def test_missing_columns_are_refused(store: BarsStore):
    entry = store.put(bars_of())
    (entry.folder / "columns.bin").unlink()

    with pytest.raises(DataError, match=r"columns\.bin: cannot be read"):
        store.get(entry.key)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"layout_version": 2}, "layout version 2, this mtquant reads 1"),
        ({"layout_version": None}, "layout version None"),
        ({"rows": 0}, "no series of 0 rows"),
        ({"rows": "three"}, "rows: expected a whole number"),
        ({"digits": 9}, "3 rows and 9 digits"),
        ({"timeframe": "M7"}, "'M7' is not one of"),
        ({"key": "0" * 64}, "lie in the folder of another key"),
        ({"column_sha256": {}}, "must name the columns time_ms, open"),
        ({"extra": 1}, "extra: unknown key"),
    ],
)
def test_wrong_facts_are_refused_and_listed_as_unreadable(
    store: BarsStore, changes: dict, said: str
):
    entry, other = store.put(bars_of()), store.put(bars_of(4))
    change_facts(entry, **changes)

    with pytest.raises(DataError, match=rf"facts\.json: .*{said}"):
        store.get(entry.key)
    (bad,) = store.unreadable()
    assert bad.key == entry.key
    assert said in bad.reason
    assert store.entries() == (other,)


@pytest.mark.parametrize("text", ["", "{", "[]", "3"])
def test_facts_that_are_no_object_are_refused(store: BarsStore, text: str):
    entry = store.put(bars_of())
    (entry.folder / "facts.json").write_text(text)

    with pytest.raises(DataError, match=r"facts\.json: damaged"):
        store.get(entry.key)


def test_facts_that_tell_of_other_times_are_refused_at_once(store: BarsStore):
    entry = store.put(bars_of())
    change_facts(entry, first_ms=5)

    with pytest.raises(DataError, match="tell of bars from 5 to 1800000 ms, the columns go from 0"):
        store.get(entry.key)


def test_facts_that_name_another_symbol_are_found_by_verifying(store: BarsStore):
    entry = store.put(bars_of())
    change_facts(entry, symbol="GBPUSD")

    with pytest.raises(DataError, match=r"facts\.json: the facts are damaged"):
        store.verify(entry.key)


@pytest.mark.parametrize("damage", ["columns", "facts", "folder"])
def test_putting_bars_again_heals_a_damaged_entry(store: BarsStore, damage: str):
    entry = store.put(bars_of())
    if damage == "columns":
        (entry.folder / "columns.bin").write_bytes(b"x" * 408)
    elif damage == "facts":
        (entry.folder / "facts.json").write_text("{}")
    else:
        shutil.rmtree(entry.folder)
        entry.folder.mkdir()

    store.put(bars_of())

    assert store.verify(entry.key).key == entry.key
    assert names_in(store) == {entry.key}


def test_no_bars_are_not_kept(store: BarsStore):
    with pytest.raises(DataError, match="EURUSD: there are no bars to keep"):
        store.put(bars_of()[:0])


def test_bars_that_nobody_has_checked_are_checked_when_they_are_put(store: BarsStore):
    wrong = replace(bars_of(), high=np.array([1, 1, 1], dtype=np.int32))

    with pytest.raises(MarketDataError, match="high lies below low in row 0"):
        store.put(wrong)
    assert store.entries() == ()


def test_a_store_in_a_place_that_is_no_folder_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("mine")

    with pytest.raises(DataError, match="file: cannot be written"):
        BarsStore(tmp_path / "file").put(bars_of())
    with pytest.raises(DataError, match="file: cannot be read"):
        BarsStore(tmp_path / "file").entries()


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_named(store: BarsStore):
    entry = store.put(bars_of())
    store.folder.chmod(0o500)

    with pytest.raises(DataError, match="cannot be written, or is in use"):
        store.put(bars_of(4))
    assert store.get(entry.key).content_hash() == entry.key
    store.folder.chmod(0o700)


@pytest.mark.shared
@pytest.mark.skipif(not REFERENCE.is_dir(), reason="the reference bars are not beside the project")
def test_all_reference_bars_go_into_a_store_and_back_unchanged(store: BarsStore, tmp_path: Path):
    pytest.importorskip("duckdb", reason="the extra `data` (duckdb) is not installed")
    files = [path for path in sorted(REFERENCE.glob("*.parquet")) if "_ticks_" not in path.name]
    for path in files:
        profile = SERVER_TIMES.get(path.name)
        bars = load_parquet(path, clock=ServerClock(profile) if profile else None)
        key = store.put(bars, source=path.name).key

        back = store.get(key)
        save_parquet(back, tmp_path / "back.parquet")

        assert back.content_hash() == key == bars.content_hash()
        assert load_parquet(tmp_path / "back.parquet").content_hash() == key
    assert len(store.entries()) == len(files) > 0
