"""Orders and intents take only the steps of their tables."""

import itertools

import pytest

from mtquant.model import (
    INTENT_STEPS,
    OPEN_STATES,
    ORDER_STEPS,
    IllegalTransitionError,
    IntentAction,
    IntentRow,
    IntentState,
    OrderIntent,
    OrderState,
    Side,
    advance_intent,
    advance_order,
)

ORDER_PATHS = {
    "CREATED": "SUBMITTED REJECTED",
    "SUBMITTED": "PLACED PARTIALLY_FILLED FILLED CANCELED EXPIRED REJECTED",
    "PLACED": "PARTIALLY_FILLED FILLED CANCELED EXPIRED REJECTED",
    "PARTIALLY_FILLED": "PARTIALLY_FILLED FILLED CANCELED EXPIRED",
    "FILLED": "",
    "CANCELED": "PARTIALLY_FILLED FILLED",
    "EXPIRED": "PARTIALLY_FILLED FILLED",
    "REJECTED": "",
}
INTENT_PATHS = {
    "NEW": "SENDING NOTSENT",
    "SENDING": "UNKNOWN DONE PARTIAL REJECTED NOTSENT",
    "UNKNOWN": "DONE PARTIAL REJECTED NOTSENT",
    "DONE": "",
    "PARTIAL": "",
    "REJECTED": "",
    "NOTSENT": "LATE",
    "LATE": "",
}


@pytest.mark.parametrize(("current", "reported"), list(itertools.product(OrderState, repeat=2)))
def test_an_order_takes_the_steps_of_its_table_and_no_other(
    current: OrderState, reported: OrderState
):
    if reported.name in ORDER_PATHS[current.name].split():
        assert advance_order(current, reported) is reported
        return
    with pytest.raises(IllegalTransitionError, match=f"{current.name} -> {reported.name}"):
        advance_order(current, reported)


@pytest.mark.parametrize(("current", "reached"), list(itertools.product(IntentState, repeat=2)))
def test_an_intent_takes_the_steps_of_its_table_and_no_other(
    current: IntentState, reached: IntentState
):
    if reached.name in INTENT_PATHS[current.name].split():
        assert advance_intent(current, reached) is reached
        return
    with pytest.raises(IllegalTransitionError, match=f"{current.name} -> {reached.name}"):
        advance_intent(current, reached)


def test_every_state_has_a_row():
    assert set(ORDER_STEPS) == set(OrderState)
    assert set(INTENT_STEPS) == set(IntentState)


def test_intents_never_come_back_to_a_state():
    def after(state: IntentState) -> set[IntentState]:
        return {state}.union(*(after(following) for following in INTENT_STEPS[state]))

    for state in IntentState:
        assert all(state not in after(following) for following in INTENT_STEPS[state])


INTENT = OrderIntent(
    strategy_id="sma",
    symbol="EURUSD",
    action=IntentAction.OPEN,
    side=Side.BUY,
    volume_units=1_000_000,
    trigger="1483358400000",
    decided_ms=5,
    deadline_ms=10,
)


def test_a_moved_row_keeps_what_the_move_does_not_say():
    row = IntentRow(
        intent_id=7, intent=INTENT, state=IntentState.SENDING, order_ticket=3, detail="sent"
    )

    moved = row.moved(IntentState.UNKNOWN, 99)
    done = moved.moved(IntentState.DONE, 100, detail="found", order_ticket=4, filled_units=5)

    assert (moved.state, moved.updated_ms, moved.detail, moved.order_ticket) == (
        IntentState.UNKNOWN,
        99,
        "sent",
        3,
    )
    assert (done.detail, done.order_ticket, done.filled_units) == ("found", 4, 5)


@pytest.mark.parametrize("state", IntentState)
def test_a_row_is_open_while_its_outcome_is_to_be_found(state: IntentState):
    row = IntentRow(intent_id=1, intent=INTENT, state=state)

    assert row.is_open == (state in OPEN_STATES) == (state.name in {"NEW", "SENDING", "UNKNOWN"})
