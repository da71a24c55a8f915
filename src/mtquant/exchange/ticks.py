"""What a new price does to an account: stops, targets, waiting orders, and margin last.

Source: MetaTrader server API help, tick processing: stop losses of all positions, then take
profits, then waiting orders, then margin; and MQL5 reference on which price meets what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mtquant.exchange import rules
from mtquant.exchange.dealing import FillPrice
from mtquant.exchange.ledger import LiveOrder, OpenPosition
from mtquant.exchange.watch import LevelWatch
from mtquant.model import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mtquant.exchange.orders import Orders
    from mtquant.exchange.state import AccountState

_LEVELS: Final = (Reason.STOP_LOSS, Reason.TAKE_PROFIT)
_Met = tuple[int, int, int, OpenPosition | LiveOrder]
"""Distance on the way, rank (stop, target, order), ticket, and what is met."""


class Ticks:
    """Walk quotes over an account's levels and waiting orders."""

    def __init__(self, state: AccountState, orders: Orders) -> None:
        self._state = state
        self._orders = orders
        self._watch = LevelWatch(state)
        self._held_back: set[str] = set()  # symbols whose levels wait for trading hours

    def show(self, symbol: str, bid: int, ask: int, time_ms: int) -> None:
        """Set a quote that is known to meet no level."""
        self._begin(symbol, time_ms)
        self._state.quote(symbol, bid, ask)

    def jump(self, symbol: str, bid: int, ask: int, time_ms: int) -> None:
        """Bring a quote that nothing led up to: what it has passed trades at its own price."""
        state = self._state
        self._begin(symbol, time_ms)
        last_bid, last_ask = state.bid.get(symbol, bid), state.ask.get(symbol, ask)
        state.quote(symbol, bid, ask)
        is_quiet = self._watch.is_quiet(symbol, (last_bid, bid), (last_ask, ask))
        if not is_quiet or symbol in self._held_back:
            self._settle(symbol)

    def move(self, symbol: str, bid_to: int, time_ms: int) -> None:
        """Move the bid continuously, spread unchanged: levels on the way trade at the level."""
        state = self._state
        self._begin(symbol, time_ms)
        bid_from = state.bid[symbol]
        spread = state.ask[symbol] - bid_from
        ends = (bid_from, bid_to), (bid_from + spread, bid_to + spread)
        is_quiet = self._watch.is_quiet(symbol, *ends) and symbol not in self._held_back
        if not is_quiet:
            self._walk(symbol, bid_to, spread)
        state.quote(symbol, bid_to, bid_to + spread)
        if not is_quiet:
            self._work_on(symbol)

    def wait(self, time_ms: int) -> None:
        """Let the clock run: orders end on the way."""
        state = self._state
        if self._watch.expires_by(time_ms):
            due = [o for o in state.orders.values() if 0 < o.expires_ms <= time_ms]
            for order in sorted(due, key=lambda one: (one.expires_ms, one.ticket)):
                self._orders.expire(order, time_ms)
        state.now_ms = time_ms

    def settle_levels(self, symbol: str) -> None:
        """Close the positions whose levels the current quote meets."""
        state = self._state
        bid, ask = state.bid[symbol], state.ask[symbol]
        for reason in _LEVELS:
            is_stop = reason is Reason.STOP_LOSS
            is_met = rules.stop_is_met if is_stop else rules.target_is_met
            for position in state.positions_of(symbol):
                level = position.stop if is_stop else position.target
                if level and is_met(position.side, level, bid, ask):
                    self._close(position, reason, state.exit_price(position))

    # ------------------------------------------------------------------ inside

    def _begin(self, symbol: str, time_ms: int) -> None:
        """Let the clock run to a tick, which brings its symbol a new market."""
        self.wait(time_ms)
        state = self._state
        for side in (1, -1) if state.taken else ():
            state.taken.pop((symbol, side), None)
        if state.scarce:
            state.scarce.pop(symbol, None)

    def _settle(self, symbol: str) -> None:
        """Trade all that the current quote meets."""
        self._held_back.discard(symbol)
        self.settle_levels(symbol)
        self._settle_orders(symbol)
        self._work_on(symbol)

    def _work_on(self, symbol: str) -> None:
        """Fill what waits for volume, and close what that has opened beyond its levels."""
        if self._state.in_session(symbol) and self._orders.work_on(symbol):
            self.settle_levels(symbol)

    def _settle_orders(self, symbol: str) -> None:
        """Activate the orders that the current quote meets."""
        state = self._state
        bid, ask = state.bid[symbol], state.ask[symbol]
        met = [
            order
            for order in state.orders.values()
            if order.symbol == symbol
            and order.is_pending
            and rules.pending_is_met(order.side, order.kind, order.price, bid, ask)
        ]
        for order in met:
            self._activate(order, state.price_of(symbol, order.side))
        if met:
            self.settle_levels(symbol)  # of positions that the orders have opened

    def _walk(self, symbol: str, bid_to: int, spread: int) -> None:
        """Trade what lies on the way, in the order in which the price comes to it."""
        if symbol in self._held_back:
            self._settle(symbol)
        else:
            self._settle_orders(symbol)  # those that lacked volume so far
        state = self._state
        bid_from = at = state.bid[symbol]
        tried: set[tuple[int, int]] = set()
        while True:
            ahead = self._ahead(symbol, (bid_from, at, bid_to), spread)
            met = min((one for one in ahead if one[1:3] not in tried), default=None, key=_place)
            if met is None:
                return
            distance, rank, ticket, thing = met
            tried.add((rank, ticket))
            at = bid_from + distance if bid_to > bid_from else bid_from - distance
            state.bid[symbol], state.ask[symbol] = at, at + spread
            self._trade(thing, rank, tried)

    def _trade(
        self, thing: OpenPosition | LiveOrder, rank: int, tried: set[tuple[int, int]]
    ) -> None:
        if isinstance(thing, OpenPosition):
            level = thing.target if rank else thing.stop
            self._close(thing, _LEVELS[rank], level)
            return
        was = thing.order_type
        self._activate(thing, thing.price)
        if thing.order_type is not was and thing.is_pending:
            tried.discard((rank, thing.ticket))  # a stop-limit has become a limit
        self.settle_levels(thing.symbol)

    def _ahead(self, symbol: str, way: tuple[int, int, int], spread: int) -> Iterator[_Met]:
        """Return what lies between here and the end of a way; its very start was settled there."""
        bid_from, at, bid_to = way
        for level, met in self._levels(symbol, spread):
            distance = abs(level - bid_from)
            is_ahead = rules.is_crossed(level, bid_from, bid_to)
            if is_ahead and distance >= abs(at - bid_from):
                yield (distance, *met)

    def _levels(
        self, symbol: str, spread: int
    ) -> Iterator[tuple[int, tuple[int, int, OpenPosition | LiveOrder]]]:
        """Return the bid at which each thing is met, with its rank and ticket."""
        for position in self._state.positions.values():
            if position.symbol != symbol:
                continue
            for rank, level in enumerate((position.stop, position.target)):
                if level:
                    at = rules.bid_level(position.side, level, spread)
                    yield at, (rank, position.ticket, position)
        for order in self._state.orders.values():
            if order.symbol == symbol and order.is_pending:
                at = rules.bid_level(-order.side, order.price, spread)
                yield at, (2, order.ticket, order)

    def _activate(self, order: LiveOrder, reached: int) -> None:
        if not self._state.in_session(order.symbol):
            self._held_back.add(order.symbol)
        elif order.ticket in self._state.orders:
            self._orders.activate(order, reached)

    def _close(self, position: OpenPosition, reason: Reason, reached: int) -> None:
        """Close a position at one of its levels; outside trading hours it waits."""
        state = self._state
        if not state.in_session(position.symbol):
            self._held_back.add(position.symbol)
            return
        terms = state.terms[position.symbol]
        is_stop = reason is Reason.STOP_LOSS
        level = position.stop if is_stop else position.target
        price = reached
        if is_stop:
            slippage = state.slippage_of(position.symbol, -position.side)
            price = rules.stop_fill(position.side, reached, slippage)
        elif terms.dealing.target_fill is FillPrice.LEVEL:
            price = level
        digits = terms.instrument.digits
        word = "sl" if is_stop else "tp"
        comment = f"[{word} {level / 10**digits:.{digits}f}]"
        self._orders.settle(position, position.units, price, reason, comment)


def _place(met: _Met) -> tuple[int, int, int]:
    return met[:3]
