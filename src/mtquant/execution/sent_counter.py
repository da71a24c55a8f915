"""A second count, of what was approved and of what leaves, to catch what no rule foresees."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mtquant.model import IntentRow


class SentCounter:
    """Count approved and sent volume (1e-8 lots) of this process apart from desk and journal.

    A loop that sends again, or more than was decided, is a bug that the desk itself may have. In
    2012 one cost a broker 460 million dollars in 45 minutes, because nobody compared the two.
    """

    def __init__(self) -> None:
        self.approved_units = 0
        self.sent_units = 0
        self._left: dict[int, int] = {}  # approved and not sent yet, by intent

    def approve(self, intent_id: int, volume_units: int) -> None:
        """Count what the gate has let through."""
        self.approved_units += volume_units
        self._left[intent_id] = self._left.get(intent_id, 0) + volume_units

    def withdraw(self, row: IntentRow) -> None:
        """Take an approval back: what it was given for does not leave."""
        self.approved_units -= self._left.pop(row.intent_id, 0)

    def send(self, row: IntentRow) -> str:
        """Count what is about to leave; return what is wrong with it, empty for nothing."""
        wanted, left = row.intent.volume_units, self._left.pop(row.intent_id, 0)
        if wanted > left or self.sent_units + wanted > self.approved_units:
            return (
                f"{wanted} units of intent {row.intent_id} would leave, {left} of it are approved "
                f"and not sent (in all {self.sent_units} sent, {self.approved_units} approved)"
            )
        self.sent_units += wanted
        return ""
