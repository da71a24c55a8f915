"""Correlation is of common bars' returns, of the newest, and nothing where there are too few."""

import numpy as np
import pytest

from mtquant.portfolio.correlation import LEAST, correlation

RNG_SEED = 7


def closes(returns, first_ms: int = 0, step_ms: int = 60_000):
    """Return times and closes whose log returns are those given, as good as points allow."""
    points = np.round(1e9 * np.exp(np.cumsum([0.0, *returns]))).astype(np.int64)
    return first_ms + step_ms * np.arange(len(points)), points


@pytest.fixture
def returns():
    return np.random.default_rng(RNG_SEED).normal(0, 0.001, 200)


def test_a_symbol_moves_with_itself_and_against_its_mirror(returns):
    assert correlation(closes(returns), closes(returns), 100) == pytest.approx(1.0)
    assert correlation(closes(returns), closes(-returns), 100) == pytest.approx(-1.0)
    assert correlation(closes(returns), closes(returns), 100) <= 1.0


def test_it_is_pearsons_of_the_newest_returns(returns):
    other = 0.5 * returns + np.random.default_rng(8).normal(0, 0.001, 200)
    found = correlation(closes(returns), closes(other), 60)

    assert found == pytest.approx(np.corrcoef(returns[-60:], other[-60:])[0, 1], abs=1e-5)
    assert found != pytest.approx(np.corrcoef(returns, other)[0, 1], abs=1e-3)


def test_only_bars_that_both_have_are_compared(returns):
    one, other = closes(returns), closes(returns)
    every_second = tuple(column[::2] for column in other)
    shifted = other[0] + 30_000, other[1]

    assert correlation(one, every_second, 100) == pytest.approx(1.0)
    assert correlation(one, shifted, 100) is None


def test_fewer_than_the_least_returns_tell_nothing(returns):
    enough, too_few = closes(returns[:LEAST]), closes(returns[: LEAST - 1])

    assert correlation(enough, enough, 100) == pytest.approx(1.0)
    assert correlation(too_few, too_few, 100) is None
    assert correlation(closes(returns), closes(returns), LEAST - 1) is None


def test_a_symbol_that_has_not_moved_tells_nothing(returns):
    still = closes(np.zeros(200))

    assert correlation(still, closes(returns), 100) is None
    assert correlation(closes(returns), still, 100) is None
