"""A player who trades as people do, on every kind of account, and what must hold meanwhile."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st
from terminals import deal, make_terminal, pending, require_consistent, venue_of
from worlds import bars_of

from mtquant.exchange import Book, FillPrice, Market, VenueSpec, rules
from mtquant.model import (
    ExecutionMode,
    Filling,
    GtcMode,
    MarginMode,
    Order,
    OrderState,
    OrderType,
)
from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated import SimulatedServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@st.composite
def venues(draw: st.DrawFn) -> VenueSpec:
    """Draw a venue: account mode, execution mode, depth, limits and levels."""
    mode = draw(st.sampled_from(MarginMode))
    account = {
        "deposit": draw(st.sampled_from([1500.0, 20_000.0])),
        "credit": draw(st.sampled_from([0.0, 100.0])),
        "margin_mode": mode,
        "fifo_close": mode is MarginMode.HEDGING and draw(st.booleans()),
        "hedging_prohibited": draw(st.booleans()),
        "limit_orders": draw(st.sampled_from([0, 0, 3])),
        "limit_positions": draw(st.sampled_from([0, 0, 3])),
    }
    depth = draw(st.sampled_from([(), (0,), (0, 4, 9)]))
    venue = venue_of(
        account,
        execution_mode=draw(st.sampled_from(ExecutionMode)),
        fillings=draw(st.sampled_from([tuple(Filling), (Filling.FOK, Filling.IOC)])),
        depth_points=depth,
        depth_lots=(0.3,) * len(depth),
        freeze_level_points=draw(st.sampled_from([0, 3])),
        stops_level_points=draw(st.sampled_from([0, 5])),
        margin_pending_rates=(draw(st.sampled_from([0.0, 0.5])),) * 6,
        gtc_mode=draw(st.sampled_from(GtcMode)),
        limit_fill=draw(st.sampled_from(FillPrice)),
        volume_limit_lots=draw(st.sampled_from([0.0, 0.0, 1.5])),
    )
    return replace(venue, server_clock="fixed:+2")  # quickly made


class Records:
    """A server's log in memory that a second server can be made from."""

    def __init__(self, old: Sequence[dict[str, Any]] = ()) -> None:
        self.old = list(old)
        self.new: list[dict[str, Any]] = []

    def write(self, record: dict[str, Any]) -> None:
        """Keep a record."""
        self.new.append(record)

    def records(self) -> Iterator[dict[str, Any]]:
        """Return the records of the first server."""
        return iter(self.old)


class Player:
    """Send requests near the market, mostly sound ones, and step it on."""

    def __init__(self, venue: VenueSpec, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        bars = int(self.rng.integers(4, 40))
        moves = [self.pick([-80, -30, -10, 0, 10, 30, 80]) for _ in range(bars)]
        self.bars = bars_of(
            [110_000 + sum(moves[:i]) for i in range(bars)],
            wick=self.pick([0, 5, 25]),
            spread=self.pick([0, 4, 10]),
            gaps=[self.pick([0, 0, 0, -60, 60]) for _ in range(bars)],
        )
        self.slippage = self.rng.integers(-2, 3, (bars, 2)).astype(np.int32)
        self.slippage *= self.pick([0, 0, 1])
        self.venue, self.log = venue, Records()
        self.server = SimulatedServer(Market.of_bars(venue, self.bars, self.slippage), self.log)
        self.terminal = make_terminal(self.server)

    def pick(self, things: Sequence[Any]) -> Any:
        """Return one of the things."""
        return things[int(self.rng.integers(len(things)))]

    def play(self, requests: int) -> None:
        """Send requests and step the market, holding the book to its rules throughout."""
        for _ in range(requests):
            request = self.request()
            checked, sent = self.terminal.order_check(request), self.terminal.order_send(request)
            assert checked.retcode in {sent.retcode, 0} or sent.retcode == 10018
            for _ in range(self.pick([0, 0, 1, 1, 2, 5])):
                self.server.step()
            require_consistent(self.terminal, self.server.book)
            require_settled(self.server.book)
        self.require_replayed()

    def request(self) -> dict[str, Any]:
        """Return what the player does next."""
        positions, orders = self.terminal.positions_get(), self.terminal.orders_get()
        kinds = [self.market_order, self.pending_order] * 3
        kinds += [self.close, self.close, self.levels, self.close_by] * bool(positions)
        kinds += [self.change, self.change, self.remove] * bool(orders)
        found: dict[str, Any] = self.pick(kinds)()
        return found

    def market_order(self) -> dict[str, Any]:
        """Buy or sell at the market."""
        kind = self.pick([0, 1])
        filling, volume = self.pick([0, 0, 1, 2]), self.volume()
        return deal(
            type=kind,
            volume=volume,
            price=self.price(kind),
            deviation=self.pick([0, 20]),
            type_filling=filling,
            **self.protection(kind, self.price(1 - kind)),
        )

    def pending_order(self) -> dict[str, Any]:
        """Place one of the six orders that wait for a price."""
        kind = self.pick(range(2, 8))
        up = 1 if kind in {3, 4, 6} else -1
        price = self.near(self.price(kind % 2), up)
        fields = {"price": price, "stoplimit": self.near(price, -up) if kind > 5 else 0.0}
        opens_at = fields["stoplimit"] or price
        return pending(
            kind,
            volume=self.volume(),
            type_filling=self.pick([0, 1, 2, 2, 3]),
            type_time=self.pick([0, 0, 1, 2, 3]),
            expiration=self.terminal.symbol_info_tick("EURUSD").time + self.pick([600, 90_000]),
            **fields,
            **self.protection(kind % 2, opens_at),
        )

    def close(self) -> dict[str, Any]:
        """Close a position, often wholly."""
        one = self.pick(self.terminal.positions_get())
        kind = 1 - one.type
        volume = self.pick([one.volume, one.volume, self.volume()])
        filling = self.pick([0, 1, 2])
        return deal(
            type=kind,
            position=one.ticket,
            volume=volume,
            price=self.price(kind),
            type_filling=filling,
        )

    def levels(self) -> dict[str, Any]:
        """Move the levels of a position."""
        one = self.pick(self.terminal.positions_get())
        request = {"action": mt5.TRADE_ACTION_SLTP, "symbol": "EURUSD", "position": one.ticket}
        return request | self.protection(one.type, one.price_current)

    def close_by(self) -> dict[str, Any]:
        """Close a position by another one."""
        positions = self.terminal.positions_get()
        one, other = self.pick(positions).ticket, self.pick(positions).ticket
        return {"action": mt5.TRADE_ACTION_CLOSE_BY, "position": one, "position_by": other}

    def change(self) -> dict[str, Any]:
        """Move a waiting order."""
        one = self.pick(self.terminal.orders_get())
        return {
            "action": mt5.TRADE_ACTION_MODIFY,
            "order": one.ticket,
            "price": round(one.price_open + self.pick([-0.0003, 0.0001, 0.0004]), 5),
            "stoplimit": one.price_stoplimit,
            "sl": one.sl,
            "tp": one.tp,
            "type_time": one.type_time,
            "expiration": one.time_expiration,
        }

    def remove(self) -> dict[str, Any]:
        """Remove a waiting order."""
        order = self.pick(self.terminal.orders_get()).ticket
        return {"action": mt5.TRADE_ACTION_REMOVE, "order": order}

    def volume(self) -> float:
        """Return a volume."""
        return float(self.pick([0.01, 0.1, 0.1, 0.2, 0.5, 1.0, 2.0]))

    def price(self, kind: int) -> float:
        """Return the ask for a buy (0), the bid for a sell (1)."""
        tick = self.terminal.symbol_info_tick("EURUSD")
        return float(tick.bid if kind else tick.ask)

    def near(self, price: float, sign: int) -> float:
        """Return a price some way up or down."""
        return round(price + sign * self.pick([0.0001, 0.0003, 0.0006, 0.0010, 0.0020]), 5)

    def protection(self, kind: int, price: float) -> dict[str, float]:
        """Return levels around a price: mostly none."""
        sign = -1 if kind else 1
        stop, target = self.near(price, -sign), self.near(price, sign)
        return {"sl": self.pick([0.0, 0.0, stop]), "tp": self.pick([0.0, 0.0, target])}

    def require_replayed(self) -> None:
        """Hold a second server, made from the log of the first, against it."""
        market = Market.of_bars(self.venue, self.bars, self.slippage)
        again = SimulatedServer(market, Records(self.log.new))
        while again.now_ms < self.server.now_ms:
            again.step()
        assert whole(again.book) == whole(self.server.book)


def whole(book: Book) -> tuple[Any, ...]:
    """Return everything that a book holds."""
    ledger = book.ledger
    return book.account(), book.positions(), book.orders(), ledger.orders, ledger.deals


def require_settled(book: Book) -> None:
    """Hold the book to what must be true after every tick and every request."""
    filled: dict[int, int] = {}
    for one in book.ledger.deals:
        filled[one.order_ticket] = filled.get(one.order_ticket, 0) + one.volume_units
    for order in (*book.ledger.orders, *book.orders()):
        require_filled(order, filled.get(order.order_ticket, 0))
    quote, spec = book.quote("EURUSD"), book.account_spec
    assert quote is not None
    bid, ask = quote.bid_points, quote.ask_points
    for p in book.positions():
        side, stop, target = p.side.value, p.stop_loss_points, p.take_profit_points
        assert not stop or not rules.stop_is_met(side, stop, bid, ask)
        assert not target or not rules.target_is_met(side, target, bid, ask)
    if spec.hedging_prohibited:
        assert len({p.side for p in book.positions()}) <= 1
    if spec.limit_orders:
        assert sum(one.is_pending for one in book.live_orders) <= spec.limit_orders
    if not book.venue.instruments["EURUSD"].depth_points:
        for one in book.live_orders:
            is_met = rules.pending_is_met(one.side, one.kind, one.price, bid, ask)
            assert not (one.is_pending and is_met)


def require_filled(order: Order, units: int) -> None:
    """Hold an order against the volume of its deals."""
    deals = 2 if order.order_type is OrderType.CLOSE_BY else 1
    assert units == deals * order.filled_units
    assert order.state is not OrderState.REJECTED or not units
