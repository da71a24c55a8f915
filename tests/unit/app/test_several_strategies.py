"""Configurations of several strategies, sources and timeframes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mtquant.app.backtest import BacktestOptions, run_backtest_command
from mtquant.app.config import load_config
from mtquant.app.demo import DemoOptions, run_demo
from mtquant.app.wiring import Plan, make_plan, plan_engine, run_backtest
from mtquant.data import load_sample, save_bars
from mtquant.model import Bars, ConfigError, Timeframe, make_bars
from mtquant.strategy import Series

if TYPE_CHECKING:
    from pathlib import Path

STOPS: dict[str, Any] = {"stop_loss_take_profit": {"stop_points": 300}}


def sterling(count: int = 800) -> Bars:
    """Return bars of another symbol, over the first weeks of the sample."""
    chance = np.random.default_rng(3)
    close = 125_000 + np.cumsum(chance.integers(-90, 91, count))
    opened = np.concatenate([close[:1], close[:-1]])
    return make_bars(
        symbol="GBPUSD",
        timeframe=Timeframe.H1,
        digits=5,
        time_ms=load_sample().time_ms[:count],
        open=opened,
        high=np.maximum(opened, close) + 10,
        low=np.minimum(opened, close) - 10,
        close=close,
        spread=12,
    )


def raw(folder: Path, **changed: Any) -> dict[str, Any]:
    """Return a configuration of three strategies on two symbols, its files in a folder."""
    save_bars(load_sample()[:800], folder / "euro.npz")
    save_bars(sterling(), folder / "pound.npz")
    found = dict(load_config().raw)
    del found["strategy"], found["exits"]
    venue = dict(found["venue"])
    euro = venue["instruments"]["EURUSD"]
    venue["instruments"] = {"EURUSD": euro, "GBPUSD": euro | {"base_currency": "GBP"}}
    crossover = {"name": "sma_crossover", "parameters": {"fast": 5, "slow": 12}, "exits": STOPS}
    found |= {
        "data": [{"path": "euro.npz"}, {"path": "pound.npz"}],
        "venue": venue,
        "strategies": [
            crossover | {"symbol": "EURUSD"},
            crossover | {"symbol": "GBPUSD", "timeframe": "H4"},
            crossover | {"symbol": "EURUSD", "timeframe": "H4"},
        ],
        "risk": dict(found["risk"]) | {"max_positions": 3},
    }
    return found | changed


def plan_of(folder: Path, **changed: Any) -> Plan:
    return make_plan(load_config(raw=raw(folder, **changed), folder=folder))


def test_each_strategy_trades_its_symbol_under_its_own_id(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    engine = plan_engine(plan, plan.cut)

    assert [(slot.strategy_id, slot.symbol) for slot in engine.slots] == [
        ("sma_crossover:EURUSD:H1", "EURUSD"),
        ("sma_crossover:GBPUSD:H4", "GBPUSD"),
        ("sma_crossover:EURUSD:H4", "EURUSD"),
    ]
    assert {deal.symbol for deal in run_backtest(plan).book.ledger.deals} == {
        "",
        "EURUSD",
        "GBPUSD",
    }


def test_a_run_of_several_leaves_summary_and_report(tmp_path: Path) -> None:
    path = tmp_path / "bot.yaml"
    path.write_text(str(raw(tmp_path)), encoding="utf-8")  # a YAML flow mapping

    results = run_backtest_command(BacktestOptions(config=path, out=tmp_path / "run"))

    assert results.report is not None
    page = results.report.read_text(encoding="utf-8")
    assert "3 strategies on EURUSD, GBPUSD" in page
    assert "Sell GBPUSD" in page
    assert results.summary["trades"] > 20


def test_the_demo_makes_the_trades_of_the_backtest(tmp_path: Path) -> None:
    path = tmp_path / "bot.yaml"
    path.write_text(str(raw(tmp_path)), encoding="utf-8")

    live = run_demo(DemoOptions(out=tmp_path / "demo", outage=False, config=path))
    played = run_backtest_command(BacktestOptions(config=path))

    assert live.results is not None
    assert live.results.summary["trades_sha256"] == played.summary["trades_sha256"]


def test_a_single_strategy_on_one_source_in_a_list_is_the_single_form(tmp_path: Path) -> None:
    save_bars(load_sample()[:800], tmp_path / "euro.npz")
    single = dict(load_config().raw) | {"data": {"path": "euro.npz"}}
    listed = {key: value for key, value in single.items() if key not in {"strategy", "exits"}}
    listed |= {
        "data": [{"path": "euro.npz"}],
        "strategies": [single["strategy"] | {"exits": single["exits"]}],
    }

    first, second = (
        run_backtest(make_plan(load_config(raw=one, folder=tmp_path))).book.ledger.deals
        for one in (single, listed)
    )

    assert [(d.time_ms, d.price_points) for d in first] == [
        (d.time_ms, d.price_points) for d in second
    ]


def test_series_may_be_asked_for_while_they_are_empty(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)

    engine = plan_engine(plan, lambda symbol, timeframe: Series(symbol, timeframe, 5))

    assert [len(slot.series) for slot in engine.slots] == [0, 0, 0]


CROSSOVER = {"name": "sma_crossover", "exits": STOPS}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"strategies": [CROSSOVER]}, r"strategies\[0\]\.symbol: there are several, say which"),
        (
            {"strategies": [CROSSOVER | {"symbol": "GBPUSDx"}]},
            r"strategies\[0\]\.symbol: .*did you mean 'GBPUSD'",
        ),
        (
            {"strategies": [CROSSOVER | {"symbol": "EURUSD", "timeframe": "M15"}]},
            r"strategies\[0\]\.timeframe: M15 bars cannot be made of H1 bars",
        ),
        (
            {"strategies": [CROSSOVER | {"symbol": "EURUSD"}] * 2},
            r"strategies\[0\]\.id: 'sma_crossover:EURUSD:H1' stands twice",
        ),
        (
            {"strategies": [CROSSOVER | {"symbol": "EURUSD", "simbol": "x"}]},
            r"strategies\[0\]\.simbol: unknown key; did you mean 'symbol'",
        ),
        (
            {"strategies": [CROSSOVER | {"symbol": "EURUSD", "exits": {}}]},
            r"strategies\[0\]\.exits: stop_loss_take_profit is needed",
        ),
        (
            {"strategies": [CROSSOVER | {"symbol": "EURUSD", "parameters": {"fsat": 1}}]},
            r"strategies\[0\]\.parameters\.fsat: unknown key; did you mean 'fast'",
        ),
        ({"strategies": [CROSSOVER | {"name": "sma", "symbol": "EURUSD"}]}, r"\[0\]\.name: 'sma'"),
        ({"exits": STOPS}, "strategies: give the list alone"),
        ({"strategies": []}, "strategy: this key is required"),
        ({"strategies": [], "strategy": {"name": "sma_crossover"}}, "several sources of data"),
        ({"data": []}, "data: the list is empty"),
        (
            {
                "data": [{"path": "euro.npz"}] * 2,
                "strategies": [CROSSOVER | {"symbol": "EURUSD"}],
            },
            "each symbol needs one source of prices",
        ),
    ],
)
def test_what_is_wrong_in_a_list_is_named_with_its_place(
    tmp_path: Path, changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        plan_of(tmp_path, **changed)


def test_a_netting_account_takes_one_strategy_a_symbol(tmp_path: Path) -> None:
    found = raw(tmp_path)
    account = found["venue"]["account"] | {"margin_mode": "netting"}
    venue = found["venue"] | {"account": account}

    with pytest.raises(ConfigError, match="several trade EURUSD, and a netting account"):
        plan_of(tmp_path, venue=venue)


def test_a_symbol_whose_money_another_pair_converts_is_refused(tmp_path: Path) -> None:
    found = raw(tmp_path)
    instruments = found["venue"]["instruments"]
    converted = {"profit_currency": "EUR", "margin_currency": "USD"}
    instruments |= {"GBPUSD": instruments["GBPUSD"] | converted}
    venue = found["venue"] | {"instruments": instruments}

    with pytest.raises(ConfigError, match="GBPUSD: its money converts at the quotes of EURUSD"):
        plan_of(tmp_path, venue=venue)


def test_data_from_the_command_line_cannot_replace_a_list(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="data is a list"):
        load_config(raw=raw(tmp_path), folder=tmp_path, data=tmp_path / "euro.npz")
