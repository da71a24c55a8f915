"""Planted bugs in what remembers losses and sums up exposure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from mtquant.engine import Engine, LossWatch, OrderMaker
from mtquant.risk import NOTHING_HELD, RiskEngine
from simulation.bot import Parts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mtquant.model import BrokerView, Deal, OrderIntent, Position, Publish
    from mtquant.risk import ApprovedOrder, CircuitBreaker, Refused, RiskView


class ForgetsExposure(RiskEngine):
    """Hold an entry against the limits as if nothing were held."""

    def decide(self, intent: OrderIntent, view: RiskView) -> ApprovedOrder | Refused:
        return super().decide(intent, replace(view, exposure=NOTHING_HELD))


class IgnoresBand(RiskEngine):
    """Believe any price."""

    def decide(self, intent: OrderIntent, view: RiskView) -> ApprovedOrder | Refused:
        return super().decide(intent, replace(view, reference_points=0))


class IgnoresBreaker(RiskEngine):
    """Enter at every level of the breaker."""

    def decide(self, intent: OrderIntent, view: RiskView) -> ApprovedOrder | Refused:
        return super().decide(intent, replace(view, breaker_level=0))


class IgnoresHours(RiskEngine):
    """Enter around the clock."""

    def decide(self, intent: OrderIntent, view: RiskView) -> ApprovedOrder | Refused:
        limits = self.limits
        self.limits = replace(limits, trading_hours=())
        try:
            return super().decide(intent, view)
        finally:
            self.limits = limits


class ForgetsLosses(LossWatch):
    """Begin every process without what the last one remembered."""

    def restore(self, text: str | None, deals: Iterable[Deal]) -> None:
        super().restore(None, deals)


class ForgetsDueHalts(LossWatch):
    """Take a halt for raised once the loss is recorded."""

    def restore(self, text: str | None, deals: Iterable[Deal]) -> None:
        super().restore(text, deals)
        self.note_halted()


class ComesDown(LossWatch):
    """Take the breaker down when what was lost has come back."""

    def observe(self, server_ms: int, equity_minor: int, balance_minor: int) -> tuple[Publish, ...]:
        told = super().observe(server_ms, equity_minor, balance_minor)
        breaker = self.breaker
        if breaker is not None and breaker.level and not self._is_lost(breaker):
            breaker.reset(breaker.can_reset_ms or 0, "nobody", "recovered")
        return told

    def _is_lost(self, breaker: CircuitBreaker) -> bool:
        lost = (one.loss_fraction for one in breaker.report(self._latest_ms).windows)
        return max(lost, default=0.0) >= breaker.spec.level_1_fraction


class ResetsAtOnce(LossWatch):
    """Take the breaker down on a person's word, however fresh the loss is."""

    def release(self, server_ms: int, who: str, reason: str) -> Any:
        due_ms = 0 if self.breaker is None else self.breaker.can_reset_ms or 0
        return super().release(max(server_ms, due_ms), who, reason)


class SaysItCut(Engine):
    """Take a cut for done before anything is closed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._safeguards.reduce = lambda _view, _cut: ([], True)  # type: ignore[method-assign]


class NeverCuts(Engine):
    """Leave what a loss demands for later."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._safeguards.reduce = lambda _view, _cut: ([], False)  # type: ignore[method-assign]


class CutsAll(OrderMaker):
    """Close wholly what a cut is to keep a part of."""

    def reduce(self, position: Position, units: int, view: BrokerView, trigger: str) -> OrderIntent:
        return super().reduce(position, position.volume_units, view, trigger)


class CutsTwice(Engine):
    """Try a cut's part once more although the cut has asked for it anew."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        second: Any = self._second
        second._was_asked_for_anew = lambda _intent: False


class HoldsOn(Engine):
    """Hold positions for as long as the strategy likes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        windows: Any = self._room._windows
        windows.forced_exits = lambda _slot, _own: []


RISKY: Final = {
    "forget_exposure": Parts(risk=ForgetsExposure),
    "ignore_band": Parts(risk=IgnoresBand),
    "ignore_breaker": Parts(risk=IgnoresBreaker),
    "ignore_hours": Parts(risk=IgnoresHours),
    "forget_losses": Parts(losses=ForgetsLosses),
    "forget_due_halts": Parts(losses=ForgetsDueHalts),
    "breaker_comes_down": Parts(losses=ComesDown),
    "reset_at_once": Parts(losses=ResetsAtOnce),
    "says_it_cut": Parts(engine=SaysItCut),
    "never_cuts": Parts(engine=NeverCuts),
    "cuts_all": Parts(maker=CutsAll),
    "cuts_twice": Parts(engine=CutsTwice),
    "holds_on": Parts(engine=HoldsOn),
}
