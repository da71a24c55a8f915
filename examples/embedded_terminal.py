"""Talk to the embedded terminal as to the MetaTrader5 module: connect, look, buy, close.

python examples/embedded_terminal.py
"""

from __future__ import annotations

from mtquant.app.config import load_config
from mtquant.app.wiring import make_plan
from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated import SimulatedServer, SimulatedTerminal


def main() -> None:
    """Trade 0.1 lot of EURUSD for one simulated day."""
    server = SimulatedServer(make_plan(load_config()).market())
    terminal = SimulatedTerminal(server)
    if not terminal.initialize(login=1000001, password="demo", server="mtquant-Demo"):  # noqa: S106 - the embedded account's
        raise SystemExit(f"initialize() failed: {terminal.last_error()}")

    tick = terminal.symbol_info_tick("EURUSD")
    print(f"bid {tick.bid:.5f}, ask {tick.ask:.5f}")
    request = {
        "action": mt5.TRADE_ACTION_DEAL,
        "symbol": "EURUSD",
        "type": mt5.ORDER_TYPE_BUY,
        "volume": 0.1,
        "price": tick.ask,
        "sl": tick.ask - 0.0100,
        "deviation": 20,
        "magic": 4711,
        "type_filling": mt5.ORDER_FILLING_FOK,
    }
    check = terminal.order_check(request)
    print(f"check: {check.comment}, margin after the deal {check.margin:.2f}")
    opened = terminal.order_send(request)
    print(f"send: {opened.comment}, filled at {opened.price:.5f}")

    for _ in range(4 * 24):  # the market moves only when it is told to: four ticks an hour
        server.step()
    position = terminal.positions_get(ticket=opened.order)[0]
    print(f"a day later: profit {position.profit:.2f}, swap {position.swap:.2f}")
    terminal.order_send(
        request | {"position": opened.order, "type": mt5.ORDER_TYPE_SELL, "sl": 0.0}
    )
    print(f"balance {terminal.account_info().balance:.2f}")
    terminal.shutdown()


if __name__ == "__main__":
    main()
