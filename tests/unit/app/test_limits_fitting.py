"""Limits that no order of the venue can meet are refused; refused entries are told of."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from mtquant.app.backtest import BacktestOptions, run_backtest_command
from mtquant.app.config import load_config
from mtquant.app.screen import limit_lines
from mtquant.model import ConfigError


@pytest.mark.parametrize(
    ("risk", "told"),
    [
        (
            {"average_daily_lots": {"EURUDS": 5}},
            "risk.average_daily_lots.EURUDS: the venue has no such symbol; did you mean 'EURUSD'?",
        ),
        (
            {"asset_classes": {"NOPE": "share"}},
            "risk.asset_classes.NOPE: the venue has no such symbol; known: EURUSD",
        ),
        (
            {"sizing": {"max_lots": 0.001}},
            "risk.sizing.max_lots (0.001) is less than volume_min_lots (0.01), the smallest",
        ),
        (
            {"sizing": {"method": "fixed_lots", "lots": 0.005}},
            "risk.sizing.lots (0.005) is less than volume_min_lots (0.01), the smallest",
        ),
        (
            {"sizing": {"max_lots": 0.5}, "min_order_lots": 1},
            "risk.min_order_lots (1) is more than sizing.max_lots (0.5): every order",
        ),
        (
            {"max_daily_loss_fraction": "10%", "max_weekly_loss_fraction": "5%"},
            "risk.max_daily_loss_fraction (0.1) is more than max_weekly_loss_fraction (0.05)",
        ),
    ],
)
def test_limits_that_no_order_of_the_venue_can_meet_are_refused(
    risk: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(told)):
        load_config(overrides={"risk": risk})


def test_symbols_of_the_venue_are_taken() -> None:
    risk = {"average_daily_lots": {"EURUSD": 5}, "asset_classes": {"EURUSD": "forex_minor"}}

    assert load_config(overrides={"risk": risk}).config.risk.average_daily_lots == {"EURUSD": 5.0}


def test_a_backtest_whose_entries_were_all_refused_says_by_which_rules(tmp_path: Any) -> None:
    path = tmp_path / "bot.yaml"
    raw = dict(load_config().raw) | {"risk": {"preset": "plan-a"}}
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")

    summary = run_backtest_command(BacktestOptions(config=path)).summary

    count = summary["refused_entries"]
    assert summary["trades"] == 0
    assert count == summary["entries"] > 0
    assert summary["refused_by_rule"]["max_position_exposure"] == count
    (line,) = limit_lines(summary)
    assert line.endswith(f"{count:,} of {count:,} entries refused: {rules_of(summary)}")


def rules_of(summary: Any) -> str:
    return ", ".join(f"{rule} {count:,}" for rule, count in summary["refused_by_rule"].items())


def test_a_halt_is_told_of_beside_the_refusals() -> None:
    summary = {"entries": 5, "refused_entries": 0, "refused_by_rule": {}, "halts": ["level 3: x"]}

    assert limit_lines(summary) == ["Halt         level 3: x"]


def test_a_run_that_counts_no_refusals_says_how_to_have_them_counted() -> None:
    assert limit_lines({"trades": 3}) == []
    assert limit_lines({"trades": 0, "open_positions": 1}) == []
    assert "mtquant risk simulate" in limit_lines({"trades": 0, "open_positions": 0})[0]
