"""The margin of an account: positions, waiting orders, and one order more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtquant.exchange import rules
from mtquant.model import OrderType

if TYPE_CHECKING:
    from mtquant.exchange.ledger import LiveOrder, OpenPosition
    from mtquant.exchange.state import AccountState
    from mtquant.exchange.terms import Leg, Terms

Extra = tuple[str, OrderType, int, int, int]
"""Symbol, type, side, units and price of an order that is to come."""


class Margins:
    """Compute the margin of an account; that of what is held is remembered until it changes."""

    def __init__(self, state: AccountState) -> None:
        self._state = state
        self._held = (-1, 0)

    @property
    def held_minor(self) -> int:
        """Return the margin of positions and waiting orders."""
        version, held = self._held
        if version != self._state.money_version:
            held = self.with_order(None)
            self._held = (self._state.money_version, held)
        return held

    def with_order(self, extra: Extra | None, instead_of: int = 0) -> int:
        """Return the margin as if one order more had been started, maybe in the place of one."""
        state = self._state
        symbols = dict.fromkeys(one.symbol for one in state.positions.values())
        symbols |= dict.fromkeys(one.symbol for one in state.orders.values())
        if extra is not None:
            symbols[extra[0]] = None
        of_symbol = self._netting if state.spec.is_netting else self._hedging
        return sum(
            of_symbol(symbol, extra if extra and extra[0] == symbol else None, instead_of)
            for symbol in symbols
        )

    def with_less(self, position: OpenPosition, units: int) -> int:
        """Return the margin as if a position were smaller."""
        position.units -= units
        try:
            return self.with_order(None)
        finally:
            position.units += units

    def rate_to_open(self, symbol: str, side: int, price: int) -> float:
        """Return margin rate x conversion of an opening at a price."""
        terms = self._state.terms[symbol]
        factor = terms.margin_factor(side, is_held=False)
        return factor * terms.opening_rate(side, price, self._state.prices)

    def pending_rate(self, symbol: str, order_type: OrderType, side: int, price: int) -> float:
        """Return margin rate x conversion of an order that waits."""
        terms = self._state.terms[symbol]
        factor = terms.pending_factor(side, order_type)
        return factor * terms.opening_rate(side, price, self._state.prices) if factor else 0.0

    def of_order(self, order: LiveOrder) -> float:
        """Return the margin of a waiting order, minor units and not rounded."""
        price = order.stop_limit or order.price
        leg = order.side, order.left, price
        return self._state.terms[order.symbol].leg_amount(leg, order.margin_rate)

    def _hedging(self, symbol: str, extra: Extra | None, instead_of: int) -> int:
        terms = self._state.terms[symbol]
        legs, rates = self._held_legs(symbol, terms)
        pending = self._pending(symbol, instead_of)
        on_top = 0
        if extra is not None:
            _, order_type, side, units, price = extra
            leg = side, units, price
            if order_type is not OrderType.MARKET:
                rate = self.pending_rate(symbol, order_type, side, price)
                pending[side < 0] += terms.leg_amount(leg, rate)
            elif terms.has_fixed_margin:
                on_top = self._fixed_on_top(terms, legs, rates, leg)
            else:
                legs.append(leg)
                rates.append(self.rate_to_open(symbol, side, price))
        return on_top + terms.margin(legs, rates, is_held=True, pending=(pending[0], pending[1]))

    def _netting(self, symbol: str, extra: Extra | None, instead_of: int) -> int:
        """Return the margin of a netting account's symbol: the larger direction, and the stops."""
        terms = self._state.terms[symbol]
        position = self._state.netted(symbol)
        side = 1 if position is None else position.side
        held = turned = 0.0
        if position is not None:
            rate = terms.margin_factor(side, is_held=True) * position.margin_rate
            held = terms.leg_amount((side, position.units, position.opened), rate, is_held=True)
            back = terms.margin_factor(-side, is_held=False) * position.margin_rate
            turned = terms.leg_amount((-side, position.units, position.opened), back)
        waiting = [
            (
                OrderType.MARKET if one.is_at_market else one.order_type,
                one.side,
                self.of_order(one),
            )
            for one in self._state.orders.values()
            if one.symbol == symbol and one.ticket != instead_of
        ]
        if extra is not None:
            waiting.append((extra[1], extra[2], self._extra_amount(terms, extra)))
        beside = (OrderType.MARKET, OrderType.LIMIT)
        same = held + sum(amount for kind, way, amount in waiting if kind in beside and way == side)
        against = sum(amount for kind, way, amount in waiting if kind in beside and way != side)
        stops = sum(amount for kind, _, amount in waiting if kind not in beside)
        return rules.netting_margin_minor(same, against, turned, stops)

    def _extra_amount(self, terms: Terms, extra: Extra) -> float:
        symbol, order_type, side, units, price = extra
        if order_type is OrderType.MARKET:
            rate = self.rate_to_open(symbol, side, price)
        else:
            rate = self.pending_rate(symbol, order_type, side, price)
        return terms.leg_amount((side, units, price), rate)

    def _held_legs(self, symbol: str, terms: Terms) -> tuple[list[Leg], list[float]]:
        legs: list[Leg] = []
        rates: list[float] = []
        for p in self._state.positions.values():
            if p.symbol == symbol:
                legs.append((p.side, p.units, p.opened))
                rates.append(terms.margin_factor(p.side, is_held=True) * p.margin_rate)
        return legs, rates

    def _pending(self, symbol: str, instead_of: int) -> list[float]:
        pending = [0.0, 0.0]
        for order in self._state.orders.values():
            if order.symbol == symbol and order.margin_rate and order.ticket != instead_of:
                pending[order.side < 0] += self.of_order(order)
        return pending

    def _fixed_on_top(self, terms: Terms, legs: list[Leg], rates: list[float], leg: Leg) -> int:
        held = terms.margin(legs, rates, is_held=True)
        net = sum(side * units for side, units, _ in legs)
        against = max(0, -leg[0] * net)
        return terms.fixed_margin_to_open(held, against, leg, self._state.prices) - held
