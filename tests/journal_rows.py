"""Rows for journals: intents that are being sent, and deals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mtquant.model import (
    Deal,
    DealEntry,
    DealKind,
    IntentAction,
    IntentRow,
    IntentState,
    OrderIntent,
    Reason,
    Side,
)


def sending_row(number: int, **changes: Any) -> IntentRow:
    """Return an intent that is being sent; `changes` are facts of the intent."""
    facts: dict[str, Any] = {
        "strategy_id": "a",
        "symbol": "EURUSD",
        "action": IntentAction.OPEN,
        "side": Side.BUY,
        "volume_units": 10_000_000,
        "trigger": f"bar:{number}",
        "decided_ms": 0,
        "deadline_ms": 0,
        "signal_id": f"bar:{number}",
    }
    intent = OrderIntent(**(facts | changes))
    return IntentRow(intent_id=number, intent=intent, state=IntentState.SENDING, created_ms=1)


def a_deal(number: int, **changes: Any) -> Deal:
    """Return a deal that opened a position."""
    made = Deal(
        deal_ticket=number,
        order_ticket=1,
        position_ticket=1,
        time_ms=5,
        symbol="EURUSD",
        kind=DealKind.TRADE,
        side=Side.BUY,
        entry=DealEntry.IN,
        volume_units=10_000_000,
        price_points=110_000,
        profit_minor=0,
        commission_minor=0,
        swap_minor=0,
        fee_minor=0,
        reason=Reason.EXPERT,
    )
    return replace(made, **changes)
