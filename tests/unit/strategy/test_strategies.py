"""Strategies speak up when they should, and say all that a decision needs."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtquant.model import ConfigError, Direction, Signal
from mtquant.strategy import (
    LONG,
    SHORT,
    BarsView,
    NoParameters,
    Series,
    SmaCrossover,
    SmaCrossoverParameters,
    Strategy,
    crossings,
)

HOUR_MS = 3_600_000


def signals(bars, closes: list[int], fast: int = 1, slow: int = 3) -> dict[int, str]:
    series = Series.over(bars(closes))
    view = BarsView(series)
    strategy = SmaCrossover("sma", SmaCrossoverParameters(fast=fast, slow=slow))
    strategy.on_start(view)
    raised = {}
    for index in range(len(closes)):
        view.index = index
        signal = strategy.on_bar(view)
        if signal is not None:
            raised[index] = signal.direction.name
    return raised


@pytest.mark.parametrize(
    ("closes", "expected"),
    [
        ([10, 10, 10, 10, 10], {}),
        ([10, 10, 10, 13, 14, 15], {3: "LONG"}),
        ([10, 10, 10, 7, 6, 5], {3: "SHORT"}),
        ([10, 10, 10, 13, 7, 7, 13], {3: "LONG", 4: "SHORT", 6: "LONG"}),
        ([10, 12, 14, 16], {}),  # above from the first value on: no crossing was seen
        ([10, 10, 10, 13, 10, 13, 10], {3: "LONG", 4: "SHORT", 5: "LONG", 6: "SHORT"}),
        ([10, 13], {}),
    ],
)
def test_a_crossing_raises_one_signal_on_its_bar(bars, closes: list, expected: dict):
    assert signals(bars, [100_000 + 10 * close for close in closes]) == expected


def test_a_crossing_through_equality_counts_when_it_leaves(bars):
    """Fast and slow touch at bar 5 without crossing, and part again at bar 6."""
    closes = [100_000, 100_000, 100_000, 100_030, 100_060, 100_045, 100_075]

    assert signals(bars, closes) == {3: "LONG", 6: "LONG"}


def test_a_signal_says_who_when_what_and_why(bars):
    view = BarsView(Series.over(bars([100_000, 100_000, 100_000, 100_030])))
    strategy = SmaCrossover("sma", SmaCrossoverParameters(fast=1, slow=3))
    strategy.on_start(view)
    view.index = 3

    assert strategy.on_bar(view) == Signal(
        signal_id=f"sma:EURUSD:H1:{3 * HOUR_MS}",
        strategy_id="sma",
        time_ms=4 * HOUR_MS,
        symbol="EURUSD",
        timeframe=view.timeframe,
        direction=Direction.LONG,
        price_points=100_030,
        reason="fast average crossed above slow",
    )


@pytest.mark.parametrize(
    ("windows", "message"),
    [
        ({"fast": 0}, "fast must be at least 1 bar"),
        ({"fast": 50, "slow": 50}, r"slow must be longer than fast \(50\)"),
    ],
)
def test_windows_that_cannot_cross_are_refused(windows: dict, message: str):
    with pytest.raises(ConfigError, match=message):
        SmaCrossoverParameters(**windows)


class Silent(Strategy):
    """A strategy that never speaks and needs no settings."""

    def on_bar(self, bars: BarsView) -> Signal | None:
        return None


def test_a_strategy_needs_no_settings_and_no_indicators(view):
    strategy = Silent("quiet")
    strategy.on_start(view([100_000]))

    assert strategy.on_bar(view([100_000])) is None
    assert strategy.state() == {"strategy_id": "quiet", "parameters": NoParameters()}


@given(
    st.integers(0, 12).flatmap(
        lambda n: st.tuples(
            *[st.lists(st.sampled_from([1.0, 2.0, 3.0, math.nan]), min_size=n, max_size=n)] * 2
        )
    )
)
def test_lines_cross_where_they_lie_beyond_and_did_not_before(
    pair: tuple[list[float], list[float]],
) -> None:
    fast, slow = pair
    said = crossings(np.array(fast), np.array(slow)).tolist()

    expected = [0] * len(fast)
    for i in range(1, len(fast)):
        if fast[i] > slow[i] and fast[i - 1] <= slow[i - 1]:
            expected[i] = LONG
        elif fast[i] < slow[i] and fast[i - 1] >= slow[i - 1]:
            expected[i] = SHORT
    assert said == expected
