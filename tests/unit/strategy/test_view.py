"""A strategy sees the closed bars and nothing newer; lines grow with their series."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mtquant.indicators import Atr, Sma
from mtquant.model import Timeframe
from mtquant.strategy import BarsView, Series

CLOSES = [100_000 + 7 * (i % 5) - i for i in range(30)]
HOUR_MS = 3_600_000


@pytest.mark.parametrize("index", [0, 4, 29])
def test_reading_past_the_newest_closed_bar_is_refused_on_both_ends(bars, index: int):
    view = BarsView(Series.over(bars(CLOSES)))
    line = view.use(Sma(1))
    view.index = index
    columns = [
        view.time_ms,
        view.open,
        view.high,
        view.low,
        view.close,
        view.tick_volume,
        line,
        view.points.open,
        view.points.high,
        view.points.low,
        view.points.close,
        view.points.spread,
    ]

    for column in columns:
        assert len(column) == len(view) == index + 1
        assert column[index] == column[-1]
        assert column[0] == column[-index - 1]
        for position in (index + 1, 100, -index - 2, -100):
            with pytest.raises(IndexError, match=f"bar {position} is not among the {index + 1}"):
                column[position]


def test_before_the_first_closed_bar_nothing_can_be_read(bars):
    view = BarsView(Series.over(bars(CLOSES)))
    line = view.use(Sma(1))

    assert len(view) == 0
    for read in (
        lambda: view.close[-1],
        lambda: view.close[0],
        lambda: line[-1],
        lambda: view.close_ms,
    ):
        with pytest.raises(IndexError):
            read()


def test_prices_are_floats_for_people_and_points_for_arithmetic(view):
    seen = view([100_001, 100_002], reach=5, spread=9)

    assert (seen.close[-1], seen.open[-1], seen.high[-1], seen.low[-1]) == (
        1.00002,
        1.00002,
        1.00007,
        0.99997,
    )
    assert (seen.points.close[-1], seen.points.high[0], seen.points.spread[-1]) == (
        100_002,
        100_006,
        9,
    )
    assert type(seen.points.close[-1]) is int
    assert type(seen.close[-1]) is float
    assert (seen.time_ms[-1], seen.close_ms, seen.tick_volume[-1]) == (HOUR_MS, 2 * HOUR_MS, 1)
    assert (seen.symbol, seen.timeframe) == ("EURUSD", Timeframe.H1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    closes=st.lists(st.integers(50_000, 150_000), max_size=60),
    bulk=st.integers(0, 60),
    asked_at=st.integers(0, 60),
    period=st.integers(1, 12),
)
def test_a_line_over_a_growing_series_equals_the_whole_computed_at_once(
    *, bars, rows, closes: list, bulk: int, asked_at: int, period: int
):
    series = Series.over(bars(closes[:bulk]))
    asked_at = min(max(asked_at, min(bulk, len(closes))), len(closes))
    lines = {}
    for position, row in enumerate(rows(closes)[bulk:], start=bulk):
        if position == asked_at:
            lines = {kind: series.use(kind(period)) for kind in (Sma, Atr)}
        series.append(row)
    lines = lines or {kind: series.use(kind(period)) for kind in (Sma, Atr)}

    whole = Series.over(bars(closes)).prices()
    for kind, line in lines.items():
        np.testing.assert_array_equal(
            [line.memory[index] for index in range(len(closes))], kind(period).calculate(whole)
        )


def test_a_line_grows_through_every_capacity(rows):
    closes = [100_000 + (i * 37) % 101 for i in range(2500)]
    series = Series("EURUSD", Timeframe.H1, 5)
    line = series.use(Sma(20))
    view = BarsView(series)
    for row in rows(closes):
        series.append(row)
        view.refresh()
        view.index = len(series) - 1
        assert view.points.close[-1] == row.close

    expected = Sma(20).calculate(series.prices())
    np.testing.assert_array_equal(np.array(line.memory[: len(closes)]), expected)
    assert series.capacity == 4096


def test_a_line_over_history_goes_on_with_the_bars_that_follow(bars, rows):
    series = Series.over(bars(CLOSES[:20]))
    line = series.use(Sma(5))
    for row in rows(CLOSES)[20:]:
        series.append(row)

    expected = Sma(5).calculate(Series.over(bars(CLOSES)).prices())
    np.testing.assert_array_equal([line.memory[index] for index in range(30)], expected)


def test_history_without_bars_can_grow(bars, rows):
    series = Series.over(bars([]))
    for row in rows([100_000, 100_001]):
        series.append(row)

    assert len(series) == 2
    assert series.close[1] == 100_001


def test_growing_never_changes_the_bars_it_began_with(bars, rows):
    history = bars([100_000, 100_001])
    series = Series.over(history)
    series.append(rows([9, 9, 100_002])[2])

    assert series.prices().close.tolist() == [100_000, 100_001, 100_002]
    assert history.close.tolist() == [100_000, 100_001]


@pytest.mark.parametrize("position", [0, 1])
def test_a_bar_that_is_not_newer_is_refused(bars, rows, position: int):
    series = Series.over(bars([100_000, 100_001]))

    with pytest.raises(ValueError, match=f"bar {position * HOUR_MS} does not follow {HOUR_MS}"):
        series.append(rows([100_000, 100_001])[position])


def test_one_definition_is_one_line(bars):
    series = Series.over(bars(CLOSES))

    assert series.use(Sma(3)) is series.use(Sma(3))
    assert series.use(Sma(3)) is not series.use(Sma(4))


def test_a_line_is_undefined_while_it_warms_up(view):
    seen = view([100_000, 100_010])
    line = seen.use(Sma(2))

    assert math.isnan(line[0])
    assert line[1] == 100_005.0
