"""Bars from Parquet files: whole columns, their metadata, and the clock that they run on."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mtquant.data import load_parquet, load_sample, load_ticks, save_parquet
from mtquant.model import DataError, MarketDataError, ServerClock, Timeframe

duckdb = pytest.importorskip("duckdb", reason="the extra `data` (duckdb) is not installed")

REFERENCE = Path(__file__).parents[4] / "shared" / "data" / "bars"
ABOUT = {"symbol": "EURUSD", "timeframe": "H1", "digits": 5}
SELECT = (
    "select * from (values (1488326400::bigint, 100, 110, 90, 105, 2, 7), "
    "(1488330000, 105, 115, 95, 100, 3, 8)) t(time, open, high, low, close, spread, tick_volume)"
)


@pytest.fixture
def write(tmp_path: Path):
    """Return a writer of Parquet files from a query."""

    def made(query: str = SELECT, about: object = ABOUT) -> Path:
        file = tmp_path / "bars.parquet"
        text = about if isinstance(about, str) else json.dumps(about)
        metadata = "" if about is None else f", kv_metadata {{mtquant: '{text}'}}"
        with duckdb.connect() as connection:
            connection.execute(f"copy ({query}) to '{file}' (format parquet{metadata})")
        return file

    return made


def test_a_parquet_file_becomes_bars(write):
    bars = load_parquet(write())

    assert (bars.symbol, bars.timeframe, bars.digits) == ("EURUSD", Timeframe.H1, 5)
    assert bars.time_ms.tolist() == [1_488_326_400_000, 1_488_330_000_000]
    assert bars.close.tolist() == [105, 100]
    assert (bars.spread.tolist(), bars.tick_volume.tolist()) == ([2, 3], [7, 8])


def test_a_file_without_a_spread_takes_the_one_that_is_given(write):
    bars = load_parquet(
        write(f"select * exclude (spread, tick_volume) from ({SELECT})"), default_spread_points=9
    )

    assert bars.spread.tolist() == [9, 9]
    assert bars.tick_volume.tolist() == [0, 0]


def test_server_time_becomes_utc(write):
    bars = load_parquet(write(), clock=ServerClock("eet_eu"))

    assert bars.time_ms.tolist() == [1_488_319_200_000, 1_488_322_800_000]


def test_times_that_are_not_utc_need_the_name_of_their_clock(write):
    file = write(about=ABOUT | {"timezone": "EET"})

    with pytest.raises(DataError, match="its times are in 'EET', not UTC; name the server's clock"):
        load_parquet(file)
    assert load_parquet(file, clock=ServerClock("eet_eu")).time_ms[0] == 1_488_319_200_000
    assert load_parquet(write(about=ABOUT | {"timezone": "UTC"})).time_ms[0] == 1_488_326_400_000


@pytest.mark.parametrize(
    ("query", "about", "message"),
    [
        (SELECT, None, "metadata key 'mtquant' .* is missing"),
        (SELECT, "no json", "is not JSON"),
        (SELECT, [1], "must be an object"),
        (SELECT, {"symbol": "EURUSD"}, "timeframe, digits missing"),
        (SELECT, ABOUT | {"timeframe": "M7"}, "timeframe 'M7'"),
        (SELECT, ABOUT | {"timeframe": ["H1"]}, "timeframe"),
        (
            SELECT,
            ABOUT | {"symbol": ["EURUSD"]},
            "symbol must be one name such as EURUSD, was .'EU",
        ),
        (SELECT, ABOUT | {"symbol": "../x"}, "symbol must be one name such as EURUSD, was '../x'"),
        (SELECT, ABOUT | {"digits": "x"}, "digits must be 0 to 8"),
        (f"select * exclude (close) from ({SELECT})", ABOUT, "close missing"),
        (f"select * from ({SELECT}) where time < 0", ABOUT, "the file holds no prices"),
        (
            f"select * replace (to_timestamp(time) as time) from ({SELECT})",
            ABOUT,
            "time must be whole epoch seconds",
        ),
        (
            f"select * replace (case when open > 100 then close end as close) from ({SELECT})",
            ABOUT,
            "column close is empty in row 0",
        ),
    ],
)
def test_an_incomplete_file_is_refused_with_what_is_missing(
    write, query: str, about: object, message: str
):
    with pytest.raises(DataError, match=f"bars.parquet: .*{message}"):
        load_parquet(write(query, about))


@pytest.mark.parametrize(
    ("replaced", "said"),
    [
        ("1488326400::bigint as time", "time stands twice in row 1 .* 2017-03-01 00:00:00"),
        ("time - 7200 * (open - 100) as time", "time falls in row 1"),
        ("-time as time", "column time lies outside 1970-01-01 to 2070-01-01 in row 0 .*: -1488"),
        (f"{2**62} as time", "time lies outside 1970-01-01 to 2070-01-01 .*: 4611.* seconds"),
        (f"{2**63}::ubigint as time", f"column time does not fit 64 bits: {2**63} in row 0"),
        ("time * 1000 as time", "time lies outside .*: 1488326400000 seconds"),
        (
            "'nan'::double as high",
            r"column high must hold whole points, was float64 \(NaN in row 0",
        ),
        ("'inf'::double as low", r"was float64 \(inf in row 0\)"),
        ("0 as open", "price is not positive in row 0 .* open 0"),
        ("low - 200 as low", "price is not positive in row 0 .* low -110"),
        ("low + 25 as low", "high lies below low in row 0 .* high 110, low 115"),
        ("-spread as spread", r"spread is negative in row 0 .*: -2"),
    ],
)
def test_a_wrong_value_is_named_with_its_file_and_row(write, replaced: str, said: str):
    with pytest.raises(MarketDataError, match=rf"bars\.parquet: .*{said}"):
        load_parquet(write(f"select * replace ({replaced}) from ({SELECT})"))


def test_a_server_time_that_is_before_1970_in_utc_is_refused(write):
    file = write(f"select * replace (time - 1488326400 as time) from ({SELECT})")

    assert load_parquet(file).time_ms[0] == 0
    with pytest.raises(MarketDataError, match=r"bars\.parquet: column time_ms .*: -7200000 milli"):
        load_parquet(file, clock=ServerClock("eet_eu"))


def test_prices_that_are_no_points_are_refused(write):
    with pytest.raises(MarketDataError, match="column close must hold whole points"):
        load_parquet(write(f"select * replace (1.05::double as close) from ({SELECT})"))


def test_saved_bars_are_loaded_again_unchanged(tmp_path: Path):
    bars, path = load_sample(), tmp_path / "it's mine.parquet"
    save_parquet(bars, path)
    back = load_parquet(path)

    assert back.content_hash() == bars.content_hash()
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    with duckdb.connect() as connection:
        query = "select value from parquet_kv_metadata(?) where key = 'mtquant'"
        (about,) = connection.execute(query, [str(path)]).fetchone()
    assert json.loads(about) == ABOUT | {"timezone": "UTC"}


def test_a_saved_file_takes_the_place_of_an_older_one(tmp_path: Path):
    for bars in (load_sample(), load_sample()[:7]):
        save_parquet(bars, tmp_path / "bars.parquet")

    assert len(load_parquet(tmp_path / "bars.parquet")) == 7


def test_times_between_two_seconds_are_not_saved(tmp_path: Path):
    bars = load_sample()[:3]
    odd = replace(bars, time_ms=bars.time_ms + np.array([0, 0, 1]))

    with pytest.raises(DataError, match=r"whole seconds, row 2 opens at \d+ ms; write \.npz"):
        save_parquet(odd, tmp_path / "bars.parquet")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path):
    with pytest.raises(DataError, match=r"bars\.parquet: the file cannot be written"):
        save_parquet(load_sample(), tmp_path / "nowhere" / "bars.parquet")


def test_a_missing_or_foreign_file_is_refused(tmp_path: Path):
    foreign = tmp_path / "bars.parquet"
    foreign.write_text("time,open\n", encoding="utf-8")

    with pytest.raises(DataError, match="there is no such data file"):
        load_parquet(tmp_path / "none.parquet")
    for load in (load_parquet, load_ticks):
        with pytest.raises(DataError, match=r"this is a folder; name a \.npz or \.parquet file"):
            load(tmp_path)
    with pytest.raises(DataError, match="not a readable Parquet file"):
        load_parquet(foreign)


def test_without_the_extra_the_refusal_says_what_to_install(write, monkeypatch):
    file = write()
    monkeypatch.setitem(sys.modules, "duckdb", None)

    with pytest.raises(DataError, match=r"reading .* pip install 'mtquant\[data\]'"):
        load_parquet(file)
    with pytest.raises(DataError, match=r"writing .* pip install 'mtquant\[data\]'"):
        save_parquet(load_sample(), file)


@pytest.mark.shared
def test_real_files_load_whole_and_in_order():
    file = REFERENCE / "EURUSD_M1_2017H1.parquet"
    if not file.is_file():
        pytest.skip(f"the reference data {file.name} are not beside the project")
    bars = load_parquet(file, default_spread_points=10)

    assert len(bars) > 100_000
    assert (bars.symbol, bars.timeframe) == ("EURUSD", Timeframe.M1)


def tick_rows(*rows: tuple[int, int, int]) -> str:
    values = ", ".join(f"({time}::bigint, {bid}, {ask})" for time, bid, ask in rows)
    return f"select * from (values {values}) t(time_msc, bid, ask)"


def test_a_parquet_file_becomes_ticks(write):
    about = {"symbol": "EURUSD", "digits": 5}
    ticks = load_ticks(write(tick_rows((7, 100, 110), (7, 101, 111), (9, 99, 99)), about))

    assert (ticks.symbol, ticks.digits) == ("EURUSD", 5)
    assert ticks.time_ms.tolist() == [7, 7, 9]
    assert (ticks.bid.tolist(), ticks.ask.tolist()) == ([100, 101, 99], [110, 111, 99])


TICKS = tick_rows((7, 100, 110), (8, 101, 111))


@pytest.mark.parametrize(
    ("replaced", "said"),
    [
        (
            "15 - time_msc as time_msc",
            "EURUSD: time falls in row 1 .* 1970-01-01 00:00:00.007 after 1970-01-01 00:00:00.008",
        ),
        ("bid - 100 as bid", "bid is not positive in row 0 .*: bid 0, ask 110 points"),
        ("187 - 11 * time_msc as ask", "ask lies below bid in row 1 .*: bid 101, ask"),
        ("bid + 0.5::double as bid", r"column bid must hold whole points.*\(100.5 in row 0"),
        ("ask::double as ask", r"column ask must hold whole points, was float64 \(110.0 in row 0"),
        ("'nan'::double as ask", r"column ask must hold whole points, was float64 \(NaN in row 0"),
        (f"bid + {2**32} as bid", f"column bid does not fit 32 bits of points: {2**32 + 100} in"),
        (f"{2**63}::ubigint as ask", f"column ask does not fit 64 bits: {2**63} in row 0"),
        (f"{2**62} as time_msc", "column time_msc lies outside .* in row 0 .*: 4611.* millisec"),
        ("-time_msc as time_msc", r"column time_msc lies outside .*2 such rows\): -7 millisec"),
    ],
)
def test_a_wrong_tick_is_named_with_its_file_and_row(write, replaced: str, said: str):
    file = write(f"select * replace ({replaced}) from ({TICKS})", {"symbol": "EURUSD", "digits": 5})

    with pytest.raises(MarketDataError, match=rf"bars\.parquet: .*{said}"):
        load_ticks(file)


def test_ticks_without_a_price_column_are_refused(write):
    query = "select 7::bigint as time_msc, 100 as bid"
    with pytest.raises(DataError, match="ask missing from the file"):
        load_ticks(write(query, {"symbol": "EURUSD", "digits": 5}))
