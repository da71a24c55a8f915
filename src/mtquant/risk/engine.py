"""The gate: the only place that turns an intent into an approved order."""

from __future__ import annotations

from dataclasses import InitVar, dataclass, replace
from typing import Final

from mtquant.model import IntentAction, OrderIntent
from mtquant.risk.checks import ENTRY_CHECKS
from mtquant.risk.limits import Refusal, RiskLimits, RiskView

_SEAL: Final = object()


@dataclass(frozen=True, slots=True)
class ApprovedOrder:
    """Hold an intent that passed the gate; only `RiskEngine.decide` can make one."""

    intent: OrderIntent
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        """Refuse an approval that the gate did not give.

        Raises:
            TypeError: somebody else tried to make one.
        """
        if seal is not _SEAL:
            raise TypeError("an ApprovedOrder comes from RiskEngine.decide, nowhere else")


@dataclass(frozen=True, slots=True)
class Refused:
    """Hold an intent that did not pass, with every reason."""

    intent: OrderIntent
    refusals: tuple[Refusal, ...]


class RiskEngine:
    """Decide on intents and hold the halt level.

    Opening orders run through every check and all failures are reported. Closing a position or
    moving its protective levels reduces risk and is never blocked.
    """

    def __init__(self, limits: RiskLimits, halt_level: int = 0) -> None:
        self.limits = limits
        self.halt_level = halt_level

    def decide(self, intent: OrderIntent, view: RiskView) -> ApprovedOrder | Refused:
        """Return the approved order, or all refusals."""
        if intent.action is not IntentAction.OPEN:
            return ApprovedOrder(intent, _SEAL)
        if view.halt_level < self.halt_level:  # a view may be older than the halt
            view = replace(view, halt_level=self.halt_level)
        found = [check(intent, view, self.limits) for check in ENTRY_CHECKS]
        refusals = tuple(refusal for refusal in found if refusal is not None)
        return Refused(intent, refusals) if refusals else ApprovedOrder(intent, _SEAL)

    def raise_halt(self, level: int) -> bool:
        """Raise the halt level; return whether it rose (it never falls this way)."""
        if level <= self.halt_level:
            return False
        self.halt_level = level
        return True

    def clear_halt(self) -> None:
        """Lift the halt, on a named person's word."""
        self.halt_level = 0
