"""Bars hold checked, immutable columns; every complaint names the first wrong row."""

from datetime import UTC, datetime
from hashlib import sha256

import numpy as np
import pytest

from mtquant.model import (
    DAY_MS,
    Bars,
    MarketDataError,
    Quote,
    ServerClock,
    Ticks,
    Timeframe,
    make_bars,
    make_ticks,
)
from mtquant.model.server_clock import KNOWN_UNTIL_MS


def columns(**changes) -> dict:
    good = {
        "time_ms": np.array([0, 60_000, 120_000, 180_000]),
        "open": np.array([100, 101, 102, 103]),
        "high": np.array([105, 106, 107, 108]),
        "low": np.array([95, 96, 97, 98]),
        "close": np.array([101, 102, 103, 104]),
        "spread": np.array([2, 2, 3, 3]),
        "tick_volume": np.array([9, 8, 7, 6]),
    }
    return good | changes


def bars(**changes) -> Bars:
    facts = {"symbol": "EURUSD", "timeframe": Timeframe.M1, "digits": 5}
    return make_bars(**(facts | columns(**changes)))


@pytest.mark.parametrize(
    ("column", "row", "value", "complaint"),
    [
        ("time_ms", 2, 60_000, "time stands twice"),
        ("time_ms", 2, 59_000, "time falls"),
        ("low", 1, 0, "price is not positive"),
        ("low", 3, 109, "high lies below low"),
        ("open", 2, 108, "open or close lies outside"),
        ("close", 0, 94, "open or close lies outside"),
        ("spread", 3, -1, "spread is negative"),
        ("tick_volume", 1, -5, "tick volume is negative"),
    ],
)
def test_a_contradiction_is_refused_with_its_row(column: str, row: int, value: int, complaint: str):
    wrong = columns()[column].copy()
    wrong[row] = value

    with pytest.raises(MarketDataError, match=rf"EURUSD: {complaint}.* in row {row} ") as caught:
        bars(**{column: wrong})

    assert caught.value.details == {"row": row}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"time_ms": np.array([0, 60_000, 60_000, 180_000])},
            "time stands twice in row 2 (of 4, 1 such rows): 1970-01-01 00:01:00",
        ),
        (
            {"time_ms": np.array([0, 120_000, 60_500, 60_500])},
            "falls in row 2 (of 4, 1 such rows): 1970-01-01 00:01:00.500 after 1970-01-01 00:02",
        ),
        (
            {"close": np.array([101, 0, 103, 104])},
            "row 1 (of 4, 1 such rows): open 101, high 106, low 96, close 0 points",
        ),
        ({"low": np.array([95, 96, 97, -98])}, "price is not positive in row 3"),
        ({"high": np.array([94, 106, 107, 90])}, "2 such rows): open 100, high 94, low 95"),
        (
            {"spread": np.array([2, 2, -3, 3])},
            "spread is negative in row 2 (of 4, 1 such rows): -3",
        ),
    ],
)
def test_a_contradiction_is_told_with_what_stands_there(changes: dict, said: str):
    with pytest.raises(MarketDataError) as caught:
        bars(**changes)

    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([1.0512, 1.0513, 1.0514, 1.0515], "whole points, was float64 (1.0512 in row 0)"),
        ([105.0, 106.5, 107.0, np.nan], "was float64 (106.5 in row 1, NaN in row 3)"),
        ([np.inf, 106.0, 107.5, np.nan], "was float64 (inf in row 0, 107.5 in row 2)"),
        ([105.0, 106.0, 107.0, 108.0], "was float64 (105.0 in row 0)"),
        (["105", "106", "107", "108"], "was <U3 (105 in row 0)"),
        ([None, 1, 2, 3], "was object (None in row 0)"),
        ([], "was float64"),
    ],
)
def test_a_column_without_whole_points_is_told_with_its_first_wrong_values(values: list, said: str):
    with pytest.raises(MarketDataError) as caught:
        bars(high=np.array(values))

    assert str(caught.value).endswith(said)


def test_points_that_do_not_fit_are_told_with_their_row():
    with pytest.raises(MarketDataError, match=r"32 bits of points: 2147483648 in row 3") as caught:
        bars(close=np.array([101, 102, 103, 2**31]))

    assert caught.value.details == {"row": 3}


@pytest.mark.parametrize(
    ("row", "value"), [(0, -1), (3, 3_155_760_000_000), (3, 2**62), (1, 1_488_326_400_000_000_000)]
)
def test_a_time_that_no_server_clock_knows_is_refused_with_its_row_and_value(row: int, value: int):
    times = columns()["time_ms"].copy()
    times[row] = value

    with pytest.raises(MarketDataError) as caught:
        bars(time_ms=times)

    assert str(caught.value) == (
        f"column time_ms lies outside 1970-01-01 to 2070-01-01 in row {row} (of 4, 1 such rows): "
        f"{value} milliseconds"
    )
    assert caught.value.details == {"row": row}


def test_times_from_1970_until_2070_are_taken():
    last = int(datetime(2069, 12, 31, 23, 59, tzinfo=UTC).timestamp()) * 1000

    assert bars(time_ms=np.array([0, 60_000, 120_000, last])).time_ms[-1] == last


HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("timeframe", "shortest_ms"),
    [
        (Timeframe.M1, 60_000),
        (Timeframe.M30, 30 * 60_000),
        (Timeframe.H1, HOUR_MS),
        (Timeframe.H2, HOUR_MS),  # where daylight saving begins; so are those below
        (Timeframe.H12, 11 * HOUR_MS),
        (Timeframe.D1, 23 * HOUR_MS),
        (Timeframe.W1, 7 * DAY_MS - HOUR_MS),
        (Timeframe.MN1, 28 * DAY_MS - HOUR_MS),
    ],
)
def test_bars_may_follow_each_other_closely_but_not_overlap(timeframe: Timeframe, shortest_ms: int):
    times = np.array([0, 1, 3, 4]) * shortest_ms

    assert bars(timeframe=timeframe, time_ms=times).timeframe is timeframe
    times[2:] -= shortest_ms + 1
    with pytest.raises(MarketDataError) as caught:
        bars(timeframe=timeframe, time_ms=times)
    said = f"EURUSD: {timeframe.name} bar opens before the one before it is over in row 2 (of 4, 1 "
    assert str(caught.value).startswith(said)
    assert caught.value.details == {"row": 2}


def test_minutes_that_are_called_hours_are_refused():
    with pytest.raises(MarketDataError) as caught:
        bars(timeframe=Timeframe.H1)

    assert str(caught.value) == (
        "EURUSD: H1 bar opens before the one before it is over in row 1 (of 4, 3 such rows): "
        "1970-01-01 00:01:00 after 1970-01-01 00:00:00 UTC"
    )


@pytest.mark.parametrize("profile", ["eet_eu", "ny_plus_7"])
def test_server_clocks_know_the_summers_of_all_times_that_are_taken(profile: str):
    last_change = ServerClock(profile).changes[0][-1]

    assert 0 < KNOWN_UNTIL_MS - last_change < 92 * DAY_MS


@pytest.mark.parametrize("column", ["time_ms", "close", "spread", "tick_volume"])
def test_a_number_beyond_64_bits_is_told_as_it_stands_with_its_row(column: str):
    values = columns()[column].astype(np.uint64)
    values[2] = 2**63

    with pytest.raises(MarketDataError) as caught:
        bars(**{column: values})

    said = f"column {column} does not fit 64 bits: 9223372036854775808 in row 2"
    assert str(caught.value) == said
    assert caught.value.details == {"row": 2}


def test_one_number_for_a_whole_column_fits_64_bits_too():
    with pytest.raises(MarketDataError, match="tick_volume does not fit 64 bits: 9223372"):
        bars(tick_volume=2**63)


@pytest.mark.parametrize(
    ("column", "values", "complaint"),
    [
        ("open", np.array([100, 101]), "column open has shape"),
        ("high", np.array([105.0, 106.0, 107.0, 108.0]), "column high must hold whole points"),
        ("time_ms", np.array([0.0, 1.5, 2.0, 3.0]), "column time_ms must hold whole milliseconds"),
        ("time_ms", np.zeros((4, 2), dtype=np.int64), "column time_ms has shape"),
        ("close", np.array([101, 102, 103, 2**31]), "column close does not fit 32 bits"),
        ("tick_volume", np.array([1.0] * 4), "column tick_volume must hold whole numbers"),
    ],
)
def test_a_column_of_the_wrong_kind_is_refused_by_name(
    column: str, values: np.ndarray, complaint: str
):
    with pytest.raises(MarketDataError, match=complaint):
        bars(**{column: values})


def test_bars_do_not_change_when_the_arrays_they_came_from_do():
    given = columns()
    made = make_bars(symbol="EURUSD", timeframe=Timeframe.M1, digits=5, **given)
    given["time_ms"][0] = -1
    given["close"][0] = 99

    assert made.time_ms[0] == 0
    assert made.close[0] == 101
    with pytest.raises(ValueError, match="read-only"):
        made.close[0] = 99


def test_a_single_number_stands_for_a_whole_column():
    made = bars(spread=7, tick_volume=0)

    assert made.spread.tolist() == [7] * 4
    assert made.tick_volume.tolist() == [0] * 4


def test_no_bars_are_bars_too():
    empty = np.array([], dtype=np.int64)

    assert len(bars(**dict.fromkeys(columns(), empty))) == 0


def test_a_slice_is_bars_of_the_same_kind():
    part = bars()[1:3]

    assert len(part) == 2
    assert (part.symbol, part.timeframe, part.digits) == ("EURUSD", Timeframe.M1, 5)
    assert part.time_ms.tolist() == [60_000, 120_000]


def test_equal_content_has_equal_hashes_and_any_change_another():
    assert bars().content_hash() == bars().content_hash()
    assert bars().content_hash() != bars(spread=1).content_hash()
    assert bars().content_hash() != bars()[:3].content_hash()


@pytest.mark.parametrize("rows", [1, (1 << 15) - 1, 1 << 15, (1 << 16) + 1])
def test_the_hash_is_that_of_the_columns_as_64_bit_numbers(rows: int):
    column = np.arange(rows) + 1
    times = column * 60_000
    made = bars(
        time_ms=times, open=column, high=column, low=column, close=column, spread=3, tick_volume=4
    )
    digest = sha256(b"EURUSD,M1,5")
    for values in (times, *[column] * 4, np.full(rows, 3), np.full(rows, 4)):
        digest.update(values.astype("<i8").tobytes())

    assert made.content_hash() == digest.hexdigest()
    assert made[::2].content_hash() == bars_copied(made[::2]).content_hash()


@pytest.mark.parametrize("rows", [0, (1 << 15) + 1])
def test_the_hash_of_ticks_is_that_of_their_columns_as_64_bit_numbers(rows: int):
    times = np.arange(rows) + 1_234
    bid = np.arange(rows, dtype=np.int32)
    ticks = Ticks(symbol="EURUSD", digits=5, time_ms=times, bid=bid, ask=bid + np.int32(4))
    digest = sha256(b"EURUSD,5")
    for column in (times, bid, bid + 4):
        digest.update(column.astype("<i8").tobytes())

    assert ticks.content_hash() == digest.hexdigest()


def bars_copied(given: Bars) -> Bars:
    return make_bars(**{name: getattr(given, name) for name in Bars.__slots__})


def test_a_quote_knows_its_spread():
    quote = Quote(symbol="EURUSD", time_ms=0, bid_points=100, ask_points=112)

    assert quote.spread_points == 12


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"time_ms": np.array([5, 4])}, "EURUSD: time falls in row 1 (of 2, 1 such rows): 1970"),
        ({"time_ms": np.array([5, 2**62])}, "column time_ms lies outside 1970-01-01 to 2070-01-01"),
        ({"bid": np.array([1, 0])}, "bid is not positive in row 1 (of 2, 1 such rows): bid 0, ask"),
        (
            {"bid": np.array([4, 2])},
            "ask lies below bid in row 0 (of 2, 1 such rows): bid 4, ask 2",
        ),
        ({"ask": np.array([2.5, 3])}, "column ask must hold whole points, was float64 (2.5 in row"),
        ({"ask": np.array([2, 2**32])}, "column ask does not fit 32 bits of points: 4294967296 in"),
        ({"ask": np.array([2])}, "column ask has shape (1,), the times have (2,)"),
    ],
)
def test_ticks_that_contradict_themselves_are_refused(changes: dict, said: str):
    good = {"time_ms": np.array([5, 5]), "bid": np.array([1, 2]), "ask": np.array([2, 2])}
    assert len(make_ticks(symbol="EURUSD", digits=5, **good)) == 2

    with pytest.raises(MarketDataError) as caught:
        make_ticks(symbol="EURUSD", digits=5, **(good | changes))

    assert said in str(caught.value)


def test_no_ticks_are_ticks_too():
    empty = np.array([], dtype=np.int64)

    assert len(make_ticks(symbol="EURUSD", digits=5, time_ms=empty, bid=empty, ask=empty)) == 0


def test_ticks_have_the_length_of_their_columns():
    ticks = Ticks(
        symbol="EURUSD",
        digits=5,
        time_ms=np.array([1, 2]),
        bid=np.array([1, 2], dtype=np.int32),
        ask=np.array([2, 3], dtype=np.int32),
    )

    assert len(ticks) == 2
