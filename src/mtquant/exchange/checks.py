"""Why the market refuses a request: its checks, in the order a server makes them.

Validity of the request, symbol (permission, hours, order type, filling, expiration), account,
prices, volume, price, levels, limits, and money last. Source: MetaTrader server API help, Trade
Request Processing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mtquant.exchange import rules
from mtquant.exchange.expiry import expiry_ms
from mtquant.exchange.ledger import PENDING_KINDS, LiveOrder, OpenPosition
from mtquant.exchange.requests import (
    CancelRequest,
    ChangeRequest,
    CloseByRequest,
    OrderRequest,
    Refusal,
    Request,
    StopsRequest,
)
from mtquant.model import (
    AccountKind,
    ExecutionMode,
    Expiration,
    Filling,
    OrderType,
    Reason,
    TradeMode,
)

if TYPE_CHECKING:
    from mtquant.exchange.margins import Margins
    from mtquant.exchange.state import AccountState
    from mtquant.model import Instrument

_PRICED: Final = frozenset({ExecutionMode.REQUEST, ExecutionMode.INSTANT})
_SPECIFIED: Final = frozenset({Expiration.SPECIFIED, Expiration.SPECIFIED_DAY})


class Checks:
    """Tell why requests would be refused, without changing anything."""

    def __init__(self, state: AccountState, margins: Margins) -> None:
        self._state = state
        self._margins = margins

    def refusal(self, request: Request, *, is_sent: bool = False) -> Refusal | None:
        """Return why a request would be refused, None if it would not.

        Trading hours count only for what `is_sent`: the real order_check passes on a closed market.
        """
        match request:
            case OrderRequest():
                return self._order(request, is_sent=is_sent)
            case StopsRequest():
                return self._stops(request, is_sent=is_sent)
            case ChangeRequest():
                return self._change(request, is_sent=is_sent)
            case CancelRequest():
                return self._cancel(request, is_sent=is_sent)
            case CloseByRequest():
                return self._close_by(request, is_sent=is_sent)

    def activation_refusal(self, order: LiveOrder, price: int) -> Refusal | None:
        """Return why a waiting order that is met cannot be carried out at a price."""
        refusal = self.opening_refusal(order)
        if refusal or not self.opening_units(order.symbol, order.side, order.left, 0):
            return refusal
        return self._no_money(order.symbol, OrderType.MARKET, order.side, order.left, price)

    def opening_refusal(self, order: LiveOrder) -> Refusal | None:
        """Return which rule forbids what an order that waited would open now, money aside."""
        symbol, side = order.symbol, order.side
        opens = self.opening_units(symbol, side, order.left, order.position_ticket)
        if not opens:
            return None
        is_netting = self._state.spec.is_netting
        return (
            self._direction_refuses(symbol, side, opens)
            or _when(is_netting and self._positions_are_full(symbol), Refusal.POSITION_LIMIT)
            or self._hedges(symbol, side)
        )

    def opening_units(self, symbol: str, side: int, units: int, position_ticket: int) -> int:
        """Return how much of an order opens or adds to a position."""
        if position_ticket:
            return 0
        held = self._state.netted(symbol) if self._state.spec.is_netting else None
        if held is None or held.side == side:
            return units
        return max(0, units - held.units)

    def closed_by(self, request: OrderRequest) -> OpenPosition | None:
        """Return the position that a market order closes or reduces, None if it opens anything."""
        if request.order_type is not OrderType.MARKET:
            return None
        side, state = request.side.value, self._state
        if self.opening_units(request.symbol, side, request.units, request.position_ticket):
            return None
        return state.positions.get(request.position_ticket) or state.netted(request.symbol)

    def position(self, request: StopsRequest) -> OpenPosition | None:
        """Return the position whose levels a request is about."""
        if not request.position_ticket and self._state.spec.is_netting:
            return self._state.netted(request.symbol)
        return self._state.positions.get(request.position_ticket)

    # ------------------------------------------------------------------ by kind of request

    def _order(self, r: OrderRequest, *, is_sent: bool) -> Refusal | None:
        refusal = self._malformed(r)
        if refusal:
            return refusal
        opens = self.opening_units(r.symbol, r.side.value, r.units, r.position_ticket)
        return (
            self._symbol_refuses(r.symbol, is_sent=is_sent)
            or self._direction_refuses(r.symbol, r.side.value, opens)
            or self._kind_refuses(r)
            or self._account_refuses(r.reason)
            or self._no_prices(r.symbol)
            or self._wrong_volume(r)
            or self._wrong_price(r)
            or self._wrong_levels(r, opens)
            or self._over_limits(r, opens)
            or (self._no_money_for(r) if opens else None)
        )

    def _stops(self, r: StopsRequest, *, is_sent: bool) -> Refusal | None:
        position = self.position(r)
        if position is None:
            return Refusal.POSITION_GONE
        if position.symbol != r.symbol:
            return Refusal.INVALID_REQUEST
        symbol, state = position.symbol, self._state
        level = state.stops_level(symbol)
        are_valid = rules.stops_are_valid(
            position.side, r.stop, r.target, state.bid[symbol], state.ask[symbol], level
        )
        return (
            self._symbol_refuses(symbol, is_sent=is_sent)
            or self._levels_prohibited(symbol, r.stop, r.target)
            or self._account_refuses(Reason.EXPERT)
            or _when((position.stop, position.target) == (r.stop, r.target), Refusal.NO_CHANGES)
            or self._frozen_position(position)
            or _when(
                not are_valid or self._off_grid(symbol, r.stop, r.target), Refusal.INVALID_STOPS
            )
        )

    def _change(self, r: ChangeRequest, *, is_sent: bool) -> Refusal | None:
        order = self._state.orders.get(r.order_ticket)
        if order is None or not order.is_pending:
            return Refusal.INVALID_ORDER
        stop_limit = r.stop_limit if order.order_type is OrderType.STOP_LIMIT else 0
        wanted = (r.price, stop_limit, r.stop, r.target, r.expiration)
        stands = (order.price, order.stop_limit, order.stop, order.target, order.expiration)
        expires = self._expiry(order.symbol, r.expiration, r.expires_ms)
        is_same = wanted == stands and (
            r.expiration not in _SPECIFIED or expires == order.expires_ms
        )
        return (
            self._symbol_refuses(order.symbol, is_sent=is_sent)
            or self._levels_prohibited(order.symbol, r.stop, r.target)
            or self._wrong_expiration(order.symbol, r.expiration, r.expires_ms)
            or self._account_refuses(Reason.EXPERT)
            or _when(is_same, Refusal.NO_CHANGES)
            or self._frozen_order(order)
            or self._wrong_pending_price(
                order.symbol, order.order_type, order.side, r.price, stop_limit
            )
            or self._wrong_pending_levels(
                order.symbol, order.side, stop_limit or r.price, r.stop, r.target
            )
            or self._no_money_to_change(order, stop_limit or r.price)
        )

    def _cancel(self, r: CancelRequest, *, is_sent: bool) -> Refusal | None:
        order = self._state.orders.get(r.order_ticket)
        if order is None:
            return Refusal.INVALID_ORDER
        return (
            self._symbol_refuses(order.symbol, is_sent=is_sent)
            or self._account_refuses(Reason.EXPERT)
            or (self._frozen_order(order) if order.is_pending else None)
        )

    def _close_by(self, r: CloseByRequest, *, is_sent: bool) -> Refusal | None:
        state = self._state
        position = state.positions.get(r.position_ticket)
        other = state.positions.get(r.by_ticket)
        if state.spec.is_netting:
            return Refusal.INVALID_REQUEST
        if position is None or other is None:
            return Refusal.POSITION_GONE
        if position.symbol != other.symbol or position.side == other.side:
            return Refusal.INVALID_REQUEST
        symbol = position.symbol
        types = state.terms[symbol].instrument.order_types
        return (
            self._symbol_refuses(symbol, is_sent=is_sent)
            or _when(OrderType.CLOSE_BY not in types, Refusal.INVALID_ORDER)
            or self._account_refuses(Reason.EXPERT)
            or self._frozen_position(position)
            or self._frozen_position(other)
            or self._not_oldest_of_side(position)
            or self._not_oldest_of_side(other)
            or self._closed_already(position.ticket)
            or self._closed_already(other.ticket)
        )

    # ------------------------------------------------------------------ request and symbol

    def _malformed(self, r: OrderRequest) -> Refusal | None:
        if r.symbol not in self._state.terms or r.order_type is OrderType.CLOSE_BY:
            return Refusal.INVALID_REQUEST
        if not r.position_ticket:
            return None
        position = self._state.positions.get(r.position_ticket)
        if position is None:
            return Refusal.POSITION_GONE
        closes = (position.symbol, position.side) == (r.symbol, -r.side.value)
        is_market = r.order_type is OrderType.MARKET
        return None if closes and is_market else Refusal.INVALID_REQUEST

    def _symbol_refuses(self, symbol: str, *, is_sent: bool) -> Refusal | None:
        state = self._state
        terms = state.terms[symbol]
        if terms.instrument.trade_mode is TradeMode.DISABLED:
            return Refusal.TRADE_DISABLED
        if terms.dealing.real_accounts_only and state.spec.kind is not AccountKind.REAL:
            return Refusal.ONLY_REAL
        return _when(is_sent and not state.in_session(symbol), Refusal.MARKET_CLOSED)

    def _direction_refuses(self, symbol: str, side: int, opens: int) -> Refusal | None:
        if not opens:
            return None
        match self._instrument(symbol).trade_mode:
            case TradeMode.CLOSE_ONLY:
                return Refusal.CLOSE_ONLY
            case TradeMode.LONG_ONLY if side < 0:
                return Refusal.LONG_ONLY
            case TradeMode.SHORT_ONLY if side > 0:
                return Refusal.SHORT_ONLY
            case _:
                return None

    def _kind_refuses(self, r: OrderRequest) -> Refusal | None:
        instrument = self._instrument(r.symbol)
        if r.order_type not in instrument.order_types:
            return Refusal.INVALID_ORDER
        if not r.position_ticket:
            refusal = self._levels_prohibited(r.symbol, r.stop, r.target)
            if refusal:
                return refusal
        is_pending = r.order_type in PENDING_KINDS
        takes = _takes_pending if is_pending else _takes_market
        if not takes(instrument, r.filling, r.order_type):
            return Refusal.INVALID_FILL
        if not is_pending:
            return None
        return self._wrong_expiration(r.symbol, r.expiration, r.expires_ms)

    def _levels_prohibited(self, symbol: str, stop: int, target: int) -> Refusal | None:
        instrument = self._instrument(symbol)
        is_refused = (stop and not instrument.stop_loss_allowed) or (
            target and not instrument.take_profit_allowed
        )
        return _when(bool(is_refused), Refusal.INVALID_ORDER)

    def _wrong_expiration(
        self, symbol: str, expiration: Expiration, wanted_ms: int
    ) -> Refusal | None:
        if expiration not in self._instrument(symbol).expirations:
            return Refusal.INVALID_EXPIRATION
        if expiration not in _SPECIFIED:
            return None
        is_past = self._expiry(symbol, expiration, wanted_ms) <= self._state.now_ms
        return _when(is_past, Refusal.INVALID_EXPIRATION)

    def _expiry(self, symbol: str, expiration: Expiration, wanted_ms: int) -> int:
        state = self._state
        instrument = self._instrument(symbol)
        return expiry_ms(instrument, state.venue.clock, expiration, wanted_ms, state.now_ms)

    # ------------------------------------------------------------------ account and prices

    def _account_refuses(self, reason: Reason) -> Refusal | None:
        spec = self._state.spec
        if not spec.trade_allowed:
            return Refusal.TRADE_DISABLED
        is_expert = reason is Reason.EXPERT
        return _when(is_expert and not spec.experts_allowed, Refusal.EXPERTS_DISABLED)

    def _no_prices(self, symbol: str) -> Refusal | None:
        state = self._state
        is_quoted = symbol in state.bid and state.can_convert(symbol)
        return _when(not is_quoted, Refusal.NO_PRICES)

    # ------------------------------------------------------------------ volume, price, levels

    def _wrong_volume(self, r: OrderRequest) -> Refusal | None:
        instrument = self._instrument(r.symbol)
        if not r.position_ticket:
            is_tradable = instrument.floor_units(r.units) == r.units and r.units > 0
            return _when(not is_tradable, Refusal.INVALID_VOLUME)
        held = self._state.positions[r.position_ticket].units
        if r.units > held:
            return Refusal.CLOSE_VOLUME
        is_part = r.units != held and r.units % instrument.volume_step_units
        is_wrong = r.units <= 0 or is_part or r.units > instrument.volume_max_units
        return _when(bool(is_wrong), Refusal.INVALID_VOLUME)

    def _wrong_price(self, r: OrderRequest) -> Refusal | None:
        if r.order_type in PENDING_KINDS:
            stop_limit = r.stop_limit if r.order_type is OrderType.STOP_LIMIT else 0
            return self._wrong_pending_price(
                r.symbol, r.order_type, r.side.value, r.price, stop_limit
            )
        if self._instrument(r.symbol).execution_mode not in _PRICED:
            return None
        is_wrong = r.price <= 0 or self._off_grid(r.symbol, r.price)
        return _when(is_wrong, Refusal.INVALID_PRICE)

    def _wrong_pending_price(
        self, symbol: str, order_type: OrderType, side: int, price: int, stop_limit: int
    ) -> Refusal | None:
        state = self._state
        if self._off_grid(symbol, price, stop_limit):
            return Refusal.INVALID_PRICE
        if order_type is OrderType.LIMIT and state.is_at_exchange(symbol):
            return _when(price <= 0, Refusal.INVALID_PRICE)
        is_valid = rules.pending_is_valid(
            side,
            PENDING_KINDS[order_type],
            price,
            stop_limit,
            state.bid[symbol],
            state.ask[symbol],
            state.stops_level(symbol),
        )
        return _when(not is_valid, Refusal.INVALID_PRICE)

    def _wrong_levels(self, r: OrderRequest, opens: int) -> Refusal | None:
        if r.order_type in PENDING_KINDS:
            levels = r.stop, r.target
            return self._wrong_pending_levels(r.symbol, r.side.value, r.entry_points, *levels)
        refusal = self._frozen_by(r)
        if refusal or not opens:
            return refusal
        bid, ask = self._state.bid[r.symbol], self._state.ask[r.symbol]
        return self._wrong_stops(r.symbol, r.side.value, (r.stop, r.target), (bid, ask))

    def _wrong_pending_levels(
        self, symbol: str, side: int, price: int, stop: int, target: int
    ) -> Refusal | None:
        return self._wrong_stops(symbol, side, (stop, target), (price, price))

    def _wrong_stops(
        self, symbol: str, side: int, levels: tuple[int, int], prices: tuple[int, int]
    ) -> Refusal | None:
        room = self._state.stops_level(symbol)
        is_wrong = not rules.stops_are_valid(side, *levels, *prices, room)
        return _when(is_wrong or self._off_grid(symbol, *levels), Refusal.INVALID_STOPS)

    def _off_grid(self, symbol: str, *prices: int) -> bool:
        step = self._instrument(symbol).tick_size_points
        return not all(rules.is_on_grid(price, step) for price in prices)

    def _frozen_by(self, r: OrderRequest) -> Refusal | None:
        """Return whether the position is frozen whose volume a market order would change."""
        netted = self._state.netted(r.symbol) if self._state.spec.is_netting else None
        position = self._state.positions.get(r.position_ticket, netted)
        return None if position is None else self._frozen_position(position)

    def _frozen_position(self, position: OpenPosition) -> Refusal | None:
        level = self._instrument(position.symbol).freeze_level_points
        at = self._state.exit_price(position)
        is_near = rules.levels_are_frozen(at, position.stop, position.target, level)
        return _when(is_near, Refusal.FROZEN)

    def _frozen_order(self, order: LiveOrder) -> Refusal | None:
        level = self._instrument(order.symbol).freeze_level_points
        if level <= 0:
            return None
        bid, ask = self._state.bid[order.symbol], self._state.ask[order.symbol]
        room = rules.room_to_level(order.side, order.kind, order.price, bid, ask)
        return _when(room < level, Refusal.FROZEN)

    # ------------------------------------------------------------------ limits and money

    def _over_limits(self, r: OrderRequest, opens: int) -> Refusal | None:
        if r.position_ticket:
            position = self._state.positions[r.position_ticket]
            return self._closed_already(position.ticket) or self._not_oldest(position)
        return (
            self._too_many_orders(r)
            or (self._too_many_positions(r) if opens else None)
            or self._too_much_volume(r)
            or self._hedges(r.symbol, r.side.value)
        )

    def _too_many_orders(self, r: OrderRequest) -> Refusal | None:
        limit = self._state.spec.limit_orders
        if not limit or r.order_type not in PENDING_KINDS:
            return None
        waiting = sum(order.is_pending for order in self._state.orders.values())
        return _when(waiting >= limit, Refusal.ORDER_LIMIT)

    def _too_many_positions(self, r: OrderRequest) -> Refusal | None:
        if self._state.spec.is_netting and r.order_type in PENDING_KINDS:
            return None
        return _when(self._positions_are_full(r.symbol), Refusal.POSITION_LIMIT)

    def _positions_are_full(self, symbol: str) -> bool:
        state, limit = self._state, self._state.spec.limit_positions
        if not limit:
            return False
        if state.spec.is_netting:
            return state.netted(symbol) is None and len(state.positions) >= limit
        waiting = sum(
            not order.position_ticket and order.opened not in state.positions
            for order in state.orders.values()
        )
        return len(state.positions) + waiting >= limit

    def _too_much_volume(self, r: OrderRequest) -> Refusal | None:
        limit = self._instrument(r.symbol).volume_limit_units
        if not limit:
            return None
        side = r.side.value
        mine = (r.symbol, side)
        held = sum(p.units for p in self._state.positions.values() if (p.symbol, p.side) == mine)
        waiting = sum(o.left for o in self._state.orders.values() if (o.symbol, o.side) == mine)
        return _when(held + waiting + r.units > limit, Refusal.VOLUME_LIMIT)

    def _hedges(self, symbol: str, side: int) -> Refusal | None:
        spec = self._state.spec
        if not spec.hedging_prohibited or spec.is_netting:
            return None
        sides = {p.side for p in self._state.positions_of(symbol)}
        return _when(-side in sides, Refusal.HEDGE_PROHIBITED)

    def _not_oldest(self, position: OpenPosition) -> Refusal | None:
        if not self._state.spec.fifo_close:
            return None
        oldest = self._state.positions_of(position.symbol)[0]
        return _when(oldest is not position, Refusal.FIFO_CLOSE)

    def _not_oldest_of_side(self, position: OpenPosition) -> Refusal | None:
        """Return whether an older position of the same side stands before one to be closed by."""
        if not self._state.spec.fifo_close:
            return None
        same = (p for p in self._state.positions_of(position.symbol) if p.side == position.side)
        return _when(next(same) is not position, Refusal.FIFO_CLOSE)

    def _closed_already(self, position_ticket: int) -> Refusal | None:
        waiting = (order.position_ticket for order in self._state.orders.values())
        return _when(position_ticket in waiting, Refusal.CLOSE_ORDER_EXISTS)

    def _no_money_for(self, r: OrderRequest) -> Refusal | None:
        side = r.side.value
        if r.order_type is OrderType.MARKET:
            price = self._state.market_price(r.symbol, side)
        elif self._state.terms[r.symbol].pending_factor(side, r.order_type):
            price = r.entry_points
        else:
            return None
        return self._no_money(r.symbol, r.order_type, side, r.units, price)

    def _no_money_to_change(self, order: LiveOrder, price: int) -> Refusal | None:
        """Refuse only what raises the margin: a strained account may ask for less."""
        wanted = (order.symbol, order.order_type, order.side, order.left, price)
        margin = self._margins.with_order(wanted, order.ticket)
        is_short = self._state.equity_minor < margin > self._margins.held_minor
        return _when(is_short, Refusal.NO_MONEY)

    def _no_money(
        self, symbol: str, order_type: OrderType, side: int, units: int, price: int
    ) -> Refusal | None:
        wanted = self._margins.with_order((symbol, order_type, side, units, price))
        return _when(self._state.equity_minor - wanted < 0, Refusal.NO_MONEY)

    def _instrument(self, symbol: str) -> Instrument:
        return self._state.terms[symbol].instrument


def _when(is_refused: bool, refusal: Refusal) -> Refusal | None:  # noqa: FBT001 - a condition
    return refusal if is_refused else None


def _takes_market(instrument: Instrument, filling: Filling, _order_type: OrderType) -> bool:
    """Tell whether a market order may ask for a filling (MQL5 reference, Order Execution)."""
    if filling is Filling.BOC:
        return False
    if instrument.execution_mode in _PRICED:
        return True
    if filling is Filling.RETURN:
        return instrument.execution_mode is ExecutionMode.EXCHANGE
    return filling in instrument.fillings


def _takes_pending(instrument: Instrument, filling: Filling, order_type: OrderType) -> bool:
    """Tell whether a waiting order may ask for a filling; demo servers take all but BOC."""
    if filling is not Filling.BOC:
        return True
    is_limit = order_type is not OrderType.STOP
    is_priced = instrument.execution_mode in _PRICED
    return is_limit and not is_priced and Filling.BOC in instrument.fillings
