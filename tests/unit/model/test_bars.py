"""Bars hold checked, immutable columns; every complaint names the first wrong row."""

import numpy as np
import pytest

from mtquant.model import Bars, MarketDataError, Quote, Ticks, Timeframe, make_bars


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
    return make_bars(symbol="EURUSD", timeframe=Timeframe.M1, digits=5, **columns(**changes))


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


def test_a_quote_knows_its_spread():
    quote = Quote(symbol="EURUSD", time_ms=0, bid_points=100, ask_points=112)

    assert quote.spread_points == 12


def test_ticks_have_the_length_of_their_columns():
    ticks = Ticks(
        symbol="EURUSD",
        digits=5,
        time_ms=np.array([1, 2]),
        bid=np.array([1, 2], dtype=np.int32),
        ask=np.array([2, 3], dtype=np.int32),
    )

    assert len(ticks) == 2
