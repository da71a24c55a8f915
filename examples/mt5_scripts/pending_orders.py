"""Place, move and remove a pending order; let another one fill; close two positions by each other.

mtquant terminal run --factor 36000 examples/mt5_scripts/pending_orders.py EURUSD
"""

import sys
import time
from datetime import UTC, datetime

import MetaTrader5 as mt5

symbol = sys.argv[1] if len(sys.argv) > 1 else "EURUSD"

if not mt5.initialize(login=1000001, password="demo", server="mtquant-Demo"):  # noqa: S106
    print("initialize() failed, error code =", mt5.last_error())
    raise SystemExit(1)

info = mt5.symbol_info(symbol)
if info is None or not mt5.symbol_select(symbol, True):
    print(symbol, "not found, error code =", mt5.last_error())
    mt5.shutdown()
    raise SystemExit(1)


def send(request):
    """Send a request, print its answer, stop the script if it was refused."""
    result = mt5.order_send(request)
    if result is None or result.retcode != mt5.TRADE_RETCODE_DONE:
        print("refused:", mt5.last_error() if result is None else result.comment)
        mt5.shutdown()
        raise SystemExit(1)
    return result


# a buy limit far below the market, good for one day
tick = mt5.symbol_info_tick(symbol)
placed = send(
    {
        "action": mt5.TRADE_ACTION_PENDING,
        "symbol": symbol,
        "volume": 0.1,
        "type": mt5.ORDER_TYPE_BUY_LIMIT,
        "price": round(tick.ask - 500 * info.point, info.digits),
        "type_time": mt5.ORDER_TIME_SPECIFIED,
        "expiration": tick.time + 24 * 3600,
        "type_filling": mt5.ORDER_FILLING_RETURN,
        "magic": 234000,
        "comment": "python script pending",
    }
)
order = mt5.orders_get(ticket=placed.order)[0]
ends = datetime.fromtimestamp(order.time_expiration, UTC)
print(f"buy limit at {order.price_open:.5f} until {ends:%Y-%m-%d %H:%M}")

# nearer to the market, with a stop loss
send(
    {
        "action": mt5.TRADE_ACTION_MODIFY,
        "order": order.ticket,
        "price": round(order.price_open + 200 * info.point, info.digits),
        "sl": round(order.price_open - 500 * info.point, info.digits),
        "type_time": order.type_time,
        "expiration": order.time_expiration,
    }
)
order = mt5.orders_get(ticket=placed.order)[0]
print(f"moved to {order.price_open:.5f}, stop loss {order.sl:.5f}")

send({"action": mt5.TRADE_ACTION_REMOVE, "order": order.ticket})
removed = mt5.history_orders_get(ticket=order.ticket)[0]
print(f"removed: {removed.state == mt5.ORDER_STATE_CANCELED}, waiting: {mt5.orders_total()}")

# a stop order on either side: sooner or later the market fills one of them, or both
tickets = []
tick = mt5.symbol_info_tick(symbol)
for kind, price in (
    (mt5.ORDER_TYPE_BUY_STOP, tick.ask + 50 * info.point),
    (mt5.ORDER_TYPE_SELL_STOP, tick.bid - 50 * info.point),
):
    stop_order = {
        "action": mt5.TRADE_ACTION_PENDING,
        "symbol": symbol,
        "volume": 0.1,
        "type": kind,
        "price": round(price, info.digits),
        "type_filling": mt5.ORDER_FILLING_RETURN,
    }
    tickets.append(send(stop_order).order)
for _ in range(50):
    time.sleep(0.1)  # with --factor 36000 an hour of the market
    if mt5.positions_total():
        break
for ticket in tickets:
    if mt5.orders_get(ticket=ticket):
        send({"action": mt5.TRADE_ACTION_REMOVE, "order": ticket})

# an opposite position of the same volume, and both closed without paying the spread again
for position in mt5.positions_get(symbol=symbol):
    side = "buy" if position.type == mt5.POSITION_TYPE_BUY else "sell"
    print(f"the {side} stop was filled at {position.price_open:.5f}")
    is_long = position.type == mt5.POSITION_TYPE_BUY
    opposite = mt5.Sell(symbol, position.volume) if is_long else mt5.Buy(symbol, position.volume)
    closed = send(
        {
            "action": mt5.TRADE_ACTION_CLOSE_BY,
            "position": position.ticket,
            "position_by": opposite.order,
        }
    )
    for deal in mt5.history_deals_get(ticket=closed.order):
        print(f"deal {deal.ticket} of position {deal.position_id}: profit {deal.profit:.2f}")
print(f"{mt5.positions_total()} positions, balance {mt5.account_info().balance:.2f}")
mt5.shutdown()
