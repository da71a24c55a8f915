"""Configuration files: the examples load, and the environment fills what it is asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mtquant.app.config import load_config
from mtquant.app.wiring import make_exits, make_plan, make_strategy, strategy_facts
from mtquant.broker import SymbolMapper
from mtquant.data import load_sample, save_bars
from mtquant.model import ConfigError

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = sorted((ROOT / "config").glob("*.yaml"))
BOTS = [path for path in EXAMPLES if path.name not in {"symbols.yaml", "risk-limits.yaml"}]


@pytest.mark.parametrize("path", BOTS, ids=lambda path: path.stem)
def test_every_example_of_a_bot_loads_and_can_be_built(path: Path) -> None:
    loaded = load_config(path)

    assert make_strategy(loaded.config).strategy_id
    assert make_exits(loaded.config)
    assert strategy_facts(loaded.config)["Seed"] == str(loaded.config.seed)


def test_the_example_of_a_symbol_map_loads() -> None:
    mapper = SymbolMapper(ROOT / "config" / "symbols.yaml")

    assert mapper.get_all_standard_symbols() == SymbolMapper().get_all_standard_symbols()


@pytest.mark.parametrize(
    ("example", "shipped"),
    [("demo.yaml", "app/presets/demo.yaml"), ("symbols.yaml", "broker/symbols.yaml")],
)
def test_an_example_and_what_is_shipped_are_one_text(example: str, shipped: str) -> None:
    ours = (ROOT / "src" / "mtquant" / shipped).read_text(encoding="utf-8")

    assert (ROOT / "config" / example).read_text(encoding="utf-8") == ours


def test_own_data_are_found_through_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_bars(load_sample()[:500], tmp_path / "mine.npz")
    monkeypatch.setenv("MTQUANT_BARS", str(tmp_path / "mine.npz"))

    plan = make_plan(load_config(ROOT / "config" / "own-data.yaml"))

    assert len(plan.bars) == 500
    assert plan.bars.content_hash() == load_sample()[:500].content_hash()


def test_a_secret_is_filled_from_the_environment_and_stays_out_of_the_stored_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MTQUANT_TEST_PASSWORD", "hunter22")
    raw = dict(load_config().raw)
    raw["venue"] = raw["venue"] | {
        "account": raw["venue"]["account"] | {"password": "${MTQUANT_TEST_PASSWORD}"}
    }

    loaded = load_config(raw=raw)

    assert loaded.config.venue.account.password == "hunter22"
    assert "hunter22" not in str(loaded.raw)


def test_a_default_stands_in_for_a_variable_that_is_not_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("MTQUANT_SEED_TEXT", raising=False)
    raw = dict(load_config().raw) | {"strategy": {"name": "${MTQUANT_SEED_TEXT:-sma_crossover}"}}

    assert load_config(raw=raw).config.strategy.name == "sma_crossover"


def test_the_fingerprint_changes_with_any_setting() -> None:
    prints = {load_config(overrides={"seed": seed}).fingerprint() for seed in range(5)}

    assert len(prints) == 5


def test_exits_without_a_stop_loss_are_refused() -> None:
    raw = dict(load_config().raw) | {"exits": {"atr_trailing_stop": {}}}

    with pytest.raises(ConfigError, match="stop_loss_take_profit is needed"):
        make_plan(load_config(raw=raw))


@pytest.mark.parametrize("name", ["os:path", "no.such.module:Thing", "json:JSONDecoder"])
def test_a_strategy_that_is_none_is_refused(name: str) -> None:
    raw = dict(load_config().raw) | {"strategy": {"name": name}}

    with pytest.raises(ConfigError, match=r"strategy\.name"):
        make_plan(load_config(raw=raw))


def test_a_number_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MTQUANT_TEST_LOGIN", "4711")
    raw = dict(load_config().raw)
    account = raw["venue"]["account"] | {"login": "${MTQUANT_TEST_LOGIN}", "leverage": "${X:-30}"}
    raw["venue"] = raw["venue"] | {"account": account}

    found = load_config(raw=raw).config.venue.account

    assert (found.login, found.leverage) == (4711, 30)


def test_a_text_from_the_environment_that_is_no_number_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MTQUANT_TEST_LOGIN", "forty")
    raw = dict(load_config().raw)
    account = raw["venue"]["account"] | {"login": "${MTQUANT_TEST_LOGIN}"}
    raw["venue"] = raw["venue"] | {"account": account}

    with pytest.raises(ConfigError, match=r"venue\.account\.login: expected a whole number"):
        load_config(raw=raw)


def test_what_a_run_remembers_holds_no_password_of_any_account() -> None:
    raw = dict(load_config().raw)
    usual = raw["venue"]["account"] | {"password": "seen-1", "investor_password": "seen-2"}
    more = [{"login": 5, "password": "seen-3", "investor_password": "seen-4"}]
    raw["venue"] = raw["venue"] | {"account": usual, "more_accounts": more}
    facts = json.dumps(load_config(raw=raw, folder=Path()).facts())

    assert "seen-" not in facts
    assert facts.count("***") == 4
