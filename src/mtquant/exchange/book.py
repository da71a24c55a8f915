"""The one state machine of an account: quotes and requests in, positions and deals out.

The simulated terminal and the event-driven backtest run on this same class. A hedging account
opens a position with every order, a netting one has one position a symbol.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from mtquant.exchange.checks import Checks
from mtquant.exchange.fills import Fills
from mtquant.exchange.ledger import LiveOrder, OpenPosition, Tickets, described
from mtquant.exchange.margins import Margins
from mtquant.exchange.orders import Orders
from mtquant.exchange.requests import (
    CancelRequest,
    ChangeRequest,
    CloseByRequest,
    Execution,
    OrderRequest,
    Refusal,
    Request,
    Scarcity,
    StopsRequest,
)
from mtquant.exchange.state import AccountState
from mtquant.exchange.stop_out import StopOut
from mtquant.exchange.ticks import Ticks
from mtquant.model import (
    DAY_MS,
    AccountKind,
    AccountSnapshot,
    DealKind,
    Filling,
    Order,
    OrderType,
    Position,
    Quote,
    Side,
)

if TYPE_CHECKING:
    from mtquant.exchange.ledger import Ledger
    from mtquant.exchange.venue import AccountSpec, VenueSpec

_MINUTE_MS: Final = 60_000


class Book:
    """Keep one account of a venue in whole points, 1e-8 lots and minor units."""

    def __init__(
        self,
        venue: VenueSpec,
        opened_ms: int,
        account: AccountSpec | None = None,
        tickets: Tickets | None = None,
    ) -> None:
        self.venue = venue
        self.account_spec = account or venue.account
        self._state = AccountState(venue, self.account_spec, opened_ms, tickets or Tickets())
        self._margins = Margins(self._state)
        self._checks = Checks(self._state, self._margins)
        self._fills = Fills(self._state)
        self._orders = Orders(self._state, self._margins, self._checks, self._fills)
        self._ticks = Ticks(self._state, self._orders)
        self._stop_out = StopOut(self._state, self._margins, self._orders)
        self._requests: deque[int] = deque()
        if self.account_spec.deposit_minor:
            self.deposit(self.account_spec.deposit_minor, opened_ms, "initial deposit")
        if self.account_spec.credit_minor:
            self.grant_credit(self.account_spec.credit_minor, opened_ms, "initial credit")

    # ------------------------------------------------------------------ money and views

    @property
    def now_ms(self) -> int:
        """Return the market's time, UTC milliseconds."""
        return self._state.now_ms

    @property
    def ledger(self) -> Ledger:
        """Return the history of orders and deals."""
        return self._state.ledger

    @property
    def balance_minor(self) -> int:
        """Return deposits and closed results, minor units."""
        return self._state.balance_minor

    @property
    def credit_minor(self) -> int:
        """Return the credit that the broker has given, minor units."""
        return self._state.credit_minor

    @property
    def equity_minor(self) -> int:
        """Return balance + credit + floating profit + accumulated swap, minor units."""
        return self._state.equity_minor

    @property
    def margin_minor(self) -> int:
        """Return the used margin, minor units."""
        return self._margins.held_minor

    @property
    def stop_out_limit_minor(self) -> float:
        """Return the equity at which a stop-out comes, minor units; where none can, far below."""
        return self._stop_out.limit_minor

    @property
    def holdings_version(self) -> int:
        """Return a number that rises whenever positions, waiting orders or money change."""
        return self._state.levels_version

    @property
    def open_positions(self) -> list[OpenPosition]:
        """Return the open positions, oldest first (live objects: do not change them)."""
        return list(self._state.positions.values())

    @property
    def live_orders(self) -> list[LiveOrder]:
        """Return the orders that wait, oldest first (live objects: do not change them)."""
        return list(self._state.orders.values())

    def floating_minor(self, position: OpenPosition) -> int:
        """Return the floating profit of one position at the current quote, without swap."""
        return self._state.floating_minor(position)

    def quote(self, symbol: str) -> Quote | None:
        """Return the current quote with the time it came at, None before the first one."""
        prices = self._state.prices(symbol)
        if prices is None:
            return None
        bid, ask = prices
        return Quote(
            symbol=symbol,
            time_ms=self._state.quoted_ms[symbol],
            bid_points=bid,
            ask_points=ask,
        )

    def account(self) -> AccountSnapshot:
        """Return the account as of now."""
        spec = self.account_spec
        return AccountSnapshot(
            login=spec.login,
            server=self.venue.server,
            currency=spec.currency,
            currency_digits=spec.currency_digits,
            leverage=spec.leverage,
            margin_mode=spec.margin_mode,
            is_demo=spec.kind is AccountKind.DEMO,
            trade_allowed=spec.trade_allowed,
            balance_minor=self.balance_minor,
            equity_minor=self.equity_minor,
            margin_minor=self.margin_minor,
            time_ms=self.now_ms,
            credit_minor=self.credit_minor,
        )

    def positions(self) -> tuple[Position, ...]:
        """Return the open positions as of now, oldest first."""
        return tuple(self._described(p) for p in self._state.positions.values())

    def orders(self) -> tuple[Order, ...]:
        """Return the orders that wait in the market as of now, oldest first."""
        return tuple(
            described(order, order.state, self._state.price_of(order.symbol, order.side))
            for order in self._state.orders.values()
        )

    def in_session(self, symbol: str) -> bool:
        """Tell whether trading of a symbol is open now."""
        return self._state.in_session(symbol)

    def can_convert(self, symbol: str) -> bool:
        """Tell whether the pairs that convert a symbol's money are quoted."""
        return self._state.can_convert(symbol)

    # ------------------------------------------------------------------ the market moves

    def set_slippage(self, symbol: str, buy_points: int, sell_points: int) -> None:
        """Set what trades of each side slip until further notice (positive = against)."""
        self._state.slippage[symbol] = (buy_points, sell_points)

    def wait(self, time_ms: int) -> None:
        """Let the clock run without a price: orders may expire, trading hours end."""
        self._ticks.wait(time_ms)

    def show(self, symbol: str, bid: int, ask: int, time_ms: int) -> None:
        """Set a quote that is known to meet no level and to strain no margin."""
        self._ticks.show(symbol, bid, ask, time_ms)

    def jump(self, symbol: str, bid: int, ask: int, time_ms: int) -> None:
        """Bring a quote that nothing led up to: levels it has passed trade at its own price."""
        self._ticks.jump(symbol, bid, ask, time_ms)
        self._stop_out.after_tick(symbol)

    def move(self, symbol: str, bid_to: int, time_ms: int) -> None:
        """Move the bid continuously, spread unchanged: levels on the way trade at the level."""
        self._ticks.move(symbol, bid_to, time_ms)
        self._stop_out.after_tick(symbol)

    def roll_over(self, midnight_ms: int) -> None:
        """End the server's day: positions accumulate swap, and daily levels are dropped."""
        state = self._state
        day = self.venue.clock.to_server_ms(midnight_ms - 1) // DAY_MS
        for position in state.positions.values():
            terms = state.terms[position.symbol]
            prices = position.opened, state.exit_price(position)
            position.swap_minor += terms.swap(
                position.side, position.units, day, prices, state.prices
            )
            if terms.instrument.drops_levels_daily:
                position.stop = position.target = 0
        state.touch()

    def deposit(self, amount_minor: int, time_ms: int, comment: str) -> None:
        """Book a balance operation (negative = withdrawal)."""
        self._state.ledger.book_balance(DealKind.BALANCE, amount_minor, time_ms, comment)
        self._state.balance_minor += amount_minor
        self._state.touch()

    def grant_credit(self, amount_minor: int, time_ms: int, comment: str) -> None:
        """Book a credit operation (negative = taken back): it counts as equity, not as balance."""
        self._state.ledger.book_balance(DealKind.CREDIT, amount_minor, time_ms, comment)
        self._state.credit_minor += amount_minor
        self._state.touch()

    def run_short(self, scarcity: Scarcity) -> None:
        """Offer a symbol's orders less volume than the venue states, until the next tick."""
        self._state.scarce[scarcity.symbol] = scarcity
        for side in Side:
            self._state.taken.pop((scarcity.symbol, side.value), None)

    # ------------------------------------------------------------------ requests

    def check(self, request: Request) -> Refusal | None:
        """Return why a request would be refused, None if it would not.

        Trading hours are not looked at: the real order_check passes on a closed market.
        """
        return self._checks.refusal(request)

    def send(self, request: Request) -> Execution:
        """Check a request and carry it out."""
        refusal = self._too_many_requests() or self._checks.refusal(request, is_sent=True)
        if refusal is not None:
            return Execution(refusal=refusal)
        done = self._carry_out(request)
        if not isinstance(request, StopsRequest):  # which costs nothing
            self._stop_out.settle()
        return done

    def open_market(
        self,
        symbol: str,
        side: Side,
        units: int,
        *,
        price: int = 0,
        deviation: int = 0,
        filling: Filling = Filling.FOK,
        stop: int = 0,
        target: int = 0,
        magic: int = 0,
        comment: str = "",
    ) -> Execution:
        """Open a position at the market; levels are points, 0 = none."""
        return self.send(
            OrderRequest(
                symbol=symbol,
                side=side,
                units=units,
                price=price,
                deviation=deviation,
                filling=filling,
                stop=stop,
                target=target,
                magic=magic,
                comment=comment,
            )
        )

    def close_market(
        self,
        ticket: int,
        units: int,
        *,
        price: int = 0,
        deviation: int = 0,
        filling: Filling = Filling.FOK,
        magic: int = 0,
        comment: str = "",
    ) -> Execution:
        """Close all or part of a position at the market."""
        position = self._state.positions.get(ticket)
        if position is None:
            return Execution(refusal=Refusal.POSITION_GONE)
        return self.send(
            OrderRequest(
                symbol=position.symbol,
                side=Side(-position.side),
                units=units,
                price=price,
                deviation=deviation,
                filling=filling,
                position_ticket=ticket,
                magic=magic,
                comment=comment,
            )
        )

    def modify_stops(self, ticket: int, stop: int, target: int) -> Execution:
        """Replace both protective levels of a position (points, 0 = none)."""
        position = self._state.positions.get(ticket)
        symbol = "" if position is None else position.symbol
        return self.send(
            StopsRequest(symbol=symbol, position_ticket=ticket, stop=stop, target=target)
        )

    def margin_for(self, symbol: str, side: Side, units: int, price_points: int) -> int:
        """Return the margin of one new position alone, minor units (order_calc_margin)."""
        rate = self._margins.rate_to_open(symbol, side.value, price_points)
        return self._state.terms[symbol].margin([(side.value, units, price_points)], [rate])

    def margin_after(self, request: Request) -> int:
        """Return the account's margin after a request, minor units.

        What only closes leaves less; what opens has to be found before anything else is given back.
        """
        if not isinstance(request, OrderRequest):
            return self.margin_minor
        closed = self._checks.closed_by(request)
        if closed is not None:
            return self._margins.with_less(closed, request.units)
        side, price = request.side.value, request.entry_points
        if request.order_type is OrderType.MARKET:
            price = self._state.market_price(request.symbol, side)
        wanted = (request.symbol, request.order_type, side, request.units, price)
        return self._margins.with_order(wanted)

    def profit_for(self, symbol: str, side: Side, units: int, opened: int, closed: int) -> int:
        """Return the profit between two prices (points), minor units (order_calc_profit)."""
        terms = self._state.terms[symbol]
        return terms.profit(side.value, units, opened, closed, self._state.prices)

    def tick_values(self, symbol: str) -> tuple[float, float]:
        """Return what a tick size of one lot is worth to a gain and to a loss, account currency.

        Before the quotes that convert them come, both are 0.
        """
        terms = self._state.terms[symbol]
        if not terms.conversions.profit.pair:
            return terms.instrument.tick_value, terms.instrument.tick_value
        if self._state.prices(terms.conversions.profit.pair) is None:
            return 0.0, 0.0
        return terms.tick_values(self._state.prices)

    # ------------------------------------------------------------------ inside

    def _too_many_requests(self) -> Refusal | None:
        limit = self.account_spec.limit_requests_per_minute
        if not limit:
            return None
        while self._requests and self._requests[0] <= self.now_ms - _MINUTE_MS:
            self._requests.popleft()
        if len(self._requests) >= limit:
            return Refusal.TOO_MANY_REQUESTS
        self._requests.append(self.now_ms)
        return None

    def _carry_out(self, request: Request) -> Execution:
        match request:
            case OrderRequest() if request.order_type is OrderType.MARKET:
                return self._orders.take_market(request)
            case OrderRequest():
                return self._protected(request.symbol, self._orders.place(request))
            case ChangeRequest():
                symbol = self._state.orders[request.order_ticket].symbol
                return self._protected(symbol, self._orders.change(request))
            case CancelRequest():
                return self._orders.cancel(request)
            case CloseByRequest():
                return self._orders.close_by(request)
            case StopsRequest():
                return self._replace_stops(request)

    def _protected(self, symbol: str, done: Execution) -> Execution:
        """Close at once what an order opened beyond its own levels: at an exchange it may."""
        if done.deal_ticket:
            self._ticks.settle_levels(symbol)
        return done

    def _replace_stops(self, request: StopsRequest) -> Execution:
        position = self._checks.position(request)
        if position is not None:
            position.stop, position.target = request.stop, request.target
            self._state.touch_levels()
        return Execution()

    def _described(self, position: OpenPosition) -> Position:
        instrument = self._state.terms[position.symbol].instrument
        return Position(
            position_ticket=position.ticket,
            symbol=position.symbol,
            side=Side(position.side),
            volume_units=position.units,
            open_points=position.open_points,
            open_ms=position.open_ms,
            current_points=self._state.exit_price(position),
            current_ms=self.now_ms,
            stop_loss_points=position.stop or None,
            take_profit_points=position.target or None,
            profit_minor=self.floating_minor(position),
            swap_minor=position.swap_minor,
            digits=instrument.digits,
            contract_size=instrument.contract_size,
            largest_order_units=instrument.volume_max_units,
            money_digits=self.account_spec.currency_digits,
            intent_id=position.magic,
            comment=position.comment,
            open_thousandths=position.open_thousandths,
            identifier=position.identifier,
            reason=position.reason,
        )
