"""A run on ticks from a file."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from many_worlds import ticks_of

from mtquant.app.backtest import BacktestOptions, run_backtest_command
from mtquant.app.config import load_config
from mtquant.app.demo import DemoOptions, run_demo
from mtquant.app.sweep import make_setup
from mtquant.app.wiring import make_plan
from mtquant.model import ConfigError, Timeframe

if TYPE_CHECKING:
    from pathlib import Path

duckdb = pytest.importorskip("duckdb", reason="the extra `data` (duckdb) is not installed")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return a configuration whose data are ticks in a Parquet file beside it."""
    ticks = ticks_of("EURUSD", 6_000, np.random.default_rng(5))
    rows = ", ".join(
        map(str, zip(*(c.tolist() for c in (ticks.time_ms, ticks.bid, ticks.ask)), strict=True))
    )
    about = json.dumps({"symbol": "EURUSD", "digits": 5})
    query = f"select * from (values {rows}) t(time_msc, bid, ask)"
    with duckdb.connect() as connection:
        connection.execute(
            f"copy ({query}) to '{tmp_path / 'ticks.parquet'}' "
            f"(format parquet, kv_metadata {{mtquant: '{about}'}})"
        )
    raw = dict(load_config().raw) | {"data": {"ticks": "ticks.parquet"}}
    del raw["strategy"], raw["exits"]
    raw["strategies"] = [
        {
            "name": "sma_crossover",
            "timeframe": "M5",
            "parameters": {"fast": 3, "slow": 7},
            "exits": {"stop_loss_take_profit": {"stop_points": 120}},
        }
    ]
    path = tmp_path / "bot.yaml"
    path.write_text(json.dumps(raw), encoding="utf-8")  # JSON is YAML
    return path


def test_strategies_decide_on_bars_made_of_the_ticks(config: Path) -> None:
    plan = make_plan(load_config(config))

    assert (plan.bars.timeframe, plan.lanes[0].timeframe) == (Timeframe.M1, Timeframe.M5)
    assert len(plan.ticks["EURUSD"]) == 6_000
    assert plan.title == "sma_crossover on EURUSD M5"


def test_backtest_and_demo_make_the_same_trades_on_ticks(config: Path, tmp_path: Path) -> None:
    played = run_backtest_command(BacktestOptions(config=config, out=tmp_path / "run"))
    live = run_demo(DemoOptions(out=tmp_path / "demo", outage=False, config=config))

    assert played.summary["trades"] > 5
    assert live.results is not None
    assert live.results.summary["trades_sha256"] == played.summary["trades_sha256"]


def test_the_fingerprint_of_a_run_on_ticks_follows_the_ticks(config: Path) -> None:
    loaded = load_config(config)
    ticks = make_plan(loaded).ticks["EURUSD"]

    assert make_plan(loaded).fingerprint == make_plan(loaded).fingerprint
    assert ticks.content_hash() == replace(ticks).content_hash()
    assert ticks.content_hash() != replace(ticks, ask=ticks.ask + np.int32(1)).content_hash()


@pytest.mark.parametrize("more", [{"path": "x.npz"}, {"sample": "eurusd-h1-2017"}])
def test_ticks_stand_alone(more: dict[str, str]) -> None:
    raw = dict(load_config().raw) | {"data": {"ticks": "x.parquet"} | more}

    with pytest.raises(ConfigError, match="exactly one of sample, path, stored and ticks"):
        load_config(raw=raw)


def test_a_sweep_over_ticks_is_refused(config: Path) -> None:
    raw = json.loads(config.read_text(encoding="utf-8"))
    (one,) = raw.pop("strategies")
    raw |= {"strategy": {"name": "sma_crossover"}, "exits": one["exits"]}

    with pytest.raises(ConfigError, match=r"data\.ticks: a sweep runs over bars"):
        make_setup(load_config(raw=raw, folder=config.parent))
