"""What the gate looks at, gathered: the broker's truth, the journal's, and the limits' sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from mtquant.engine.likeness import Likeness
from mtquant.engine.track_record import TrackRecord
from mtquant.model import BrokerView, IntentAction, IntentRow, MarginMode
from mtquant.portfolio.exposure import Exposure, ExposureBook, Valuer, not_shown
from mtquant.risk import NOTHING_HELD, AssetClass, OnCorrelation, RiskView, asset_class

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mtquant.engine.loss_watch import LossWatch
    from mtquant.engine.slot import StrategySlot
    from mtquant.engine.windows import TradingWindows
    from mtquant.exchange import Terms
    from mtquant.execution import Desk
    from mtquant.model import Instrument, OrderIntent, Side
    from mtquant.portfolio import Portfolio
    from mtquant.risk import RiskEngine, RiskLimits

    Waiting = Sequence[tuple[IntentRow, int]]  # entries, and how much of each nothing shows

_MINUTE_MS: Final = 60_000
_OPEN: Final = IntentAction.OPEN


class RiskFacts:
    """Make the views that entries are decided on.

    What costs more than a look is kept between them: exposure until the broker is read again or an
    intent moves, the record of past trades from deal to deal.
    """

    def __init__(
        self,
        slots: Sequence[StrategySlot],
        risk: RiskEngine,
        desk: Desk,
        portfolio: Portfolio,
        *,
        losses: LossWatch,
        windows: TradingWindows,
    ) -> None:
        self._slots = slots
        self._losses, self._windows = losses, windows
        self._likeness = Likeness(slots, risk.limits.correlation_bars)
        self._risk, self._desk, self._portfolio = risk, desk, portfolio
        self._exposures = ExposureBook(
            {slot.symbol: _valuer(slot, risk.limits) for slot in reversed(slots)}
        )
        self._sums = _Sums(view=None, revision=-1)
        self.record = TrackRecord(desk, portfolio)

    def view(self, intent: OrderIntent, view: BrokerView, *, is_ready: bool) -> RiskView:
        """Return what is known when an intent is decided on.

        What only entries are asked is left out of others: nothing that reduces may fail at it.
        """
        symbol, strategy_id = intent.symbol, intent.strategy_id
        slot = self._slot_of(symbol, strategy_id)
        desk, portfolio, risk = self._desk, self._portfolio, self._risk
        server_ms, now_ms = view.server_ms, view.time_ms
        midnight_ms = portfolio.day_start_ms(server_ms)
        sums = self._summed(view)
        asked = self._asked_of_entries(intent, slot, view) if intent.action is _OPEN else {}
        return RiskView(
            now_ms=now_ms,
            account=view.account,
            instrument=slot.orders.instrument,
            quote=view.quote(symbol),
            trade_mode=view.trade_modes.get(symbol, slot.orders.instrument.trade_mode),
            positions=view.positions,
            in_flight=sums.in_flight,
            may_come=sums.coming,
            day_start_balance_minor=portfolio.day_start_balance_minor(server_ms),
            day_loss_minor=portfolio.day_loss_minor(server_ms),
            entries_in_minute=desk.entries_since(strategy_id, now_ms - _MINUTE_MS + 1),
            entries_today=desk.entries_since(strategy_id, midnight_ms + view.lead_ms),
            halt_level=risk.halt_level,
            is_ready=is_ready,
            entries_in_a_row=desk.entries_in_a_row(strategy_id, intent.side),
            cash_lack_minor=portfolio.cash.difference_minor,
            exposure=sums.exposure,
            reference_points=slot.last_close_points,
            server_wall_ms=portfolio.clock.to_server_ms(server_ms),
            breaker_level=self._losses.level,
            **asked,
        )

    def _asked_of_entries(
        self, intent: OrderIntent, slot: StrategySlot, view: BrokerView
    ) -> dict[str, Any]:
        """Return the facts about an entry, its symbol and its strategy, by field."""
        symbol, server_ms, portfolio = intent.symbol, view.server_ms, self._portfolio
        valuer = self._exposures.valuers.get(symbol)
        value_minor, margin_minor = _worth(valuer, intent, view)
        return {
            "valuer": valuer,
            "known_value_minor": value_minor,
            "known_margin_minor": margin_minor,
            "coming_margin_minor": self._summed(view).coming_margin_minor,
            "last_loss_ms": self.record.last_loss_ms(intent.strategy_id),
            "slippage_points": self.record.slippage_points(symbol, server_ms),
            "day_trades": self.record.day_trades(server_ms),
            "opened_today": self._opened_today(view),
            "week_start_balance_minor": portfolio.week_start_balance_minor(server_ms),
            "week_loss_minor": portfolio.week_loss_minor(server_ms),
            "drawdown_fraction": self._losses.drawdown_fraction,
            "correlation": self._correlation(symbol, intent.side, view),
            "news": self._windows.news(server_ms, slot.orders.instrument),
            "prop_words": self._prop_words(intent, slot, view),
        }

    def correlation_scale(self, symbol: str, side: Side, view: BrokerView) -> float:
        """Return what correlation leaves of an entry's size, 0 to 1.

        1 up to the limit, then falling evenly to 0 at a correlation of 1.
        """
        limits = self._risk.limits
        most = limits.max_correlation
        found = self._correlation(symbol, side, view)
        if most is None or found is None or limits.on_correlation is not OnCorrelation.REDUCE:
            return 1.0
        return 1.0 if found[0] <= most else max(0.0, (1.0 - found[0]) / (1.0 - most))

    def _correlation(self, symbol: str, side: Side, view: BrokerView) -> tuple[float, str] | None:
        if self._risk.limits.max_correlation is None:
            return None
        held = {(one.symbol, one.side) for one in view.positions}
        held |= {(row.intent.symbol, row.intent.side) for row in self._summed(view).coming}
        return self._likeness.strongest(symbol, side, held)

    def _opened_today(self, view: BrokerView) -> int:
        """Return how many positions of today may still become day trades, coming ones included."""
        if not self._risk.limits.pattern_day_trader:
            return 0
        coming = {row.intent_id for row in self._summed(view).coming}
        return len(self.record.opened_today(view.server_ms) | coming)

    def _prop_words(self, intent: OrderIntent, slot: StrategySlot, view: BrokerView) -> str:
        """Return why the rules of a prop firm forbid an entry, empty where they do not."""
        if self._losses.prop is None:
            return ""
        instrument = slot.orders.instrument
        ahead = slot.series.timeframe.duration_ms // _MINUTE_MS
        words = self._windows.prop_words(view.server_ms, instrument, ahead)
        if words:
            return words
        held_minor, words = self._summed(view).at_stops
        if words:
            return words
        own_minor = _loss_at_stop(slot.orders.terms, intent, intent.volume_units)
        worst_minor = max(0, held_minor + own_minor)
        return self._losses.prop_words(view.server_ms, worst_minor, own_minor)

    def _slot_of(self, symbol: str, strategy_id: str) -> StrategySlot:
        slots = [slot for slot in self._slots if slot.symbol == symbol]
        own = (slot for slot in slots if slot.strategy_id == strategy_id)
        return next(own, slots[0] if slots else self._slots[0])

    def _summed(self, view: BrokerView) -> _Sums:
        """Return what is summed up once for a reading, and anew when an intent has moved."""
        sums, desk = self._sums, self._desk
        if sums.view is view and sums.revision == desk.revision:
            return sums
        shown = {position.intent_id for position in view.positions}
        rows = desk.may_come()
        waiting = not_shown(view.positions, rows)
        exposure, at_stops = NOTHING_HELD, (0, "")
        if self._risk.limits.needs_exposure or self._losses.prop is not None:
            exposure = self._exposures.sum(view.positions, rows)
            at_stops = self._loss_at_stops(view, waiting)
        self._sums = _Sums(
            view=view,
            revision=desk.revision,
            coming=tuple(row for row in rows if row.intent_id not in shown),
            in_flight=desk.in_flight,
            exposure=exposure,
            at_stops=at_stops,
            coming_margin_minor=self._margin_of_coming(view, waiting),
        )
        return self._sums

    def _margin_of_coming(self, view: BrokerView, waiting: Waiting) -> int:
        """Return the margin of entries that positions do not show, or not wholly, minor units."""
        total = 0
        for row, units in waiting:
            valuer = self._exposures.valuers.get(row.intent.symbol)
            if valuer is not None and row.intent.price_points:
                total += _margin(valuer, row.intent, units, view)
        return total

    def _loss_at_stops(self, view: BrokerView, waiting: Waiting) -> tuple[int, str]:
        """Return what all that is held or coming loses from here to its stop.

        Where nobody can tell it, the reason is returned.
        """
        total = 0
        for position in view.positions:
            valuer, stop = self._exposures.valuers.get(position.symbol), position.stop_loss_points
            if valuer is None or stop is None:
                return 0, f"position {position.position_ticket} may lose what nobody can tell"
            side, units = position.side.value, position.volume_units
            total -= valuer.terms.profit(side, units, position.current_points, stop)
        for row, units in waiting:
            valuer = self._exposures.valuers.get(row.intent.symbol)
            if valuer is not None:
                total += _loss_at_stop(valuer.terms, row.intent, units)
        return total, ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sums:
    """Hold what is summed up of a reading and of the intents beside it."""

    view: BrokerView | None
    revision: int
    coming: tuple[IntentRow, ...] = ()
    in_flight: tuple[IntentRow, ...] = ()
    exposure: Exposure = NOTHING_HELD
    at_stops: tuple[int, str] = (0, "")
    coming_margin_minor: int = 0


def class_of(instrument: Instrument, limits: RiskLimits) -> AssetClass:
    """Return the asset class of an instrument, as the limits name it or as it looks."""
    named = limits.asset_classes.get(instrument.symbol)
    return asset_class(instrument) if named is None else AssetClass(named)


def _loss_at_stop(terms: Terms, intent: OrderIntent, units: int) -> int:
    entry, stop = intent.price_points or 0, intent.stop_loss_points or 0
    return -terms.profit(intent.side.value, units, entry, stop)


def _worth(
    valuer: Valuer | None, intent: OrderIntent, view: BrokerView
) -> tuple[float | None, int | None]:
    """Return value and margin of an entry on its own, minor units; None where nobody asks."""
    price, units = intent.price_points or 0, intent.volume_units
    if valuer is None or price <= 0:
        return None, None
    return valuer.value_minor(units, price), _margin(valuer, intent, units, view)


def _margin(valuer: Valuer, intent: OrderIntent, units: int, view: BrokerView) -> int:
    """Return the margin of so much of an entry on its own, at its price, minor units."""
    is_netting = view.account.margin_mode is not MarginMode.HEDGING
    side, price = intent.side.value, intent.price_points or 0
    return valuer.terms.margin_to_open(side, units, price, is_netting=is_netting)


def _valuer(slot: StrategySlot, limits: RiskLimits) -> Valuer:
    kind = class_of(slot.orders.instrument, limits)
    cap = limits.max_leverage.get(kind.value, 0.0)
    return Valuer(
        terms=slot.orders.terms, asset_class=kind.group, leverage_cap=cap, leverage_class=kind.value
    )
