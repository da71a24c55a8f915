"""How long requests take: published distributions, reproduced by number."""

import numpy as np
import pytest

from mtquant.model import ConfigError, read
from mtquant.terminal.simulated.faults.latency import Latency, LatencyModel


def delays(latency: Latency, count: int = 40_000) -> np.ndarray:
    drawn = np.random.default_rng(1).random((count, 2)).tolist()
    return np.array([latency.delay_ms(*pair) for pair in drawn])


def test_half_of_the_published_delays_lie_within_60_ms_and_one_in_a_hundred_beyond_a_second():
    found = delays(Latency(model=LatencyModel.PUBLISHED))

    assert found.min() >= 0
    assert np.median(found) == pytest.approx(60, rel=0.05)
    assert 0.008 < (found > 1000).mean() < 0.014
    assert found.max() <= 20_000


def test_the_testers_random_delay_is_the_documented_one():
    """MetaTrader help: 0 to 8 seconds in 90 % of the cases, 9 to 18 in 10 %."""
    seconds = delays(Latency(model=LatencyModel.TESTER)) / 1000
    counts = np.bincount(seconds.astype(int), minlength=19) / len(seconds)

    assert counts[:9] == pytest.approx([0.1] * 9, abs=0.006)
    assert counts[9:] == pytest.approx([0.01] * 10, abs=0.003)


def test_uniform_delays_reach_both_ends():
    found = delays(Latency(at_least_ms=5, at_most_ms=8))

    assert sorted(set(found.tolist())) == [5, 6, 7, 8]


@pytest.mark.parametrize("chance", [0.0, 1 - 2**-53])
@pytest.mark.parametrize("model", list(LatencyModel))
def test_the_ends_of_chance_are_delays_too(model: LatencyModel, chance: float):
    assert Latency(model=model).delay_ms(chance, chance) >= 0


def test_a_model_with_its_own_times_takes_no_others():
    with pytest.raises(ConfigError, match="at_most_ms: the model tester has its own times"):
        read(Latency, {"model": "tester", "at_most_ms": 5})
