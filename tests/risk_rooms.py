"""What tests of losses, windows and likeness are made of: slots, views, positions, rules."""

from __future__ import annotations

from typing import Any

from worlds import MONDAY_MS, Scripted, bars_of, make_venue, stop_and_target

from mtquant.engine import OrderMaker, StrategySlot
from mtquant.exchange import Terms
from mtquant.model import (
    AccountSnapshot,
    Bars,
    BrokerView,
    MarginMode,
    Position,
    Quote,
    Side,
)
from mtquant.risk.prop import DayRule, Level, Phase, PropRules
from mtquant.strategy import Series


def make_slot(
    bars: Bars | None = None, *, symbol: str = "EURUSD", strategy_id: str = "a", index: int = -1
) -> StrategySlot:
    """Return a silent strategy with a stop; the newest closed bar is `index`."""
    of_slot = bars_of([100_000] * 3, symbol=symbol) if bars is None else bars
    terms = Terms.of(make_venue(symbol=symbol), symbol)
    orders = OrderMaker(strategy_id, terms, deviation_points=20, deadline_ms=60_000)
    slot = StrategySlot(
        Scripted([]), [stop_and_target(stop_points=200)], Series.over(of_slot), orders
    )
    slot.move_to(index)
    return slot


def make_position(ticket: int = 1, **changes: Any) -> Position:
    """Return a long position of 0.1 lots in EURUSD."""
    usual: dict[str, Any] = {
        "position_ticket": ticket,
        "symbol": "EURUSD",
        "side": Side.BUY,
        "volume_units": 10_000_000,
        "open_points": 100_000,
        "open_ms": MONDAY_MS,
        "current_points": 100_000,
        "current_ms": MONDAY_MS,
        "stop_loss_points": 99_800,
        "take_profit_points": None,
        "profit_minor": 0,
        "swap_minor": 0,
        "digits": 5,
        "contract_size": 100_000.0,
        "intent_id": 0,
    }
    return Position(**(usual | changes))


def make_account(**changes: Any) -> AccountSnapshot:
    """Return a hedging account of 10,000 USD."""
    usual: dict[str, Any] = {
        "login": 1,
        "server": "x",
        "currency": "USD",
        "currency_digits": 2,
        "leverage": 100,
        "margin_mode": MarginMode.HEDGING,
        "is_demo": True,
        "trade_allowed": True,
        "balance_minor": 1_000_000,
        "equity_minor": 1_000_000,
        "margin_minor": 0,
        "time_ms": 0,
    }
    return AccountSnapshot(**(usual | changes))


def make_view(time_ms: int = MONDAY_MS, **changes: Any) -> BrokerView:
    """Return a reading of an account that holds nothing, with a quote of EURUSD."""
    usual: dict[str, Any] = {
        "time_ms": time_ms,
        "account": make_account(),
        "positions": (),
        "orders": (),
        "deals": (),
        "closed_orders": (),
        "quotes": (
            Quote(symbol="EURUSD", time_ms=time_ms, bid_points=100_000, ask_points=100_010),
        ),
    }
    return BrokerView(**(usual | changes))


def prop_rules(**changes: Any) -> PropRules:
    """Return the rules of a firm, with nothing in them but what is given; days are UTC's."""
    usual: dict[str, Any] = {
        "firm": "Firm",
        "programme": "Test",
        "level": Level.OWN_PAGE,
        "checked": "2026-11",
        "sources": ("https://example.com",),
        "phases": (Phase(name="only"),),
        "day": DayRule(reset="00:00", zone="UTC"),
    }
    return PropRules(**(usual | changes))
