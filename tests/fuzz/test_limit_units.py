"""A limit that is written in another unit is refused, and both readings are shown."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtquant.model import ConfigError, read
from mtquant.risk import BreakerSpec, PropChoice, RiskLimits, SizingSpec

KINDS: dict[type, dict[str, Any]] = {
    RiskLimits: {},
    BreakerSpec: {},
    SizingSpec: {},
    PropChoice: {"rules": "firm", "initial_deposit": 1.0},
}
RECORD = {"average_win": 1.0, "average_loss": 1.0}
BESIDE: dict[str, dict[str, Any]] = {  # what has to stand beside a key
    "equity_fraction": {"method": "fixed_fractional"},
    "win_rate_fraction": {"method": "kelly", **RECORD, "kelly_fraction": "2%"},
    "kelly_fraction": {"method": "kelly", "win_rate_fraction": 0.6, **RECORD},
    "annual_volatility_fraction": {"method": "volatility_target"},
    "level_1_scale": {"level_2_scale": "0.001%"},
    "level_2_scale": {"level_1_scale": "100%"},
}
LADDER = [f"level_{level}_fraction" for level in (1, 2, 3)]

# What anybody may mean: prop firms' traders, retail clients with leverage, accounts without any.
LOSS = (0.001, 0.99)
FRACTIONS: dict[tuple[type, str], tuple[float, float]] = {
    (RiskLimits, "risk_per_trade_fraction"): (0.0005, 0.1),
    (RiskLimits, "max_daily_volume_fraction"): (0.001, 1.0),
    (RiskLimits, "max_daily_loss_fraction"): LOSS,
    (RiskLimits, "max_weekly_loss_fraction"): LOSS,
    (RiskLimits, "max_drawdown_fraction"): LOSS,
    (RiskLimits, "price_band_fraction"): (0.0005, 0.5),
    (RiskLimits, "max_correlation"): (0.05, 1.0),
    (PropChoice, "buffer_fraction"): (0.005, 0.9),
    (BreakerSpec, "level_1_fraction"): LOSS,
    (BreakerSpec, "level_2_fraction"): LOSS,
    (BreakerSpec, "level_3_fraction"): LOSS,
    (BreakerSpec, "level_1_scale"): (0.05, 1.0),
    (BreakerSpec, "level_2_scale"): (0.05, 1.0),
    (SizingSpec, "equity_fraction"): (0.005, 1.0),
    (SizingSpec, "win_rate_fraction"): (0.05, 0.98),
    (SizingSpec, "kelly_fraction"): (0.05, 1.0),
    (SizingSpec, "annual_volatility_fraction"): (0.01, 1.0),
}
RATIOS: dict[tuple[type, str], tuple[float, float]] = {
    (RiskLimits, "max_position_exposure_ratio"): (0.01, 30.0),
    (RiskLimits, "max_gross_exposure_ratio"): (0.1, 100.0),
    (RiskLimits, "max_net_exposure_ratio"): (0.05, 100.0),
    (RiskLimits, "max_symbol_exposure_ratio"): (0.02, 50.0),
    (RiskLimits, "max_class_exposure_ratio"): (0.05, 100.0),
    (RiskLimits, "max_currency_exposure_ratio"): (0.05, 100.0),
}
PERCENTS = {(RiskLimits, "min_margin_level_percent"): (50.0, 4000.0)}
ALL = FRACTIONS | RATIOS | PERCENTS


def each(*ranges: dict[tuple[type, str], tuple[float, float]]) -> pytest.MarkDecorator:
    rows = [(kind, key) for one in ranges for kind, key in one]
    ids = [f"{kind.__name__}.{key}" for kind, key in rows]
    return pytest.mark.parametrize(("kind", "key"), rows, ids=ids)


def meant(kind: type, key: str) -> st.SearchStrategy[float]:
    least, most = ALL[kind, key]
    return st.floats(least, most)


def taken(kind: type, key: str, written: object, value: float) -> float:
    """Read a section with one key written; a ladder is made to rise around it."""
    raw = {**KINDS[kind], **BESIDE.get(key, {}), key: written}
    if key in LADDER:
        rank = LADDER.index(key)
        for index, name in enumerate(LADDER):
            if index < rank:
                raw[name] = f"{100 * value * (index + 1) / 10!r}%"
            elif index > rank:
                raw[name] = f"{100 * (value + (1 - value) * index / 10)!r}%"
    if key == "max_daily_loss_fraction":
        raw["max_weekly_loss_fraction"] = None
    if key == "max_weekly_loss_fraction":
        raw["max_daily_loss_fraction"] = "0.01%"
    found: float = getattr(read(kind, raw, "limits"), key)
    return found


def refused(kind: type, key: str, written: object) -> str:
    with pytest.raises(ConfigError) as problem:
        read(kind, {**KINDS[kind], **BESIDE.get(key, {}), key: written}, "limits")
    message = str(problem.value)
    assert message.startswith(f"limits.{key}: {written!r} ")
    assert "\n" not in message
    return message


def readings(message: str) -> list[float]:
    """Return the numbers that a message shows with a percent sign, as fractions."""
    shown = message.split(" ", 2)[2]
    return [float(one) / 100 for one in re.findall(r"([\d.]+(?:e[+-]?\d+)?) ?%", shown)]


def offers(message: str) -> list[str]:
    return re.findall(r"'([^']+)'", message.split(" ", 2)[2])


def test_every_share_and_ratio_of_limits_has_a_range_of_what_may_be_meant() -> None:
    ends = ("_fraction", "_ratio", "_percent", "_scale", "_correlation")
    named = {
        (kind, one.name) for kind in KINDS for one in fields(kind) if one.name.endswith(ends)
    } - {(RiskLimits, "on_correlation")}

    assert set(ALL) == named


@each(FRACTIONS, RATIOS)
@given(data=st.data())
def test_a_percentage_without_its_sign_is_refused_with_both_readings(
    kind: type, key: str, data: st.DataObject
) -> None:
    value = data.draw(meant(kind, key))

    found = readings(refused(kind, key, 100 * value))

    assert pytest.approx(100 * value) in found
    assert pytest.approx(value) in found


@each(PERCENTS)
@given(data=st.data())
def test_a_factor_where_percent_is_asked_is_refused_with_both_readings(
    kind: type, key: str, data: st.DataObject
) -> None:
    value = data.draw(meant(kind, key))

    found = readings(refused(kind, key, value / 100))

    assert pytest.approx(value / 100) in [100 * one for one in found]
    assert pytest.approx(value) in [100 * one for one in found]


@each(ALL)
@given(data=st.data())
def test_a_number_with_a_percent_sign_is_taken_over_the_whole_range(
    kind: type, key: str, data: st.DataObject
) -> None:
    value = data.draw(meant(kind, key))
    percent = value if (kind, key) in PERCENTS else 100 * value

    assert taken(kind, key, f"{percent!r}%", value) == pytest.approx(value, rel=1e-12)


@each(RATIOS)
@given(data=st.data())
def test_a_ratio_that_says_times_is_taken_over_the_whole_range(
    kind: type, key: str, data: st.DataObject
) -> None:
    value = data.draw(meant(kind, key))

    assert taken(kind, key, f"{value!r}x", value) == value
    assert taken(kind, key, f"{value!r} x", value) == value


@each(ALL)
@given(data=st.data())
def test_a_bare_number_means_itself_or_is_refused_with_what_then_passes(
    kind: type, key: str, data: st.DataObject
) -> None:
    value = data.draw(meant(kind, key))
    try:
        assert taken(kind, key, value, value) == value
    except ConfigError as error:
        shares = [float(one.rstrip("%x")) for one in offers(str(error))]
        assert len(shares) == 2
        for written in offers(str(error)):
            number = float(written.rstrip("%x"))
            share = number / 100 if written.endswith("%") else number
            assert taken(kind, key, written, share) == pytest.approx(share)


@pytest.mark.parametrize(
    ("kind", "raw", "key", "value"),
    [
        (RiskLimits, {"risk_per_trade_fraction": 0.02}, "risk_per_trade_fraction", 0.02),
        (RiskLimits, {"max_daily_loss_fraction": 0.05}, "max_daily_loss_fraction", 0.05),
        (RiskLimits, {"max_correlation": 0.7}, "max_correlation", 0.7),
        (RiskLimits, {"max_correlation": "70%"}, "max_correlation", 0.7),
        (RiskLimits, {"max_gross_exposure_ratio": 1.5}, "max_gross_exposure_ratio", 1.5),
        (RiskLimits, {"min_margin_level_percent": 300}, "min_margin_level_percent", 300.0),
        (RiskLimits, {"max_symbol_exposure_ratio": "20%"}, "max_symbol_exposure_ratio", 0.2),
        (BreakerSpec, {"level_1_scale": "80%"}, "level_1_scale", 0.8),
    ],
)
def test_what_people_usually_write_is_taken(
    kind: type, raw: dict[str, Any], key: str, value: float
) -> None:
    assert getattr(read(kind, raw), key) == pytest.approx(value)


@given(value=st.floats(1.0, 99.0))
def test_a_leverage_is_taken_as_a_bare_number_and_as_one_that_says_its_unit(value: float) -> None:
    for written in (value, f"{value!r}x", f"{100 * value!r}%"):
        found = read(RiskLimits, {"max_leverage": {"forex_major": written}}).max_leverage
        assert found["forex_major"] == pytest.approx(value, rel=1e-12)


@given(value=st.floats(1.0, 500.0))
def test_a_leverage_in_percent_or_as_a_margin_is_refused_with_both_readings(value: float) -> None:
    with pytest.raises(ConfigError, match=r"^max_leverage\.gold: .*: write '") as percent:
        read(RiskLimits, {"max_leverage": {"gold": 100 * value}})
    assert offers(str(percent.value))[0] == f"{100 * value:.12g}x"
    assert float(offers(str(percent.value))[1].rstrip("%")) == pytest.approx(100 * value)
    if value > 1.001:
        for margin in (1 / value, f"{100 / value!r}%"):
            with pytest.raises(ConfigError, match=r"max_leverage\.gold.*margin.*x'") as problem:
                read(RiskLimits, {"max_leverage": {"gold": margin}})
            leverage = offers(str(problem.value))[1].removesuffix("x")
            assert float(leverage) == pytest.approx(value, rel=1e-5)
