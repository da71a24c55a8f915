"""Hold a position for some ticks and pull its stop loss behind the price.

mtquant terminal run --factor 36000 examples/mt5_scripts/trail_stop.py
"""

import time

import MetaTrader5 as mt5

SYMBOL, DISTANCE = "EURUSD", 0.0020

if not mt5.initialize():
    print("initialize() failed, error code =", mt5.last_error())
    raise SystemExit(1)

opened = mt5.Buy(SYMBOL, 0.1, comment="trailed")
if opened is None or opened.retcode != mt5.TRADE_RETCODE_DONE:
    print("not bought:", opened, mt5.last_error())
    mt5.shutdown()
    raise SystemExit(1)
print(f"bought at {opened.price:.5f}")

for _ in range(8):
    time.sleep(0.1)  # with --factor 36000 an hour of the market
    positions = mt5.positions_get(ticket=opened.order)
    if not positions:
        print("the stop loss was hit")
        break
    position = positions[0]
    stop = round(mt5.symbol_info_tick(SYMBOL).bid - DISTANCE, 5)
    if stop <= position.sl:
        continue
    request = {
        "action": mt5.TRADE_ACTION_SLTP,
        "symbol": SYMBOL,
        "position": position.ticket,
        "sl": stop,
        "tp": position.tp,
    }
    print(f"stop loss {stop:.5f}: {mt5.order_send(request).comment}")

print("closed:", mt5.Close(SYMBOL))
print(f"balance {mt5.account_info().balance:.2f}")
mt5.shutdown()
