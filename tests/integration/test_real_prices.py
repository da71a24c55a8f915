"""Real bars and ticks play on the embedded terminal, from any file there is; skipped without."""

from __future__ import annotations

from pathlib import Path

import pytest
from terminals import deal, make_terminal, require_consistent

from mtquant.data import load_parquet, load_ticks
from mtquant.data.catalogue import catalogued_symbols
from mtquant.model import ServerClock
from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated import SimulatedServer, load_scenario

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "bars"
FILES = sorted(path.name for path in FOLDER.glob("*.parquet"))
CLOCKS = {"GBPUSD_H1_2012-2018.parquet": "eet_eu", "USDJPY_H1_2012-2018.parquet": "eet_eu"}


@pytest.mark.skipif(not FILES, reason="needs real prices in ../shared/data/bars")
def test_there_are_bars_and_ticks_to_play() -> None:
    assert any("_ticks_" in name for name in FILES)
    assert any("_M1_" in name for name in FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_real_prices_plays_and_trades(name: str, tmp_path: Path) -> None:
    pytest.importorskip("duckdb", reason="Parquet needs the extra `data`")
    path, kind = FOLDER / name, "ticks" if "_ticks_" in name else "bars"
    clock = CLOCKS.get(name)
    load = load_ticks if kind == "ticks" else load_parquet
    prices = load(path, clock=ServerClock(clock) if clock else None)
    symbol = prices.symbol
    assert symbol in catalogued_symbols()
    text = (
        f"symbols: [{symbol}]\nvenue:\n  instruments:\n    {symbol}: {{digits: {prices.digits}}}\n"
        f"prices:\n  {symbol}: {{{kind}: {path}, clock: {clock or 'utc'}}}\n"
    )
    file = tmp_path / "scenario.yaml"
    file.write_text(text, encoding="utf-8")
    loaded = load_scenario(file)
    moment_ms = int(prices.time_ms[len(prices.time_ms) // 2])
    server = SimulatedServer(loaded.market(moment_ms))
    server.wait_until(moment_ms)
    terminal = make_terminal(server)
    info = terminal.symbol_info(symbol)
    filling = 0 if info.filling_mode & 1 else 1
    retcodes = set()
    for turn in range(40):
        for _ in range(50):
            server.step()
        tick = terminal.symbol_info_tick(symbol)
        side = turn % 2
        request = deal(
            symbol=symbol,
            type=side,
            price=tick.bid if side else tick.ask,
            volume=info.volume_min,
            deviation=10_000,
            type_filling=filling,
        )
        retcodes.add(terminal.order_send(request).retcode)
        require_consistent(terminal, server.book)

    assert mt5.TRADE_RETCODE_DONE in retcodes
    assert retcodes <= {mt5.TRADE_RETCODE_DONE, mt5.TRADE_RETCODE_MARKET_CLOSED}
    bars = terminal.copy_rates_from_pos(symbol, mt5.TIMEFRAME_D1, 0, 5)
    assert (bars["high"] >= bars["low"]).all()
