"""The small closed vocabularies: side, direction, order type, reasons, modes."""

from __future__ import annotations

from enum import Enum


class Side(Enum):
    """Say which way an order, deal or position trades."""

    BUY = 1
    SELL = -1

    @property
    def opposite(self) -> Side:
        """Return the other side."""
        return Side.SELL if self is Side.BUY else Side.BUY


class Direction(Enum):
    """Say what a strategy wants to be: long, short, or out of the market."""

    LONG = 1
    FLAT = 0
    SHORT = -1

    @property
    def side(self) -> Side | None:
        """Return the side that enters this direction, None for FLAT."""
        return None if self is Direction.FLAT else Side(self.value)


class OrderType(Enum):
    """Say how an order reaches the market."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"


class IntentAction(Enum):
    """Say what an intent does: open a position, close one, or move its protective levels."""

    OPEN = "open"
    CLOSE = "close"
    MODIFY = "modify"


class DealEntry(Enum):
    """Say what a deal did to its position."""

    IN = "in"
    OUT = "out"
    INOUT = "inout"
    OUT_BY = "out_by"


class DealKind(Enum):
    """Tell trades from balance operations."""

    TRADE = "trade"
    BALANCE = "balance"


class Reason(Enum):
    """Say who caused an order or deal."""

    CLIENT = "client"
    EXPERT = "expert"
    STOP_LOSS = "sl"
    TAKE_PROFIT = "tp"
    STOP_OUT = "so"


class MarginMode(Enum):
    """Say whether an account nets positions per symbol or holds many."""

    NETTING = "netting"
    HEDGING = "hedging"


class CalculationMode(Enum):
    """Choose the formulas of profit and margin of an instrument."""

    FOREX = "forex"
    FOREX_NO_LEVERAGE = "forex_no_leverage"
    CFD = "cfd"
    CFD_LEVERAGE = "cfd_leverage"
    CFD_INDEX = "cfd_index"
    FUTURES = "futures"
    EXCH_STOCKS = "exch_stocks"
    EXCH_FUTURES = "exch_futures"
    EXCH_FUTURES_FORTS = "exch_futures_forts"
    EXCH_BONDS = "exch_bonds"
    EXCH_STOCKS_MOEX = "exch_stocks_moex"
    EXCH_BONDS_MOEX = "exch_bonds_moex"
    SERV_COLLATERAL = "serv_collateral"


class SwapMode(Enum):
    """Choose how overnight swap is computed."""

    DISABLED = "disabled"
    POINTS = "points"
    BASE_CURRENCY = "base_currency"
    MARGIN_CURRENCY = "margin_currency"
    DEPOSIT_CURRENCY = "deposit_currency"
    INTEREST_CURRENT = "interest_current"
    INTEREST_OPEN = "interest_open"
    REOPEN_CURRENT = "reopen_current"
    REOPEN_BID = "reopen_bid"


class CommissionEntry(Enum):
    """Say which deals pay commission: those that open, those that close, or both."""

    BOTH = "both"
    IN = "in"
    OUT = "out"
