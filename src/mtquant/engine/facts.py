"""What the gate looks at, gathered: the broker's truth, the journal's, and the limits' sums."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from mtquant.engine.likeness import Likeness
from mtquant.engine.track_record import TrackRecord
from mtquant.portfolio.exposure import Exposure, ExposureBook, Valuer
from mtquant.risk import NOTHING_HELD, AssetClass, OnCorrelation, RiskView, asset_class

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mtquant.engine.loss_watch import LossWatch
    from mtquant.engine.slot import StrategySlot
    from mtquant.engine.windows import TradingWindows
    from mtquant.exchange import Terms
    from mtquant.execution import Desk
    from mtquant.model import BrokerView, Instrument, IntentRow, OrderIntent, Side
    from mtquant.portfolio import Portfolio
    from mtquant.risk import RiskEngine, RiskLimits

_MINUTE_MS: Final = 60_000


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
        self._summed: tuple[BrokerView | None, int, Exposure] = (None, 0, NOTHING_HELD)
        self.record = TrackRecord(desk, portfolio)

    def view(self, intent: OrderIntent, view: BrokerView, *, is_ready: bool) -> RiskView:
        """Return what is known when an intent is decided on."""
        symbol, strategy_id = intent.symbol, intent.strategy_id
        slot = self._slot_of(symbol, strategy_id)
        desk, portfolio, risk = self._desk, self._portfolio, self._risk
        server_ms, now_ms = view.server_ms, view.time_ms
        midnight_ms = portfolio.day_start_ms(server_ms)
        return RiskView(
            now_ms=now_ms,
            account=view.account,
            instrument=slot.orders.instrument,
            quote=view.quote(symbol),
            positions=view.positions,
            in_flight=desk.in_flight,
            may_come=desk.may_come(now_ms),
            day_start_balance_minor=portfolio.day_start_balance_minor(server_ms),
            day_loss_minor=portfolio.day_loss_minor(server_ms),
            entries_in_minute=desk.entries_since(strategy_id, now_ms - _MINUTE_MS + 1),
            entries_today=desk.entries_since(strategy_id, midnight_ms + view.lead_ms),
            halt_level=risk.halt_level,
            is_ready=is_ready,
            entries_in_a_row=desk.entries_in_a_row(strategy_id, intent.side),
            cash_lack_minor=portfolio.cash.lacks_minor,
            valuer=self._exposures.valuers.get(symbol),
            exposure=self._exposure(view),
            reference_points=slot.last_close_points,
            server_wall_ms=portfolio.clock.to_server_ms(server_ms),
            last_loss_ms=self.record.last_loss_ms(strategy_id),
            slippage_points=self.record.slippage_points(symbol),
            day_trades=self.record.day_trades(server_ms),
            week_start_balance_minor=portfolio.week_start_balance_minor(server_ms),
            week_loss_minor=portfolio.week_loss_minor(server_ms),
            drawdown_fraction=self._losses.drawdown_fraction,
            correlation=self._correlation(symbol, intent.side, view),
            news=self._windows.news(server_ms, slot.orders.instrument),
            breaker_level=self._losses.level,
            prop_words=self._prop_words(intent, slot, view),
        )

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
        return self._likeness.strongest(symbol, side, view.positions)

    def _prop_words(self, intent: OrderIntent, slot: StrategySlot, view: BrokerView) -> str:
        """Return why the rules of a prop firm forbid an entry, empty where they do not."""
        if self._losses.prop is None:
            return ""
        instrument = slot.orders.instrument
        ahead = slot.series.timeframe.duration_ms // _MINUTE_MS
        words = self._windows.prop_words(view.server_ms, instrument, ahead)
        if words:
            return words
        worst_minor = _loss_at_stop(slot.orders.terms, intent)
        for position in view.positions:
            valuer = self._exposures.valuers.get(position.symbol)
            stop = position.stop_loss_points
            if valuer is None or stop is None:
                return f"position {position.position_ticket} may lose what nobody can tell"
            side, units = position.side.value, position.volume_units
            worst_minor += -valuer.terms.profit(side, units, position.current_points, stop)
        return self._losses.prop_words(view.server_ms, max(0, worst_minor))

    def _slot_of(self, symbol: str, strategy_id: str) -> StrategySlot:
        slots = [slot for slot in self._slots if slot.symbol == symbol]
        own = (slot for slot in slots if slot.strategy_id == strategy_id)
        return next(own, slots[0] if slots else self._slots[0])

    def _exposure(self, view: BrokerView) -> Exposure:
        if not self._risk.limits.needs_exposure:
            return NOTHING_HELD
        seen, revision, exposure = self._summed
        if seen is not view or revision != self._desk.revision:
            coming = _coming(view, self._desk.may_come(view.time_ms))
            exposure = self._exposures.sum(view.positions, coming)
            self._summed = (view, self._desk.revision, exposure)
        return exposure


def _coming(view: BrokerView, rows: Iterable[IntentRow]) -> list[IntentRow]:
    """Return the entries no reading shows all of; of one that is filled by and by, the rest."""
    shown: dict[int, int] = {}
    for position in view.positions:
        shown[position.intent_id] = shown.get(position.intent_id, 0) + position.volume_units
    found = []
    for row in rows:
        rest = row.intent.volume_units - shown.get(row.intent_id, 0)
        if row.intent_id not in shown:
            found.append(row)
        elif row.is_open and rest > 0:
            found.append(replace(row, intent=replace(row.intent, volume_units=rest)))
    return found


def class_of(instrument: Instrument, limits: RiskLimits) -> AssetClass:
    """Return the asset class of an instrument, as the limits name it or as it looks."""
    named = limits.asset_classes.get(instrument.symbol)
    return asset_class(instrument) if named is None else AssetClass(named)


def _loss_at_stop(terms: Terms, intent: OrderIntent) -> int:
    entry, stop = intent.price_points or 0, intent.stop_loss_points or 0
    return -terms.profit(intent.side.value, intent.volume_units, entry, stop)


def _valuer(slot: StrategySlot, limits: RiskLimits) -> Valuer:
    kind = class_of(slot.orders.instrument, limits)
    cap = limits.max_leverage.get(kind.value, 0.0)
    return Valuer(terms=slot.orders.terms, asset_class=kind.group, leverage_cap=cap)
