"""The return codes of trade requests and their texts."""

from __future__ import annotations

from typing import Final

from mtquant.exchange import Refusal
from mtquant.terminal import constants as mt5

RETCODE_TEXTS: Final = {
    mt5.TRADE_RETCODE_DONE: "Request executed",
    mt5.TRADE_RETCODE_INVALID: "Invalid request",
    mt5.TRADE_RETCODE_INVALID_VOLUME: "Invalid volume",
    mt5.TRADE_RETCODE_INVALID_PRICE: "Invalid price",
    mt5.TRADE_RETCODE_INVALID_STOPS: "Invalid stops",
    mt5.TRADE_RETCODE_MARKET_CLOSED: "Market closed",
    mt5.TRADE_RETCODE_NO_MONEY: "No money",
    mt5.TRADE_RETCODE_PRICE_OFF: "No prices",
    mt5.TRADE_RETCODE_NO_CHANGES: "No changes",
    mt5.TRADE_RETCODE_FROZEN: "Modification failed due to order or position being close to market",
    mt5.TRADE_RETCODE_INVALID_FILL: "Unsupported filling mode",
    mt5.TRADE_RETCODE_INVALID_ORDER: "Invalid or prohibited order type",
    mt5.TRADE_RETCODE_POSITION_CLOSED: "Position doesn't exist",
    mt5.TRADE_RETCODE_INVALID_CLOSE_VOLUME: "Volume to be closed exceeds the position volume",
}
RETCODES: Final = {
    Refusal.INVALID_REQUEST: mt5.TRADE_RETCODE_INVALID,
    Refusal.MARKET_CLOSED: mt5.TRADE_RETCODE_MARKET_CLOSED,
    Refusal.NO_PRICES: mt5.TRADE_RETCODE_PRICE_OFF,
    Refusal.INVALID_VOLUME: mt5.TRADE_RETCODE_INVALID_VOLUME,
    Refusal.INVALID_STOPS: mt5.TRADE_RETCODE_INVALID_STOPS,
    Refusal.NO_MONEY: mt5.TRADE_RETCODE_NO_MONEY,
    Refusal.NO_CHANGES: mt5.TRADE_RETCODE_NO_CHANGES,
    Refusal.FROZEN: mt5.TRADE_RETCODE_FROZEN,
    Refusal.POSITION_GONE: mt5.TRADE_RETCODE_POSITION_CLOSED,
    Refusal.CLOSE_VOLUME: mt5.TRADE_RETCODE_INVALID_CLOSE_VOLUME,
}
