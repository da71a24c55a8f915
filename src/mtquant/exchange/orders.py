"""Orders at work: taken in, filled from what the market offers, waiting, met, expired."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mtquant.exchange import rules
from mtquant.exchange.dealing import FillPrice
from mtquant.exchange.expiry import expired_comment, expiry_ms
from mtquant.exchange.ledger import LiveOrder
from mtquant.exchange.requests import (
    CancelRequest,
    ChangeRequest,
    CloseByRequest,
    Execution,
    OrderRequest,
    Progress,
    Refusal,
)
from mtquant.model import (
    Deal,
    ExecutionMode,
    Expiration,
    Filling,
    OrderState,
    OrderType,
    Reason,
    round_half_away,
)

if TYPE_CHECKING:
    from mtquant.exchange.checks import Checks
    from mtquant.exchange.fills import Fills
    from mtquant.exchange.ledger import OpenPosition
    from mtquant.exchange.margins import Margins
    from mtquant.exchange.state import AccountState

_PRICED: Final = (ExecutionMode.REQUEST, ExecutionMode.INSTANT)


class Orders:
    """Carry orders from the request to the history; requests come here after their checks."""

    def __init__(self, state: AccountState, margins: Margins, checks: Checks, fills: Fills) -> None:
        self._state = state
        self._margins = margins
        self._checks = checks
        self._fills = fills

    # ------------------------------------------------------------------ requests

    def take_market(self, request: OrderRequest) -> Execution:
        """Carry out a market order as far as the market has volume."""
        state, side = self._state, request.side.value
        terms = state.terms[request.symbol]
        price = state.market_price(request.symbol, side)
        is_priced = terms.instrument.execution_mode in _PRICED
        if is_priced and not rules.is_within_deviation(request.price, price, request.deviation):
            requotes = terms.dealing.requotes
            return Execution(refusal=Refusal.REQUOTE if requotes else Refusal.PRICE_CHANGED)
        order = self._order_of(request, request.price if is_priced else 0)
        return self._fill_market(order, price)

    def place(self, request: OrderRequest) -> Execution:
        """Let a pending order wait; one that an exchange can fill at once is filled."""
        state = self._state
        order = self._order_of(request, request.price)
        self._rate(order)
        order.expires_ms = self._expiry(order, request.expires_ms)
        state.orders[order.ticket] = order
        state.touch()
        if not self._is_met(order):
            return Execution(
                progress=Progress.PLACED, order_ticket=order.ticket, volume_units=order.units
            )
        return self._meet_at_once(order)

    def change(self, request: ChangeRequest) -> Execution:
        """Give a waiting order other levels or another expiration."""
        order = self._state.orders[request.order_ticket]
        order.price, order.stop_limit = request.price, request.stop_limit
        if order.order_type is not OrderType.STOP_LIMIT:
            order.stop_limit = 0
        order.stop, order.target = request.stop, request.target
        order.expiration = request.expiration
        order.expires_ms = self._expiry(order, request.expires_ms)
        self._rate(order)
        self._state.touch()
        if self._is_met(order):
            return self._meet_at_once(order)
        return Execution(order_ticket=order.ticket)

    def cancel(self, request: CancelRequest) -> Execution:
        """Cancel a waiting order."""
        order = self._state.orders[request.order_ticket]
        self.finish(order, OrderState.CANCELED)
        return Execution(order_ticket=order.ticket)

    def close_by(self, request: CloseByRequest) -> Execution:
        """Close two opposite positions by each other."""
        state = self._state
        position = state.positions[request.position_ticket]
        other = state.positions[request.by_ticket]
        order = self._closing(
            position, min(position.units, other.units), Reason.EXPERT, request.magic
        )
        order.order_type = OrderType.CLOSE_BY
        order.comment = f"#{position.ticket} by #{other.ticket}"
        order.position_by_ticket = other.ticket
        order.price = other.open_points
        order.opened = position.identifier
        first, _ = self._fills.close_by(order, position, other)
        self._fills.finish(order, OrderState.FILLED, state.now_ms, order.price)
        return Execution(
            order_ticket=order.ticket,
            deal_ticket=first.deal_ticket,
            volume_units=order.units,
            price_points=order.price,
        )

    # ------------------------------------------------------------------ what the market does

    def settle(
        self, position: OpenPosition, units: int, price: int, reason: Reason, comment: str
    ) -> None:
        """Close a position for the server's own reasons: a level, a stop-out."""
        order = self._closing(position, units, reason, position.magic)
        order.comment = comment
        self._fills.fill(order, units, price)
        self._fills.finish(order, OrderState.FILLED, self._state.now_ms, price)

    def activate(self, order: LiveOrder, reached: int) -> Execution:
        """Carry out a waiting order that is met at a price (points)."""
        if order.order_type is OrderType.STOP_LIMIT:
            return self._become_limit(order)
        state = self._state
        if self._has_lost_its_position(order):
            self.finish(order, OrderState.CANCELED)
            return Execution(order_ticket=order.ticket)
        price, worst = self._activation_price(order, reached)
        del state.orders[order.ticket]
        state.touch()
        if self._checks.activation_refusal(order, price) is not None:
            return self._give_up(order, Refusal.ACTIVATION_REJECTED)
        if order.order_type is OrderType.STOP:
            return self._fill_market(order, price)
        return self._fill_limit(order, price, worst)

    def work_on(self, symbol: str) -> bool:
        """Fill market orders that wait for volume from a new tick; tell whether there was one."""
        waiting = [
            order
            for order in self._state.orders.values()
            if order.symbol == symbol and order.is_at_market
        ]
        for order in waiting:
            if self._has_lost_its_position(order):
                self.finish(order, OrderState.CANCELED)
            elif self._checks.opening_refusal(order) is not None:
                self._give_up(order, Refusal.ACTIVATION_REJECTED)
            else:
                del self._state.orders[order.ticket]
                self._fill_market(order, self._state.market_price(symbol, order.side))
        return bool(waiting)

    def expire(self, order: LiveOrder, time_ms: int) -> bool:
        """End an order whose time has come, unless its market is closed; tell whether it ended.

        Source: tester reports (an order that expires on a weekend ends with the first tick after).
        """
        state = self._state
        done_ms = order.expires_ms
        if order.expiration in {Expiration.SPECIFIED, Expiration.SPECIFIED_DAY}:
            if not state.in_session(order.symbol, done_ms):
                done_ms = time_ms
            if not state.in_session(order.symbol, done_ms):
                return False
        order.comment = expired_comment(state.venue.clock, done_ms)
        current = state.price_of(order.symbol, order.side)
        self._fills.finish(order, OrderState.EXPIRED, done_ms, current)
        return True

    def finish(self, order: LiveOrder, how: OrderState) -> None:
        """Move an order to the history at the current time and price."""
        current = self._state.price_of(order.symbol, order.side)
        self._fills.finish(order, how, self._state.now_ms, current)

    # ------------------------------------------------------------------ inside

    def _order_of(self, request: OrderRequest, price: int) -> LiveOrder:
        is_stop_limit = request.order_type is OrderType.STOP_LIMIT
        return LiveOrder(
            ticket=self._state.ledger.tickets.order(),
            symbol=request.symbol,
            side=request.side.value,
            order_type=request.order_type,
            units=request.units,
            left=request.units,
            price=price,
            stop_limit=request.stop_limit if is_stop_limit else 0,
            stop=0 if request.position_ticket else request.stop,
            target=0 if request.position_ticket else request.target,
            filling=request.filling,
            expiration=request.expiration,
            position_ticket=request.position_ticket,
            magic=request.magic,
            comment=request.comment,
            reason=request.reason,
            setup_ms=self._state.now_ms,
        )

    def _closing(self, position: OpenPosition, units: int, reason: Reason, magic: int) -> LiveOrder:
        return LiveOrder(
            ticket=self._state.ledger.tickets.order(),
            symbol=position.symbol,
            side=-position.side,
            order_type=OrderType.MARKET,
            units=units,
            left=units,
            position_ticket=position.ticket,
            magic=magic,
            reason=reason,
            setup_ms=self._state.now_ms,
        )

    def _expiry(self, order: LiveOrder, wanted_ms: int) -> int:
        state = self._state
        instrument = state.terms[order.symbol].instrument
        return expiry_ms(instrument, state.venue.clock, order.expiration, wanted_ms, state.now_ms)

    def _rate(self, order: LiveOrder) -> None:
        """Give a waiting order the margin rate and conversion of now."""
        order.margin_rate = self._margins.pending_rate(
            order.symbol, order.order_type, order.side, order.stop_limit or order.price
        )

    def _is_met(self, order: LiveOrder) -> bool:
        bid, ask = self._state.bid[order.symbol], self._state.ask[order.symbol]
        return rules.pending_is_met(order.side, order.kind, order.price, bid, ask)

    def _become_limit(self, order: LiveOrder) -> Execution:
        order.order_type = OrderType.LIMIT
        order.price, order.stop_limit = order.stop_limit, 0
        order.setup_ms = self._state.now_ms
        self._rate(order)
        self._state.touch()
        if self._is_met(order):
            return self._meet_at_once(order)
        return Execution(progress=Progress.PLACED, order_ticket=order.ticket)

    def _meet_at_once(self, order: LiveOrder) -> Execution:
        """Carry out an order that has been put where it is met; a BOC order must not be."""
        if order.filling is Filling.BOC:
            self.finish(order, OrderState.CANCELED)
            return Execution(refusal=Refusal.REJECTED, order_ticket=order.ticket)
        return self.activate(order, self._state.price_of(order.symbol, order.side))

    def _give_up(self, order: LiveOrder, refusal: Refusal) -> Execution:
        """End an order of which nothing more can be carried out."""
        is_untouched = order.left == order.units
        self.finish(order, OrderState.REJECTED if is_untouched else OrderState.CANCELED)
        return Execution(refusal=refusal, order_ticket=order.ticket)

    def _activation_price(self, order: LiveOrder, reached: int) -> tuple[int, int | None]:
        """Return the price of the fill, and the worst one that the order takes."""
        state, symbol = self._state, order.symbol
        if order.order_type is OrderType.STOP:
            slippage = state.slippage_of(symbol, order.side)
            return rules.stop_fill(-order.side, reached, slippage), None
        at_market = state.terms[symbol].dealing.limit_fill is FillPrice.MARKET
        at_market = at_market or state.is_at_exchange(symbol)
        bid, ask = state.bid[symbol], state.ask[symbol]
        price = rules.limit_fill(order.side, order.price, bid, ask, at_market)
        return price, order.price

    def _fill_market(self, order: LiveOrder, price: int) -> Execution:
        filling = self._state.filling_of(order)
        offers, offered = self._offers(order, price, None)
        if offered < order.left and filling not in {Filling.IOC, Filling.RETURN}:
            offers = []
        deals = [self._take(order, units, at) for units, at in offers]
        if not order.left:
            self.finish_filled(order, price)
        elif filling is Filling.RETURN:
            self._wait_for_volume(order)
        elif deals:
            self.finish(order, OrderState.CANCELED)
        else:
            return self._give_up(order, Refusal.REJECTED)
        return self._executed(order, deals)

    def _fill_limit(self, order: LiveOrder, price: int, worst: int | None) -> Execution:
        offers, offered = self._offers(order, price, worst)
        if offered < order.left and order.filling is Filling.FOK:
            offers = []
        deals = [self._take(order, units, at) for units, at in offers]
        if not order.left:
            self.finish_filled(order, self._state.price_of(order.symbol, order.side))
        elif order.filling is not Filling.IOC:
            self._state.wait(order)
        elif deals:
            self.finish(order, OrderState.CANCELED)
        else:
            return self._give_up(order, Refusal.REJECTED)
        return self._executed(order, deals)

    def finish_filled(self, order: LiveOrder, current: int) -> None:
        """Move a filled order to the history; `current` is what it remembers as the price."""
        self._fills.finish(order, OrderState.FILLED, self._state.now_ms, current)

    def _wait_for_volume(self, order: LiveOrder) -> None:
        order.is_at_market = True
        order.margin_rate = 0.0
        if self._checks.opening_units(order.symbol, order.side, order.left, order.position_ticket):
            price = self._state.price_of(order.symbol, order.side)
            order.margin_rate = self._margins.rate_to_open(order.symbol, order.side, price)
        order.price = order.price or self._state.price_of(order.symbol, order.side)
        self._state.wait(order)

    def _offers(
        self, order: LiveOrder, best: int, worst: int | None
    ) -> tuple[list[tuple[int, int]], int]:
        """Return (units, price) of what the market offers to an order, and Σ units of it."""
        depth = self._state.depth(order.symbol)
        if not depth:
            return [(order.left, best)], order.left
        taken = self._state.taken.get((order.symbol, order.side), 0)
        offers: list[tuple[int, int]] = []
        wanted = order.left
        for away, there in depth:
            price = best + order.side * away
            if worst is not None and order.side * (price - worst) > 0:
                break
            usable = max(0, there - taken)
            taken = max(0, taken - there)
            units = min(wanted, usable)
            if units:
                offers.append((units, price))
                wanted -= units
        return offers, order.left - wanted

    def _take(self, order: LiveOrder, units: int, price: int) -> Deal:
        state = self._state
        if state.depth(order.symbol):
            mine = (order.symbol, order.side)
            state.taken[mine] = state.taken.get(mine, 0) + units
        return self._fills.fill(order, units, price)

    def _has_lost_its_position(self, order: LiveOrder) -> bool:
        """Tell whether the position is gone that an order closes, or that it began to open.

        Else the rest of an order whose position was stopped would open it anew, under its ticket.
        """
        state = self._state
        if order.position_ticket:
            position = state.positions.get(order.position_ticket)
            return position is None or position.units < order.left
        return (
            bool(order.opened)
            and not state.spec.is_netting
            and (order.opened not in state.positions)
        )

    def _executed(self, order: LiveOrder, deals: list[Deal]) -> Execution:
        if not deals:
            return Execution(
                progress=Progress.PLACED, order_ticket=order.ticket, volume_units=order.left
            )
        units = sum(deal.volume_units for deal in deals)
        weighted = sum(deal.volume_units * deal.price_points for deal in deals)
        return Execution(
            progress=Progress.PARTIAL if order.left else Progress.DONE,
            order_ticket=order.ticket,
            deal_ticket=deals[-1].deal_ticket,
            volume_units=units,
            price_points=round_half_away(weighted / units),
        )
