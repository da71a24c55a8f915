"""Limits are read from presets, files and keys, in that order, in sections or on one level."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from mtquant.app.config import load_config
from mtquant.app.risk_limits import (
    list_risk_presets,
    load_risk_preset,
    read_risk_limits,
    resolve_limits,
)
from mtquant.app.risk_wiring import load_calendar, make_loss_watch
from mtquant.app.wiring import make_plan
from mtquant.model import ConfigError
from mtquant.risk import OnCorrelation, RiskLimits, SizingMethod

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "config" / "risk-limits.yaml"
PRESETS = ("conservative", "esma-retail", "nfa-fifo-no-hedge", "plan-a")


def written(path: Path, content: Any) -> Path:
    """Write YAML and return where."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def bot_file(folder: Path, risk: Any) -> Path:
    """Write the demo's configuration with limits of its own."""
    return written(folder / "bot.yaml", dict(load_config().raw) | {"risk": risk})


# ---------------------------------------------------------------------------------- presets


def test_the_shipped_presets_are_listed_in_order() -> None:
    assert list_risk_presets() == PRESETS


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_loads_and_limits_something(name: str) -> None:
    assert load_risk_preset(name) != RiskLimits()


def test_plan_a_has_the_numbers_of_the_plan() -> None:
    limits = load_risk_preset("plan-a")

    assert (limits.max_position_exposure_ratio, limits.max_daily_volume_fraction) == (0.1, 0.05)
    assert (limits.max_gross_exposure_ratio, limits.max_class_exposure_ratio) == (1.5, 0.4)
    assert (limits.max_correlation, limits.on_correlation) == (0.7, OnCorrelation.REDUCE)
    losses = (limits.max_daily_loss_fraction, limits.max_weekly_loss_fraction)
    assert (*losses, limits.max_drawdown_fraction) == (0.05, 0.1, 0.2)
    assert limits.breaker is not None
    assert [limits.breaker.limit_fraction(level) for level in (1, 2, 3)] == [0.05, 0.1, 0.15]
    assert [limits.breaker.scale(level) for level in (1, 2)] == [0.75, 0.5]


def test_esma_caps_are_those_of_the_decision() -> None:
    caps = load_risk_preset("esma-retail").max_leverage

    assert (caps["forex_major"], caps["gold"], caps["share"], caps["crypto"]) == (30, 20, 5, 2)


def test_an_unknown_preset_is_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=re.escape("preset: 'plan-b'; did you mean 'plan-a'?")):
        load_risk_preset("plan-b")


# ----------------------------------------------------------------------------- the example


def test_the_example_file_loads_and_says_what_it_shows() -> None:
    limits = read_risk_limits(EXAMPLE)

    assert limits.risk_per_trade_fraction == 0.005
    assert limits.sizing.method is SizingMethod.PERCENT_AT_RISK
    assert (limits.max_positions, limits.min_reward_risk) == (3, 1.0)
    assert limits.prop is None
    assert limits.max_leverage["commodity"] == 10


def test_the_example_file_names_every_key_once_in_its_section() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    named = re.findall(r"^  (?:# )?([a-z_0-9]+):", text, flags=re.MULTILINE)
    wanted = [name for name in RiskLimits.__dataclass_fields__ if name != "breaker"]

    assert not [name for name in wanted if named.count(name) != 1]


def test_the_whole_example_works_as_the_file_of_a_configuration(tmp_path: Path) -> None:
    path = bot_file(tmp_path, {"file": str(EXAMPLE)})

    assert load_config(path).config.risk == read_risk_limits(EXAMPLE)


# ------------------------------------------------------------------------------ precedence


def test_keys_come_over_a_file_and_a_file_over_a_preset(tmp_path: Path) -> None:
    written(tmp_path / "limits.yaml", {"max_positions": 5, "max_spread_points": 11})
    raw = {"preset": "conservative", "file": "limits.yaml", "max_spread_points": 7}

    values = resolve_limits(raw, tmp_path)

    assert values["max_daily_loss_fraction"] == "2%"  # of the preset
    assert values["max_positions"] == 5  # of the file
    assert values["max_spread_points"] == 7  # of the section


def test_a_key_of_null_switches_a_presets_limit_off(tmp_path: Path) -> None:
    path = bot_file(tmp_path, {"preset": "plan-a", "max_drawdown_fraction": None, "breaker": None})

    limits = load_config(path).config.risk

    assert (limits.max_drawdown_fraction, limits.breaker) == (None, None)
    assert limits.max_weekly_loss_fraction == 0.1


def test_a_file_may_start_from_a_preset_and_from_another_file(tmp_path: Path) -> None:
    written(tmp_path / "deep" / "base.yaml", {"preset": "plan-a", "max_positions": 9})
    written(tmp_path / "deep" / "limits.yaml", {"file": "base.yaml", "max_quote_age_s": 5})
    path = bot_file(tmp_path, {"file": "deep/limits.yaml"})

    limits = load_config(path).config.risk

    assert (limits.max_positions, limits.max_quote_age_s) == (9, 5)
    assert limits.max_weekly_loss_fraction == 0.1


@pytest.mark.parametrize("through", ["limits.yaml", "other.yaml"])
def test_a_file_that_names_itself_is_refused(tmp_path: Path, through: str) -> None:
    path = written(tmp_path / "limits.yaml", {"file": through})
    written(tmp_path / "other.yaml", {"file": "limits.yaml"})

    with pytest.raises(ConfigError, match="names itself, directly or through another file"):
        read_risk_limits(path)
    with pytest.raises(ConfigError, match="names itself"):
        load_config(bot_file(tmp_path, {"file": "limits.yaml"}))


def test_a_file_is_looked_for_beside_the_file_that_names_it(tmp_path: Path) -> None:
    path = bot_file(tmp_path / "bots", {"file": "../limits.yaml"})
    written(tmp_path / "limits.yaml", {"max_positions": 4})

    assert load_config(path).config.risk.max_positions == 4


def test_sections_that_are_null_say_nothing(tmp_path: Path) -> None:
    assert resolve_limits({"preset": None, "file": None}, tmp_path) == {}


# --------------------------------------------------------------------------------- sections


def test_sections_and_one_level_say_the_same(tmp_path: Path) -> None:
    flat = {"max_positions": 3, "max_spread_points": 20, "breaker": {"cool_down_minutes": 5}}
    divided = {
        "portfolio": {"max_positions": 3},
        "pre_trade": {"max_spread_points": 20},
        "breaker": {"cool_down_minutes": 5},
    }

    assert resolve_limits(flat, tmp_path) == resolve_limits(divided, tmp_path) == flat


def test_the_section_breaker_may_hold_the_key_breaker(tmp_path: Path) -> None:
    wrapped = {"breaker": {"breaker": {"cool_down_minutes": 5}}}

    assert resolve_limits(wrapped, tmp_path) == {"breaker": {"cool_down_minutes": 5}}


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (
            {"losses": {"max_positions": 3}},
            "risk.losses.max_positions: this key belongs to the section 'portfolio'",
        ),
        (
            {"max_positions": 3, "portfolio": {"max_positions": 3}},
            "risk: max_positions stands twice",
        ),
        ({"portfolio": 3}, "risk.portfolio: expected a section, got 3"),
        (
            ["max_positions"],
            "risk: expected a section with keys such as risk_per_trade_fraction, got ['max_",
        ),
        ({"preset": "plan-b"}, "risk.preset: 'plan-b'; did you mean 'plan-a'?"),
    ],
)
def test_what_is_written_wrongly_is_refused_with_its_place(
    tmp_path: Path, raw: Any, told: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(told)):
        resolve_limits(raw, tmp_path)


@pytest.mark.parametrize(
    ("risk", "told"),
    [
        ({"portfolio": {"max_position": 3}}, "risk.max_position: unknown key; did you mean"),
        ({"max_daily_loss_fraction": 5}, "risk.max_daily_loss_fraction: 5 is more than the whole"),
        ({"max_daily_loss_fraction": 0.0005}, "write '0.05%' or '5%'"),
        ({"file": "nowhere.yaml"}, "nowhere.yaml"),
    ],
)
def test_a_configuration_with_wrong_limits_is_refused_with_file_and_key(
    tmp_path: Path, risk: Any, told: str
) -> None:
    path = bot_file(tmp_path, risk)

    with pytest.raises(ConfigError, match=re.escape(told)) as caught:
        load_config(path)
    assert str(path) in str(caught.value)


def test_a_wrong_key_in_a_file_of_limits_names_that_file(tmp_path: Path) -> None:
    path = written(tmp_path / "limits.yaml", {"losses": {"max_positions": 3}})

    with pytest.raises(ConfigError, match=re.escape(f"{path}.losses.max_positions")):
        read_risk_limits(path)


def test_who_writes_a_fraction_both_ways_is_believed(tmp_path: Path) -> None:
    path = bot_file(tmp_path, {"max_daily_loss_fraction": "0.0005 = 0.05%"})

    assert load_config(path).config.risk.max_daily_loss_fraction == 0.0005


# -------------------------------------------------------------------- beside the configuration


def test_rules_of_a_firm_and_a_calendar_are_found_beside_the_configuration(
    tmp_path: Path,
) -> None:
    rules = {
        "firm": "Near",
        "programme": "P",
        "level": "reported",
        "checked": "2026-11",
        "sources": ["https://example.org"],
        "phases": [{"name": "One"}],
        "max_loss": {"kind": "static", "allowance_fraction": 0.1},
    }
    written(tmp_path / "near.yaml", rules)
    (tmp_path / "calendar.csv").write_text(
        "time,currency,impact,title\n2017-03-03T13:30Z,USD,high,Payrolls\n", encoding="utf-8"
    )
    prop = {"rules": "near.yaml", "phase": "One", "initial_deposit": 10_000}
    loaded = load_config(bot_file(tmp_path, {"prop": prop, "news_calendar": "calendar.csv"}))

    watch = make_loss_watch(loaded.config, loaded.folder)
    (event,) = load_calendar(loaded.config, loaded.folder)

    assert watch.prop is not None
    assert watch.prop.rules.title == "Near P"
    assert (event.currency, event.title) == ("USD", "Payrolls")


def test_the_highest_balance_of_a_file_begins_a_trail(tmp_path: Path) -> None:
    prop = {"rules": "e8-one", "initial_deposit": 10_000, "highest_balance": 10_300}
    loaded = load_config(bot_file(tmp_path, {"prop": prop}))
    watch = make_loss_watch(loaded.config, loaded.folder)
    watch.observe(1_488_369_600_000, 1_025_000, 1_025_000)

    assert watch.prop is not None
    assert watch.prop.state()["max_loss"][2] == 1_030_000 - 40_000


def test_a_highest_balance_below_the_deposit_cannot_be(tmp_path: Path) -> None:
    prop = {"rules": "e8-one", "initial_deposit": 10_000, "highest_balance": 9_999}

    with pytest.raises(ConfigError, match=r"highest_balance must be at least .* 10000, was 9999"):
        load_config(bot_file(tmp_path, {"prop": prop}))


def test_lines_that_would_be_measured_from_another_deposit_refuse_the_run(tmp_path: Path) -> None:
    prop = {"rules": "ftmo-2-step", "initial_deposit": 100_000}
    loaded = load_config(bot_file(tmp_path, {"prop": prop}))

    with pytest.raises(ConfigError) as caught:
        make_plan(loaded)
    said = str(caught.value)
    assert said.startswith("risk.prop.initial_deposit: ")
    assert "100,000.00 USD" in said
    assert "10,000.00 USD" in said


def test_without_a_firm_and_a_calendar_there_is_neither() -> None:
    loaded = load_config()

    assert make_loss_watch(loaded.config, loaded.folder).prop is None
    assert load_calendar(loaded.config, loaded.folder) == ()


def test_an_unknown_firm_is_answered_with_the_nearest(tmp_path: Path) -> None:
    prop = {"rules": "ftmo-3-step", "initial_deposit": 10_000}
    loaded = load_config(bot_file(tmp_path, {"prop": prop}))

    with pytest.raises(ConfigError, match="did you mean 'ftmo-2-step'"):
        make_loss_watch(loaded.config, loaded.folder)


@pytest.mark.parametrize("name", [*list_risk_presets(), "config"])
def test_shipped_sets_keep_the_drawdown_beyond_the_last_level_of_the_breaker(name: str):
    limits = read_risk_limits(EXAMPLE) if name == "config" else load_risk_preset(name)

    if limits.breaker is not None and limits.max_drawdown_fraction is not None:
        assert limits.max_drawdown_fraction > limits.breaker.level_3_fraction
