"""Equity at each bar's close, replayed from deals exactly as the book kept it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtquant.exchange import Terms, VenueSpec, rules
from mtquant.model import DAY_MS, Bars, DataError, Deal, DealEntry, DealKind, ServerClock, Side

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def equity_curve(bars: Bars, deals: Sequence[Deal], venue: VenueSpec) -> NDArray[np.int64]:
    """Return the equity at each bar's close, int64[n] in minor units.

    Equity is the balance of all deals up to the bar's end, the floating profit at its closing bid
    (ask = bid + the bar's spread) and the swap that open positions have accumulated at server
    midnights. It equals `Book.equity_minor` at the same moments.

    Raises:
        DataError: a deal is of another symbol, lies after the last bar, or closes what is not open.
    """
    history = sorted(deals, key=lambda deal: (deal.time_ms, deal.deal_ticket))
    ends_ms = bar_ends_ms(bars)
    if history and (not len(bars) or history[-1].time_ms > ends_ms[-1]):
        raise DataError(f"deal {history[-1].deal_ticket} lies after the last bar of {bars.symbol}")
    known = np.searchsorted([deal.time_ms for deal in history], ends_ms, side="right")
    replay = _Replay(venue, bars)
    curve = np.empty(len(bars), dtype=np.int64)
    booked = 0
    for row in range(len(bars)):
        for deal in history[booked : known[row]]:
            replay.book(deal)
        booked = int(known[row])
        replay.roll_until(int(ends_ms[row]))
        bid = int(bars.close[row])
        curve[row] = replay.equity_minor(bid, bid + int(bars.spread[row]))
    return curve


def quote_before(bars: Bars, moment_ms: int) -> tuple[int, int]:
    """Return the last bid and ask (points) on the path of bars before a moment (UTC ms).

    Before the first price it is the first.
    """
    row = max(0, int(np.searchsorted(bars.time_ms, moment_ms, side="left")) - 1)
    before = max(0, row - 1)
    direction = rules.path_direction(
        int(bars.open[row]),
        int(bars.close[row]),
        int(bars.open[before]) if row else 0,
        int(bars.close[before]) if row else 0,
    )
    opened_ms, length_ms = int(bars.time_ms[row]), bars.timeframe.duration_ms
    if row + 1 < len(bars):
        length_ms = min(length_ms, int(bars.time_ms[row + 1]) - opened_ms)
    times = [rules.path_time(step, opened_ms, length_ms) for step in range(4)]
    step = max(0, sum(time_ms < moment_ms for time_ms in times) - 1)
    turns = (int(getattr(bars, name)[row]) for name in ("open", "high", "low", "close"))
    bid = rules.path_point(step, direction, *turns)
    return bid, bid + int(bars.spread[row])


def bar_ends_ms(bars: Bars) -> NDArray[np.int64]:
    """Return the last millisecond of each bar, int64[n] UTC; the next bar's open ends it too."""
    ends_ms = bars.time_ms + (bars.timeframe.duration_ms - 1)
    ends_ms[:-1] = np.minimum(ends_ms[:-1], bars.time_ms[1:] - 1)
    return ends_ms


def daily_equity(
    bars: Bars, curve: NDArray[np.int64], clock: ServerClock
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the server days that have bars and the last equity of each.

    The first array, int64[days], holds the UTC milliseconds at which each day began on the
    server; the second the equity in minor units. A bar belongs to the day in which it opens.
    """
    days: list[int] = []
    last_rows: list[int] = []
    row = 0
    while row < len(bars):
        opened_ms = int(bars.time_ms[row])
        days.append(clock.day_start_ms(opened_ms))
        row = int(np.searchsorted(bars.time_ms, clock.next_midnight_ms(opened_ms)))
        last_rows.append(row - 1)
    return np.array(days, dtype=np.int64), curve[np.array(last_rows, dtype=np.int64)]


@dataclass(slots=True, kw_only=True)
class _Holding:
    side: int
    units: int
    thousandths: int
    swap_minor: int = 0

    @property
    def opened(self) -> float:
        """Return the opening price in points: a whole number unless netting averaged it."""
        whole, rest = divmod(self.thousandths, 1000)
        return whole + rest / 1000 if rest else whole


class _Replay:
    """Follow one account through its deals and server midnights."""

    def __init__(self, venue: VenueSpec, bars: Bars) -> None:
        self._bars = bars
        self._symbol = bars.symbol
        self._terms = Terms.of(venue, bars.symbol)
        self._clock = venue.clock
        self._cash_minor = 0
        self._holdings: dict[int, _Holding] = {}
        self._next_midnight_ms: int | None = None

    def book(self, deal: Deal) -> None:
        """Take in the next deal, after the midnights before it."""
        self.roll_until(deal.time_ms)
        self._cash_minor += deal.net_minor
        if deal.kind is not DealKind.TRADE:
            return
        if deal.symbol != self._symbol:
            raise DataError(f"deal {deal.deal_ticket} is of {deal.symbol}, bars of {self._symbol}")
        if deal.entry is DealEntry.IN:
            self._open(deal)
        elif deal.entry is DealEntry.INOUT:
            self._turn(deal)
        else:
            self._close(deal, deal.volume_units)

    def roll_until(self, time_ms: int) -> None:
        """Let open positions accumulate the swap of every midnight up to a time."""
        if not self._holdings or self._next_midnight_ms is None:
            self._next_midnight_ms = self._clock.next_midnight_ms(time_ms)
        while self._next_midnight_ms <= time_ms:
            day = self._clock.to_server_ms(self._next_midnight_ms - 1) // DAY_MS
            quote = quote_before(self._bars, self._next_midnight_ms)
            for holding in self._holdings.values():
                holding.swap_minor += self._swap(holding, day, quote)
            self._next_midnight_ms = self._clock.next_midnight_ms(self._next_midnight_ms)

    def equity_minor(self, bid: int, ask: int) -> int:
        """Return the equity at a quote (points), minor units."""
        return self._cash_minor + sum(
            holding.swap_minor
            + self._terms.profit(
                holding.side,
                holding.units,
                holding.opened,
                rules.exit_price(holding.side, bid, ask),
            )
            for holding in self._holdings.values()
        )

    def _swap(self, holding: _Holding, day: int, quote: tuple[int, int]) -> int:
        prices = holding.opened, rules.exit_price(holding.side, *quote)
        return self._terms.swap(holding.side, holding.units, day, prices, lambda _: quote)

    def _open(self, deal: Deal) -> None:
        holding = self._holdings.get(deal.position_ticket)
        if deal.side is None or (holding is not None and holding.side != deal.side.value):
            raise DataError(f"deal {deal.deal_ticket} cannot open position {deal.position_ticket}")
        if holding is None:
            self._hold(deal, deal.side, deal.volume_units)
            return
        holding.thousandths = rules.average_thousandths(
            holding.units, holding.thousandths, deal.volume_units, deal.price_points
        )
        holding.units += deal.volume_units

    def _turn(self, deal: Deal) -> None:
        holding = self._holdings.get(deal.position_ticket)
        rest = 0 if holding is None else deal.volume_units - holding.units
        if holding is None or deal.side is None or rest <= 0:
            raise DataError(f"deal {deal.deal_ticket} cannot turn position {deal.position_ticket}")
        self._close(deal, holding.units)
        self._hold(deal, deal.side, rest)

    def _hold(self, deal: Deal, side: Side, units: int) -> None:
        self._holdings[deal.position_ticket] = _Holding(
            side=side.value, units=units, thousandths=1000 * deal.price_points
        )

    def _close(self, deal: Deal, units: int) -> None:
        holding = self._holdings.get(deal.position_ticket)
        if holding is None or units > holding.units:
            raise DataError(f"deal {deal.deal_ticket} closes more than is open")
        holding.units -= units
        holding.swap_minor -= deal.swap_minor
        if holding.units == 0:
            del self._holdings[deal.position_ticket]
