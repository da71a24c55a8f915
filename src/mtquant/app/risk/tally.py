"""What limits did in a run, counted from its events."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mtquant.model import IntentAction
from mtquant.model.several import rules_in

if TYPE_CHECKING:
    from mtquant.model import Publish


@dataclass(slots=True)
class Tally:
    """Count what limits did in a run: refused entries by rule, and what losses led to.

    Of `signals` those that nobody decides on, because a halt removes positions, are not refused.
    `entries` are those that were decided on, approved ones and `refused`.
    """

    signals: int = 0
    entries: int = 0
    refused: int = 0
    by_rule: Counter[str] = field(default_factory=Counter)
    halts: list[str] = field(default_factory=list)
    breaker_steps: list[str] = field(default_factory=list)
    prop_events: list[str] = field(default_factory=list)

    def take(self, event: Publish) -> None:
        """Take in an observation of the run."""
        fields = event.fields
        match event.name:
            case "signal_raised":
                self.signals += 1
            case "order_approved" if fields["action"] == IntentAction.OPEN.value:
                self.entries += 1
            case "order_refused":
                self.entries += 1
                self.refused += 1
                self.by_rule.update(rules_in(fields))
            case "halt_raised":
                self.halts.append(f"level {fields['halt_level']}: {fields['reason']}")
            case "breaker_rose":
                self.breaker_steps.append(f"level {fields['level']}: {fields['reason']}")
            case "prop_rule_met":
                self.prop_events.append(f"{fields['rule']}: {fields['what']}")

    def refusals(self) -> dict[str, Any]:
        """Return how many entries were refused, by rule, and the halts, as JSON values."""
        return {
            "entries": self.entries,
            "refused_entries": self.refused,
            "refused_by_rule": dict(self.by_rule.most_common()),
            "halts": self.halts,
        }
