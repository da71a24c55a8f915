"""Equity at each bar's close, replayed from deals exactly as the book kept it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtquant.exchange import BarFeed, Terms, VenueSpec, rules
from mtquant.model import DAY_MS, Bars, DataError, Deal, DealEntry, DealKind, ServerClock, Side

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def equity_curve(
    bars: Bars, deals: Sequence[Deal], venue: VenueSpec, others: Sequence[Bars] = ()
) -> NDArray[np.int64]:
    """Return the equity at each bar's close, int64[n] in minor units.

    Equity is the balance of all deals up to the bar's end, the floating profit at its closing bid
    (ask = bid + the bar's spread) and the swap that open positions have accumulated at server
    midnights. It equals `Book.equity_minor` at the same moments. Positions of `others` are worth
    what their bars show by then; the last row is taken when the last of all bars has ended.

    Raises:
        DataError: a deal is of another symbol, lies after the last bar, or closes what is not open.
    """
    history = sorted(deals, key=lambda deal: (deal.time_ms, deal.deal_ticket))
    ends_ms = bar_ends_ms(bars)
    if len(ends_ms):
        ends_ms[-1] = max(int(bar_ends_ms(one)[-1]) for one in (bars, *others) if len(one))
    if history and (not len(bars) or history[-1].time_ms > ends_ms[-1]):
        raise DataError(f"deal {history[-1].deal_ticket} lies after the last bar of {bars.symbol}")
    known = np.searchsorted([deal.time_ms for deal in history], ends_ms, side="right")
    replay = _Replay(venue, [_Quotes(venue, one) for one in (bars, *others) if len(one)])
    curve = np.empty(len(bars), dtype=np.int64)
    booked = 0
    for row in range(len(bars)):
        for deal in history[booked : known[row]]:
            replay.book(deal)
        booked = int(known[row])
        replay.roll_until(int(ends_ms[row]))
        curve[row] = replay.equity_minor(int(ends_ms[row]))
    return curve


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
    symbol: str
    side: int
    units: int
    thousandths: int
    swap_minor: int = 0

    @property
    def opened(self) -> float:
        """Return the opening price in points: a whole number unless netting averaged it."""
        whole, rest = divmod(self.thousandths, 1000)
        return whole + rest / 1000 if rest else whole


class _Quotes:
    """Tell what the bars of a symbol had shown by a moment."""

    def __init__(self, venue: VenueSpec, bars: Bars) -> None:
        self.symbol = bars.symbol
        self.terms = Terms.of(venue, bars.symbol)
        self._bars = bars
        self._ends_ms = bar_ends_ms(bars)
        self._feed = BarFeed(venue, bars)

    def at(self, time_ms: int) -> tuple[int, int]:
        """Return bid and ask in points; before the first bar those of its opening."""
        bars = self._bars
        row = max(0, int(np.searchsorted(bars.time_ms, time_ms, side="right")) - 1)
        bid = int(bars.close[row])
        if time_ms < self._ends_ms[row]:  # on its way: the point that was reached last
            path = self._feed.points(row)
            bid = [at for moment_ms, at in path if moment_ms <= max(time_ms, path[0][0])][-1]
        return bid, bid + int(bars.spread[row])


class _Replay:
    """Follow one account through its deals and server midnights."""

    def __init__(self, venue: VenueSpec, quotes: Sequence[_Quotes]) -> None:
        self._quotes = {one.symbol: one for one in quotes}
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
        if deal.symbol not in self._quotes:
            known = ", ".join(self._quotes)
            raise DataError(f"deal {deal.deal_ticket} is of {deal.symbol}, bars of {known}")
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
            for holding in self._holdings.values():
                quotes = self._quotes[holding.symbol]
                swap = _swap(holding, quotes.terms, day, quotes.at(self._next_midnight_ms - 1))
                holding.swap_minor += swap
            self._next_midnight_ms = self._clock.next_midnight_ms(self._next_midnight_ms)

    def equity_minor(self, time_ms: int) -> int:
        """Return the equity at a moment, minor units."""
        quotes = {h.symbol: self._quotes[h.symbol].at(time_ms) for h in self._holdings.values()}
        return self._cash_minor + sum(
            holding.swap_minor
            + self._quotes[holding.symbol].terms.profit(
                holding.side,
                holding.units,
                holding.opened,
                rules.exit_price(holding.side, *quotes[holding.symbol]),
            )
            for holding in self._holdings.values()
        )

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
            symbol=deal.symbol,
            side=side.value,
            units=units,
            thousandths=1000 * deal.price_points,
        )

    def _close(self, deal: Deal, units: int) -> None:
        holding = self._holdings.get(deal.position_ticket)
        if holding is None or units > holding.units:
            raise DataError(f"deal {deal.deal_ticket} closes more than is open")
        holding.units -= units
        holding.swap_minor -= deal.swap_minor
        if holding.units == 0:
            del self._holdings[deal.position_ticket]


def _swap(holding: _Holding, terms: Terms, day: int, quote: tuple[int, int]) -> int:
    """Return the swap of a night at the last quote before it; the traded pair may convert it."""
    prices = holding.opened, rules.exit_price(holding.side, *quote)
    return terms.swap(holding.side, holding.units, day, prices, lambda _: quote)
