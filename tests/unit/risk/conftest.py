"""A view of the risk that lets everything pass, and an intent that does."""

from collections.abc import Callable

import pytest

from mtquant.exchange import Terms
from mtquant.model import (
    AccountSnapshot,
    Instrument,
    IntentAction,
    MarginMode,
    OrderIntent,
    Position,
    Quote,
    Side,
)
from mtquant.portfolio.exposure import Valuer
from mtquant.risk import RiskView


@pytest.fixture
def account() -> AccountSnapshot:
    return AccountSnapshot(
        login=1,
        server="x",
        currency="USD",
        currency_digits=2,
        leverage=100,
        margin_mode=MarginMode.HEDGING,
        is_demo=True,
        trade_allowed=True,
        balance_minor=1_000_000,
        equity_minor=1_000_000,
        margin_minor=0,
        time_ms=0,
    )


@pytest.fixture
def instrument() -> Instrument:
    return Instrument(
        symbol="EURUSD",
        digits=5,
        contract_size=100_000,
        base_currency="EUR",
        profit_currency="USD",
        margin_currency="EUR",
    )


@pytest.fixture
def view(account, instrument) -> Callable[..., RiskView]:
    def make(**changes) -> RiskView:
        usual = {
            "now_ms": 0,
            "account": account,
            "instrument": instrument,
            "quote": Quote(symbol="EURUSD", time_ms=0, bid_points=100_000, ask_points=100_010),
            "positions": (),
            "in_flight": (),
            "may_come": (),
            "entries_in_minute": 0,
            "entries_today": 0,
            "entries_in_a_row": 0,
            "cash_lack_minor": 0,
            "day_start_balance_minor": 1_000_000,
            "day_loss_minor": 0,
            "halt_level": 0,
            "is_ready": True,
        }
        return RiskView(**(usual | changes))

    return make


@pytest.fixture
def intent() -> Callable[..., OrderIntent]:
    def make(action: IntentAction = IntentAction.OPEN, **changes) -> OrderIntent:
        usual = {
            "strategy_id": "sma",
            "symbol": "EURUSD",
            "action": action,
            "side": Side.BUY,
            "volume_units": 10_000_000,
            "trigger": "bar:1",
            "decided_ms": 0,
            "deadline_ms": 10,
            "stop_loss_points": 99_000,
            "position_ticket": 0 if action is IntentAction.OPEN else 5,
        }
        return OrderIntent(**(usual | changes))

    return make


@pytest.fixture
def valuer(account, instrument) -> Valuer:
    """Return what values EURUSD for a leverage cap of 30, in money of a USD account."""
    return Valuer(
        terms=Terms.at_broker(instrument, account), asset_class="forex", leverage_cap=30.0
    )


@pytest.fixture
def held() -> Callable[..., Position]:
    def make(**changes) -> Position:
        usual = {
            "position_ticket": 1,
            "symbol": "EURUSD",
            "side": Side.BUY,
            "volume_units": 10_000_000,
            "open_points": 100_000,
            "open_ms": 0,
            "current_points": 100_000,
            "current_ms": 0,
            "stop_loss_points": None,
            "take_profit_points": None,
            "profit_minor": 0,
            "swap_minor": 0,
            "digits": 5,
            "contract_size": 100_000.0,
            "intent_id": 0,
        }
        return Position(**(usual | changes))

    return make
