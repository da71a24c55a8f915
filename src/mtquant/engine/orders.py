"""From decisions to sized intents: expected prices, protective levels, volume."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from mtquant.engine.volatility import volatility_facts
from mtquant.exchange import Terms, rules
from mtquant.model import (
    BrokerView,
    Instrument,
    IntentAction,
    MarginMode,
    Order,
    OrderIntent,
    Position,
    Side,
)
from mtquant.risk import PositionSizer, Refusal, SizingRequest

if TYPE_CHECKING:
    from mtquant.engine.decision import Decision
    from mtquant.engine.stop_guard import Unprotected
    from mtquant.model import IntentRow
    from mtquant.strategy import ExitSignal

GUARD: Final = "guard:"
"""How the triggers of intents begin that are about a lost stop; the journal keeps them."""
REVERSAL: Final = "reversal"
"""The reason of closes that a signal asks for."""
Left = tuple[float, float]
"""What the breaker and what correlation leave of a size, each 0 to 1."""
_WHOLE: Final = (1.0, 1.0)


@dataclass(frozen=True, slots=True)
class SizedIntent:
    """Hold an opening intent and how its volume came about."""

    intent: OrderIntent
    explanation: str


class OrderMaker:
    """Write intents for one instrument. It decides nothing: the gate does."""

    def __init__(
        self, strategy_id: str, terms: Terms, *, deviation_points: int, deadline_ms: int
    ) -> None:
        self.strategy_id = strategy_id
        self.terms = terms
        self._deviation_points = deviation_points
        self.deadline_ms = deadline_ms

    @property
    def instrument(self) -> Instrument:
        """Return the instrument."""
        return self.terms.instrument

    def open(
        self, decision: Decision, view: BrokerView, sizer: PositionSizer, left: Left = _WHOLE
    ) -> SizedIntent | Refusal:
        """Return a sized opening intent, or why none can be written."""
        signal, protection, slot = decision.signal, decision.protection, decision.slot
        side = None if signal is None else signal.direction.side
        quote = view.quote(self.instrument.symbol)
        if signal is None or side is None:
            return Refusal(rule="signal", value="no direction", limit="long or short")
        if protection is None:
            return Refusal(
                rule="stop_loss", value="not ready", limit="a stop distance from the exits"
            )
        if quote is None:
            return Refusal(rule="quote", value="none", limit="a current quote")
        netted = _netted_position(view, self.instrument.symbol)
        if netted is not None:
            return _would_change(netted)
        entry = quote.ask_points if side is Side.BUY else quote.bid_points
        stop, target = _levels(entry, side, protection)
        request = SizingRequest(
            side=side,
            entry_points=entry,
            stop_points=stop,
            strength=signal.strength,
            scale=left[0],
            likeness_scale=left[1],
            **volatility_facts(slot.series, slot.index, sizer.spec.method),
        )
        sizing = sizer.size(self.terms, view.account, request)
        if isinstance(sizing, Refusal):
            return sizing
        intent = OrderIntent(
            strategy_id=self.strategy_id,
            symbol=quote.symbol,
            action=IntentAction.OPEN,
            side=side,
            volume_units=sizing.volume_units,
            trigger=decision.trigger,
            decided_ms=view.time_ms,
            deadline_ms=view.time_ms + self.deadline_ms,
            price_points=entry,
            stop_loss_points=stop,
            take_profit_points=target,
            deviation_points=self._deviation_points,
            reason=signal.reason,
            signal_id=signal.signal_id,
        )
        return SizedIntent(intent, sizing.explanation)

    def closable_units(self, position: Position) -> int:
        """Return what one order can close of a position: more than its largest is refused.

        Other hands may have made it larger than that, or a foreign one, which a halt closes.
        """
        most = position.largest_order_units
        return min(position.volume_units, most) if most else position.volume_units

    def close(
        self, decision: Decision, position: Position, view: BrokerView, reason: str
    ) -> OrderIntent:
        """Return an intent that closes a position wholly."""
        return self._closing(position, view, decision.trigger, reason, decision.correlation_id)

    def close_again(self, first: IntentRow, position: Position, view: BrokerView) -> OrderIntent:
        """Return the same close at the price of now, after the first one's was refused.

        It closes no more than the first has left of what it was to close, which may be a part.
        """
        left_units = first.intent.volume_units - first.filled_units
        return replace(
            first.intent,
            volume_units=min(left_units, self.closable_units(position)),
            decided_ms=view.time_ms,
            price_points=position.current_points,
        )

    def flatten(self, position: Position, view: BrokerView, attempt: int) -> OrderIntent:
        """Return an intent that closes a position because of a halt."""
        return self._closing(position, view, f"halt:{attempt}:{view.time_ms}", "halt", "halt")

    def cancel(self, order: Order, view: BrokerView, attempt: int) -> OrderIntent:
        """Return an intent that cancels a pending order because of a halt."""
        return OrderIntent(
            strategy_id=self.strategy_id,
            symbol=order.symbol,
            action=IntentAction.CANCEL,
            side=order.side,
            volume_units=order.volume_units,
            trigger=f"halt:{attempt}:{view.time_ms}",
            decided_ms=view.time_ms,
            deadline_ms=view.time_ms + self.deadline_ms,
            order_ticket=order.order_ticket,
            reason="halt",
            signal_id="halt",
        )

    def leave(self, position: Position, view: BrokerView, reason: str) -> OrderIntent:
        """Return an intent that closes a position because of the time."""
        trigger = f"{reason.replace(' ', '_')}:{position.position_ticket}:{view.time_ms}"
        return self._closing(position, view, trigger, reason, trigger)

    def cut(self, position: Position, view: BrokerView, trigger: str) -> OrderIntent:
        """Return an intent that closes a position which came too late and is too much."""
        return self._closing(position, view, trigger, "came too late", trigger)

    def reduce(self, position: Position, units: int, view: BrokerView, trigger: str) -> OrderIntent:
        """Return an intent that closes a part of a position because of a loss."""
        whole = self._closing(position, view, f"{trigger}:{view.time_ms}", "loss limit", trigger)
        return replace(whole, volume_units=min(units, whole.volume_units))

    def exit(
        self, decision: Decision, wanted: ExitSignal, position: Position, view: BrokerView
    ) -> OrderIntent | None:
        """Return an intent that moves the stop or closes, None when neither is possible now.

        A stop that the market has passed since the bar closed cannot be placed: the position is
        closed at the market, as the stop would have done.
        """
        trigger = f"{decision.trigger}:{wanted.exit_name}"
        quote = view.quote(position.symbol)
        if quote is None:
            return None
        bid, ask, side = quote.bid_points, quote.ask_points, position.side.value
        level = wanted.stop_points
        if level is None or rules.stop_is_met(side, level, bid, ask):
            reason = wanted.reason if level is None else f"{wanted.exit_name} passed at the open"
            return self._closing(position, view, trigger, reason, decision.correlation_id)
        if position.stop_loss_points is None and not self.instrument.drops_levels_daily:
            return None  # it is lost, and put back first: a move might be farther away than it was
        room = self.instrument.stops_level_points
        if not rules.stops_are_valid(side, level, 0, bid, ask, room):
            return None
        why = (wanted.reason, decision.correlation_id)
        return self._moving(position, view, level, trigger, why)

    def protect(self, bare: Unprotected, view: BrokerView) -> OrderIntent | None:
        """Return an intent that puts a lost stop loss back, or closes the position.

        It is closed where its stop was lost twice, is not known, or cannot stand at the present
        price. None without a quote.
        """
        position, stop_points = bare.position, bare.stop_points
        quote = view.quote(position.symbol)
        if quote is None:
            return None
        trigger = f"{GUARD}{position.position_ticket}:{view.time_ms}"
        bid, ask, side = quote.bid_points, quote.ask_points, position.side.value
        room = self.instrument.stops_level_points
        can_stand = stop_points > 0 and rules.stops_are_valid(side, stop_points, 0, bid, ask, room)
        if bare.was_restored or not can_stand:
            return self._closing(position, view, trigger, "no stop loss", trigger)
        return self._moving(position, view, stop_points, trigger, ("stop loss was gone", trigger))

    def _moving(
        self,
        position: Position,
        view: BrokerView,
        stop_points: int,
        trigger: str,
        why: tuple[str, str],
    ) -> OrderIntent:
        reason, correlation_id = why
        return OrderIntent(
            strategy_id=self.strategy_id,
            symbol=position.symbol,
            action=IntentAction.MODIFY,
            side=position.side,
            volume_units=position.volume_units,
            trigger=trigger,
            decided_ms=view.time_ms,
            deadline_ms=view.time_ms + self.deadline_ms,
            stop_loss_points=stop_points,
            take_profit_points=position.take_profit_points,
            position_ticket=position.position_ticket,
            reason=reason,
            signal_id=correlation_id,
        )

    def _closing(
        self, position: Position, view: BrokerView, trigger: str, reason: str, correlation_id: str
    ) -> OrderIntent:
        return OrderIntent(
            strategy_id=self.strategy_id,
            symbol=position.symbol,
            action=IntentAction.CLOSE,
            side=position.side,
            volume_units=self.closable_units(position),
            trigger=trigger,
            decided_ms=view.time_ms,
            deadline_ms=view.time_ms + self.deadline_ms,
            price_points=position.current_points,
            deviation_points=self._deviation_points,
            position_ticket=position.position_ticket,
            reason=reason,
            signal_id=correlation_id,
        )


def _levels(
    entry_points: int, side: Side, protection: tuple[int, int | None]
) -> tuple[int, int | None]:
    """Return stop loss and take profit (points) at their distances from an entry."""
    stop_distance, target_distance = protection
    stop = entry_points - side.value * stop_distance
    return stop, entry_points + side.value * target_distance if target_distance else None


def _netted_position(view: BrokerView, symbol: str) -> Position | None:
    """Return the position of a symbol that an order would grow or reduce, whoever opened it."""
    if view.account.margin_mode is MarginMode.HEDGING:
        return None
    return next((p for p in view.positions if p.symbol == symbol), None)


def _would_change(position: Position) -> Refusal:
    return Refusal(
        rule="netted_position",
        value=f"position {position.position_ticket}",
        limit="none on the symbol: an order would change it",
    )
