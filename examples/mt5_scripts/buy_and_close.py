"""Buy with stop loss and take profit, look at the position, close it, look at its deals.

mtquant terminal run --factor 3600 examples/mt5_scripts/buy_and_close.py EURUSD 0.1
"""

import sys
import time

import MetaTrader5 as mt5

symbol = sys.argv[1] if len(sys.argv) > 1 else "EURUSD"
lots = float(sys.argv[2]) if len(sys.argv) > 2 else 0.1

if not mt5.initialize(login=1000001, password="demo", server="mtquant-Demo"):  # noqa: S106
    print("initialize() failed, error code =", mt5.last_error())
    raise SystemExit(1)

info = mt5.symbol_info(symbol)
if info is None:
    print(symbol, "not found, can not call order_check()")
    mt5.shutdown()
    raise SystemExit(1)
if not info.visible:
    mt5.symbol_select(symbol, True)

price = mt5.symbol_info_tick(symbol).ask
request = {
    "action": mt5.TRADE_ACTION_DEAL,
    "symbol": symbol,
    "volume": lots,
    "type": mt5.ORDER_TYPE_BUY,
    "price": price,
    "sl": price - 1000 * info.point,
    "tp": price + 1000 * info.point,
    "deviation": 20,
    "magic": 234000,
    "comment": "python script open",
    "type_time": mt5.ORDER_TIME_GTC,
    "type_filling": mt5.ORDER_FILLING_IOC,
}
check = mt5.order_check(request)
print(f"order_check: {check.comment}, margin {check.margin:.2f}, free {check.margin_free:.2f}")
result = mt5.order_send(request)
print(f"order_send: {symbol} {lots} lots at {price:.5f}, retcode={result.retcode}")
if result.retcode != mt5.TRADE_RETCODE_DONE:
    print(result._asdict())
    mt5.shutdown()
    raise SystemExit(1)

time.sleep(1)  # with --factor 3600 an hour of the market
for position in mt5.positions_get(symbol=symbol):
    print(f"position {position.ticket}: profit {position.profit:.2f}")

tick = mt5.symbol_info_tick(symbol)
closing = request | {
    "type": mt5.ORDER_TYPE_SELL,
    "position": result.order,
    "price": tick.bid,
    "comment": "python script close",
}
del closing["sl"], closing["tp"]
closed = mt5.order_send(closing)
print(f"close position #{result.order}: retcode={closed.retcode}, {closed.comment}")
deals = mt5.history_deals_get(position=result.order) or ()
print(f"{len(deals)} deals, result {sum(one.profit + one.commission for one in deals):.2f}")
print(f"balance {mt5.account_info().balance:.2f}")
mt5.shutdown()
