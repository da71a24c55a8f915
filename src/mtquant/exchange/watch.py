"""What a quiet tick need not look at: levels that it cannot reach, a stop-out that cannot come."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from mtquant.exchange import rules

if TYPE_CHECKING:
    from mtquant.exchange.ledger import LiveOrder, OpenPosition
    from mtquant.exchange.state import AccountState

_NEVER = 2**63
_Box = tuple[float, float, float, float]  # of the bid, then of the ask


class LevelWatch:
    """Know the levels of each symbol in order, so that most ticks meet none without a search."""

    def __init__(self, state: AccountState) -> None:
        self._state = state
        self._version = -1
        self._at_bid: dict[str, list[int]] = {}
        self._at_ask: dict[str, list[int]] = {}
        self._working: frozenset[str] = frozenset()
        self._next_expiry_ms = _NEVER

    def expires_by(self, time_ms: int) -> bool:
        """Tell whether an order's time has come."""
        if self._version != self._state.levels_version:
            self._look()
        return self._next_expiry_ms <= time_ms

    def is_quiet(self, symbol: str, bids: tuple[int, int], asks: tuple[int, int]) -> bool:
        """Tell whether no level lies between two quotes, both ends included."""
        if self._version != self._state.levels_version:
            self._look()
        return (
            symbol not in self._working
            and _none_between(self._at_bid.get(symbol), bids)
            and _none_between(self._at_ask.get(symbol), asks)
        )

    def _look(self) -> None:
        self._version = self._state.levels_version
        self._at_bid, self._at_ask = {}, {}
        for position in self._state.positions.values():
            side = self._at_bid if position.side > 0 else self._at_ask
            levels = side.setdefault(position.symbol, [])
            levels += [level for level in (position.stop, position.target) if level]
        orders = self._state.orders.values()
        for order in orders:
            side = self._at_ask if order.side > 0 else self._at_bid
            side.setdefault(order.symbol, []).append(order.price)
        for levels in (*self._at_bid.values(), *self._at_ask.values()):
            levels.sort()
        self._working = frozenset(one.symbol for one in orders if self._lacks_volume(one))
        expiries = (order.expires_ms for order in orders if order.expires_ms)
        self._next_expiry_ms = min(expiries, default=_NEVER)

    def _lacks_volume(self, order: LiveOrder) -> bool:
        if not order.is_pending:
            return True
        bid, ask = self._state.bid[order.symbol], self._state.ask[order.symbol]
        return rules.pending_is_met(order.side, order.kind, order.price, bid, ask)


class MarginWatch:
    """Know how far prices may go before a stop-out becomes possible.

    After an exact look each symbol has a box of prices; while all quotes stay in theirs, the losses
    cannot reach the limit. The bound holds for profits that convert at the traded pair's own price
    too: in a box of a quarter of the price the rate grows by a third at most.
    """

    def __init__(self, state: AccountState) -> None:
        self._state = state
        self._version = -1
        self._boxes: dict[str, _Box] = {}

    def is_calm(self, symbol: str) -> bool:
        """Tell whether the current quote of a symbol cannot have brought a stop-out."""
        if self._version != self._state.money_version:
            return False
        box = self._boxes.get(symbol)
        if box is None:
            return True
        bid, ask = self._state.bid[symbol], self._state.ask[symbol]
        return box[0] < bid < box[1] and box[2] < ask < box[3]

    def note(self, equity_minor: int, limit_minor: float) -> None:
        """Remember from an exact look at the account how far away the limit is."""
        state = self._state
        self._boxes = {}
        symbols = {p.symbol for p in state.positions.values()}
        if any(state.terms[symbol].conversions.foreign_pairs for symbol in symbols):
            self._version = -1
            return
        self._version = state.money_version
        room = equity_minor - limit_minor - 2 - sum(map(self._rounding, state.positions.values()))
        for symbol in symbols:
            bid, ask = state.bid[symbol], state.ask[symbol]
            loss = sum(self._loss_per_point(p.ticket) for p in state.positions_of(symbol))
            far = rules.calm_points(room / len(symbols), loss, bid)
            self._boxes[symbol] = (bid - far, bid + far, ask - far, ask + far)

    def _rounding(self, position: OpenPosition) -> float:
        """Return how much rounding may add to the loss between two quotes."""
        price = max(1, self._state.exit_price(position))
        return rules.rounding_loss(self._state.terms[position.symbol].own_rate(price))

    def _loss_per_point(self, ticket: int) -> float:
        state = self._state
        position = state.positions[ticket]
        terms = state.terms[position.symbol]
        price = max(1, state.exit_price(position))
        return rules.loss_per_point(
            position.units,
            terms.price_value,
            terms.divisor,
            terms.own_rate(price),
            state.floating_minor(position),
            price,
        )


def _none_between(levels: list[int] | None, ends: tuple[int, int]) -> bool:
    if not levels:
        return True
    low, high = ends if ends[0] <= ends[1] else (ends[1], ends[0])
    return bisect_left(levels, low) == bisect_right(levels, high)
