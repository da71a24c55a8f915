"""A public adapter over the MetaTrader5 package works on the embedded terminal, unmodified."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from typing import Any

import pytest
from demo_process import command, environment

SCRIPT = """
import json
import pickle
from datetime import datetime, timezone

import MetaTrader5
import pymt5adapter as mta
from pymt5adapter.context import connected
from pymt5adapter.order import Order
from pymt5adapter.symbol import Symbol
from pymt5adapter.trade import Trade

told = {"version": mta.__version__["MetaTrader5"]}
day = datetime(2017, 6, 1, tzinfo=timezone.utc), datetime(2017, 6, 3, tzinfo=timezone.utc)
try:
    with connected(login=1000001, password="wrong", raise_on_errors=True):
        pass
except mta.MT5Error as error:
    told["wrong password"] = error.error_code.name
options = {"ensure_trade_enabled": True, "raise_on_errors": True}
with connected(login=1000001, password="demo", **options) as c:
    told["ping"] = c.ping().trade_server
    told["account"] = mta.account_info().login
    told["symbols"] = [one.name for one in mta.symbols_get(group="*USD*")]
    told["symbol"] = Symbol("EURUSD").trade_tick_size
    told["rates"] = len(mta.copy_rates("EURUSD", mta.TIMEFRAME.H1, count=9))
    told["range"] = len(mta.copy_rates_range("EURUSD", mta.TIMEFRAME.H1, *day))
    told["ticks"] = len(mta.copy_ticks_range("EURUSD", *day, mta.COPY_TICKS.ALL))
    try:
        mta.symbol_info("NOPE")
    except mta.MT5Error as error:
        told["unknown symbol"] = error.error_code.name
    trade = Trade("EURUSD", magic=7)
    told["bought"] = trade.buy(0.1, comment="adapter").retcode
    told["moved"] = trade.modify_sltp_by_ticks(sl=1000, tp=2000).retcode
    position = mta.positions_get(symbol="EURUSD")[0]
    told["levels"] = [round(position.sl - position.price_open, 5), position.magic]
    told["mine"] = len(mta.positions_get(function=lambda one: one.magic == 7))
    told["checked"] = Order.as_flatten(position, type_filling=0).check().comment
    told["flat"] = Order.as_flatten(position).send().retcode
    told["sold"] = mta.Sell("EURUSD", 0.1).retcode
    told["closed"] = mta.Close("EURUSD")
    told["deals"] = len(mta.history_deals_get(*day))
    told["orders"] = mta.history_orders_total(*day)
    told["margin"] = mta.order_calc_margin(mta.ORDER_TYPE.BUY, "EURUSD", 0.1, 1.1)
    told["pending"] = Order.as_buy_limit(symbol="EURUSD", volume=0.1, price=1.1).send().retcode
    try:
        pickle.dumps(mta.account_info())
    except pickle.PicklingError:
        told["pickled"] = False
    c.return_as_dict = True
    told["as dict"] = mta.symbol_info_tick("EURUSD")["bid"]
told["after"] = MetaTrader5.last_error()
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    if importlib.util.find_spec("pymt5adapter") is None:
        pytest.skip("pymt5adapter is not installed (pip install --no-deps pymt5adapter)")
    script = tmp_path_factory.mktemp("adapter") / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    words = command("terminal", "run", "--factor", "0", str(script))
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_adapter_sees_the_account_the_symbols_and_the_bars(told: dict[str, Any]) -> None:
    assert told["version"] == "5.0.6231"
    assert told["account"] == 1000001
    assert told["symbols"] == ["EURUSD"]
    assert told["symbol"] == 1e-05
    assert told["rates"] == 9
    assert told["range"] == 16
    assert told["ticks"] == 15 * 4 + 1


def test_the_adapter_trades(told: dict[str, Any]) -> None:
    done = 10009
    assert [told[name] for name in ("bought", "moved", "flat", "sold")] == [done] * 4
    assert told["levels"] == [-0.01, 7]
    assert told["mine"] == 1
    assert told["checked"] == "Done"
    assert told["closed"] is True
    assert (told["deals"], told["orders"]) == (4, 4)
    assert told["margin"] == 110.0
    assert told["pending"] == done


def test_the_adapter_finds_the_errors_of_the_module(told: dict[str, Any]) -> None:
    assert told["wrong password"] == "AUTH_FAILED"
    assert told["unknown symbol"] == "NOT_FOUND"
    assert told["pickled"] is False
    assert told["after"] == [1, "Success"]
