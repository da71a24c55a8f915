"""Ask what 300 points are worth, bought and sold, symbol by symbol.

mtquant terminal run --scenario majors-and-gold-hedging examples/mt5_scripts/what_profit.py
"""

import sys

import MetaTrader5 as mt5

symbols = sys.argv[1:] or ["EURUSD", "GBPUSD", "USDJPY"]
lots, points = 1.0, 300

if not mt5.initialize():
    print("initialize() failed, error code =", mt5.last_error())
    raise SystemExit(1)

currency = mt5.account_info().currency
for symbol in symbols:
    tick = mt5.symbol_info_tick(symbol)
    if tick is None:
        print(f"{symbol} has no prices: {mt5.last_error()}")
        continue
    point = mt5.symbol_info(symbol).point
    gained = mt5.order_calc_profit(
        mt5.ORDER_TYPE_BUY, symbol, lots, tick.ask, tick.ask + points * point
    )
    print(f"buy {symbol} {lots} lots, profit on {points} points: {gained} {currency}")
    gained = mt5.order_calc_profit(
        mt5.ORDER_TYPE_SELL, symbol, lots, tick.bid, tick.bid - points * point
    )
    print(f"sell {symbol} {lots} lots, profit on {points} points: {gained} {currency}")

mt5.shutdown()
