"""Bars of every timeframe, of bars and of ticks: what is shown, and nothing of the future."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from terminals import make_terminal
from worlds import MONDAY_MS, make_venue

from mtquant.exchange import InstrumentSpec, Market, TickFeed, TickModel
from mtquant.model import Ticks, Timeframe, make_bars
from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated import SimulatedServer

JPY = InstrumentSpec(digits=3, contract_size=100_000, base_currency="USD", profit_currency="JPY")


def real_ticks(count: int = 900) -> Ticks:
    rng = np.random.default_rng(3)
    bid = 110_000 + np.cumsum(rng.integers(-3, 4, count))
    return Ticks(
        symbol="USDJPY",
        digits=3,
        time_ms=MONDAY_MS + np.cumsum(rng.integers(0, 9_000, count)),
        bid=bid.astype(np.int32),
        ask=(bid + rng.integers(1, 9, count)).astype(np.int32),
    )


def server(model: TickModel = TickModel.OHLC, count: int = 200) -> SimulatedServer:
    rng = np.random.default_rng(5)
    close = 110_000 + np.cumsum(rng.integers(-9, 10, count))
    opened = np.concatenate([close[:1], close[:-1]])
    bars = make_bars(
        symbol="EURUSD",
        timeframe=Timeframe.M1,
        digits=5,
        time_ms=MONDAY_MS + np.arange(count) * 60_000,
        open=opened,
        high=np.maximum(opened, close) + 4,
        low=np.minimum(opened, close) - 4,
        close=close,
        spread=rng.integers(5, 15, count),
        tick_volume=rng.integers(4, 90, count),
    )
    usual = make_venue()
    venue = type(usual)(
        account=usual.account, instruments=dict(usual.instruments) | {"USDJPY": JPY}
    )
    feed = TickFeed(venue, real_ticks())
    return SimulatedServer(Market.of_bars(venue, bars, others=[feed], model=model))


def bars_of_ticks(ticks: np.ndarray, minutes: int) -> list[tuple]:
    """Cut bars from ticks by hand: the plain definition."""
    found: dict[int, list[Any]] = {}
    for tick in ticks:
        found.setdefault(int(tick["time"]) // (60 * minutes) * 60 * minutes, []).append(tick)
    return [
        (
            opened,
            float(seen[0]["bid"]),
            max(float(one["bid"]) for one in seen),
            min(float(one["bid"]) for one in seen),
            float(seen[-1]["bid"]),
        )
        for opened, seen in found.items()
    ]


def prices(table: np.ndarray) -> list[tuple]:
    return [tuple(row)[:5] for row in table.tolist()]


@pytest.mark.parametrize("symbol", ["EURUSD", "USDJPY"])
@pytest.mark.parametrize("timeframe", [Timeframe.M1, Timeframe.M5, Timeframe.M15, Timeframe.H1])
def test_at_every_moment_bars_are_what_the_ticks_so_far_make(symbol: str, timeframe: Timeframe):
    running = server()
    terminal = make_terminal(running)
    code = getattr(mt5, f"TIMEFRAME_{timeframe.name}")
    for _ in range(15):
        for _ in range(83):
            running.step()
        seen = terminal.copy_ticks_range(symbol, 0, 2**31 - 1, mt5.COPY_TICKS_ALL)
        bars = terminal.copy_rates_from_pos(symbol, code, 0, 10_000)

        assert prices(bars) == bars_of_ticks(seen, timeframe.value)


def test_the_forming_bar_counts_its_ticks_and_takes_the_least_spread():
    running = server()
    terminal = make_terminal(running)
    for _ in range(400):
        running.step()
    seen = terminal.copy_ticks_range("USDJPY", 0, 2**31 - 1, mt5.COPY_TICKS_ALL)
    hour = terminal.copy_rates_from_pos("USDJPY", mt5.TIMEFRAME_H1, 0, 1)[0]
    of_hour = seen[seen["time"] >= hour["time"]]

    assert hour["tick_volume"] == len(of_hour)
    assert hour["spread"] == round(1000 * min(of_hour["ask"] - of_hour["bid"]))


def test_shorter_bars_than_the_data_have_are_not_found():
    hours = make_terminal()

    assert hours.copy_rates_from_pos("EURUSD", mt5.TIMEFRAME_M5, 0, 5) is None
    assert hours.last_error()[0] == -4
    assert len(hours.copy_rates_from_pos("EURUSD", mt5.TIMEFRAME_D1, 0, 5)) == 1


def test_a_symbol_has_no_bars_before_its_first_price():
    terminal = make_terminal(server())

    assert terminal.symbol_info_tick("USDJPY") is None
    assert len(terminal.copy_rates_from_pos("USDJPY", mt5.TIMEFRAME_M1, 0, 5)) == 0
    assert len(terminal.copy_ticks_range("USDJPY", 0, 2**31 - 1, mt5.COPY_TICKS_ALL)) == 0


def test_dates_choose_bars_of_a_longer_timeframe_to_the_second():
    running = server()
    terminal = make_terminal(running)
    while running.step():
        pass
    five = terminal.copy_rates_from_pos("EURUSD", mt5.TIMEFRAME_M5, 0, 1000)
    times = five["time"].tolist()

    def between(start: int, end: int) -> list[int]:
        table = terminal.copy_rates_range("EURUSD", mt5.TIMEFRAME_M5, start, end)
        return table["time"].tolist()

    assert between(times[3], times[6]) == times[3:7]
    assert between(times[3] + 1, times[6] - 1) == times[4:6]
    upto = terminal.copy_rates_from("EURUSD", mt5.TIMEFRAME_M5, times[9] - 1, 3)
    assert upto["time"].tolist() == times[6:9]


def test_ticks_of_a_path_refined_are_those_that_were_played():
    running = server(TickModel.EVERY_TICK, 20)
    terminal = make_terminal(running)
    seen = []
    for _ in range(100):
        tick = terminal.symbol_info_tick("EURUSD")
        seen.append((tick.time_msc, tick.bid, tick.ask))
        running.step()
    table = terminal.copy_ticks_from("EURUSD", 0, 10_000, mt5.COPY_TICKS_ALL)
    copied = {(row["time_msc"], row["bid"], row["ask"]) for row in table}

    assert {(bid, ask) for _, bid, ask in seen} <= {(bid, ask) for _, bid, ask in copied}
    assert len(terminal.copy_ticks_from("EURUSD", 0, 7, mt5.COPY_TICKS_ALL)) == 7
    assert len(terminal.copy_ticks_from("EURUSD", 0, 7, mt5.COPY_TICKS_TRADE)) == 0
