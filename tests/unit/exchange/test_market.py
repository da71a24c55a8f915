"""Bars become quotes at the points of one path; chance is drawn up front."""

import math
from datetime import UTC, datetime

import numpy as np
import pytest

from mtquant.exchange import Market, SlippageModel
from mtquant.model import ConfigError, Side, SwapMode, Timeframe, make_bars

HOUR_MS = 3_600_000
LOT = 100_000_000


def utc_ms(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp() * 1000)


def flat_bars(count: int, start_ms: int, timeframe: Timeframe = Timeframe.H1, **changes):
    level = np.full(count, 100_000)
    prices = dict.fromkeys(("open", "high", "low", "close"), level) | changes
    return make_bars(
        symbol="EURUSD",
        timeframe=timeframe,
        digits=5,
        time_ms=start_ms + np.arange(count) * timeframe.duration_ms,
        spread=10,
        **prices,
    )


def market_of(venue, bars, slippage: np.ndarray | None = None) -> Market:
    none = np.zeros((len(bars), 2), dtype=np.int32)
    return Market.of_bars(venue, bars, none if slippage is None else slippage)


def test_a_market_plays_four_points_a_bar_and_then_ends(venue):
    bars = flat_bars(
        2,
        utc_ms(2017, 1, 2),
        open=np.array([100, 120]),
        high=np.array([130, 125]),
        low=np.array([90, 80]),
        close=np.array([110, 85]),
    )
    market = market_of(venue(), bars)
    seen = []
    while (upcoming := market.next_ms()) is not None:
        assert market.advance()
        assert market.now_ms == upcoming
        seen.append((market.book.quote("EURUSD").bid_points, market.now_ms - int(bars.time_ms[0])))

    assert not market.advance()
    assert seen == [
        (100, 0),
        (90, HOUR_MS // 3),
        (130, 2 * HOUR_MS // 3),
        (110, HOUR_MS - 1),
        (120, HOUR_MS),
        (125, HOUR_MS + HOUR_MS // 3),
        (80, HOUR_MS + 2 * HOUR_MS // 3),
        (85, 2 * HOUR_MS - 1),
    ]


def test_the_points_played_so_far_are_what_a_chart_may_show(venue):
    bars = flat_bars(
        1, 0, open=np.array([100]), high=np.array([130]), low=np.array([90]), close=np.array([110])
    )
    market = market_of(venue(), bars)
    assert market.shown() == []

    market.advance()
    market.advance()
    assert market.shown() == [100, 90]


def test_a_bar_ends_before_the_next_begins_where_the_servers_clock_jumps(venue):
    bars = make_bars(
        symbol="EURUSD",
        timeframe=Timeframe.D1,
        digits=5,
        time_ms=np.array([utc_ms(2017, 3, 24, 22), utc_ms(2017, 3, 25, 21)]),
        **dict.fromkeys(("open", "high", "low", "close"), np.array([100_000, 100_000])),
    )
    market = market_of(venue(clock="eet_eu"), bars)
    times = [market.now_ms for _ in range(8) if market.advance()]

    assert times == sorted(times)
    assert times[3] == utc_ms(2017, 3, 25, 21) - 1


def test_each_bar_brings_its_own_slippage(venue):
    slippage = np.array([[1, 0], [5, -2]], dtype=np.int32)
    market = market_of(venue(), flat_bars(2, utc_ms(2017, 1, 2)), slippage)
    market.advance()
    market.jump_to_open(1)

    assert market.book.open_market("EURUSD", Side.BUY, LOT // 10).price_points == 100_015
    assert market.book.open_market("EURUSD", Side.SELL, LOT // 10).price_points == 100_002


@pytest.mark.parametrize(
    ("clock", "start", "midnights"),
    [
        (
            "eet_eu",
            (2017, 3, 23, 12),
            [(2017, 3, 23, 22), (2017, 3, 24, 22), (2017, 3, 25, 22), (2017, 3, 26, 21)],
        ),
        (
            "eet_eu",
            (2017, 10, 26, 12),
            [(2017, 10, 26, 21), (2017, 10, 27, 21), (2017, 10, 28, 21), (2017, 10, 29, 22)],
        ),
        (
            "ny_plus_7",
            (2017, 3, 9, 12),
            [(2017, 3, 9, 22), (2017, 3, 10, 22), (2017, 3, 11, 22), (2017, 3, 12, 21)],
        ),
        (
            "ny_plus_7",
            (2017, 11, 2, 12),
            [(2017, 11, 2, 21), (2017, 11, 3, 21), (2017, 11, 4, 21), (2017, 11, 5, 22)],
        ),
    ],
)
def test_the_day_rolls_over_at_the_servers_midnight_on_both_clock_changes(
    venue, clock: str, start: tuple, midnights: list
):
    spec = {"swap_mode": SwapMode.POINTS, "swap_long_points": -1.0, "triple_swap_weekday": None}
    market = market_of(venue(clock=clock, **spec), flat_bars(104, utc_ms(*start)))
    market.advance()
    market.book.open_market("EURUSD", Side.BUY, LOT)
    charged, swap = [], 0
    while market.advance():
        now = market.book.open_positions[0].swap_minor
        if now != swap:
            charged.append(market.now_ms)
            swap = now

    # Thursday's and Friday's night cost; the nights that end Saturday and Sunday do not
    assert charged == [utc_ms(*moment) for moment in midnights[:2]]
    assert market.venue.clock.day_start_ms(utc_ms(*midnights[3])) == utc_ms(*midnights[3])


def test_a_position_opened_after_quiet_days_pays_for_its_own_nights_only(venue):
    spec = {"swap_mode": SwapMode.POINTS, "swap_long_points": -1.0}
    market = market_of(venue(**spec), flat_bars(24 * 4, utc_ms(2017, 1, 2)))
    market.advance()
    market.jump_to_open(30)  # Tuesday 06:00
    market.book.open_market("EURUSD", Side.BUY, LOT)
    market.jump_to_open(48)

    assert market.book.open_positions[0].swap_minor == -100


def test_without_positions_nothing_can_happen(venue):
    market = market_of(venue(), flat_bars(5, utc_ms(2017, 1, 2)))
    market.advance()

    assert market.next_event_bar() == len(market) == 5


def test_a_far_level_is_found_beyond_the_first_stretch_of_bars(venue):
    count = 700
    low = np.full(count, 100_000)
    low[650] = 99_000
    bars = flat_bars(count, utc_ms(2017, 1, 2), Timeframe.M1, low=low)
    market = market_of(venue(), bars)
    market.advance()
    market.book.open_market("EURUSD", Side.BUY, LOT, stop=99_500)

    assert market.next_event_bar() == 650


def test_the_market_can_come_to_rest_at_the_last_close(venue):
    close = np.array([100_000, 100_050, 100_090])
    bars = flat_bars(3, utc_ms(2017, 1, 2), close=close, high=close)
    market = market_of(venue(), bars)
    market.advance()
    market.jump_to_open(len(market))

    assert market.next_ms() is None
    assert market.book.quote("EURUSD").bid_points == 100_090
    assert market.now_ms == utc_ms(2017, 1, 2, 3) - 1


def test_a_bar_cannot_be_opened_twice(venue):
    market = market_of(venue(), flat_bars(3, utc_ms(2017, 1, 2)))
    market.jump_to_open(1)

    for bar in (0, 1):
        with pytest.raises(ValueError, match=f"bar {bar} is open already: now at bar 1, step 0"):
            market.jump_to_open(bar)


@pytest.mark.parametrize(
    ("bars", "slips", "message"),
    [
        (flat_bars(0, 0), 0, "there are no bars"),
        (flat_bars(2, 0), 3, r"slippage must be of shape \(2, 2\), was \(3, 2\)"),
    ],
)
def test_a_market_that_cannot_be_played_is_refused(venue, bars, slips: int, message: str):
    with pytest.raises(ConfigError, match=message):
        Market.of_bars(venue(), bars, np.zeros((slips, 2), dtype=np.int32))


def test_bars_of_another_precision_or_length_are_refused(venue):
    with pytest.raises(ConfigError, match="the data have 5 digits, the venue 3"):
        market_of(venue(digits=3), flat_bars(2, 0))
    month = make_bars(
        symbol="EURUSD",
        timeframe=Timeframe.MN1,
        digits=5,
        time_ms=np.array([0]),
        **dict.fromkeys(("open", "high", "low", "close"), np.array([100_000])),
    )
    with pytest.raises(ConfigError, match="MN1"):
        market_of(venue(), month)


# slippage


def test_one_seed_draws_one_slippage_and_another_seed_another():
    model = SlippageModel()

    assert np.array_equal(model.draw(500, 7), model.draw(500, 7))
    assert not np.array_equal(model.draw(500, 7), model.draw(500, 8))


def test_slips_have_their_chances_and_sizes():
    drawn = SlippageModel(better_fraction=0.1, worse_fraction=0.3, max_points=3).draw(20_000, 1)

    assert drawn.dtype == np.int32
    assert drawn.shape == (20_000, 2)
    assert (drawn < 0).mean() == pytest.approx(0.1, abs=0.01)
    assert (drawn > 0).mean() == pytest.approx(0.3, abs=0.01)
    assert sorted(set(drawn.ravel().tolist())) == [-3, -2, -1, 0, 1, 2, 3]
    for size in (1, 2, 3):
        assert (drawn == size).mean() == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"max_points": 0}, {0}),
        ({"better_fraction": 0.0, "worse_fraction": 1.0, "max_points": 1}, {1}),
        ({"better_fraction": 1.0, "worse_fraction": 0.0, "max_points": 1}, {-1}),
        ({"better_fraction": 0.0, "worse_fraction": 0.0}, {0}),
    ],
)
def test_certain_slips_are_certain(settings: dict, expected: set):
    assert set(SlippageModel(**settings).draw(200, 3).ravel().tolist()) == expected


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"better_fraction": 0.6, "worse_fraction": 0.5}, "must not exceed 1"),
        ({"better_fraction": -0.1}, "better_fraction must be 0 to 1"),
        ({"worse_fraction": math.nan}, "worse_fraction must be 0 to 1"),
        ({"max_points": -1}, "max_points must not be negative"),
    ],
)
def test_chances_that_are_none_are_refused(settings: dict, message: str):
    with pytest.raises(ConfigError, match=message):
        SlippageModel(**settings)
