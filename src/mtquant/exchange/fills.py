"""What a fill does to an account: positions open, grow, shrink, turn round; deals are booked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mtquant.exchange import rules
from mtquant.exchange.ledger import Booking, LiveOrder, OpenPosition
from mtquant.model import CommissionEntry, Deal, DealEntry, OrderState

if TYPE_CHECKING:
    from mtquant.exchange.state import AccountState
    from mtquant.exchange.terms import Terms


class Fills:
    """Carry out what orders have been filled with."""

    def __init__(self, state: AccountState) -> None:
        self._state = state

    def fill(self, order: LiveOrder, units: int, price: int) -> Deal:
        """Fill part of an order at a price (points); return its deal."""
        position = self._target(order)
        if position is None:
            deal = self._open(order, units, price)
        elif position.side == order.side:
            deal = self._add(order, position, units, price)
        elif units <= position.units:
            deal = self._reduce(order, position, units, price)
        else:
            deal = self._turn(order, position, units, price)
        order.left -= units
        order.opened = deal.position_ticket
        self._state.balance_minor += deal.net_minor
        self._state.touch()
        return deal

    def finish(self, order: LiveOrder, state: OrderState, done_ms: int, current: int) -> None:
        """Move an order to the history; `current` is the market's price then."""
        self._state.orders.pop(order.ticket, None)
        self._state.ledger.book_order(order, state, done_ms, current)
        self._state.touch()

    def close_by(
        self, order: LiveOrder, position: OpenPosition, other: OpenPosition
    ) -> tuple[Deal, Deal]:
        """Close two opposite positions by each other, at the opening price of the other.

        The whole profit is on the first deal. Commission is charged only where closing deals alone
        pay it, and then for both on the first. Source: MQL5 book (prints), administrator help.
        """
        units = min(position.units, other.units)
        terms = self._state.terms[order.symbol]
        profit = terms.profit(
            position.side, units, position.opened, other.opened, self._state.prices
        )
        commission = 0
        if terms.costs.entry is CommissionEntry.OUT:
            commission = sum(
                terms.commission(units, one.open_points, DealEntry.OUT, self._state.prices)
                for one in (position, other)
            )
        order.left -= units
        first = self._closed_by(order, position, units, (other.open_points, profit, commission))
        second = self._closed_by(order, other, units, (position.open_points, 0, 0))
        self._state.touch()
        return first, second

    # ------------------------------------------------------------------ inside

    def _target(self, order: LiveOrder) -> OpenPosition | None:
        """Return the position that an order works on, None when it is to open one."""
        state = self._state
        if state.spec.is_netting:
            return state.netted(order.symbol)
        return state.positions.get(order.position_ticket or order.opened)

    def _open(self, order: LiveOrder, units: int, price: int) -> Deal:
        state = self._state
        deal = self._book(order, DealEntry.IN, units, price)
        terms = state.terms[order.symbol]
        state.positions[order.ticket] = OpenPosition(
            ticket=order.ticket,
            identifier=order.ticket,
            symbol=order.symbol,
            side=order.side,
            units=units,
            open_points=price,
            open_ms=state.now_ms,
            stop=order.stop,
            target=order.target,
            magic=order.magic,
            comment=order.comment,
            reason=order.reason,
            margin_rate=terms.opening_rate(order.side, price, state.prices),
            updated_ms=state.now_ms,
        )
        return deal

    def _add(self, order: LiveOrder, position: OpenPosition, units: int, price: int) -> Deal:
        """Grow a position: its price is averaged, its levels become those of the order.

        The rest of an order leaves levels alone that may have been changed since its first part.
        """
        state = self._state
        terms = state.terms[order.symbol]
        deal = self._book(order, DealEntry.IN, units, price, position)
        held = 1000 * position.open_points + position.open_thousandths
        average = rules.average_thousandths(position.units, held, units, price)
        rate = terms.opening_rate(order.side, price, state.prices)
        total = position.units + units
        position.margin_rate = (position.units * position.margin_rate + units * rate) / total
        position.open_points, position.open_thousandths = divmod(average, 1000)
        position.units = total
        if order.opened != position.identifier:
            position.stop, position.target = order.stop, order.target
        position.comment = order.comment
        position.updated_ms = state.now_ms
        return deal

    def _reduce(self, order: LiveOrder, position: OpenPosition, units: int, price: int) -> Deal:
        profit = self._state.terms[order.symbol].profit(
            position.side, units, position.opened, price, self._state.prices
        )
        swap = self._swap_share(position, units)
        deal = self._book(
            order, DealEntry.OUT, units, price, position, profit_minor=profit, swap_minor=swap
        )
        self._shrink(position, units)
        return deal

    def _turn(self, order: LiveOrder, position: OpenPosition, units: int, price: int) -> Deal:
        """Close a netting position and open the rest on the other side, in one deal.

        The position keeps its identifier and takes the order's ticket.
        """
        state = self._state
        terms = state.terms[order.symbol]
        rest = units - position.units
        deal = self._book(
            order,
            DealEntry.INOUT,
            units,
            price,
            position,
            profit_minor=terms.profit(
                position.side, position.units, position.opened, price, state.prices
            ),
            commission_minor=self._turning_commission(terms, position.units, rest, price),
            swap_minor=position.swap_minor,
        )
        del state.positions[position.ticket]
        state.positions[order.ticket] = position
        position.ticket = order.ticket
        position.side, position.units = order.side, rest
        position.open_points, position.open_thousandths = price, 0
        position.stop, position.target = order.stop, order.target
        position.magic, position.comment = order.magic, order.comment
        position.swap_minor = 0
        position.reason = order.reason
        position.margin_rate = terms.opening_rate(order.side, price, state.prices)
        position.updated_ms = state.now_ms
        return deal

    def _turning_commission(self, terms: Terms, closed: int, opened: int, price: int) -> int:
        """Return the commission of a reversal: filters count only the part they are about."""
        prices = self._state.prices
        match terms.costs.entry:
            case CommissionEntry.IN:
                return terms.commission(opened, price, DealEntry.IN, prices)
            case CommissionEntry.OUT:
                return terms.commission(closed, price, DealEntry.OUT, prices)
            case CommissionEntry.BOTH:
                return terms.commission(closed + opened, price, DealEntry.IN, prices)

    def _closed_by(
        self, order: LiveOrder, position: OpenPosition, units: int, booked: tuple[int, int, int]
    ) -> Deal:
        price, profit, commission = booked
        deal = self._book(
            replace(order, side=-position.side),
            DealEntry.OUT_BY,
            units,
            price,
            position,
            profit_minor=profit,
            commission_minor=commission,
            swap_minor=self._swap_share(position, units),
        )
        self._state.balance_minor += deal.net_minor
        self._shrink(position, units)
        return deal

    def _swap_share(self, position: OpenPosition, units: int) -> int:
        terms = self._state.terms[position.symbol]
        return terms.round_share(position.swap_minor * units, position.units)

    def _shrink(self, position: OpenPosition, units: int) -> None:
        position.swap_minor -= self._swap_share(position, units)
        position.units -= units
        position.updated_ms = self._state.now_ms
        if position.units == 0:
            del self._state.positions[position.ticket]

    def _book(
        self,
        order: LiveOrder,
        entry: DealEntry,
        units: int,
        price: int,
        position: OpenPosition | None = None,
        *,
        commission_minor: int | None = None,
        **money: int,
    ) -> Deal:
        """Book a deal of an order; one that closes keeps the magic of its position."""
        state = self._state
        terms = state.terms[order.symbol]
        if commission_minor is None:
            commission_minor = terms.commission(units, price, entry, state.prices)
        closes = position is not None and entry in {DealEntry.OUT, DealEntry.OUT_BY}
        booking = Booking(
            time_ms=state.now_ms,
            entry=entry,
            units=units,
            price_points=price,
            magic=position.magic if position is not None and closes else order.magic,
            position_ticket=order.ticket if position is None else position.identifier,
            commission_minor=commission_minor,
            fee_minor=terms.costs.fee(units),
            **money,
        )
        return state.ledger.book_deal(order, booking)
