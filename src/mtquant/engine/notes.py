"""What the engine tells its subscribers: one event, one past-tense name, flat fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtquant.model import (
    Deal,
    DealEntry,
    ExecutionResult,
    HaltOrder,
    IntentRow,
    Publish,
    Scalar,
)
from mtquant.model.several import reasons_text, rules_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mtquant.model import Side
    from mtquant.risk import ApprovedOrder, Refusal, Refused
    from mtquant.risk.prop import Unkept

_DEAL_NAMES = {DealEntry.IN: "position_opened", DealEntry.INOUT: "position_turned"}


def note(name: str, time_ms: int, correlation_id: str, **fields: Scalar) -> Publish:
    """Return an observation."""
    return Publish(name=name, time_ms=time_ms, correlation_id=correlation_id, fields=fields)


def deal_note(deal: Deal, correlation_id: str, *, seen_late: bool) -> Publish:
    """Return the observation of a deal; `seen_late` when it happened while nobody looked."""
    return note(
        "balance_changed" if deal.side is None else _DEAL_NAMES.get(deal.entry, "position_closed"),
        deal.time_ms,
        correlation_id,
        deal_ticket=deal.deal_ticket,
        position_ticket=deal.position_ticket,
        symbol=deal.symbol,
        side=deal.side.name if deal.side else None,
        volume_units=deal.volume_units,
        price_points=deal.price_points,
        net_minor=deal.net_minor,
        reason=deal.reason.value,
        while_away=seen_late,
    )


def unkept_note(time_ms: int, title: str, unkept: Iterable[Unkept]) -> Publish:
    """Return the observation that a bot starts with rules of a firm that it does not keep."""
    reasons = reasons_text(f"{one.rule}: {one.why}" for one in unkept)
    return note("prop_rules_not_kept", time_ms, "prop", firm=title, reasons=reasons)


def resolved_note(row: IntentRow) -> Publish:
    """Return the observation that an intent reached a state."""
    return note(
        "intent_resolved",
        row.updated_ms,
        row.intent.signal_id,
        intent_id=row.intent_id,
        action=row.intent.action.value,
        state=row.state.name,
        order_ticket=row.order_ticket,
        position_ticket=row.intent.position_ticket,
        stop_loss_points=row.intent.stop_loss_points,
        detail=row.detail,
    )


def answer_note(row: IntentRow, result: ExecutionResult) -> Publish:
    """Return the observation of what was sent and what came back."""
    return note(
        "order_answered",
        result.time_ms,
        row.intent.signal_id,
        intent_id=row.intent_id,
        outcome=result.outcome.value,
        detail=result.detail,
        request=result.request,
        reply=result.reply,
    )


def approval_notes(
    order: ApprovedOrder, intent_id: int, time_ms: int, explanation: str
) -> list[Publish]:
    """Return the observation that the gate let an order pass, and what it warned of."""
    intent, findings = order.intent, order.findings
    told = [
        note(
            "order_approved",
            time_ms,
            intent.signal_id,
            intent_id=intent_id,
            action=intent.action.value,
            side=intent.side.name,
            volume_units=intent.volume_units,
            reason=intent.reason,
            explanation=explanation,
            passed="" if findings is None else findings.words(),
        )
    ]
    warnings = () if findings is None else findings.warnings()
    if warnings:
        told.append(
            note(
                "entry_warned",
                time_ms,
                intent.signal_id,
                intent_id=intent_id,
                rules=rules_text(one.rule for one in warnings),
                reasons=reasons_text(warnings),
            )
        )
    return told


def unsized_note(
    correlation_id: str, time_ms: int, symbol: str, side: Side | None, refusal: Refusal
) -> Publish:
    """Return the observation of an entry that came to no size, or to no stop."""
    return _refused(
        correlation_id,
        time_ms,
        (refusal,),
        symbol=symbol,
        side=None if side is None else side.name,
        volume_units=None,
        price_points=None,
        stop_loss_points=None,
        take_profit_points=None,
        explanation="",
        passed="",
    )


def lost_note(correlation_id: str, time_ms: int) -> Publish:
    """Return the observation of an entry that is given up because nothing can be seen."""
    return note("entry_dropped", time_ms, correlation_id, reason="the link was lost")


def refusal_note(refused: Refused, time_ms: int, explanation: str) -> Publish:
    """Return the observation of an order that the gate refused: every reason, every rule met."""
    intent = refused.intent
    return _refused(
        intent.signal_id,
        time_ms,
        refused.refusals,
        symbol=intent.symbol,
        side=intent.side.name,
        volume_units=intent.volume_units,
        price_points=intent.price_points,
        stop_loss_points=intent.stop_loss_points,
        take_profit_points=intent.take_profit_points,
        explanation=explanation,
        passed=refused.findings.words(),
    )


def _refused(
    correlation_id: str, time_ms: int, refusals: tuple[Refusal, ...], **fields: Scalar
) -> Publish:
    return note(
        "order_refused",
        time_ms,
        correlation_id,
        rules=rules_text(refusal.rule for refusal in refusals),
        reasons=reasons_text(refusals),
        **fields,
    )


def halt_note(halt: HaltOrder) -> Publish:
    """Return the observation of a halt, or of its release."""
    name = "halt_cleared" if halt.level == 0 else "halt_raised"
    return note(name, halt.time_ms, "halt", halt_level=halt.level, who=halt.who, reason=halt.reason)
