"""Losses of day, week and peak: where windows begin, what they start from, what a restart keeps."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtquant.model import DAY_MS, ConfigError, DataError, ServerClock
from mtquant.risk import LOSS_WINDOWS, LossBasis, LossWindow, LossWindows

HOUR_MS = 3_600_000
PROFILES = ["utc", "eet_eu", "ny_plus_7", "fixed:-12"]
CHANGES = [
    ("eet_eu", (2017, 3, 25, 22), 23),
    ("eet_eu", (2017, 10, 28, 21), 25),
    ("ny_plus_7", (2017, 3, 11, 22), 23),
    ("ny_plus_7", (2017, 11, 4, 21), 25),
    ("utc", (2017, 3, 26), 24),
]
"""Server profile, its midnight before a change of the clock, and the hours of that day."""


def utc_ms(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp() * 1000)


WEDNESDAY_MS = utc_ms(2017, 6, 7)
NOON_MS = WEDNESDAY_MS + 12 * HOUR_MS


def begun(value_minor: int = 1_000, now_ms: int = NOON_MS, profile: str = "utc") -> LossWindows:
    windows = LossWindows(ServerClock(profile))
    windows.observe(now_ms, value_minor, value_minor)
    return windows


def see(windows: LossWindows, now_ms: int, value_minor: int, paid_minor: int = 0) -> None:
    windows.observe(now_ms, value_minor, value_minor, paid_minor)


def losses(windows: LossWindows) -> dict[str, int]:
    return {name: windows.loss_minor(name) for name in LOSS_WINDOWS}


def begins(windows: LossWindows) -> dict[str, int]:
    return {name: windows.window(name).begin_ms for name in LOSS_WINDOWS}


def starts(windows: LossWindows) -> dict[str, int]:
    return {name: windows.window(name).start_minor for name in LOSS_WINDOWS}


def test_all_windows_begin_with_the_first_observation_at_its_value():
    windows = begun()

    assert begins(windows) == dict.fromkeys(LOSS_WINDOWS, NOON_MS)
    assert starts(windows) == dict.fromkeys(LOSS_WINDOWS, 1_000)
    assert losses(windows) == dict.fromkeys(LOSS_WINDOWS, 0)


def test_money_paid_before_the_first_observation_is_part_of_its_value():
    windows = LossWindows(ServerClock("utc"))
    windows.observe(NOON_MS, 1_000, 1_000, 1_000)

    assert starts(windows) == dict.fromkeys(LOSS_WINDOWS, 1_000)


@pytest.mark.parametrize(("basis", "expected"), [(LossBasis.EQUITY, 300), (LossBasis.BALANCE, 100)])
def test_the_basis_says_whether_floating_losses_count(basis: LossBasis, expected: int):
    windows = LossWindows(ServerClock("utc"), basis)
    windows.observe(NOON_MS, 1_000, 1_000)
    windows.observe(NOON_MS + 1, 700, 900)

    assert losses(windows) == dict.fromkeys(LOSS_WINDOWS, expected)


def test_equity_is_the_usual_basis():
    windows = LossWindows(ServerClock("utc"))
    windows.observe(NOON_MS, 1_000, 2_000)

    assert starts(windows)["day"] == 1_000


def test_a_loss_is_a_fraction_of_the_windows_own_start():
    windows = begun()
    see(windows, NOON_MS + 1, 2_000)
    see(windows, NOON_MS + 2, 900)

    assert windows.loss_fraction("day") == 0.1
    assert windows.window("peak") == LossWindow(
        window="peak",
        begin_ms=NOON_MS + 1,
        start_minor=2_000,
        loss_minor=1_100,
        loss_fraction=0.55,
    )


def test_a_value_above_its_start_is_no_loss():
    windows = begun()
    see(windows, NOON_MS + 1, 1_100)

    assert windows.loss_minor("day") == 0
    assert windows.loss_fraction("day") == 0.0


def test_the_peak_stays_where_it_was_first_reached():
    windows = begun()
    see(windows, NOON_MS + 1, 1_200)
    see(windows, NOON_MS + 2, 1_100)
    see(windows, NOON_MS + 3, 1_200)

    assert begins(windows)["peak"] == NOON_MS + 1
    assert losses(windows)["peak"] == 0


@pytest.mark.parametrize(
    ("start", "value", "expected"),
    [
        (0, 0, 0.0),
        (0, -1, 1.0),
        (-100, -100, 0.0),
        (-100, -101, 1.0),
        (100, -50, 1.5),
        (1, -1, 2.0),
    ],
)
def test_any_loss_from_a_start_of_nothing_is_the_whole(start: int, value: int, expected: float):
    windows = begun(start)
    see(windows, NOON_MS + 1, value)

    assert windows.loss_fraction("day") == expected


@pytest.mark.parametrize(("profile", "midnight", "hours"), CHANGES)
def test_a_day_ends_at_the_servers_midnight_on_days_of_a_clock_change_too(
    profile: str, midnight: tuple, hours: int
):
    start_ms = utc_ms(*midnight)
    end_ms = start_ms + hours * HOUR_MS
    windows = begun(1_000, start_ms, profile)
    see(windows, end_ms - 1, 900)
    assert (begins(windows)["day"], losses(windows)["day"]) == (start_ms, 100)

    see(windows, end_ms, 900)
    assert (begins(windows)["day"], losses(windows)["day"]) == (end_ms, 0)


@pytest.mark.parametrize(
    ("profile", "monday", "hours"),
    [
        ("eet_eu", (2017, 3, 19, 22), 167),
        ("eet_eu", (2017, 10, 22, 21), 169),
        ("ny_plus_7", (2017, 3, 5, 22), 167),
        ("ny_plus_7", (2017, 10, 29, 21), 169),
        ("utc", (2017, 6, 5), 168),
    ],
)
def test_a_week_begins_on_the_servers_monday(profile: str, monday: tuple, hours: int):
    start_ms = utc_ms(*monday)
    end_ms = start_ms + hours * HOUR_MS
    windows = begun(1_000, start_ms, profile)
    for now_ms in range(start_ms + HOUR_MS, end_ms, HOUR_MS):
        see(windows, now_ms, 900)
    see(windows, end_ms - 1, 900)
    assert (begins(windows)["week"], losses(windows)["week"]) == (start_ms, 100)

    see(windows, end_ms, 900)
    assert (begins(windows)["week"], losses(windows)["week"]) == (end_ms, 0)
    assert losses(windows)["peak"] == 100


@given(st.sampled_from(PROFILES), st.integers(631_152_000_000, 3_150_000_000_000))
def test_a_weeks_start_is_a_monday_midnight_at_most_a_week_before(profile: str, now_ms: int):
    clock = ServerClock(profile)
    start_ms = clock.week_start_ms(now_ms)

    assert 0 <= now_ms - start_ms < 7 * DAY_MS + HOUR_MS
    assert clock.weekday(start_ms) == 1
    assert clock.day_start_ms(start_ms) == start_ms
    assert clock.week_start_ms(start_ms) == start_ms
    assert clock.week_start_ms(start_ms - 1) < start_ms


@pytest.mark.parametrize(("first_after", "start"), [(900, 1_000), (1_100, 1_100)])
@pytest.mark.parametrize("days", [1, 3, 5, 40])
def test_a_day_that_nobody_saw_begin_starts_from_the_larger_value(
    days: int, first_after: int, start: int
):
    windows = begun()
    now_ms = NOON_MS + days * DAY_MS
    see(windows, now_ms, first_after)

    assert begins(windows)["day"] == now_ms - 12 * HOUR_MS
    assert starts(windows)["day"] == start
    assert starts(windows)["week"] == (start if days >= 5 else 1_000)  # from Monday on


def test_a_week_keeps_its_start_over_the_days_in_it():
    windows = begun()
    see(windows, NOON_MS + DAY_MS, 800)
    see(windows, NOON_MS + 2 * DAY_MS, 700)

    assert losses(windows) == {"day": 100, "week": 300, "peak": 300}
    assert begins(windows)["week"] == NOON_MS


def test_a_week_seen_to_begin_at_its_very_start_keeps_it_the_next_day():
    monday_ms = WEDNESDAY_MS - 2 * DAY_MS
    windows = begun(1_000, monday_ms)
    see(windows, monday_ms + DAY_MS, 1_100)
    see(windows, monday_ms + DAY_MS + 1, 900)

    assert losses(windows) == {"day": 200, "week": 100, "peak": 200}


def test_money_paid_in_over_midnight_is_no_profit_of_either_day():
    windows = begun()
    see(windows, NOON_MS + DAY_MS, 1_400, paid_minor=500)

    assert losses(windows) == dict.fromkeys(LOSS_WINDOWS, 100)


def test_a_clock_set_back_moves_no_window_back():
    windows = begun()
    see(windows, NOON_MS + DAY_MS, 900)
    before = begins(windows)
    see(windows, NOON_MS, 800)
    assert begins(windows) == before
    assert losses(windows)["day"] == 200

    see(windows, NOON_MS - 30 * DAY_MS, 1_500)
    assert begins(windows) == before | {"peak": NOON_MS + DAY_MS}
    see(windows, NOON_MS + DAY_MS, 800)
    assert begins(windows)["day"] == before["day"]


def test_windows_that_begin_anew_start_from_the_last_value_and_end_as_ever():
    windows = begun()
    see(windows, NOON_MS + 1, 800)
    windows.begin_anew(NOON_MS + HOUR_MS)
    assert begins(windows) == dict.fromkeys(LOSS_WINDOWS, NOON_MS + HOUR_MS)
    assert starts(windows) == dict.fromkeys(LOSS_WINDOWS, 800)

    see(windows, WEDNESDAY_MS + DAY_MS, 700)
    assert begins(windows) == dict.fromkeys(LOSS_WINDOWS, NOON_MS + HOUR_MS) | {
        "day": WEDNESDAY_MS + DAY_MS
    }
    assert losses(windows) == dict.fromkeys(LOSS_WINDOWS, 100)


def test_windows_that_begin_anew_on_a_later_day_have_begun_that_day():
    windows = begun()
    anew_ms = NOON_MS + 7 * DAY_MS
    windows.begin_anew(anew_ms)
    see(windows, anew_ms + HOUR_MS, 900)

    assert begins(windows) == dict.fromkeys(LOSS_WINDOWS, anew_ms)
    assert losses(windows) == dict.fromkeys(LOSS_WINDOWS, 100)


def test_windows_do_not_begin_anew_before_what_they_have_seen():
    windows = begun()
    windows.begin_anew(NOON_MS - DAY_MS)

    assert begins(windows) == dict.fromkeys(LOSS_WINDOWS, NOON_MS)


def test_before_the_first_observation_there_is_nothing_to_tell():
    windows = LossWindows(ServerClock("utc"))
    windows.begin_anew(NOON_MS)

    assert not windows.has_begun
    assert windows.state() == {}
    with pytest.raises(DataError, match="the week has no start before the first observation"):
        windows.loss_minor("week")


def test_begin_and_start_of_a_window_are_nothing_before_the_first_observation():
    windows = LossWindows(ServerClock("utc"))

    assert [(windows.begin_ms(one), windows.start_minor(one)) for one in LOSS_WINDOWS] == [
        (0, 0)
    ] * 3


def test_begin_and_start_are_told_of_each_window_by_itself():
    windows = begun()
    see(windows, NOON_MS + DAY_MS, 900)
    see(windows, NOON_MS + DAY_MS + 1, 1_200)

    assert {one: (windows.begin_ms(one), windows.start_minor(one)) for one in LOSS_WINDOWS} == {
        "day": (WEDNESDAY_MS + DAY_MS, 1_000),
        "week": (NOON_MS, 1_000),
        "peak": (NOON_MS + DAY_MS + 1, 1_200),
    }


def test_an_unknown_window_is_refused_by_name():
    windows = begun()
    with pytest.raises(ConfigError, match="window: 'month' is not one of day, week, peak"):
        windows.loss_minor("month")


VALUES = st.integers(-1_000, 100_000)
STEPS = st.tuples(
    st.integers(-2 * DAY_MS, 9 * DAY_MS), VALUES, VALUES, st.integers(-50_000, 50_000)
)


def follow(windows: LossWindows, observations: list) -> None:
    for now_ms, equity, balance, paid in observations:
        windows.observe(now_ms, equity, balance, paid)


@given(
    st.sampled_from(PROFILES),
    st.sampled_from(LossBasis),
    st.lists(STEPS, max_size=12),
    st.integers(0, 12),
)
def test_a_restart_at_any_point_goes_on_exactly(
    profile: str, basis: LossBasis, steps: list, split: int
):
    now_ms, observations = utc_ms(2017, 3, 20), []
    for forward_ms, *rest in steps:
        now_ms += forward_ms
        observations.append((now_ms, *rest))
    whole, first, second = (LossWindows(ServerClock(profile), basis) for _ in range(3))
    follow(whole, observations)
    follow(first, observations[:split])
    second.restore(json.loads(json.dumps(first.state())))
    follow(second, observations[split:])

    assert second.state() == whole.state()
    assert second.has_begun == bool(steps)


@given(st.lists(STEPS, min_size=1, max_size=12))
def test_windows_only_move_on_and_the_peak_is_never_below_the_value(steps: list):
    windows, now_ms = LossWindows(ServerClock("eet_eu")), utc_ms(2017, 10, 20)
    before = dict.fromkeys(LOSS_WINDOWS, 0)
    for forward_ms, equity, balance, paid in steps:
        now_ms += forward_ms
        windows.observe(now_ms, equity, balance, paid)
        after = begins(windows)
        assert all(after[name] >= before[name] for name in LOSS_WINDOWS)
        assert starts(windows)["peak"] >= max(equity, starts(windows)["day"])
        before = after


@given(VALUES, VALUES, st.integers(-200_000, 200_000), st.integers(1, 20 * DAY_MS))
def test_money_paid_in_or_out_changes_no_loss(first: int, second: int, paid: int, later_ms: int):
    plain, moved = begun(first), begun(first)
    see(plain, NOON_MS + later_ms, second)
    see(moved, NOON_MS + later_ms, second + paid, paid)

    assert losses(moved) == losses(plain)
    assert begins(moved) == begins(plain)


def test_a_restored_state_replaces_what_was_followed_before():
    windows = begun()
    windows.restore(begun(500, NOON_MS + 1).state())
    assert starts(windows)["day"] == 500

    windows.restore({})
    assert not windows.has_begun


def test_another_basis_is_held_against_the_start_that_is_known():
    measured = LossWindows(ServerClock("utc"), LossBasis.EQUITY)
    measured.observe(NOON_MS, 1_000, 990)
    windows = LossWindows(ServerClock("utc"), LossBasis.BALANCE)
    windows.restore(measured.state())
    windows.observe(NOON_MS + 1, 700, 980)

    assert losses(windows)["day"] == 20


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"day_start": 1}, "day_start: no key of a loss window; known: latest_ms, value_minor"),
        ({"week_begin_ms": "1"}, "week_begin_ms: a loss window needs a whole number .* '1'"),
        ({"latest_ms": True}, "latest_ms: a loss window needs a whole number .* True"),
        ({"value_minor": None}, "value_minor: a loss window needs a whole number .* None"),
    ],
)
def test_a_broken_state_is_refused_and_changes_nothing(changes: dict, message: str):
    windows = begun()
    before = windows.state()
    with pytest.raises(DataError, match=message):
        windows.restore(begun(500).state() | changes)

    assert windows.state() == before


def test_a_state_that_lacks_a_key_is_refused():
    state = begun().state()
    del state["peak_start_minor"]
    with pytest.raises(DataError, match=r"peak_start_minor: .* was None"):
        begun().restore(state)
