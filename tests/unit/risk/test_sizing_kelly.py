"""Kelly's stake is the one at which equity grows fastest."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtquant.risk import kelly_plan_a_stake_fraction, kelly_stake_fraction

odds = {
    "rate": st.floats(0.01, 0.99),
    "win": st.floats(1, 1000),
    "loss": st.floats(1, 1000),
}


def growth(stake: float, rate: float, win: float, loss: float) -> float:
    """Return the mean logarithm by which a trade multiplies equity that stakes a fraction."""
    return rate * math.log(1 + stake * win / loss) + (1 - rate) * math.log(1 - stake)


def test_wins_of_100_in_60_percent_against_losses_of_50_stake_two_fifths():
    assert kelly_stake_fraction(0.6, 100, 50) == pytest.approx(0.4)
    assert kelly_stake_fraction(0.6, 100, 50) * 0.25 == pytest.approx(0.1)


def test_plan_a_stakes_twice_that():
    assert kelly_plan_a_stake_fraction(0.6, 100, 50) == pytest.approx(0.8)
    assert kelly_plan_a_stake_fraction(0.6, 100, 50) * 0.25 == pytest.approx(0.2)


def test_with_even_odds_the_stake_is_what_wins_exceed_losses_by():
    assert kelly_stake_fraction(0.6, 1, 1) == pytest.approx(0.2)
    assert growth(0.2, 0.6, 1, 1) == pytest.approx(0.0201355, abs=1e-7)


def test_plan_a_shrinks_equity_where_kelly_grows_it():
    assert math.exp(growth(0.4, 0.6, 100, 50)) == pytest.approx(1.16, abs=0.001)
    assert math.exp(growth(0.8, 0.6, 100, 50)) == pytest.approx(0.93, abs=0.005)


@given(**odds)
def test_no_other_stake_grows_equity_faster(*, rate: float, win: float, loss: float):
    best = kelly_stake_fraction(rate, win, loss)
    if not 0 < best < 0.999:
        return
    fastest = growth(best, rate, win, loss)

    for other in (0.9 * best, 1.1 * best, best + (1 - best) / 2, 0.0):
        if other < 1:
            assert growth(other, rate, win, loss) <= fastest + 1e-12


@given(**odds)
def test_a_stake_is_below_1_and_above_0_only_with_an_edge(*, rate: float, win: float, loss: float):
    stake = kelly_stake_fraction(rate, win, loss)
    edge = rate * win - (1 - rate) * loss

    assert stake < 1
    assert (stake > 0) == (edge > 0)


@given(**odds)
def test_plan_a_is_the_textbook_times_win_over_loss(*, rate: float, win: float, loss: float):
    expected = kelly_stake_fraction(rate, win, loss) * win / loss

    assert kelly_plan_a_stake_fraction(rate, win, loss) == pytest.approx(expected, abs=1e-9)
