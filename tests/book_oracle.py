"""What must be true of a book at every moment, said a second time and as simply as possible."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields

import numpy as np

from mtquant.exchange import Book, FillPrice, LiveOrder, Market, Terms
from mtquant.exchange.rules import average_thousandths
from mtquant.model import (
    CommissionEntry,
    Deal,
    DealEntry,
    DealKind,
    ExecutionMode,
    Filling,
    MarginMode,
    Order,
    OrderState,
    OrderType,
    Reason,
    Side,
    StopOutMode,
    TradeMode,
)

FINAL = {OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED, OrderState.REJECTED}


class Witness:
    """Watch a book of one symbol point by point; every look holds it to the rules."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.book: Book = market.book
        self.symbol: str = market.bars.symbol
        self.spec = market.venue.instruments[self.symbol]
        self.terms = Terms.of(market.venue, self.symbol)
        self.seen: Counter[str] = Counter()
        self.finished: dict[int, Order] = {}
        self._deals = self._orders = 0
        self._balance = self._credit = 0
        self._signed: Counter[int] = Counter()
        self._filled: Counter[int] = Counter()
        self._at_market: set[int] = set()
        self._booked_swap = 0
        self._swap = (0, 0)

    def look(self, *, is_settled: bool) -> None:
        """Hold the book to everything that is true between two events.

        What is paid out, or refused, leads to no stop-out before the next quote.
        """
        self._read_orders()
        self._read_deals()
        require_money(self.book, self._balance, self._credit)
        self._require_positions()
        self._require_swap()
        self._require_waiting()
        self._require_limits()
        if is_settled:
            require_no_stop_out(self.book)

    def look_after_tick(self) -> None:
        """Hold the book to what is true after a new quote, too."""
        self.look(is_settled=True)
        require_nothing_met(self.book, self.symbol)

    # ------------------------------------------------------------------ history

    def _read_orders(self) -> None:
        orders = self.book.ledger.orders
        for order in orders[self._orders :]:
            assert order.order_ticket not in self.finished
            self.finished[order.order_ticket] = order
            self.seen[order.state.name] += 1
            self.seen[f"{order.order_type.name} {order.state.name}"] += 1
        self._orders = len(orders)

    def _read_deals(self) -> None:
        deals = self.book.ledger.deals
        require_worst_first(self.book, deals[self._deals :])
        for deal in deals[self._deals :]:
            require_whole_numbers(deal)
            if deal.kind is DealKind.CREDIT:
                self._credit += deal.net_minor
                continue
            self._balance += deal.net_minor
            self._booked_swap += deal.swap_minor
            if deal.kind is DealKind.TRADE:
                self._read_trade(deal)
        self._deals = len(deals)
        for ticket, order in list(self.finished.items())[-8:]:
            require_finished(order, self._filled[ticket])

    def _read_trade(self, deal: Deal) -> None:
        assert deal.side is not None
        assert self.book.in_session(deal.symbol)
        assert deal.time_ms == self.book.now_ms
        self.seen[deal.reason.name] += 1
        self.seen[deal.entry.name] += 1
        self._signed[deal.position_ticket] += deal.side.value * deal.volume_units
        if deal.entry is not DealEntry.OUT_BY:
            self._filled[deal.order_ticket] += deal.volume_units
            self._require_price(deal)
        else:
            self._filled[deal.order_ticket] = deal.volume_units

    def _require_price(self, deal: Deal) -> None:
        order = self.order(deal.order_ticket)
        way = deal.side.value if deal.side else 0
        price, ends_at_level = deal.price_points, False
        if order.order_type is OrderType.LIMIT:
            assert way * (price - order_price(order)) <= 0
            at_exchange = self.spec.execution_mode is ExecutionMode.EXCHANGE
            ends_at_level = self.spec.limit_fill is FillPrice.LEVEL and not at_exchange
            assert not ends_at_level or price == order_price(order)
        elif order.order_type is OrderType.STOP and deal.order_ticket not in self._at_market:
            assert way * (price - order_price(order)) >= 0
        elif deal.reason in {Reason.STOP_LOSS, Reason.TAKE_PROFIT}:
            level = level_of(deal, self.spec.digits)
            if deal.reason is Reason.STOP_LOSS:
                assert way * (price - level) >= 0
            else:
                assert way * (price - level) <= 0
                ends_at_level = self.spec.target_fill is FillPrice.LEVEL
                assert not ends_at_level or price == level
        if not ends_at_level:
            self._require_in_range(deal, way)

    def _require_in_range(self, deal: Deal, way: int) -> None:
        """No deal outside the bar's range, its spread, its slippage and the depth."""
        bar, bars = self.market.bar, self.market.bars
        low, high = int(bars.low[bar]), int(bars.high[bar])
        if way > 0:
            low, high = low + int(bars.spread[bar]), high + int(bars.spread[bar])
        slips = self._slips(deal)
        deep = max(self.spec.depth_points, default=0)
        worse, better = max(0, slips) + deep, min(0, slips)
        ends = sorted((way * worse, way * better))
        assert low + ends[0] <= deal.price_points <= high + ends[1]

    def _slips(self, deal: Deal) -> int:
        """Return how far a deal may slip: limits, targets and stop-outs not at all."""
        if deal.reason in {Reason.TAKE_PROFIT, Reason.STOP_OUT}:
            return 0
        if self.order(deal.order_ticket).order_type is OrderType.LIMIT:
            return 0
        column = 0 if deal.side is Side.BUY else 1
        return int(self.market.feed._slippage[self.market.bar, column])

    def order(self, ticket: int) -> Order | LiveOrder:
        """Return an order, finished or waiting."""
        found = self.finished.get(ticket)
        return found or next(one for one in self.book.live_orders if one.ticket == ticket)

    # ------------------------------------------------------------------ what is open

    def _require_positions(self) -> None:
        book = self.book
        for position in book.open_positions:
            assert self._signed[position.identifier] == position.side * position.units
            assert position.units > 0
            require_whole_numbers(position)
        open_ = {position.identifier for position in book.open_positions}
        assert all(not units for one, units in self._signed.items() if one not in open_)
        if book.account_spec.is_netting:
            assert len(book.open_positions) <= 1

    def _require_swap(self) -> None:
        """Between two midnights swap moves from positions to deals, and nothing is lost."""
        held = sum(position.swap_minor for position in self.book.open_positions)
        day = self.market.venue.clock.day_start_ms(self.book.now_ms)
        before, self._swap = self._swap, (day, held + self._booked_swap)
        assert before[0] != day or before == self._swap

    def _require_waiting(self) -> None:
        book = self.book
        for order in book.live_orders:
            if order.is_at_market:
                self._at_market.add(order.ticket)
            assert order.ticket not in self.finished
            assert 0 < order.left <= order.units
            assert order.units - order.left == self._filled[order.ticket]
            require_whole_numbers(order)
        held = book._margins.with_order(None)
        assert book.margin_minor == held >= 0
        assert held == 0 or book.open_positions or book.live_orders

    def _require_limits(self) -> None:
        book, spec = self.book, self.book.account_spec
        waiting = [one for one in book.live_orders if one.is_pending]
        sides = {position.side for position in book.open_positions}
        if spec.hedging_prohibited and not spec.is_netting:
            assert len(sides) < 2
        assert not spec.limit_orders or len(waiting) <= spec.limit_orders
        assert not spec.limit_positions or len(book.open_positions) <= spec.limit_positions
        assert self.spec.trade_mode is not TradeMode.LONG_ONLY or -1 not in sides
        assert self.spec.trade_mode is not TradeMode.SHORT_ONLY or 1 not in sides
        if self.spec.trade_mode in {TradeMode.DISABLED, TradeMode.CLOSE_ONLY}:
            assert not sides
        limit = self.terms.instrument.volume_limit_units
        for side in (1, -1):
            held = sum(one.units for one in book.open_positions if one.side == side)
            opening = (one for one in book.live_orders if not one.position_ticket)
            wanted = sum(one.left for one in opening if one.side == side)
            assert not limit or held + wanted <= limit


def require_money(book: Book, balance: int, credit: int) -> None:
    """The books add up."""
    assert book.balance_minor == balance
    assert book.credit_minor == credit
    floating = sum(book.floating_minor(p) + p.swap_minor for p in book.open_positions)
    assert book.equity_minor == balance + credit + floating
    assert type(book.balance_minor) is type(book.equity_minor) is int


def require_whole_numbers(thing: object) -> None:
    """No number of an array library has leaked into what is kept."""
    for one in fields(thing):  # type: ignore[arg-type]
        value = getattr(thing, one.name)
        assert not isinstance(value, np.generic), one.name
        if one.name.endswith(("_points", "_minor", "_ms", "units", "ticket")):
            assert value is None or type(value) is int, one.name


def require_finished(order: Order, filled: int) -> None:
    """A finished order says what has become of it."""
    assert order.state in FINAL
    assert order.filled_units == filled <= order.volume_units
    assert (order.state is OrderState.FILLED) == (filled == order.volume_units)
    assert not (order.state is OrderState.REJECTED and filled)
    assert order.done_ms >= order.setup_ms
    require_whole_numbers(order)


def require_no_stop_out(book: Book) -> None:
    """An account at its stop-out level has nothing left that could be closed."""
    spec, equity, margin = book.account_spec, book.equity_minor, book.margin_minor
    if margin == 0:
        can_be = spec.stops_out_hedged and not spec.is_netting and book.open_positions
        is_reached = bool(can_be) and equity < 0
    elif spec.stop_out_mode is StopOutMode.MONEY:
        is_reached = equity <= round(spec.stop_out_money * 10**spec.currency_digits)
    else:
        is_reached = equity * 100 <= spec.stop_out_percent * margin
    if is_reached:
        assert not any(book.in_session(one.symbol) for one in book.open_positions)
        assert not any(
            book.in_session(one.symbol) and book._margins.of_order(one) > 0
            for one in book.live_orders
        )


def require_worst_first(book: Book, deals: list[Deal]) -> None:
    """A stop-out first takes the orders that hold margin, then the largest losses."""
    closed = [deal.profit_minor for deal in deals if deal.reason is Reason.STOP_OUT]
    if not closed:
        return
    assert not any(book._margins.of_order(one) > 0 for one in book.live_orders)
    if book.account_spec.margin_mode is MarginMode.HEDGING and not book.account_spec.fifo_close:
        left = [book.floating_minor(one) for one in book.open_positions]
        assert closed == sorted(closed)
        assert min(left, default=closed[-1]) >= closed[-1]


def require_nothing_met(book: Book, symbol: str) -> None:
    """After a quote, no level that it meets is left while the market is open."""
    if not book.in_session(symbol):
        return
    quote = book.quote(symbol)
    assert quote is not None
    bid, ask = quote.bid_points, quote.ask_points
    for one in (one for one in book.open_positions if one.symbol == symbol):
        at = bid if one.side > 0 else ask
        assert not one.stop or one.side * (at - one.stop) > 0
        assert not one.target or one.side * (one.target - at) > 0
    for order in (one for one in book.live_orders if one.symbol == symbol):
        assert not order.expires_ms or order.expires_ms > book.now_ms
        if order.is_at_market:
            continue
        at = ask if order.side > 0 else bid
        ahead = order.side * (at - order.price)
        is_met = ahead <= 0 if order.order_type is OrderType.LIMIT else ahead >= 0
        is_taken = bool(book._state.taken.get((symbol, order.side)))  # by older orders
        lacks_volume = is_taken or order.left < order.units or order.filling is Filling.FOK
        assert not is_met or lacks_volume


def level_of(deal: Deal, digits: int) -> int:
    """Return the level that a protective deal names in its comment, points."""
    return round(float(deal.comment.strip("[]").split()[1]) * 10**digits)


def order_price(order: Order | LiveOrder) -> int:
    """Return the level of an order."""
    return order.price if isinstance(order, LiveOrder) else order.price_points


# ---------------------------------------------------------------------- the history, replayed


@dataclass(slots=True)
class Held:
    """Hold a position as the deals tell it."""

    side: int
    units: int
    opened: int  # thousandths of a point

    @property
    def price(self) -> float:
        """Return the opening price, points."""
        whole, part = divmod(self.opened, 1000)
        return whole + part / 1000 if part else whole


def replayed_balance(book: Book, terms: Terms) -> int:
    """Return the balance that the history alone leads to; swap is taken from the deals."""
    held: dict[int, Held] = {}
    orders = {order.order_ticket: order for order in book.ledger.orders}
    by_done: set[int] = set()
    balance = 0
    for deal in book.ledger.deals:
        if deal.kind is DealKind.BALANCE:
            balance += deal.profit_minor
        elif deal.kind is DealKind.TRADE:
            if deal.entry is DealEntry.OUT_BY:
                first = deal.order_ticket not in by_done
                other = orders[deal.order_ticket].position_by_ticket if first else 0
                by_done.add(deal.order_ticket)
                profit = _close_by(held, deal, other, terms)
                balance += profit + deal.commission_minor
            else:
                balance += _fill(held, deal, terms) + _commission(deal, held, terms)
            balance += deal.swap_minor + terms.costs.fee(deal.volume_units)
    assert {one: (h.side, h.units) for one, h in held.items() if h.units} == {
        p.identifier: (p.side, p.units) for p in book.open_positions
    }
    return balance


def _close_by(held: dict[int, Held], deal: Deal, other: int, terms: Terms) -> int:
    mine = held[deal.position_ticket]
    mine.units -= deal.volume_units
    if not other:
        return 0
    return terms.profit(mine.side, deal.volume_units, mine.price, held[other].price)


def _fill(held: dict[int, Held], deal: Deal, terms: Terms) -> int:
    side, units = (deal.side.value if deal.side else 0), deal.volume_units
    mine = held.setdefault(deal.position_ticket, Held(side, 0, 0))
    if mine.units == 0 and deal.entry is DealEntry.IN:
        mine.side, mine.units, mine.opened = side, units, 1000 * deal.price_points
        return 0
    if mine.side == side:
        assert deal.entry is DealEntry.IN
        mine.opened = average_thousandths(mine.units, mine.opened, units, deal.price_points)
        mine.units += units
        return 0
    closed = min(units, mine.units)
    assert deal.entry is (DealEntry.INOUT if units > mine.units else DealEntry.OUT)
    profit = terms.profit(mine.side, closed, mine.price, deal.price_points)
    mine.units -= closed
    if units > closed:
        mine.side, mine.units, mine.opened = side, units - closed, 1000 * deal.price_points
    return profit


def _commission(deal: Deal, held: dict[int, Held], terms: Terms) -> int:
    units, entry = deal.volume_units, deal.entry
    if entry is DealEntry.INOUT:
        opened = held[deal.position_ticket].units
        if terms.costs.entry is CommissionEntry.IN:
            units, entry = opened, DealEntry.IN
        elif terms.costs.entry is CommissionEntry.OUT:
            units, entry = units - opened, DealEntry.OUT
    return terms.commission(units, deal.price_points, entry)
