"""The one state machine of an account: quotes and requests in, positions and deals out.

The simulated terminal and the event-driven backtest run on this same class. It holds a hedging
account: every opening order makes a position of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtquant.exchange import rules
from mtquant.exchange.ledger import Booking, Execution, Ledger, OpenPosition, Refusal
from mtquant.exchange.terms import Leg, Terms
from mtquant.model import (
    AccountSnapshot,
    DealEntry,
    Position,
    Quote,
    Reason,
    Side,
)

if TYPE_CHECKING:
    from mtquant.exchange.venue import VenueSpec


class Book:
    """Keep one hedging account in whole points, 1e-8 lots and minor units."""

    def __init__(self, venue: VenueSpec, opened_ms: int) -> None:
        self.venue = venue
        self.ledger = Ledger()
        self.balance_minor = 0
        self.now_ms = opened_ms
        self._positions: dict[int, OpenPosition] = {}
        self._terms = {symbol: Terms.of(venue, symbol) for symbol in venue.instruments}
        self._bid: dict[str, int] = {}
        self._ask: dict[str, int] = {}
        self._slippage: dict[str, tuple[int, int]] = {}
        if venue.account.deposit_minor:
            self.deposit(venue.account.deposit_minor, opened_ms, "initial deposit")

    # ------------------------------------------------------------------ money and views

    @property
    def equity_minor(self) -> int:
        """Return balance + floating profit + accumulated swap, minor units."""
        floating = (self.floating_minor(p) + p.swap_minor for p in self._positions.values())
        return self.balance_minor + sum(floating)

    @property
    def margin_minor(self) -> int:
        """Return the used margin, minor units."""
        return self._margin_with(None)

    @property
    def open_positions(self) -> list[OpenPosition]:
        """Return the open positions, oldest ticket first (live objects: do not change them)."""
        return list(self._positions.values())

    def floating_minor(self, position: OpenPosition) -> int:
        """Return the floating profit of one position at the current quote, without swap."""
        bid, ask = self._bid[position.symbol], self._ask[position.symbol]
        price = rules.exit_price(position.side, bid, ask)
        return self._terms[position.symbol].profit(
            position.side, position.units, position.open_points, price, self._prices
        )

    def quote(self, symbol: str) -> Quote | None:
        """Return the current quote, None before the first one."""
        if symbol not in self._bid:
            return None
        return Quote(
            symbol=symbol,
            time_ms=self.now_ms,
            bid_points=self._bid[symbol],
            ask_points=self._ask[symbol],
        )

    def account(self) -> AccountSnapshot:
        """Return the account as of now."""
        spec = self.venue.account
        return AccountSnapshot(
            login=spec.login,
            server=self.venue.server,
            currency=spec.currency,
            currency_digits=spec.currency_digits,
            leverage=spec.leverage,
            margin_mode=spec.margin_mode,
            is_demo=True,
            trade_allowed=True,
            balance_minor=self.balance_minor,
            equity_minor=self.equity_minor,
            margin_minor=self.margin_minor,
            time_ms=self.now_ms,
        )

    def positions(self) -> tuple[Position, ...]:
        """Return the open positions as of now, oldest ticket first."""
        return tuple(self._described(p) for p in self._positions.values())

    # ------------------------------------------------------------------ the market moves

    def set_slippage(self, symbol: str, buy_points: int, sell_points: int) -> None:
        """Set what trades of each side slip until further notice (positive = against)."""
        self._slippage[symbol] = (buy_points, sell_points)

    def show(self, symbol: str, bid: int, ask: int, time_ms: int) -> None:
        """Set a quote that is known to meet no level and to strain no margin."""
        self.now_ms = time_ms
        self._bid[symbol], self._ask[symbol] = bid, ask

    def jump(self, symbol: str, bid: int, ask: int, time_ms: int) -> None:
        """Bring a quote that nothing led up to: levels it has passed trade at its own price."""
        self.show(symbol, bid, ask, time_ms)
        mine = [p for p in self._positions.values() if p.symbol == symbol]
        for position in mine:
            if position.stop and rules.stop_is_met(position.side, position.stop, bid, ask):
                reached = rules.exit_price(position.side, bid, ask)
                self._stop(position, reached, Reason.STOP_LOSS)
        for position in mine:
            if position.ticket not in self._positions or not position.target:
                continue
            if rules.target_is_met(position.side, position.target, bid, ask):
                price = rules.exit_price(position.side, bid, ask)
                self._protective_close(position, price, Reason.TAKE_PROFIT)
        self._settle_margin()

    def move(self, symbol: str, bid_to: int, time_ms: int) -> None:
        """Move the bid continuously, spread unchanged: levels on the way trade at the level."""
        self.now_ms = time_ms
        bid_from = self._bid[symbol]
        spread = self._ask[symbol] - bid_from
        for position, reason, level in self._crossed(symbol, bid_from, bid_to, spread):
            if reason is Reason.STOP_LOSS:
                self._stop(position, level, reason)
            else:
                self._protective_close(position, level, reason)
        self._bid[symbol], self._ask[symbol] = bid_to, bid_to + spread
        self._settle_margin()

    def roll_over(self, midnight_ms: int) -> None:
        """End the server's day: every open position accumulates its swap."""
        nightly = self.venue.clock.weekday(midnight_ms - 1)
        for position in self._positions.values():
            bid, ask = self._bid[position.symbol], self._ask[position.symbol]
            prices = position.open_points, rules.exit_price(position.side, bid, ask)
            position.swap_minor += self._terms[position.symbol].swap(
                position.side, position.units, nightly, prices, self._prices
            )

    def deposit(self, amount_minor: int, time_ms: int, comment: str) -> None:
        """Book a balance operation (negative = withdrawal)."""
        self.ledger.book_balance(amount_minor, time_ms, comment)
        self.balance_minor += amount_minor

    # ------------------------------------------------------------------ requests

    def open_market(
        self,
        symbol: str,
        side: Side,
        units: int,
        *,
        stop: int = 0,
        target: int = 0,
        magic: int = 0,
        comment: str = "",
    ) -> Execution:
        """Open a position at the market; levels are points, 0 = none."""
        if symbol in self._terms and not self.in_session(symbol):
            return Execution(refusal=Refusal.MARKET_CLOSED)
        refusal = self.check_open(symbol, side, units, stop=stop, target=target)
        if refusal is not None:
            return Execution(refusal=refusal)
        terms = self._terms[symbol]
        price = self._market_price(symbol, side.value)
        booking = Booking(
            time_ms=self.now_ms,
            side=side.value,
            entry=DealEntry.IN,
            units=units,
            price_points=price,
            commission_minor=terms.commission(units, price, DealEntry.IN, self._prices),
            fee_minor=terms.costs.fee(units),
            reason=Reason.EXPERT,
            order_magic=magic,
            order_comment=comment,
            deal_comment=comment,
        )
        deal = self.ledger.book_trade(None, symbol, booking)
        self.balance_minor += deal.net_minor
        self._positions[deal.order_ticket] = OpenPosition(
            ticket=deal.order_ticket,
            symbol=symbol,
            side=side.value,
            units=units,
            open_points=price,
            open_ms=self.now_ms,
            stop=stop,
            target=target,
            magic=magic,
            comment=comment,
            margin_rate=terms.opening_rate(side.value, price, self._prices),
            updated_ms=self.now_ms,
        )
        return self._executed(deal.order_ticket, deal.deal_ticket, units, price)

    def close_market(
        self, ticket: int, units: int, *, magic: int = 0, comment: str = ""
    ) -> Execution:
        """Close all or part of a position at the market."""
        if ticket in self._positions and not self.in_session(self._positions[ticket].symbol):
            return Execution(refusal=Refusal.MARKET_CLOSED)
        refusal = self.check_close(ticket, units)
        if refusal is not None:
            return Execution(refusal=refusal)
        position = self._positions[ticket]
        price = self._market_price(position.symbol, -position.side)
        order, deal = self._close(
            position, units, price, Reason.EXPERT, magic=magic, comment=comment
        )
        return self._executed(order, deal, units, price)

    def modify_stops(self, ticket: int, stop: int, target: int) -> Execution:
        """Replace both protective levels of a position (points, 0 = none)."""
        if ticket in self._positions and not self.in_session(self._positions[ticket].symbol):
            return Execution(refusal=Refusal.MARKET_CLOSED)
        refusal = self.check_modify(ticket, stop, target)
        if refusal is not None:
            return Execution(refusal=refusal)
        position = self._positions[ticket]
        position.stop, position.target = stop, target
        return Execution()

    def check_open(
        self, symbol: str, side: Side, units: int, *, stop: int = 0, target: int = 0
    ) -> Refusal | None:
        """Return why an opening request would be refused, None if it would not.

        Trading hours are not looked at: the real order_check passes on a closed market.
        """
        if symbol not in self._terms:
            return Refusal.INVALID_REQUEST
        if symbol not in self._bid or not self.can_convert(symbol):
            return Refusal.NO_PRICES
        terms, bid, ask = self._terms[symbol], self._bid[symbol], self._ask[symbol]
        if terms.instrument.floor_units(units) != units or units <= 0:
            return Refusal.INVALID_VOLUME
        level = terms.instrument.stops_level_points
        if not rules.stops_are_valid(side.value, stop, target, bid, ask, level):
            return Refusal.INVALID_STOPS
        wanted = (symbol, side.value, units, self._market_price(symbol, side.value))
        if self.equity_minor - self._margin_with(wanted) < 0:
            return Refusal.NO_MONEY
        return None

    def check_close(self, ticket: int, units: int) -> Refusal | None:
        """Return why a closing request would be refused, None if it would not."""
        position = self._positions.get(ticket)
        if position is None:
            return Refusal.POSITION_GONE
        if units > position.units:
            return Refusal.CLOSE_VOLUME
        step = self._terms[position.symbol].instrument.volume_step_units
        if units <= 0 or (units != position.units and units % step):
            return Refusal.INVALID_VOLUME
        return Refusal.FROZEN if self._is_frozen(position) else None

    def check_modify(self, ticket: int, stop: int, target: int) -> Refusal | None:
        """Return why new protective levels would be refused, None if they would not."""
        position = self._positions.get(ticket)
        if position is None:
            return Refusal.POSITION_GONE
        if (position.stop, position.target) == (stop, target):
            return Refusal.NO_CHANGES
        if self._is_frozen(position):
            return Refusal.FROZEN
        symbol = position.symbol
        level = self._terms[symbol].instrument.stops_level_points
        bid, ask = self._bid[symbol], self._ask[symbol]
        if not rules.stops_are_valid(position.side, stop, target, bid, ask, level):
            return Refusal.INVALID_STOPS
        return None

    def margin_for(self, symbol: str, side: Side, units: int, price_points: int) -> int:
        """Return the margin of one new position alone, minor units (order_calc_margin)."""
        rate = self._rate_to_open(symbol, side.value, price_points)
        return self._terms[symbol].margin([(side.value, units, price_points)], [rate])

    def margin_after(self, symbol: str, side: Side, units: int) -> int:
        """Return the account's margin as if this volume had been opened at the market."""
        price = self._market_price(symbol, side.value)
        return self._margin_with((symbol, side.value, units, price))

    def profit_for(self, symbol: str, side: Side, units: int, opened: int, closed: int) -> int:
        """Return the profit between two prices (points), minor units (order_calc_profit)."""
        return self._terms[symbol].profit(side.value, units, opened, closed, self._prices)

    def tick_values(self, symbol: str) -> tuple[float, float]:
        """Return what a tick size of one lot is worth to a gain and to a loss, account currency.

        Before the quotes that convert them come, both are 0.
        """
        terms = self._terms[symbol]
        if not terms.conversions.profit.pair:
            return terms.instrument.tick_value, terms.instrument.tick_value
        if self._prices(terms.conversions.profit.pair) is None:
            return 0.0, 0.0
        return terms.tick_values(self._prices)

    # ------------------------------------------------------------------ inside

    def _crossed(
        self, symbol: str, bid_from: int, bid_to: int, spread: int
    ) -> list[tuple[OpenPosition, Reason, int]]:
        """Return what a move meets, in the order it meets it (ties: stops, then ticket)."""
        met: list[tuple[int, int, int, OpenPosition, Reason, int]] = []
        for position in self._positions.values():
            if position.symbol != symbol:
                continue
            pairs = ((position.stop, Reason.STOP_LOSS), (position.target, Reason.TAKE_PROFIT))
            for rank, (level, reason) in enumerate(pairs):
                if not level:
                    continue
                at = rules.bid_level(position.side, level, spread)
                if rules.is_crossed(at, bid_from, bid_to):
                    met.append((abs(at - bid_from), rank, position.ticket, position, reason, level))
        met.sort(key=lambda item: item[:3])
        return [item[3:] for item in met]

    def _stop(self, position: OpenPosition, reached: int, reason: Reason) -> None:
        buy, sell = self._slippage.get(position.symbol, (0, 0))
        slippage = sell if position.side > 0 else buy
        self._protective_close(position, rules.stop_fill(position.side, reached, slippage), reason)

    def _protective_close(
        self, position: OpenPosition, price: int, reason: Reason, percent: float = 0.0
    ) -> None:
        digits = self._terms[position.symbol].instrument.digits
        comment = {
            Reason.STOP_LOSS: f"[sl {position.stop / 10**digits:.{digits}f}]",
            Reason.TAKE_PROFIT: f"[tp {position.target / 10**digits:.{digits}f}]",
            Reason.STOP_OUT: f"[so {percent:.2f}%]",
        }[reason]
        magic = position.magic
        self._close(position, position.units, price, reason, magic=magic, comment=comment)

    def _close(
        self,
        position: OpenPosition,
        units: int,
        price: int,
        reason: Reason,
        *,
        magic: int,
        comment: str,
    ) -> tuple[int, int]:
        terms = self._terms[position.symbol]
        swap = position.swap_minor * units
        swap_part = terms.round_share(swap, position.units)
        booking = Booking(
            time_ms=self.now_ms,
            side=-position.side,
            entry=DealEntry.OUT,
            units=units,
            price_points=price,
            profit_minor=terms.profit(
                position.side, units, position.open_points, price, self._prices
            ),
            commission_minor=terms.commission(units, price, DealEntry.OUT, self._prices),
            fee_minor=terms.costs.fee(units),
            swap_minor=swap_part,
            reason=reason,
            order_magic=magic,
            order_comment=comment,
            deal_comment=comment,
        )
        deal = self.ledger.book_trade(position, position.symbol, booking)
        self.balance_minor += deal.net_minor
        position.units -= units
        position.swap_minor -= swap_part
        position.updated_ms = self.now_ms
        if position.units == 0:
            del self._positions[position.ticket]
        return deal.order_ticket, deal.deal_ticket

    def _settle_margin(self) -> None:
        level = self.venue.account.stop_out_percent
        while self._positions:
            equity, margin = self.equity_minor, self.margin_minor
            if not rules.is_stop_out(equity, margin, level):
                return
            worst = min(self._positions.values(), key=lambda p: (self.floating_minor(p), p.ticket))
            bid, ask = self._bid[worst.symbol], self._ask[worst.symbol]
            price = rules.exit_price(worst.side, bid, ask)
            self._protective_close(worst, price, Reason.STOP_OUT, 100.0 * equity / margin)

    def _margin_with(self, extra: tuple[str, int, int, int] | None) -> int:
        by_symbol: dict[str, tuple[list[Leg], list[float]]] = {}
        for p in self._positions.values():
            legs, rates = by_symbol.setdefault(p.symbol, ([], []))
            legs.append((p.side, p.units, p.open_points))
            factor = self._terms[p.symbol].margin_factor(p.side, is_held=True)
            rates.append(factor * p.margin_rate)
        on_top = 0
        if extra is not None:
            symbol, leg = extra[0], extra[1:]
            legs, rates = by_symbol.setdefault(symbol, ([], []))
            if self._terms[symbol].has_fixed_margin:
                on_top = self._fixed_margin_on_top(symbol, legs, rates, leg)
            else:
                legs.append(leg)
                rates.append(self._rate_to_open(symbol, leg[0], leg[2]))
        return on_top + sum(
            self._terms[symbol].margin(legs, rates, is_held=True)
            for symbol, (legs, rates) in by_symbol.items()
        )

    def _fixed_margin_on_top(
        self, symbol: str, legs: list[Leg], rates: list[float], leg: Leg
    ) -> int:
        terms = self._terms[symbol]
        held = terms.margin(legs, rates, is_held=True)
        net = sum(side * units for side, units, _ in legs)
        against = max(0, -leg[0] * net)
        return terms.fixed_margin_to_open(held, against, leg, self._prices) - held

    def _rate_to_open(self, symbol: str, side: int, price: int) -> float:
        terms = self._terms[symbol]
        factor = terms.margin_factor(side, is_held=False)
        return factor * terms.opening_rate(side, price, self._prices)

    def _prices(self, symbol: str) -> tuple[int, int] | None:
        return (self._bid[symbol], self._ask[symbol]) if symbol in self._bid else None

    def can_convert(self, symbol: str) -> bool:
        """Tell whether the pairs that convert a symbol's money are quoted."""
        return all(pair in self._bid for pair in self._terms[symbol].conversions.foreign_pairs)

    def _market_price(self, symbol: str, side: int) -> int:
        buy, sell = self._slippage.get(symbol, (0, 0))
        slippage = buy if side > 0 else sell
        return rules.market_fill(side, self._bid[symbol], self._ask[symbol], slippage)

    def in_session(self, symbol: str) -> bool:
        """Tell whether trading of a symbol is open now."""
        clock = self.venue.clock
        minute = clock.to_server_ms(self.now_ms) // 60_000 % 1440
        return self._terms[symbol].instrument.is_open(clock.weekday(self.now_ms), minute)

    def _is_frozen(self, position: OpenPosition) -> bool:
        level = self._terms[position.symbol].instrument.freeze_level_points
        if level <= 0:
            return False
        bid, ask = self._bid[position.symbol], self._ask[position.symbol]
        at = rules.exit_price(position.side, bid, ask)
        levels = (position.stop, position.target)
        return any(abs(at - one) < level for one in levels if one)

    def _executed(self, order: int, deal: int, units: int, price: int) -> Execution:
        self._settle_margin()
        return Execution(
            order_ticket=order, deal_ticket=deal, volume_units=units, price_points=price
        )

    def _described(self, position: OpenPosition) -> Position:
        instrument = self._terms[position.symbol].instrument
        bid, ask = self._bid[position.symbol], self._ask[position.symbol]
        return Position(
            position_ticket=position.ticket,
            symbol=position.symbol,
            side=Side(position.side),
            volume_units=position.units,
            open_points=position.open_points,
            open_ms=position.open_ms,
            current_points=rules.exit_price(position.side, bid, ask),
            current_ms=self.now_ms,
            stop_loss_points=position.stop or None,
            take_profit_points=position.target or None,
            profit_minor=self.floating_minor(position),
            swap_minor=position.swap_minor,
            digits=instrument.digits,
            contract_size=instrument.contract_size,
            money_digits=self.venue.account.currency_digits,
            intent_id=position.magic,
            comment=position.comment,
        )
