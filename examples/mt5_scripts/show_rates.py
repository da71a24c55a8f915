"""Connect, show the account, the latest price and the last ten bars.

mtquant terminal run examples/mt5_scripts/show_rates.py
"""

from datetime import UTC, datetime

import MetaTrader5 as mt5

if not mt5.initialize():
    print("initialize() failed, error code =", mt5.last_error())
    raise SystemExit(1)

print("MetaTrader5 package", mt5.__version__, "by", mt5.__author__)
account = mt5.account_info()
print(f"account {account.login} on {account.server}: {account.balance:.2f} {account.currency}")

tick = mt5.symbol_info_tick("EURUSD")
moment = datetime.fromtimestamp(tick.time, UTC)
print(f"{moment:%Y-%m-%d %H:%M} (server time)  bid {tick.bid:.5f}  ask {tick.ask:.5f}")

rates = mt5.copy_rates_from_pos("EURUSD", mt5.TIMEFRAME_H1, 0, 10)
if rates is None:
    print("no rates, error code =", mt5.last_error())
    mt5.shutdown()
    raise SystemExit(1)
for rate in rates:
    opened = datetime.fromtimestamp(int(rate["time"]), UTC)
    print(f"{opened:%Y-%m-%d %H:%M}  open {rate['open']:.5f}  close {rate['close']:.5f}")

ticks = mt5.copy_ticks_from("EURUSD", int(rates[0]["time"]), 100, mt5.COPY_TICKS_ALL)
print("ticks since then:", len(ticks))
mt5.shutdown()
