"""Every file of real bars is played by the kernel and by the engine alike, and no money is lost."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from demo_process import run

from mtquant.app.config import load_config
from mtquant.app.parity.check import compare_ways, cut_to
from mtquant.app.playing import kernel_job, plan_objections, play_by_kernel
from mtquant.app.wiring import Plan, make_plan, run_backtest
from mtquant.data import load_ticks
from mtquant.data.catalogue import catalogued_specification
from mtquant.engine.kernels import Played, layout, ledger_of
from mtquant.exchange import Terms, rules
from mtquant.exchange.currency import FOREX_MODES
from mtquant.model import Deal, DealEntry, DealKind
from mtquant.research import closed_trades, trades_sha256

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "bars"
NONE = pytest.param("none", marks=pytest.mark.skip(reason="needs bars in ../shared/data/bars"))
FILES: list[Any] = sorted(
    path.name for kind in ("M1", "H1") for path in FOLDER.glob(f"*_{kind}_*.parquet")
) or [NONE]
TICKS: list[Any] = sorted(path.name for path in FOLDER.glob("*_ticks_*.parquet")) or [NONE]
CLOCKS = {"GBPUSD_H1_2012-2018.parquet": "eet_eu", "USDJPY_H1_2012-2018.parquet": "eet_eu"}
DEPOSIT = 1_000_000
CUT = 60_000
"""How many bars the event-driven engine plays of a file of minutes."""
LIVE, LONG_LIVE = 1_000, 10_000
"""How many bars the live runner plays of each file."""

NOT_LIVE_YET = {
    "BTCUSD": "margin of one lot",  # a margin rate, of which the terminal's symbols do not tell
    "XAGUSD": "not in the symbol map",
}

pytestmark = pytest.mark.shared


def written_config(name: str, folder: Path) -> Path:
    """Write a configuration that trades the file of a name by the catalogue; return its path."""
    pytest.importorskip("duckdb", reason="Parquet needs the extra `data`")
    symbol = name.partition("_")[0]
    instrument = catalogued_specification(symbol)
    stops = {"stop_atr": 3.0, "target_atr": 6.0}
    config = {
        "data": {
            "path": str(FOLDER / name),
            "clock": CLOCKS.get(name, "utc"),
            "rounding": True,
        },
        "venue": {
            "server_clock": "ny_plus_7",
            "account": {"currency": "USD", "deposit": DEPOSIT, "leverage": 100},
            "instruments": {symbol: instrument},
        },
        "slippage": {"better_fraction": "20%", "worse_fraction": "30%", "max_points": 3},
        "strategy": {"name": "sma_crossover", "parameters": {"fast": 20, "slow": 50}},
        "exits": {"stop_loss_take_profit": stops, "atr_trailing_stop": {"distance_atr": 3.0}},
        "risk": {
            "risk_per_trade_fraction": "0.1%",
            "max_spread_points": 4 * instrument["spread_points"],
        },
    }
    path = folder / "bot.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


@dataclass(frozen=True, kw_only=True)
class End:
    """Hold what an account is at the end of a run, in minor units."""

    balance: int
    equity: int
    swap: int


def require_conserved(plan: Plan, deals: Sequence[Deal], end: End) -> None:
    """Hold the end of a run against its deals and the profit rule."""
    deposit = plan.config.venue.account.deposit_minor
    trades = [deal for deal in deals if deal.kind is DealKind.TRADE]
    assert end.balance == deposit + sum(deal.net_minor for deal in trades)
    floating = 0
    if trades and trades[-1].entry is DealEntry.IN:
        floating = floating_minor(plan, trades[-1]) + end.swap
    assert end.equity == end.balance + floating


def floating_minor(plan: Plan, opened: Deal) -> int:
    """Return the profit of the position of a deal at the close of the last bar."""
    bars = plan.bars
    terms = Terms.of(plan.config.venue, bars.symbol)
    assert opened.side is not None
    side = opened.side.value
    price = int(bars.close[-1]) + (int(bars.spread[-1]) if side < 0 else 0)
    rate, profits = 1.0, terms.conversions.profit
    if profits.pair:
        scale = 10.0**bars.digits
        rate = rules.conversion_rate(price, price, scale, profits.is_inverse, False)
        rate *= terms.minor_scale
    return rules.profit_minor(
        side,
        opened.volume_units,
        opened.price_points,
        price,
        terms.price_value,
        terms.divisor,
        terms.instrument.calculation_mode in FOREX_MODES,
        rate,
        rate,
    )


def require_kernel(plan: Plan) -> tuple[Played, Sequence[Deal]]:
    """Play a plan by the kernel, and hold its money against its deals."""
    assert plan_objections(plan) == ()
    played = play_by_kernel(plan, *kernel_job(plan))
    deals = ledger_of(played).deals
    cells = played.cells
    end = End(
        balance=int(cells[layout.BALANCE]),
        equity=int(played.daily[-1]),
        swap=int(cells[layout.SWAP]),
    )
    require_conserved(plan, deals, end)
    return played, deals


def require_equal(plan: Plan) -> None:
    """Play a plan by the kernel and by the engine, and hold both to the same deals and money."""
    played, deals = require_kernel(plan)
    book = run_backtest(plan).book
    swap = sum(position.swap_minor for position in book.positions())
    end = End(balance=book.balance_minor, equity=book.equity_minor, swap=swap)

    assert ledger_of(played).orders == book.ledger.orders
    assert deals == book.ledger.deals
    assert (int(played.cells[layout.BALANCE]), int(played.daily[-1])) == (end.balance, end.equity)
    require_conserved(plan, book.ledger.deals, end)


def require_live(config: Path, bars: int) -> None:
    """Play the first bars of a configuration live and in every other way, and hold them equal."""
    found = compare_ways(cut_to(make_plan(load_config(config)), bars), bars, lambda _: None)

    assert not any(one.difference for one in found.ways)
    refused = [one.why for one in found.left_out if one.refuses]
    if refused:
        assert NOT_LIVE_YET[found.plan.bars.symbol] in refused[0]
        pytest.skip(f"the live runner does not trade it yet: {refused[0]}")
    assert found.is_equal
    assert len(found.ways) >= 3
    assert len(found.ways[0].played.ledger.deals) >= 5


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_real_bars_is_played_alike(name: str, tmp_path: Path) -> None:
    config = written_config(name, tmp_path)
    plan = make_plan(load_config(config))

    done = run("backtest", "--config", str(config), "--json")

    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    _, deals = require_kernel(plan)
    assert summary["trades_sha256"] == trades_sha256(closed_trades(deals))
    assert summary["bars"] == len(plan.bars)
    assert len(deals) > 400
    require_equal(cut_to(plan, CUT) if "_M1_" in name else plan)


@pytest.mark.parametrize("name", FILES)
def test_real_bars_are_played_live_alike(name: str, tmp_path: Path) -> None:
    require_live(written_config(name, tmp_path), LIVE)


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_many_real_bars_are_played_live_alike(name: str, tmp_path: Path) -> None:
    require_live(written_config(name, tmp_path), LONG_LIVE)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in FILES if "_M1_" in str(name)] or [NONE])
def test_a_whole_file_of_real_minutes_is_played_alike(name: str, tmp_path: Path) -> None:
    require_equal(make_plan(load_config(written_config(name, tmp_path))))


@pytest.mark.parametrize("name", TICKS)
def test_a_file_of_real_ticks_is_played_alike(name: str, tmp_path: Path) -> None:
    path = written_config(name, tmp_path)
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    ticks = load_ticks(FOLDER / name)
    config["data"] = {"ticks": str(FOLDER / name)}
    config["venue"]["instruments"][ticks.symbol]["digits"] = ticks.digits
    config["risk"]["max_spread_points"] = 100_000
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    plan = make_plan(load_config(path))

    done = run("backtest", "--config", str(path), "--json")

    assert done.returncode == 0, done.stderr
    _, deals = require_kernel(plan)
    assert json.loads(done.stdout)["trades_sha256"] == trades_sha256(closed_trades(deals))
    assert len(deals) > 40
    require_equal(plan)
