"""Configured bars reach the venue in its points, with its spread where they have none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from mtquant.app.config import LoadedConfig, load_config
from mtquant.app.data_folder import bars_folder, data_folder
from mtquant.app.market_data import load_bar_source
from mtquant.app.wiring import make_plan, run_backtest
from mtquant.data import load_sample, rescale, save_bars
from mtquant.data.store import BarsStore
from mtquant.model import Bars, ConfigError, DataError, MarketDataError, SymbolNotFoundError


def load_first(loaded: LoadedConfig) -> Bars:
    """Return the bars of a configuration's only source."""
    return load_bar_source(loaded, loaded.config.sources[0])


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MTQUANT_DATA", str(tmp_path / "data"))


def configured(data: dict[str, object], **instrument: object) -> Bars:
    """Return the bars of the demo's configuration with other data and another instrument."""
    raw = dict(load_config().raw)
    eurusd = raw["venue"]["instruments"]["EURUSD"] | instrument
    raw["venue"] = raw["venue"] | {"instruments": {"EURUSD": eurusd}}
    return load_bar_source(
        loaded := load_config(raw=raw | {"data": data}), loaded.config.sources[0]
    )


def saved(bars: Bars, tmp_path: Path) -> dict[str, object]:
    save_bars(bars, tmp_path / "bars.npz")
    return {"path": str(tmp_path / "bars.npz")}


def without_spread(bars: Bars) -> Bars:
    return replace(bars, spread=np.zeros(len(bars), dtype=np.int32))


def test_stored_bars_are_found_by_the_first_characters_of_their_key() -> None:
    bars = load_sample()[:500]
    key = BarsStore(bars_folder()).put(bars).key

    assert configured({"stored": key[:10]}).content_hash() == bars.content_hash()


def test_stored_bars_trade_as_those_of_the_file_they_came_from(tmp_path: Path) -> None:
    bars = without_spread(load_sample()[:1500])
    key = BarsStore(bars_folder()).put(bars).key
    save_bars(bars, tmp_path / "bars.npz")
    deals = []
    for data in ({"path": str(tmp_path / "bars.npz")}, {"stored": key}):
        plan = make_plan(load_config(raw=dict(load_config().raw) | {"data": data}))
        deals.append(run_backtest(plan).book.ledger.deals)

    assert deals[0] == deals[1]
    assert len(deals[0]) > 10


def test_a_key_that_is_not_stored_is_refused() -> None:
    with pytest.raises(DataError, match="there are no bars with the key 'abc'"):
        configured({"stored": "abc"})


@pytest.mark.parametrize(
    "data", [{}, {"sample": "eurusd-h1-2017", "stored": "ab"}, {"path": "x.npz", "stored": "ab"}]
)
def test_a_configuration_names_exactly_one_source(data: dict[str, object]) -> None:
    with pytest.raises(
        ConfigError, match="data: give exactly one of sample, path, stored and ticks"
    ):
        configured(data)


def test_a_file_named_at_the_command_line_takes_the_place_of_stored_bars(tmp_path: Path) -> None:
    raw = dict(load_config().raw) | {"data": {"stored": "abc"}}
    save_bars(load_sample()[:9], tmp_path / "bars.npz")

    loaded = load_config(raw=raw, data=tmp_path / "bars.npz")
    assert len(load_bar_source(loaded, loaded.config.sources[0])) == 9


def test_data_with_fewer_digits_are_scaled_up(tmp_path: Path) -> None:
    bars = rescale(load_sample()[:50], 4, rounding=True)
    found = configured(saved(bars, tmp_path))

    assert found.digits == 5
    assert found.close.tolist() == (bars.close * 10).tolist()
    assert found.spread.tolist() == [10] * 50


def test_data_with_more_digits_are_refused_or_rounded_where_that_is_wanted(tmp_path: Path) -> None:
    data = saved(load_sample()[:50], tmp_path)

    with pytest.raises(
        MarketDataError, match=r"EURUSD: .* 5 digits, with 4 .*; set data\.rounding: true to round"
    ):
        configured(data, digits=4)
    rounded = configured(data | {"rounding": True}, digits=4)
    assert rounded.digits == 4
    assert rounded.content_hash() == rescale(load_sample()[:50], 4, rounding=True).content_hash()


def test_prices_too_large_for_the_venue_are_refused_without_a_word_of_rounding(
    tmp_path: Path,
) -> None:
    bars = load_sample()[:50]
    data = saved(replace(bars, high=bars.high + 30_000_000), tmp_path)

    with pytest.raises(MarketDataError, match=r"does not fit 32 bits of points$"):
        configured(data, digits=7)


def test_the_sample_is_played_in_the_digits_and_with_the_spread_of_its_venue() -> None:
    found = configured({"sample": "eurusd-h1-2017"}, digits=6, spread_points=37)
    ask = load_sample(spread_points=0)

    assert found.digits == 6
    assert set(found.spread.tolist()) == {37}
    assert (found.close + 37).tolist() == (ask.close * 10).tolist()


def test_bars_without_a_spread_take_the_instruments_in_its_own_points(tmp_path: Path) -> None:
    bars = without_spread(rescale(load_sample()[:50], 4, rounding=True))
    found = configured(saved(bars, tmp_path), spread_points=13)

    assert found.spread.tolist() == [13] * 50
    assert not found.spread.flags.writeable


def test_bars_of_a_symbol_that_the_venue_does_not_trade_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SymbolNotFoundError, match="symbol 'GBPUSD' is not traded"):
        configured(saved(replace(load_sample()[:9], symbol="GBPUSD"), tmp_path))


@pytest.mark.parametrize(
    ("environment", "platform", "ends"),
    [
        ({"MTQUANT_DATA": "/some/where", "XDG_DATA_HOME": "/x"}, "linux", "/some/where"),
        ({"XDG_DATA_HOME": "/x"}, "linux", "/x/mtquant"),
        ({"XDG_DATA_HOME": "relative"}, "linux", "/.local/share/mtquant"),
        ({}, "linux", "/.local/share/mtquant"),
        ({"MTQUANT_DATA": ""}, "darwin", "/Library/Application Support/mtquant"),
        ({"LOCALAPPDATA": "/local"}, "win32", "/local/mtquant"),
        ({}, "win32", "/AppData/Local/mtquant"),
    ],
)
def test_a_persons_data_lie_where_the_system_keeps_them(
    environment: dict[str, str], platform: str, ends: str
) -> None:
    found = data_folder(environment, platform=platform)

    assert PurePosixPath(found.as_posix()).as_posix().endswith(ends)
