"""The page of risk rules names every rule, key and set, and quotes what the gate really says."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from mtquant.app.prop_rules import list_prop_rules
from mtquant.app.risk.keys import KEYS, WITHOUT_KEY
from mtquant.app.risk.showing import limit_rows, value_text
from mtquant.app.risk_limits import list_risk_presets, load_risk_preset
from mtquant.exchange import AccountSpec, InstrumentSpec, Terms, VenueSpec
from mtquant.model import (
    AccountSnapshot,
    IntentAction,
    IntentRow,
    IntentState,
    MarginMode,
    OrderIntent,
    Position,
    Quote,
    Side,
    TradeMode,
)
from mtquant.portfolio.exposure import Exposure, Valuer
from mtquant.risk import (
    ENTRY_RULES,
    BreakerSpec,
    Directions,
    PropChoice,
    Refused,
    RiskEngine,
    RiskLimits,
    RiskView,
    SizingMethod,
    SizingSpec,
    kelly_plan_a_stake_fraction,
    kelly_stake_fraction,
)

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "reference" / "risk-rules.md").read_text(encoding="utf-8")
RULES, _, REST = PAGE.partition("## Keys")
PRESETS = REST.partition("## Presets")[2].partition("## Rules of prop firms")[0].splitlines()
VENUE = VenueSpec(
    server="x",
    account=AccountSpec(),
    instruments={
        "EURUSD": InstrumentSpec(
            digits=5, contract_size=100_000.0, base_currency="EUR", profit_currency="USD"
        )
    },
)
TERMS = Terms.of(VENUE, "EURUSD")
ACCOUNT = AccountSnapshot(
    login=1,
    server="x",
    currency="USD",
    currency_digits=2,
    leverage=100,
    margin_mode=MarginMode.HEDGING,
    is_demo=True,
    trade_allowed=True,
    balance_minor=1_000_000,
    equity_minor=1_000_000,
    margin_minor=0,
    time_ms=0,
)
QUOTE = Quote(symbol="EURUSD", time_ms=0, bid_points=110_000, ask_points=110_010)
INTENT = OrderIntent(
    strategy_id="sma",
    symbol="EURUSD",
    action=IntentAction.OPEN,
    side=Side.BUY,
    volume_units=50_000_000,
    trigger="bar:1",
    decided_ms=0,
    deadline_ms=10,
    price_points=110_010,
    stop_loss_points=109_710,
    take_profit_points=110_310,
)
HELD = Position(
    position_ticket=71,
    symbol="EURUSD",
    side=Side.SELL,
    volume_units=50_000_000,
    open_points=110_000,
    open_ms=0,
    current_points=110_000,
    current_ms=0,
    stop_loss_points=110_300,
    take_profit_points=None,
    profit_minor=0,
    swap_minor=0,
    digits=5,
    contract_size=100_000.0,
)
VALUER = Valuer(terms=TERMS, asset_class="forex", leverage_cap=30.0)
HELD_SUMS = Exposure(
    gross_minor=4_800_000.0,
    net_minor=3_800_000.0,
    at_caps_minor=900_000.0,
    by_symbol={"EURUSD": 2_800_000.0},
    by_class={"forex": 4_800_000.0},
    by_currency={"EUR": 3_800_000.0},
)
Case = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]


def case(limits: dict[str, Any] | None = None, intent: Any = None, **view: Any) -> Case:
    """Return limits, view and intent that differ from what passes."""
    return limits or {}, view, intent or {}


CASES: dict[str, Case] = {
    "halt": case(halt_level=1),
    "reconciled": case(is_ready=False),
    "unresolved_order": case(
        in_flight=(IntentRow(intent_id=4711, intent=INTENT, state=IntentState.UNKNOWN),)
    ),
    "trade_mode": case(trade_mode=TradeMode.CLOSE_ONLY),
    "cash": case(cash_lack_minor=-1_250),
    "breaker": case({"breaker": BreakerSpec()}, breaker_level=2),
    "prop_rules": case(
        {"prop": PropChoice(rules="ftmo-2-step", initial_deposit=10_000.0)},
        prop_words="prop_status: stopped before the firm's line, limit ok; entries return at the "
        "firm's next reset",
    ),
    "directions": case({"directions": Directions.SHORT_ONLY}),
    "fifo_no_hedge": case({"fifo_no_hedge": True, "max_positions": 3}, positions=(HELD,)),
    "quote": case(quote=None),
    "quote_age": case(quote=replace(QUOTE, age_ms=61_500)),
    "max_spread": case(quote=replace(QUOTE, ask_points=110_055)),
    "price_band": case({"price_band_fraction": 0.02}, reference_points=112_500),
    "max_slippage": case({"max_slippage_points": 10}, slippage_points=12.5),
    "stop_loss": case(intent={"stop_loss_points": None}),
    "take_profit": case(intent={"take_profit_points": 109_000}),
    "volume": case(intent={"volume_units": 50_500_000}),
    "min_order": case({"min_order_lots": 0.1}, {"volume_units": 5_000_000}),
    "max_daily_volume": case(
        {"max_daily_volume_fraction": 0.05, "average_daily_lots": {"EURUSD": 8.0}}
    ),
    "min_reward_risk": case({"min_reward_risk": 1.5}),
    "max_position_exposure": case({"max_position_exposure_ratio": 3.0}),
    "max_entries_per_minute": case({"max_entries_per_minute": 2}, entries_in_minute=2),
    "max_entries_per_day": case({"max_entries_per_day": 10}, entries_today=10),
    "max_entries_in_a_row": case({"max_entries_in_a_row": 6}, entries_in_a_row=6),
    "cool_down": case({"cool_down_after_loss_minutes": 15.0}, now_ms=400_000, last_loss_ms=40_000),
    "trading_hours": case(
        {"trading_hours": ("mon-fri 08:00-20:00",)}, server_wall_ms=1_483_389_000_000
    ),
    "news": case({"news_calendar": "calendar.csv"}, news="USD Nonfarm Payrolls"),
    "pattern_day_trader": case({"pattern_day_trader": True}, day_trades=1, opened_today=2),
    "max_positions": case(positions=(HELD,)),
    "max_daily_loss": case(day_loss_minor=51_025),
    "max_weekly_loss": case({"max_weekly_loss_fraction": 0.1}, week_loss_minor=100_000),
    "max_drawdown": case({"max_drawdown_fraction": 0.1}, drawdown_fraction=0.1037),
    "min_equity": case({"min_account_equity": 12_000.0}),
    "free_margin": case(account=replace(ACCOUNT, margin_minor=960_000)),
    "min_margin_level": case(
        {"min_margin_level_percent": 300.0}, account=replace(ACCOUNT, margin_minor=400_000)
    ),
    "value_known": case({"max_gross_exposure_ratio": 50.0}, exposure=Exposure(unknown=("US500",))),
    "max_gross_exposure": case({"max_gross_exposure_ratio": 10.0}, exposure=HELD_SUMS),
    "max_net_exposure": case({"max_net_exposure_ratio": 9.0}, exposure=HELD_SUMS),
    "max_symbol_exposure": case({"max_symbol_exposure_ratio": 8.0}, exposure=HELD_SUMS),
    "max_class_exposure": case({"max_class_exposure_ratio": 10.0}, exposure=HELD_SUMS),
    "max_currency_exposure": case({"max_currency_exposure_ratio": 9.0}, exposure=HELD_SUMS),
    "max_leverage": case({"max_leverage": {"forex_major": 30.0}}, exposure=HELD_SUMS),
    "max_correlation": case({"max_correlation": 0.7}, correlation=(0.83, "GBPUSD")),
}


def view_of(changes: dict[str, Any]) -> RiskView:
    """Return a view in which everything passes, apart from changes."""
    usual = {
        "now_ms": 0,
        "account": ACCOUNT,
        "instrument": TERMS.instrument,
        "quote": QUOTE,
        "positions": (),
        "in_flight": (),
        "may_come": (),
        "day_start_balance_minor": 1_000_000,
        "week_start_balance_minor": 1_000_000,
        "day_loss_minor": 0,
        "entries_in_minute": 0,
        "entries_today": 0,
        "entries_in_a_row": 0,
        "cash_lack_minor": 0,
        "halt_level": 0,
        "is_ready": True,
        "valuer": VALUER,
        "reference_points": 110_000,
    }
    return RiskView(**(usual | changes))


def refusals_of(one: Case) -> dict[str, str]:
    """Return what the gate says to a case, by rule."""
    limits, view, intent = one
    verdict = RiskEngine(RiskLimits(**limits)).decide(replace(INTENT, **intent), view_of(view))
    assert isinstance(verdict, Refused)
    return {refusal.rule: str(refusal) for refusal in verdict.refusals}


def row_of(rule: str) -> str:
    """Return the line about a rule."""
    (found,) = [line for line in RULES.splitlines() if line.startswith(f"| `{rule}` |")]
    return found


def test_there_is_a_case_for_every_rule() -> None:
    assert list(CASES) == [rule.name for rule in ENTRY_RULES]


@pytest.mark.parametrize("rule", CASES)
def test_the_page_quotes_what_the_gate_says_and_names_the_rules_keys(rule: str) -> None:
    line = row_of(rule)

    assert f"`{refusals_of(CASES[rule])[rule]}`" in line
    assert all(f"`{key}`" in line for key, facts in KEYS.items() if rule in facts.rules), line


@pytest.mark.parametrize("rule", CASES)
def test_a_case_differs_in_one_rule_alone(rule: str) -> None:
    assert list(refusals_of(CASES[rule])) == [rule]


def test_every_key_of_the_limits_stands_on_the_page_with_its_default() -> None:
    usual = RiskLimits()
    for one in fields(RiskLimits):
        default = getattr(usual, one.name)
        told = value_text(one.name, default) if one.name != "sizing" else "percent_at_risk"
        wanted = f"| `{one.name}` | `{one.metadata['section']}` | {told} |"
        assert wanted in PAGE, wanted


def test_the_sensible_ranges_on_the_page_are_those_of_the_readers() -> None:
    for cls in (RiskLimits, SizingSpec, BreakerSpec, PropChoice):
        for one in fields(cls):
            if "sensible" in one.metadata:
                found = one.metadata["sensible"]
                least, most = found.least, found.most
                is_clear = most < 100 * least
                below = "the end" if is_clear else f"{100 * least:g}"
                assert found.is_clear(most) == is_clear
                wanted = f"| `{one.name}` | {least:g} | {most:g} | {below} |"
                assert wanted in PAGE, wanted


def test_keys_are_mapped_to_rules_that_exist_and_no_rule_is_left_out() -> None:
    names = {rule.name for rule in ENTRY_RULES}
    mapped = {rule for facts in KEYS.values() for rule in facts.rules}

    assert list(KEYS) == [one.name for one in fields(RiskLimits)]
    assert mapped | set(WITHOUT_KEY) == names
    assert not mapped & set(WITHOUT_KEY)


def test_every_sizing_method_and_its_parameters_stand_on_the_page() -> None:
    words = [method.name.lower() for method in SizingMethod]
    words += [f"{one.name}" for one in fields(SizingSpec)]
    words += [one.name for cls in (BreakerSpec, PropChoice) for one in fields(cls)]

    assert not [word for word in words if f"`{word}`" not in PAGE]


@pytest.mark.parametrize("preset", list_risk_presets())
def test_the_table_of_presets_holds_every_value_that_a_preset_sets(preset: str) -> None:
    (head,) = [line for line in PRESETS if line.startswith("| Key |")]
    column = [cell.strip() for cell in head.split("|")].index(f"`{preset}`")
    usual = {row.key: row.value for row in limit_rows(RiskLimits())}
    for row in limit_rows(load_risk_preset(preset)):
        if row.value != usual.get(row.key):
            (line,) = [one for one in PRESETS if one.startswith(f"| `{row.key}` |")]
            cell = [part.strip() for part in line.split("|")][column]
            assert cell == value_text(row.key, row.value), row.key


def test_every_shipped_prop_set_stands_on_the_page() -> None:
    assert not [name for name in list_prop_rules() if f"`{name}`" not in PAGE]


def test_plan_a_examples_of_sizing_come_out_as_told() -> None:
    record = (0.6, 100.0, 50.0)
    textbook, plan = kelly_stake_fraction(*record), kelly_plan_a_stake_fraction(*record)

    told = [float(one) for one in re.findall(r"= ([\d.]+) of\s+equity", PAGE)]
    assert told == pytest.approx([textbook, plan, 0.25 * plan])
