"""Never more leaves than the gate has approved, whatever desk and journal say."""

from hypothesis import given
from hypothesis import strategies as st

from mtquant.execution import SentCounter
from mtquant.model import IntentAction, IntentRow, IntentState, OrderIntent, Side


def row(number: int, units: int = 10) -> IntentRow:
    intent = OrderIntent(
        strategy_id="s",
        symbol="EURUSD",
        action=IntentAction.OPEN,
        side=Side.BUY,
        volume_units=units,
        trigger="t",
        decided_ms=0,
        deadline_ms=0,
    )
    return IntentRow(intent_id=number, intent=intent, state=IntentState.SENDING)


def test_what_was_approved_leaves_once() -> None:
    count = SentCounter()
    count.approve(1, 10)

    assert count.send(row(1)) == ""
    assert "0 of it are approved" in count.send(row(1))
    assert count.sent_units == 10


def test_nothing_leaves_that_was_not_approved_or_is_more() -> None:
    count = SentCounter()
    count.approve(1, 10)
    count.approve(2, 10)

    assert count.send(row(3))
    assert "11 units of intent 1" in count.send(row(1, 11))
    assert count.sent_units == 0


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 20), st.booleans()), max_size=40))
def test_the_sum_that_left_never_exceeds_the_sum_that_was_approved(steps: list) -> None:
    count, left = SentCounter(), 0
    for number, units, is_send in steps:
        if not is_send:
            count.approve(number, units)
        elif not count.send(row(number, units)):
            left += units
        assert left == count.sent_units <= count.approved_units
