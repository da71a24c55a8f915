"""The shipped rule sets of prop firms load, and say where they are from and how surely."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from mtquant.app.prop_rules import list_prop_rules, load_prop_rules
from mtquant.model import ConfigError, ServerClock
from mtquant.risk.prop import Level, PropClock, PropGuard

if TYPE_CHECKING:
    from pathlib import Path

WANTED = (
    "alpha-capital",
    "arctic-funding-express",
    "breakout",
    "dominion",
    "e8-classic",
    "e8-one",
    "fintokei-protrader",
    "ftmo-1-step",
    "ftmo-2-step",
    "fundednext-stellar-1-step",
    "fundednext-stellar-2-step",
    "fundednext-stellar-instant",
    "fundednext-stellar-lite",
    "leveled-up-society",
    "myforexfunds",
    "the5ers-bootcamp",
    "the5ers-high-stakes",
    "the5ers-hyper-growth",
    "topstep-100k",
    "topstep-150k",
    "topstep-50k",
)
INCOMPLETE = {"dominion"}


def text_of(name: str) -> str:
    return (files("mtquant.app") / "presets" / "prop" / f"{name}.yaml").read_text(encoding="utf-8")


def test_the_shipped_rule_sets_are_listed_in_order():
    assert list_prop_rules() == WANTED


@pytest.mark.parametrize("name", WANTED)
def test_every_rule_set_names_source_date_and_level(name: str):
    found = load_prop_rules(name)

    assert all(re.fullmatch(r"https://\S+", source) for source in found.sources)
    assert re.fullmatch(r"2026-\d\d", found.checked)
    assert found.level in Level
    assert found.level_of("daily_loss") in Level
    assert name.split("-", maxsplit=1)[0] in found.title.lower().replace(" ", "")
    assert found.daily_loss or "daily_loss" in found.left_open or found.max_loss
    assert found.max_loss or "max_loss" in found.left_open


@pytest.mark.parametrize("name", WANTED)
def test_a_rule_that_is_there_is_not_called_open(name: str):
    found = load_prop_rules(name)
    stated = [rule for rule in found.left_open if getattr(found, rule, None) is not None]

    assert set(stated) <= {"day"}  # a clock there must be, its level says what it rests on
    assert all(found.level_of(rule) is Level.UNVERIFIED for rule in stated)


@pytest.mark.parametrize("name", [name for name in WANTED if name not in INCOMPLETE])
def test_an_account_can_be_guarded_in_every_phase(name: str):
    rules = load_prop_rules(name)
    initial = rules.initial_minor or 10_000_000
    clock = PropClock(rules.day, ServerClock("ny_plus_7"))
    for phase in rules.phases:
        guard = PropGuard(rules.for_phase(phase.name), initial, clock, buffer_fraction=0.1)
        guard.observe(1_767_614_400_000, initial, initial)

        assert guard.floor_minor < guard.buffered_floor_minor < initial
        assert guard.can_open(1_767_614_400_000, 1)


@pytest.mark.parametrize("name", sorted(INCOMPLETE))
def test_rules_without_their_number_guard_nothing_and_say_so(name: str):
    rules = load_prop_rules(name)

    with pytest.raises(ConfigError, match="the source leaves it open"):
        PropGuard(rules, 10_000_000, PropClock(rules.day))


def test_what_the_sources_print_is_kept():
    ftmo, stakes = load_prop_rules("ftmo-2-step"), load_prop_rules("the5ers-high-stakes")
    bootcamp = load_prop_rules("the5ers-bootcamp")

    assert [one.profit_target_fraction for one in ftmo.phases] == [0.1, 0.05, None]
    assert [one.min_trading_days for one in ftmo.phases] == [4, 4, 0]
    assert ftmo.for_phase("FTMO Account").news is not None
    assert ftmo.for_phase("Challenge").news is None
    assert ftmo.for_phase("Challenge").weekend is None
    assert stakes.profitable_days is not None
    assert (stakes.profitable_days.days, stakes.profitable_days.threshold_fraction) == (3, 0.005)
    assert bootcamp.stop_loss is not None
    assert (bootcamp.stop_loss.within_s, bootcamp.stop_loss.max_risk_fraction) == (180, 0.02)
    assert bootcamp.for_phase("Evaluation").daily_loss is None
    assert bootcamp.for_phase("Funded").daily_loss is not None
    sizes = [load_prop_rules(f"topstep-{size}k") for size in (50, 100, 150)]
    assert [one.initial_minor for one in sizes] == [5_000_000, 10_000_000, 15_000_000]
    assert [one.max_loss and one.max_loss.allowance_minor for one in sizes] == [
        200_000,
        300_000,
        450_000,
    ]


def test_sources_that_disagree_are_shipped_by_the_stricter_and_called_unverified():
    one, breakout = load_prop_rules("e8-one"), load_prop_rules("breakout")

    assert one.level is Level.UNVERIFIED
    assert one.daily_loss is not None
    assert one.max_loss is not None
    assert (one.daily_loss.allowance_fraction, one.max_loss.allowance_fraction) == (0.03, 0.04)
    assert breakout.daily_loss is not None
    assert breakout.daily_loss.allowance_fraction == 0.04


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(ConfigError, match="prop rules 'ftmo-2step': did you mean 'ftmo-2-step'"):
        load_prop_rules("ftmo-2step")


@pytest.mark.parametrize("as_text", [True, False])
def test_rules_of_an_own_file_are_loaded_by_its_path(tmp_path: Path, as_text: bool):
    path = tmp_path / "mine.yaml"
    path.write_text(text_of("ftmo-2-step").replace("firm: FTMO", "firm: Mine"), encoding="utf-8")

    assert load_prop_rules(str(path) if as_text else path).firm == "Mine"


@pytest.mark.parametrize("name", ["none.yaml", "none.yml", "folder/none", "folder\\none"])
def test_a_text_that_looks_like_a_path_is_one(name: str):
    with pytest.raises(ConfigError, match="the file cannot be read"):
        load_prop_rules(name)


def test_a_wrong_key_is_named_with_its_file(tmp_path: Path):
    path = tmp_path / "mine.yaml"
    path.write_text(text_of("ftmo-2-step").replace("static", "statik"), encoding="utf-8")

    with pytest.raises(ConfigError, match=r"mine\.yaml: max_loss\.kind: 'statik' is not one of"):
        load_prop_rules(path)
