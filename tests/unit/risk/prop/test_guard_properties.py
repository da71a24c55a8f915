"""What holds for the guard whatever an account does."""

from __future__ import annotations

import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from risk_rooms import prop_rules

from mtquant.model import ConfigError
from mtquant.risk.prop import (
    BaseShare,
    DailyBase,
    DailyLoss,
    DayRule,
    Effect,
    MaxLoss,
    MaxLossKind,
    PropClock,
    PropGuard,
    PropStatus,
)

INITIAL = 100_003
FRACTIONS = st.sampled_from([0.01, 0.03, 0.05, 0.1, 0.333])
DAILY = st.builds(
    DailyLoss,
    base=st.sampled_from([base for base in DailyBase if base is not DailyBase.NONE]),
    allowance_fraction=FRACTIONS,
    share=st.sampled_from(BaseShare),
    effect=st.sampled_from(Effect),
)


@st.composite
def max_losses(draw) -> MaxLoss:
    kind = draw(st.sampled_from(MaxLossKind))
    lock = draw(st.sampled_from([None, 0.0, 0.02])) if kind is not MaxLossKind.STATIC else None
    trigger = draw(st.sampled_from([None, 0.04])) if lock is not None else None
    return MaxLoss(
        kind=kind,
        allowance_fraction=draw(FRACTIONS),
        lock_gain_fraction=lock,
        lock_trigger_fraction=trigger,
    )


MONEY = st.integers(80_000, 130_000)
STEPS = st.lists(
    st.tuples(st.integers(0, 40 * 3_600_000), MONEY, MONEY, st.just(0)), min_size=1, max_size=25
)
PAID_STEPS = st.lists(
    st.tuples(
        st.integers(0, 40 * 3_600_000),
        MONEY,
        MONEY,
        st.sampled_from([0, 0, 0, 7_001, -3_000]),
    ),
    min_size=1,
    max_size=25,
)
BUFFERS = st.sampled_from([0.0, 0.1, 0.5])


def guard_of(daily: DailyLoss | None, most: MaxLoss | None, buffer: float = 0.0) -> PropGuard:
    rules = prop_rules(
        day=DayRule(reset="17:00", zone="America/New_York"),
        daily_loss=daily,
        max_loss=most,
    )
    return PropGuard(rules, INITIAL, PropClock(rules.day), buffer)


def timed(steps):
    now_ms = 1_772_900_000_000  # shortly before American summer time begins
    for step_ms, *values in steps:
        now_ms += step_ms
        yield now_ms, *values


@given(DAILY, max_losses(), BUFFERS, PAID_STEPS, st.integers(0, 25))
def test_a_guard_that_is_stored_and_restored_goes_on_as_if_nothing_had_been(
    daily, most, buffer, steps, cut
):
    whole, first = (guard_of(daily, most, buffer) for _ in range(2))
    current = first
    for row, (now_ms, balance, equity, paid) in enumerate(timed(steps)):
        if row == cut:
            stored = json.loads(json.dumps(current.state()))
            current = guard_of(daily, most, buffer)
            current.restore(stored)
        for one in (whole, current):
            one.note_opened(now_ms)
            one.note_closed(now_ms, equity - balance)
        seen = [one.observe(now_ms, balance, equity, paid) for one in (whole, current)]
        assert seen[0] == seen[1]
        assert whole.can_open(now_ms + 1, 999) == current.can_open(now_ms + 1, 999)
        assert whole.buffered_floor_minor == current.buffered_floor_minor
    assert whole.state() == current.state()


@given(max_losses(), STEPS)
def test_the_floor_of_the_whole_loss_never_falls(most, steps):
    guard = guard_of(None, most)
    floors = [guard.floor_minor]
    for now_ms, balance, equity, paid in timed(steps):
        guard.observe(now_ms, balance, equity, paid)
        floors.append(guard.floor_minor)

    assert all(after >= before for before, after in pairwise(floors))


@given(DAILY, max_losses(), PAID_STEPS)
def test_an_account_fails_exactly_when_equity_is_below_a_floor_that_fails(daily, most, steps):
    guard = guard_of(daily, most)
    for now_ms, balance, equity, paid in timed(steps):
        guard.observe(now_ms, balance, equity, paid)
        state = guard.state()
        floors = [state["max_loss"][2]]
        if daily.effect is Effect.FAIL:
            floors.append(state["daily_loss"][2])
        assert (guard.status is PropStatus.FAILED) == (equity < max(floors))
        if guard.status is PropStatus.FAILED:
            break


@given(DAILY, max_losses(), BUFFERS, STEPS)
def test_an_account_that_keeps_to_the_buffered_floor_is_never_stopped(daily, most, buffer, steps):
    guard = guard_of(daily, most, buffer)
    for now_ms, balance, equity, paid in timed(steps):
        kept = max(equity, balance, guard.buffered_floor_minor)
        guard.observe(now_ms, kept, kept, paid)
        if kept >= guard.buffered_floor_minor:
            assert guard.status is PropStatus.OK
        else:  # a reset has raised the floor
            break


@given(DAILY, max_losses(), STEPS, st.integers(0, 25), st.integers(1, 10**9))
def test_a_deposit_is_no_profit(daily, most, steps, row, deposit):
    daily = DailyLoss(base=daily.base, allowance_fraction=0.05, effect=daily.effect)
    plain, paid_in = guard_of(daily, most), guard_of(daily, most)
    extra = 0
    for index, (now_ms, balance, equity, _) in enumerate(timed(steps)):
        paid = deposit if index == row else 0
        extra += paid
        first = plain.observe(now_ms, balance, equity)
        second = paid_in.observe(now_ms, balance + extra, equity + extra, paid)

        assert (first and first.kind) == (second and second.kind)
        assert plain.status is paid_in.status
        if plain.status is PropStatus.FAILED:
            break
        assert plain.room_minor == paid_in.room_minor
        assert plain.is_locked is paid_in.is_locked


@given(DAILY, max_losses(), BUFFERS, STEPS, st.integers(0, 60_000))
def test_an_order_that_may_be_opened_fails_nothing_at_its_stop(daily, most, buffer, steps, loss):
    guard = guard_of(daily, most, buffer)
    for now_ms, balance, equity, paid in timed(steps):
        guard.observe(now_ms, balance, equity, paid)
        if guard.can_open(now_ms, loss):
            guard.observe(now_ms, balance, equity - loss)
            assert guard.status is PropStatus.OK


DEALS = st.lists(
    st.tuples(st.integers(0, 30 * 3_600_000), st.integers(-400, 400), st.booleans()),
    min_size=1,
    max_size=25,
)


@given(DEALS, st.booleans())
def test_the_balance_at_every_reset_is_exact_however_seldom_somebody_looks(deals, restarts):
    """Each row: after how long a deal books how much, and whether somebody then looks."""
    daily = DailyLoss(base=DailyBase.BALANCE, allowance_fraction=0.333)
    most = MaxLoss(kind=MaxLossKind.EOD_BALANCE, allowance_fraction=0.333)
    guard = guard_of(daily, most)
    clock = PropClock(guard.rules.day)
    now_ms, balance, closes = 1_772_900_000_000, INITIAL, [INITIAL]
    guard.observe(now_ms, balance, balance)
    day_ms = clock.day_start_ms(now_ms)
    for step_ms, net, is_looked_at in deals:
        now_ms += step_ms
        if clock.day_start_ms(now_ms) > day_ms:
            day_ms = clock.day_start_ms(now_ms)
            closes.append(balance)
        balance += net
        guard.note_traded(now_ms, net)
        if restarts:
            stored = json.loads(json.dumps(guard.state()))
            guard = guard_of(daily, most)
            guard.restore(stored)
        if is_looked_at:
            guard.observe(now_ms, balance, balance)
            state = guard.state()
            assert state["daily_loss"][0] == closes[-1]
            assert state["max_loss"][0] == max(closes)


@given(DAILY, max_losses(), st.integers(70_000, 130_000), st.integers(-2_000, 2_000))
def test_a_guard_that_joins_an_account_never_begins_with_a_breach(daily, most, balance, net):
    guard = guard_of(daily, most)
    now_ms = 1_772_900_000_000
    guard.note_traded(now_ms - 1, net)
    try:
        guard.join(now_ms, balance, balance)
    except ConfigError:
        assert not guard.has_begun
        return
    guard.observe(now_ms, balance, balance)

    assert guard.status is not PropStatus.FAILED
