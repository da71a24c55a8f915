"""A sweep put together from a configuration."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mtquant.app.config import load_config
from mtquant.app.sweep import Period, make_setup, parse_period, run_setup
from mtquant.app.sweep.evaluator import BacktestEvaluator, KernelEvaluator, make_evaluator
from mtquant.app.sweep.lists import read_list
from mtquant.app.sweep.periods import make_windows
from mtquant.app.sweep.reasons import reason_of
from mtquant.app.wiring import make_plan, run_backtest
from mtquant.data import load_sample, save_bars
from mtquant.model import ConfigError, EvaluationError
from mtquant.research import summarise
from mtquant.research.sweep import FIGURES, make_grid, parse_axes
from mtquant.strategy import Strategy

FEW = Period(name="few", from_ms=1_483_920_000_000, to_ms=1_486_000_000_000)


def test_strategy_exits_and_limits_can_vary_by_their_names() -> None:
    names = list(make_setup().parameters)

    assert names[:2] == ["fast", "slow"]
    assert "exits.stop_loss_take_profit.stop_atr" in names
    assert "exits.atr_trailing_stop.distance_atr" in names
    assert "risk.risk_per_trade_fraction" in names


def test_a_trial_gives_what_a_backtest_of_that_configuration_gives() -> None:
    setup = make_setup(periods=[FEW])
    words = ["fast=5,12", "exits.stop_loss_take_profit.stop_atr=2", "risk.max_spread_points=40"]
    results = run_setup(setup, make_grid(parse_axes(words, setup.parameters)))
    plain = load_config().raw
    exits = {**plain["exits"]}
    exits["stop_loss_take_profit"] = {**exits["stop_loss_take_profit"], "stop_atr": 2.0}
    overrides: dict[str, Any] = {
        "strategy": {"name": "sma_crossover", "parameters": {"fast": 12, "slow": 50}},
        "exits": exits,
        "risk": {**plain["risk"], "max_spread_points": 40},
    }
    plan = make_plan(load_config(overrides=overrides))
    window = setup.windows[0]
    bars = plan.bars[window.start : window.stop]
    part = type(plan)(loaded=plan.loaded, bars=bars, fingerprint="")
    deals = run_backtest(part).book.ledger.deals
    whole = summarise(bars, deals, plan.config.venue).to_dict()

    assert {name: results.figure(name, 1) for name in FIGURES} == {n: whole[n] for n in FIGURES}
    assert whole["trades"] > 0


@pytest.mark.parametrize(
    ("combination", "said"),
    [
        ({"fast": 60}, "strategy.parameters.slow must be longer than fast (60), was 50"),
        (
            {"exits.stop_loss_take_profit.stop_points": 100},
            "exits.stop_loss_take_profit: give exactly one of stop_points and stop_atr",
        ),
        ({"risk.max_positions": 0}, "risk.max_positions must be at least 1, was 0"),
    ],
)
def test_values_that_do_not_go_together_are_refused_with_their_section(
    combination: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        BacktestEvaluator(load_config(), {}).check(combination)

    assert said in str(caught.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenParameters:
    at: int = 5


class Broken(Strategy):
    Parameters = BrokenParameters

    def on_bar(self, bars: Any) -> None:
        if bars.index == self.parameters.at:
            raise KeyError("missing")


def test_a_strategy_that_breaks_is_a_trial_without_a_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mtquant.app.wiring.STRATEGIES", {"broken": Broken})
    loaded = load_config(overrides={"strategy": {"name": "broken"}})
    evaluator = BacktestEvaluator(loaded, {"few": load_sample()[:300]})

    with pytest.raises(EvaluationError, match="KeyError: 'missing'"):
        evaluator.evaluate({"at": 7}, "few")
    assert evaluator.evaluate({"at": 1000}, "few").trades == 0


class Ticker(Strategy):
    """Look at ticks, and say nothing."""

    def on_bar(self, bars: Any) -> None:
        return None

    def on_tick(self, ticks: Any) -> None:
        return None


def test_trials_of_a_strategy_that_looks_at_ticks_are_run_event_by_event(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mtquant.app.wiring.STRATEGIES", {"ticker": Ticker})
    setup = make_setup(load_config(overrides={"strategy": {"name": "ticker"}}))

    assert setup.objections == ("ticker looks at ticks",)
    assert isinstance(make_evaluator(setup.loaded, {"all": setup.sources[0]}), BacktestEvaluator)


class Talkative(Strategy):
    Parameters = BrokenParameters

    def signals(self, columns: Any) -> Any:
        raise RuntimeError("\x1b[31mno\x1b[0m\n\nat line 7")

    def on_bar(self, bars: Any) -> None:
        raise RuntimeError("\x1b[31mno\x1b[0m\n\nat line 7")


@pytest.mark.parametrize("kind", [BacktestEvaluator, KernelEvaluator])
def test_of_what_a_strategy_raises_the_first_line_is_kept(
    monkeypatch: pytest.MonkeyPatch, kind: type[BacktestEvaluator] | type[KernelEvaluator]
) -> None:
    monkeypatch.setattr("mtquant.app.wiring.STRATEGIES", {"talkative": Talkative})
    loaded = load_config(overrides={"strategy": {"name": "talkative"}})

    with pytest.raises(EvaluationError) as caught:
        kind(loaded, {"few": load_sample()[:300]}).evaluate({"at": 7}, "few")
    assert str(caught.value) == "RuntimeError: no"


class Wordless(Exception):  # noqa: N818 - as a strategy may name its own
    def __str__(self) -> str:
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KeyError("missing"), "KeyError: 'missing'"),
        (ValueError("one\ntwo"), "ValueError: one"),
        (ValueError("\n \n  one\r\ntwo"), "ValueError: one"),
        (ValueError("\x1b[1m\x1b[31ma\x1b[0m\x07\tb\x1b]0;title\x07"), "ValueError: a b"),
        (ValueError("\ud800"), "ValueError:"),
        (ValueError(), "ValueError"),
        (Wordless(), "Wordless"),
    ],
)
def test_a_reason_is_the_class_and_the_first_line(error: Exception, said: str) -> None:
    assert reason_of(error) == said


def test_a_trial_too_large_for_the_kernel_is_run_event_by_event() -> None:
    raw = deepcopy(dict(load_config().raw))
    raw["venue"]["instruments"]["EURUSD"]["volume_max_lots"] = 1e7
    raw["exits"] = {"stop_loss_take_profit": {"stop_points": 200}}
    loaded = load_config(raw=raw, folder=Path())
    evaluator = make_evaluator(loaded, {"few": load_sample()[:900]})
    assert isinstance(evaluator, KernelEvaluator)
    far = {"exits.stop_loss_take_profit.target_points": 2**31 - 1}
    events = BacktestEvaluator(loaded, {"few": load_sample()[:900]})

    assert evaluator.play(evaluator._variants.of(far), "few") is None
    assert evaluator.evaluate(far, "few") == events.evaluate(far, "few")
    assert evaluator.evaluate(far, "few").trades > 0


def test_every_file_has_every_period_and_windows_have_names(tmp_path: Path) -> None:
    bars = load_sample()
    halves = [Period(name="first", to_ms=FEW.from_ms), Period(name="rest", from_ms=FEW.from_ms)]

    def names(count: int, periods: list[Period]) -> list[str]:
        return [window.name for window in make_windows([bars] * count, periods)]

    assert names(1, []) == ["all"]
    assert names(1, halves) == ["first", "rest"]
    assert names(2, []) == ["EURUSD H1 #1", "EURUSD H1 #2"]
    assert names(2, halves[:1]) == ["EURUSD H1 #1 first", "EURUSD H1 #2 first"]
    first, rest = make_windows([bars], halves)
    assert (first.start, first.stop, rest.stop) == (0, rest.start, len(bars))
    assert bars.time_ms[rest.start] >= FEW.from_ms > bars.time_ms[rest.start - 1]


def test_files_of_bars_take_the_place_of_the_configured_ones(tmp_path: Path) -> None:
    save_bars(load_sample()[:900], tmp_path / "a.npz")
    save_bars(load_sample()[900:1500], tmp_path / "b.npz")
    setup = make_setup(data=[tmp_path / "a.npz", tmp_path / "b.npz"])
    results = run_setup(setup, make_grid(parse_axes(["fast=5,9"], setup.parameters)))

    assert [len(bars) for bars in setup.sources] == [900, 600]
    assert [results.row(row)["window"] for row in range(4)] == [
        "EURUSD H1 #1",
        "EURUSD H1 #2",
    ] * 2


@pytest.mark.parametrize("names", [("a.npz", "a.npz"), ("a.npz", "b.npz", "c.npz")])
def test_two_files_with_the_same_bars_are_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name in ("a.npz", "c.npz"):
        save_bars(load_sample()[:900], tmp_path / name)
    save_bars(load_sample()[900:1500], tmp_path / "b.npz")

    with pytest.raises(ConfigError) as caught:
        make_setup(data=[tmp_path / name for name in names])
    first, last = tmp_path / names[0], tmp_path / names[-1]
    assert str(caught.value) == f"{last}: holds the same bars as {first}; give one of them"


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("spring", "write NAME=FROM..TO"),
        ("spring=2017-03-01", "write NAME=FROM..TO"),
        ("=2017-03-01..2017-04-01", "a window needs a name"),
        ("spring=2017-13-01..2017-04-01", "'2017-13-01' is no moment; write 2017-03-01"),
        ("spring=2017-04-01..2017-03-01", "ends 2017-03-01 00:00, not after it begins"),
        ("spring=2018-04-01..", "no bar of EURUSD lies in it; they go from 2017-01-01 22:00 to"),
    ],
)
def test_a_window_that_is_none_is_refused(word: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_windows([load_sample()], [parse_period(word)])

    assert said in str(caught.value)


def test_two_windows_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="window few: this name is given 2 times"):
        make_windows([load_sample()], [FEW, FEW])


def test_whatever_decides_about_results_changes_the_fingerprint() -> None:
    def fingerprint(word: str = "fast=5,9", seed: int = 1, **more: Any) -> str:
        setup = make_setup(load_config(overrides={"seed": seed}), **more)
        return setup.fingerprint(make_grid(parse_axes([word], setup.parameters)))

    found = [
        fingerprint(),
        fingerprint("fast=5,10"),
        fingerprint(seed=2),
        fingerprint(periods=[FEW]),
    ]
    assert len(set(found)) == 4
    assert fingerprint() == found[0]


def test_an_edited_strategy_changes_the_fingerprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "sweep_own_module.py"
    text = "from mtquant.strategy import SmaCrossover\n\nclass Own(SmaCrossover):\n    pass\n"
    own.write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    setup = make_setup(load_config(overrides={"strategy": {"name": "sweep_own_module:Own"}}))
    space = make_grid(parse_axes(["fast=5,9"], setup.parameters))
    before = setup.fingerprint(space)
    own.write_text(text + "# changed\n", encoding="utf-8")

    assert setup.fingerprint(space) != before


KNOWN = make_setup().parameters


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.csv", "fast,exits.stop_loss_take_profit.target_atr\n5,none\n\n8,2.5\n"),
        (
            "list.jsonl",
            (
                '{"fast": 5, "exits.stop_loss_take_profit.target_atr": null}\n\n'
                '{"fast": 8, "exits.stop_loss_take_profit.target_atr": 2.5}\n'
            ),
        ),
    ],
)
def test_a_list_is_read_from_either_kind_of_file(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    target = "exits.stop_loss_take_profit.target_atr"

    assert read_list(tmp_path / name, KNOWN) == [
        {"fast": 5, target: None},
        {"fast": 8, target: 2.5},
    ]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("list.txt", "fast\n5\n", "a list is a .csv or a .jsonl file"),
        ("list.csv", "", "the list holds no combinations"),
        ("list.csv", "fats\n5\n", "did you mean 'fast'"),
        ("list.csv", "fast,slow\n5\n", "row 1 has 1 values, the heading 2 names"),
        ("list.csv", "fast\n5\nten\n", "row 2: fast: expected a whole number, got 'ten'"),
        ("list.csv", 'fast\n"5\n', "this is not CSV"),
        ("list.csv", "fast,slow, fast\n5,9,6\n", "fast: is given 2 times; write it once"),
        ("list.csv", "fast,\n5,\n", "name 2 of 2 is empty"),
        ("list.csv", 'fast\n"5\n6"\n', "row 1: fast: expected a whole number, got '5\\n6'"),
        ("list.jsonl", "{\n", "line 1: this is not JSON"),
        ("list.jsonl", "[" * 100_000, "line 1: this is not JSON"),
        ("list.jsonl", "[5]\n", "line 1: this is no object"),
        ("list.jsonl", '\n{"fats": 5}\n', "line 2: fats: there is no such parameter; did you"),
        ("list.jsonl", '{"fast": 5, "fast": 6}\n', "line 1: fast: is given 2 times; write it"),
    ],
)
def test_a_list_that_cannot_be_read_is_refused(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_list(tmp_path / name, KNOWN)

    assert said in str(caught.value)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_list(tmp_path / f"absent-{Path(name).stem}.csv", KNOWN)
