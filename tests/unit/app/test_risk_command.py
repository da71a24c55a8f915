"""`mtquant risk`: limits shown, orders explained, backtests with other limits side by side."""

from __future__ import annotations

import json
import re
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from journal_rows import a_deal

from mtquant.app.backtest import BacktestOptions, run_backtest_command
from mtquant.app.cli import cli
from mtquant.app.commands.risk import command
from mtquant.app.config import load_config
from mtquant.app.playing import play_plan
from mtquant.app.prop_rules import list_prop_rules
from mtquant.app.risk.choosing import make_variants, read_setting
from mtquant.app.risk.explaining import Explanation, explain
from mtquant.app.risk.hypothesis import Hypothesis
from mtquant.app.risk.keys import KEYS
from mtquant.app.risk.simulating import Tally, account_path, simulate
from mtquant.app.risk_limits import list_risk_presets
from mtquant.app.risk_wiring import make_loss_watch
from mtquant.app.wiring import make_plan
from mtquant.data import load_sample, save_bars
from mtquant.model import ConfigError, DealKind, InputError, Publish, Side
from mtquant.research.equity import bar_ends_ms
from mtquant.risk import Refusal, Sizing
from mtquant.risk.prop import Verdict
from mtquant.storage import SqliteJournal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mtquant.app.config import LoadedConfig

NOON_MS = 1_488_369_600_000  # 2017-03-01 12:00 UTC
ORDER = ["--symbol", "EURUSD", "--side", "buy", "--price", "1.1", "--at", "2017-03-01T12:00"]


def asked(*words: str) -> Any:
    """Return what `mtquant risk` did, errors as they were raised."""
    return CliRunner().invoke(command, words, standalone_mode=False)


def said(*words: str) -> str:
    """Return what it printed."""
    done = asked(*words)
    assert done.exception is None, done.exception
    return str(done.stdout)


def facts_of(*words: str) -> dict[str, Any]:
    """Return the one JSON object that it printed."""
    found: dict[str, Any] = json.loads(said(*words, "--json"))
    return found


def bot(risk: dict[str, Any] | None = None, **changes: Any) -> LoadedConfig:
    """Return the demo's configuration with limits and sections of its own."""
    loaded = load_config()
    return load_config(raw={**loaded.raw, "risk": risk or {}, **changes}, folder=loaded.folder)


def hypothesis(**changes: Any) -> Hypothesis:
    """Return a purchase of EURUSD at 1.1 with a stop loss."""
    usual = {
        "symbol": "EURUSD",
        "side": Side.BUY,
        "at_ms": NOON_MS,
        "price": 1.1,
        "stop_distance_points": 300,
    }
    return Hypothesis(**(usual | changes))


def refused_by(found: Explanation) -> list[str]:
    """Return the names of the rules that refuse."""
    return [one.refusal.rule for one in found.refused]


# ------------------------------------------------------------------------------------- show


@pytest.mark.parametrize("words", [(), ("--list",)])
def test_without_a_question_presets_and_prop_sets_are_listed(words: tuple[str, ...]) -> None:
    text, facts = said("show", *words), facts_of("show", *words)

    assert facts["presets"] == list(list_risk_presets())
    assert [one["name"] for one in facts["prop_rules"]] == list(list_prop_rules())
    assert all(name in text for name in (*list_risk_presets(), *list_prop_rules()))
    assert "Nothing is promised" in text


def test_limits_are_shown_with_value_unit_and_what_enforces_them() -> None:
    lines = [" ".join(line.split()) for line in said("show", "--preset", "plan-a").splitlines()]

    assert lines[0] == "Limits of the preset plan-a"
    assert "risk_per_trade_fraction 2% of equity sizing" in lines
    assert "max_gross_exposure_ratio 1.5 x equity max_gross_exposure" in lines
    assert "max_net_exposure_ratio off max_net_exposure (off)" in lines
    assert "directions both directions (off)" in lines
    assert "breaker.windows day, week, peak breaker, circuit breaker, sizing" in lines
    assert "fifo_no_hedge false fifo_no_hedge (off)" in lines
    assert "asset_classes none max_class_exposure, max_leverage" in lines
    assert lines[-1].endswith("free_margin, value_known")


def test_limits_stand_in_six_sections_in_the_order_of_the_file() -> None:
    lines = said("show", "--file", "config/risk-limits.yaml").splitlines()
    heads = [line for line in lines[2:] if re.fullmatch("[a-z_]+", line)]

    assert heads == ["position", "portfolio", "losses", "breaker", "strategy", "pre_trade"]


def test_json_names_every_key_with_its_rules_and_whether_it_acts() -> None:
    rows = {one["key"]: one for one in facts_of("show", "--preset", "esma-retail")["limits"]}

    assert {key.partition(".")[0] for key in rows} == set(KEYS)
    assert rows["max_leverage.crypto"] == {
        "section": "pre_trade",
        "key": "max_leverage.crypto",
        "value": 2.0,
        "unit": "times",
        "enforced_by": ["max_leverage"],
        "is_on": True,
    }
    assert rows["prop"]["enforced_by"] == ["prop_rules", "prop guard", "exits before breaks"]
    assert (rows["prop"]["is_on"], rows["prop"]["value"]) == (False, None)
    assert rows["sizing.method"]["value"] == "percent_at_risk"
    assert rows["trading_hours"]["value"] == []
    assert rows["max_holding_hours"]["is_on"] is False


def test_rules_without_a_key_are_named_and_value_known_only_with_exposure(tmp_path: Path) -> None:
    path = tmp_path / "bare.yaml"
    path.write_text("max_positions: 3\n", encoding="utf-8")

    assert "value_known" not in facts_of("show", "--file", str(path))["always_on"]
    assert "value_known" in facts_of("show", "--preset", "plan-a")["always_on"]


def test_the_limits_of_a_configuration_are_shown() -> None:
    facts = facts_of("show", "--config", "config/demo.yaml")

    assert facts["source"] == "config/demo.yaml"
    values = {one["key"]: one["value"] for one in facts["limits"]}
    assert (values["max_spread_points"], values["max_daily_loss_fraction"]) == (30, 0.05)


@pytest.mark.parametrize("name", list_prop_rules())
def test_rules_of_a_firm_are_shown_with_evidence_source_and_date(name: str) -> None:
    text, facts = said("show", "--prop", name), facts_of("show", "--prop", name)

    assert "Nothing is promised" in text
    assert f"checked {facts['checked']}" in text
    assert all(f"source: {one}" in text for one in facts["sources"])
    assert {one["level"] for one in facts["rules"]} <= {"OWN_PAGE", "REPORTED", "UNVERIFIED"}
    assert {"day"} < {one["rule"] for one in facts["rules"]}


def test_numbers_of_a_firm_are_told_as_they_are_written() -> None:
    told = {one["rule"]: one["says"] for one in facts_of("show", "--prop", "ftmo-2-step")["rules"]}

    assert told["phase Challenge"] == "target 10%, at least 4 trading days"
    assert told["phase FTMO Account"] == "no target stated, funded"
    assert told["max_loss"].startswith("kind nothing: it stands; allowance 10%;")
    assert "may_hold no; break_longer_than_minutes 120" in told["weekend"]
    assert told["leverage forex"] == "1:100"


def test_amounts_and_idle_days_of_a_firm_are_told(tmp_path: Path) -> None:
    rules = {
        "firm": "F",
        "programme": "P",
        "level": "reported",
        "checked": "2026-11",
        "sources": ["https://example.org"],
        "phases": [{"name": "One", "level": "unverified", "note": "recalled"}],
        "initial_minor": 5_000_000,
        "max_loss": {"kind": "static", "allowance_minor": 200_000},
        "inactivity_days": 30,
    }
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(rules), encoding="utf-8")

    text = said("show", "--prop", str(path))
    facts = facts_of("show", "--prop", str(path))

    assert "note: phase One: recalled" in text
    assert "left open by the source: nothing" in text
    told = {one["rule"]: (one["says"], one["level"]) for one in facts["rules"]}
    assert told["account size"] == ("5000000 minor units", "REPORTED")
    assert told["inactivity_days"] == ("30", "REPORTED")
    assert told["phase One"][1] == "UNVERIFIED"


def test_two_questions_at_once_are_refused() -> None:
    done = CliRunner().invoke(command, ["show", "--preset", "plan-a", "--prop", "e8-one"])

    assert done.exit_code == 2
    assert "one of --config" in done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--preset", "plan-b"), "did you mean 'plan-a'"),
        (("--prop", "ftmo-3-step"), "did you mean 'ftmo-2-step'"),
        (("--file", "nowhere.yaml"), "nowhere.yaml"),
        (("--config", "nowhere.yaml"), "nowhere.yaml"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(words: tuple[str, ...], told: str) -> None:
    done = asked("show", *words)

    assert isinstance(done.exception, ConfigError)
    assert told in str(done.exception)


@pytest.mark.parametrize(
    ("risk", "told"),
    [
        ({"prop": {"rules": "ftmo-3-step", "initial_deposit": 10_000}}, "'ftmo-2-step'"),
        (
            {"prop": {"rules": "ftmo-2-step", "phase": "Challange", "initial_deposit": 10_000}},
            "did you mean 'Challenge'",
        ),
        (
            {"prop": {"rules": "topstep-50k", "initial_deposit": 10_000}},
            "for accounts of 50000.00 USD, was 10000.00 USD",
        ),
        (
            {"prop": {"rules": "ftmo-2-step", "initial_deposit": 100_000}},
            "the account begins with 10,000.00 USD",
        ),
        ({"news_calendar": "nowhere.csv"}, "nowhere.csv"),
    ],
)
def test_limits_that_no_run_could_use_are_not_shown(config_path: Any, risk: Any, told: str) -> None:
    done = asked("show", "--config", str(config_path(risk)))

    assert isinstance(done.exception, InputError)
    assert told in str(done.exception)


def test_limits_with_a_firm_tell_which_of_its_rules_are_not_kept(config_path: Any) -> None:
    prop = {"rules": "the5ers-high-stakes", "initial_deposit": 10_000}
    path = str(config_path({"prop": prop}))

    text, facts = said("show", "--config", path), facts_of("show", "--config", path)

    assert "not kept by the bot: news (no news_calendar is configured)\n" in text
    assert "not kept by the bot: leverage (" in text
    assert [one["rule"] for one in facts["prop_not_kept"]] == [
        "weekend",
        "news",
        "news.covers_closing",
        "news.covers_stops",
        "leverage",
        "inactivity_days",
        "profitable_days",
    ]


def test_a_backtest_tells_which_rules_of_the_firm_are_not_kept(config_path: Any) -> None:
    prop = {"rules": "the5ers-high-stakes", "initial_deposit": 10_000}
    told: list[str] = []

    run_backtest_command(BacktestOptions(config=config_path(OWN | {"prop": prop})), told.append)

    assert "not kept by the bot: news (no news_calendar is configured)" in told


def test_a_firms_rules_tell_which_of_them_are_not_kept() -> None:
    text = said("show", "--prop", "the5ers-high-stakes")

    assert "not kept by the bot: inactivity_days (" in text
    assert "not kept by the bot: news (" not in text
    facts = facts_of("show", "--prop", "alpha-capital")
    assert [one["rule"] for one in facts["not_kept"]] == ["max_loss", "news", "weekend"]


# ------------------------------------------------------------------------------ show --dir


def folder_of(tmp_path: Path, risk: dict[str, Any]) -> tuple[Path, LoadedConfig]:
    """Return a bot's folder with a configuration and an open journal's file."""
    loaded = bot(risk)
    folder = tmp_path / "bot"
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps(loaded.facts()), encoding="utf-8")
    return folder, loaded


BREAKER = {
    "breaker": {"level_1_fraction": 0.02, "level_2_fraction": 0.04, "level_3_fraction": 0.06},
    "max_drawdown_fraction": "20%",
    "prop": {"rules": "ftmo-2-step", "initial_deposit": 10_000},
}


def test_a_bots_memory_is_read_beside_the_bot(tmp_path: Path) -> None:
    folder, loaded = folder_of(tmp_path, BREAKER)
    watch = make_loss_watch(loaded.config, loaded.folder)
    watch.observe(NOON_MS, 1_000_000, 1_000_000)
    watch.observe(NOON_MS + 60_000, 954_000, 954_000)
    with closing(SqliteJournal.open(folder / "journal.sqlite")) as journal:
        journal.record_risk(watch.state())
        journal.request_halt(2, "anna", "look", NOON_MS)

        text, facts = said("show", "--dir", str(folder)), facts_of("show", "--dir", str(folder))

    assert "halt level in force: 0" in text
    assert "asked for: halt level 2, by anna: look" in text
    assert "breaker: level 2 (level 2 reduce)" in text
    assert "since 2017-03-01 12:01:00 UTC: equity is 4.60% below the day's start" in text
    assert "may reset it from 2017-03-01 13:01:00 UTC on (not yet)" in text
    assert "day: began 2017-03-01 12:00:00 UTC with 10000.00 USD, lost 460.00 USD (4.60%)" in text
    assert "prop rules: FTMO 2-Step, stopped before the firm's line" in text
    assert "floor 9500.00 USD, with its buffer 9550.00 USD; equity is 40.00 USD above" in text
    assert "drawdown: 4.60% below the highest" in text
    assert facts["breaker"]["trigger_level"] == 2
    assert facts["prop"]["room_minor"] == 4_000
    assert facts["drawdown_fraction"] == pytest.approx(0.046)
    assert facts["seen_ms"] == NOON_MS + 60_000


def test_a_reset_that_is_due_and_a_broken_line_are_told(tmp_path: Path) -> None:
    folder, loaded = folder_of(tmp_path, BREAKER)
    watch = make_loss_watch(loaded.config, loaded.folder)
    watch.observe(NOON_MS, 1_000_000, 1_000_000)
    watch.observe(NOON_MS + 60_000, 930_000, 930_000)
    watch.observe(NOON_MS + 3_660_000, 930_000, 930_000)
    with closing(SqliteJournal.open(folder / "journal.sqlite")) as journal:
        journal.record_risk(watch.state())
        journal.request_halt(0, "anna", "looked", NOON_MS)

    text = said("show", "--dir", str(folder))

    assert "on (now)" in text
    assert "asked for: resume, by anna: looked" in text
    assert "failed; broken: daily_loss at 2017-03-01 12:01:00 UTC" in text


def test_a_breaker_that_has_not_risen_has_nothing_to_reset(tmp_path: Path) -> None:
    folder, loaded = folder_of(tmp_path, BREAKER)
    watch = make_loss_watch(loaded.config, loaded.folder)
    watch.observe(NOON_MS, 1_000_000, 1_000_000)
    with closing(SqliteJournal.open(folder / "journal.sqlite")) as journal:
        journal.record_risk(watch.state())

    text = said("show", "--dir", str(folder))

    assert "breaker: level 0 (normal)\n  day: began" in text
    assert "reset" not in text
    assert "FTMO 2-Step, ok\n" in text


def test_a_bot_that_watches_nothing_says_so(tmp_path: Path) -> None:
    folder, _ = folder_of(tmp_path, {})
    SqliteJournal.open(folder / "journal.sqlite").close()

    text, facts = said("show", "--dir", str(folder)), facts_of("show", "--dir", str(folder))

    assert "losses: nothing is recorded yet" in text
    assert "breaker: off\nprop rules: off\ndrawdown: off" in text
    assert (facts["breaker"], facts["prop"], facts["seen_ms"]) == (None, None, None)


def test_a_folder_without_a_journal_is_refused(tmp_path: Path) -> None:
    done = asked("show", "--dir", str(tmp_path))

    assert "there is no journal here" in str(done.exception)


# ---------------------------------------------------------------------------------- explain


def test_an_order_that_passes_is_told_rule_by_rule_with_its_size() -> None:
    text = said("explain", *ORDER, "--stop", "300", "--target", "600")

    assert "nothing is sent" in text
    assert "order: BUY EURUSD 0.33 lots at 1.10000, stop 1.09700 (300 points)" in text
    assert "target 1.10600 (600 points), spread 10 points" in text
    assert "account: equity 10000.00 USD, nothing held, at 2017-03-01 12:00:00 UTC" in text
    assert "size by percent at risk: 0.33 lots: risk 1.00% = 100.00 USD" in text
    assert re.search(r"pass +max_spread +10 points +30 points +33% of the most", text)
    assert "It passes all" in text
    assert re.search(r"What would pass: up to \d+\.\d+ lots", text)


def test_an_order_that_is_refused_is_told_with_every_reason_and_what_would_pass() -> None:
    words = [*ORDER, "--stop", "300", "--positions", "1", "--loss", "600", "--lots", "0.5"]

    text = said("explain", *words)

    assert "1 held of EURUSD, like the order" in text
    assert "600.00 USD lost today" in text
    assert re.search("FAIL +max_positions", text)
    assert "max_daily_loss: 600.00 USD (limit 500.00 USD" in text
    assert "What would pass: no volume; refused by max_positions, max_daily_loss." in text


def test_json_holds_the_same_in_whole_numbers() -> None:
    facts = facts_of("explain", *ORDER, "--stop", "300")

    assert (facts["entry_points"], facts["stop_loss_points"]) == (110_000, 109_700)
    assert facts["passes"] is True
    assert facts["volume_units"] == facts["size"]["volume_units"] == 33_000_000
    assert facts["size"]["risk_minor"] == 10_000
    assert facts["largest_volume_units"] > 33_000_000
    spread = next(one for one in facts["rules"] if one["rule"] == "max_spread")
    assert (spread["of_limit"], spread["limit_is"]) == (pytest.approx(1 / 3), "most")


def test_without_a_stop_loss_there_is_no_size_and_the_smallest_volume_is_judged() -> None:
    facts = facts_of("explain", *ORDER)

    assert facts["volume_units"] == 1_000_000
    assert facts["size"]["refusal"] == "stop_loss: none (limit required); give --stop"
    assert facts["refuse_every_volume"] == ["stop_loss"]
    assert "size by percent at risk: none: stop_loss" in said("explain", *ORDER)


def test_a_sale_meets_the_bid_and_its_stop_lies_above() -> None:
    found = explain(bot(), hypothesis(side=Side.SELL, target_distance_points=200))

    assert found.stand.quote.bid_points == found.stand.entry_points == 110_000
    assert (found.stand.stop_points, found.stand.target_points) == (110_300, 109_800)


def test_without_a_price_the_last_of_the_data_by_that_moment_is_met() -> None:
    stand = explain(bot(), hypothesis(price=None, spread_points=7)).stand

    assert stand.quote.bid_points == 105_346
    assert stand.entry_points == 105_353


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"symbol": "EURUSDX"}, "did you mean 'EURUSD'"),
        ({"price": 0.00005}, "a bid of -5 points"),
    ],
)
def test_what_cannot_be_asked_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(Exception, match=told):
        explain(bot(), hypothesis(**changes))


def two_symbols(**account: Any) -> LoadedConfig:
    """Return the demo's configuration with symbols that have no data of their own."""
    raw = load_config().raw
    venue = raw["venue"]
    usual = {"digits": 5, "contract_size": 100_000, "base_currency": "GBP"}
    more = {
        "GBPUSD": usual | {"profit_currency": "USD"},
        "GBPCHF": usual | {"profit_currency": "CHF"},
        "USDCHF": usual | {"base_currency": "USD", "profit_currency": "CHF"},
    }
    instruments = venue["instruments"] | more
    spec = venue["account"] | account
    return bot(venue=venue | {"instruments": instruments, "account": spec})


def test_a_symbol_without_data_needs_a_price() -> None:
    loaded = two_symbols()

    with pytest.raises(ConfigError, match="--price: the configuration has no data of GBPUSD"):
        explain(loaded, hypothesis(symbol="GBPUSD", price=None))
    assert explain(loaded, hypothesis(symbol="GBPUSD")).largest_units > 0


def test_money_that_converts_at_another_pairs_quotes_is_refused() -> None:
    with pytest.raises(
        ConfigError, match="GBPCHF: its money converts at the quotes of GBPUSD, USDCHF"
    ):
        explain(two_symbols(), hypothesis(symbol="GBPCHF"))


def test_a_netting_account_holds_no_positions_beside_the_order() -> None:
    loaded = two_symbols(margin_mode="netting")

    with pytest.raises(ConfigError, match="--positions, --hold: on a netting account"):
        explain(loaded, hypothesis(positions=1))
    assert not refused_by(explain(loaded, hypothesis()))


def test_the_largest_volume_is_the_last_one_that_passes() -> None:
    loaded = bot({"max_position_exposure_ratio": "3x", "min_order_lots": 0.015})

    found = explain(loaded, hypothesis(lots=0.5))

    assert refused_by(found) == ["max_position_exposure"]
    assert found.largest_units == 27_000_000  # 0.27 lots x 1.1 = 29,700 of 30,000
    assert not refused_by(explain(loaded, hypothesis(lots=0.27)))
    assert refused_by(explain(loaded, hypothesis(lots=0.28))) == ["max_position_exposure"]


@pytest.mark.parametrize(
    ("risk", "changes", "rule", "of_limit", "is_least"),
    [
        ({"min_order_lots": 0.1}, {"lots": 0.2}, "min_order", 2.0, True),
        ({"min_reward_risk": 2.0}, {"target_distance_points": 300}, "min_reward_risk", 0.5, True),
        ({"min_account_equity": 5000.0}, {}, "min_equity", 2.0, True),
        ({}, {"loss": 100.0, "equity": 9900.0}, "max_daily_loss", 0.2, False),
        ({"max_drawdown_fraction": "10%"}, {"loss": 500.0}, "max_drawdown", 0.5, False),
        ({"max_gross_exposure_ratio": "11x"}, {"lots": 0.5}, "max_gross_exposure", 0.5, False),
        (
            {"max_currency_exposure_ratio": "11x"},
            {"lots": 0.5},
            "max_currency_exposure",
            0.5,
            False,
        ),
        ({"price_band_fraction": "5%"}, {"price": 1.08}, "price_band", 2_654 / 5_267.3, False),
    ],
)  # fmt: skip
def test_how_far_the_limit_is(
    risk: dict[str, Any], changes: dict[str, Any], rule: str, of_limit: float, is_least: bool
) -> None:
    found = explain(bot(risk), hypothesis(**changes))
    (one,) = [one for one in found.findings if one.refusal.rule == rule]

    assert one.of_limit == pytest.approx(of_limit)
    assert one.is_least is is_least


def test_a_limit_without_a_number_has_no_distance() -> None:
    risk = {"price_band_fraction": None, "trading_hours": ["mon-fri 08:00-20:00"]}
    found = explain(bot(risk), hypothesis())
    told = {one.refusal.rule: one.of_limit for one in found.findings}

    assert "price_band" not in told
    assert told["halt"] is told["quote"] is told["trading_hours"] is told["volume"] is None


def test_positions_count_with_their_margin_and_value() -> None:
    loaded = bot({"max_positions": 5, "max_gross_exposure_ratio": "50x"})

    found = explain(loaded, hypothesis(lots=0.5, positions=2))

    assert found.stand.account.margin_minor == 2 * 55_000
    gross = next(one for one in found.findings if one.refusal.rule == "max_gross_exposure")
    assert gross.refusal.value == "16.50 x equity"


def test_a_breaker_that_the_loss_trips_leaves_less_or_nothing() -> None:
    loaded = bot(BREAKER | {"prop": None, "max_daily_loss_fraction": "50%"})

    warned = explain(loaded, hypothesis(equity=9_700.0, loss=300.0))
    stopped = explain(loaded, hypothesis(equity=9_500.0, loss=500.0))

    assert isinstance(warned.size, Sizing)
    assert "x 0.75 breaker" in warned.size.explanation
    assert refused_by(warned) == []
    assert refused_by(stopped) == ["breaker"]


def test_rules_of_a_firm_look_at_the_loss_at_all_stops() -> None:
    loaded = bot({"prop": BREAKER["prop"], "max_positions": 9})

    assert refused_by(explain(loaded, hypothesis(lots=1.5))) == []  # 450 USD: as far as it may
    assert refused_by(explain(loaded, hypothesis(lots=1.51))) == ["prop_rules"]
    assert refused_by(explain(loaded, hypothesis(lots=0.8, positions=1))) == ["prop_rules"]
    bare = explain(loaded, hypothesis(stop_distance_points=None))
    assert refused_by(bare) == ["prop_rules", "stop_loss"]


def test_positions_count_as_entries_of_today_and_a_loss_as_one_of_the_week() -> None:
    loaded = bot({"max_positions": 9, "max_entries_per_day": 2, "max_entries_in_a_row": 3})
    weekly = bot({"max_daily_loss_fraction": "9%", "max_weekly_loss_fraction": "10%"})

    assert refused_by(explain(loaded, hypothesis(positions=1))) == []
    assert refused_by(explain(loaded, hypothesis(positions=2))) == ["max_entries_per_day"]
    assert refused_by(explain(loaded, hypothesis(positions=3))) == [
        "max_entries_per_day",
        "max_entries_in_a_row",
    ]
    assert refused_by(explain(weekly, hypothesis(equity=9e3, loss=1e3))) == [
        "max_daily_loss",
        "max_weekly_loss",
    ]


@pytest.mark.parametrize(
    ("hours", "refused"),
    [("mon-fri 13:00-15:00", []), ("mon-fri 11:00-13:00", ["trading_hours"])],
)
def test_hours_are_those_of_the_server(hours: str, refused: list[str]) -> None:
    # 12:00 UTC is 14:00 at a server in Eastern Europe
    assert refused_by(explain(bot({"trading_hours": [hours]}), hypothesis())) == refused


def test_news_refuse_by_the_own_window_and_by_a_firms(tmp_path: Path) -> None:
    path = tmp_path / "calendar.csv"
    path.write_text("time,currency,impact,title\n2017-03-01T12:04Z,USD,high,ISM\n", "utf-8")
    calendar = {"news_calendar": str(path)}
    firm = {"prop": {"rules": "e8-classic", "phase": "Funded", "initial_deposit": 10_000}}

    own = explain(bot(calendar | {"news_minutes_before": 5}), hypothesis())
    late = explain(bot(calendar | {"news_minutes_before": 3}), hypothesis())
    firms = explain(bot(calendar | firm | {"news_minutes_before": 3}), hypothesis())

    assert [str(one.refusal) for one in own.refused] == [
        "news: USD ISM (limit none near); entries return when its window is over"
    ]
    assert refused_by(late) == []
    assert [one.refusal.value for one in firms.refused] == ["news: USD ISM"]


def test_a_method_that_goes_by_the_atr_is_given_one() -> None:
    loaded = bot({"sizing": {"method": "volatility"}})

    assert isinstance(explain(loaded, hypothesis()).size, Refusal)
    sized = explain(loaded, hypothesis(atr_points=150.0)).size
    assert isinstance(sized, Sizing)
    assert "ATR 150 x 2" in sized.explanation


@pytest.mark.parametrize("name", ["lots", "price", "equity", "loss", "atr", "volatility"])
@pytest.mark.parametrize("word", ["nan", "inf"])
def test_what_is_no_number_is_refused(name: str, word: str) -> None:
    done = asked("explain", *ORDER, "--stop", "300", f"--{name}", word)

    assert isinstance(done.exception, ConfigError)
    assert f"{word} is no finite number" in str(done.exception)


def test_without_equity_nothing_passes_and_the_json_stays_json() -> None:
    words = ["--stop", "300", "--equity", "0", "--config", "config/demo.yaml"]
    rows = facts_of("explain", *ORDER, *words)

    assert rows["passes"] is False
    found = explain(bot({"max_gross_exposure_ratio": "5x"}), hypothesis(equity=0.0, lots=0.1))
    gross = next(one for one in found.findings if one.refusal.rule == "max_gross_exposure")
    assert (gross.passes, gross.of_limit) == (False, None)
    json.dumps(found.to_dict(), allow_nan=False)


LEVERED = bot(
    {
        "price_band_fraction": None,
        "max_position_exposure_ratio": "3x",
        "min_margin_level_percent": 300.0,
    }
)


@settings(deadline=None, max_examples=60)
@given(
    equity=st.floats(200.0, 1e6),
    price=st.floats(0.5, 2.0),
    side=st.sampled_from(Side),
)
def test_the_volume_that_would_pass_passes_and_one_step_more_does_not(
    equity: float, price: float, side: Side
) -> None:
    order = hypothesis(equity=equity, price=price, side=side, lots=0.01)

    largest = explain(LEVERED, order).largest_units

    if largest:
        lots = largest / 1e8
        assert not refused_by(explain(LEVERED, replace(order, lots=lots)))
        assert refused_by(explain(LEVERED, replace(order, lots=lots + 0.01)))
    else:
        assert refused_by(explain(LEVERED, order))


@pytest.mark.parametrize("words", [["--lots", "0"], ["--stop", "0"], ["--side", "up"]])
def test_numbers_that_mean_nothing_are_wrong_usage(words: list[str]) -> None:
    assert CliRunner().invoke(command, ["explain", *ORDER, *words]).exit_code == 2


def test_without_a_moment_it_is_now() -> None:
    facts = facts_of("explain", *ORDER[:-2], "--stop", "300")

    assert facts["time_ms"] > NOON_MS


# --------------------------------------------------------------------------------- simulate


@pytest.fixture(scope="module")
def bars_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with the first 1,500 bars of the sample."""
    path = tmp_path_factory.mktemp("bars") / "bars.npz"
    save_bars(load_sample()[:1_500], path)
    return path


@pytest.fixture
def config_path(tmp_path: Path, bars_path: Path) -> Callable[[dict[str, Any]], Path]:
    """Return a maker of configurations with limits, over those bars."""

    def make(risk: dict[str, Any]) -> Path:
        raw = load_config().raw | {"risk": risk, "data": {"path": str(bars_path)}}
        path = tmp_path / "bot.yaml"
        path.write_text(yaml.safe_dump(dict(raw)), encoding="utf-8")
        return path

    return make


OWN = {"max_spread_points": 30}


def test_the_own_limits_give_the_trades_of_the_backtest(config_path: Any) -> None:
    path = config_path(OWN)

    (run,) = simulate(make_variants(load_config(path)))

    played = play_plan(make_plan(load_config(path)), lambda _line: None)
    assert run.summary == played.summary
    assert (run.name, run.tally.refused, run.evaluation) == ("own", 0, None)


def test_other_limits_stand_beside_the_own_ones(config_path: Any, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text("portfolio: {max_positions: 1}\n", encoding="utf-8")
    words = ["--config", str(config_path(OWN)), "--file", str(other), "--preset", "plan-a"]

    text = said("simulate", *words)
    runs = facts_of("simulate", *words)["runs"]

    assert [run["limits"] for run in runs] == ["own", "preset plan-a", f"file {other}"]
    assert runs[0]["summary"]["trades"] == runs[2]["summary"]["trades"] > 0
    assert runs[1]["summary"]["trades"] == 0
    refused = runs[1]["refused_by_rule"]
    assert refused["max_gross_exposure"] == runs[1]["refused_entries"] > 0
    assert re.search(r" +own +\[1\] +\[2\]\n", text)
    assert re.search(rf"by max_gross_exposure +0 +{refused['max_gross_exposure']} +0\n", text)
    assert "[1]: preset plan-a" in text
    assert "undefined" not in text
    assert "dry evaluation" not in text


def test_a_breaker_that_trips_is_told_with_its_halt(config_path: Any) -> None:
    ladder = {"level_1_fraction": 0.011, "level_2_fraction": 0.01101, "level_3_fraction": 0.01102}
    path = config_path(OWN | {"breaker": ladder})

    text = said("simulate", "--config", str(path))
    (run,) = facts_of("simulate", "--config", str(path))["runs"]

    assert run["breaker_steps"]
    assert run["halts"] == [f"level 3: {run['breaker_steps'][-1].partition(': ')[2]}"]
    assert f"  halt {run['halts'][0]}" in text
    assert f"  breaker {run['breaker_steps'][0]}" in text
    assert run["signals"] > run["summary"]["trades"] + run["refused_entries"]


def test_settings_change_the_own_limits_where_no_others_are_named(config_path: Any) -> None:
    path = config_path(OWN | {"sizing": {"max_lots": 2.0}})
    words = ["max_spread_points=5", "sizing.max_lots=0.5", "pre_trade.max_quote_age_s=9"]

    own, other = make_variants(load_config(path), settings=words)

    assert (
        other.name == "own, max_spread_points=5, sizing.max_lots=0.5, pre_trade.max_quote_age_s=9"
    )
    assert own.loaded.config.risk.max_spread_points == 30
    changed = other.loaded.config.risk
    assert (changed.max_spread_points, changed.max_quote_age_s) == (5, 9)
    assert changed.sizing.max_lots == 0.5


def test_settings_come_over_every_other_set(config_path: Any) -> None:
    found = make_variants(
        load_config(config_path(OWN)), ["plan-a", "conservative"], settings=["max_positions=7"]
    )

    assert [one.loaded.config.risk.max_positions for one in found] == [1, 7, 7]
    assert [one.loaded.config.risk.max_spread_points for one in found] == [30, 50, 30]


def test_a_setting_inside_a_key_leaves_the_keys_beside_it() -> None:
    settings_ = ["breaker.cool_down_minutes=5"]
    _, other = make_variants(load_config(), ["conservative"], settings=settings_)

    breaker = other.loaded.config.risk.breaker
    assert breaker is not None
    assert (breaker.cool_down_minutes, breaker.level_1_fraction) == (5, 0.03)


def test_the_path_holds_a_deal_of_a_bars_last_millisecond(config_path: Any) -> None:
    plan = make_plan(load_config(config_path(OWN)))
    at_ms = int(bar_ends_ms(plan.bars)[0])
    paid = a_deal(1, time_ms=at_ms, kind=DealKind.BALANCE, side=None, profit_minor=1_000)

    first, second, *_ = account_path(plan, [paid])

    assert (first.time_ms, first.balance_minor, first.equity_minor) == (at_ms, 1_000, 1_000)
    assert second.balance_minor == 1_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("max_positions=3", {"max_positions": 3}),
        ("max_daily_loss_fraction = 2%", {"max_daily_loss_fraction": "2%"}),
        ("risk_per_trade_fraction=0.0005 = 0.05%", {"risk_per_trade_fraction": "0.0005 = 0.05%"}),
        ("breaker.level_1_fraction=3%", {"breaker": {"level_1_fraction": "3%"}}),
        ("losses.max_drawdown_fraction=null", {"max_drawdown_fraction": None}),
    ],
)
def test_a_setting_is_read_as_a_file_would_be(text: str, expected: dict[str, Any]) -> None:
    assert read_setting(text) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("max_positions", "write it as KEY=VALUE"),
        ("=3", "write it as KEY=VALUE"),
        ("sizing..lots=3", "write it as KEY=VALUE"),
        ("losses.max_positions=3", "belongs to the section 'portfolio'"),
        ("max_positions={", "not valid YAML"),
    ],
)
def test_a_setting_that_cannot_be_read_is_refused(text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(told)):
        read_setting(text)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--set", "max_position=3"], "own, max_position=3: risk.max_position: unknown key"),
        (["--preset", "plan-b"], "did you mean 'plan-a'"),
        (["--prop", "ftmo-3-step"], "did you mean 'ftmo-2-step'"),
        (["--prop", "ftmo-2-step", "--phase", "Challange"], "did you mean 'Challenge'"),
        (["--prop", "topstep-50k"], "initial_deposit"),
    ],
)
def test_what_cannot_be_simulated_is_refused(config_path: Any, words: list[str], told: str) -> None:
    done = asked("simulate", "--config", str(config_path(OWN)), *words)

    assert isinstance(done.exception, ConfigError)
    assert told in str(done.exception)


def test_would_it_have_passed_is_answered_for_every_run(config_path: Any) -> None:
    words = ["--config", str(config_path(OWN)), "--preset", "plan-a", "--prop", "ftmo-2-step"]

    text, runs = said("simulate", *words), facts_of("simulate", *words)["runs"]

    assert [run["prop_verdict"] for run in runs] == ["not finished", "not finished"]
    assert runs[0]["prop_words"][0] == "FTMO 2-Step, Challenge: not finished."
    net = runs[0]["summary"]["net_profit"]
    assert f"Profit {net:.2f}" in " ".join(runs[0]["prop_words"])
    assert "judges the closes of bars" in text
    assert "Nothing is promised" in text


def test_a_run_that_falls_below_a_firms_line_has_failed(config_path: Any) -> None:
    path = config_path(
        OWN | {"risk_per_trade_fraction": "0.1 = 10%", "max_daily_loss_fraction": "90%"}
    )

    (run,) = facts_of("simulate", "--config", str(path), "--prop", "ftmo-2-step")["runs"]

    assert run["prop_verdict"] == "failed"
    assert "is below the floor of" in run["prop_words"][1]


def test_limits_that_name_a_firm_are_judged_by_its_rules_and_phase(config_path: Any) -> None:
    prop = {"rules": "ftmo-2-step", "phase": "Verification", "initial_deposit": 10_000}
    (run,) = simulate(make_variants(load_config(config_path(OWN | {"prop": prop}))))

    assert run.evaluation is not None
    assert run.evaluation.phase == "Verification"


def test_a_firms_rules_in_a_file_beside_the_configuration_are_found(
    config_path: Any, tmp_path: Path
) -> None:
    rules = {
        "firm": "Near",
        "programme": "P",
        "level": "reported",
        "checked": "2026-11",
        "sources": ["https://example.org"],
        "phases": [{"name": "One", "profit_target_fraction": "0.001 = 0.1%"}],
        "max_loss": {"kind": "static", "allowance_fraction": 0.1},
    }
    (tmp_path / "near.yaml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    prop = {"rules": "near.yaml", "initial_deposit": 10_000}

    (run,) = simulate(make_variants(load_config(config_path(OWN | {"prop": prop}))))

    assert run.evaluation is not None
    assert run.evaluation.title == "Near P"
    assert run.evaluation.verdict is Verdict.PASSED


def test_what_a_firms_line_led_to_is_counted() -> None:
    tally = Tally()

    for what in ("stop before the firm's line", "breach"):
        fields = {"rule": "daily_loss", "what": what}
        tally.take(Publish(name="prop_rule_met", time_ms=0, correlation_id="prop", fields=fields))
    tally.take(Publish(name="signal_raised", time_ms=0, correlation_id="", fields={}))

    assert tally.signals == 1
    assert tally.prop_events == ["daily_loss: stop before the firm's line", "daily_loss: breach"]
    assert (tally.refused, tally.halts, tally.breaker_steps) == (0, [], [])


# ------------------------------------------------------------------------------ the program


def test_the_program_knows_the_command_and_its_three_questions() -> None:
    listed, helped = (CliRunner().invoke(cli, words) for words in (["--help"], ["risk", "--help"]))

    assert re.search(r"risk +Show limits", listed.output)
    assert all(word in helped.output for word in ("explain", "show", "simulate"))
    assert CliRunner().invoke(cli, ["risk", "show"], standalone_mode=False).exit_code == 0
