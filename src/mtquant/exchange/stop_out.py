"""What the server does when the margin is used up.

While the level is reached: the waiting order with the largest margin is canceled; where none holds
margin, the position with the largest loss is closed. Source: MetaTrader administrator help, Group
settings (FIFO is respected, symbols that are not traded now are skipped, a real netting account is
closed in parts of the largest volume).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtquant.exchange import rules
from mtquant.exchange.watch import MarginWatch
from mtquant.model import AccountKind, OrderState, Reason, StopOutMode

if TYPE_CHECKING:
    from mtquant.exchange.ledger import OpenPosition
    from mtquant.exchange.margins import Margins
    from mtquant.exchange.orders import Orders
    from mtquant.exchange.state import AccountState


class StopOut:
    """Keep an account above its stop-out level."""

    def __init__(self, state: AccountState, margins: Margins, orders: Orders) -> None:
        self._state = state
        self._margins = margins
        self._orders = orders
        self._watch = MarginWatch(state)

    def after_tick(self, symbol: str) -> None:
        """Look at the margin unless the new quote cannot matter."""
        if not self._watch.is_calm(symbol):
            self.settle()

    def settle(self) -> None:
        """Cancel and close until the account is above its level, or nothing more can be done."""
        while True:
            equity, margin = self._state.equity_minor, self._margins.held_minor
            if not self._is_reached(equity, margin):
                self._watch.note(equity, self.limit_minor)
                return
            percent = 100.0 * equity / margin if margin else 0.0
            if not (self._cancel_largest() or self._close_worst(percent)):
                return

    def _is_reached(self, equity: int, margin: int) -> bool:
        spec = self._state.spec
        if margin == 0:
            is_hedged = bool(self._state.positions) and not spec.is_netting
            return spec.stops_out_hedged and is_hedged and equity < 0
        if spec.stop_out_mode is StopOutMode.MONEY:
            return rules.is_stop_out_by_money(equity, margin, spec.stop_out_minor)
        return rules.is_stop_out(equity, margin, spec.stop_out_percent)

    @property
    def limit_minor(self) -> float:
        """Return the equity at which a stop-out comes, minor units; where none can, far below."""
        spec, margin = self._state.spec, self._margins.held_minor
        if margin == 0:
            return 0.0 if spec.stops_out_hedged else -1e18
        if spec.stop_out_mode is StopOutMode.MONEY:
            return spec.stop_out_minor
        return spec.stop_out_percent / 100 * margin

    def _cancel_largest(self) -> bool:
        waiting = [
            order
            for order in self._state.orders.values()
            if order.margin_rate and self._state.in_session(order.symbol)
        ]
        largest = max(waiting, key=self._margins.of_order, default=None)
        if largest is None or self._margins.of_order(largest) <= 0:
            return False
        self._orders.finish(largest, OrderState.CANCELED)
        return True

    def _close_worst(self, percent: float) -> bool:
        state = self._state
        worst = min(
            self._candidates(), key=lambda p: (state.floating_minor(p), p.ticket), default=None
        )
        if worst is None:
            return False
        units = worst.units
        if state.spec.is_netting and state.spec.kind is AccountKind.REAL:
            units = min(units, state.terms[worst.symbol].instrument.volume_max_units)
        price = state.exit_price(worst)
        self._orders.settle(worst, units, price, Reason.STOP_OUT, f"[so {percent:.2f}%]")
        return True

    def _candidates(self) -> list[OpenPosition]:
        state = self._state
        found = [p for p in state.positions.values() if state.in_session(p.symbol)]
        if not state.spec.fifo_close:
            return found
        return [p for p in found if state.positions_of(p.symbol)[0] is p]
