"""`mtquant risk explain` asks what a person has in mind, or says in one line why it cannot."""

from __future__ import annotations

import contextlib
import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from mtquant.app.commands.risk import command
from mtquant.app.config import LoadedConfig, load_config
from mtquant.app.risk.explaining import Explanation, explain
from mtquant.app.risk.held import Held
from mtquant.app.risk.hypothesis import Hypothesis
from mtquant.data import load_sample, save_bars
from mtquant.model import ConfigError, InputError, Side

if TYPE_CHECKING:
    from pathlib import Path

NOON_MS = int(dt.datetime(2017, 3, 1, 12, tzinfo=dt.UTC).timestamp() * 1000)
FIRM = {"prop": {"rules": "ftmo-2-step", "initial_deposit": 10_000}}


def bot(**risk: Any) -> LoadedConfig:
    return load_config(overrides={"risk": risk})


def found(loaded: LoadedConfig | None = None, **changes: Any) -> Explanation:
    usual = {"symbol": "EURUSD", "side": Side.BUY, "at_ms": NOON_MS, "stop_distance_points": 300}
    return explain(loaded or bot(), Hypothesis(**(usual | changes)))


def refused_by(one: Explanation) -> list[str]:
    return [finding.refusal.rule for finding in one.refused]


def told(one: Explanation, rule: str) -> str:
    return next(str(row.refusal) for row in one.findings if row.refusal.rule == rule)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--lots", "1e-12"], 1),
        (["--lots", "1e300"], 1),
        (["--price", "1e300"], 1),
        (["--price", "1e-9"], 1),
        (["--positions", "1000000000"], 2),
        (["--equity", "1e300"], 1),
        (["--loss", "1e300"], 1),
        (["--spread", "99999999999"], 1),
        (["--stop", "200000"], 1),
        (["--hold", "EURUSD buy"], 1),
        (["--hold", "EURUSD hold 1"], 1),
        (["--hold", "EURUSD buy x"], 1),
        (["--hold", "EURUSD buy 1e99"], 1),
        (["--hold", "EURUSD buy 1 stop 1.5"], 1),
        (["--hold", "EURUSD buy 1 stop -3"], 1),
        (["--hold", "EURUSD buy 1 by 3"], 1),
        (["--hold", "EURUSD buy 1 at 1 at 2"], 1),
        (["--hold", "XX buy 1"], 1),
    ],
    ids=lambda value: "_".join(value) if isinstance(value, list) else str(value),
)
def test_what_cannot_be_is_one_line_and_no_traceback(words: list[str], code: int) -> None:
    order = ["--symbol", "EURUSD", "--side", "buy", "--stop", "300", "--at", "2017-03-01T12:00"]

    done = CliRunner().invoke(command, ["explain", *order, *words])

    if code == 2:
        assert done.exit_code == 2
    else:
        assert isinstance(done.exception, InputError)
        assert words[0] in str(done.exception) or words[1].split()[0] in str(done.exception)
        assert "\n" not in str(done.exception)


@settings(deadline=None, max_examples=60)
@given(
    numbers=st.fixed_dictionaries(
        {},
        optional={
            "lots": st.floats(),
            "price": st.floats(),
            "equity": st.floats(),
            "loss": st.floats(),
            "stop_distance_points": st.integers(),
            "target_distance_points": st.integers(),
            "positions": st.integers(-2, 2000),
            "spread_points": st.integers(),
        },
    ),
    side=st.sampled_from(Side),
)
def test_any_numbers_are_answered_or_refused(numbers: dict[str, Any], side: Side) -> None:
    loaded = bot(max_gross_exposure_ratio="20x", min_margin_level_percent=200, **FIRM)

    with contextlib.suppress(InputError):
        found(loaded, **numbers, side=side).to_dict()


def test_the_price_band_compares_with_the_newest_close_of_that_moment() -> None:
    loaded = bot(price_band_fraction="2%")
    near = found(loaded, price=1.055)

    assert refused_by(near) == []
    assert "105" in told(near, "price_band")
    assert refused_by(found(loaded, price=1.2)) == ["price_band"]
    late = NOON_MS + 300 * 86_400_000
    assert refused_by(found(loaded, price=1.2, at_ms=late)) == []


def test_without_a_close_known_at_that_moment_there_is_nothing_to_compare() -> None:
    long_ago = found(price=1.5, at_ms=NOON_MS - 400 * 86_400_000)

    assert "nothing to compare" in told(long_ago, "price_band")
    with pytest.raises(ConfigError, match="--price: the configuration has no data of EURUSD at "):
        found(at_ms=NOON_MS - 400 * 86_400_000)


def test_without_a_price_the_data_of_that_moment_are_met() -> None:
    bars = load_sample()
    closed = int(bars.close[bars.time_ms <= NOON_MS - 3_600_000][-1])

    assert found(spread_points=7).stand.entry_points == closed + 7


def test_a_price_is_asked_about_although_the_data_are_not_there(tmp_path: Path) -> None:
    loaded = load_config(overrides={"data": {"path": str(tmp_path / "none.csv")}})

    assert "nothing to compare" in told(found(loaded, price=1.1), "price_band")


def test_who_lost_the_limit_of_the_day_is_refused() -> None:
    lost = found(loss=500.0)

    assert lost.stand.account.equity_minor == 950_000
    assert refused_by(lost) == ["max_daily_loss"]
    assert refused_by(found(loss=499.0)) == []


def test_an_equity_that_is_given_is_what_is_left_after_the_loss() -> None:
    after = found(loss=500.0, equity=10_000.0)

    assert after.stand.account.equity_minor == 1_000_000
    assert "limit 525.00 USD" in told(after, "max_daily_loss")


def test_the_room_of_a_firms_rules_shrinks_by_the_loss() -> None:
    loaded = bot(**FIRM, max_daily_loss_fraction="50%")  # 500 a day, 450 with the buffer

    assert refused_by(found(loaded, loss=300.0, lots=0.49)) == []
    assert refused_by(found(loaded, loss=300.0, lots=0.51)) == ["prop_rules"]


@pytest.fixture
def pair(tmp_path: Path) -> Any:
    """Return a maker of configurations with a second symbol that moves as the first does."""
    bars = load_sample()[:2_000]
    save_bars(bars, tmp_path / "EURUSD.npz")
    save_bars(replace(bars, symbol="GBPUSD"), tmp_path / "GBPUSD.npz")
    raw = load_config().raw
    spec = raw["venue"]["instruments"]["EURUSD"]
    instruments = {"EURUSD": spec, "GBPUSD": spec | {"base_currency": "GBP"}}
    lanes = [
        {"name": raw["strategy"]["name"], "exits": raw["exits"], "symbol": symbol}
        for symbol in instruments
    ]
    others = {key: value for key, value in raw.items() if key not in ("strategy", "exits")}
    data = [{"path": str(tmp_path / f"{symbol}.npz")} for symbol in instruments]
    venue = raw["venue"] | {"instruments": instruments}

    def make(**risk: Any) -> LoadedConfig:
        whole = others | {"data": data, "venue": venue, "strategies": lanes, "risk": risk}
        return load_config(raw=whole, folder=tmp_path)

    return make


def test_what_is_held_in_another_symbol_counts_with_value_margin_and_likeness(pair: Any) -> None:
    loaded = pair(max_positions=9, max_gross_exposure_ratio="20x", max_correlation="70%")
    held = (Held.parse("GBPUSD buy 0.5"),)

    one = found(loaded, held=held, lots=0.01)

    assert one.stand.account.margin_minor > 50_000
    assert told(one, "max_gross_exposure").startswith("max_gross_exposure: 5.")
    assert refused_by(one) == ["max_correlation"]
    assert "1.00 with GBPUSD" in told(one, "max_correlation")
    assert refused_by(found(loaded, held=(Held.parse("GBPUSD sell 0.5"),), lots=0.01)) == []


def test_reduce_leaves_less_of_a_size_beside_what_moves_alike(pair: Any) -> None:
    held = (Held.parse("GBPUSD buy 0.5"),)
    loaded = pair(max_positions=9, max_correlation="70%", on_correlation="reduce")

    assert found(loaded).to_dict()["size"]["volume_units"] > 0
    assert found(loaded, held=held).to_dict()["size"]["volume_units"] == 0


def test_what_is_held_loses_to_its_stop_by_a_firms_rules(pair: Any) -> None:
    loaded = pair(**FIRM, max_positions=9, max_daily_loss_fraction="50%")

    near = found(loaded, held=(Held.parse("GBPUSD buy 0.5 stop 300"),), lots=0.9)
    far = found(loaded, held=(Held.parse("GBPUSD buy 0.5 stop 600"),), lots=0.9)
    none = found(loaded, held=(Held.parse("GBPUSD buy 0.5"),), lots=0.9)

    assert refused_by(near) == []
    assert refused_by(far) == refused_by(none) == ["prop_rules"]
    assert "give it one" in told(none, "prop_rules")


def test_a_position_without_data_needs_a_price(pair: Any) -> None:
    loaded, early = pair(max_positions=9), NOON_MS - 400 * 86_400_000

    with pytest.raises(ConfigError, match=r"'GBPUSD buy 0\.5 at 1\.25'"):
        found(loaded, price=1.1, at_ms=early, held=(Held.parse("GBPUSD buy 0.5"),))
    held = (Held.parse("GBPUSD buy 0.5 at 1.25"),)
    (position,) = found(loaded, price=1.1, at_ms=early, held=held).stand.positions
    assert position.open_points == 125_000
