"""All that limits have a say in: sizes, the gate's facts, forced exits, losses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtquant.engine.facts import RiskFacts
from mtquant.engine.loss_watch import LossWatch
from mtquant.engine.notes import unkept_note
from mtquant.engine.windows import TradingWindows
from mtquant.risk import PositionSizer, RiskEngine
from mtquant.risk.prop import unkept_rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mtquant.engine.decision import Decision
    from mtquant.engine.orders import SizedIntent
    from mtquant.engine.slot import StrategySlot
    from mtquant.execution import Desk
    from mtquant.model import BrokerView, Deal, OrderIntent, Position, Publish
    from mtquant.model.news import NewsEvent
    from mtquant.portfolio import Portfolio
    from mtquant.risk import ApprovedOrder, Refusal, Refused, RiskView
    from mtquant.strategy import ExitSignal


class RiskRoom:
    """Size, gate and force out, by one set of limits."""

    def __init__(
        self,
        slots: Sequence[StrategySlot],
        risk: RiskEngine,
        desk: Desk,
        portfolio: Portfolio,
        *,
        losses: LossWatch | None = None,
        calendar: Sequence[NewsEvent] = (),
    ) -> None:
        limits = risk.limits
        self.gate = risk
        self.losses = losses or LossWatch(limits, portfolio.clock)
        rules = None if self.losses.prop is None else self.losses.prop.rules
        self._sizer = PositionSizer(limits.sizing, limits.risk_per_trade_fraction)
        self._windows = TradingWindows(limits, portfolio.clock, calendar, rules)
        self._facts = RiskFacts(
            slots, risk, desk, portfolio, losses=self.losses, windows=self._windows
        )

    def start_notes(self, time_ms: int) -> list[Publish]:
        """Return what a person must know of the limits as a bot starts."""
        if self.losses.prop is None:
            return []
        rules = self.losses.prop.rules
        has_calendar = self.gate.limits.news_calendar is not None
        unkept = unkept_rules(rules, has_calendar=has_calendar)
        return [unkept_note(time_ms, rules.title, unkept)] if unkept else []

    def note(self, deals: Iterable[Deal], lead_ms: int = 0) -> None:
        """Take in deals, each once; the reader's clock is `lead_ms` ahead of the server's."""
        known = tuple(deals)
        self._facts.record.note(known, lead_ms)
        self.losses.note_deals(known)

    def restore(self, deals: Sequence[Deal], risk_state: str | None) -> None:
        """Take over what an earlier process has journalled.

        Raises:
            DataError: what is remembered of losses cannot be read.
        """
        self._facts.record.note(deals)
        self.losses.restore(risk_state, deals)

    def forgive(self, until_ms: int) -> None:
        """Take fills up to a time (the reader's UTC ms) for seen: a person has looked."""
        self._facts.record.forgive(until_ms)

    def open(self, decision: Decision, view: BrokerView) -> SizedIntent | Refusal:
        """Return a sized opening intent, or why none can be written."""
        likeness_scale, slot = 1.0, decision.slot
        side = decision.wants.side if decision.wants is not None else None
        if side is not None:
            likeness_scale = self._facts.correlation_scale(slot.symbol, side, view)
        left = (self.losses.scale, likeness_scale)
        return slot.orders.open(decision, view, self._sizer, left)

    def view(self, intent: OrderIntent, view: BrokerView, *, is_ready: bool) -> RiskView:
        """Return what the gate looks at."""
        return self._facts.view(intent, view, is_ready=is_ready)

    def decide(
        self, intent: OrderIntent, view: BrokerView, *, is_ready: bool
    ) -> ApprovedOrder | Refused:
        """Return the gate's verdict on an intent."""
        return self.gate.decide(intent, self.view(intent, view, is_ready=is_ready))

    def must_leave(self, slot: StrategySlot, server_ms: int) -> bool:
        """Tell whether limits forbid that a slot holds anything now (UTC ms)."""
        return self._windows.must_leave(slot, server_ms)

    def exits(self, slot: StrategySlot, own: tuple[Position, ...]) -> tuple[ExitSignal, ...]:
        """Return what exits ask for; a close that limits demand stands before it."""
        forced = self._windows.forced_exits(slot, own)
        if not forced:
            return slot.exits_of(own)
        tickets = {one.position_ticket for one in forced}
        return (*forced, *(one for one in slot.exits_of(own) if one.position_ticket not in tickets))
