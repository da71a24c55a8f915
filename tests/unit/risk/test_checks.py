"""Each rule of the gate: at its limit an entry passes or not as the rule says, beyond it never."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from mtquant.model import IntentAction, IntentRow, IntentState, MarginMode, Quote, Side, TradeMode
from mtquant.portfolio.exposure import Exposure
from mtquant.risk import (
    ENTRY_RULES,
    ApprovedOrder,
    BreakerSpec,
    Directions,
    OnCorrelation,
    PropChoice,
    Refused,
    RiskEngine,
    RiskLimits,
)
from mtquant.risk.checks.rule import is_set

A_PERSON = "mtquant resume --who NAME --reason TEXT"
MIDNIGHT = "entries return at the next server midnight"
LOT = 100_000_000
SUNDAY_WALL_MS = 3 * 86_400_000  # 1970-01-04 00:00
TEN_LOTS = {"volume_units": 10 * LOT}


def quote(bid: int, ask: int, age_ms: int = 0) -> Quote:
    return Quote(symbol="EURUSD", time_ms=0, bid_points=bid, ask_points=ask, age_ms=age_ms)


@dataclass(frozen=True, kw_only=True)
class Case:
    """State a rule's limits, an entry that just passes, one that just does not, and its words."""

    rule: str
    limits: dict[str, Any] = field(default_factory=dict)
    at: dict[str, Any] = field(default_factory=dict)  # of the view, `intent` apart
    beyond: dict[str, Any] = field(default_factory=dict)
    told_at: tuple[str, str]
    told: tuple[str, str]
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.rule}-{'-'.join(map(str, self.beyond))}"


CASES = [
    Case(
        rule="halt",
        beyond={"halt_level": 1},
        told_at=("level 0", "level 0"),
        told=("level 1", "level 0"),
        remedy=A_PERSON,
    ),
    Case(
        rule="reconciled",
        beyond={"is_ready": False},
        told_at=("done", "after reconciliation"),
        told=("not yet", "after reconciliation"),
    ),
    Case(
        rule="trade_mode",
        at={"trade_mode": TradeMode.LONG_ONLY},
        beyond={"trade_mode": TradeMode.CLOSE_ONLY},
        told_at=("EURUSD is long only", "open for BUY"),
        told=("EURUSD is close only", "open for BUY"),
        remedy="entries return when the broker lets EURUSD take them",
    ),
    Case(
        rule="cash",
        beyond={"cash_lack_minor": 1},
        told_at=("explained", "none"),
        told=("+0.01 USD that no deal explains", "none"),
        remedy=f"look at the account's history, then: {A_PERSON}",
    ),
    Case(
        rule="breaker",
        limits={"breaker": BreakerSpec()},
        at={"breaker_level": 1},
        beyond={"breaker_level": 2},
        told_at=("level 1", "level 1"),
        told=("level 2", "level 1"),
        remedy=f"after its cool-down: {A_PERSON}",
    ),
    Case(
        rule="prop_rules",
        limits={"prop": PropChoice(rules="firm", initial_deposit=1.0)},
        beyond={"prop_words": "prop_floor: too low"},
        told_at=("allowed", "the firm's rules"),
        told=("prop_floor: too low", "the firm's rules"),
    ),
    Case(
        rule="directions",
        limits={"directions": Directions.LONG_ONLY},
        beyond={"intent": {"side": Side.SELL, "stop_loss_points": 101_000}},
        told_at=("BUY", "long_only"),
        told=("SELL", "long_only"),
    ),
    Case(
        rule="directions",
        limits={"directions": Directions.SHORT_ONLY},
        at={"intent": {"side": Side.SELL, "stop_loss_points": 101_000}},
        beyond={"intent": {}},
        told_at=("SELL", "short_only"),
        told=("BUY", "short_only"),
    ),
    Case(
        rule="quote",
        at={"quote": quote(1, 1)},
        beyond={"quote": quote(0, 1)},
        told_at=("bid 1, ask 1 points", "0 < bid <= ask"),
        told=("bid 0, ask 1 points", "0 < bid <= ask"),
        remedy="entries return with a usable quote of EURUSD",
    ),
    Case(
        rule="quote_age",
        limits={"max_quote_age_s": 5},
        at={"quote": quote(100_000, 100_010, 5_000)},
        beyond={"quote": quote(100_000, 100_010, 5_001)},
        told_at=("5.0 s", "5 s"),
        told=("5.0 s", "5 s"),
        remedy="entries return with the next tick of EURUSD",
    ),
    Case(
        rule="max_spread",
        limits={"max_spread_points": 20},
        at={"quote": quote(100_000, 100_020)},
        beyond={"quote": quote(100_000, 100_021)},
        told_at=("20 points", "20 points"),
        told=("21 points", "20 points"),
        remedy="entries return when the spread of EURUSD is narrow enough",
    ),
    Case(
        rule="price_band",
        limits={"price_band_fraction": 0.01},
        at={"reference_points": 100_000, "quote": quote(101_000, 101_000)},
        beyond={"reference_points": 100_000, "quote": quote(101_000, 101_001)},
        told_at=("101000 points, +1.00% from the last close", "1.00% around 100000 points"),
        told=("101001 points, +1.00% from the last close", "1.00% around 100000 points"),
        remedy="entries return when quotes and bars of EURUSD agree",
    ),
    Case(
        rule="price_band",
        limits={"price_band_fraction": 0.25},
        at={
            "reference_points": 100_000,
            "quote": quote(75_000, 75_001),
            "intent": {"side": Side.SELL, "stop_loss_points": 101_000},
        },
        beyond={
            "reference_points": 100_000,
            "quote": quote(74_999, 75_001),
            "intent": {"side": Side.SELL, "stop_loss_points": 101_000},
        },
        told_at=("75000 points, -25.00% from the last close", "25.00% around 100000 points"),
        told=("74999 points, -25.00% from the last close", "25.00% around 100000 points"),
        remedy="entries return when quotes and bars of EURUSD agree",
    ),
    Case(
        rule="max_slippage",
        limits={"max_slippage_points": 3},
        at={"slippage_points": 3.0},
        beyond={"slippage_points": 3.5},
        told_at=("3 points", "3 points"),
        told=("3.5 points", "3 points"),
        remedy=f"fills of EURUSD count for 30 days, or until: {A_PERSON}",
    ),
    Case(
        rule="stop_loss",
        beyond={"intent": {"stop_loss_points": None}},
        told_at=("99000 points", "a stop below 100010 points"),
        told=("none", "a stop below 100010 points"),
    ),
    Case(
        rule="stop_loss",
        at={"intent": {"stop_loss_points": 1, "price_points": 100_000}},
        beyond={"intent": {"stop_loss_points": -5, "price_points": 100_000}},
        told_at=("1 points", "a stop below 100000 points"),
        told=("-5 points", "a stop below 100000 points"),
    ),
    Case(
        rule="stop_loss",
        at={"intent": {"stop_loss_points": 99_999, "price_points": 100_000}},
        beyond={"intent": {"stop_loss_points": 100_000, "price_points": 100_000}},
        told_at=("99999 points", "a stop below 100000 points"),
        told=("100000 points", "a stop below 100000 points"),
    ),
    Case(
        rule="stop_loss",
        at={"intent": {"side": Side.SELL, "stop_loss_points": 100_001}},
        beyond={"intent": {"side": Side.SELL, "stop_loss_points": 100_000}},
        told_at=("100001 points", "a stop above 100000 points"),
        told=("100000 points", "a stop above 100000 points"),
    ),
    Case(
        rule="take_profit",
        beyond={"intent": {"take_profit_points": 100_010}},
        told_at=("no target", "a target above the entry"),
        told=("100010 points", "a target above 100010 points"),
    ),
    Case(
        rule="take_profit",
        at={"intent": {"take_profit_points": 100_011}},
        beyond={"intent": {"take_profit_points": 100}},
        told_at=("100011 points", "a target above 100010 points"),
        told=("100 points", "a target above 100010 points"),
    ),
    Case(
        rule="take_profit",
        at={
            "intent": {
                "side": Side.SELL,
                "stop_loss_points": 101_000,
                "take_profit_points": 99_999,
            }
        },
        beyond={
            "intent": {"side": Side.SELL, "stop_loss_points": 101_000, "take_profit_points": -5}
        },
        told_at=("99999 points", "a target below 100000 points"),
        told=("-5 points", "a target below 100000 points"),
    ),
    Case(
        rule="volume",
        at={"intent": {"volume_units": 1_000_000}},
        beyond={"intent": {"volume_units": 999_999}},
        told_at=("0.01 lots", "0.01 to 500 lots in steps of 0.01"),
        told=("0.00999999 lots", "0.01 to 500 lots in steps of 0.01"),
        remedy="0.01 lots would pass",
    ),
    Case(
        rule="min_order",
        limits={"min_order_lots": 0.05},
        at={"intent": {"volume_units": 5_000_000}},
        beyond={"intent": {"volume_units": 4_000_000}},
        told_at=("0.05 lots", "at least 0.05 lots"),
        told=("0.04 lots", "at least 0.05 lots"),
    ),
    Case(
        rule="max_daily_volume",
        limits={"max_daily_volume_fraction": 0.05, "average_daily_lots": {"EURUSD": 2.0}},
        at={"intent": {"volume_units": 10_000_000}},
        beyond={"intent": {"volume_units": 11_000_000}},
        told_at=("5.00% of a day's volume", "5.00%"),
        told=("5.50% of a day's volume", "5.00%"),
        remedy="up to 0.1 lots would pass",
    ),
    Case(
        rule="min_reward_risk",
        limits={"min_reward_risk": 1.5},
        at={"intent": {"price_points": 100_000, "take_profit_points": 101_500}},
        beyond={"intent": {"price_points": 100_000, "take_profit_points": 101_490}},
        told_at=("1.50", "at least 1.5"),
        told=("1.49", "at least 1.5"),
        remedy="a target of 101500 points would pass, or one farther away",
    ),
    Case(
        rule="min_reward_risk",
        limits={"min_reward_risk": 2.0},
        at={
            "intent": {
                "side": Side.SELL,
                "price_points": 100_000,
                "stop_loss_points": 100_100,
                "take_profit_points": 99_800,
            }
        },
        beyond={
            "intent": {
                "side": Side.SELL,
                "price_points": 100_000,
                "stop_loss_points": 100_100,
                "take_profit_points": 99_801,
            }
        },
        told_at=("2.00", "at least 2"),
        told=("1.99", "at least 2"),
        remedy="a target of 99800 points would pass, or one farther away",
    ),
    Case(
        rule="min_reward_risk",
        limits={"min_reward_risk": 0.5},
        at={"intent": {"price_points": 100_000, "take_profit_points": 100_500}},
        beyond={"intent": {"price_points": 100_000, "take_profit_points": None}},
        told_at=("0.50", "at least 0.5"),
        told=("no target", "at least 0.5"),
        remedy="a target of 100500 points would pass, or one farther away",
    ),
    Case(
        rule="max_position_exposure",
        limits={"max_position_exposure_ratio": 1.0},
        at={"intent": {"price_points": 100_000}},
        beyond={"intent": {"price_points": 100_001}},
        told_at=("1.00 x equity", "1.00 x equity"),
        told=("1.00 x equity", "1.00 x equity"),
        remedy="up to 0.09 lots would pass",
    ),
    Case(
        rule="max_entries_per_minute",
        limits={"max_entries_per_minute": 2},
        at={"entries_in_minute": 1},
        beyond={"entries_in_minute": 2},
        told_at=("1 in the last 60 seconds", "2"),
        told=("2 in the last 60 seconds", "2"),
        remedy="entries return within a minute",
    ),
    Case(
        rule="max_entries_per_day",
        limits={"max_entries_per_day": 2},
        at={"entries_today": 1},
        beyond={"entries_today": 2},
        told_at=("1 today", "2"),
        told=("2 today", "2"),
        remedy=MIDNIGHT,
    ),
    Case(
        rule="max_entries_in_a_row",
        limits={"max_entries_in_a_row": 2},
        at={"entries_in_a_row": 1},
        beyond={"entries_in_a_row": 2},
        told_at=("1 times BUY", "2"),
        told=("2 times BUY", "2"),
        remedy=f"look at it, then: {A_PERSON}",
    ),
    Case(
        rule="cool_down",
        limits={"cool_down_after_loss_minutes": 1.5},
        at={"now_ms": 100_000, "last_loss_ms": 10_000},
        beyond={"now_ms": 99_999, "last_loss_ms": 10_000},
        told_at=("1.5 min after a loss", "1.5 min"),
        told=("1.5 min after a loss", "1.5 min"),
        remedy="entries return in 0.1 min",
    ),
    Case(
        rule="trading_hours",
        limits={"trading_hours": ("mon 08:00-09:30",)},
        at={"server_wall_ms": SUNDAY_WALL_MS + (24 * 60 + 8 * 60) * 60_000},
        beyond={"server_wall_ms": SUNDAY_WALL_MS + (24 * 60 + 9 * 60 + 30) * 60_000},
        told_at=("mon 08:00 server time", "mon 08:00-09:30"),
        told=("mon 09:30 server time", "mon 08:00-09:30"),
        remedy="entries return with those hours",
    ),
    Case(
        rule="trading_hours",
        limits={"trading_hours": ("sat 08:00-09:00", "sun 10:05-11:00")},
        at={"server_wall_ms": SUNDAY_WALL_MS + 10 * 3_600_000 + 5 * 60_000},
        beyond={"server_wall_ms": SUNDAY_WALL_MS + 10 * 3_600_000 + 5 * 60_000 - 1},
        told_at=("sun 10:05 server time", "sat 08:00-09:00, sun 10:05-11:00"),
        told=("sun 10:04 server time", "sat 08:00-09:00, sun 10:05-11:00"),
        remedy="entries return with those hours",
    ),
    Case(
        rule="news",
        limits={"news_calendar": "calendar.csv"},
        beyond={"news": "USD Payrolls"},
        told_at=("none", "none near"),
        told=("USD Payrolls", "none near"),
        remedy="entries return when its window is over",
    ),
    Case(
        rule="pattern_day_trader",
        limits={"pattern_day_trader": True},
        at={"day_trades": 2},
        beyond={"day_trades": 3},
        told_at=("2 day trades in five days", "3 below 25,000 of equity"),
        told=("3 day trades in five days", "3 below 25,000 of equity"),
        remedy="entries return as trades are five business days old, or from that equity on",
    ),
    Case(
        rule="pattern_day_trader",
        limits={"pattern_day_trader": True},
        at={"day_trades": 3, "account": {"equity_minor": 2_500_000}},
        beyond={"day_trades": 3, "account": {"equity_minor": 2_499_999}},
        told_at=("3 day trades in five days", "3 below 25,000 of equity"),
        told=("3 day trades in five days", "3 below 25,000 of equity"),
        remedy="entries return as trades are five business days old, or from that equity on",
    ),
    Case(
        rule="pattern_day_trader",
        limits={"pattern_day_trader": True},
        at={"day_trades": 1, "opened_today": 1},
        beyond={"day_trades": 2, "opened_today": 1},
        told_at=("1 day trades in five days, 1 opened today", "3 below 25,000 of equity"),
        told=("2 day trades in five days, 1 opened today", "3 below 25,000 of equity"),
        remedy="entries return as trades are five business days old, or from that equity on",
    ),
    Case(
        rule="max_daily_loss",
        limits={"max_daily_loss_fraction": 0.02},
        at={"day_loss_minor": 19_999},
        beyond={"day_loss_minor": 20_000},
        told_at=("199.99 USD", "200.00 USD (2.0% of the day's start)"),
        told=("200.00 USD", "200.00 USD (2.0% of the day's start)"),
        remedy=MIDNIGHT,
    ),
    Case(
        rule="max_weekly_loss",
        limits={"max_weekly_loss_fraction": 0.04},
        at={"week_start_balance_minor": 500_000, "week_loss_minor": 19_999},
        beyond={"week_start_balance_minor": 500_000, "week_loss_minor": 20_000},
        told_at=("199.99 USD", "200.00 USD (4.0% of the week's start)"),
        told=("200.00 USD", "200.00 USD (4.0% of the week's start)"),
        remedy="entries return when the server's next week begins",
    ),
    Case(
        rule="max_drawdown",
        limits={"max_drawdown_fraction": 0.1},
        at={"drawdown_fraction": 0.0999},
        beyond={"drawdown_fraction": 0.1},
        told_at=("9.99%", "10.00%"),
        told=("10.00%", "10.00%"),
        remedy=f"look at it, then: {A_PERSON}",
    ),
    Case(
        rule="min_equity",
        limits={"min_account_equity": 500.0},
        at={"account": {"equity_minor": 50_000}},
        beyond={"account": {"equity_minor": 49_999}},
        told_at=("500.00 USD", "500.00 USD"),
        told=("499.99 USD", "500.00 USD"),
        remedy="entries return from that equity on",
    ),
    Case(
        rule="free_margin",
        at={"intent": {"price_points": 100_000}, "account": {"margin_minor": 990_000}},
        beyond={"intent": {"price_points": 100_000}, "account": {"margin_minor": 990_001}},
        told_at=("100.00 USD", "100.00 USD"),
        told=("100.00 USD", "99.99 USD"),
        remedy="up to 0.09 lots would pass",
    ),
    Case(
        rule="min_margin_level",
        limits={"min_margin_level_percent": 200.0},
        at={"intent": {"price_points": 100_000}, "account": {"margin_minor": 490_000}},
        beyond={"intent": {"price_points": 100_000}, "account": {"margin_minor": 490_001}},
        told_at=("200% after it", "at least 200%"),
        told=("200% after it", "at least 200%"),
        remedy="up to 0.09 lots would pass",
    ),
    Case(
        rule="value_known",
        limits={"max_gross_exposure_ratio": 50.0},
        beyond={"exposure": Exposure(unknown=("OILX", "DAX"))},
        told_at=("all known", "positions whose value is known"),
        told=(
            "a position in OILX, DAX that no strategy trades",
            "positions whose value is known",
        ),
        remedy="entries return when it is closed, or a strategy trades its symbol",
    ),
    Case(
        rule="max_gross_exposure",
        limits={"max_gross_exposure_ratio": 3.0},
        at={"exposure": Exposure(gross_minor=2e6), "intent": {"price_points": 100_000}},
        beyond={"exposure": Exposure(gross_minor=2e6 + 1), "intent": {"price_points": 100_000}},
        told_at=("3.00 x equity", "3.00 x equity"),
        told=("3.00 x equity", "3.00 x equity"),
        remedy="up to 0.09 lots would pass",
    ),
    Case(
        rule="max_net_exposure",
        limits={"max_net_exposure_ratio": 3.0},
        at={"exposure": Exposure(net_minor=2e6), "intent": {"price_points": 100_000}},
        beyond={"exposure": Exposure(net_minor=2e6 + 1), "intent": {"price_points": 100_000}},
        told_at=("3.00 x equity", "3.00 x equity"),
        told=("3.00 x equity", "3.00 x equity"),
        remedy="up to 0.09 lots would pass",
    ),
    Case(
        rule="max_symbol_exposure",
        limits={"max_symbol_exposure_ratio": 3.0},
        at={
            "exposure": Exposure(by_symbol={"EURUSD": 2e6, "X": 9e9}),
            "intent": {"price_points": 100_000},
        },
        beyond={
            "exposure": Exposure(by_symbol={"EURUSD": 2e6 + 1}),
            "intent": {"price_points": 100_000},
        },
        told_at=("3.00 x equity", "3.00 x equity"),
        told=("3.00 x equity", "3.00 x equity"),
        remedy="up to 0.09 lots would pass",
    ),
    Case(
        rule="max_class_exposure",
        limits={"max_class_exposure_ratio": 3.0},
        at={
            "exposure": Exposure(by_class={"forex": 2e6, "index": 9e9}),
            "intent": {"price_points": 100_000},
        },
        beyond={
            "exposure": Exposure(by_class={"forex": 2e6 + 1}),
            "intent": {"price_points": 100_000},
        },
        told_at=("3.00 x equity", "3.00 x equity"),
        told=("3.00 x equity", "3.00 x equity"),
        remedy="up to 0.09 lots would pass",
    ),
    Case(
        rule="max_currency_exposure",
        limits={"max_currency_exposure_ratio": 3.0},
        at={
            "exposure": Exposure(by_currency={"EUR": 2e6, "USD": -9e9}),
            "intent": {"price_points": 100_000},
        },
        beyond={
            "exposure": Exposure(by_currency={"EUR": 2e6 + 1}),
            "intent": {"price_points": 100_000},
        },
        told_at=("3.00 x equity in EUR", "3.00 x equity"),
        told=("3.00 x equity in EUR", "3.00 x equity"),
        remedy="up to 0.09 lots would pass",
    ),
    Case(
        rule="max_leverage",
        limits={"max_leverage": {"forex_major": 30.0}},
        at={
            "exposure": Exposure(at_caps_minor=900_000.0),
            "intent": {"price_points": 100_000, "volume_units": 30_000_000},
        },
        beyond={
            "exposure": Exposure(at_caps_minor=900_100.0),
            "intent": {"price_points": 100_000, "volume_units": 30_000_000},
        },
        told_at=("10000.00 USD of margin", "10000.00 USD of equity"),
        told=("10001.00 USD of margin", "10000.00 USD of equity"),
        remedy="up to 0.29 lots would pass",
    ),
    Case(
        rule="max_correlation",
        limits={"max_correlation": 0.7},
        at={"correlation": (0.7, "GBPUSD")},
        beyond={"correlation": (0.71, "GBPUSD")},
        told_at=("0.70 with GBPUSD", "0.70"),
        told=("0.71 with GBPUSD", "0.70"),
        remedy="entries return when GBPUSD is closed, or moves less like EURUSD",
    ),
]


@pytest.fixture
def decided(account, intent, view, valuer):
    """Return a decider: limits and changes of view, account and intent → decision and gate."""

    def decide(limits: dict[str, Any], changes: dict[str, Any]):
        facts = dict(changes)
        order = intent(**facts.pop("intent", {}))
        wanted = replace(account, **facts.pop("account", {}))
        gate = RiskEngine(RiskLimits(**limits))
        usual = {"valuer": valuer, "account": wanted}
        return gate, gate.decide(order, view(**(usual | facts)))

    return decide


def told(decision, rule: str):
    refusals = [one for _, one in decision.findings.told() if one.rule == rule]
    assert len(refusals) == 1
    return refusals[0]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_entry_at_the_limit_passes_and_says_so(decided, case: Case):
    _, decision = decided(case.limits, case.at)
    found = told(decision, case.rule)

    passes = {one.rule: passes for passes, one in decision.findings.told()}
    assert passes[case.rule] is True
    assert (found.value, found.limit) == case.told_at


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_entry_beyond_the_limit_is_refused_with_value_limit_and_remedy(decided, case: Case):
    _, decision = decided(case.limits, case.beyond)

    assert isinstance(decision, Refused)
    (found,) = [one for one in decision.refusals if one.rule == case.rule]
    assert (found.value, found.limit, found.remedy) == (*case.told, case.remedy)


@pytest.mark.parametrize("case", [one for one in CASES if one.limits], ids=str)
def test_a_rule_whose_limit_is_not_set_is_not_looked_at(decided, case: Case):
    usual = {"max_entries_per_minute", "max_daily_loss", "quote_age", "max_spread", "price_band"}
    gate, decision = decided({"price_band_fraction": None}, case.beyond)

    names = [rule.name for rule in gate.rules]
    assert (case.rule in names) == (case.rule in usual - {"price_band"})
    found = [one.rule for one in getattr(decision, "refusals", ())]
    assert case.rule not in found or case.rule in usual


def test_every_rule_has_a_case_here_or_a_test_of_its_own():
    apart = {"unresolved_order", "fifo_no_hedge", "max_positions"}

    assert {rule.name for rule in ENTRY_RULES} == {case.rule for case in CASES} | apart


def test_the_rules_run_in_the_order_of_their_names_list():
    assert [rule.name for rule in ENTRY_RULES][:5] == [
        "halt",
        "reconciled",
        "unresolved_order",
        "trade_mode",
        "cash",
    ]
    assert len({rule.name for rule in ENTRY_RULES}) == len(ENTRY_RULES)


# ---------------------------------------------------------------------- rules apart


def test_findings_read_in_one_line(decided):
    _, decision = decided({}, {"halt_level": 3})

    words = decision.findings.words()
    first = "reconciled: done (limit after reconciliation) | unresolved_order: none (limit none in"
    assert words.startswith(first)  # the halt is a reason, no rule that is met
    assert words.count(" | ") == len(decision.findings.told()) - 2


@pytest.mark.parametrize(
    ("mode", "sides", "said"),
    [
        (TradeMode.FULL, {Side.BUY, Side.SELL}, "fully traded"),
        (TradeMode.LONG_ONLY, {Side.BUY}, "long only"),
        (TradeMode.SHORT_ONLY, {Side.SELL}, "short only"),
        (TradeMode.CLOSE_ONLY, set(), "close only"),
        (TradeMode.DISABLED, set(), "suspended"),
    ],
)
def test_a_trade_mode_lets_its_sides_pass_and_no_other(decided, mode, sides, said):
    for side, stop in ((Side.BUY, 99_000), (Side.SELL, 101_000)):
        changes = {"trade_mode": mode, "intent": {"side": side, "stop_loss_points": stop}}
        _, decision = decided({}, changes)
        passes = {one.rule: passes for passes, one in decision.findings.told()}
        assert passes["trade_mode"] is (side in sides)
        found = told(decision, "trade_mode")
        assert (found.value, found.limit) == (f"EURUSD is {said}", f"open for {side.name}")


def test_nothing_may_be_opened_where_only_closing_is_allowed(decided):
    limits = {"directions": Directions.CLOSE_ONLY}

    for side, stop in ((Side.BUY, 99_000), (Side.SELL, 101_000)):
        _, decision = decided(limits, {"intent": {"side": side, "stop_loss_points": stop}})
        assert [(one.rule, one.limit) for one in decision.refusals] == [
            ("directions", "close_only")
        ]


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_one_position_a_symbol_is_held_whatever_its_side(decided, held, side: Side):
    limits = {"fifo_no_hedge": True, "max_positions": 9}
    other = held(position_ticket=4, symbol="GBPUSD")
    _, alone = decided(limits, {"positions": (other,)})
    _, second = decided(limits, {"positions": (other, held(position_ticket=7, side=side))})

    assert isinstance(alone, ApprovedOrder)
    assert told(alone, "fifo_no_hedge").value == "nothing held"
    assert told(alone, "fifo_no_hedge").limit == "one position a symbol"
    (refusal,) = second.refusals
    assert str(refusal) == (
        f"fifo_no_hedge: position 7 is {side.name} (limit one position a symbol); "
        "close the position first"
    )


def test_without_a_quote_only_the_quote_is_refused(decided):
    limits = {"min_reward_risk": 1.0, "price_band_fraction": 0.1}
    levels = {"stop_loss_points": 99_000, "take_profit_points": 101_000}
    _, decision = decided(limits, {"quote": None, "reference_points": 5, "intent": levels})

    assert [(one.rule, one.value) for one in decision.refusals] == [
        ("quote", "none"),
        ("min_reward_risk", "no target"),
    ]
    assert told(decision, "quote_age").value == "0.0 s"
    assert told(decision, "max_spread").value == "0 points"
    assert told(decision, "free_margin").value == "0.00 USD"


def test_without_a_closed_bar_no_price_is_out_of_its_band(decided):
    _, decision = decided({}, {"reference_points": 0})

    found = told(decision, "price_band")
    assert (found.value, found.limit) == ("nothing to compare", "the last closed bar")


@pytest.mark.parametrize(
    ("side", "price", "met", "seen"),
    [
        (Side.BUY, 50_000, (100_000, 100_010), 50_000),  # with a quote that is right
        (Side.BUY, 100_000, (50_000, 50_010), 50_010),  # with an order that is right
        (Side.SELL, 150_001, (100_000, 100_010), 150_001),
        (Side.SELL, 99_000, (120_000, 100_010), 120_000),
    ],
)
def test_both_the_orders_price_and_the_quotes_have_to_lie_in_the_band(
    decided, side, price, met, seen
):
    stop = 40_000 if side is Side.BUY else 200_000
    levels = {"side": side, "price_points": price, "stop_loss_points": stop, "volume_units": LOT}
    changes = {"reference_points": 100_000, "quote": quote(*met), "intent": levels}
    _, decision = decided({"price_band_fraction": 0.1}, {**changes, "valuer": None})

    found = {one.rule: one.value.split(" points")[0] for one in decision.refusals}
    assert found["price_band"] == str(seen)


def test_an_orders_price_is_held_against_the_band_without_a_quote(decided):
    order = {"price_points": 120_000, "stop_loss_points": 99_000}
    _, decision = decided({}, {"quote": None, "reference_points": 100_000, "intent": order})

    assert [one.rule for one in decision.refusals] == ["quote", "price_band"]


def test_a_band_is_looked_at_from_a_reference_of_one_point_on(decided):
    _, decision = decided({}, {"reference_points": 1})

    assert [one.rule for one in decision.refusals] == ["price_band"]


def test_fills_that_nobody_has_seen_are_not_too_bad(decided):
    _, decision = decided({"max_slippage_points": 0}, {"slippage_points": None})

    assert told(decision, "max_slippage").value == "0 points"
    assert isinstance(decision, ApprovedOrder)


def test_a_volume_of_a_day_that_is_not_known_lets_pass(decided):
    limits = {"max_daily_volume_fraction": 0.01, "average_daily_lots": {"GBPUSD": 1.0}}
    _, decision = decided(limits, {})

    assert isinstance(decision, ApprovedOrder)
    assert told(decision, "max_daily_volume").value == "daily volume not known"
    assert told(decision, "max_daily_volume").limit == "1.00%"


@pytest.mark.parametrize("stop", [100_000, 100_001])
def test_an_entry_whose_stop_stands_on_the_wrong_side_is_not_worth_its_risk(decided, stop: int):
    levels = {"price_points": 100_000, "stop_loss_points": stop, "take_profit_points": 200_000}
    _, decision = decided({"min_reward_risk": 0.1}, {"intent": levels})

    assert [(one.rule, one.value) for one in decision.refusals] == [
        ("stop_loss", f"{stop} points"),
        ("min_reward_risk", "0.00"),
    ]


def test_a_stop_one_point_away_is_a_risk(decided):
    levels = {"price_points": 100_000, "stop_loss_points": 99_999, "take_profit_points": 100_001}
    _, decision = decided({"min_reward_risk": 1.0}, {"intent": levels})

    assert told(decision, "min_reward_risk").value == "1.00"


def test_an_entry_without_a_stop_has_no_reward_to_compare(decided):
    levels = {"stop_loss_points": None, "take_profit_points": 200_000}
    _, decision = decided({"min_reward_risk": 0.1}, {"intent": levels})

    assert [one.rule for one in decision.refusals] == ["stop_loss", "min_reward_risk"]


def test_no_loss_yet_needs_no_cool_down(decided):
    _, decision = decided({"cool_down_after_loss_minutes": 5.0}, {"last_loss_ms": None})

    assert isinstance(decision, ApprovedOrder)
    assert told(decision, "cool_down").value == "no loss yet"
    assert told(decision, "cool_down").limit == "5 min"


@pytest.mark.parametrize(
    ("since_ms", "left"), [(60_000, "4.0"), (65_999, "4.0"), (66_000, "3.9"), (299_999, "0.1")]
)
def test_a_cool_down_tells_the_minutes_that_are_left_and_never_too_few(
    decided, since_ms: int, left: str
):
    changes = {"now_ms": 10_000 + since_ms, "last_loss_ms": 10_000}
    _, decision = decided({"cool_down_after_loss_minutes": 5.0}, changes)

    assert told(decision, "cool_down").remedy == f"entries return in {left} min"


def test_a_target_of_one_point_is_a_price(decided):
    levels = {"side": Side.SELL, "stop_loss_points": 101_000, "take_profit_points": 1}
    _, decision = decided({}, {"intent": levels})

    assert isinstance(decision, ApprovedOrder)


@pytest.mark.parametrize(
    ("rule", "limits", "used_minor"),
    [
        ("free_margin", {}, 890_000),
        ("min_margin_level", {"min_margin_level_percent": 500.0}, 90_000),
    ],
)
@pytest.mark.parametrize(("coming_minor", "passes"), [(100_000, True), (100_001, False)])
def test_the_margin_of_entries_on_their_way_is_used(
    decided, *, rule, limits, used_minor, coming_minor, passes
):
    changes = {
        "intent": {"price_points": 100_000},  # its margin is 10,000
        "account": {"margin_minor": used_minor},
        "coming_margin_minor": coming_minor,
    }
    _, decision = decided(limits, changes)

    assert isinstance(decision, ApprovedOrder) is passes
    if not passes:
        assert rule in {refusal.rule for refusal in decision.refusals}


def test_without_margin_there_is_no_margin_level_to_hold(decided):
    _, decision = decided({"min_margin_level_percent": 9_900.0}, {"valuer": None})

    assert isinstance(decision, ApprovedOrder)
    assert told(decision, "min_margin_level").value == "no margin"


def test_a_margin_of_one_unit_is_a_margin(decided):
    changes = {"valuer": None, "account": {"margin_minor": 1, "equity_minor": 1}}
    _, decision = decided({"min_margin_level_percent": 200.0}, changes)

    assert told(decision, "min_margin_level").value == "100% after it"


@pytest.mark.parametrize(
    ("rule", "limit", "held_minor"),
    [
        ("max_net_exposure", "max_net_exposure_ratio", {"net_minor": -3e6}),
        ("max_symbol_exposure", "max_symbol_exposure_ratio", {"by_symbol": {"EURUSD": -3e6}}),
        ("max_currency_exposure", "max_currency_exposure_ratio", {"by_currency": {"EUR": -3e6}}),
    ],
)
def test_what_brings_a_sum_nearer_to_zero_passes_though_it_is_still_too_much(
    decided, rule: str, limit: str, held_minor: dict
):
    exposure = {"exposure": Exposure(**held_minor)}
    sells = {"side": Side.SELL, "price_points": 100_000, "stop_loss_points": 101_000}
    _, nearer = decided({limit: 1.0}, {**exposure, "intent": {"price_points": 100_000}})
    _, farther = decided({limit: 1.0}, {**exposure, "intent": sells})
    _, mirrored = decided(
        {limit: 1.0}, {**exposure, "intent": {"price_points": 100_000, "volume_units": 60_000_000}}
    )

    assert isinstance(nearer, ApprovedOrder)
    assert told(nearer, rule).value.startswith("2.00 x equity")
    assert [(one.rule, one.value[:13]) for one in farther.refusals] == [(rule, "4.00 x equity")]
    assert [one.rule for one in mirrored.refusals] == [rule]  # as far on the other side


@pytest.mark.parametrize("equity", [0, -1])
def test_without_equity_anything_is_too_much(decided, equity: int):
    _, decision = decided({"max_gross_exposure_ratio": 50.0}, {"account": {"equity_minor": equity}})

    found = {one.rule: one.value for one in decision.refusals}
    assert found["max_gross_exposure"] == "inf x equity"


def test_equity_of_one_minor_unit_is_equity(decided):
    _, decision = decided({"max_gross_exposure_ratio": 0.6}, {"account": {"equity_minor": 1}})

    assert told(decision, "max_gross_exposure").value == "1000100.00 x equity"


def test_what_nothing_values_is_worth_nothing(decided):
    limits = {"max_position_exposure_ratio": 0.05, "max_class_exposure_ratio": 0.25}
    exposure = Exposure(by_class={"forex": 9e9})
    _, decision = decided(limits, {"valuer": None, "exposure": exposure})

    found = dict(
        zip([r.name for r in decision.findings.rules], decision.findings.results, strict=True)
    )
    assert found["max_class_exposure"][1] == 0
    assert told(decision, "max_position_exposure").value == "0.00 x equity"
    assert told(decision, "max_class_exposure").value == "0.00 x equity"


def test_an_order_is_valued_at_the_side_of_the_quote_that_it_takes(view, intent, valuer):
    seen = view(valuer=valuer, quote=quote(90_000, 110_000))

    assert seen.order_value_minor(intent()) == pytest.approx(1_100_000)
    assert seen.order_value_minor(intent(side=Side.SELL)) == pytest.approx(900_000)
    assert seen.order_value_minor(intent(price_points=100_000)) == pytest.approx(1_000_000)
    assert seen.order_margin_minor(intent()) == 11_000
    assert replace(seen, valuer=None).order_value_minor(intent()) == 0
    assert replace(seen, valuer=None).order_margin_minor(intent()) == 0
    assert replace(seen, quote=None).order_margin_minor(intent()) == 0
    assert replace(seen, quote=quote(0, 1)).order_margin_minor(intent(volume_units=LOT * 9)) == 9


@pytest.mark.parametrize(
    ("mode", "is_netting"),
    [(MarginMode.HEDGING, False), (MarginMode.NETTING, True), (MarginMode.EXCHANGE, True)],
)
def test_every_account_but_a_hedging_one_nets(view, account, mode: MarginMode, is_netting: bool):
    assert view(account=replace(account, margin_mode=mode)).is_netting is is_netting


def test_each_currency_of_a_cross_counts_and_the_larger_is_told(
    decided, account, instrument, valuer
):
    cross = replace(instrument, symbol="EURGBP", profit_currency="GBP")
    seen = {"instrument": cross, "intent": {"price_points": 100_000}}

    def found(eur: float, gbp: float):
        exposure = Exposure(by_currency={"EUR": eur, "GBP": gbp})
        limits = {"max_currency_exposure_ratio": 3.0}
        return decided(limits, {**seen, "exposure": exposure})[1]

    assert told(found(0, 0), "max_currency_exposure").value == "1.00 x equity in EUR"
    assert told(found(0, -1e6), "max_currency_exposure").value == "2.00 x equity in GBP"
    assert told(found(1e6, -1e5), "max_currency_exposure").value == "2.00 x equity in EUR"
    assert isinstance(found(2e6, -2e6), ApprovedOrder)
    for eur, gbp, named in ((2.5e6, 0, "EUR"), (0, -2.5e6, "GBP"), (3e6, -2.5e6, "GBP")):
        refused = found(eur, gbp)
        assert [one.rule for one in refused.refusals] == ["max_currency_exposure"]
        assert refused.refusals[0].value.endswith(named)
    assert isinstance(found(-9e6, 0), ApprovedOrder)  # bought back


def test_a_refused_leg_stays_refused_though_the_other_one_passes(decided, instrument):
    cross = replace(instrument, symbol="EURGBP", profit_currency="GBP")
    exposure = Exposure(by_currency={"EUR": 2.5e6, "GBP": 9e6})
    _, decision = decided(
        {"max_currency_exposure_ratio": 3.0},
        {"instrument": cross, "exposure": exposure, "intent": {"price_points": 100_000}},
    )

    assert [one.rule for one in decision.refusals] == ["max_currency_exposure"]


def test_of_a_cfd_only_the_currency_it_is_paid_in_counts(decided, account, instrument):
    index = replace(instrument, symbol="DAX", base_currency="EUR", profit_currency="EUR")
    _, decision = decided(
        {"max_currency_exposure_ratio": 3.0},
        {"instrument": index, "intent": {"price_points": 100_000}},
    )
    in_own = replace(index, base_currency="USD", profit_currency="USD")
    _, own = decided({"max_currency_exposure_ratio": 3.0}, {"instrument": in_own})

    assert told(decision, "max_currency_exposure").value == "1.00 x equity in EUR"
    assert told(own, "max_currency_exposure").value == "0.00 x equity in none"


def test_a_cfd_that_was_sold_may_be_bought_back(decided, instrument):
    index = replace(instrument, symbol="DAX", base_currency="EUR", profit_currency="EUR")
    _, decision = decided(
        {"max_currency_exposure_ratio": 3.0},
        {
            "instrument": index,
            "exposure": Exposure(by_currency={"EUR": -2.5e6}),
            "intent": {"price_points": 100_000},
        },
    )

    assert isinstance(decision, ApprovedOrder)
    assert told(decision, "max_currency_exposure").value == "1.50 x equity in EUR"


def test_a_class_without_a_cap_may_not_be_traded_under_caps(decided, valuer):
    limits = {"max_leverage": {"gold": 20.0}}
    uncapped = replace(valuer, leverage_cap=0.0, leverage_class="forex_major")
    for kind, valued in (("unknown", None), ("forex_major", uncapped)):
        _, decision = decided(limits, {"valuer": valued})
        assert [(one.rule, one.value, one.limit) for one in decision.refusals] == [
            (
                "max_leverage",
                f"EURUSD is of the class {kind}, which has no cap",
                "a cap in max_leverage for each class",
            )
        ]


def test_beside_a_position_whose_class_has_no_cap_nothing_is_opened_under_caps(decided):
    held = Exposure(gross_minor=1.0, uncapped={"BTCUSD": "crypto"})
    _, decision = decided({"max_leverage": {"forex_major": 30.0}}, {"exposure": held})

    assert [(one.rule, one.value) for one in decision.refusals] == [
        ("max_leverage", "BTCUSD is held, of the class crypto, which has no cap")
    ]


@pytest.mark.parametrize("way", [OnCorrelation.WARN, OnCorrelation.REDUCE])
def test_likeness_is_only_refused_where_it_is_to_be(decided, way: OnCorrelation):
    limits = {"max_correlation": 0.5, "on_correlation": way}
    _, decision = decided(limits, {"correlation": (0.99, "GBPUSD")})

    assert isinstance(decision, ApprovedOrder)
    assert told(decision, "max_correlation").value == "0.99 with GBPUSD"
    assert [str(one) for one in decision.findings.warnings()] == [
        "max_correlation: 0.99 with GBPUSD (limit 0.50)"
    ]


@pytest.mark.parametrize("way", OnCorrelation)
@pytest.mark.parametrize("found", [None, (0.5, "GBPUSD"), (0.9, "GBPUSD")])
def test_of_likeness_within_its_limit_or_refused_for_it_nobody_is_warned(
    decided, way: OnCorrelation, found: tuple[float, str] | None
):
    limits = {"max_correlation": 0.5, "on_correlation": way}
    _, decision = decided(limits, {"correlation": found})

    is_told = found is not None and found[0] > 0.5 and way is not OnCorrelation.REJECT
    assert bool(decision.findings.warnings()) is is_told


def test_likeness_that_is_not_known_lets_pass(decided):
    _, decision = decided({"max_correlation": 0.5}, {"correlation": None})

    assert isinstance(decision, ApprovedOrder)
    assert told(decision, "max_correlation").value == "not known, or nothing held"
    assert told(decision, "max_correlation").limit == "0.50"


UNSET = {
    "max_slippage": 0,
    "min_order": 0.0,
    "min_reward_risk": 0.0,
    "max_position_exposure": 0.0,
    "max_entries_per_day": 0,
    "max_entries_in_a_row": 0,
    "cool_down": 0.0,
    "max_weekly_loss": (0, 0.0),
    "max_drawdown": 0.0,
    "min_equity": 0,
    "min_margin_level": 0.0,
    "max_gross_exposure": 0.0,
    "max_net_exposure": 0.0,
    "max_symbol_exposure": 0.0,
    "max_class_exposure": 0.0,
    "max_currency_exposure": 0.0,
    "max_correlation": 1.0,
    "max_daily_volume": None,
}


@pytest.mark.parametrize("name", UNSET)
def test_a_rule_looked_at_without_its_limit_takes_it_for_nothing(view, intent, valuer, name: str):
    (rule,) = [one for one in ENTRY_RULES if one.name == name]
    seen = view(valuer=valuer, week_start_balance_minor=1_000_000)

    assert rule.look(intent(), seen, RiskLimits())[2] == UNSET[name]


def test_without_a_band_any_price_is_near_enough(view, intent):
    (rule,) = [one for one in ENTRY_RULES if one.name == "price_band"]
    seen = view(reference_points=1)

    assert rule.look(intent(), seen, RiskLimits(price_band_fraction=None))[0]


def test_what_is_not_held_adds_nothing_to_a_sum(decided):
    limits = {
        "max_symbol_exposure_ratio": 1.0,
        "max_class_exposure_ratio": 1.0,
        "max_currency_exposure_ratio": 1.0,
    }
    _, decision = decided(limits, {"intent": {"price_points": 100_000}})

    assert isinstance(decision, ApprovedOrder)


def test_a_quote_that_is_not_there_has_no_age(view, intent):
    (rule,) = [one for one in ENTRY_RULES if one.name == "quote_age"]

    assert rule.look(intent(), view(quote=None), RiskLimits())[1] == 0


@pytest.mark.parametrize(
    ("day", "name"),
    [(0, "sun"), (1, "mon"), (2, "tue"), (3, "wed"), (4, "thu"), (5, "fri"), (6, "sat")],
)
def test_a_time_out_of_hours_is_told_with_its_day(decided, day: int, name: str):
    wall_ms = SUNDAY_WALL_MS + day * 86_400_000 + 3 * 3_600_000
    _, decision = decided({"trading_hours": ("mon 08:00-09:00",)}, {"server_wall_ms": wall_ms})

    assert [one.value for one in decision.refusals] == [f"{name} 03:00 server time"]


def test_an_unresolved_order_is_named(decided, intent):
    row = IntentRow(intent_id=7, intent=intent(), state=IntentState.UNKNOWN)
    _, open_one = decided({"max_positions": 9}, {"in_flight": (row,)})
    _, none = decided({"max_positions": 9}, {})

    assert [str(one) for one in open_one.refusals] == [
        "unresolved_order: intent 7 (limit none in flight)"
    ]
    assert told(none, "unresolved_order").value == "none"
    assert told(none, "unresolved_order").limit == "none in flight"


def test_a_decision_keeps_its_intent(view, intent):
    gate = RiskEngine(RiskLimits())
    close, entry = intent(IntentAction.CLOSE), intent()

    assert gate.decide(close, view()).intent is close
    assert gate.decide(entry, view(is_ready=False)).intent is entry


@pytest.mark.parametrize(
    ("name", "limits", "is_on"),
    [
        ("min_order_lots", {}, False),
        ("min_order_lots", {"min_order_lots": 0.0}, True),
        ("trading_hours", {}, False),
        ("trading_hours", {"trading_hours": ("mon 08:00-09:00",)}, True),
        ("max_leverage", {}, False),
        ("max_leverage", {"max_leverage": {"gold": 1.0}}, True),
    ],
)
def test_a_limit_is_set_when_it_says_something(name: str, limits: dict, *, is_on: bool):
    assert is_set(name)(RiskLimits(**limits)) is is_on


def test_a_netting_account_asks_for_its_own_margin(view, intent, account, valuer):
    asked = []

    class Watched:
        def margin_to_open(self, *order, is_netting: bool) -> int:
            asked.append((*order, is_netting))
            return 3

    watched = replace(valuer, terms=Watched())
    for mode in (MarginMode.HEDGING, MarginMode.NETTING):
        seen = view(account=replace(account, margin_mode=mode), valuer=watched)
        assert seen.order_margin_minor(intent(price_points=5)) == 3

    assert asked == [(1, 10_000_000, 5, False), (1, 10_000_000, 5, True)]
    assert view(valuer=watched, quote=None).order_margin_minor(intent(price_points=0)) == 0
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("limit", "name", "sums"),
    [
        ("max_net_exposure_ratio", "net", {"net_minor": 1e6}),
        ("max_symbol_exposure_ratio", "symbol EURUSD", {"by_symbol": {"EURUSD": 1e6}}),
        ("max_currency_exposure_ratio", "currency EUR", {"by_currency": {"EUR": 1e6}}),
    ],
)
def test_what_may_never_come_makes_no_room_on_the_other_side(decided, limit, name, sums):
    """Of 3.0 x equity held, 2.0 are on their way to be sold."""
    exposure = Exposure(**sums, coming={(name, -1): -2e6, (name, 1): 0.5e6})
    price = {"price_points": 100_000}
    sells = price | {"side": Side.SELL, "stop_loss_points": 101_000}
    _, bought = decided({limit: 3.0}, {"exposure": exposure, "intent": price})
    _, fits = decided({limit: 4.0}, {"exposure": exposure, "intent": price})
    _, sold = decided({limit: 0.5}, {"exposure": exposure, "intent": sells})

    assert [one.value[:13] for one in bought.refusals] == ["4.00 x equity"]
    assert isinstance(fits, ApprovedOrder)
    assert isinstance(sold, ApprovedOrder)


def test_what_comes_of_the_currency_that_is_paid_makes_no_room(decided, instrument):
    cross = replace(instrument, symbol="EURGBP", profit_currency="GBP")
    exposure = Exposure(by_currency={"GBP": -1e6}, coming={("currency GBP", 1): 2e6})
    facts = {"instrument": cross, "exposure": exposure, "intent": {"price_points": 100_000}}
    _, decision = decided({"max_currency_exposure_ratio": 3.0}, facts)

    assert [one.value for one in decision.refusals] == ["4.00 x equity in GBP"]
