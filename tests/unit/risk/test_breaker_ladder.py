"""A ladder rises, its scales fall, and what is wrong with one is said by key."""

import pytest

from mtquant import risk
from mtquant.model import ConfigError
from mtquant.model.reading import read
from mtquant.risk import LOSS_WINDOWS, BreakerSpec, LossBasis


def test_the_usual_ladder_is_the_one_of_the_plan():
    spec = BreakerSpec()

    assert [spec.limit_fraction(level) for level in (1, 2, 3)] == [0.05, 0.10, 0.15]
    assert [spec.scale(level) for level in (0, 1, 2, 3)] == [1.0, 0.75, 0.5, 0.0]
    assert (spec.windows, spec.basis, spec.cool_down_minutes) == (
        LOSS_WINDOWS,
        LossBasis.EQUITY,
        60,
    )


@pytest.mark.parametrize(
    ("loss", "level"),
    [(0.0, 0), (0.0499, 0), (0.05, 1), (0.0999, 1), (0.10, 2), (0.1499, 2), (0.15, 3), (2.0, 3)],
)
def test_a_limit_that_is_met_exactly_is_reached(loss: float, level: int):
    assert BreakerSpec().level_of(loss) == level


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"level_1_fraction": 0.0}, "level_1_fraction: must be above 0 and below 1, was 0"),
        ({"level_1_fraction": float("nan")}, "level_1_fraction: must be above 0 and .* was nan"),
        (
            {"level_2_fraction": 0.05},
            r"level_2_fraction: must be above level_1_fraction \(0.05\) and below 1, was 0.05",
        ),
        (
            {"level_3_fraction": 0.1},
            r"level_3_fraction: must be above level_2_fraction \(0.1\) and below 1, was 0.1",
        ),
        ({"level_3_fraction": 1.0}, "level_3_fraction: must be above .* and below 1, was 1"),
        ({"level_1_scale": 0.0}, "level_1_scale: must be above 0 and at most 1, was 0"),
        ({"level_1_scale": 1.01}, "level_1_scale: must be above 0 and at most 1, was 1.01"),
        ({"level_2_scale": 0.0}, "level_2_scale: must be above 0 and at most .*, was 0"),
        (
            {"level_2_scale": 0.76},
            r"level_2_scale: must be above 0 and at most level_1_scale \(0.75\), was 0.76",
        ),
        ({"cool_down_minutes": 0}, "cool_down_minutes: must be at least 1, was 0"),
        ({"windows": ("day", "month")}, "windows: 'month' is not one of day, week, peak"),
        ({"windows": ()}, r"windows: name at least one of day, week, peak, each once, was \(\)"),
        ({"windows": ("day", "day")}, r"windows: .* each once, was \(day, day\)"),
    ],
)
def test_a_ladder_that_means_nothing_is_refused_by_key(changes: dict, message: str):
    with pytest.raises(ConfigError, match=f"^{message}$"):
        BreakerSpec(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"level_1_scale": 1.0, "level_2_scale": 1.0},
        {"level_2_scale": 0.75},
        {"cool_down_minutes": 1},
        {"windows": ("peak",)},
        {"level_3_fraction": 0.99},
    ],
)
def test_a_value_at_its_bound_is_taken(changes: dict):
    spec = BreakerSpec(**changes)

    assert {name: getattr(spec, name) for name in changes} == changes


def test_a_ladder_is_read_from_a_configuration():
    raw = {"level_1_fraction": "4%", "windows": ["day"], "basis": "balance"}

    assert read(BreakerSpec, raw, "breaker") == BreakerSpec(
        level_1_fraction=0.04, windows=("day",), basis=LossBasis.BALANCE
    )
    with pytest.raises(ConfigError, match=r"^breaker\.level_2_fraction: must be above"):
        read(BreakerSpec, {"level_2_fraction": "4%"}, "breaker")


def test_every_name_that_risk_promises_is_there():
    assert all(hasattr(risk, name) for name in risk.__all__)
