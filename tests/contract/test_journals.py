"""What every journal promises, in memory or in a file."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from journal_rows import a_deal

from mtquant.model import (
    Deal,
    DealEntry,
    HaltOrder,
    IntentAction,
    IntentRow,
    IntentState,
    JournalError,
    OrderIntent,
    Publish,
    Reason,
    Side,
)
from mtquant.storage import MemoryJournal, SqliteJournal
from mtquant.storage.chain import checked


@pytest.fixture(params=["memory", "sqlite"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    if request.param == "memory":
        yield MemoryJournal()
        return
    made = SqliteJournal.open(tmp_path / "journal.sqlite")
    yield made
    made.close()


def sending(number: int = 1, **changes: Any) -> IntentRow:
    intent = OrderIntent(
        strategy_id="test",
        symbol="EURUSD",
        action=IntentAction.OPEN,
        side=Side.BUY,
        volume_units=1_000_000,
        trigger=str(changes.pop("trigger", number)),
        decided_ms=5,
        deadline_ms=6,
        stop_loss_points=109_000,
    )
    row = IntentRow(
        intent_id=number, intent=intent, state=IntentState.SENDING, comment="mtq1", created_ms=5
    )
    return replace(row, **changes)


def deal(number: int, profit: int = 1) -> Deal:
    return a_deal(
        number,
        side=Side.SELL,
        entry=DealEntry.OUT,
        volume_units=1,
        profit_minor=profit,
        reason=Reason.STOP_LOSS,
        comment="[sl 1.1] ümlaut \x00",
    )


def halt(level: int, request_id: int = 0) -> HaltOrder:
    return HaltOrder(time_ms=9, level=level, who="Ann", reason="test", request_id=request_id)


def test_a_new_journal_is_empty(journal: Any):
    assert journal.intents() == journal.deals() == journal.pending_halts() == []
    assert journal.halt_level() == 0
    journal.record_intents([])
    journal.record_deals([])


def test_intents_come_back_whole_and_oldest_first(journal: Any):
    for number in (3, 1, 2**53 - 1):
        journal.record_sending(sending(number))

    assert journal.intents() == [sending(1), sending(3), sending(2**53 - 1)]


def test_only_an_intent_that_is_being_sent_begins_a_row(journal: Any):
    with pytest.raises(JournalError, match="not SENDING"):
        journal.record_sending(sending(state=IntentState.DONE))
    assert journal.intents() == []


@pytest.mark.parametrize(
    "second", [sending(1), sending(2, trigger=1), sending(1, trigger=2)], ids=str
)
def test_one_decision_is_never_journalled_twice(journal: Any, second: IntentRow):
    journal.record_sending(sending(1))

    with pytest.raises(JournalError, match="journalled before"):
        journal.record_sending(second)
    assert journal.intents() == [sending(1)]


def test_a_second_attempt_is_another_decision(journal: Any):
    journal.record_sending(sending(1))
    journal.record_sending(sending(2, trigger=1, attempt=2))

    assert len(journal.intents()) == 2


def test_where_an_intent_stands_is_replaced(journal: Any):
    journal.record_sending(sending(1))
    unknown = sending(1).moved(IntentState.UNKNOWN, 7, detail="no answer")
    done = unknown.moved(IntentState.DONE, 8, order_ticket=5, filled_units=1_000_000)
    journal.record_intents([unknown])
    journal.record_intents([done])

    assert journal.intents() == [done]


def test_rows_are_written_together_or_not_at_all(journal: Any):
    journal.record_sending(sending(1))
    moved = sending(1).moved(IntentState.DONE, 7)

    with pytest.raises(JournalError, match="intent 2 was never journalled"):
        journal.record_intents([moved, sending(2)])
    assert journal.intents() == [sending(1)]


def test_a_known_deal_is_left_as_it_is(journal: Any):
    journal.record_deals([deal(2), deal(1)])
    journal.record_deals([deal(2, profit=99), deal(3)])

    assert journal.deals() == [deal(1), deal(2), deal(3)]


def test_the_last_halt_stands_and_is_released_by_level_0(journal: Any):
    for level in (1, 3, 0):
        journal.record_halt(halt(level))
        assert journal.halt_level() == level


def test_a_request_is_pending_until_it_is_taken_up_once(journal: Any):
    first = journal.request_halt(2, "Ann", "storm", 9)
    second = journal.request_halt(0, "Bob", "over", 10)
    assert [(h.level, h.who, h.reason, h.time_ms) for h in journal.pending_halts()] == [
        (2, "Ann", "storm", 9),
        (0, "Bob", "over", 10),
    ]
    assert first != second

    journal.record_halt(halt(2, request_id=first))
    assert [one.request_id for one in journal.pending_halts()] == [second]
    assert journal.halt_level() == 2
    journal.record_halt(halt(0, request_id=second))
    assert journal.pending_halts() == []
    assert journal.request_halt(1, "Ann", "again", 11) not in {first, second}


def test_a_request_stands_in_the_log_at_once(journal: Any):
    number = journal.request_halt(2, "Ann", "storm", 9)

    told = list(checked(journal.log()))[-1].record()
    assert (told["name"], told["time_ms"]) == ("halt_requested", 9)
    assert told["fields"] == {"request_id": number, "level": 2, "who": "Ann", "reason": "storm"}


def test_a_halt_without_a_request_takes_up_none(journal: Any):
    journal.request_halt(1, "Ann", "storm", 9)
    journal.record_halt(halt(3))

    assert len(journal.pending_halts()) == 1


def test_a_lower_halt_does_not_lower_the_level_that_stands(journal: Any) -> None:
    for level in (3, 1):
        journal.record_halt(HaltOrder(time_ms=0, level=level, who="ann", reason="x"))
    assert journal.halt_level() == 3

    journal.record_halt(HaltOrder(time_ms=0, level=0, who="ann", reason="over"))
    assert journal.halt_level() == 0


def test_the_baseline_of_the_cash_is_kept(journal: Any) -> None:
    assert journal.baseline_minor() is None
    for minor in (0, -5, 7):
        journal.record_baseline(minor)
        assert journal.baseline_minor() == minor


def test_what_breaker_and_prop_rules_remember_is_kept(journal: Any) -> None:
    assert journal.risk_state() is None
    for state in ('{"level": 1}', '{"level": 2}'):
        journal.record_risk(state)
        assert journal.risk_state() == state


def test_a_journal_knows_whose_it_is(journal: Any) -> None:
    assert journal.account() is None
    journal.record_account("1@Broker-Demo")
    assert journal.account() == "1@Broker-Demo"


def test_when_a_halt_was_lifted_last_is_known(journal: Any) -> None:
    assert journal.released_ms() == 0
    for level, time_ms in ((1, 5), (0, 9), (2, 12)):
        journal.record_halt(HaltOrder(time_ms=time_ms, level=level, who="ann", reason="x"))
    assert journal.released_ms() == 9


def said(name: str, correlation_id: str = "s1") -> Publish:
    return Publish(name=name, time_ms=4, correlation_id=correlation_id, fields={"reason": "ümlaut"})


def test_the_log_tells_everything_in_the_order_it_was_written(journal: Any) -> None:
    begun = len(list(journal.log()))
    journal.note(said("signal_raised"))
    journal.record_sending(sending(1))
    journal.record_intents([sending(1).moved(IntentState.DONE, 7)])
    journal.record_deals([deal(2), deal(1)])
    journal.record_deals([deal(2, profit=99)])
    journal.record_halt(halt(2))

    told = list(journal.log())[begun:]
    assert [row.kind for row in told] == ["note", "intent", "intent", "deal", "deal", "halt"]
    assert [row.record()["state"] for row in told[1:3]] == ["SENDING", "DONE"]
    assert told[0].record() == said("signal_raised").to_dict()
    assert Deal.from_dict(told[3].record()) == deal(2)
    assert list(checked(journal.log()))[begun:] == told


def test_an_observation_waits_for_the_next_rows_or_a_flush(journal: Any) -> None:
    begun = len(list(journal.log()))
    journal.note(said("a"))
    assert len(list(journal.log())) == begun
    journal.flush()
    journal.flush()
    journal.note(said("b"))
    journal.record_deals([deal(1)])

    told = list(journal.log())[begun:]
    assert [row.record().get("name") for row in told] == ["a", "b", None]


def test_what_fails_takes_no_observation_with_it(journal: Any) -> None:
    journal.note(said("a"))
    with pytest.raises(JournalError):
        journal.record_intents([sending(5)])
    journal.flush()

    assert [row.record()["name"] for row in journal.log()][-1:] == ["a"]


def test_a_story_has_the_rows_of_its_intents_and_decisions_only(journal: Any) -> None:
    journal.note(said("signal_raised", "s1"))
    journal.note(said("signal_raised", "s2"))
    journal.record_sending(sending(1))
    journal.record_sending(sending(2))

    told = journal.story([1, 0], ["s1", ""])
    assert [(row.kind, row.intent_id, row.correlation_id) for row in told] == [
        ("note", 0, "s1"),
        ("intent", 1, ""),
    ]
    assert journal.story([], []) == []


def test_a_story_has_the_deals_that_are_named_whoever_made_them(journal: Any) -> None:
    journal.record_sending(sending(1))
    journal.record_deals([deal(7), deal(8)])

    told = journal.story([1], [], [7])
    assert [row.kind for row in told] == ["intent", "deal"]
    assert told[1].record()["deal_ticket"] == 7
