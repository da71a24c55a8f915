"""What limits ask of past trades: the last loss, how fills compare, trades of one day."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from mtquant.model import DealEntry, DealKind, Reason, Side

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mtquant.execution import Desk
    from mtquant.model import Deal
    from mtquant.portfolio import Portfolio

_FILLS: Final = 20
_DAY_MS: Final = 86_400_000
_BUSINESS_DAYS: Final = 5
_FRIDAY: Final = 5


class TrackRecord:
    """Follow the deals of the bot's own positions, also those of an earlier process."""

    def __init__(self, desk: Desk, portfolio: Portfolio) -> None:
        self._desk, self._portfolio = desk, portfolio
        self._lost_ms: dict[str, int] = {}  # by strategy: the server's time of its last loss
        self._lead_ms = 0
        self._slipped: dict[str, deque[int]] = {}  # by symbol: points worse than asked
        self._opened_on: dict[int, int] = {}  # by position: server day
        self._day_trades: dict[int, int] = {}  # by server day

    def note(self, deals: Iterable[Deal], lead_ms: int = 0) -> None:
        """Take in deals, each once; the reader's clock is `lead_ms` ahead of the server's."""
        self._lead_ms = lead_ms  # learnt anew by every process: also what was restored goes by it
        for deal in deals:
            if deal.kind is DealKind.TRADE and self._portfolio.is_own(deal.intent_id):
                self._note(deal)

    def last_loss_ms(self, strategy_id: str) -> int | None:
        """Return when a strategy last closed a trade with a loss (the reader's UTC ms)."""
        lost_ms = self._lost_ms.get(strategy_id)
        return None if lost_ms is None else lost_ms + self._lead_ms

    def slippage_points(self, symbol: str) -> float | None:
        """Return how much worse than asked the last entries were filled, points on average."""
        slipped = self._slipped.get(symbol)
        return sum(slipped) / len(slipped) if slipped else None

    def day_trades(self, server_ms: int) -> int:
        """Return how many positions were opened and closed within one day of the last five.

        Days are the server's, Saturdays and Sundays do not count.
        """
        day, counted, total = self._day_of(server_ms), 0, 0
        while counted < _BUSINESS_DAYS:
            total += self._day_trades.get(day, 0)
            counted += 1 <= (day + 4) % 7 <= _FRIDAY
            day -= 1
        return total

    def _day_of(self, utc_ms: int) -> int:
        return self._portfolio.clock.to_server_ms(utc_ms) // _DAY_MS

    def _note(self, deal: Deal) -> None:
        day = self._day_of(deal.time_ms)
        row = self._desk.row(deal.intent_id)
        if deal.entry is DealEntry.IN:
            self._opened_on.setdefault(deal.position_ticket, day)
            asked = row.intent.price_points if row is not None else None
            if asked and deal.reason is Reason.EXPERT and deal.side is not None:
                worse = (deal.price_points - asked) * (1 if deal.side is Side.BUY else -1)
                kept = self._slipped.setdefault(deal.symbol, deque(maxlen=_FILLS))
                kept.append(worse)
            return
        if self._opened_on.pop(deal.position_ticket, None) == day:
            self._day_trades[day] = self._day_trades.get(day, 0) + 1
        if deal.net_minor < 0 and row is not None:
            self._lost_ms[row.intent.strategy_id] = deal.time_ms
