"""Indicators follow MetaTrader's definitions, and their two forms agree to the last bit."""

import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtquant.indicators import Atr, Indicator, PriceColumns, Sma

DATA = Path(__file__).parents[2] / "data" / "indicators"
INDICATORS = [Sma, Atr]


@st.composite
def price_columns(draw, most: int = 120) -> PriceColumns:
    chance = np.random.default_rng(draw(st.integers(0, 2**32)))
    count = draw(st.integers(0, most))
    step = draw(st.sampled_from([0, 5, 100_000]))
    close = 1_000_000 + np.cumsum(chance.integers(-step, step + 1, count))
    low = close - chance.integers(0, step + 1, count)
    high = close + chance.integers(0, step + 1, count)
    dtype = draw(st.sampled_from([np.int32, np.int64]))
    return PriceColumns(
        open=close.astype(dtype),
        high=high.astype(dtype),
        low=low.astype(dtype),
        close=close.astype(dtype),
    )


def cut(prices: PriceColumns, end: int) -> PriceColumns:
    return PriceColumns(
        open=prices.open[:end],
        high=prices.high[:end],
        low=prices.low[:end],
        close=prices.close[:end],
    )


def streamed(indicator: Indicator, prices: PriceColumns) -> list[float]:
    stream = indicator.stream()
    bars = zip(prices.high.tolist(), prices.low.tolist(), prices.close.tolist(), strict=True)
    return [stream.update(*bar) for bar in bars]


@pytest.fixture(scope="module")
def golden() -> dict:
    return json.loads((DATA / "sma_atr_eurusd_h1.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def golden_prices(golden: dict) -> PriceColumns:
    columns = {name: np.array(golden["input"][name]) for name in ("open", "high", "low", "close")}
    return PriceColumns(**columns)


def test_the_golden_file_is_the_one_its_metadata_describe():
    metadata = json.loads((DATA / "metadata.json").read_text(encoding="utf-8"))

    assert sha256((DATA / metadata["file"]).read_bytes()).hexdigest() == metadata["sha256"]


@pytest.mark.parametrize(("indicator", "line"), [(Sma(14), "sma_14_close"), (Atr(14), "atr_14")])
def test_golden_values_are_met(golden: dict, golden_prices, indicator: Indicator, line: str):
    expected = golden["expected"][line]
    values = indicator.calculate(golden_prices) / 10 ** golden["digits"]

    assert indicator.first == expected["first"]
    for index, value in expected["at"].items():
        assert values[int(index)] == pytest.approx(value, abs=1e-9)


def test_talib_has_the_same_simple_average(golden_prices: PriceColumns):
    talib = pytest.importorskip("talib", reason="TA-Lib is not installed")
    expected = talib.SMA(golden_prices.close.astype(float), 14)

    np.testing.assert_allclose(Sma(14).calculate(golden_prices), expected, rtol=0, atol=1e-9)


def test_the_average_true_range_is_the_simple_average_of_talibs_true_range(golden_prices):
    talib = pytest.importorskip("talib", reason="TA-Lib is not installed")
    high, low, close = (
        getattr(golden_prices, name).astype(float) for name in ("high", "low", "close")
    )
    expected = talib.SMA(talib.TRANGE(high, low, close), 14)
    wilder = talib.ATR(high, low, close, 14)
    ours = Atr(14).calculate(golden_prices)

    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-9)
    assert np.nanmax(np.abs(ours - wilder)) > 1  # the platform's is not Wilder's


@pytest.mark.parametrize("kind", INDICATORS)
@given(prices=price_columns(), period=st.integers(1, 40))
def test_the_streamed_form_equals_the_batch_to_the_last_bit(kind, prices, period: int):
    indicator = kind(period)

    np.testing.assert_array_equal(indicator.calculate(prices), streamed(indicator, prices))


@pytest.mark.parametrize("kind", INDICATORS)
@given(prices=price_columns(), period=st.integers(1, 40), data=st.data())
def test_later_bars_never_change_a_value(kind, prices, period: int, data):
    end = data.draw(st.integers(0, len(prices)))
    whole = kind(period).calculate(prices)

    np.testing.assert_array_equal(kind(period).calculate(cut(prices, end)), whole[:end])


@pytest.mark.parametrize("kind", INDICATORS)
@given(prices=price_columns(), period=st.integers(1, 40))
def test_values_begin_at_first_and_are_undefined_before(kind, prices, period: int):
    indicator = kind(period)
    values = indicator.calculate(prices)

    assert np.isnan(values[: indicator.first]).all()
    assert np.isfinite(values[indicator.first :]).all()


@pytest.mark.parametrize("kind", INDICATORS)
@given(prices=price_columns(40))
def test_a_stream_that_forgot_everything_starts_anew(kind, prices):
    indicator = kind(3)
    stream = indicator.stream()
    for bar in ((5, 1, 3), (9, 2, 4), (7, 7, 7), (8, 3, 8)):
        stream.update(*bar)
    stream.reset()
    bars = zip(prices.high.tolist(), prices.low.tolist(), prices.close.tolist(), strict=True)
    again = [stream.update(*bar) for bar in bars]

    np.testing.assert_array_equal(again, streamed(indicator, prices))


def test_flat_bars_have_no_true_range():
    flat = np.full(30, 100_000)

    assert Atr(14).calculate(PriceColumns(open=flat, high=flat, low=flat, close=flat))[-1] == 0


def test_sums_of_large_points_do_not_overflow():
    top = np.full(5000, 2**31 - 1, dtype=np.int32)
    prices = PriceColumns(open=top, high=top, low=top - (2**31 - 2), close=top)

    assert Sma(5000).calculate(prices)[-1] == 2**31 - 1
    assert Atr(4999).calculate(prices)[-1] == 2**31 - 2


@pytest.mark.parametrize("kind", INDICATORS)
def test_a_window_that_holds_no_bar_is_refused(kind):
    with pytest.raises(ValueError, match="period must be at least 1, was 0"):
        kind(0)


def test_a_definition_names_itself_and_equals_its_like():
    assert [Sma(5).name, Atr(7).name] == ["SMA(5)", "ATR(7)"]
    assert {Sma(5), Sma(5), Atr(5)} == {Sma(5), Atr(5)}


def test_a_stream_tells_what_it_remembers():
    sma, atr = Sma(2).stream(), Atr(2).stream()
    for bar in ((5, 1, 3), (9, 2, 4), (8, 3, 8)):
        sma.update(*bar)
        atr.update(*bar)

    assert sma.state() == {"period": 2, "bars": 2, "sum_points": 12}
    assert atr.state() == {"period": 2, "ranges": 2, "sum_points": 12}
