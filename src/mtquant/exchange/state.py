"""What an account is at a moment: its money, positions, waiting orders, and the quotes it sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtquant.exchange import rules
from mtquant.exchange.ledger import Ledger, LiveOrder, OpenPosition, Tickets
from mtquant.exchange.terms import Terms
from mtquant.model import ExecutionMode, Filling

if TYPE_CHECKING:
    from mtquant.exchange.requests import Scarcity
    from mtquant.exchange.venue import AccountSpec, VenueSpec


class AccountState:
    """Hold an account in whole points, 1e-8 lots and minor units; change it through the book.

    `levels_version` counts the changes that matter to levels, `money_version` those that matter to
    the margin: what is derived from positions and orders is valid while its version stands still.
    """

    def __init__(
        self, venue: VenueSpec, account: AccountSpec, opened_ms: int, tickets: Tickets
    ) -> None:
        self.venue = venue
        self.spec = account
        self.terms = {symbol: Terms.of(venue, symbol, account) for symbol in venue.instruments}
        self.ledger = Ledger(tickets=tickets)
        self.balance_minor = 0
        self.credit_minor = 0
        self.now_ms = opened_ms
        self.positions: dict[int, OpenPosition] = {}
        self.orders: dict[int, LiveOrder] = {}
        self.bid: dict[str, int] = {}
        self.ask: dict[str, int] = {}
        self.quoted_ms: dict[str, int] = {}
        self.slippage: dict[str, tuple[int, int]] = {}
        self.taken: dict[tuple[str, int], int] = {}
        self.scarce: dict[str, Scarcity] = {}
        self.levels_version = 0
        self.money_version = 0

    def wait(self, order: LiveOrder) -> None:
        """Let an order wait (again), in the place that its age gives it."""
        self.orders[order.ticket] = order
        self.orders = dict(sorted(self.orders.items()))
        self.touch()

    def touch(self) -> None:
        """Note that positions, orders or money have changed."""
        self.levels_version += 1
        self.money_version += 1

    def touch_levels(self) -> None:
        """Note that stop losses or take profits have changed, and nothing else."""
        self.levels_version += 1

    def depth(self, symbol: str) -> tuple[tuple[int, int], ...]:
        """Return (points away from the best price, units there); empty: any volume."""
        scarce = self.scarce.get(symbol)
        return self.terms[symbol].dealing.depth if scarce is None else ((0, scarce.units),)

    def filling_of(self, order: LiveOrder) -> Filling:
        """Return what happens to the part of an order at the market that finds no volume."""
        scarce = self.scarce.get(order.symbol)
        if scarce is None:
            return order.filling
        return Filling.RETURN if scarce.waits else Filling.IOC

    def prices(self, symbol: str) -> tuple[int, int] | None:
        """Return bid and ask, None before the first quote."""
        return (self.bid[symbol], self.ask[symbol]) if symbol in self.bid else None

    def quote(self, symbol: str, bid: int, ask: int) -> None:
        """Set a symbol's prices as of now."""
        self.bid[symbol], self.ask[symbol] = bid, ask
        self.quoted_ms[symbol] = self.now_ms

    def price_of(self, symbol: str, side: int) -> int:
        """Return the price at which a side trades now: a buy at the ask, a sell at the bid."""
        return self.ask[symbol] if side > 0 else self.bid[symbol]

    def market_price(self, symbol: str, side: int) -> int:
        """Return the fill of a market order of a side, slippage included."""
        return rules.market_fill(
            side, self.bid[symbol], self.ask[symbol], self.slippage_of(symbol, side)
        )

    def slippage_of(self, symbol: str, side: int) -> int:
        """Return what trades of a side slip now, points against the trader."""
        buy, sell = self.slippage.get(symbol, (0, 0))
        return buy if side > 0 else sell

    def exit_price(self, position: OpenPosition) -> int:
        """Return the price at which a position would close now."""
        return self.price_of(position.symbol, -position.side)

    def floating_minor(self, position: OpenPosition) -> int:
        """Return the floating profit of a position, without swap."""
        return self.terms[position.symbol].profit(
            position.side,
            position.units,
            position.opened,
            self.exit_price(position),
            self.prices,
        )

    @property
    def equity_minor(self) -> int:
        """Return balance + credit + floating profit + accumulated swap."""
        floating = (self.floating_minor(p) + p.swap_minor for p in self.positions.values())
        return self.balance_minor + self.credit_minor + sum(floating)

    def positions_of(self, symbol: str) -> list[OpenPosition]:
        """Return the positions of a symbol, oldest first."""
        return [p for p in self.positions.values() if p.symbol == symbol]

    def netted(self, symbol: str) -> OpenPosition | None:
        """Return the one position of a symbol on a netting account."""
        return next((p for p in self.positions.values() if p.symbol == symbol), None)

    def in_session(self, symbol: str, at_ms: int | None = None) -> bool:
        """Tell whether trading of a symbol is open, now or at another time (UTC ms)."""
        server_ms = self.venue.clock.to_server_ms(self.now_ms if at_ms is None else at_ms)
        return self.terms[symbol].instrument.is_open_at(server_ms)

    def can_convert(self, symbol: str) -> bool:
        """Tell whether the pairs that convert a symbol's money are quoted."""
        return all(pair in self.bid for pair in self.terms[symbol].conversions.foreign_pairs)

    def is_at_exchange(self, symbol: str) -> bool:
        """Tell whether orders of a symbol go to an exchange, which takes any limit price."""
        return self.terms[symbol].instrument.execution_mode is ExecutionMode.EXCHANGE

    def stops_level(self, symbol: str) -> int:
        """Return how far levels stand from the market at least; an exchange asks for nothing."""
        if self.is_at_exchange(symbol):
            return 0
        return self.terms[symbol].instrument.stops_level_points
