"""Methods of sizing that go by volatility are told it of closed bars, or NaN."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from risk_rooms import make_slot
from worlds import bars_of

from mtquant.engine.volatility import ATR_PERIOD, RETURNS, volatility_facts
from mtquant.model import Timeframe
from mtquant.risk import SizingMethod

CLOSES = [round(one) for one in 100_000 * np.exp(np.random.default_rng(3).normal(0, 0.01, 300))]


def slot_at(index: int, closes=CLOSES, timeframe: Timeframe = Timeframe.H1):
    return make_slot(bars_of(closes, timeframe=timeframe), index=index)


def facts_of(slot, method):
    return volatility_facts(slot.series, slot.index, method)


@pytest.mark.parametrize(
    "method",
    [
        one
        for one in SizingMethod
        if one not in {SizingMethod.VOLATILITY, SizingMethod.VOLATILITY_TARGET}
    ],
)
def test_other_methods_are_told_nothing(method: SizingMethod):
    assert facts_of(slot_at(200), method) == {}


def test_the_true_range_is_told_of_the_newest_closed_bar():
    quiet = slot_at(50, [100_000] * 100)

    assert facts_of(quiet, SizingMethod.VOLATILITY) == {"atr_points": pytest.approx(10.0)}
    moved = slot_at(50, [100_000] * 51 + [200_000] * 49)
    assert facts_of(moved, SizingMethod.VOLATILITY) == {"atr_points": pytest.approx(10.0)}


@pytest.mark.parametrize("index", [-1, 0, ATR_PERIOD - 1])
def test_the_true_range_of_too_few_bars_is_not_a_number(index: int):
    found = facts_of(slot_at(index), SizingMethod.VOLATILITY)["atr_points"]

    assert math.isnan(found)


@pytest.mark.parametrize(("timeframe", "a_year"), [(Timeframe.H1, 252 * 24), (Timeframe.D1, 252)])
def test_annual_volatility_is_the_deviation_of_the_last_hundred_returns(timeframe, a_year: int):
    found = facts_of(slot_at(250, timeframe=timeframe), SizingMethod.VOLATILITY_TARGET)
    returns = np.diff(np.log(np.array(CLOSES[150:251], dtype=float)))

    expected = returns.std(ddof=1) * math.sqrt(a_year)
    assert found == {"annual_volatility_fraction": pytest.approx(expected)}


@pytest.mark.parametrize(("index", "is_known"), [(RETURNS - 1, False), (RETURNS, True)])
def test_annual_volatility_needs_a_hundred_returns(index: int, *, is_known: bool):
    found = facts_of(slot_at(index), SizingMethod.VOLATILITY_TARGET)

    assert math.isnan(found["annual_volatility_fraction"]) is not is_known


def test_a_price_without_a_logarithm_tells_nothing():
    closes = np.array(CLOSES, dtype=np.int64)
    closes[150] = 0
    series = SimpleNamespace(column={"close": closes}.get, timeframe=Timeframe.H1)
    slot = SimpleNamespace(index=200, series=series)

    found = facts_of(slot, SizingMethod.VOLATILITY_TARGET)
    assert math.isnan(found["annual_volatility_fraction"])
    slot.index = 251
    found = facts_of(slot, SizingMethod.VOLATILITY_TARGET)
    assert found["annual_volatility_fraction"] > 0
