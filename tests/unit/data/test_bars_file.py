"""Bars in `.npz` files survive the trip, and a file that is none is refused, never half read."""

import io
import pickle
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtquant.data import load_bars, save_bars
from mtquant.model import DataError, InputError, MarketDataError, Timeframe, make_bars


def sample_bars():
    close = np.array([100_010, 100_020, 100_000])
    return make_bars(
        symbol="EURUSD",
        timeframe=Timeframe.M15,
        digits=5,
        time_ms=np.arange(3) * 900_000,
        open=close - 5,
        high=close + 7,
        low=close - 9,
        close=close,
        spread=np.array([1, 2, 3]),
        tick_volume=4,
    )


def arrays(**changes) -> dict:
    bars = sample_bars()
    names = ("time_ms", "open", "high", "low", "close", "spread", "tick_volume")
    whole = {name: getattr(bars, name) for name in names}
    whole |= {"symbol": "EURUSD", "timeframe": "M15", "digits": 5}
    return {name: value for name, value in (whole | changes).items() if value is not None}


def written(path: Path, **changes) -> Path:
    file = path / "bars.npz"
    np.savez_compressed(file, **arrays(**changes))
    return file


def test_saved_bars_are_loaded_again(tmp_path: Path):
    save_bars(sample_bars(), tmp_path / "bars.npz")
    loaded = load_bars(tmp_path / "bars.npz")

    assert loaded.content_hash() == sample_bars().content_hash()
    assert loaded.timeframe is Timeframe.M15


def test_a_file_without_a_spread_takes_the_one_that_is_given(tmp_path: Path):
    loaded = load_bars(written(tmp_path, spread=None, tick_volume=None), default_spread_points=12)

    assert loaded.spread.tolist() == [12, 12, 12]
    assert loaded.tick_volume.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"close": None, "digits": None}, "the arrays close, digits are missing"),
        ({"timeframe": "M7"}, "timeframe 'M7' is not one of M1"),
        ({"digits": 9}, "digits must be 0 to 8, was 9"),
        ({"digits": "five"}, "digits must be 0 to 8, was five"),
        ({"time_ms": np.array(5)}, "time_ms must be one column"),
        ({"time_ms": np.array([], dtype=np.int64)}, "the file holds no bars"),
    ],
)
def test_an_incomplete_file_is_refused_with_its_name(tmp_path: Path, changes: dict, message: str):
    file = written(tmp_path, **changes)

    with pytest.raises(DataError, match=f"bars.npz: {message}"):
        load_bars(file)


NO_NAMES = ("", " ", " EURUSD", "EUR\nUSD", "EURUSD\x00.", "../../x", "a\\b", "/etc", "..", ".")


@pytest.mark.parametrize(
    "symbol", [*NO_NAMES, ["EURUSD", "X"], ["EURUSD"], 5, b"EURUSD", [["EURUSD"]]]
)
def test_a_symbol_that_is_no_name_is_refused_with_what_it_was(tmp_path: Path, symbol: object):
    said = re.escape(f"bars.npz: symbol must be one name such as EURUSD, was {symbol!r}")

    with pytest.raises(DataError, match=said):
        load_bars(written(tmp_path, symbol=np.array(symbol)))


@pytest.mark.parametrize("symbol", ["EURUSD.m", "#AAPL", "US 500", "BTC+", "ÖL", ".DE40"])
def test_symbols_are_named_as_brokers_name_them(tmp_path: Path, symbol: str):
    assert load_bars(written(tmp_path, symbol=symbol)).symbol == symbol


def test_bars_that_contradict_themselves_are_refused(tmp_path: Path):
    with pytest.raises(MarketDataError, match=r"bars\.npz: EURUSD: .* in row 1") as caught:
        load_bars(written(tmp_path, low=np.array([1, 200_000, 1])))

    assert caught.value.details == {"row": 1}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"time_ms": np.array([0, 900_000, 900_000])}, "time stands twice in row 2"),
        ({"time_ms": np.array([0, 1_800_000, 900_000])}, "time falls in row 2"),
        ({"open": np.array([1.5, 2.0, np.nan])}, r"column open must hold whole points, was .*NaN"),
        ({"close": np.array([np.inf, 2.0, 3.0])}, r"whole points, was float64 \(inf in row 0\)"),
        ({"low": np.array([100_000, -5, 99_000])}, r"not positive in row 1 .* low -5"),
        ({"open": np.array([0, 100_015, 99_995])}, "not positive in row 0 .* open 0"),
        ({"high": np.array([100_017, 90_000, 100_007])}, "high lies below low in row 1 .*90000"),
        ({"spread": np.array([1, 2])}, r"column spread has shape \(2,\), the times have \(3,\)"),
        ({"time_ms": np.array([0.5, 1, 2])}, r"time_ms must hold whole milliseconds.*0.5 in row 0"),
    ],
)
def test_a_wrong_value_is_named_with_its_file_and_row(tmp_path: Path, changes: dict, said: str):
    with pytest.raises(MarketDataError, match=rf"bars\.npz: .*{said}"):
        load_bars(written(tmp_path, **changes))


def test_a_missing_file_is_refused(tmp_path: Path):
    with pytest.raises(DataError, match="there is no such data file"):
        load_bars(tmp_path / "none.npz")


def test_a_folder_is_told_from_a_missing_file(tmp_path: Path):
    with pytest.raises(DataError, match=r"this is a folder; name a \.npz or \.parquet file"):
        load_bars(tmp_path)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("text", "this is no .npz or .parquet file"),
        ("empty", "this is no .npz or .parquet file"),
        ("pickle", "this is no .npz or .parquet file"),
        ("npy", "this is one array, not an .npz bars file"),
        (
            "zip",
            "the arrays time_ms, open, high, low, close, symbol, timeframe, digits are missing",
        ),
        ("cut", "this is not a readable .npz bars file ("),
        ("objects", "the array extra holds Python objects, not numbers"),
    ],
)
def test_a_file_of_another_kind_is_refused_without_unsafe_advice(
    tmp_path: Path, kind: str, said: str
):
    file = tmp_path / "bars.npz"
    if kind == "text":
        file.write_text("time,open\n1,2\n", encoding="utf-8")
    elif kind == "empty":
        file.touch()
    elif kind == "pickle":
        file.write_bytes(pickle.dumps({"close": 1}))
    elif kind == "npy":
        with file.open("wb") as handle:
            np.save(handle, np.arange(3))
    elif kind == "zip":
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("readme.txt", "no array")
    elif kind == "cut":
        file.write_bytes(WHOLE[:-9])
    else:
        np.savez(file, **arrays(), extra=np.array([{}], dtype=object))

    with pytest.raises(DataError) as caught:
        load_bars(file)

    assert str(caught.value).startswith(f"{file}: {said}")
    assert "pickle" not in str(caught.value)


def whole_file() -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays())
    return buffer.getvalue()


WHOLE = whole_file()


@settings(max_examples=300)
@given(position=st.integers(0, len(WHOLE) - 1), value=st.integers(0, 255), is_cut=st.booleans())
def test_a_damaged_file_is_refused_or_still_good(tmp_path_factory, position, value, is_cut):
    file = tmp_path_factory.getbasetemp() / "damaged.npz"
    changed = (
        WHOLE[:position] if is_cut else WHOLE[:position] + bytes([value]) + WHOLE[position + 1 :]
    )
    file.write_bytes(changed)

    try:
        loaded = load_bars(file)
    except InputError:
        return
    assert loaded.close.tolist() == sample_bars().close.tolist()
