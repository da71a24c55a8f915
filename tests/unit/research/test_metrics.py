"""Every figure against a value known from elsewhere, and None where it has no answer."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtquant.research import metrics

PUBLISHED = [0.17, 0.15, 0.23, -0.05, 0.12, 0.09, 0.13, -0.04]


def test_downside_deviation_and_sortino_equal_the_published_case():
    assert metrics.downside_deviation(PUBLISHED) == pytest.approx(0.022638, abs=5e-7)
    assert metrics.sortino_ratio(PUBLISHED, periods_per_year=1) == pytest.approx(4.4173, abs=5e-5)


def test_sharpe_and_sortino_grow_with_the_root_of_the_periods():
    for ratio in (metrics.sharpe_ratio, metrics.sortino_ratio):
        once = ratio(PUBLISHED, periods_per_year=1)
        assert ratio(PUBLISHED) == pytest.approx(once * math.sqrt(252))


def test_sharpe_uses_the_sample_deviation():
    assert metrics.sharpe_ratio([0.01, 0.03], 1) == pytest.approx(0.02 / math.sqrt(2e-4))


def test_sortino_measures_from_its_target():
    assert metrics.sortino_ratio([0.0, 0.02], 1, target=0.01) == 0
    assert metrics.sortino_ratio([0.0, 0.04], 1, target=0.01) == pytest.approx(
        0.01 / math.sqrt(0.0001 / 2)
    )


@pytest.mark.parametrize("returns", [[], [0.01], [0.0, 0.0], [0.1, 0.1, 0.1]])
def test_sharpe_is_undefined_without_differences(returns):
    assert metrics.sharpe_ratio(returns) is None


@pytest.mark.parametrize("returns", [[], [-0.01], [0.0, 0.0], [0.1, 0.2]])
def test_sortino_is_undefined_without_a_fall(returns):
    assert metrics.sortino_ratio(returns) is None


def test_downside_deviation_of_nothing_is_undefined():
    assert metrics.downside_deviation([]) is None
    assert metrics.downside_deviation([0.1]) == 0


def test_returns_are_simple_and_undefined_on_an_empty_account():
    assert metrics.simple_returns([100, 110, 99]).tolist() == pytest.approx([0.1, -0.1])
    assert metrics.simple_returns([100, 0]).tolist() == [-1]
    assert metrics.simple_returns([100, 0, 5]) is None
    assert metrics.simple_returns([0, 5]) is None


def test_return_is_undefined_without_a_deposit():
    assert metrics.return_fraction(10_000, 9_900) == -0.01
    assert metrics.return_fraction(0, 9_900) is None


def test_drawdown_is_a_fraction_of_the_peak_so_far():
    equity = np.array([100, 120, 90, 130, 117])

    assert metrics.drawdown(equity).tolist() == pytest.approx([0, 0, 0.25, 0, 0.1])
    assert metrics.max_drawdown(equity) == 0.25


def test_drawdown_is_zero_on_a_rising_account_and_undefined_without_money():
    assert metrics.max_drawdown([5, 6, 6, 7]) == 0
    assert metrics.max_drawdown([]) is None
    assert metrics.max_drawdown([0, 5]) is None
    assert metrics.max_drawdown([100, -20]) == pytest.approx(1.2)


@pytest.mark.parametrize(
    ("equity", "longest"),
    [
        ([10, 11, 12], 0),
        ([10, 10, 10], 0),
        ([10, 9, 10, 11], 2),
        ([10, 12, 11, 11, 12, 9], 3),
        ([10, 9, 9, 8], 3),
        ([10, 9, 11, 5, 6, 7, 8], 4),
        ([7], 0),
    ],
)
def test_drawdown_lasts_from_the_peak_to_its_recovery_or_the_end(equity, longest):
    times = np.arange(len(equity)) * 1_000

    assert metrics.drawdown_duration_ms(times, np.array(equity)) == longest * 1_000


def test_drawdown_duration_of_nothing_is_undefined():
    assert metrics.drawdown_duration_ms(np.array([], int), np.array([], int)) is None


def test_trade_figures_count_net_results():
    nets = [300, -100, 0, 100, -100]

    assert metrics.profit_factor(nets) == 2
    assert metrics.win_rate(nets) == 0.4
    assert metrics.expectancy(nets) == 40
    assert metrics.average_win(nets) == 200
    assert metrics.average_loss(nets) == -100


def test_trade_figures_are_undefined_where_there_is_nothing_to_divide_by():
    assert metrics.win_rate([]) is None
    assert metrics.expectancy([]) is None
    assert metrics.profit_factor([]) is None
    assert metrics.profit_factor([5, 0]) is None
    assert metrics.profit_factor([-5]) == 0
    assert metrics.average_win([-1, 0]) is None
    assert metrics.average_loss([1, 0]) is None


@given(st.lists(st.floats(-0.5, 0.5), max_size=30))
def test_no_ratio_is_ever_infinite_or_not_a_number(returns):
    for ratio in (metrics.sharpe_ratio, metrics.sortino_ratio):
        value = ratio(returns)
        assert value is None or math.isfinite(value)
