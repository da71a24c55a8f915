"""What a bot does not keep of a firm's rules is named, each with its reason."""

from __future__ import annotations

from mtquant.risk.prop import (
    Consistency,
    MaxLoss,
    MaxLossKind,
    NewsRule,
    ProfitableDays,
    StopLossRule,
    WeekendRule,
    unkept_rules,
)

STATIC = MaxLoss(kind=MaxLossKind.STATIC, allowance_fraction=0.1)


def names(rules, **options) -> list[str]:
    return [one.rule for one in unkept_rules(rules, **options)]


def test_what_the_bot_keeps_is_not_named(rules):
    kept = rules(
        max_loss=STATIC,
        news=NewsRule(before_s=60, after_s=60),
        weekend=WeekendRule(may_hold=False),
        stop_loss=StopLossRule(within_s=180, max_risk_fraction=0.02),
    )

    assert unkept_rules(kept) == ()


def test_every_rule_that_the_bot_does_not_keep_is_named_with_a_reason(rules):
    found = unkept_rules(
        rules(
            max_loss=STATIC,
            news=NewsRule(before_s=60, after_s=60, covers_closing=True, covers_stops=True),
            leverage={"forex": 30.0},
            inactivity_days=30,
            consistency=Consistency(best_day_fraction=0.4),
            profitable_days=ProfitableDays(days=3, threshold_fraction=0.005),
        )
    )

    assert [one.rule for one in found] == [
        "news.covers_closing",
        "news.covers_stops",
        "leverage",
        "inactivity_days",
        "consistency",
        "profitable_days",
    ]
    assert all(one.why for one in found)


def test_what_the_source_leaves_open_is_not_kept_and_aims_are_no_rules(rules):
    made = rules(max_loss=STATIC, left_open=("weekend", "profit_target_fraction", "news"))

    assert names(made) == ["weekend", "news"]
    assert all("the source leaves it open" in one.why for one in unkept_rules(made))


def test_news_are_not_kept_without_a_calendar(rules):
    made = rules(max_loss=STATIC, news=NewsRule(before_s=60, after_s=60))

    assert unkept_rules(made, has_calendar=False) == (("news", "no news_calendar is configured"),)
    assert names(rules(max_loss=STATIC), has_calendar=False) == []
