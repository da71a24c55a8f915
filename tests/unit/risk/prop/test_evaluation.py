"""Would this run have passed? Each story has one answer, with the rule and the moment."""

from __future__ import annotations

import time
from fractions import Fraction

import pytest

from mtquant.app.prop_rules import load_prop_rules
from mtquant.model import ConfigError, ServerClock
from mtquant.risk.prop import (
    ClosedTrade,
    Consistency,
    DailyBase,
    DailyLoss,
    Effect,
    Failure,
    MaxLoss,
    MaxLossKind,
    NewsRule,
    PathPoint,
    Phase,
    ProfitableDays,
    PropClock,
    StopLossRule,
    Verdict,
    WeekendRule,
    evaluate,
)

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
INITIAL = 100_000
STATIC = MaxLoss(kind=MaxLossKind.STATIC, allowance_fraction=0.1)
TARGET = (Phase(name="only", profit_target_fraction=0.08),)


@pytest.fixture
def judge(rules):
    def make(path, deals=(), phase=None, **changes):
        made = rules(**({"max_loss": STATIC, "phases": TARGET} | changes))
        return evaluate(made, INITIAL, PropClock(made.day), path, deals, phase=phase)

    return make


def daily(results: list[int]) -> tuple[list[PathPoint], list[ClosedTrade]]:
    """Return a run of one trade a day, open for the last hour before noon."""
    path, deals, balance = [PathPoint(0, INITIAL, INITIAL)], [], INITIAL
    for day, net in enumerate(results):
        noon_ms = day * DAY_MS + 12 * HOUR_MS
        path.append(PathPoint(noon_ms - HOUR_MS, balance, balance))
        balance += net
        path.append(PathPoint(noon_ms, balance, balance))
        deals.append(ClosedTrade(noon_ms - HOUR_MS, noon_ms, net))
    return path, deals


def test_a_run_passes_when_its_last_objective_is_met(judge):
    found = judge(
        *daily([5_000, 5_000, 1_000, 1_000]),
        phases=(Phase(name="only", profit_target_fraction=0.08, min_trading_days=3),),
    )

    assert found.verdict is Verdict.PASSED
    assert found.time_ms == 2 * DAY_MS + 12 * HOUR_MS
    assert (found.profit_minor, found.days_traded) == (11_000, 3)
    assert found.best_day_share == pytest.approx(5 / 11)
    assert found.lowest_room_minor == 10_000
    assert found.open_objectives == ()


def test_a_run_that_ends_too_early_says_what_is_open(judge):
    found = judge(
        *daily([3_000, 2_000]),
        phases=(Phase(name="only", profit_target_fraction=0.08, min_trading_days=3),),
        profitable_days=ProfitableDays(days=2, threshold_fraction=0.025),
        consistency=Consistency(best_day_fraction=0.5),
    )

    assert found.verdict is Verdict.NOT_FINISHED
    assert [one.name for one in found.open_objectives] == [
        "profit_target",
        "trading_days",
        "profitable_days",
        "best_day",
    ]
    assert found.words() == (
        "Firm Test, only: not finished.",
        "Open: profit_target: 50.00 of 80.00.",
        "Open: trading_days: 2 of 3 days.",
        "Open: profitable_days: 1 of 2 days.",
        "Open: best_day: 60.0% of the profit, at most 50% wanted.",
        "Profit 50.00 (best day 60.0% of it), 2 days traded, lowest room 100.00.",
    )


def test_days_that_reach_the_threshold_exactly_count(judge):
    found = judge(
        *daily([4_000, 4_000]), profitable_days=ProfitableDays(days=2, threshold_fraction=0.04)
    )

    assert found.verdict is Verdict.PASSED


@pytest.mark.parametrize(("fraction", "reached"), [(0.08, 1), (0.080_001, 0)])
def test_one_day_may_be_asked_for_and_its_threshold_rounds_up(judge, fraction, reached):
    found = judge(
        *daily([8_000]), profitable_days=ProfitableDays(days=1, threshold_fraction=fraction)
    )

    assert found.verdict is (Verdict.PASSED if reached else Verdict.NOT_FINISHED)
    assert (found.objectives[-1].reached, found.objectives[-1].is_met) == (reached, bool(reached))


def test_nothing_reached_is_told_as_nothing(judge):
    found = judge(
        [(0, INITIAL, INITIAL)],
        phases=(Phase(name="only", profit_target_fraction=0.08, min_trading_days=3),),
    )

    assert [one.text() for one in found.open_objectives] == [
        "profit_target: 0.00 of 80.00",
        "trading_days: 0 of 3 days",
    ]


def test_trades_may_come_in_any_order(judge):
    path, deals = daily([3_000, 4_000, 2_000])

    assert judge(path, deals[::-1]) == judge(path, deals)


def test_a_trade_may_close_as_it_opens(judge):
    found = judge([(5, 108_000, 108_000)], [(5, 5, 8_000)])

    assert (found.verdict, found.best_day_share) == (Verdict.PASSED, 1.0)


def test_a_run_that_breaks_a_floor_fails_there_and_then(judge):
    found = judge([(0, INITIAL, INITIAL), (HOUR_MS, INITIAL, 89_999), (DAY_MS, 120_000, 120_000)])

    assert found.verdict is Verdict.FAILED
    assert found.failure is not None
    assert (found.failure.rule, found.failure.time_ms) == ("max_loss", HOUR_MS)
    assert (found.failure.value, found.failure.limit) == (89_999, 90_000)
    assert found.lowest_room_minor == -1
    assert found.words(0) == (
        "Firm Test, only: failed.",
        "max_loss at 1970-01-01 01:00:00 UTC: 89999 is below the floor of 90000.",
        "Open: profit_target: -10001 of 8000.",
        "Profit 0 (no profit to share among days), 0 days traded, lowest room -1.",
    )
    assert found.failure.text().endswith("899.99 is below the floor of 900.00.")


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system sets no zone per process")
def test_the_moment_of_a_failure_is_told_in_utc_wherever_the_reader_is(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        told = Failure(rule="max_loss", time_ms=HOUR_MS, value=1, limit=2).text()
    time.tzset()

    assert told.startswith("max_loss at 1970-01-01 01:00:00 UTC: ")


def test_a_failure_before_the_target_counts(judge):
    path = [(0, INITIAL, INITIAL), (1, 108_000, 89_000), (2, 108_000, 108_000)]

    assert judge(path).verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("path", "deals"),
    [
        ([(0, 108_000, 107_999)], []),  # an open loss
        ([(0, 107_999, 108_000)], []),  # an open profit
        ([(0, 108_000, 108_000)], [(0, 5, 1)]),  # a trade is still open
        ([(2, 108_000, 108_000)], [(0, 5, 1), (1, 2, 8_000)]),  # one of two is
    ],
)
def test_a_target_must_be_closed(judge, path, deals):
    assert judge(path, deals).verdict is Verdict.NOT_FINISHED


def test_a_target_that_is_met_exactly_passes(judge):
    assert judge([(0, 108_000, 108_000)]).verdict is Verdict.PASSED


def test_money_paid_in_is_no_profit_and_money_paid_out_is_no_loss(judge):
    paid_in = judge(
        [(0, INITIAL, INITIAL), (1, 103_000, 103_000, 3_000), (2, 108_000, 108_000, 5_000)]
    )
    paid_out = judge([(0, INITIAL, INITIAL), (1, 103_000, 103_000, -5_000)])

    assert (paid_in.verdict, paid_in.profit_minor) == (Verdict.NOT_FINISHED, 0)
    assert (paid_out.verdict, paid_out.profit_minor) == (Verdict.PASSED, 8_000)


def test_a_best_day_that_is_too_large_keeps_a_run_going_until_it_is_not(judge):
    bound = {"consistency": Consistency(best_day_fraction=0.5)}
    large = judge(*daily([9_000]), **bound)
    later = judge(*daily([9_000, 4_500, 4_500, 100]), **bound)

    assert (large.verdict, large.best_day_share) == (Verdict.NOT_FINISHED, 1.0)
    assert later.verdict is Verdict.PASSED
    assert later.time_ms == 2 * DAY_MS + 12 * HOUR_MS
    assert later.objectives[-1].reached == Fraction(1, 2)


def test_a_best_day_without_a_profit_is_open(judge):
    found = judge([(0, INITIAL, INITIAL)], consistency=Consistency(best_day_fraction=0.5))

    assert found.open_objectives[-1].text() == ("best_day: no profit yet, at most 50% of it wanted")


def test_a_funded_phase_without_a_target_passes_when_it_ends_unbroken(judge):
    phases = (Phase(name="test", profit_target_fraction=0.1), Phase(name="live", is_funded=True))
    path = [(0, INITIAL, INITIAL), (DAY_MS, 99_000, 99_000)]
    found = judge(path, phase="live", phases=phases, left_open=("profit_target_fraction",))

    assert (found.verdict, found.phase, found.time_ms) == (Verdict.PASSED, "live", DAY_MS)
    assert found.objectives == ()


def test_a_target_that_the_source_leaves_open_cannot_be_passed(judge):
    found = judge(
        [(0, 300_000, 300_000)],
        phases=(Phase(name="only"),),
        left_open=("profit_target_fraction", "news"),
    )

    assert found.verdict is Verdict.NOT_FINISHED
    assert (found.objectives[0].reached, found.objectives[0].is_met) == (200_000, False)
    assert found.words()[1] == "Open: profit_target: the source leaves it open."
    assert found.words()[-1] == "Not judged: profit_target_fraction, news."


def test_a_run_that_stays_idle_too_long_fails_when_it_does(judge):
    idle = judge([(0, INITIAL, INITIAL), (40 * DAY_MS, INITIAL, INITIAL)], inactivity_days=30)
    between = judge(
        [(0, INITIAL, INITIAL), (80 * DAY_MS, 101_000, 101_000)],
        [(DAY_MS, 2 * DAY_MS, 500), (40 * DAY_MS, 41 * DAY_MS, 500)],
        inactivity_days=30,
    )
    just = judge([(0, INITIAL, INITIAL), (31 * DAY_MS - 1, INITIAL, INITIAL)], inactivity_days=30)

    assert idle.failure is not None
    assert (idle.failure.rule, idle.failure.value, idle.failure.limit) == ("inactivity", 40, 30)
    assert idle.words()[1] == (
        "inactivity at 1970-02-10 00:00:00 UTC: 40 days without a trade, limit 30."
    )
    assert between.failure is not None
    assert between.failure.time_ms == 40 * DAY_MS
    assert just.failure is None


def test_trades_before_the_first_point_are_no_idle_time(judge):
    path = [(40 * DAY_MS, INITIAL, INITIAL), (60 * DAY_MS, INITIAL, INITIAL)]
    found = judge(path, [(0, 1, 5)], inactivity_days=30)

    assert found.failure is None
    assert found.days_traded == 1


def test_trades_that_were_opened_in_a_pause_are_told(judge):
    pause = DailyLoss(base=DailyBase.BALANCE, allowance_fraction=0.03, effect=Effect.PAUSE)
    path = [(0, INITIAL, INITIAL), (1, 97_000, 96_000), (5, 97_000, 97_000)]
    path += [(DAY_MS + 2, 97_000, 97_000)]
    deals = [(2, 3, 0), (4, 5, 0), (DAY_MS, DAY_MS + 1, 0)]
    found = judge(path, deals, daily_loss=pause)

    assert (found.verdict, found.opened_while_paused) == (Verdict.NOT_FINISHED, 2)
    assert found.words()[-1] == (
        "2 trades were opened while the account was paused: the firm would not have let them be."
    )


def test_a_paused_run_does_not_pass(judge):
    pause = DailyLoss(base=DailyBase.EQUITY_HIGH, allowance_fraction=0.03, effect=Effect.PAUSE)
    path = [(0, INITIAL, 112_000), (1, 108_500, 108_500)]

    assert judge(path, daily_loss=pause).verdict is Verdict.NOT_FINISHED
    after = [*path, (DAY_MS, 108_500, 108_500)]
    assert judge(after, daily_loss=pause).verdict is Verdict.PASSED


@pytest.mark.parametrize(("may_hold", "names"), [(True, ()), (False, ("weekend",))])
def test_rules_that_a_run_cannot_show_are_named(judge, may_hold, names):
    found = judge([(0, INITIAL, INITIAL)], weekend=WeekendRule(may_hold=may_hold))

    assert found.not_judged == names


def test_a_rule_that_is_stated_and_left_open_in_part_is_named_once(judge):
    found = judge(
        [(0, INITIAL, INITIAL)],
        news=NewsRule(before_s=1, after_s=1),
        stop_loss=StopLossRule(within_s=1),
        left_open=("day", "news"),
    )

    assert found.not_judged == ("news", "stop_loss", "day")


def test_a_path_without_points_is_refused(judge):
    with pytest.raises(ConfigError, match=r"^path: it is empty"):
        judge([])


def test_a_trade_that_closes_before_it_opens_is_refused(judge):
    with pytest.raises(ConfigError, match="deals: closed_ms 1 lies before opened_ms 2"):
        judge([(0, INITIAL, INITIAL)], [(2, 1, 0)])


def test_a_whole_ftmo_challenge_is_judged_by_prague_days():
    rules = load_prop_rules("ftmo-2-step")
    clock = PropClock(rules.day, ServerClock("ny_plus_7"))
    start_ms = 1_767_567_600_000  # midnight in Prague, 2026-01-05
    path, deals = [], []
    balance = 10_000_000
    for day in range(4):
        opened_ms = start_ms + day * DAY_MS + 23 * HOUR_MS + 30 * 60_000  # the next server day
        balance += 250_000
        deals.append(ClosedTrade(opened_ms, opened_ms + 60_000, 250_000))
        path.append(PathPoint(opened_ms + 60_000, balance, balance))
    found = evaluate(rules, 10_000_000, clock, path, deals)
    at_once = evaluate(rules, 10_000_000, clock, path, deals[:3])

    assert (found.verdict, found.days_traded) == (Verdict.PASSED, 4)
    assert at_once.verdict is Verdict.NOT_FINISHED
    assert [one.name for one in at_once.open_objectives] == ["trading_days"]
    funded = evaluate(rules, 10_000_000, clock, path, deals, phase="FTMO Account")
    assert funded.not_judged == ("news", "weekend")
