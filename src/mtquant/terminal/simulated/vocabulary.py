"""Our closed vocabularies as the module's numbers."""

from __future__ import annotations

from typing import Final

from mtquant.model import (
    AccountKind,
    CalculationMode,
    DealEntry,
    ExecutionMode,
    Expiration,
    Filling,
    GtcMode,
    MarginMode,
    OrderState,
    OrderType,
    Reason,
    Side,
    StopOutMode,
    SwapMode,
    TradeMode,
)
from mtquant.terminal import constants as mt5

SIDES: Final = {mt5.ORDER_TYPE_BUY: Side.BUY, mt5.ORDER_TYPE_SELL: Side.SELL}
PENDINGS: Final = {
    mt5.ORDER_TYPE_BUY_LIMIT: (OrderType.LIMIT, Side.BUY),
    mt5.ORDER_TYPE_SELL_LIMIT: (OrderType.LIMIT, Side.SELL),
    mt5.ORDER_TYPE_BUY_STOP: (OrderType.STOP, Side.BUY),
    mt5.ORDER_TYPE_SELL_STOP: (OrderType.STOP, Side.SELL),
    mt5.ORDER_TYPE_BUY_STOP_LIMIT: (OrderType.STOP_LIMIT, Side.BUY),
    mt5.ORDER_TYPE_SELL_STOP_LIMIT: (OrderType.STOP_LIMIT, Side.SELL),
}
ORDER_TYPES: Final = {
    (OrderType.MARKET, Side.BUY): mt5.ORDER_TYPE_BUY,
    (OrderType.MARKET, Side.SELL): mt5.ORDER_TYPE_SELL,
    (OrderType.CLOSE_BY, Side.BUY): mt5.ORDER_TYPE_CLOSE_BY,
    (OrderType.CLOSE_BY, Side.SELL): mt5.ORDER_TYPE_CLOSE_BY,
} | {kind: number for number, kind in PENDINGS.items()}
FILLINGS: Final = {
    mt5.ORDER_FILLING_FOK: Filling.FOK,
    mt5.ORDER_FILLING_IOC: Filling.IOC,
    mt5.ORDER_FILLING_RETURN: Filling.RETURN,
    mt5.ORDER_FILLING_BOC: Filling.BOC,
}
EXPIRATIONS: Final = {
    mt5.ORDER_TIME_GTC: Expiration.GTC,
    mt5.ORDER_TIME_DAY: Expiration.DAY,
    mt5.ORDER_TIME_SPECIFIED: Expiration.SPECIFIED,
    mt5.ORDER_TIME_SPECIFIED_DAY: Expiration.SPECIFIED_DAY,
}
FILLING_NUMBERS: Final = {kind: number for number, kind in FILLINGS.items()}
EXPIRATION_NUMBERS: Final = {kind: number for number, kind in EXPIRATIONS.items()}

# bits of a symbol's masks; the module has no constants for them
FILLING_BITS: Final = {Filling.FOK: 1, Filling.IOC: 2, Filling.BOC: 4}
EXPIRATION_BITS: Final = {
    Expiration.GTC: 1,
    Expiration.DAY: 2,
    Expiration.SPECIFIED: 4,
    Expiration.SPECIFIED_DAY: 8,
}
ORDER_BITS: Final = {
    OrderType.MARKET: 1,
    OrderType.LIMIT: 2,
    OrderType.STOP: 4,
    OrderType.STOP_LIMIT: 8,
    OrderType.CLOSE_BY: 64,
}
STOP_LOSS_BIT: Final = 16
TAKE_PROFIT_BIT: Final = 32

ORDER_STATES: Final = {
    OrderState.CREATED: mt5.ORDER_STATE_STARTED,
    OrderState.SUBMITTED: mt5.ORDER_STATE_STARTED,
    OrderState.PLACED: mt5.ORDER_STATE_PLACED,
    OrderState.CANCELED: mt5.ORDER_STATE_CANCELED,
    OrderState.PARTIALLY_FILLED: mt5.ORDER_STATE_PARTIAL,
    OrderState.FILLED: mt5.ORDER_STATE_FILLED,
    OrderState.REJECTED: mt5.ORDER_STATE_REJECTED,
    OrderState.EXPIRED: mt5.ORDER_STATE_EXPIRED,
}
ENTRIES: Final = {
    DealEntry.IN: mt5.DEAL_ENTRY_IN,
    DealEntry.OUT: mt5.DEAL_ENTRY_OUT,
    DealEntry.INOUT: mt5.DEAL_ENTRY_INOUT,
    DealEntry.OUT_BY: mt5.DEAL_ENTRY_OUT_BY,
}
REASONS: Final = {
    Reason.CLIENT: mt5.DEAL_REASON_CLIENT,
    Reason.EXPERT: mt5.DEAL_REASON_EXPERT,
    Reason.STOP_LOSS: mt5.DEAL_REASON_SL,
    Reason.TAKE_PROFIT: mt5.DEAL_REASON_TP,
    Reason.STOP_OUT: mt5.DEAL_REASON_SO,
}
EXECUTION_MODES: Final = {
    ExecutionMode.REQUEST: mt5.SYMBOL_TRADE_EXECUTION_REQUEST,
    ExecutionMode.INSTANT: mt5.SYMBOL_TRADE_EXECUTION_INSTANT,
    ExecutionMode.MARKET: mt5.SYMBOL_TRADE_EXECUTION_MARKET,
    ExecutionMode.EXCHANGE: mt5.SYMBOL_TRADE_EXECUTION_EXCHANGE,
}
TRADE_MODES: Final = {
    TradeMode.DISABLED: mt5.SYMBOL_TRADE_MODE_DISABLED,
    TradeMode.LONG_ONLY: mt5.SYMBOL_TRADE_MODE_LONGONLY,
    TradeMode.SHORT_ONLY: mt5.SYMBOL_TRADE_MODE_SHORTONLY,
    TradeMode.CLOSE_ONLY: mt5.SYMBOL_TRADE_MODE_CLOSEONLY,
    TradeMode.FULL: mt5.SYMBOL_TRADE_MODE_FULL,
}
GTC_MODES: Final = {
    GtcMode.GTC: mt5.SYMBOL_ORDERS_GTC,
    GtcMode.DAILY: mt5.SYMBOL_ORDERS_DAILY,
    GtcMode.DAILY_EXCEPT_STOPS: mt5.SYMBOL_ORDERS_DAILY_NO_STOPS,
}
CALC_MODES: Final = {
    CalculationMode.FOREX: mt5.SYMBOL_CALC_MODE_FOREX,
    CalculationMode.FOREX_NO_LEVERAGE: mt5.SYMBOL_CALC_MODE_FOREX_NO_LEVERAGE,
    CalculationMode.CFD: mt5.SYMBOL_CALC_MODE_CFD,
    CalculationMode.CFD_LEVERAGE: mt5.SYMBOL_CALC_MODE_CFDLEVERAGE,
    CalculationMode.CFD_INDEX: mt5.SYMBOL_CALC_MODE_CFDINDEX,
    CalculationMode.FUTURES: mt5.SYMBOL_CALC_MODE_FUTURES,
    CalculationMode.EXCH_STOCKS: mt5.SYMBOL_CALC_MODE_EXCH_STOCKS,
    CalculationMode.EXCH_FUTURES: mt5.SYMBOL_CALC_MODE_EXCH_FUTURES,
    CalculationMode.EXCH_FUTURES_FORTS: mt5.SYMBOL_CALC_MODE_EXCH_OPTIONS,  # both are 34
    CalculationMode.EXCH_BONDS: mt5.SYMBOL_CALC_MODE_EXCH_BONDS,
    CalculationMode.EXCH_STOCKS_MOEX: mt5.SYMBOL_CALC_MODE_EXCH_STOCKS_MOEX,
    CalculationMode.EXCH_BONDS_MOEX: mt5.SYMBOL_CALC_MODE_EXCH_BONDS_MOEX,
    CalculationMode.SERV_COLLATERAL: mt5.SYMBOL_CALC_MODE_SERV_COLLATERAL,
}
SWAP_MODES: Final = {
    SwapMode.DISABLED: mt5.SYMBOL_SWAP_MODE_DISABLED,
    SwapMode.POINTS: mt5.SYMBOL_SWAP_MODE_POINTS,
    SwapMode.BASE_CURRENCY: mt5.SYMBOL_SWAP_MODE_CURRENCY_SYMBOL,
    SwapMode.MARGIN_CURRENCY: mt5.SYMBOL_SWAP_MODE_CURRENCY_MARGIN,
    SwapMode.DEPOSIT_CURRENCY: mt5.SYMBOL_SWAP_MODE_CURRENCY_DEPOSIT,
    SwapMode.INTEREST_CURRENT: mt5.SYMBOL_SWAP_MODE_INTEREST_CURRENT,
    SwapMode.INTEREST_OPEN: mt5.SYMBOL_SWAP_MODE_INTEREST_OPEN,
    SwapMode.REOPEN_CURRENT: mt5.SYMBOL_SWAP_MODE_REOPEN_CURRENT,
    SwapMode.REOPEN_BID: mt5.SYMBOL_SWAP_MODE_REOPEN_BID,
}
ACCOUNT_KINDS: Final = {
    AccountKind.DEMO: mt5.ACCOUNT_TRADE_MODE_DEMO,
    AccountKind.CONTEST: mt5.ACCOUNT_TRADE_MODE_CONTEST,
    AccountKind.REAL: mt5.ACCOUNT_TRADE_MODE_REAL,
}
MARGIN_MODES: Final = {
    MarginMode.NETTING: mt5.ACCOUNT_MARGIN_MODE_RETAIL_NETTING,
    MarginMode.EXCHANGE: mt5.ACCOUNT_MARGIN_MODE_EXCHANGE,
    MarginMode.HEDGING: mt5.ACCOUNT_MARGIN_MODE_RETAIL_HEDGING,
}
STOP_OUT_MODES: Final = {
    StopOutMode.PERCENT: mt5.ACCOUNT_STOPOUT_MODE_PERCENT,
    StopOutMode.MONEY: mt5.ACCOUNT_STOPOUT_MODE_MONEY,
}
