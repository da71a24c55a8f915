"""Scripts in the manner of MetaTrader's documentation print what the documentation prints.

The quotes are those that the printed results were made at; see the sources of each number.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from demo_process import run
from test_terminal_command import SCRIPTS
from worlds import MONDAY_MS

from mtquant.data import save_bars
from mtquant.model import Timeframe, make_bars

if TYPE_CHECKING:
    from pathlib import Path

# Python documentation, order_calc_margin and order_calc_profit: bid and spread in points
QUOTES = {
    "EURUSD": (109_905, 5),
    "GBPUSD": (122_725, 5),
    "USDJPY": (108_179, 4),
    "USDCHF": (97_000, 8),
    "EURJPY": (120_000, 9),
    "GBPJPY": (136_200, 9),
}
MARGINS = {
    "EURUSD": 109.91,
    "GBPUSD": 122.73,
    "USDJPY": 100.0,
    "USDCHF": 100.0,
    "EURJPY": 109.91,
    "GBPJPY": 122.73,
}
PROFITS = {
    ("buy", "EURUSD"): 300.0,
    ("sell", "EURUSD"): 300.0,
    ("buy", "GBPUSD"): 300.0,
    ("sell", "GBPUSD"): 300.0,
    ("buy", "USDJPY"): 276.54,
    ("sell", "USDJPY"): 278.09,
}


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a scenario whose prices stand still at the documented quotes."""
    folder = tmp_path_factory.mktemp("documented")
    lines = [f"symbols: [{', '.join(QUOTES)}]", "venue:", "  account: {leverage: 100}"]
    lines.append("  instruments:")
    lines += [f"    {symbol}: {{execution_mode: instant}}" for symbol in QUOTES]
    lines.append("prices:")
    for symbol, (bid, spread) in QUOTES.items():
        still = np.full(48, bid)
        bars = make_bars(
            symbol=symbol,
            timeframe=Timeframe.H1,
            digits=3 if symbol.endswith("JPY") else 5,
            time_ms=MONDAY_MS + np.arange(48) * Timeframe.H1.duration_ms,
            open=still,
            high=still,
            low=still,
            close=still,
            spread=spread,
        )
        save_bars(bars, folder / f"{symbol}.npz")
        lines.append(f"  {symbol}: {{bars: {symbol}.npz}}")
    lines.append("slippage: {better_fraction: 0, worse_fraction: 0}")
    path = folder / "documented.yaml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def said(script: str, scenario: Path) -> str:
    """Return what a script prints on the scenario."""
    options = ("--at", "2017-01-02T10:00", "--factor", "0", "--scenario", str(scenario))
    done = run("terminal", "run", *options, str(SCRIPTS / f"{script}.py"))
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_margins_are_printed_as_documented(scenario: Path) -> None:
    lines = re.findall(
        r"(\w+) buy 0\.1 lots at \S+ margin: (\S+) USD", said("what_margin", scenario)
    )

    assert {symbol: float(margin) for symbol, margin in lines} == MARGINS


def test_profits_are_printed_as_documented(scenario: Path) -> None:
    pattern = r"(\w+) (\w+) 1\.0 lots, profit on 300 points: (\S+) USD"
    lines = re.findall(pattern, said("what_profit", scenario))

    assert {(side, symbol): float(profit) for side, symbol, profit in lines} == PROFITS
