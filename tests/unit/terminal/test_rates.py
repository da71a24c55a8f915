"""Bars are exact at every edge: the forming one, inclusive dates, and both changes of the clock."""

import numpy as np
import pytest
from terminals import make_server, make_terminal
from worlds import MONDAY_MS, bars_of

from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated import SimulatedServer
from mtquant.terminal.simulated.charts import RATES_DTYPE

H1 = mt5.TIMEFRAME_H1
HOUR = 3600
START_S = MONDAY_MS // 1000 + 2 * HOUR  # the server's clock
SPRING_MS = 1_490_482_800_000  # 2017-03-25 23:00 UTC: the clock jumps from 03:00 to 04:00
AUTUMN_MS = 1_509_231_600_000  # 2017-10-28 23:00 UTC: the clock is set back from 04:00 to 03:00


def played(server: SimulatedServer, bars: int, steps: int = 0) -> SimulatedServer:
    for _ in range(4 * bars + steps):
        assert server.step()
    return server


def test_the_table_has_the_official_columns():
    table = make_terminal().copy_rates_from_pos("EURUSD", H1, 0, 1)

    assert table.dtype == RATES_DTYPE
    assert table.dtype.itemsize == 60


def test_position_0_is_the_forming_bar_and_shows_only_what_has_happened():
    server = make_server(bars_of([110_000, 110_050], wick=30))
    terminal = make_terminal(server)
    seen = []
    for _ in range(4):
        row = terminal.copy_rates_from_pos("EURUSD", H1, 0, 5)[-1]
        seen.append((row["high"], row["low"], row["close"], row["tick_volume"]))
        server.step()

    # a doji counts as rising: open, low, high, close
    assert seen == [
        (1.1, 1.1, 1.1, 1),
        (1.1, 1.0997, 1.0997, 2),
        (1.1003, 1.0997, 1.1003, 3),
        (1.1003, 1.0997, 1.1, 4),
    ]
    closed = terminal.copy_rates_from_pos("EURUSD", H1, 1, 5)
    assert closed["time"].tolist() == [START_S]
    assert closed["tick_volume"].tolist() == [server.market.bars.tick_volume[0]]


@pytest.mark.parametrize(
    ("start", "count", "hours"),
    [
        (0, 1, [3]),
        (0, 4, [0, 1, 2, 3]),
        (0, 100, [0, 1, 2, 3]),
        (1, 2, [1, 2]),
        (3, 2, [0]),
        (4, 2, []),
        (10**20, 2, []),
        (0, 10**20, [0, 1, 2, 3]),
        (0, 0, []),
        (np.int64(1), np.int32(2), [1, 2]),
    ],
)
def test_positions_count_back_from_the_forming_bar(start: int, count: int, hours: list[int]):
    server = played(make_server(bars_of([110_000] * 9)), 3)
    found = make_terminal(server).copy_rates_from_pos("EURUSD", H1, start, count)

    assert ((found["time"] - START_S) // HOUR).tolist() == hours


@pytest.mark.parametrize("change", [-1, 0, 1])
def test_both_ends_of_a_range_are_included_to_the_second(change: int):
    terminal = make_terminal(played(make_server(bars_of([110_000] * 9)), 5))
    start, end = START_S + HOUR, START_S + 3 * HOUR

    late_start = terminal.copy_rates_range("EURUSD", H1, start + change, end)
    late_end = terminal.copy_rates_range("EURUSD", H1, start, end + change)

    assert len(late_start) == (2 if change > 0 else 3)
    assert len(late_end) == (2 if change < 0 else 3)


def test_a_range_never_reaches_past_the_forming_bar_nor_backwards():
    terminal = make_terminal(played(make_server(bars_of([110_000] * 9)), 2))

    assert len(terminal.copy_rates_range("EURUSD", H1, 0, 10**12)) == 3
    assert len(terminal.copy_rates_range("EURUSD", H1, START_S + HOUR, START_S)) == 0
    assert len(terminal.copy_rates_range("EURUSD", H1, -(10**20), 0)) == 0


@pytest.mark.parametrize(
    ("date", "count", "hours"),
    [(2 * HOUR, 2, [1, 2]), (2 * HOUR - 1, 2, [0, 1]), (10**9, 2, [2, 3]), (-1, 2, []), (0, 0, [])],
)
def test_copy_rates_from_returns_the_last_bars_up_to_a_date(
    date: int, count: int, hours: list[int]
):
    terminal = make_terminal(played(make_server(bars_of([110_000] * 9)), 3))
    found = terminal.copy_rates_from("EURUSD", H1, START_S + date, count)

    assert ((found["time"] - START_S) // HOUR).tolist() == hours


@pytest.mark.parametrize(
    ("first_ms", "hours"),
    [(SPRING_MS, [1, 2, 4, 5, 6]), (AUTUMN_MS, [2, 3, 3, 4, 5])],
    ids=["spring", "autumn"],
)
def test_bars_carry_the_server_s_wall_clock_across_a_change(first_ms: int, hours: list[int]):
    server = played(make_server(bars_of([110_000] * 6, first_ms=first_ms)), 4)
    terminal = make_terminal(server)
    table = terminal.copy_rates_from_pos("EURUSD", H1, 0, 9)

    assert (table["time"] // HOUR % 24).tolist() == hours
    day_s = int(table["time"][0]) // 86_400 * 86_400
    for low, high in ((0, 24), (3, 3), (3, 4), (2, 3), (4, 24)):
        found = terminal.copy_rates_range("EURUSD", H1, day_s + low * HOUR, day_s + high * HOUR)
        wanted = [hour for hour in hours if low <= hour <= high]
        assert (found["time"] // HOUR % 24).tolist() == wanted, (low, high)


@pytest.mark.parametrize(
    "args",
    [
        ("EURUSD", 99, 0, 1),
        ("EURUSD", "H1", 0, 1),
        ("EURUSD", H1, -1, 1),
        ("EURUSD", H1, 0, -1),
        ("EURUSD", H1, 0, 1.0),
        (5, H1, 0, 1),
    ],
)
def test_bars_are_not_given_for_wrong_arguments(args: tuple):
    terminal = make_terminal()

    assert terminal.copy_rates_from_pos(*args) is None
    assert terminal.last_error() == (-2, "Invalid arguments")


@pytest.mark.parametrize("args", [("EURUSD", mt5.TIMEFRAME_M1), ("GBPUSD", H1)])
def test_a_series_that_the_server_lacks_is_not_found(args: tuple):
    terminal = make_terminal()

    assert terminal.copy_rates_from_pos(*args, 0, 1) is None
    assert terminal.last_error() == (-4, "Terminal: Not found")
