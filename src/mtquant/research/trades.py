"""Trades: round trips put together from the deals of each position."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from mtquant.exchange import rules
from mtquant.model import DataError, Deal, DealEntry, DealKind, Reason, Side, round_half_away

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

CSV_COLUMNS = (
    "symbol",
    "side",
    "volume_units",
    "open_ms",
    "open_points",
    "close_ms",
    "close_points",
    "profit_minor",
    "commission_minor",
    "swap_minor",
    "reason",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """Describe one round trip: what a closing deal closed, from its opening on.

    Times are UTC milliseconds, prices points, money minor units. `commission_minor` is the closing
    deal's commission and fee with its share of the opening deal's; `reason` says who closed.
    """

    position_ticket: int
    symbol: str
    side: Side
    volume_units: int
    open_ms: int
    open_points: int
    close_ms: int
    close_points: int
    profit_minor: int
    commission_minor: int
    swap_minor: int
    reason: Reason

    @property
    def net_minor(self) -> int:
        """Return profit + commission + swap, minor units."""
        return self.profit_minor + self.commission_minor + self.swap_minor


def closed_trades(deals: Sequence[Deal]) -> list[Trade]:
    """Return the trades that deals make, by opening time, then position ticket, then closing deal.

    A position closed in parts gives one trade per closing deal. Each carries the opening
    commission in proportion to its volume, rounded; the one that closes the position carries the
    rest, so that commissions add up. What is still open is left out. A netting position that grew
    has its averaged price, rounded to points; one that turned round gives the trade it closed.

    Raises:
        DataError: a position is closed without or beyond its opening.
    """
    trades = [
        trade for _, history in sorted(_by_position(deals).items()) for trade in _trades_of(history)
    ]
    return sorted(trades, key=lambda trade: trade.open_ms)


def open_entries(deals: Sequence[Deal]) -> list[Deal]:
    """Return the opening deals of the positions that the deals leave open, oldest ticket first.

    That of a netting position that turned round is the deal that turned it.
    """
    entries = (_entry_of(history) for _, history in sorted(_by_position(deals).items()))
    return [deal for deal in entries if deal is not None]


def trades_csv(trades: Iterable[Trade]) -> str:
    """Return trades as CSV: whole numbers, a header, lines that end in LF.

    >>> trades_csv([])[:24]
    'symbol,side,volume_units'
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for trade in trades:
        values = (getattr(trade, column) for column in CSV_COLUMNS)
        writer.writerow([_text(value) for value in values])
    return text.getvalue()


def trades_sha256(trades: Iterable[Trade]) -> str:
    """Return the SHA-256 of the UTF-8 bytes of `trades_csv`, in hexadecimal."""
    return sha256(trades_csv(trades).encode()).hexdigest()


def _text(value: object) -> str:
    if isinstance(value, Side):
        return value.name
    return str(value.value if isinstance(value, Reason) else value)


def _by_position(deals: Iterable[Deal]) -> dict[int, list[Deal]]:
    histories: dict[int, list[Deal]] = defaultdict(list)
    for deal in sorted(deals, key=lambda deal: (deal.time_ms, deal.deal_ticket)):
        if deal.kind is DealKind.TRADE:
            histories[deal.position_ticket].append(deal)
    return histories


def _entry_of(history: list[Deal]) -> Deal | None:
    entry, held = history[0], 0
    for deal in history:
        side = 0 if deal.side is None else deal.side.value
        before, held = held, held + side * deal.volume_units
        if deal.entry is DealEntry.INOUT or before == 0:
            entry = deal
    return entry if held else None


def _trades_of(history: list[Deal]) -> Iterator[Trade]:
    leg = _Leg(history[0])
    for deal in history[1:]:
        if deal.entry is DealEntry.IN:
            leg.grow(deal)
        elif deal.entry is DealEntry.INOUT:
            yield leg.turn(deal)
        else:
            yield leg.close(deal, deal.volume_units)


class _Leg:
    """Follow what a position holds on one side, until it is closed or turned round."""

    opening: Deal
    side: Side
    thousandths: int  # of a point: the averaged opening price
    units: int
    total_units: int  # that `total_minor` was charged for
    left_minor: int
    total_minor: int

    def __init__(self, opening: Deal) -> None:
        if opening.entry is not DealEntry.IN or opening.side is None:
            raise DataError(f"position {opening.position_ticket}: its opening deal is missing")
        self._begin(opening, opening.side, opening.volume_units, _charged_minor(opening))

    def grow(self, deal: Deal) -> None:
        """Add to the volume, at the averaged price and with its commission."""
        if self.units == 0 or deal.side is not self.side:
            raise DataError(f"position {deal.position_ticket}: it is opened twice")
        self.thousandths = rules.average_thousandths(
            self.units, self.thousandths, deal.volume_units, deal.price_points
        )
        self.units += deal.volume_units
        self.left_minor += _charged_minor(deal)
        self.total_units, self.total_minor = self.units, self.left_minor

    def close(self, deal: Deal, units: int, charged_minor: int | None = None) -> Trade:
        """Take a volume out; its share of the opening commission goes with it."""
        charged_minor = _charged_minor(deal) if charged_minor is None else charged_minor
        self.units -= units
        if self.units < 0:
            ticket = deal.position_ticket
            raise DataError(f"position {ticket}: more is closed than was opened")
        share_minor = self.left_minor
        if self.units:
            share_minor = round_half_away(self.total_minor * units / self.total_units)
        self.left_minor -= share_minor
        return Trade(
            position_ticket=self.opening.position_ticket,
            symbol=self.opening.symbol,
            side=self.side,
            volume_units=units,
            open_ms=self.opening.time_ms,
            open_points=round_half_away(self.thousandths / 1000),
            close_ms=deal.time_ms,
            close_points=deal.price_points,
            profit_minor=deal.profit_minor,
            commission_minor=share_minor + charged_minor,
            swap_minor=deal.swap_minor,
            reason=deal.reason,
        )

    def turn(self, deal: Deal) -> Trade:
        """Close all, and hold what the deal has beyond it on the other side."""
        rest = deal.volume_units - self.units
        if rest <= 0 or deal.side is not self.side.opposite:
            raise DataError(f"position {deal.position_ticket}: its reversal does not turn it round")
        whole_minor = _charged_minor(deal)
        closing_minor = round_half_away(whole_minor * self.units / deal.volume_units)
        trade = self.close(deal, self.units, closing_minor)
        self._begin(deal, deal.side, rest, whole_minor - closing_minor)
        return trade

    def _begin(self, opening: Deal, side: Side, units: int, charged_minor: int) -> None:
        self.opening, self.side = opening, side
        self.thousandths = 1000 * opening.price_points
        self.units = self.total_units = units
        self.left_minor = self.total_minor = charged_minor


def _charged_minor(deal: Deal) -> int:
    return deal.commission_minor + deal.fee_minor
