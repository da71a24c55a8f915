"""What an answer, or an outcome that was found, makes of an intent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from mtquant.model import NOT_SENT, IntentAction, IntentState, Outcome

if TYPE_CHECKING:
    from mtquant.model import ExecutionResult, IntentRow

_AFTER_REPLY: Final[dict[Outcome, IntentState | None]] = {
    Outcome.CONFIRMED: None,  # the reply is believed once the broker's state shows it
    Outcome.ACCEPTED: IntentState.UNKNOWN,
    Outcome.UNKNOWN: IntentState.UNKNOWN,
    Outcome.REFUSED: IntentState.REJECTED,
    Outcome.REPRICE: IntentState.REJECTED,
    Outcome.DISABLED: IntentState.REJECTED,
    Outcome.ALREADY: IntentState.DONE,
}


def may_be_repeated(result: ExecutionResult, action: IntentAction) -> bool:
    """Tell whether nothing can be executed of what was refused, and a new price may help.

    A close that was kept from leaving is as good as one that was never decided. An entry is not
    worth it.
    """
    if result.outcome is Outcome.REPRICE:
        return action in {IntentAction.OPEN, IntentAction.CLOSE}
    was_kept = result.outcome is Outcome.REFUSED and result.detail.startswith(NOT_SENT)
    return was_kept and action is IntentAction.CLOSE


def state_after(outcome: Outcome, action: IntentAction) -> IntentState | None:
    """Return the state that an answer leads to, None where the broker's state has to show it."""
    if outcome is Outcome.CONFIRMED and action in {IntentAction.MODIFY, IntentAction.CANCEL}:
        return IntentState.DONE  # idempotent, and the next view shows the levels anyway
    if outcome is Outcome.ALREADY and action is IntentAction.OPEN:
        return IntentState.UNKNOWN  # nothing can be open already: look
    return _AFTER_REPLY[outcome]


def replied(row: IntentRow, result: ExecutionResult) -> IntentRow:
    """Return a row with what was answered, in the state that it was in."""
    return replace(
        row,
        updated_ms=result.time_ms,
        detail=result.detail,
        order_ticket=result.order_ticket or row.order_ticket,
    )


def has_closed_a_part(row: IntentRow) -> bool:
    """Tell whether a close was filled in part and nothing more comes of it."""
    return row.intent.action is IntentAction.CLOSE and row.state is IntentState.PARTIAL


def is_undone(row: IntentRow) -> bool:
    """Tell whether a close is over and has not done all that it was to do, as far as is known."""
    is_close = row.intent.action is IntentAction.CLOSE
    return has_closed_a_part(row) or (is_close and row.never_left)
