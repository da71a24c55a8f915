"""Charts keep what matters: extremes, round ticks, the calendar."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from market_play import random_bars

from mtquant.research.axes import time_ticks, value_step, value_ticks
from mtquant.research.histogram import counted, histogram_html
from mtquant.research.plot import COLUMNS, Frame, thinned_rows
from mtquant.research.words import number_text, percent_text, span_text

HOUR_MS = 3_600_000
NEW_YEAR_MS = int(datetime(2017, 1, 1, tzinfo=UTC).timestamp()) * 1000


def labels(hours: int, step_hours: int = 1) -> list[str]:
    times = NEW_YEAR_MS + HOUR_MS * np.arange(0, hours, step_hours)
    return [tick.label for tick in time_ticks(times)]


def test_a_short_line_keeps_every_point():
    assert thinned_rows(np.arange(2 * COLUMNS)).tolist() == list(range(2 * COLUMNS))


@given(st.integers(0, 2**32), st.integers(1, 20_000))
def test_a_long_line_keeps_its_ends_and_its_extremes_within_the_limit(seed, count):
    values = np.random.default_rng(seed).integers(0, 1_000_000, count)

    rows = thinned_rows(values)

    assert len(rows) <= 2 * COLUMNS + 2
    assert (np.diff(rows) > 0).all()
    assert (rows[0], rows[-1]) == (0, count - 1)
    assert values[rows].min() == values.min()
    assert values[rows].max() == values.max()


def test_a_frame_maps_rows_and_values_to_percentages():
    frame = Frame(rows=11, low=0.0, high=50.0)

    assert (frame.x(0), frame.x(5), frame.x(10)) == (0, 50, 100)
    assert (frame.y(50.0), frame.y(25.0), frame.y(0.0)) == (0, 50, 100)
    assert Frame(rows=1, low=0.0, high=50.0).x(0) == 0


def test_a_frame_around_one_value_has_room():
    for value in (0.0, 10_000.0, -5.0):
        frame = Frame.around(3, value, value)
        assert frame.low < value < frame.high


def test_a_frame_that_hangs_has_zero_on_top():
    frame = Frame(rows=2, low=0.0, high=8.0, is_down=True)

    assert (frame.y(0.0), frame.y(8.0)) == (0, 100)


@given(st.floats(-1e6, 1e6), st.floats(1e-4, 1e6))
def test_value_ticks_are_round_inside_and_neither_few_nor_many(low, span):
    high = low + span

    ticks = value_ticks(low, high, number_text)

    assert 2 <= len(ticks) <= 7
    step = value_step(low, high)
    for tick in ticks:
        assert low - step * 1e-6 <= tick.at <= high + step * 1e-6
    assert len({tick.label for tick in ticks}) == len(ticks)


def test_one_value_has_one_tick():
    assert [tick.label for tick in value_ticks(5.0, 5.0, number_text)] == ["5.00"]


@pytest.mark.parametrize(
    ("hours", "step", "first", "second"),
    [
        (8, 1, "1 Jan 2017", "01:00"),
        (48, 1, "1 Jan 2017", "06:00"),
        (24 * 10, 1, "1 Jan 2017", "2 Jan"),
        (24 * 60, 1, "2 Jan 2017", "9 Jan"),
        (24 * 365, 1, "Jan 2017", "Feb"),
        (24 * 365 * 5, 24, "Jan 2017", "Jul"),
        (24 * 365 * 30, 24, "Jan 2020", "Jan 2025"),
    ],
)
def test_time_ticks_fit_the_span(hours, step, first, second):
    found = labels(hours, step)

    assert found[:2] == [first, second]
    assert len(found) <= 12


def test_time_ticks_leave_each_other_room_after_a_weekend():
    times = random_bars(seed=1, count=260).time_ms  # Monday to Friday, eleven days

    ticks = time_ticks(times)

    assert [tick.label for tick in ticks] == [
        "10 Jan 2017",
        "12 Jan",
        "16 Jan",
        "18 Jan",
        "20 Jan",
        "22 Jan",
    ]
    assert min(np.diff([tick.at for tick in ticks])) > 10


def test_centuries_have_no_ticks():
    assert labels(24 * 365 * 400, 24 * 300) == []


def test_time_ticks_of_less_than_two_bars_are_none():
    assert labels(1) == []


@given(st.lists(st.integers(-100_000, 100_000), min_size=1, max_size=60))
def test_every_result_is_counted_once_with_zero_as_an_edge(nets_minor):
    nets = [net / 100 for net in nets_minor]

    edges, counts = counted(nets)

    assert counts.sum() == len(nets)
    assert np.isclose(edges, 0).any()
    assert edges[0] <= min(nets) + 1e-6
    assert edges[-1] >= max(nets) - 1e-6
    assert len(counts) <= 60


def test_results_of_nothing_are_a_sentence():
    assert "<svg" not in histogram_html([], "USD")


def test_equal_results_make_one_column():
    assert histogram_html([0.0, 0.0], "USD").count("<rect") == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.00"), (-0.004, "0.00"), (1234.5, "+1,234.50"), (-0.5, "−0.50"), (None, "—")],
)
def test_numbers_have_a_sign_unless_they_show_zero(value, text):
    assert number_text(value, signed=True) == text


def test_an_undefined_percentage_is_a_dash():
    assert percent_text(None) == "—"


def test_spans_show_their_two_largest_units():
    assert span_text(86_400_000) == "1 d"
    assert span_text(7_200_000) == "2 h"
    assert span_text(61 * 60_000) == "1 h 1 min"
