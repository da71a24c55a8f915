"""The synthetic market is the same whatever is asked for, keeps its hours, and looks like one."""

import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest

from mtquant.data.catalogue import catalogued_symbols, entry, instrument_specs
from mtquant.data.synthetic import SyntheticMarket, SyntheticSpec, synthetic_bars
from mtquant.data.synthetic.assets import ASSETS, DRIVERS, legs, week_profile
from mtquant.exchange import InstrumentSpec
from mtquant.model import Bars, ConfigError, ServerClock

CLOCK = ServerClock("ny_plus_7")
DAY_MS = 86_400_000
COLUMNS = ("time_ms", "open", "high", "low", "close", "spread", "tick_volume")
TRIO = ("EURUSD", "USDJPY", "EURJPY")
LOOKED_AT = ("EURUSD", "GBPUSD", "USDJPY", "XAUUSD", "US500", "NAS100", "BTCUSD")


def utc_ms(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp() * 1000)


def market(*symbols: str, clock: ServerClock = CLOCK, seed: int = 1, **changes) -> SyntheticMarket:
    specs = {
        name: replace(spec, **changes) for name, spec in instrument_specs(symbols or TRIO).items()
    }
    return SyntheticMarket(specs, clock=clock, seed=seed)


def minutes_of_week(bars: Bars, clock: ServerClock) -> set[int]:
    """Return the server's minutes since Sunday, 00:00, at which bars open."""
    server_ms = np.array([clock.to_server_ms(int(one)) for one in bars.time_ms])
    return set(((server_ms // 60_000 + 4 * 1440) % 10_080).tolist())


def mid(bars: Bars) -> np.ndarray:
    return (bars.close + bars.spread / 2) / 10**bars.digits


@pytest.fixture(scope="module")
def year() -> dict[str, Bars]:
    spec = SyntheticSpec(symbols=LOOKED_AT, start="2021-03-01", years=2)
    return synthetic_bars(spec, clock=CLOCK)


# one seed, one market


def test_another_process_makes_the_same_bars():
    code = (
        "from mtquant.data.synthetic import *\n"
        "bars = synthetic_bars(SyntheticSpec(symbols=('GBPJPY', 'BTCUSD'), days=9))\n"
        "print(*[one.content_hash() for one in bars.values()])"
    )
    here = synthetic_bars(SyntheticSpec(symbols=("GBPJPY", "BTCUSD"), days=9))

    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert there.stdout.split() == [one.content_hash() for one in here.values()]


@pytest.mark.parametrize("days", [1, 6, 7, 20])
def test_a_longer_range_begins_with_the_shorter_one(days: int):
    start = utc_ms(2024, 10, 23)  # a change of clocks lies ahead
    short = market().bars(start, start + days * DAY_MS)
    whole = market().bars(start, start + 30 * DAY_MS)

    for symbol, bars in short.items():
        assert whole[symbol][: len(bars)].content_hash() == bars.content_hash()


def test_days_asked_for_one_by_one_are_those_of_the_whole():
    start = utc_ms(2024, 3, 6, 13, 37)
    ends = [start + day * DAY_MS for day in range(9)]
    parts = [market("BTCUSD").bars(*span)["BTCUSD"] for span in pairwise(ends)]
    whole = market("BTCUSD").bars(start, ends[-1])["BTCUSD"]

    for column in COLUMNS:
        joined = np.concatenate([getattr(part, column) for part in parts])
        assert np.array_equal(joined, getattr(whole, column))


def test_a_symbol_does_not_depend_on_its_company():
    span = utc_ms(2025, 6, 2), utc_ms(2025, 6, 4)

    alone, among = market("EURJPY").bars(*span), market(*catalogued_symbols()).bars(*span)

    assert alone["EURJPY"].content_hash() == among["EURJPY"].content_hash()


def test_the_server_clock_chooses_the_minutes_and_not_their_prices():
    span = utc_ms(2025, 6, 3, 4), utc_ms(2025, 6, 3, 16)

    found = [market(clock=ServerClock(one)).bars(*span) for one in ("utc", "eet_eu", "fixed:+5")]

    assert len({one["EURUSD"].content_hash() for one in found}) == 1


def test_another_seed_is_another_market():
    span = utc_ms(2025, 6, 2), utc_ms(2025, 6, 3)

    one, other = (market(seed=seed).bars(*span)["EURUSD"] for seed in (1, 2))

    assert not np.array_equal(one.close, other.close)


def test_only_bars_that_have_closed_are_there():
    now = utc_ms(2025, 6, 3, 12, 0) + 59_999

    bars = market().bars(utc_ms(2025, 6, 3), now)["EURUSD"]

    assert bars.time_ms[-1] == utc_ms(2025, 6, 3, 11, 59)


def test_a_specification_can_end_at_an_instant():
    spec = SyntheticSpec(symbols=("EURUSD",), start="2025-06-02", days=3)
    until = utc_ms(2025, 6, 3, 9, 30)

    assert synthetic_bars(spec, until_ms=until)["EURUSD"].time_ms[-1] == until - 60_000
    assert len(synthetic_bars(spec, until_ms=0)["EURUSD"]) == 0


def test_a_specification_counts_days_of_the_server():
    spec = SyntheticSpec(symbols=("BTCUSD",), start="2024-02-29", years=1, days=1)

    bars = synthetic_bars(spec, clock=ServerClock("eet_eu"))["BTCUSD"]

    assert bars.time_ms[0] == utc_ms(2024, 2, 28, 22)
    assert bars.time_ms[-1] == utc_ms(2025, 3, 1, 21, 59)


def test_a_specification_without_a_length_is_one_year():
    first, end = SyntheticSpec(symbols=("EURUSD",), start="2023-05-04").range_ms(CLOCK)

    assert (first, end) == (utc_ms(2023, 5, 3, 21), utc_ms(2024, 5, 3, 21))


# hours


@pytest.mark.parametrize("profile", ["ny_plus_7", "eet_eu"])
@pytest.mark.parametrize("symbol", ["EURUSD", "XAUUSD", "USOIL", "ETHUSD"])
def test_every_minute_of_a_session_has_a_bar_and_no_other(symbol: str, profile: str):
    clock = ServerClock(profile)
    start = clock.to_utc_ms(utc_ms(2025, 3, 10))  # American summer, European winter
    bars = market(symbol, clock=clock).bars(start, start + 7 * DAY_MS)[symbol]

    instrument = entry(symbol).specification.instrument(symbol)
    wanted = {
        minute for minute in range(10_080) if instrument.is_open(minute // 1440, minute % 1440)
    }

    assert minutes_of_week(bars, clock) == wanted
    assert len(bars) == len(wanted)


def test_holidays_and_closed_hours_have_no_bars():
    sessions = ("", "09:00-12:00, 13:00-17:30", "", "00:00-24:00", "", "", "")
    made = market("GER40", sessions=sessions, holidays=("2025-06-04",))
    start = utc_ms(2025, 6, 1)

    bars = made.bars(start, start + 14 * DAY_MS)["GER40"]

    days = (bars.time_ms + 3 * 3_600_000) // DAY_MS - utc_ms(2025, 6, 1) // DAY_MS
    assert sorted(set(days.tolist())) == [1, 8, 10]  # two Mondays and the second Wednesday
    assert len(bars) == 2 * (180 + 270) + 1440


def test_prices_jump_where_sessions_close_and_not_inside(year: dict[str, Bars]):
    bars = year["EURUSD"]
    gaps = np.abs(np.log(bars.open[1:] / bars.close[:-1]))
    closes = np.diff(bars.time_ms) > 60_000

    assert closes.sum() in range(103, 106)  # the weekends of two years
    assert gaps[closes].mean() > 15 * gaps[~closes].mean()


# prices


@pytest.mark.parametrize("symbol", catalogued_symbols())
def test_bars_of_every_symbol_are_whole_positive_and_near_their_level(symbol: str):
    start = utc_ms(2026, 9, 7)
    bars = market(symbol).bars(start, start + 2 * DAY_MS)[symbol]
    upper, lower = (ASSETS[one].level if one in ASSETS else 1.0 for one in legs(symbol))

    assert bars.digits == entry(symbol).specification.digits
    assert len(bars) > 2000
    assert abs(np.log(mid(bars)[0] / (upper / lower))) < 1.5
    assert np.mean(bars.high > bars.low) > 0.9
    assert bars.tick_volume.min() >= 4


def test_even_the_wildest_market_keeps_its_prices_within_reason():
    specs = instrument_specs(("BTCUSD", "USOIL"))
    wild = SyntheticMarket(specs, clock=CLOCK, volatility=5.0)

    days = [wild.bars(utc_ms(y, 2, 6), utc_ms(y, 2, 8)) for y in range(2001, 2069, 3)]

    for symbol, level in (("BTCUSD", 100_000), ("USOIL", 66)):
        prices = np.concatenate([one[symbol].close for one in days]) / 100
        assert level / 50 < prices.min() < prices.max() < 50 * level


def test_a_cross_is_the_product_of_its_majors_at_every_close():
    start = utc_ms(2025, 3, 3)
    bars = market().bars(start, start + 28 * DAY_MS)

    apart = np.abs(mid(bars["EURJPY"]) - mid(bars["EURUSD"]) * mid(bars["USDJPY"]))

    assert np.all(1000 * apart < bars["EURJPY"].spread)
    assert 1000 * apart.max() < 2.5  # rounding of three prices


def test_spreads_are_those_of_the_hour_and_widen_at_the_rollover(year: dict[str, Bars]):
    for symbol in ("EURUSD", "XAUUSD", "US500"):
        bars = year[symbol]
        server_ms = (
            bars.time_ms
            + np.array([CLOCK.offset_ms(int(t)) for t in bars.time_ms[::60]])[
                np.arange(len(bars)) // 60
            ]
        )
        hours = server_ms // 3_600_000 % 24
        found = [float(np.median(bars.spread[hours == one])) for one in sorted(set(hours.tolist()))]
        usual = entry(symbol).spread.by_hour_points[-len(found) :]

        assert np.corrcoef(found, usual)[0, 1] > 0.9
        assert found[0] >= 1.2 * np.median(found)
        assert bars.spread.min() >= 1


def test_the_instruments_own_spread_and_digits_are_kept():
    start = utc_ms(2025, 6, 3)
    span = start, start + DAY_MS
    wide, narrow, free = (
        market("EURUSD", spread_points=one).bars(*span)["EURUSD"] for one in (120, 12, 0)
    )
    coarse = market("EURUSD", digits=3, spread_points=0).bars(*span)["EURUSD"]

    assert np.mean(wide.spread) == pytest.approx(10 * np.mean(narrow.spread), rel=0.02)
    assert free.spread.max() == 0
    assert np.max(np.abs(coarse.close - free.close / 100)) <= 0.51


def test_any_pair_of_known_currencies_can_be_made_up():
    spec = InstrumentSpec(
        digits=5, contract_size=100_000, base_currency="AUD", profit_currency="NZD"
    )
    made = SyntheticMarket({"AUDNZD": spec}, clock=CLOCK)
    start = utc_ms(2025, 6, 3)

    assert 0.7 < mid(made.bars(start, start + DAY_MS)["AUDNZD"])[0] < 1.7


# statistics


@pytest.mark.parametrize("symbol", LOOKED_AT)
def test_daily_volatility_lies_within_a_quarter_of_what_is_meant(symbol, year):
    asset = next(ASSETS[one] for one in legs(symbol) if one in ASSETS)
    days = year[symbol].time_ms + 3 * 3_600_000  # near enough to the market's midnight
    last = np.flatnonzero(np.diff(days // DAY_MS))
    weekdays = (days[last] // DAY_MS + 3) % 7
    kept = last if symbol == "BTCUSD" else last[weekdays < 5]

    daily = np.diff(np.log(year[symbol].close[kept])).std()

    assert 0.75 < daily / asset.daily_volatility < 1.25


@pytest.mark.parametrize("symbol", LOOKED_AT)
def test_minutes_have_fat_tails_and_stay_lively_when_they_are(symbol, year):
    moves = np.diff(np.log(year[symbol].close))[np.diff(year[symbol].time_ms) == 60_000]
    sizes = np.abs(moves)

    assert np.mean(moves**4) / np.mean(moves**2) ** 2 >= 6
    assert np.corrcoef(sizes[:-1], sizes[1:])[0, 1] > 0.15
    assert abs(np.corrcoef(moves[:-1], moves[1:])[0, 1]) < 0.1


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        ("EURUSD", "GBPUSD", 0.5, 0.8),
        ("EURUSD", "USDJPY", -0.5, -0.1),
        ("EURUSD", "XAUUSD", 0.2, 0.6),
        ("US500", "NAS100", 0.7, 0.95),
        ("US500", "USDJPY", 0.15, 0.5),
        ("EURUSD", "BTCUSD", -0.15, 0.15),
    ],
)
def test_symbols_move_together_as_real_ones_do(one, other, low, high, year):
    grid = np.arange(year[one].time_ms[0] + DAY_MS, year[one].time_ms[-1], 3_600_000)
    moves = [
        np.diff(np.log(bars.close[np.searchsorted(bars.time_ms, grid) - 1]))
        for bars in (year[one], year[other])
    ]
    both = moves[0] != 0

    assert low < np.corrcoef(moves[0][both], moves[1][both])[0, 1] < high


def test_the_drivers_explain_less_than_everything():
    for asset in ASSETS.values():
        assert set(asset.loadings) <= set(DRIVERS)
        assert 0 < asset.own_loading < 1


@pytest.mark.parametrize("day", sorted({asset.day for asset in ASSETS.values()}))
def test_a_market_day_has_its_busy_hours_and_the_variance_of_one_day(day: str):
    week = week_profile(day)
    closed = day in {"metal", "wall_street", "frankfurt", "energy"}

    assert np.mean(week[60 if closed else 0 : 1440] ** 2) == pytest.approx(
        1440 / (1380 if closed else 1440)
    )
    assert (week[7200:].max() < 0.3) == (day != "crypto")


# what is wrong is named


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"symbols": ()}, "symbols: at least one is needed"),
        ({"symbols": ("EURUSB",)}, "symbols: 'EURUSB' is not made up here; did you mean 'EURUSD'?"),
        ({"symbols": ("USDUSD",)}, "symbols: 'USDUSD' is not made up here"),
        ({"symbols": ("EURUSD", "EURUSD")}, "symbols must differ, were EURUSD, EURUSD"),
        ({"seed": -1}, "seed must not be negative, was -1"),
        ({"start": "01.02.2024"}, "start must be a date such as 2024-01-31, was '01.02.2024'"),
        ({"days": -2}, "days must be 0 to 25620, was -2"),
        ({"years": 71}, "years must be 0 to 70, was 71"),
        ({"volatility": 0.0}, "volatility must be above 0, at most 5, was 0.0"),
        ({"volatility": float("nan")}, "volatility must be above 0, at most 5, was nan"),
    ],
)
def test_a_wrong_specification_is_refused_with_key_and_value(keys: dict, message: str):
    with pytest.raises(ConfigError, match=re.escape(message)):
        SyntheticSpec(**({"symbols": ("EURUSD",)} | keys))


def test_days_before_and_after_the_market_are_refused():
    for start in ("1999-12-31", "2069-12-31"):
        with pytest.raises(ConfigError, match="runs from 2000-01-02 to 20"):
            synthetic_bars(SyntheticSpec(symbols=("EURUSD",), start=start))


def test_a_symbol_without_an_instrument_is_refused():
    spec = SyntheticSpec(symbols=("EURUSD", "XAUEUR"), days=1)

    with pytest.raises(ConfigError, match="symbol 'XAUEUR' is not in the catalogue"):
        synthetic_bars(spec)
    with pytest.raises(ConfigError, match="symbols: 'XAUEUR': did you mean 'XAUUSD'"):
        synthetic_bars(spec, instrument_specs(("EURUSD", "XAUUSD")))
