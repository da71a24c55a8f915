"""Bars and ticks as clients copy them, against what was played cut by hand."""

from datetime import UTC, datetime

import numpy as np
import pytest
from terminals import make_terminal
from worlds import make_venue

from mtquant.exchange import Market, TickModel, VenueSpec
from mtquant.model import ServerClock, Timeframe, make_bars
from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated import SimulatedServer

DAYS = {  # around which the clock changes, and the end of a month
    "spring": datetime(2017, 3, 24, 7, tzinfo=UTC),
    "autumn": datetime(2017, 10, 27, 7, tzinfo=UTC),
    "year": datetime(2016, 12, 30, 7, tzinfo=UTC),
}
CLOCKS = ("utc", "eet_eu", "ny_plus_7", "fixed:-5")
DAY_S = 86_400


def market_of(clock: str, day: str, timeframe: Timeframe, model: TickModel) -> Market:
    rng = np.random.default_rng(len(clock) + timeframe.value)
    count = 8 * 24 * 60 // timeframe.value
    kept = rng.random(count) > 0.2
    kept[0] = True
    first_ms = int(DAYS[day].timestamp()) * 1000
    times = (first_ms + np.arange(count) * timeframe.duration_ms)[kept]
    close = 110_000 + np.cumsum(rng.integers(-9, 10, len(times)))
    opened = close + rng.integers(-5, 6, len(times))
    bars = make_bars(
        symbol="EURUSD",
        timeframe=timeframe,
        digits=5,
        time_ms=times,
        open=opened,
        high=np.maximum(opened, close) + rng.integers(0, 5, len(times)),
        low=np.minimum(opened, close) - rng.integers(0, 5, len(times)),
        close=close,
        spread=rng.integers(0, 5, len(times)),
        tick_volume=rng.integers(1, 40, len(times)),
    )
    usual = make_venue()
    venue = VenueSpec(server_clock=clock, instruments=usual.instruments)
    return Market.of_bars(venue, bars, model=model)


def opening(server_s: int, timeframe: Timeframe) -> int:
    """Return when the bar of a server second opens, by the calendar."""
    moment = datetime.fromtimestamp(server_s, UTC)
    if timeframe is Timeframe.MN1:
        return int(datetime(moment.year, moment.month, 1, tzinfo=UTC).timestamp())
    midnight = server_s - server_s % DAY_S
    if timeframe is Timeframe.W1:
        return midnight - (moment.isoweekday() % 7) * DAY_S
    if timeframe is Timeframe.D1:
        return midnight
    return server_s - server_s % (timeframe.value * 60)


def bars_of(played: list[tuple[int, int]], timeframe: Timeframe, clock: ServerClock) -> list:
    found: dict[int, list[int]] = {}
    newest = -(2**62)
    for opened_ms, bid in played:
        newest = max(newest, opening(clock.to_server_ms(opened_ms) // 1000, timeframe))
        found.setdefault(newest, []).append(bid)
    return [
        (at, *(one / 1e5 for one in (bids[0], max(bids), min(bids), bids[-1])))
        for at, bids in found.items()
    ]


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("base", [Timeframe.M15, Timeframe.H1])
def test_bars_of_every_timeframe_hold_what_was_played(base: Timeframe, clock: str, day: str):
    market = market_of(clock, day, base, TickModel.OHLC)
    server, played = SimulatedServer(market), []
    terminal = make_terminal(server)
    rng = np.random.default_rng(1)
    looks = set(rng.integers(0, 4 * len(market), 12).tolist())
    done = 0
    while True:
        played.append((int(market.bars.time_ms[market.bar]), market.shown()[-1]))
        if done in looks or market.next_ms() is None:
            for timeframe in Timeframe:
                if timeframe.value <= base.value:
                    continue
                code = getattr(mt5, f"TIMEFRAME_{timeframe.name}")
                table = terminal.copy_rates_from_pos("EURUSD", code, 0, 10**12)
                rows = [tuple(row)[:5] for row in table.tolist()]
                assert rows == bars_of(played, timeframe, market.venue.clock)
                require_dates(terminal, code, table)
        done += 1
        if not server.step():
            break


def require_dates(terminal, code: int, table: np.ndarray) -> None:
    """Hold the calls with dates against the whole table, on and beside its times."""
    times = table["time"]
    for row in {0, len(times) // 2, len(times) - 1}:
        for beside in (-1, 0, 1):
            at = int(times[row]) + beside
            upto = terminal.copy_rates_from("EURUSD", code, at, 3)
            within = terminal.copy_rates_range("EURUSD", code, int(times[0]), at)
            assert upto.tolist() == table[times <= at][-3:].tolist()
            assert within.tolist() == table[times <= at].tolist()


@pytest.mark.parametrize("model", [TickModel.OHLC, TickModel.EVERY_TICK])
@pytest.mark.parametrize("day", ["spring", "autumn"])
def test_ticks_are_those_that_were_played_with_what_changed(model: TickModel, day: str):
    market = market_of("eet_eu", day, Timeframe.M5, model)
    server = SimulatedServer(market)
    terminal = make_terminal(server)
    steps = 4 if model is TickModel.OHLC else 10
    naive, quote = [], (0, 0)
    for _ in range(1300 * steps):
        clock, book = market.venue.clock, market.book
        found = book.quote("EURUSD")
        assert found is not None
        new = found.bid_points, found.ask_points
        flags = 2 * (new[0] != quote[0]) + 4 * (new[1] != quote[1])
        at_ms, quote = clock.to_server_ms(found.time_ms), new
        naive.append((at_ms // 1000, new[0] / 1e5, new[1] / 1e5, at_ms, flags))
        server.step()
        if market.next_ms() is None:
            break
    newest = naive[-1][0]
    table = terminal.copy_ticks_range("EURUSD", 0, newest, mt5.COPY_TICKS_ALL)
    whole = [(r["time"], r["bid"], r["ask"], r["time_msc"], r["flags"]) for r in table]

    assert whole[: len(naive) - 20] == naive[: len(naive) - 20]
    for kind in (mt5.COPY_TICKS_ALL, mt5.COPY_TICKS_INFO):
        rows = table if kind == mt5.COPY_TICKS_ALL else table[table["flags"] > 0]
        for start in (0, naive[len(naive) // 3][0], naive[len(naive) // 2][0] + 1):
            some = terminal.copy_ticks_from("EURUSD", start, 2100, kind)
            expected = rows[rows["time"] >= start][:2100]
            assert some[: len(expected)].tolist() == expected.tolist()
