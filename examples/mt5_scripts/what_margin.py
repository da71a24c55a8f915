"""Ask what margin a tenth of a lot needs, symbol by symbol.

mtquant terminal run --scenario majors-and-gold-hedging examples/mt5_scripts/what_margin.py
"""

import sys

import MetaTrader5 as mt5

symbols = sys.argv[1:] or ["EURUSD", "GBPUSD", "USDJPY", "USDCHF", "EURJPY", "GBPJPY"]
lots = 0.1

if not mt5.initialize():
    print("initialize() failed, error code =", mt5.last_error())
    raise SystemExit(1)

currency = mt5.account_info().currency
for symbol in symbols:
    tick = mt5.symbol_info_tick(symbol)
    if tick is None:
        print(symbol, "has no prices:", mt5.last_error())
        continue
    margin = mt5.order_calc_margin(mt5.ORDER_TYPE_BUY, symbol, lots, tick.ask)
    print(f"{symbol} buy {lots} lots at {tick.ask} margin: {margin} {currency}")

mt5.shutdown()
