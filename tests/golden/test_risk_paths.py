"""Worlds in which each preset of limits and two firms' rules let trades through and refuse some.

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
    "plan-a-losing": {"preset": "plan-a", "risk_per_trade_fraction": "5%", **_NO_EXPOSURE},
    "conservative-losing": {
        "preset": "conservative",
        "risk_per_trade_fraction": "10%",
        "breaker": _NARROW,
        **_NO_EXPOSURE,
    },
}


PRESETS = {  # what each needs in order to bind now and then: an account, a size, a second strategy
    "conservative": {},
    "plan-a": {"sizing": {"method": "fixed_lots", "lots": 0.9}},
    "esma-retail": {"risk_per_trade_fraction": "10%"},
    "nfa-fifo-no-hedge": {"max_positions": 5},
}
BINDS = {
    "conservative": "cool_down",
    "plan-a": "max_position_exposure",
    "esma-retail": "max_leverage",
    "nfa-fifo-no-hedge": "fifo_no_hedge",
}
DEPOSITS = {"plan-a": 1_000_000}


def whole(name: str) -> dict[str, Any]:
    """Return the configuration of a run."""
    raw = dict(load_config().raw)
    if name in LOSING:
        return raw | {"risk": LOSING[name]}
    if name in FIRMS:
        return raw | sections_of_firm(name)
    raw |= {"risk": {"preset": name, **PRESETS[name]}}
    if name in DEPOSITS:
        account = raw["venue"]["account"] | {"deposit": DEPOSITS[name]}
        raw |= {"venue": raw["venue"] | {"account": account}}
    if name == "nfa-fifo-no-hedge":
        raw |= {"strategies": two_strategies(raw.pop("strategy"), raw.pop("exits"))}
    return raw


def two_strategies(strategy: dict[str, Any], exits: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the demo's strategy and a quicker one, which will want to hold against it."""
    quick = strategy | {"parameters": {"fast": 5, "slow": 20}}
    return [one | {"exits": exits, "id": name} for name, one in (("a", strategy), ("b", quick))]


def sections_of_firm(name: str) -> dict[str, Any]:
    """Return what a run under a firm's rules says otherwise than the demo."""
    firm = FIRMS[name]
    account = {"currency": "USD", "deposit": firm["deposit"], "leverage": 100}
    venue = load_config().raw["venue"] | {"account": {**account, "margin_mode": "hedging"}}
    prop = {"rules": name, "initial_deposit": firm["deposit"], "phase": firm["phase"]}
    risk = {"risk_per_trade_fraction": 0.02, "max_daily_loss_fraction": "50%", **DEMO_RISK}
    return {"venue": venue, "risk": {**risk, "prop": prop}}


NAMES = [*list_risk_presets(), *LOSING, *FIRMS]


def played(name: str) -> dict[str, Any]:
    """Return what a run comes to."""
    plan = make_plan(load_config(raw=whole(name)))
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


@pytest.mark.parametrize("name", list_risk_presets())
def test_each_preset_has_a_world_in_which_it_trades_and_refuses(name: str) -> None:
    stored = json.loads(STORED.read_text(encoding="utf-8"))

    assert stored[name]["deals"] >= 20
    assert stored[name]["refusals"][BINDS[name]] >= 1
    assert len({one["trades_sha256"] for one in stored.values()}) == len(stored)


if __name__ == "__main__":
    paths = {name: played(name) for name in NAMES}
    STORED.write_text(json.dumps(paths, indent=1) + "\n", encoding="utf-8")
