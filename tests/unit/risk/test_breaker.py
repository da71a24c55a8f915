"""The breaker rises by itself, falls on a named person's word, and never forbids reducing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtquant.model import DAY_MS, CircuitBreakerError, DataError, Position, ServerClock, Side
from mtquant.risk import (
    LOSS_WINDOWS,
    BreakerReport,
    BreakerReset,
    BreakerSpec,
    BreakerStep,
    CircuitBreaker,
    CircuitBreakerStatus,
    LossBasis,
    worst_position,
)

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
NOON_MS = int(datetime(2017, 6, 7, 12, tzinfo=UTC).timestamp() * 1000)  # a Wednesday
SPEC = BreakerSpec()


def fresh(spec: BreakerSpec = SPEC, profile: str = "utc") -> CircuitBreaker:
    return CircuitBreaker(spec, ServerClock(profile))


def see(breaker: CircuitBreaker, now_ms: int, value: int, paid: int = 0) -> BreakerStep | None:
    return breaker.observe(now_ms, value, value, paid)


def after(*values: int, spec: BreakerSpec = SPEC) -> CircuitBreaker:
    """Return a breaker that started with 10 000 and saw these values, a minute apart."""
    breaker = fresh(spec)
    for number, value in enumerate((10_000, *values)):
        see(breaker, NOON_MS + number * MINUTE_MS, value)
    return breaker


def copy_of(breaker: CircuitBreaker, profile: str = "utc") -> CircuitBreaker:
    """Return the breaker of a process that starts from what this one stored."""
    copy = fresh(breaker.spec, profile)
    copy.restore(json.loads(json.dumps(breaker.state())))
    return copy


def position(ticket: int, profit: int, swap: int = 0) -> Position:
    return Position(
        position_ticket=ticket,
        symbol="EURUSD",
        side=Side.BUY,
        volume_units=1,
        open_points=1,
        open_ms=0,
        current_points=1,
        current_ms=0,
        stop_loss_points=None,
        take_profit_points=None,
        profit_minor=profit,
        swap_minor=swap,
        digits=5,
        contract_size=1.0,
    )


@pytest.mark.parametrize(
    ("value", "status", "can_open", "scale"),
    [
        (9_700, "NORMAL", True, 1.0),
        (9_501, "NORMAL", True, 1.0),
        (9_500, "LEVEL_1_WARNING", True, 0.75),
        (9_400, "LEVEL_1_WARNING", True, 0.75),
        (9_001, "LEVEL_1_WARNING", True, 0.75),
        (9_000, "LEVEL_2_REDUCE", False, 0.5),
        (8_900, "LEVEL_2_REDUCE", False, 0.5),
        (8_501, "LEVEL_2_REDUCE", False, 0.5),
        (8_500, "LEVEL_3_HALT", False, 0.0),
        (8_400, "LEVEL_3_HALT", False, 0.0),
    ],
)
def test_a_loss_reaches_its_level(value: int, status: str, can_open: bool, scale: float):
    breaker = after(value)

    assert breaker.status is CircuitBreakerStatus[status]
    assert breaker.level == breaker.status.value
    assert (breaker.can_open, breaker.can_increase) == (can_open, can_open)
    assert breaker.can_reduce is True
    assert breaker.scale == scale


@given(st.integers(1, 10**11), st.integers(1, 999), st.integers(-2, 2))
def test_a_loss_that_meets_a_limit_to_the_minor_unit_reaches_the_level(
    start: int, per_mille: int, aside: int
):
    loss = max(0, start * per_mille // 1000 + aside)
    spec = BreakerSpec(
        level_1_fraction=per_mille / 1000, level_2_fraction=0.9995, level_3_fraction=0.9999
    )
    breaker = fresh(spec)
    see(breaker, NOON_MS, start)
    see(breaker, NOON_MS + 1, start - loss)

    assert (breaker.level >= 1) == (loss * 1000 >= start * per_mille)


def test_a_step_tells_of_the_rise_and_its_cause():
    breaker = fresh()
    see(breaker, NOON_MS, 10_000)

    assert see(breaker, NOON_MS + 1, 9_501) is None
    assert see(breaker, NOON_MS + 2, 9_400) == BreakerStep(
        from_level=0,
        level=1,
        window="day",
        loss_fraction=0.06,
        loss_minor=600,
        start_minor=10_000,
        limit_fraction=0.05,
        now_ms=NOON_MS + 2,
        reason="equity is 6.00% below the day's start; level 1 begins at 5.00%",
    )
    assert see(breaker, NOON_MS + 3, 9_300) is None


def test_a_loss_that_passes_several_levels_is_one_step_to_the_highest():
    breaker = fresh()
    see(breaker, NOON_MS, 10_000)
    step = see(breaker, NOON_MS + 1, 8_000)

    assert step is not None
    assert (step.from_level, step.level, step.limit_fraction) == (0, 3, 0.15)
    assert breaker.has_to_flatten
    assert not breaker.has_to_close_worst


def test_a_second_rise_begins_at_the_level_that_was_reached():
    breaker = after(9_400)
    step = see(breaker, NOON_MS + HOUR_MS, 8_900)

    assert step is not None
    assert (step.from_level, step.level) == (1, 2)
    assert breaker.can_reset_ms == NOON_MS + 2 * HOUR_MS


@pytest.mark.parametrize(
    ("window", "now_ms", "reason"),
    [
        ("peak", NOON_MS + MINUTE_MS, "below the peak;"),
        ("week", NOON_MS + 2 * DAY_MS, "below the week's start;"),
    ],
)
def test_the_window_that_lost_most_is_named(window: str, now_ms: int, reason: str):
    breaker = fresh(BreakerSpec(windows=("day", "week") if window == "week" else LOSS_WINDOWS))
    see(breaker, NOON_MS, 10_000)
    see(breaker, NOON_MS + 1, 11_000 if window == "peak" else 9_700)
    see(breaker, now_ms - 1, 11_000 if window == "peak" else 9_700)
    step = see(breaker, now_ms, 9_450)

    assert step is not None
    assert (step.window, step.level) == (window, 2 if window == "peak" else 1)
    assert reason in step.reason


def test_a_window_that_does_not_count_trips_nothing_but_is_told_of():
    breaker = after(12_000, 9_900, spec=BreakerSpec(windows=("day", "week")))

    assert breaker.level == 0
    assert [w.loss_minor for w in breaker.report(NOON_MS).windows] == [100, 100, 2_100]


def test_the_balance_can_be_what_counts():
    breaker = fresh(BreakerSpec(basis=LossBasis.BALANCE))
    breaker.observe(NOON_MS, 10_000, 10_000)
    assert breaker.observe(NOON_MS + 1, 5_000, 10_000) is None

    step = breaker.observe(NOON_MS + 2, 9_000, 9_000)
    assert step is not None
    assert step.reason.startswith("balance is 10.00% below")


@pytest.mark.parametrize("profile", ["utc", "eet_eu", "ny_plus_7"])
def test_neither_recovery_nor_a_new_week_nor_a_deposit_nor_a_restart_lowers_the_level(profile: str):
    breaker = fresh(profile=profile)
    see(breaker, NOON_MS, 10_000)
    see(breaker, NOON_MS + 1, 8_900)

    assert see(breaker, NOON_MS + 2, 20_000) is None
    assert see(breaker, NOON_MS + 3, 120_000, paid=100_000) is None
    assert see(breaker, NOON_MS + 30 * DAY_MS, 120_000) is None
    assert copy_of(breaker, profile).level == breaker.level == 2


def test_a_reset_is_refused_until_the_cool_down_is_over():
    breaker = after(9_400)
    rose_ms = NOON_MS + MINUTE_MS
    with pytest.raises(CircuitBreakerError) as caught:
        breaker.reset(rose_ms + HOUR_MS - 1, "Ann", "looked at it")
    assert str(caught.value) == (
        "the circuit breaker rose to level 1 at 2017.06.07 12:01; "
        "it can be reset from 2017.06.07 13:01 on (server time)"
    )
    assert caught.value.details == {"can_reset_ms": rose_ms + HOUR_MS}
    assert breaker.level == 1

    assert breaker.reset(rose_ms + HOUR_MS, "Ann", "looked at it") == BreakerReset(
        from_level=1, who="Ann", reason="looked at it", now_ms=rose_ms + HOUR_MS
    )
    assert (breaker.level, breaker.can_open, breaker.scale) == (0, True, 1.0)


def test_the_minute_named_for_a_reset_is_one_at_which_it_works():
    breaker = fresh()
    see(breaker, NOON_MS, 10_000)
    see(breaker, NOON_MS + 1, 9_400)
    with pytest.raises(CircuitBreakerError, match=r"from 2017\.06\.07 13:01 on"):
        breaker.reset(NOON_MS + HOUR_MS, "Ann", "looked at it")

    assert breaker.reset(NOON_MS + HOUR_MS + MINUTE_MS, "Ann", "looked at it").from_level == 1


def test_a_clock_set_back_does_not_shorten_the_cool_down():
    breaker = after(9_400)
    with pytest.raises(CircuitBreakerError, match="it can be reset from"):
        breaker.reset(NOON_MS - DAY_MS, "Ann", "looked at it")


@pytest.mark.parametrize(("who", "reason", "key"), [("", "x", "who"), ("Ann", " \n", "reason")])
def test_a_reset_needs_a_person_and_a_reason(who: str, reason: str, key: str):
    breaker = after(9_400)
    with pytest.raises(CircuitBreakerError, match=f"^{key}: a reset needs a person and a reason"):
        breaker.reset(NOON_MS + DAY_MS, who, reason)

    assert breaker.level == 1


def test_at_level_0_there_is_nothing_to_reset():
    breaker = after(9_700)
    with pytest.raises(
        CircuitBreakerError, match=r"^the circuit breaker is at level 0: nothing is to be reset$"
    ):
        breaker.reset(NOON_MS + DAY_MS, "Ann", "to be sure")

    assert breaker.report(NOON_MS).windows[0].loss_minor == 300


def test_the_loss_that_was_looked_at_does_not_trip_the_breaker_again():
    breaker = after(8_400)
    breaker.reset(NOON_MS + 2 * HOUR_MS, "Ann", "looked at it")

    assert see(breaker, NOON_MS + 3 * HOUR_MS, 8_400) is None
    step = see(breaker, NOON_MS + 4 * HOUR_MS, 7_980)
    assert step is not None
    assert (step.level, step.loss_minor, step.start_minor) == (1, 420, 8_400)


def test_a_loss_between_the_last_observation_and_the_reset_counts():
    breaker = after(8_400)
    breaker.reset(NOON_MS + 2 * HOUR_MS, "Ann", "looked at it")
    step = see(breaker, NOON_MS + 2 * HOUR_MS, 7_560)

    assert step is not None
    assert step.level == 2


@pytest.mark.parametrize("values", [(8_900,), (9_400, 8_900)])
def test_a_rise_to_level_2_asks_once_for_the_worst_position(values: tuple):
    breaker = after(*values)
    assert breaker.has_to_close_worst
    assert not breaker.has_to_flatten
    assert copy_of(breaker).has_to_close_worst

    breaker.worst_was_closed()
    assert not breaker.has_to_close_worst
    assert not copy_of(breaker).has_to_close_worst
    assert breaker.level == 2


@pytest.mark.parametrize("value", [10_000, 9_400])
def test_below_level_2_nothing_has_to_be_closed(value: int):
    breaker = after(value)

    assert not breaker.has_to_close_worst
    assert not breaker.has_to_flatten


def test_level_3_flattens_instead_of_closing_the_worst():
    breaker = after(8_900, 8_400)

    assert breaker.has_to_flatten
    assert not breaker.has_to_close_worst
    assert copy_of(breaker).has_to_flatten


def test_a_reset_asks_for_no_closing_any_more():
    breaker = after(8_900)
    breaker.reset(NOON_MS + 2 * HOUR_MS, "Ann", "looked at it")

    assert not breaker.has_to_close_worst


def test_a_report_of_a_breaker_that_saw_nothing_has_no_windows():
    assert fresh().report(NOON_MS) == BreakerReport(
        status=CircuitBreakerStatus.NORMAL,
        triggered_ms=None,
        trigger_level=None,
        minutes_since_trigger=None,
        can_reset=False,
        can_reset_ms=None,
        can_open=True,
        can_increase=True,
        can_reduce=True,
        scale=1.0,
        window=None,
        reason=None,
        windows=(),
    )


def test_a_report_tells_of_the_last_rise_and_of_every_window():
    breaker = after(8_900)
    rose_ms = NOON_MS + MINUTE_MS
    report = breaker.report(rose_ms + 90_000)

    assert report == BreakerReport(
        status=CircuitBreakerStatus.LEVEL_2_REDUCE,
        triggered_ms=rose_ms,
        trigger_level=2,
        minutes_since_trigger=1.5,
        can_reset=False,
        can_reset_ms=rose_ms + HOUR_MS,
        can_open=False,
        can_increase=False,
        can_reduce=True,
        scale=0.5,
        window="day",
        reason="equity is 11.00% below the day's start; level 2 begins at 10.00%",
        windows=report.windows,
    )
    assert [w.window for w in report.windows] == list(LOSS_WINDOWS)
    assert {(w.begin_ms, w.start_minor, w.loss_minor) for w in report.windows} == {
        (NOON_MS, 10_000, 1_100)
    }
    assert breaker.report(rose_ms + HOUR_MS).can_reset
    assert not breaker.report(rose_ms + HOUR_MS - 1).can_reset
    assert json.dumps(report.to_dict())
    assert BreakerReport.from_dict(report.to_dict()) == report


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"level": 4}, "level must be 0, 1, 2 or 3, was 4"),
        ({"level": -1}, "level must be 0, 1, 2 or 3, was -1"),
        ({"level": True}, "level must be int"),
        ({"window": ""}, "window must be one of day, week, peak, was ''"),
        ({"lvl": 1}, "has no field 'lvl'"),
        ({"windows.month": 1}, "month: no key of a loss window"),
        ({"windows.latest_ms": "x"}, "latest_ms: a loss window needs a whole number"),
    ],
)
def test_a_broken_state_is_refused_and_changes_nothing(changes: dict, message: str):
    breaker = after(9_400)
    before = breaker.state()
    with pytest.raises(DataError, match=message):
        breaker.restore(after(8_400).state() | changes)

    assert breaker.state() == before


@pytest.mark.parametrize("key", ["level", "triggered_ms", "window", "reason", "closes_worst"])
def test_a_state_that_lacks_a_key_is_refused(key: str):
    state = after(8_400).state()
    del state[key]
    with pytest.raises(DataError, match=f"needs the field '{key}'"):
        fresh().restore(state)


VALUES = st.integers(-100, 20_000)
STEPS = st.lists(
    st.tuples(st.integers(-2 * HOUR_MS, 40 * HOUR_MS), VALUES, VALUES, st.integers(-5_000, 5_000)),
    max_size=15,
)
PROFILES = st.sampled_from(["utc", "eet_eu", "ny_plus_7"])
MARCH_MS = int(datetime(2017, 3, 10, tzinfo=UTC).timestamp() * 1000)


def follow(breaker: CircuitBreaker, now_ms: int, steps: list) -> list[BreakerStep | None]:
    found = []
    for forward_ms, equity, balance, paid in steps:
        now_ms += forward_ms
        found.append(breaker.observe(now_ms, equity, balance, paid))
    return found


@given(PROFILES, STEPS)
def test_the_level_never_falls_without_a_reset_and_steps_tell_of_every_rise(
    profile: str, steps: list
):
    breaker, now_ms = fresh(profile=profile), MARCH_MS
    for forward_ms, equity, balance, paid in steps:
        now_ms += forward_ms
        before = breaker.level
        step = breaker.observe(now_ms, equity, balance, paid)
        assert breaker.level >= before
        assert (step is None) == (breaker.level == before)
        if step is not None:
            assert (step.from_level, step.level) == (before, breaker.level)
            assert step.loss_fraction >= step.limit_fraction


@given(PROFILES, STEPS, st.integers(0, 15), st.sampled_from(LossBasis))
def test_a_restart_at_any_point_goes_on_exactly(
    profile: str, steps: list, split: int, basis: LossBasis
):
    spec = BreakerSpec(basis=basis)
    whole, first = fresh(spec, profile), fresh(spec, profile)
    expected = follow(whole, MARCH_MS, steps)
    found = follow(first, MARCH_MS, steps[:split])
    second = copy_of(first, profile)
    assert second.report(MARCH_MS) == first.report(MARCH_MS)
    now_ms = MARCH_MS + sum(step[0] for step in steps[:split])
    found += follow(second, now_ms, steps[split:])

    assert found == expected
    assert second.state() == whole.state()
    assert second.report(MARCH_MS) == whole.report(MARCH_MS)


@given(VALUES, VALUES, st.integers(-20_000, 20_000))
def test_money_paid_in_or_out_changes_no_loss(first: int, second: int, paid: int):
    plain, moved = fresh(), fresh()
    for breaker, extra in ((plain, 0), (moved, paid)):
        see(breaker, NOON_MS, first)
        see(breaker, NOON_MS + 1, second + extra, extra)

    def losses(breaker: CircuitBreaker) -> list[int]:
        return [window.loss_minor for window in breaker.report(NOON_MS).windows]

    assert losses(moved) == losses(plain)


@given(st.integers(1, 20_000), st.integers(-20_000, 20_000))
def test_money_paid_in_or_out_alone_trips_nothing(value: int, paid: int):
    breaker = fresh()
    see(breaker, NOON_MS, value)

    assert see(breaker, NOON_MS + 1, value + paid, paid) is None


@given(PROFILES, STEPS.filter(bool))
def test_after_a_reset_the_same_value_trips_nothing(profile: str, steps: list):
    breaker = fresh(profile=profile)
    follow(breaker, MARCH_MS, steps)
    if breaker.level == 0:
        return
    later_ms = MARCH_MS + 100 * DAY_MS
    breaker.reset(later_ms, "Ann", "looked at it")

    assert see(breaker, later_ms, steps[-1][1]) is None
    assert {window.loss_minor for window in breaker.report(later_ms).windows} == {0}


def test_the_worst_position_is_the_one_that_lost_most_swap_included():
    positions = [position(1, -50), position(2, -40, swap=-20), position(3, 10)]

    assert worst_position(positions) == positions[1]


def test_of_equal_losses_the_oldest_ticket_is_the_worst():
    positions = [position(7, -50), position(5, -40, swap=-10), position(6, -50)]

    assert worst_position(positions) == positions[1]


def test_of_winners_the_smallest_is_the_worst():
    assert worst_position([position(1, 50), position(2, 40)]) == position(2, 40)


def test_of_no_positions_none_is_the_worst():
    assert worst_position([]) is None


def test_a_wider_ladder_does_not_lower_the_level_and_a_narrower_one_may_raise_it():
    state = after(9_400).state()
    wide = fresh(BreakerSpec(level_1_fraction=0.1, level_2_fraction=0.2, level_3_fraction=0.3))
    narrow = fresh(replace(SPEC, level_1_fraction=0.01, level_2_fraction=0.02))
    for breaker in (wide, narrow):
        breaker.restore(state)
        see(breaker, NOON_MS + HOUR_MS, 9_400)

    assert (wide.level, narrow.level) == (1, 2)
