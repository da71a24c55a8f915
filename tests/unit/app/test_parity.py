"""The parity command: equal runs, signals at odds, look-ahead, differences named with reasons."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from click.testing import CliRunner
from opinionated import EVERY, ODD

from mtquant.app.commands.parity import command
from mtquant.app.config import load_config
from mtquant.app.parity import check, opinions
from mtquant.app.parity.check import Parity, compare_ways, cut_to
from mtquant.app.parity.difference import first_difference
from mtquant.app.parity.opinions import cut_points
from mtquant.app.parity.show import facts_of, show_parity
from mtquant.app.parity.ways import COMPILED, INTERPRETED, LIVE, PlayedWay, play_backtest
from mtquant.app.wiring import Plan, make_plan
from mtquant.engine.kernels import is_available
from mtquant.exchange.ledger import Ledger
from mtquant.model import ConfigError, StrategyError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mtquant.model import Deal

BARS = 300


def plan_of(name: str = "Turns", *, bars: int = BARS, **account: Any) -> Plan:
    """Return the shipped configuration with a strategy of these tests, over its first bars."""
    raw = dict(load_config().raw)
    raw["strategy"] = {"name": f"opinionated:{name}"}
    raw["venue"] = raw["venue"] | {"account": raw["venue"]["account"] | account}
    return cut_to(make_plan(load_config(raw=raw)), bars)


def compared(plan: Plan, live_bars: int | None = None) -> Parity:
    return compare_ways(plan, live_bars, lambda _: None)


def named(found: Parity, name: str) -> opinions.SignalFinding:
    return next(one for one in found.opinions if one.name == name)


def printed(found: Parity, capsys: pytest.CaptureFixture[str]) -> str:
    show_parity(found)
    return capsys.readouterr().out


def with_deals(played: PlayedWay, deals: Sequence[Deal]) -> PlayedWay:
    """Return a way as if it had made other deals."""
    ledger = Ledger(orders=played.ledger.orders, deals=list(deals))
    return replace(played, way="another way", ledger=ledger)


def test_all_ways_of_an_honest_strategy_are_equal() -> None:
    found = compared(plan_of())

    assert found.is_equal
    assert {INTERPRETED, LIVE} <= {one.played.way for one in found.ways}
    assert all(len(one.played.ledger.deals) > 10 for one in found.ways)


def test_the_command_ends_with_0_and_prints_one_json_object() -> None:
    done = CliRunner().invoke(
        command, ["--bars", "400", "--seed", "3", "--json"], standalone_mode=False
    )

    assert done.return_value == 0, done.output
    facts = json.loads(done.stdout)
    assert facts["equal"] is True
    assert (facts["bars"], facts["seed"]) == (400, 3)
    assert len({(way["trades_sha256"], way["equity_minor"]) for way in facts["ways"]}) == 1
    assert {one["verdict"] for one in facts["signals"]} == {"equal"}
    assert "live: 400 bars" in done.stderr


def test_signals_that_contradict_on_bar_are_named_with_the_bar() -> None:
    found = compared(plan_of("Contrary"))

    contradiction = named(found, opinions.SAME)
    assert not found.is_equal
    assert contradiction.bar == ODD
    assert f"bar {ODD}, 2017-" in contradiction.finding
    assert contradiction.finding.endswith("on_bar says LONG (my turn), signals say SHORT")
    assert named(found, opinions.NO_AHEAD).holds


def test_what_contradicting_signals_lead_to_is_shown_with_the_reasons_of_both_sides(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = compared(plan_of("Contrary"))

    parted = next(one for one in found.ways if one.played.way == INTERPRETED).difference
    assert parted is not None
    assert parted.bar == ODD + 1
    assert parted.time_ms == found.plan.bars.time_ms[ODD + 1]
    text = printed(found, capsys)
    assert "First difference: interpreted kernel, against backtest" in text
    assert "side: BUY in backtest, SELL in interpreted kernel" in text
    assert "signal_raised direction=LONG reason=my turn" in text
    assert f"bar {ODD}: the strategy says SHORT" in text
    assert "reason the bot, no level, asked no price" in text
    assert text.rstrip().endswith("Not equal.")


def test_it_is_said_at_how_many_bars_two_forms_are_at_odds() -> None:
    plan = plan_of()

    found = opinions.compare_with_on_bar(plan, np.zeros(BARS, dtype=np.int8))

    assert found.bar == EVERY
    assert found.finding.endswith("signals say nothing; they are at odds at 11 bars")


def test_a_strength_that_signals_cannot_say_is_named() -> None:
    hesitant = named(compared(plan_of("Hesitant")), opinions.SAME)

    assert hesitant.bar == ODD
    assert "on_bar says LONG with strength 0.5, signals say LONG" in hesitant.finding


def test_a_strategy_that_looks_ahead_is_found_and_its_bar_named() -> None:
    found = compared(plan_of("Prophet"))

    ahead = named(found, opinions.NO_AHEAD)
    close = found.plan.bars.close
    first = next(bar for bar in range(EVERY, BARS, EVERY) if close[bar + 1] > close[bar])
    assert not found.is_equal
    assert ahead.bar == first
    assert f"bar {first}, " in ahead.finding
    assert "they look ahead" in ahead.finding


def test_a_strategy_that_looks_ahead_cannot_do_so_live() -> None:
    found = compared(plan_of("Prophet"))

    live = next(one for one in found.ways if one.played.way == LIVE)
    assert live.difference is not None
    assert any("signal_raised" in line for line in live.difference.found.reasons)


def test_a_strategy_without_signals_is_compared_without_them() -> None:
    found = compared(plan_of("Silent"))

    assert found.is_equal
    assert found.opinions == ()
    assert {one.name for one in found.left_out} >= {opinions.SAME, opinions.NO_AHEAD}


def test_signals_of_the_wrong_shape_are_refused() -> None:
    with pytest.raises(StrategyError, match=r"Shapeless: signals must be int8\[300\]"):
        compared(plan_of("Shapeless"))


def test_a_run_that_kernels_do_not_know_is_compared_without_them() -> None:
    found = compared(plan_of(limit_requests_per_minute=100_000))

    assert found.is_equal
    why = {one.name: one.why for one in found.left_out}
    assert why == dict.fromkeys((INTERPRETED, COMPILED), "the account limits requests")


def test_what_the_live_runner_refuses_is_not_equal(capsys: pytest.CaptureFixture[str]) -> None:
    raw = dict(load_config().raw)
    instruments = {"EURUSD": raw["venue"]["instruments"]["EURUSD"] | {"margin_rates": [0.5] * 4}}
    raw["venue"] = raw["venue"] | {"instruments": instruments}

    found = compared(cut_to(make_plan(load_config(raw=raw)), BARS))

    assert not found.is_equal
    [refused] = [one for one in found.left_out if one.refuses]
    assert refused.name == LIVE
    text = printed(found, capsys)
    assert "live: REFUSED: EURUSD: margin of one lot is" in text


def test_without_numba_the_compiled_kernel_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "is_available", lambda: False)
    monkeypatch.setattr(check, "news", lambda: "numba is not installed")

    found = compared(plan_of())

    assert [(one.name, one.why) for one in found.left_out] == [(COMPILED, "numba is not installed")]
    assert COMPILED not in {one.played.way for one in found.ways}


@pytest.mark.skipif(not is_available(), reason="the extra `fast` (numba) is not installed")
def test_with_numba_nothing_is_left_out() -> None:
    assert compared(plan_of()).left_out == ()


def test_live_over_fewer_bars_is_compared_with_a_backtest_over_as_many() -> None:
    said: list[str] = []

    found = compare_ways(plan_of(), 120, said.append)

    assert found.is_equal
    bars = [(one.played.way, len(one.played.plan.bars)) for one in found.ways]
    assert bars[-2:] == [("backtest", 120), (LIVE, 120)]
    assert bars[0] == ("backtest", BARS)
    assert any("the first 120 of 300 bars" in line for line in said)


def test_long_runs_tell_how_far_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mtquant.app.parity.ways._LONG", {LIVE: 1, "backtest": 1})
    said: list[str] = []

    compare_ways(plan_of(), None, said.append)

    assert any(line.startswith("live: 50 %, 2017-") for line in said)
    assert any(line.startswith("backtest: 50 %, 2017-") for line in said)


def test_a_deal_at_another_price_is_named_with_its_field() -> None:
    played = play_backtest(plan_of(), lambda _: None)
    deals = played.ledger.deals
    other = replace(deals[4], price_points=deals[4].price_points + 1)

    parted = first_difference(played, with_deals(played, [*deals[:4], other, *deals[5:]]))

    assert parted is not None
    assert parted.record == "deal 4"
    [field] = parted.fields
    assert (field.name, field.reference, field.found) == (
        "price_points",
        deals[4].price_points,
        deals[4].price_points + 1,
    )
    assert "open 1." in parted.quotes
    assert "spread 10 points" in parted.quotes
    assert parted.reference.deals != parted.found.deals
    assert parted.reference.reasons == parted.found.reasons


def test_a_deal_that_one_way_lacks_is_named() -> None:
    played = play_backtest(plan_of(), lambda _: None)
    deals = played.ledger.deals

    parted = first_difference(played, with_deals(played, deals[:-1]))

    assert parted is not None
    assert parted.record == f"deal {len(deals) - 1}"
    assert {field.found for field in parted.fields} == {None}


def test_equal_deals_with_another_account_at_the_end_are_not_equal() -> None:
    played = play_backtest(plan_of(), lambda _: None)
    account = replace(played.account, equity_minor=played.account.equity_minor + 1)

    parted = first_difference(played, replace(played, account=account))

    assert parted is not None
    assert (parted.bar, parted.record) == (BARS - 1, "account at the end")
    assert [field.name for field in parted.fields] == ["equity_minor"]


def test_all_that_was_found_can_be_said_in_json() -> None:
    facts = json.loads(json.dumps(facts_of(compared(plan_of("Contrary")))))

    assert facts["equal"] is False
    parted = [way["difference"] for way in facts["ways"] if way["verdict"] == "DIFFERS"]
    assert all(one["bar"] == ODD + 1 for one in parted)
    assert facts["signals"][0]["bar"] == ODD


def test_cuts_are_made_behind_every_signal_and_are_drawn_by_the_seed() -> None:
    places = np.arange(10, 5_000, 7)

    found = cut_points(5_000, places, 1)

    assert set(places.tolist()) < set(found)
    assert found == cut_points(5_000, places, 1) != cut_points(5_000, places, 2)
    assert 1 <= min(found) <= max(found) <= 5_000


def test_too_many_signals_are_drawn_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opinions, "_ROWS", 100_000)
    places = np.arange(1, 5_001)

    assert 40 < len(cut_points(5_000, places, 1)) <= 40 + 32


def test_a_cut_that_leaves_one_bar_is_refused() -> None:
    with pytest.raises(ConfigError, match="--bars 1: a decision needs a bar after it"):
        plan_of(bars=1)


@pytest.mark.parametrize("bars", ["1", "0", "-5", "many"])
def test_the_command_refuses_so_few_bars(bars: str) -> None:
    done = CliRunner().invoke(command, ["--bars", bars])

    assert done.exit_code == 2
    assert "--bars" in done.stderr


def test_the_command_refuses_a_wrong_configuration(tmp_path: Path) -> None:
    path = tmp_path / "bot.yaml"
    path.write_text("strategy: {name: sma_crosover}\n", encoding="utf-8")

    done = CliRunner().invoke(command, ["--config", str(path)], standalone_mode=False)

    assert isinstance(done.exception, ConfigError)
    assert str(path) in str(done.exception)
