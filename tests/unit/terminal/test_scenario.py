"""Scenarios: one typed file for a whole market, and one line for what is wrong with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from terminals import deal, make_terminal
from worlds import bars_of

from mtquant.app.scenario_check import scenario_lines
from mtquant.app.stage import make_stage
from mtquant.data import save_bars
from mtquant.exchange import SLIPPAGE_PRESETS, TickModel
from mtquant.model import DAY_MS, ConfigError, DataError, MarginMode
from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated import (
    SimulatedServer,
    load_scenario,
    read_scenario,
    shipped_scenarios,
)

if TYPE_CHECKING:
    from pathlib import Path

NOON_MS = 1_717_588_800_000  # Wednesday, 2024-06-05, 12:00 UTC
EURUSD = {"digits": 5, "contract_size": 100_000, "base_currency": "EUR", "profit_currency": "USD"}


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", shipped_scenarios())
def test_every_shipped_scenario_trades(name: str):
    loaded = load_scenario(name)
    moment_ms = NOON_MS if loaded.moves_with_the_calendar else loaded.recorded_ms()[0]
    market = loaded.market(moment_ms)
    server = SimulatedServer(market)
    server.wait_until(moment_ms)
    terminal = make_terminal(server)
    tick = terminal.symbol_info_tick("EURUSD")
    filling = 0 if terminal.symbol_info("EURUSD").filling_mode & 1 else 1
    request = deal(price=tick.ask, deviation=500, volume=0.1, type_filling=filling, comment="s")

    assert loaded.scenario.description
    assert terminal.order_send(request).retcode == mt5.TRADE_RETCODE_DONE
    assert len(terminal.copy_rates_from_pos("EURUSD", mt5.TIMEFRAME_D1, 0, 3)) >= 1


def test_instruments_come_from_the_catalogue_and_may_be_changed():
    scenario = read_scenario(
        {
            "symbols": ["EURUSD", "XAUUSD"],
            "venue": {"instruments": {"EURUSD": {"commission_per_lot": 7.0}}},
        }
    )

    specs = scenario.venue.instruments
    assert (specs["EURUSD"].commission_per_lot, specs["EURUSD"].digits) == (7.0, 5)
    assert specs["XAUUSD"].contract_size == 100.0


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ([], "expected sections such as symbols, venue and prices"),
        ({"symbols": ["EURUSB"]}, "symbol 'EURUSB' is not in the catalogue; did you mean 'EURUSD'"),
        ({"symbols": ["EURUSD", "EURUSD"]}, "symbols: EURUSD stand more than once"),
        (
            {"symbols": ["EURUSD"], "venue": {"instruments": {"EURUSX": {"spread_points": 5}}}},
            (
                "venue.instruments.EURUSX: it is not one of symbols, and no whole specification; "
                "did you mean 'EURUSD'?"
            ),
        ),
        ({"symbols": "EURUSD"}, "symbols: expected a list, got 'EURUSD'"),
        ({"venue": 5}, "venue: expected a section"),
        ({"venue": {"instruments": 5}}, "venue.instruments: expected a section, got 5"),
        ({"symbols": ["EURUSD"], "tickmodel": "ohlc"}, "tickmodel: unknown key; did you mean"),
        ({"symbols": ["EURUSD"], "tick_model": "some"}, "'some' is not one of ohlc, every_tick"),
        (
            {"symbols": ["EURUSD"], "prices": {"GBPUSD": {"bars": "x.npz"}}},
            "prices.GBPUSD: no such symbol; known: EURUSD",
        ),
        (
            {"symbols": ["EURUSD"], "prices": {"EURUSD": {}}},
            "prices.EURUSD: give exactly one of sample, bars and ticks",
        ),
        (
            {"symbols": ["EURUSD"], "prices": {"EURUSD": {"sample": "eurusd"}}},
            "sample 'eurusd': did you mean 'eurusd-h1-2017'?",
        ),
        (
            {"symbols": ["EURUSD"], "prices": {"EURUSD": {"bars": "x.npz", "clock": "mars"}}},
            "clock",
        ),
        (
            {"symbols": ["EURUSD"], "synthetic": {"history_days": 0}},
            "history_days must be at least 1, was 0",
        ),
        (
            {"symbols": ["EURUSD"], "synthetic": {"volatility": -1}},
            "synthetic.volatility must be above 0, at most 5, was -1",
        ),
        (
            {"symbols": ["EURUSD"], "synthetic": {"ahead_days": 10**9}},
            "ahead_days must be at most 3660, was 1000000000",
        ),
        (
            {"symbols": ["EURUSD"], "slippage_preset": "saxo-eurus"},
            "slippage_preset: no such preset 'saxo-eurus'; did you mean 'saxo-eurusd'?",
        ),
        (
            {"symbols": ["EURUSD"], "slippage_preset": "none", "slippage": {"max_points": 9}},
            "slippage_preset: give it or slippage, not both",
        ),
        ({"symbols": ["EURUSD"], "seed": -1}, "seed must not be negative, was -1"),
        (
            {"symbols": ["EURJPY"], "venue": {"account": {"currency": "CHF"}}},
            "profits in JPY on a CHF account need currency conversion",
        ),
        (
            {
                "venue": {
                    "instruments": {"EURUSD": EURUSD | {"volume_min_lots": 2, "volume_max_lots": 1}}
                }
            },
            "volumes must satisfy 0 < step <= min <= max",
        ),
    ],
)
def test_a_wrong_scenario_is_refused_by_its_key(raw: Any, said: str):
    with pytest.raises(ConfigError) as refused:
        read_scenario(raw)

    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_scenario_that_does_not_exist_is_named():
    with pytest.raises(ConfigError, match="did you mean 'netting-fx'"):
        load_scenario("netting-fxx")
    with pytest.raises(ConfigError, match="nowhere"):
        load_scenario("nowhere.yaml")


def test_recorded_prices_are_found_beside_the_file(tmp_path: Path):
    save_bars(bars_of([110_000, 110_100, 110_050]), tmp_path / "eurusd.npz")
    path = written(tmp_path, "symbols: [EURUSD]\nprices:\n  EURUSD:\n    bars: eurusd.npz\n")
    loaded = load_scenario(path)
    market = loaded.market(0)

    assert not loaded.moves_with_the_calendar
    assert market.bars.close.tolist() == [110_000, 110_100, 110_050]
    first_ms, last_ms = loaded.recorded_ms()
    assert (first_ms, last_ms) == (market.bars.time_ms[0], market.bars.time_ms[-1] + 3_599_999)


def test_beside_recorded_prices_the_check_shows_made_up_ones_of_the_same_time(tmp_path: Path):
    save_bars(bars_of([110_000, 110_100]), tmp_path / "eurusd.npz")
    prices = "prices:\n  EURUSD:\n    bars: eurusd.npz\n"
    path = written(tmp_path, f"symbols: [EURUSD, USDJPY]\n{prices}")
    first_ms, last_ms = load_scenario(path).recorded_ms()

    market = make_stage(str(path), None).market(first_ms, last_ms + 2_000 * DAY_MS)
    checked = list(scenario_lines(str(path)))

    made_up = market.feeds[1].range_ms
    assert made_up[0] < first_ms <= last_ms < made_up[1] < last_ms + 9 * DAY_MS
    end = datetime.fromtimestamp(made_up[1] / 1000, UTC)
    assert f"to {end:%Y-%m-%d %H:%M} UTC" in checked[2]


@pytest.mark.parametrize(
    ("prices", "error", "said"),
    [
        ("bars: missing.npz", DataError, "missing.npz: there is no such data file"),
        ("ticks: missing.parquet", DataError, "missing.parquet: there is no such data file"),
        ("bars: gold.npz", ConfigError, "prices.EURUSD: the file holds XAUUSD"),
    ],
)
def test_prices_that_cannot_be_used_are_named(
    tmp_path: Path, prices: str, error: type[Exception], said: str
):
    gold = bars_of([110_000])
    save_bars(replace(gold, symbol="XAUUSD"), tmp_path / "gold.npz")
    path = written(tmp_path, f"symbols: [EURUSD]\nprices:\n  EURUSD:\n    {prices}\n")

    with pytest.raises(error) as refused:
        load_scenario(path).market(0)
    assert said in str(refused.value)


def played(hours: int) -> tuple[Any, Any]:
    market = load_scenario("majors-and-gold-hedging").market(NOON_MS, NOON_MS + hours * 3_600_000)
    server = SimulatedServer(market)
    server.wait_until(NOON_MS)
    terminal = make_terminal(server)
    for step in range(6):
        kind = step % 2
        symbol = ("EURUSD", "XAUUSD", "GBPJPY")[step % 3]
        tick = terminal.symbol_info_tick(symbol)
        price = tick.bid if kind else tick.ask
        filling = 0 if terminal.symbol_info(symbol).filling_mode & 1 else 1
        sent = terminal.order_send(
            deal(symbol=symbol, type=kind, price=price, deviation=900, type_filling=filling)
        )
        assert sent.retcode == mt5.TRADE_RETCODE_DONE
        server.wait_until(NOON_MS + (step + 1) * 600_000)
    return terminal, server


def test_the_same_scenario_and_calls_give_the_same_history_whenever_more_is_known():
    first, second = played(1), played(24 * 40)

    assert first[0].history_deals_get(0, 2**31 - 1) == second[0].history_deals_get(0, 2**31 - 1)
    assert repr(first[1].book.ledger) == repr(second[1].book.ledger)
    bars = [
        one[0].copy_rates_from_pos("XAUUSD", mt5.TIMEFRAME_M5, 0, 500) for one in (first, second)
    ]
    assert np.array_equal(*bars)


def test_skipping_what_nobody_holds_equals_playing_it():
    jumped, walked = (load_scenario("netting-fx").market(NOON_MS) for _ in range(2))
    moment_ms = int(walked.bars.time_ms[700]) + 31_000
    jumped.play_until(moment_ms)
    while (upcoming := walked.next_ms()) is not None and upcoming <= moment_ms:
        walked.advance()

    assert jumped.now_ms == walked.now_ms
    for symbol in jumped.venue.instruments:
        assert jumped.book.quote(symbol) == walked.book.quote(symbol)
    assert jumped.book.account() == walked.book.account()


def test_shipped_scenarios_differ_where_their_names_say():
    demo, majors, netting = (
        load_scenario(name).scenario
        for name in ("eurusd-demo", "majors-and-gold-hedging", "netting-fx")
    )

    assert set(demo.prices) == {"EURUSD"}
    assert majors.tick_model is TickModel.EVERY_TICK
    assert netting.venue.account.margin_mode is MarginMode.NETTING
    assert len(netting.venue.accounts) == 2


@pytest.mark.parametrize("preset", sorted(SLIPPAGE_PRESETS))
def test_a_preset_slips_as_often_as_published(preset: str):
    scenario = read_scenario({"symbols": ["EURUSD"], "slippage_preset": preset})
    drawn = scenario.slips.draw_rows(50_000, 1, 2)
    published = SLIPPAGE_PRESETS[preset]

    assert (drawn < 0).mean() == pytest.approx(published.better_fraction, abs=0.006)
    assert (drawn > 0).mean() == pytest.approx(published.worse_fraction, abs=0.006)


def test_a_file_of_another_symbols_ticks_is_refused(tmp_path: Path):
    duckdb = pytest.importorskip("duckdb", reason="the extra `data` (duckdb) is not installed")
    row = f"select {NOON_MS}::bigint as time_msc, 110000 as bid, 110010 as ask"
    about = '{"symbol": "XAUUSD", "digits": 5}'
    options = f"format parquet, kv_metadata {{mtquant: '{about}'}}"
    duckdb.execute(f"copy ({row}) to '{tmp_path / 'gold.parquet'}' ({options})")
    path = written(tmp_path, "symbols: [EURUSD]\nprices: {EURUSD: {ticks: gold.parquet}}\n")

    with pytest.raises(ConfigError, match=r"prices\.EURUSD: the file holds XAUUSD"):
        load_scenario(path).market(0)
