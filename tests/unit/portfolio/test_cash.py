"""The balance is held against the deals, to the minor unit, and slow terminals are given time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtquant.model import MOST_BETWEEN_MS, Deal, DealEntry, DealKind, Reason, Side
from mtquant.portfolio.cash import LONGEST_MS, SETTLING_MS, SETTLING_READINGS, Cash

LATER = SETTLING_MS


def deal(number: int, minor: int, kind: DealKind = DealKind.TRADE) -> Deal:
    return Deal(
        deal_ticket=number,
        order_ticket=number,
        position_ticket=number,
        time_ms=0,
        symbol="EURUSD",
        kind=kind,
        side=Side.BUY,
        entry=DealEntry.OUT,
        volume_units=1,
        price_points=1,
        profit_minor=minor,
        commission_minor=-7,
        swap_minor=7,
        fee_minor=0,
        reason=Reason.EXPERT,
    )


def again(cash: Cash, balance_minor: int, now_ms: int) -> bool:
    """Read the same often enough, within a moment; tell whether the last one settled anything."""
    return [cash.apply([], balance_minor, now_ms) for _ in range(SETTLING_READINGS)][-1]


def for_long(cash: Cash, balance_minor: int, from_ms: int) -> bool:
    """Read the same for the settling time, often enough; tell whether anything was settled."""
    times = range(from_ms, from_ms + SETTLING_MS + MOST_BETWEEN_MS, MOST_BETWEEN_MS)
    settled = [cash.apply([], balance_minor, now_ms) for now_ms in times]
    return any(settled)


def settled(balance_minor: int = 1_000) -> Cash:
    cash = Cash()
    assert not cash.apply([deal(1, 400)], balance_minor, 0)
    assert not again(cash, balance_minor, 1)
    assert for_long(cash, balance_minor, 2)
    return cash


def test_what_the_first_history_does_not_explain_is_the_baseline() -> None:
    assert settled().baseline_minor == 600


def test_deals_that_a_terminal_loads_after_its_start_are_part_of_the_first_history() -> None:
    cash = Cash()
    cash.apply([deal(2, 100)], 1_000, 0)
    cash.apply([deal(1, 900)], 1_000, 5_000)
    assert not again(cash, 1_000, 5_001)
    assert for_long(cash, 1_000, 5_002)
    assert cash.baseline_minor == 0


def test_money_that_no_deal_explains_is_told_after_a_while() -> None:
    cash = settled()
    again(cash, 990, LATER + 1)

    assert cash.is_watched
    assert cash.lacks_minor == 0
    for_long(cash, 990, LATER + 2)
    assert cash.lacks_minor == -10


def test_a_deal_that_shows_after_its_money_explains_it() -> None:
    cash = settled()
    cash.apply([], 990, LATER + 1)
    cash.apply([deal(2, -10)], 990, LATER + 5_000)

    assert not cash.is_watched
    assert cash.lacks_minor == 0


def test_credit_is_no_part_of_the_balance() -> None:
    cash = settled()
    cash.apply([deal(3, 500, DealKind.CREDIT)], 1_000, LATER + 1)
    assert cash.difference_minor == 0


def test_a_person_may_take_the_balance_for_right() -> None:
    cash = settled()
    for_long(cash, 990, LATER + 1)

    assert cash.accept(2 * LATER)
    assert cash.baseline_minor == 590
    cash.apply([], 990, 9 * LATER)
    assert not cash.is_watched


def test_what_a_person_accepts_before_it_has_lasted_is_settled_when_it_has() -> None:
    cash = settled()
    again(cash, 990, LATER + 1)

    assert not cash.accept(LATER + 2)
    assert for_long(cash, 990, LATER + 3)
    assert cash.baseline_minor == 590
    assert not for_long(cash, 980, 20 * LATER)
    assert cash.lacks_minor == -10


def test_the_baseline_of_an_earlier_process_stands() -> None:
    cash = Cash()
    cash.restore([deal(1, 400)], 600)
    assert not for_long(cash, 999, 0)
    assert cash.lacks_minor == -1


def test_a_clock_that_leaps_alone_makes_no_difference_last() -> None:
    cash = settled()
    again(cash, 990, LATER + 1)
    again(cash, 990, 10 * LATER)
    again(cash, 990, 2 * LATER)

    assert cash.lacks_minor == 0


@given(st.lists(st.integers(-(10**12), 10**12), max_size=30), st.integers(-(10**12), 10**12))
def test_deals_explain_the_balance_exactly(amounts: list[int], baseline: int) -> None:
    cash, balance = Cash(), baseline
    cash.restore([], baseline)
    for number, minor in enumerate(amounts):
        balance += minor
        cash.apply([deal(number, minor)], balance, number)
        assert cash.difference_minor == 0


def test_a_balance_that_lags_behind_deals_that_are_alike_settles_nothing() -> None:
    cash = Cash()
    balance_minor = 1_000
    for number in range(10):
        came = [deal(number, -40)]
        assert not cash.apply(came, balance_minor, number * LATER)
        balance_minor -= 40  # shown a reading later
    assert cash.baseline_minor is None

    cash.apply([], balance_minor, 10 * LATER)
    for_long(cash, balance_minor, 10 * LATER + 1)
    assert cash.baseline_minor == 1_000
    for number in range(11, 20):
        cash.apply([deal(number, -40)], balance_minor, number * LATER)
        balance_minor -= 40
        assert cash.lacks_minor == 0


def test_on_a_busy_account_a_difference_that_stays_is_told_too() -> None:
    cash, step_ms = settled(), MOST_BETWEEN_MS
    first_ms = 2 * LATER
    for number, now_ms in enumerate(range(first_ms, first_ms + LONGEST_MS - step_ms, step_ms), 2):
        cash.apply([deal(number, -40)], 990 - 40 * (number - 1), now_ms)
        assert cash.difference_minor == -10
        assert cash.lacks_minor == 0
    again(cash, 990 - 40 * (number - 1), first_ms + LONGEST_MS)
    assert cash.lacks_minor == -10

    assert cash.accept(first_ms + LONGEST_MS)
    cash.apply([deal(99, -40)], 990 - 40 * number - 5, first_ms + LONGEST_MS + step_ms)
    assert cash.difference_minor == -5
    assert cash.lacks_minor == 0


def test_what_joins_a_known_difference_has_its_own_time_to_show() -> None:
    cash = settled()
    for_long(cash, 999, LATER)
    assert (cash.lacks_minor, cash.lags) == (-1, False)

    later_ms = LATER + 2 * LONGEST_MS
    for_long(cash, 999, later_ms)
    again(cash, 699, later_ms + LONGEST_MS)  # paid out, and its deal is not shown yet
    assert (cash.lacks_minor, cash.lags) == (-1, True)
    cash.apply([deal(3, -300, DealKind.BALANCE)], 699, later_ms + LONGEST_MS + 1)
    assert (cash.lacks_minor, cash.lags) == (-1, False)


def test_a_person_takes_no_difference_for_right_that_may_only_lag() -> None:
    cash = settled()
    for_long(cash, 999, LATER)
    again(cash, 699, 3 * LATER)

    assert not cash.accept(3 * LATER)
    assert cash.apply([deal(3, -300, DealKind.BALANCE)], 699, 3 * LATER + 1)
    assert (cash.baseline_minor, cash.difference_minor) == (599, 0)


def test_a_person_takes_nothing_for_right_that_deals_explain_by_then() -> None:
    cash = settled()
    for_long(cash, 1_100, LATER)
    cash.apply([deal(2, 100)], 1_070, 3 * LATER)  # its deal; a trade of -30 shows in the balance
    assert not cash.accept(3 * LATER + 1)
    cash.apply([deal(3, -30)], 1_070, 3 * LATER + 2)
    for_long(cash, 1_070, 3 * LATER + 3)

    assert (cash.baseline_minor, cash.lacks_minor) == (600, 0)


def test_a_difference_that_never_stands_still_lags_for_the_longest_time_once() -> None:
    cash, lagged = settled(), 0
    for number, now_ms in enumerate(range(LATER, LATER + 10 * LONGEST_MS, MOST_BETWEEN_MS), 1):
        cash.apply([], 1_000 - number, now_ms)
        lagged += cash.lags

    assert lagged == LONGEST_MS // MOST_BETWEEN_MS


def test_a_new_process_gives_a_difference_its_time_too() -> None:
    cash = Cash()
    cash.restore([deal(1, 400)], 600)
    cash.apply([deal(2, -40)], 1_000, 1_483_308_000_000)

    assert cash.difference_minor == 40
    assert cash.lacks_minor == 0


@pytest.mark.parametrize("is_deal_first", [False, True])
def test_money_that_comes_before_the_baseline_is_settled_may_be_late_too(
    *, is_deal_first: bool
) -> None:
    cash = Cash()
    cash.apply([], 1_000, 0)
    paid = [deal(1, -300, DealKind.BALANCE)]
    if is_deal_first:
        cash.apply(paid, 1_000, 10_000)
    else:
        cash.apply([], 700, 10_000)
    assert cash.lags

    cash.apply([] if is_deal_first else paid, 700, 11_000)
    assert not cash.lags
    for_long(cash, 700, 12_000)
    assert cash.baseline_minor == 1_000


def test_the_baseline_of_a_busy_account_is_settled_too() -> None:
    cash, balance_minor, number = Cash(), 1_000, 0
    for now_ms in range(0, 3 * LONGEST_MS, 5_000):
        came = []
        if now_ms % 30_000 == 0:
            number += 1
            balance_minor -= 40
            came = [deal(number, -40)]
        cash.apply(came, balance_minor, now_ms)

    assert cash.baseline_minor == 1_000


def test_what_disappears_after_a_resume_with_nothing_to_be_taken_for_right_is_told() -> None:
    cash = settled()
    assert not cash.accept(LATER)
    assert not for_long(cash, 500, 3 * LATER)
    assert cash.lacks_minor == -500


def test_what_disappears_after_something_was_taken_for_right_is_told() -> None:
    cash = settled()
    again(cash, 990, LATER + 1)
    assert not cash.accept(LATER + 2)
    assert for_long(cash, 990, LATER + 3)

    assert not for_long(cash, 500, 4 * LATER)
    assert cash.lacks_minor == -490


def busy(lag_ms: int, seed: int, *, is_alike: bool) -> tuple[Cash, float]:
    """Read an account for two hours on which others trade, and the balance is late.

    Return the share of readings that were taken for late after the first ten minutes, too.
    """
    rng, at_ms, told = np.random.default_rng(seed), 0, []
    while at_ms < 120 * LATER:
        told.append((at_ms, -40 if is_alike else int(rng.integers(-500, 501))))
        at_ms += int(rng.uniform(12_500, 37_500))
    cash, number, lagged = Cash(), 0, []
    for now_ms in range(0, 120 * LATER, 5_000):
        came = []
        while number < len(told) and told[number][0] <= now_ms:
            number += 1
            came.append(deal(number, told[number - 1][1]))
        shown = sum(minor for time_ms, minor in told if time_ms + lag_ms <= now_ms)
        cash.apply(came, 1_000 + shown, now_ms)
        if now_ms > 2 * LONGEST_MS:
            lagged.append(cash.lags)
    return cash, sum(lagged) / len(lagged)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("lag_ms", "is_alike"), [(7_000, True), (12_000, False)])
def test_no_baseline_is_settled_while_the_balance_is_behind_a_deal(
    lag_ms: int, seed: int, *, is_alike: bool
) -> None:
    cash, _ = busy(lag_ms, seed, is_alike=is_alike)
    assert cash.baseline_minor in {None, 1_000}


@pytest.mark.parametrize("seed", range(3))
def test_a_first_balance_that_was_late_leaves_no_account_in_doubt_for_long(seed: int) -> None:
    _, share = busy(3_000, seed, is_alike=True)
    assert share < 0.2  # 12 % of the readings are behind a deal


@pytest.mark.parametrize("gap_ms", [20_000, 40_000])
def test_a_history_that_loads_for_long_settles_nothing_before_it_is_there(gap_ms: int) -> None:
    cash, number, end_ms = Cash(), 0, 7 * LATER
    for now_ms in range(0, 20 * LATER, 5_000):
        came = []
        if now_ms % gap_ms == 0 and now_ms <= end_ms:
            number += 1
            came = [replace(deal(number, 100), time_ms=-10 * 86_400_000)]
        cash.apply(came, 100 * (end_ms // gap_ms + 1), now_ms)

    assert (cash.baseline_minor, cash.lacks_minor) == (0, 0)


@pytest.mark.parametrize("is_settled", [False, True])
def test_losses_are_judged_again_where_the_balance_lags_without_end(*, is_settled: bool) -> None:
    cash, lagged, shown = Cash(), [], 1_000
    if is_settled:
        cash.restore([], 1_000)
    for number, now_ms in enumerate(range(0, 60 * LATER, 5_000), 1):
        minor = -(number * 37 % 101) - 1
        cash.apply([deal(number, minor)], shown, now_ms)  # one deal behind, each time
        shown += minor
        if now_ms > 2 * LONGEST_MS:
            lagged.append(cash.lags)

    assert sum(lagged) / len(lagged) < 0.1
