"""A restored loss is as old as by the server's clock, once a process has learnt it."""

from __future__ import annotations

from mtquant.engine.track_record import TrackRecord
from mtquant.execution import Desk
from mtquant.model import (
    BotIdentity,
    Deal,
    DealEntry,
    DealKind,
    IntentAction,
    IntentRow,
    IntentState,
    OrderIntent,
    Reason,
    ServerClock,
    Side,
)
from mtquant.portfolio import Portfolio

LOST_MS, AHEAD_MS = 1_000_000, 600_000
IDENTITY = BotIdentity()
NUMBER = IDENTITY.intent_id(1)


def losing_deal() -> Deal:
    return Deal(
        deal_ticket=2,
        order_ticket=2,
        position_ticket=1,
        intent_id=NUMBER,
        symbol="EURUSD",
        kind=DealKind.TRADE,
        entry=DealEntry.OUT,
        side=Side.SELL,
        volume_units=1,
        price_points=1,
        time_ms=LOST_MS,
        reason=Reason.STOP_LOSS,
        profit_minor=-5,
        commission_minor=0,
        swap_minor=0,
        fee_minor=0,
        comment="",
    )


def a_desk() -> Desk:
    intent = OrderIntent(
        strategy_id="one",
        symbol="EURUSD",
        action=IntentAction.OPEN,
        side=Side.BUY,
        volume_units=1,
        trigger="bar:1",
        decided_ms=0,
        deadline_ms=10,
    )
    desk = Desk(IDENTITY)
    desk.restore(
        [
            IntentRow(
                intent_id=NUMBER,
                intent=intent,
                state=IntentState.DONE,
                created_ms=0,
                updated_ms=0,
            )
        ]
    )
    return desk


def test_a_restored_loss_goes_by_the_lead_that_is_learnt_afterwards() -> None:
    record = TrackRecord(a_desk(), Portfolio(IDENTITY, ServerClock("utc")))

    record.note([losing_deal()])
    before = record.last_loss_ms("one")
    record.note([], AHEAD_MS)

    assert before == LOST_MS
    assert record.last_loss_ms("one") == LOST_MS + AHEAD_MS
    assert record.last_loss_ms("another") is None
