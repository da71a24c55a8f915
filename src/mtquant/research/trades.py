"""Trades: round trips put together from the deals of each position."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

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
_CLOSING = frozenset({DealEntry.OUT, DealEntry.OUT_BY})


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
    rest, so that commissions add up. What is still open is left out.

    Raises:
        DataError: a position is closed without or beyond its opening, or opened twice (a netting
            account).
    """
    trades = [
        trade
        for ticket, history in sorted(_by_position(deals).items())
        for trade in _trades_of(ticket, history)
    ]
    return sorted(trades, key=lambda trade: trade.open_ms)


def open_entries(deals: Sequence[Deal]) -> list[Deal]:
    """Return the opening deals of the positions that the deals leave open, oldest ticket first."""
    return [
        history[0]
        for _, history in sorted(_by_position(deals).items())
        if sum(_opened_units(deal) for deal in history) > 0
    ]


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


def _opened_units(deal: Deal) -> int:
    return deal.volume_units if deal.entry is DealEntry.IN else -deal.volume_units


def _trades_of(ticket: int, history: list[Deal]) -> Iterator[Trade]:
    opening, *closings = history
    if opening.entry is not DealEntry.IN or opening.side is None:
        raise DataError(f"position {ticket}: its opening deal is missing")
    remaining_units = opening.volume_units
    remaining_minor = total_minor = opening.commission_minor + opening.fee_minor
    for deal in closings:
        if deal.entry not in _CLOSING:
            raise DataError(f"position {ticket} is opened twice; only hedging accounts are read")
        remaining_units -= deal.volume_units
        if remaining_units < 0:
            raise DataError(f"position {ticket}: more is closed than was opened")
        part_minor = (
            round_half_away(total_minor * deal.volume_units / opening.volume_units)
            if remaining_units
            else remaining_minor
        )
        remaining_minor -= part_minor
        yield _round_trip(opening, opening.side, deal, part_minor)


def _round_trip(opening: Deal, side: Side, closing: Deal, opening_share_minor: int) -> Trade:
    return Trade(
        position_ticket=opening.position_ticket,
        symbol=opening.symbol,
        side=side,
        volume_units=closing.volume_units,
        open_ms=opening.time_ms,
        open_points=opening.price_points,
        close_ms=closing.time_ms,
        close_points=closing.price_points,
        profit_minor=closing.profit_minor,
        commission_minor=opening_share_minor + closing.commission_minor + closing.fee_minor,
        swap_minor=closing.swap_minor,
        reason=closing.reason,
    )
