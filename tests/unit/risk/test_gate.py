"""Only the gate approves; it reports every refusal with rule, value and limit."""

import copy
from dataclasses import replace

import pytest

from mtquant.model import (
    ConfigError,
    IntentAction,
    IntentRow,
    IntentState,
    Position,
    Quote,
    Side,
    TradeMode,
)
from mtquant.risk import (
    ApprovedOrder,
    Refusal,
    Refused,
    RiskEngine,
    RiskLimits,
)
from mtquant.risk.checks.rule import Rule


@pytest.fixture
def gate() -> RiskEngine:
    return RiskEngine(RiskLimits())


def quote(bid: int, ask: int) -> Quote:
    return Quote(symbol="EURUSD", time_ms=0, bid_points=bid, ask_points=ask)


def position(intent_id: int = 0) -> Position:
    return Position(
        position_ticket=1,
        symbol="EURUSD",
        side=Side.BUY,
        volume_units=1,
        open_points=1,
        open_ms=0,
        current_points=1,
        current_ms=0,
        stop_loss_points=None,
        take_profit_points=None,
        profit_minor=0,
        swap_minor=0,
        digits=5,
        contract_size=1.0,
        intent_id=intent_id,
    )


def row(intent, intent_id: int = 7, **changes) -> IntentRow:
    return IntentRow(intent_id=intent_id, intent=intent(**changes), state=IntentState.UNKNOWN)


def test_an_entry_within_all_limits_is_approved(gate, intent, view):
    decision = gate.decide(intent(), view())

    assert isinstance(decision, ApprovedOrder)
    assert decision.intent == intent()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"halt_level": 1}, ("halt", "level 1", "level 0")),
        ({"is_ready": False}, ("reconciled", "not yet", "after reconciliation")),
        ({"quote": None}, ("quote", "none", "0 < bid <= ask")),
        ({"quote": quote(0, 10)}, ("quote", "bid 0, ask 10 points", "0 < bid <= ask")),
        ({"quote": quote(11, 10)}, ("quote", "bid 11, ask 10 points", "0 < bid <= ask")),
        (
            {"quote": replace(quote(100_000, 100_010), age_ms=60_001)},
            ("quote_age", "60.0 s", "60 s"),
        ),
        (
            {"cash_lack_minor": -1_250},
            ("cash", "-12.50 USD that no deal explains", "none"),
        ),
        ({"quote": quote(100_000, 100_051)}, ("max_spread", "51 points", "50 points")),
        ({"positions": (position(),)}, ("max_positions", "1 open or on the way", "1")),
        (
            {"day_loss_minor": 50_000},
            ("max_daily_loss", "500.00 USD", "500.00 USD (5.0% of the day's start)"),
        ),
        (
            {"day_start_balance_minor": 0},
            ("max_daily_loss", "0.00 USD", "0.00 USD (5.0% of the day's start)"),
        ),
    ],
)
def test_an_entry_is_refused_with_rule_value_and_limit(gate, intent, view, changes, expected):
    decision = gate.decide(intent(price_points=100_000), view(**changes))

    assert isinstance(decision, Refused)
    assert [(r.rule, r.value, r.limit) for r in decision.refusals] == [expected]


@pytest.mark.parametrize(
    "changes",
    [
        {"quote": quote(100_000, 100_050)},
        {"quote": quote(100_000, 100_000)},
        {"day_loss_minor": 49_999},
        {"quote": replace(quote(100_000, 100_010), age_ms=60_000)},
        {"entries_in_a_row": 1_000},
    ],
)
def test_an_entry_at_its_limit_passes(gate, intent, view, changes: dict):
    assert isinstance(gate.decide(intent(), view(**changes)), ApprovedOrder)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"stop_loss_points": None}, "stop_loss"),
        ({"stop_loss_points": 0}, "stop_loss"),
        ({"volume_units": 500_000}, "volume"),
        ({"volume_units": 10_500_000}, "volume"),
        ({"volume_units": 50_001_000_000}, "volume"),
    ],
)
def test_an_entry_that_its_instrument_or_its_risk_forbids_is_refused(
    gate, intent, view, changes: dict, rule: str
):
    decision = gate.decide(intent(**changes), view())

    assert [refusal.rule for refusal in decision.refusals] == [rule]


def test_a_volume_refusal_says_which_volumes_pass(gate, intent, view):
    refusal = gate.decide(intent(volume_units=10_500_000), view()).refusals[0]

    assert str(refusal) == (
        "volume: 0.105 lots (limit 0.01 to 500 lots in steps of 0.01); 0.1 lots would pass"
    )


def test_a_halt_refusal_says_how_to_lift_it(gate, intent, view):
    refusal = gate.decide(intent(), view(halt_level=2)).refusals[0]

    assert str(refusal).endswith("; mtquant resume --who NAME --reason TEXT")


def test_every_failing_check_is_reported(gate, intent, view):
    bad = view(
        halt_level=1,
        is_ready=False,
        quote=quote(100, 50_000),
        positions=(position(),),
        in_flight=(row(intent, trigger="bar:0"),),
        may_come=(row(intent, trigger="bar:0"),),
        day_loss_minor=60_000,
        entries_in_minute=60,
        entries_today=7,
        entries_in_a_row=4,
        cash_lack_minor=1,
        reference_points=40_000,
        trade_mode=TradeMode.DISABLED,
    )
    gate = RiskEngine(replace(gate.limits, max_entries_per_day=7, max_entries_in_a_row=4))
    decision = gate.decide(
        intent(stop_loss_points=None, take_profit_points=100, volume_units=1), bad
    )

    refused = [refusal.rule for refusal in decision.refusals]
    assert refused == [
        "halt",
        "reconciled",
        "unresolved_order",
        "trade_mode",
        "cash",
        "max_spread",
        "price_band",
        "stop_loss",
        "take_profit",
        "volume",
        "max_entries_per_minute",
        "max_entries_per_day",
        "max_entries_in_a_row",
        "max_positions",
        "max_daily_loss",
    ]
    assert {rule.name for rule in gate.rules} - set(refused) == {
        "quote",  # is there
        "quote_age",
        "free_margin",
    }


def test_the_last_entry_that_a_limit_allows_passes_and_the_next_does_not(intent, view):
    gate = RiskEngine(RiskLimits(max_entries_per_minute=3, max_entries_per_day=5))

    assert isinstance(
        gate.decide(intent(), view(entries_in_minute=2, entries_today=4)), ApprovedOrder
    )
    minute = gate.decide(intent(), view(entries_in_minute=3, entries_today=4)).refusals
    day = gate.decide(intent(), view(entries_in_minute=2, entries_today=5)).refusals
    within = "entries return within a minute"
    assert [str(one) for one in (*minute, *day)] == [
        f"max_entries_per_minute: 3 in the last 60 seconds (limit 3); {within}",
        "max_entries_per_day: 5 today (limit 5); entries return at the next server midnight",
    ]


def test_a_strategy_that_repeats_itself_is_off_until_a_person_has_looked(intent, view):
    gate = RiskEngine(RiskLimits(max_entries_in_a_row=3))

    assert isinstance(gate.decide(intent(), view(entries_in_a_row=2)), ApprovedOrder)
    (refusal,) = gate.decide(intent(), view(entries_in_a_row=3)).refusals
    assert str(refusal) == (
        "max_entries_in_a_row: 3 times BUY (limit 3); "
        "look at it, then: mtquant resume --who NAME --reason TEXT"
    )


@pytest.mark.parametrize(
    "name",
    ["max_quote_age_s", "max_entries_per_minute", "max_entries_per_day", "max_entries_in_a_row"],
)
def test_a_limit_of_entries_that_lets_none_pass_is_refused(name: str):
    with pytest.raises(ConfigError, match=f"{name} must be at least 1, was 0"):
        RiskLimits(**{name: 0})


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({}, ["unresolved_order"]),
        ({"symbol": "GBPUSD"}, []),
        ({"action": IntentAction.CLOSE}, []),
        ({"action": IntentAction.MODIFY}, []),
    ],
)
def test_an_open_outcome_blocks_entries_on_its_symbol(
    gate, intent, view, changes: dict, rules: list
):
    decision = gate.decide(intent(), view(in_flight=(row(intent, **changes),)))
    found = [refusal.rule for refusal in getattr(decision, "refusals", ())]

    assert found == rules


@pytest.mark.parametrize("state", [IntentState.DONE, IntentState.PARTIAL, IntentState.LATE])
def test_an_entry_whose_position_is_not_shown_yet_blocks_its_symbol(intent, view, state):
    gate = RiskEngine(RiskLimits(max_positions=9))
    done = replace(row(intent, 7), state=state)

    unseen = gate.decide(intent(), view(may_come=(done,)))
    shown = gate.decide(intent(), view(may_come=(done,), positions=(position(intent_id=7),)))
    elsewhere = gate.decide(
        intent(), view(may_come=(replace(row(intent, 7, symbol="X"), state=state),))
    )
    given_up = gate.decide(intent(), view(may_come=(replace(done, state=IntentState.NOTSENT),)))

    assert [refusal.rule for refusal in unseen.refusals] == ["unresolved_order"]
    assert all(isinstance(one, ApprovedOrder) for one in (shown, elsewhere, given_up))


def test_a_position_and_its_own_entry_count_once_and_an_unseen_one_counts(intent, view):
    gate = RiskEngine(RiskLimits(max_positions=2))
    seen = view(positions=(position(intent_id=7),), may_come=(row(intent, 7, symbol="GBPUSD"),))
    two = view(positions=(position(intent_id=8),), may_come=(row(intent, 7, symbol="GBPUSD"),))

    assert isinstance(gate.decide(intent(), seen), ApprovedOrder)
    assert [r.rule for r in gate.decide(intent(), two).refusals] == ["max_positions"]


@pytest.mark.parametrize("action", [IntentAction.CLOSE, IntentAction.MODIFY])
def test_what_reduces_risk_is_never_blocked(gate, intent, view, action: IntentAction):
    gate.raise_halt(4)
    blocked = view(halt_level=4, is_ready=False, quote=None, day_loss_minor=10**9)

    assert isinstance(gate.decide(intent(action), blocked), ApprovedOrder)


def test_an_approval_cannot_be_made_or_changed_elsewhere(gate, intent, view):
    approved = gate.decide(intent(), view())

    with pytest.raises(
        TypeError, match=r"^an ApprovedOrder comes from RiskEngine.decide, nowhere else$"
    ):
        ApprovedOrder(intent(), None, object())
    with pytest.raises(TypeError):
        ApprovedOrder(intent())
    with pytest.raises((TypeError, ValueError)):
        replace(approved, intent=intent(volume_units=99_000_000))
    with pytest.raises(AttributeError):
        approved.intent = intent(volume_units=99_000_000)
    assert not hasattr(approved, "seal")
    assert copy.copy(approved) == approved


# the halt level


def test_a_halt_only_rises_until_it_is_cleared(gate):
    assert gate.raise_halt(2)
    assert not gate.raise_halt(2)
    assert not gate.raise_halt(1)
    assert gate.halt_level == 2
    gate.clear_halt()
    assert gate.halt_level == 0


def test_a_halt_holds_even_when_the_view_does_not_know_it_yet(gate, intent, view):
    gate.raise_halt(3)
    decision = gate.decide(intent(), view(halt_level=0))

    assert [(r.rule, r.value) for r in decision.refusals] == [("halt", "level 3")]


def test_a_halt_of_an_earlier_process_stands(intent, view):
    assert isinstance(RiskEngine(RiskLimits(), 1).decide(intent(), view()), Refused)


# limits


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"risk_per_trade_fraction": 5}, "risk_per_trade_fraction: 5 would risk 500% of equity"),
        ({"risk_per_trade_fraction": 0.0}, "risk_per_trade_fraction: 0 would risk 0%"),
        ({"risk_per_trade_fraction": float("nan")}, "risk_per_trade_fraction"),
        ({"max_positions": 0}, "max_positions must be at least 1, was 0"),
        ({"max_daily_loss_fraction": 1.0}, "max_daily_loss_fraction must lie between 0 and 1"),
        ({"max_daily_loss_fraction": 0.0}, "max_daily_loss_fraction"),
        ({"max_spread_points": -1}, "max_spread_points must not be negative"),
    ],
)
def test_limits_that_do_not_limit_are_refused(changes: dict, message: str):
    with pytest.raises(ConfigError, match=message):
        RiskLimits(**changes)


@pytest.fixture
def moved(gate, intent, view, held):
    """Return a decider at a halt: a position's side, its stop and the stop that is wanted."""

    def decide(side: Side, old: int | None, new: int | None, *others: Position):
        wish = intent(IntentAction.MODIFY, stop_loss_points=new, position_ticket=1)
        own = held(position_ticket=1, side=side, stop_loss_points=old)
        return gate.decide(wish, view(positions=(*others, own), halt_level=3))

    return decide


MOVES = [
    (Side.BUY, 99_000, (99_000, 99_001), (98_999, 0, None, -5)),
    (Side.SELL, 101_000, (101_000, 100_999, 1), (101_001, 0, None)),
]


@pytest.mark.parametrize(("side", "old", "passing", "refused"), MOVES)
def test_a_stop_may_be_moved_nearer_and_neither_removed_nor_moved_away(
    moved, side: Side, old: int, passing: tuple, refused: tuple
):
    for new in passing:
        assert moved(side, old, new).findings is None
    for new in refused:
        (refusal,) = moved(side, old, new).refusals
        assert (refusal.rule, refusal.remedy) == ("stop_widened", "closing always passes")
        assert refusal.value == (f"a stop of {new} points" if new else "no stop")
        assert refusal.limit == f"{old} points or {'above' if side is Side.BUY else 'below'}"


@pytest.mark.parametrize("new", [1, 99_000, 200_000])
def test_a_stop_that_was_lost_may_be_put_back_anywhere(moved, held, new: int):
    other = held(position_ticket=9, stop_loss_points=99_500)

    assert isinstance(moved(Side.BUY, None, new, other), ApprovedOrder)


@pytest.mark.parametrize("new", [None, 0, -5])
def test_a_change_that_leaves_no_stop_is_refused_whatever_is_known_of_the_position(
    gate, intent, view, new: int | None
):
    wish = intent(IntentAction.MODIFY, stop_loss_points=new, position_ticket=1)

    (refusal,) = gate.decide(wish, view()).refusals
    assert (refusal.rule, refusal.limit) == ("stop_widened", "a stop loss")


def test_a_decision_on_a_stop_holds_what_it_was_made_of(gate, intent, view, held):
    seen = view(positions=(held(stop_loss_points=99_000),))
    nearer, away = (
        intent(IntentAction.MODIFY, stop_loss_points=points, position_ticket=1)
        for points in (99_001, 98_999)
    )

    assert gate.decide(nearer, seen).intent == nearer
    refused = gate.decide(away, seen)
    assert refused.intent == refused.findings.intent == away
    assert (refused.findings.view, refused.findings.limits) == (seen, gate.limits)


def test_a_refusal_without_a_remedy_reads_short():
    assert str(Refusal(rule="stop_loss", value="none", limit="required")) == (
        "stop_loss: none (limit required)"
    )


def test_findings_of_other_rules_are_not_read(gate, intent, view):
    findings = gate.decide(intent(), view()).findings

    with pytest.raises(ValueError, match="zip"):
        replace(findings, results=findings.results[:-1]).told()


def test_of_findings_of_other_rules_nobody_is_warned(gate, intent, view):
    findings = gate.decide(intent(), view()).findings

    with pytest.raises(ValueError, match="zip"):
        replace(findings, results=findings.results[:-1]).warnings()


def test_a_warning_is_worded_by_the_entry_and_by_what_was_seen(intent, view):
    rule = Rule(
        name="watched",
        look=lambda entry, seen, limits: (True, 7, 5),
        words=lambda value, limit, entry, seen: (
            f"{value} of {entry.symbol}",
            f"{limit} {seen.account.currency}",
        ),
        warns=lambda value, limit: value > limit,
    )
    decision = RiskEngine(RiskLimits(), rules=(rule,)).decide(intent(), view())

    assert decision.findings.warnings() == (
        Refusal(rule="watched", value="7 of EURUSD", limit="5 USD"),
    )
