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
    CLOSE_BY = "close_by"


class Filling(Enum):
    """Say what becomes of the volume that the market does not have at once.

    FOK: all or nothing; IOC: what there is, the rest is canceled; RETURN: the rest goes on
    waiting; BOC: only as an order that waits, never at once.
    """

    FOK = "fok"
    IOC = "ioc"
    RETURN = "return"
    BOC = "boc"


class Expiration(Enum):
    """Say how long a pending order lives: for ever, this day, to a second, to a day's end."""

    GTC = "gtc"
    DAY = "day"
    SPECIFIED = "specified"
    SPECIFIED_DAY = "specified_day"


class GtcMode(Enum):
    """Say what ends with the trading day: nothing, orders and levels, or orders alone."""

    GTC = "gtc"
    DAILY = "daily"
    DAILY_EXCEPT_STOPS = "daily_except_stops"


class ExecutionMode(Enum):
    """Say whose price an order gets: the requested one within a deviation, or the market's."""

    REQUEST = "request"
    INSTANT = "instant"
    MARKET = "market"
    EXCHANGE = "exchange"


class TradeMode(Enum):
    """Say what may be done with a symbol."""

    DISABLED = "disabled"
    LONG_ONLY = "long_only"
    SHORT_ONLY = "short_only"
    CLOSE_ONLY = "close_only"
    FULL = "full"


class AccountKind(Enum):
    """Say whether an account holds real money."""

    DEMO = "demo"
    CONTEST = "contest"
    REAL = "real"


class StopOutMode(Enum):
    """Say whether margin call and stop-out levels are percent of the margin or money."""

    PERCENT = "percent"
    MONEY = "money"


class IntentAction(Enum):
    """Say what an intent does: open a position, close one, move its levels, cancel an order."""

    OPEN = "open"
    CLOSE = "close"
    MODIFY = "modify"
    CANCEL = "cancel"


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
    CREDIT = "credit"


class Reason(Enum):
    """Say who caused an order or deal."""

    CLIENT = "client"
    EXPERT = "expert"
    STOP_LOSS = "sl"
    TAKE_PROFIT = "tp"
    STOP_OUT = "so"


class MarginMode(Enum):
    """Say whether an account nets positions per symbol (also at an exchange) or holds many."""

    NETTING = "netting"
    EXCHANGE = "exchange"
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
