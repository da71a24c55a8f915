"""Limits that do not limit are refused; a file may write them in sections."""

import math

import pytest

from mtquant.model import ConfigError
from mtquant.risk import PropChoice, RiskLimits, SizingMethod, SizingSpec, in_sections
from mtquant.risk.coherence import require_coherent


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"risk_per_trade_fraction": 0.2},
            (
                "risk_per_trade_fraction: 0.2 would risk 20% of equity on one trade; use more "
                "than 0 and at most 0.1 (for half a percent write 0.005 or '0.5%')"
            ),
        ),
        ({"max_positions": 0}, "max_positions must be at least 1, was 0"),
        ({"correlation_bars": 29}, "correlation_bars must be at least 30, was 29"),
        ({"min_order_lots": -0.5}, "min_order_lots must not be negative, was -0.5"),
        ({"max_holding_hours": math.nan}, "max_holding_hours must be above 0, was nan"),
        ({"max_holding_hours": 0.0}, "max_holding_hours must be above 0, was 0"),
        (
            {"max_weekly_loss_fraction": 1.0},
            "max_weekly_loss_fraction must lie between 0 and 1, was 1",
        ),
        (
            {"max_daily_loss_fraction": 0.0},
            "max_daily_loss_fraction must lie between 0 and 1, was 0",
        ),
        ({"max_drawdown_fraction": 0.0}, "max_drawdown_fraction must be above 0, was 0"),
        ({"max_correlation": math.inf}, "max_correlation must be above 0, was inf"),
        ({"max_gross_exposure_ratio": -1.0}, "max_gross_exposure_ratio must be above 0, was -1"),
        (
            {"asset_classes": {"OILX": "commodty"}},
            "asset_classes.OILX: 'commodty' is no asset class; did you mean 'commodity'?",
        ),
        (
            {"asset_classes": {"EURUSD": "forex"}},
            (
                "asset_classes.EURUSD: 'forex' is no asset class; did you mean 'forex_major' or "
                "'forex_minor'?"
            ),
        ),
        (
            {"max_leverage": {"silver": 10.0}},
            (
                "max_leverage.silver: 'silver' is no asset class; known: bond, commodity, crypto, "
                "forex_major, forex_minor, gold, index_major, index_minor, other, share"
            ),
        ),
        ({"max_leverage": {"gold": 0.0}}, "max_leverage.gold must be above 0, was 0"),
        ({"max_leverage": {"gold": math.inf}}, "max_leverage.gold must be above 0, was inf"),
        (
            {"average_daily_lots": {"EURUSD": -1.0}},
            "average_daily_lots.EURUSD must be above 0, was -1",
        ),
    ],
)
def test_a_limit_out_of_range_is_refused_with_its_value(changes: dict, message: str):
    with pytest.raises(ConfigError) as refused:
        RiskLimits(**changes)

    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"sizing": SizingSpec(max_lots=0.5), "min_order_lots": 1.0},
            "min_order_lots (1) is more than sizing.max_lots (0.5): every order would be refused; ",
        ),
        (
            {"sizing": SizingSpec(method=SizingMethod.FIXED_LOTS, lots=0.1, max_lots=0.05)},
            "sizing.lots (0.1) is more than sizing.max_lots (0.05); lower sizing.lots, or raise ",
        ),
        (
            {
                "sizing": SizingSpec(method=SizingMethod.FIXED_LOTS, lots=0.1),
                "min_order_lots": 1.0,
            },
            "min_order_lots (1) is more than sizing.lots (0.1): every order would be refused; ",
        ),
        (
            {"max_daily_loss_fraction": 0.1, "max_weekly_loss_fraction": 0.08},
            (
                "max_daily_loss_fraction (0.1) is more than max_weekly_loss_fraction (0.08) and "
                "would never bind; "
            ),
        ),
        (
            {"max_symbol_exposure_ratio": 5.0, "max_gross_exposure_ratio": 1.0},
            "max_symbol_exposure_ratio (5) is more than max_gross_exposure_ratio (1) and would ",
        ),
        (
            {"max_position_exposure_ratio": 5.0, "max_symbol_exposure_ratio": 1.0},
            "max_position_exposure_ratio (5) is more than max_symbol_exposure_ratio (1) and would ",
        ),
        (
            {"news_minutes_before": 30.0},
            (
                "news_minutes_before (30) has no calendar to go by; set news_calendar, or take "
                "news_minutes_before out"
            ),
        ),
        ({"news_minutes_after": 0.0}, "news_minutes_after (0) has no calendar to go by; set "),
    ],
)
def test_limits_that_contradict_each_other_are_refused_with_both_keys(changes: dict, message: str):
    with pytest.raises(ConfigError) as refused:
        require_coherent(RiskLimits(**changes))

    assert str(refused.value).startswith(message)


def test_a_default_that_a_narrower_limit_makes_moot_is_no_contradiction():
    require_coherent(RiskLimits(max_weekly_loss_fraction=0.04))


@pytest.mark.parametrize(
    "changes",
    [
        {"max_daily_loss_fraction": 0.08, "max_weekly_loss_fraction": 0.08},
        {"sizing": SizingSpec(method=SizingMethod.FIXED_LOTS, lots=0.1, max_lots=0.1)},
        {"sizing": SizingSpec(max_lots=0.1), "min_order_lots": 0.1},
    ],
)
def test_limits_that_are_equal_do_not_contradict_each_other(changes: dict):
    require_coherent(RiskLimits(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"risk_per_trade_fraction": 0.1},
        {"risk_per_trade_fraction": 1e-9},
        {"max_positions": 1},
        {"correlation_bars": 30},
        {"min_order_lots": 0.0},
        {"max_daily_loss_fraction": 0.999},
        {"max_drawdown_fraction": 1e-9},
        {"max_drawdown_fraction": 1.0},
        {"max_leverage": {"gold": 0.5}, "asset_classes": {"OILX": "commodity"}},
        {"average_daily_lots": {"EURUSD": 1e-9}},
    ],
)
def test_a_limit_at_the_end_of_its_range_is_taken(changes: dict):
    limits = RiskLimits(**changes)

    assert {name: getattr(limits, name) for name in changes} == changes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"initial_deposit": 0.0}, "initial_deposit must be above 0, was 0"),
        (
            {"initial_deposit": 1.0, "buffer_fraction": 1.0},
            "buffer_fraction must be at least 0 and below 1, was 1",
        ),
        (
            {"initial_deposit": 1.0, "buffer_fraction": -0.1},
            "buffer_fraction must be at least 0 and below 1, was -0.1",
        ),
        (
            {"initial_deposit": 1.0, "highest_balance": 0.5},
            "highest_balance must be at least the initial_deposit, 1, was 0.5",
        ),
    ],
)
def test_a_choice_of_prop_rules_that_cannot_be_is_refused(changes: dict, message: str):
    with pytest.raises(ConfigError) as refused:
        PropChoice(rules="firm", **changes)

    assert str(refused.value) == message


def test_the_highest_balance_of_a_prop_account_may_be_its_deposit():
    assert PropChoice(rules="firm", initial_deposit=0.5, highest_balance=0.5).highest_balance == 0.5


def test_a_prop_account_may_be_small_and_without_a_buffer():
    assert PropChoice(rules="firm", initial_deposit=0.5, buffer_fraction=0.0).buffer_fraction == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"max_gross_exposure_ratio": 1.0},
        {"max_net_exposure_ratio": 1.0},
        {"max_symbol_exposure_ratio": 1.0},
        {"max_class_exposure_ratio": 1.0},
        {"max_currency_exposure_ratio": 1.0},
        {"max_leverage": {"gold": 20.0}},
    ],
)
def test_limits_of_exposure_need_it(changes: dict):
    assert RiskLimits(**changes).needs_exposure
    assert not RiskLimits(max_position_exposure_ratio=1.0).needs_exposure


# ---------------------------------------------------------------------- sections


def test_keys_may_stand_in_sections_or_on_one_level():
    raw = {"position": {"min_order_lots": 0.1}, "losses": {"max_drawdown_fraction": 0.1}}
    flat = {"min_order_lots": 0.1, "max_drawdown_fraction": 0.1}

    assert in_sections(raw, "risk") == flat
    assert in_sections(flat, "risk") == flat
    assert in_sections({"portfolio": {"unheard_of": 1}}, "risk") == {"unheard_of": 1}


def test_the_section_breaker_holds_the_ladder_or_the_key_of_its_name():
    ladder = {"level_1_fraction": 0.05}

    assert in_sections({"breaker": ladder}, "risk") == {"breaker": ladder}
    assert in_sections({"breaker": {"breaker": ladder}}, "risk") == {"breaker": ladder}
    assert in_sections({"breaker": None}, "risk") == {"breaker": None}


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"position": 5}, "risk.position: expected a section, got 5"),
        (
            {"position": {"max_positions": 5}},
            "risk.position.max_positions: this key belongs to the section 'portfolio'",
        ),
        (
            {"min_order_lots": 1, "position": {"min_order_lots": 1}},
            "risk: min_order_lots stands twice",
        ),
    ],
)
def test_a_key_in_a_wrong_place_is_refused(raw: dict, message: str):
    with pytest.raises(ConfigError) as refused:
        in_sections(raw, "risk")

    assert str(refused.value) == message
