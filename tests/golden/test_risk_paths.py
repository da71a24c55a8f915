"""The shipped demo under every preset of limits and two firms' rules: what it does, stored.

A change here changes what users see: it needs a line in the changelog that says why. To store what
is played now, run this module: `python tests/golden/test_risk_paths.py`.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mtquant.app.config import load_config
from mtquant.app.risk_limits import list_risk_presets
from mtquant.app.wiring import make_plan, run_backtest
from mtquant.research.equity import daily_equity, equity_curve
from mtquant.research.trades import closed_trades, trades_sha256

if TYPE_CHECKING:
    from mtquant.model import Publish

STORED = Path(__file__).with_name("risk_paths.json")
DEMO_RISK = {"max_positions": 1, "max_spread_points": 30}
FIRMS = {
    "ftmo-2-step": {"deposit": 10_000, "phase": "Challenge"},
    "topstep-50k": {"deposit": 50_000, "phase": "Trading Combine"},
}
_NO_EXPOSURE = dict.fromkeys(
    (
        "max_position_exposure_ratio",
        "max_gross_exposure_ratio",
        "max_symbol_exposure_ratio",
        "max_class_exposure_ratio",
        "max_currency_exposure_ratio",
        "min_margin_level_percent",
    )
)
_NARROW = {"level_1_fraction": 0.01, "level_2_fraction": 0.0105, "level_3_fraction": 0.011}
LOSING = {  # the demo's trades, each so large that the breaker has something to do
    "plan-a-losing": {"preset": "plan-a", "risk_per_trade_fraction": 0.05, **_NO_EXPOSURE},
    "conservative-losing": {
        "preset": "conservative",
        "risk_per_trade_fraction": "0.1 = 10%",
        "breaker": _NARROW,
        **_NO_EXPOSURE,
    },
}


def sections(name: str) -> dict[str, Any]:
    """Return what a run says otherwise than the demo."""
    if name in LOSING:
        return {"risk": LOSING[name]}
    if name not in FIRMS:
        return {"risk": {"preset": name}}
    firm = FIRMS[name]
    account = {"currency": "USD", "deposit": firm["deposit"], "leverage": 100}
    venue = load_config().raw["venue"] | {"account": {**account, "margin_mode": "hedging"}}
    prop = {"rules": name, "initial_deposit": firm["deposit"], "phase": firm["phase"]}
    risk = {"risk_per_trade_fraction": 0.02, "max_daily_loss_fraction": 0.5, **DEMO_RISK}
    return {"venue": venue, "risk": {**risk, "prop": prop}}


NAMES = [*list_risk_presets(), *LOSING, *FIRMS]


def played(name: str) -> dict[str, Any]:
    """Return what a run comes to."""
    plan = make_plan(load_config(overrides=sections(name)))
    notes: list[Publish] = []
    deals = run_backtest(plan, notes.append).book.ledger.deals
    venue = plan.config.venue
    _, days = daily_equity(plan.bars, equity_curve(plan.bars, deals, venue), venue.clock)
    refused = [one for one in notes if one.name == "order_refused"]
    rules = Counter(rule for one in refused for rule in str(one.fields["rules"]).split(","))
    return {
        "trades_sha256": trades_sha256(closed_trades(deals)),
        "deals": len(deals),
        "midnight_equity_minor": [int(one) for one in days],
        "refusals": {rule.strip(): rules[rule] for rule in sorted(rules)},
        "breaker": [_told(one) for one in notes if one.name == "breaker_rose"],
        "prop": [_told(one) for one in notes if one.name == "prop_rule_met"],
        "halts": [_told(one) for one in notes if one.name == "halt_raised"],
    }


def _told(one: Publish) -> dict[str, Any]:
    return {"time_ms": one.time_ms, **one.fields}


@pytest.mark.parametrize("name", NAMES)
def test_a_run_under_limits_gives_the_recorded_path(name: str) -> None:
    stored = json.loads(STORED.read_text(encoding="utf-8"))

    assert played(name) == stored[name]


def test_every_preset_has_a_stored_path_and_each_level_of_the_breaker_is_met() -> None:
    stored = json.loads(STORED.read_text(encoding="utf-8"))

    assert set(stored) == set(NAMES)
    levels = {step["level"] for one in stored.values() for step in one["breaker"]}
    assert levels == {1, 2, 3}
    assert all("prop_rules" in stored[name]["refusals"] for name in FIRMS)
    assert any(one["halts"] for one in stored.values())


if __name__ == "__main__":
    paths = {name: played(name) for name in NAMES}
    STORED.write_text(json.dumps(paths, indent=1) + "\n", encoding="utf-8")
