"""An entry is as like what is held as the closed bars of both say, by their sides."""

from __future__ import annotations

import numpy as np
import pytest
from risk_rooms import make_slot
from worlds import bars_of

from mtquant.engine.likeness import Likeness
from mtquant.model import Side

BUY, SELL = Side.BUY, Side.SELL


def slot_of(symbol: str, returns, index: int | None = None, **more):
    level = 100_000
    closes = [round(level * float(np.exp(one))) for one in np.cumsum(returns)]
    bars = bars_of(closes, symbol=symbol)
    return make_slot(bars, symbol=symbol, index=len(closes) - 1 if index is None else index, **more)


@pytest.fixture
def returns():
    return np.random.default_rng(5).normal(0, 0.002, 120)


@pytest.fixture
def alike(returns) -> Likeness:
    noise = np.random.default_rng(6).normal(0, 0.002, 120)
    slots = [
        slot_of("EURUSD", returns),
        slot_of("GBPUSD", returns),
        slot_of("USDJPY", noise),
    ]
    return Likeness(slots, 100)


def test_nothing_is_known_while_nothing_else_is_held(alike):
    assert alike.strongest("EURUSD", BUY, ()) is None
    assert alike.strongest("EURUSD", BUY, [("EURUSD", BUY)]) is None


def test_the_same_side_of_a_symbol_that_moves_along_is_alike_and_the_other_is_not(alike):
    held = [("GBPUSD", BUY)]

    value, symbol = alike.strongest("EURUSD", BUY, held)
    assert (value, symbol) == (pytest.approx(1.0, abs=1e-3), "GBPUSD")
    assert alike.strongest("EURUSD", SELL, held)[0] == pytest.approx(-1.0, abs=1e-3)
    shorts = [("GBPUSD", SELL)]
    assert alike.strongest("EURUSD", SELL, shorts)[0] == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("order", [1, -1])
def test_the_highest_of_several_is_told(alike, order: int):
    held = [("USDJPY", BUY), ("GBPUSD", BUY)][::order]

    assert alike.strongest("EURUSD", BUY, held)[1] == "GBPUSD"
    assert alike.strongest("EURUSD", SELL, held)[1] == "USDJPY"


def test_a_symbol_that_nobody_follows_tells_nothing(alike):
    assert alike.strongest("EURUSD", BUY, [("OILX", BUY)]) is None
    assert alike.strongest("OILX", BUY, [("EURUSD", BUY)]) is None


def test_the_bars_of_now_count_and_not_those_to_come(returns):
    mirrored = np.concatenate([returns[:60], -returns[60:]])
    one, other = slot_of("EURUSD", returns, 59), slot_of("GBPUSD", mirrored, 59)
    likeness = Likeness([one, other], 100)
    held = [("GBPUSD", BUY)]

    assert likeness.strongest("EURUSD", BUY, held)[0] == pytest.approx(1.0, abs=1e-3)
    one.move_to(119)
    other.move_to(119)
    later = likeness.strongest("EURUSD", BUY, held)[0]
    assert later == likeness.strongest("EURUSD", BUY, held)[0]
    assert later < 0.5


def test_it_is_computed_once_for_each_pair_of_bars(returns, monkeypatch):
    counted = []

    def count(*given):
        counted.append(given)
        return 0.5

    monkeypatch.setattr("mtquant.engine.likeness.correlation", count)
    one, other = slot_of("EURUSD", returns), slot_of("GBPUSD", returns)
    likeness = Likeness([one, other], 20)
    held = [("GBPUSD", BUY)]
    for _ in range(3):
        assert likeness.strongest("EURUSD", BUY, held) == (0.5, "GBPUSD")
    assert len(counted) == 1
    (first, second, bars) = counted[0]
    assert (len(first[0]), len(second[1]), bars) == (41, 41, 20)
    assert first[0][-1] == one.bar_ms
    other.move_to(100)
    likeness.strongest("EURUSD", BUY, held)
    assert len(counted) == 2


def test_of_several_series_of_a_symbol_the_first_counts(returns):
    noise = np.random.default_rng(6).normal(0, 0.002, 120)
    slots = [slot_of("EURUSD", returns), slot_of("GBPUSD", returns), slot_of("GBPUSD", noise)]
    held = [("GBPUSD", BUY)]

    assert Likeness(slots, 100).strongest("EURUSD", BUY, held)[0] > 0.9
