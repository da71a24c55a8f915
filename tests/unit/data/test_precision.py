"""Digits change exactly, or by rounding that keeps every bar a bar, or not at all."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtquant.data import rescale
from mtquant.model import Bars, DataError, MarketDataError, Timeframe, make_bars

POINTS = ("open", "high", "low", "close", "spread")


def bars_of(rows: list[tuple[int, int, int, int, int]], digits: int) -> Bars:
    """Return bars of (two prices inside, two wicks, spread) a row."""
    first, second, above, below, spread = (np.array(column) for column in zip(*rows, strict=True))
    return make_bars(
        symbol="EURUSD",
        timeframe=Timeframe.M1,
        digits=digits,
        time_ms=np.arange(len(rows)) * 60_000,
        open=first,
        high=np.maximum(first, second) + above,
        low=np.maximum(np.minimum(first, second) - below, 1),
        close=second,
        spread=spread,
        tick_volume=3,
    )


@st.composite
def some_bars(draw, largest: int = 2_000_000) -> Bars:
    price, wick = st.integers(1, largest), st.integers(0, 300)
    row = st.tuples(price, price, wick, wick, wick)
    return bars_of(draw(st.lists(row, min_size=1, max_size=20)), draw(st.integers(0, 8)))


def values(bars: Bars, name: str) -> list[Decimal]:
    return [Decimal(points).scaleb(-bars.digits) for points in getattr(bars, name).tolist()]


@given(bars=some_bars(), more=st.integers(0, 3))
def test_more_digits_say_the_same_prices_and_back_again(bars: Bars, more: int):
    digits = min(8, bars.digits + more)
    finer = rescale(bars, digits)

    assert finer.digits == digits
    for name in POINTS:
        assert values(finer, name) == values(bars, name)
    assert finer.tick_volume.tolist() == bars.tick_volume.tolist()
    assert rescale(finer, bars.digits).content_hash() == bars.content_hash()


@given(bars=some_bars(), fewer=st.integers(1, 4))
def test_rounding_goes_half_away_from_zero_and_leaves_bars(bars: Bars, fewer: int):
    digits = max(0, bars.digits - fewer)
    try:
        coarser = rescale(bars, digits, rounding=True)
    except MarketDataError as error:
        row = error.details["row"]
        assert 2 * int(bars.low[row]) < 10 ** (bars.digits - digits)
        return

    step = Decimal(1).scaleb(-digits)
    for name in POINTS:
        exact = values(bars, name)
        wanted = [one.quantize(step, rounding=ROUND_HALF_UP) for one in exact]
        assert values(coarser, name) == wanted
    assert (coarser.low <= np.minimum(coarser.open, coarser.close)).all()
    assert (coarser.high >= np.maximum(coarser.open, coarser.close)).all()
    assert (coarser.spread >= 0).all()


@given(bars=some_bars(), fewer=st.integers(1, 4))
def test_fewer_digits_are_refused_at_the_first_row_that_they_cannot_say(bars: Bars, fewer: int):
    digits = max(0, bars.digits - fewer)
    factor = 10 ** (bars.digits - digits)
    points = np.stack([getattr(bars, name) for name in POINTS])
    inexact = np.flatnonzero((points % factor).any(axis=0))

    if not len(inexact):
        exact = rescale(bars, digits)
        assert all(values(exact, name) == values(bars, name) for name in POINTS)
        return
    with pytest.raises(MarketDataError, match="cannot be said exactly") as caught:
        rescale(bars, digits)
    assert caught.value.details["row"] == inexact[0]


@given(bars=some_bars(largest=2_000_000_000), more=st.integers(1, 8))
def test_prices_that_leave_32_bits_are_refused(bars: Bars, more: int):
    digits = min(8, bars.digits + more)
    factor = 10 ** (digits - bars.digits)
    if int(bars.high.max()) * factor < 2**31 and int(bars.spread.max()) * factor < 2**31:
        assert rescale(bars, digits).high.tolist() == [h * factor for h in bars.high.tolist()]
        return
    with pytest.raises(MarketDataError, match=f"EURUSD: .* with {digits} .* 32 bits of points"):
        rescale(bars, digits)


def test_the_refusal_names_symbol_digits_row_and_price():
    bars = bars_of([(110_520, 110_520, 0, 0, 10), (110_520, 110_523, 0, 0, 10)], 5)

    with pytest.raises(
        MarketDataError,
        match=r"EURUSD: the data have 5 digits, with 4 the high 1.10523 of row 1 cannot be said",
    ):
        rescale(bars, 4)


def test_a_spread_counts_as_a_price():
    with pytest.raises(
        MarketDataError, match=r"the spread 0.00004 of row 0 cannot be said exactly"
    ):
        rescale(bars_of([(110_520, 110_520, 0, 0, 4)], 5), 4)


def test_a_price_is_not_rounded_to_nothing():
    with pytest.raises(MarketDataError, match=r"the open 0.04 of row 0 would be rounded to zero"):
        rescale(bars_of([(4, 40, 0, 0, 0)], 2), 1, rounding=True)


@pytest.mark.parametrize("digits", [-1, 9])
def test_digits_out_of_range_are_refused(digits: int):
    with pytest.raises(DataError, match=f"digits must be 0 to 8, was {digits}"):
        rescale(bars_of([(1, 1, 0, 0, 0)], 5), digits)


def test_the_same_digits_leave_bars_alone():
    bars = bars_of([(1, 1, 0, 0, 0)], 5)

    assert rescale(bars, 5) is bars
