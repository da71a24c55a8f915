"""Rule sets refuse what bounds nothing, and say what applies in which phase."""

from __future__ import annotations

import pytest

from mtquant.model import ConfigError
from mtquant.model.reading import read
from mtquant.risk.prop import (
    Consistency,
    ConsistencyScope,
    DailyBase,
    DailyLoss,
    DayRule,
    Level,
    MaxLoss,
    MaxLossKind,
    NewsRule,
    Phase,
    ProfitableDays,
    PropRules,
    Scope,
    StopLossRule,
    WeekendRule,
)

PHASES = (Phase(name="test"), Phase(name="live", is_funded=True))
DAILY = {"base": "balance", "allowance_fraction": "5%"}
FILE = {
    "firm": "Firm",
    "programme": "Test",
    "level": "reported",
    "checked": "2026-11-27",
    "sources": ["https://example.com"],
    "phases": [{"name": "test", "profit_target_fraction": "8%"}],
}


def test_a_rule_set_is_read_from_plain_words():
    found = read(PropRules, FILE | {"daily_loss": DAILY | {"level": "unverified"}})

    assert found.title == "Firm Test"
    assert found.daily_loss is not None
    assert found.daily_loss.base is DailyBase.BALANCE
    assert found.level_of("daily_loss") is Level.UNVERIFIED
    assert found.level_of("max_loss") is Level.REPORTED
    assert found.level_of("day") is Level.REPORTED


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("day", {}),
        ("daily_loss", DAILY),
        ("max_loss", {"kind": "static", "allowance_fraction": 0.1}),
        ("news", {"before_s": 1, "after_s": 1}),
        ("weekend", {"may_hold": True}),
        ("profitable_days", {"days": 1, "threshold_fraction": 0.01}),
        ("consistency", {"best_day_fraction": 0.5}),
        ("stop_loss", {"within_s": 1}),
    ],
)
def test_a_rule_is_as_sure_as_it_says_or_as_its_set(rule, changes):
    assert read(PropRules, FILE | {rule: changes}).level_of(rule) is Level.REPORTED
    own = read(PropRules, FILE | {rule: changes | {"level": "unverified"}})
    assert own.level_of(rule) is Level.UNVERIFIED


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sources": []}, "sources: the list is empty"),
        ({"checked": "last week"}, "checked: expected a date such as '2026-11', was 'last week'"),
        ({"phases": []}, "phases: name at least one, each once"),
        ({"phases": [{"name": "a"}, {"name": "a"}]}, "phases: name at least one, each once"),
        ({"initial_minor": 0}, "initial_minor must be above 0, was 0; leave it out where unknown"),
        ({"inactivity_days": 0}, "inactivity_days must be above 0"),
        ({"leverage": {"forex": 0}}, "leverage forex must be above 0"),
        ({"left_open": ["max_los"]}, "left_open: 'max_los'; did you mean 'max_loss'"),
        (
            {"max_loss": {"kind": "static", "allowance_minor": 5}},
            "initial_minor: say which account",
        ),
        ({"day": {"reset": "24:00"}}, "day.reset: expected a time of day such as '17:00'"),
        (
            {"daily_loss": {"base": "none", "allowance_fraction": 0.1}},
            (
                "daily_loss.allowance_fraction: 0.1 has no meaning with base none; leave it out, "
                "or name the base"
            ),
        ),
        (
            {"daily_loss": DAILY | {"allowance_fraction": 0}},
            "daily_loss.allowance_fraction must be above 0",
        ),
        ({"daily_loss": DAILY | {"base": "blance"}}, "daily_loss.base: 'blance' is not one of"),
        ({"max_loss": {"kind": "static"}}, "max_loss: give exactly one of allowance_fraction and"),
        (
            {"max_loss": {"kind": "static", "allowance_minor": 5, "allowance_fraction": 0.1}},
            "max_loss: give exactly one of allowance_fraction and allowance_minor",
        ),
        (
            {"max_loss": {"kind": "static", "allowance_fraction": 0}},
            "max_loss.allowance_fraction must be above 0",
        ),
        (
            {"max_loss": {"kind": "static", "allowance_minor": 0}},
            "max_loss.allowance_minor must be above 0",
        ),
        (
            {"max_loss": {"kind": "static", "allowance_fraction": 0.1, "lock_gain_fraction": 0}},
            "max_loss.lock_gain_fraction: a static floor does not move",
        ),
        (
            {
                "max_loss": {
                    "kind": "equity_high",
                    "allowance_fraction": 0.1,
                    "lock_trigger_fraction": 0.1,
                }
            },
            "max_loss.lock_trigger_fraction: say where it locks",
        ),
        (
            {"phases": [{"name": "a", "min_trading_days": -1}]},
            "phases[0].min_trading_days must not be negative: -1",
        ),
        (
            {"phases": [{"name": "a", "profit_target_fraction": 0}]},
            "phases[0].profit_target_fraction must be above 0",
        ),
        (
            {"profitable_days": {"days": 0, "threshold_fraction": 0}},
            "profitable_days.days must be at least 1",
        ),
        ({"consistency": {"best_day_fraction": 0}}, "consistency.best_day_fraction must be above"),
        ({"news": {"before_s": -1, "after_s": 0}}, "news.before_s must not be negative, was -1"),
        ({"news": {"before_s": 0, "after_s": -1}}, "news.after_s must not be negative, was -1"),
        (
            {"weekend": {"may_hold": False, "break_longer_than_minutes": 0}},
            "weekend.break_longer_than_minutes must be above 0",
        ),
        ({"stop_loss": {"within_s": -1}}, "stop_loss.within_s must not be negative, was -1"),
        (
            {"stop_loss": {"within_s": 1, "violations_allowed": -1}},
            "stop_loss.violations_allowed must not be negative, was -1",
        ),
        (
            {"stop_loss": {"within_s": 1, "max_risk_fraction": 0}},
            "stop_loss.max_risk_fraction must be above 0",
        ),
    ],
)
def test_what_bounds_nothing_is_refused_with_its_key(changes, message):
    with pytest.raises(ConfigError) as caught:
        read(PropRules, FILE | changes)
    assert str(caught.value).startswith(message)


def test_an_amount_may_be_given_with_its_account_size():
    changes = {"initial_minor": 9, "max_loss": {"kind": "static", "allowance_minor": 5}}

    assert read(PropRules, FILE | changes).initial_minor == 9


def test_a_reset_is_a_minute_of_the_day():
    assert DayRule(reset="20:55").reset_minute == 1255


def test_a_phase_is_found_by_its_name_the_first_without_one(rules):
    made = rules(phases=PHASES)

    assert made.phase().name == "test"
    assert made.phase("live").is_funded
    with pytest.raises(ConfigError, match="phase 'lives': did you mean 'live'"):
        made.phase("lives")


@pytest.mark.parametrize(
    ("scope", "in_test", "in_live"),
    [
        (Scope.ALWAYS, True, True),
        (Scope.EVALUATION, True, False),
        (Scope.FUNDED, False, True),
    ],
)
def test_a_phase_keeps_the_rules_that_apply_in_it(rules, scope, in_test, in_live):
    made = rules(
        phases=PHASES,
        daily_loss=DailyLoss(base=DailyBase.BALANCE, allowance_fraction=0.1, applies=scope),
        max_loss=MaxLoss(kind=MaxLossKind.STATIC, allowance_fraction=0.1, applies=scope),
        news=NewsRule(before_s=1, after_s=1, applies=scope),
        weekend=WeekendRule(may_hold=True, applies=scope),
    )
    for name, is_kept in (("test", in_test), ("live", in_live)):
        phase = made.for_phase(name)
        assert [one.name for one in phase.phases] == [name]
        for rule in ("daily_loss", "max_loss", "news", "weekend"):
            assert (getattr(phase, rule) is not None) is is_kept


@pytest.mark.parametrize(
    ("scope", "in_test", "in_live"),
    [(ConsistencyScope.EVALUATION, True, False), (ConsistencyScope.PAYOUT, False, True)],
)
def test_the_best_day_is_looked_at_in_its_scope_alone(rules, scope, in_test, in_live):
    made = rules(phases=PHASES, consistency=Consistency(best_day_fraction=0.5, scope=scope))

    assert (made.for_phase("test").consistency is not None) is in_test
    assert (made.for_phase("live").consistency is not None) is in_live


def test_rules_without_a_phase_of_their_own_stay(rules):
    made = rules(
        profitable_days=ProfitableDays(days=3, threshold_fraction=0.005),
        stop_loss=StopLossRule(within_s=180),
    )

    assert made.for_phase() == made


def test_an_unknown_rule_has_no_level(rules):
    with pytest.raises(ConfigError, match="rule 'dayly_loss': did you mean 'daily_loss'"):
        rules().level_of("dayly_loss")


def test_what_a_source_does_not_say_is_not_forbidden():
    news, stop = NewsRule(before_s=0, after_s=0), StopLossRule(within_s=0)

    assert (news.covers_closing, news.covers_stops) == (False, False)
    assert (stop.violations_allowed, stop.max_risk_fraction) == (0, None)


def test_one_profitable_day_is_the_least_that_can_be_asked():
    assert ProfitableDays(days=1, threshold_fraction=0.0).days == 1
