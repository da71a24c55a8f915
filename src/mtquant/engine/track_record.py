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
_LEAST_FILLS: Final = 5
_FILL_DAYS: Final = 30
_DAY_MS: Final = 86_400_000
_BUSINESS_DAYS: Final = 5
_FRIDAY: Final = 5


class TrackRecord:
    """Follow the deals of the bot's own positions, also those of an earlier process."""

    def __init__(self, desk: Desk, portfolio: Portfolio) -> None:
        self._desk, self._portfolio = desk, portfolio
        self._lost_ms: dict[str, int] = {}  # by strategy: the server's time of its last loss
        self._lead_ms = 0
        self._slipped: dict[str, deque[tuple[int, int]]] = {}  # by symbol: time, points worse
        self._forgiven_ms = 0  # by the reader's clock
        self._opened: dict[int, tuple[int, int]] = {}  # by position: server day, intent
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

    def forgive(self, until_ms: int) -> None:
        """Take fills up to a time (the reader's UTC ms) for seen: a person has looked."""
        self._forgiven_ms = until_ms

    def slippage_points(self, symbol: str, server_ms: int) -> float | None:
        """Return how much worse than asked entries were filled, points on average.

        Of the last 20 fills those of the last 30 server days, today's included, that nobody has
        forgiven. Of fewer than five nothing is known: one bad fill is no habit, and an entry that
        is refused because of fills brings none that would be better.
        """
        oldest, since_ms = self._day_of(server_ms) - _FILL_DAYS, self._forgiven_ms - self._lead_ms
        worse = [
            points
            for time_ms, points in self._slipped.get(symbol, ())
            if time_ms > since_ms and self._day_of(time_ms) > oldest
        ]
        return sum(worse) / len(worse) if len(worse) >= _LEAST_FILLS else None

    def opened_today(self, server_ms: int) -> frozenset[int]:
        """Return the entries (intents) of this server day of whose positions nothing is closed."""
        today = self._day_of(server_ms)
        return frozenset(intent_id for day, intent_id in self._opened.values() if day == today)

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
            self._opened.setdefault(deal.position_ticket, (day, deal.intent_id))
            asked = row.intent.price_points if row is not None else None
            if asked and deal.reason is Reason.EXPERT and deal.side is not None:
                worse = (deal.price_points - asked) * (1 if deal.side is Side.BUY else -1)
                kept = self._slipped.setdefault(deal.symbol, deque(maxlen=_FILLS))
                kept.append((deal.time_ms, worse))
            return
        opened = self._opened.pop(deal.position_ticket, None)
        if opened is not None and opened[0] == day:
            self._day_trades[day] = self._day_trades.get(day, 0) + 1
        if deal.net_minor < 0 and row is not None:
            self._lost_ms[row.intent.strategy_id] = deal.time_ms
