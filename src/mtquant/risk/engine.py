"""The gate: the only place that turns an intent into an approved order."""

from __future__ import annotations

from dataclasses import InitVar, dataclass, replace
from typing import TYPE_CHECKING, Final

from mtquant.model import IntentAction, OrderIntent
from mtquant.model.several import reasons_text
from mtquant.risk.checks import ENTRY_RULES, MOVE_RULES, Result, Rule
from mtquant.risk.limits import RiskLimits
from mtquant.risk.view import RiskView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mtquant.risk.refusal import Refusal

_SEAL: Final = object()


@dataclass(frozen=True, slots=True)
class Findings:
    """Hold what the rules found, bare; reading it makes words of it."""

    intent: OrderIntent
    view: RiskView
    rules: tuple[Rule, ...]
    results: tuple[Result, ...]
    limits: RiskLimits

    def told(self) -> list[tuple[bool, Refusal]]:
        """Return for each rule whether the entry passes it, and value and limit in words."""
        return [
            (result[0], rule.refusal(result, self.intent, self.view, self.limits))
            for rule, result in zip(self.rules, self.results, strict=True)
        ]

    def warnings(self) -> tuple[Refusal, ...]:
        """Return what a person should hear of although the entry passes it, in words."""
        return tuple(
            rule.refusal(result, self.intent, self.view, self.limits)
            for rule, result in zip(self.rules, self.results, strict=True)
            if result[0] and rule.warns(result[1], result[2])
        )

    def words(self) -> str:
        """Return name, value and limit of each rule that is met, with bars between them."""
        met = (one for passes, one in self.told() if passes)
        return reasons_text(f"{one.rule}: {one.value} (limit {one.limit})" for one in met)


@dataclass(frozen=True, slots=True)
class ApprovedOrder:
    """Hold an intent that passed the gate; only `RiskEngine.decide` can make one.

    `findings` are None for what reduces risk: nothing is looked at.
    """

    intent: OrderIntent
    findings: Findings | None
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
    """Hold an intent that did not pass."""

    intent: OrderIntent
    findings: Findings

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """Return every reason, in words."""
        return tuple(refusal for passes, refusal in self.findings.told() if not passes)


class RiskEngine:
    """Decide on intents and hold the halt level.

    Opening orders run through every check that the limits switch on, and all failures are
    reported. Closing a position or moving its stop nearer reduces risk and is never blocked; a
    stop that is removed or moved away does not, and is refused.
    """

    def __init__(
        self, limits: RiskLimits, halt_level: int = 0, rules: Sequence[Rule] = ENTRY_RULES
    ) -> None:
        self.limits = limits
        self.halt_level = halt_level
        self._rules = tuple(rule for rule in rules if rule.is_on(limits))
        self._looks = tuple(rule.look for rule in self._rules)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Return the rules that are switched on."""
        return self._rules

    def decide(self, intent: OrderIntent, view: RiskView) -> ApprovedOrder | Refused:
        """Return the approved order, or all refusals."""
        if intent.action is IntentAction.MODIFY:
            return self._decide_move(intent, view)
        if intent.action is not IntentAction.OPEN:
            return ApprovedOrder(intent, None, _SEAL)
        if view.halt_level < self.halt_level:  # a view may be older than the halt
            view = replace(view, halt_level=self.halt_level)
        limits = self.limits
        results = tuple([look(intent, view, limits) for look in self._looks])
        findings = Findings(intent, view, self._rules, results, limits)
        for result in results:
            if not result[0]:
                return Refused(intent, findings)
        return ApprovedOrder(intent, findings, _SEAL)

    def _decide_move(self, intent: OrderIntent, view: RiskView) -> ApprovedOrder | Refused:
        results = tuple([rule.look(intent, view, self.limits) for rule in MOVE_RULES])
        if all(result[0] for result in results):
            return ApprovedOrder(intent, None, _SEAL)
        return Refused(intent, Findings(intent, view, MOVE_RULES, results, self.limits))

    def raise_halt(self, level: int) -> bool:
        """Raise the halt level; return whether it rose (it never falls this way)."""
        if level <= self.halt_level:
            return False
        self.halt_level = level
        return True

    def clear_halt(self) -> None:
        """Lift the halt, on a named person's word."""
        self.halt_level = 0
