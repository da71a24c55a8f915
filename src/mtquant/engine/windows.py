"""Times in which limits forbid to hold, or to open: holding hours, breaks, news."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mtquant.risk.prop import NewsRule, blackout, must_be_flat
from mtquant.strategy import ExitSignal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mtquant.engine.slot import StrategySlot
    from mtquant.model import Instrument, Position, ServerClock
    from mtquant.model.news import NewsEvent
    from mtquant.risk import RiskLimits
    from mtquant.risk.prop import PropRules

_HOUR_MS: Final = 3_600_000
_MINUTE_MS: Final = 60_000
_GRACE_MS: Final = 5_000  # for the bar that decides first
_FIRST: Final = 1_000  # before every exit of a strategy


class TradingWindows:
    """Hold positions and entries against the times that limits and prop rules state."""

    def __init__(
        self,
        limits: RiskLimits,
        clock: ServerClock,
        calendar: Sequence[NewsEvent] = (),
        rules: PropRules | None = None,
    ) -> None:
        self._clock = clock
        self._calendar = tuple(calendar)
        hours = limits.max_holding_hours
        self._holding_ms = None if hours is None else hours * _HOUR_MS
        own = NewsRule(
            before_s=round(60 * limits.news_minutes_before),
            after_s=round(60 * limits.news_minutes_after),
        )
        self._news = own if limits.news_calendar is not None else None
        self._prop_news = None if rules is None else rules.news
        weekend = None if rules is None else rules.weekend
        self._weekend = None if weekend is None or weekend.may_hold else weekend

    def forced_exits(self, slot: StrategySlot, own: Sequence[Position]) -> list[ExitSignal]:
        """Return the closes that limits demand at the close of the newest bar, a signal each."""
        if self._holding_ms is None and self._weekend is None:
            return []
        length_ms = slot.series.timeframe.duration_ms
        now_ms = slot.bar_ms + length_ms
        if self._is_to_be_flat(now_ms, slot.orders.instrument, length_ms // _MINUTE_MS):
            return [_closing(one, "flat_before_break") for one in own]
        most_ms = self._holding_ms
        if most_ms is None:
            return []
        return [
            _closing(one, "max_holding_hours") for one in own if now_ms - one.open_ms >= most_ms
        ]

    def must_leave(self, slot: StrategySlot, server_ms: int) -> bool:
        """Tell whether a slot may hold nothing now (UTC ms), and has had time to decide that.

        Where the market is shut there is nothing to be done about it.
        """
        if self._weekend is None:
            return False
        instrument, length = slot.orders.instrument, slot.series.timeframe.duration_ms
        wall_ms = self._clock.to_server_ms(server_ms)
        since_ms = wall_ms % length  # the last time at which a bar may have closed
        if since_ms < _GRACE_MS or not instrument.is_open_at(wall_ms):
            return False
        times = (server_ms - since_ms, server_ms)  # between them a break may have ended
        return all(self._is_to_be_flat(one, instrument, length // _MINUTE_MS) for one in times)

    def news(self, server_ms: int, instrument: Instrument) -> str:
        """Name the publication whose window holds an instant (UTC ms), empty for none."""
        return self._named(server_ms, instrument, self._news)

    def prop_words(self, server_ms: int, instrument: Instrument, ahead_minutes: int) -> str:
        """Return why a firm's rules about time forbid an entry now, empty where they do not."""
        news = self._named(server_ms, instrument, self._prop_news)
        if news:
            return f"news: {news}"
        is_flat = self._is_to_be_flat(server_ms, instrument, ahead_minutes)
        return "positions must be closed before the break" if is_flat else ""

    def _named(self, server_ms: int, instrument: Instrument, rule: NewsRule | None) -> str:
        if rule is None:
            return ""
        currencies = {instrument.base_currency, instrument.profit_currency}
        event = blackout(server_ms, currencies, self._calendar, rule)
        return "" if event is None else f"{event.currency} {event.title}"

    def _is_to_be_flat(self, now_ms: int, instrument: Instrument, ahead_minutes: int) -> bool:
        """Tell whether a break begins before the next bar closes, so that none may be held."""
        rule = self._weekend
        return rule is not None and must_be_flat(
            now_ms, instrument, self._clock, rule, ahead_minutes
        )


def _closing(position: Position, name: str) -> ExitSignal:
    return ExitSignal(
        position_ticket=position.position_ticket,
        exit_name=name,
        priority=_FIRST,
        reason=name.replace("_", " "),
    )
