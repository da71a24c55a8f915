"""What a sweep found: ranked, written, drawn."""

from __future__ import annotations

import csv
import math
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sweep_fakes import KNOWN, Fake, summary

from mtquant.model import ConfigError
from mtquant.research.sweep import (
    FIGURES,
    SweepResults,
    TrialState,
    View,
    find_figure,
    make_grid,
    parse_axes,
    render_sweep_report,
    run_sweep,
)
from mtquant.research.sweep.heat import heat_map, require_map
from mtquant.research.sweep.scale import edge_text, scale_of

if TYPE_CHECKING:
    from pathlib import Path

RESULTS = run_sweep(
    make_grid(parse_axes(["fast=1:12", "slow=4:20:4"], KNOWN)),
    Fake(fails_at=7),
    windows=("a", "bb"),
)
VIEW = View(by="net_profit", currency="USD")


def page(results: SweepResults = RESULTS, view: View = VIEW) -> str:
    return render_sweep_report("A <sweep>", results, view, facts={"Seed": "1"})


def sweep(*words: str) -> SweepResults:
    return run_sweep(make_grid(parse_axes(words, KNOWN)), Fake())


def test_every_figure_is_a_field_of_a_summary() -> None:
    fields = summary().to_dict()

    assert set(FIGURES) <= set(fields)
    left_out = {"currency", "currency_digits", "deposit", "trades_sha256"}
    assert set(fields) - set(FIGURES) == left_out | {"first_ms", "last_ms", "bars", "days"}


def test_ranking_puts_the_best_first_and_breaks_ties_by_number() -> None:
    rows = RESULTS.ranked("trades").tolist()
    trades = [RESULTS.figure("trades", row) for row in rows]

    assert trades == sorted(trades, reverse=True)  # type: ignore[type-var]
    for fast in range(1, 13):
        same = [row for row, count in zip(rows, trades, strict=True) if count == fast]
        assert same == sorted(same)


def test_ranking_knows_which_way_is_better() -> None:
    best = RESULTS.ranked("max_drawdown")[0]

    assert RESULTS.figure("max_drawdown", best) == np.nanmin(RESULTS.figures["max_drawdown"])


def test_what_is_undefined_or_has_too_few_trades_is_not_ranked() -> None:
    by_sharpe = RESULTS.ranked("sharpe")
    with_trades = RESULTS.ranked("net_profit", min_trades=9)

    assert all(RESULTS.combination(row)["fast"] % 5 for row in by_sharpe.tolist())  # type: ignore[operator]
    assert {RESULTS.combination(row)["fast"] for row in with_trades.tolist()} == {9, 10, 11, 12}
    with pytest.raises(ConfigError, match=r"sharp: there is no such figure; did you mean 'sharpe'"):
        RESULTS.ranked("sharp")


def test_a_table_has_every_trial_and_nothing_for_what_is_undefined(tmp_path: Path) -> None:
    RESULTS.to_csv(tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    assert [row["trial"] for row in rows] == [str(n) for n in range(1, 121)]
    assert {row["state"] for row in rows} == {"ok", "invalid", "failed"}
    for number, row in enumerate(rows):
        for name in FIGURES:
            value = RESULTS.figure(name, number)
            assert row[name] == ("" if value is None else repr(value))
    assert "nan" not in (tmp_path / "t.csv").read_text(encoding="utf-8").lower()


def test_a_row_has_none_for_what_is_undefined() -> None:
    rows = [RESULTS.row(row) for row in range(len(RESULTS))]

    assert [row["trial"] for row in rows] == list(range(1, 121))
    assert rows[8 * 5]["sharpe"] is None


def test_a_frame_has_a_row_per_trial() -> None:
    pytest.importorskip("pandas")
    frame = RESULTS.to_frame()

    assert frame.index.tolist() == list(range(1, 121))
    assert frame.loc[4, ["fast", "slow", "window", "state"]].tolist() == [1, 8, "bb", "ok"]
    assert frame["sharpe"].isna().sum() == 120 - len(RESULTS.ranked("sharpe"))


def test_a_parameter_called_like_a_figure_keeps_a_column_of_its_own(tmp_path: Path) -> None:
    clash = SweepResults(
        parameters={"trades": np.array([1, 2]), "plain": np.array([None, True], dtype=object)},
        windows=("all",),
        window=np.zeros(2, dtype=np.int32),
        states=np.zeros(2, dtype=np.uint8),
        figures={name: np.full(2, np.nan) for name in FIGURES},
        reasons={},
    )
    clash.to_csv(tmp_path / "t.csv")
    lines = (tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()

    assert lines[0].startswith("trial,window,parameter.trades,plain,state,net_profit")
    assert lines[1:] == ["1,all,1,none,ok" + "," * 21, "2,all,2,true,ok" + "," * 21]


def test_a_map_shows_the_best_of_what_else_varies() -> None:
    heat = heat_map(RESULTS, "net_profit")
    assert heat is not None

    assert (heat.across.name, heat.up.name, heat.others) == ("fast", "slow", (("window", 2),))
    for cell, value in enumerate(heat.values.tolist()):
        row, place = divmod(cell, 12)
        inside = [
            RESULTS.figure("net_profit", n)
            for n in range(120)
            if RESULTS.combination(n) == {"fast": place + 1, "slow": 4 * (row + 1)}
        ]
        known = [one for one in inside if one is not None]
        assert math.isnan(value) if not known else value == max(known)


def test_a_map_of_what_should_be_low_shows_the_lowest() -> None:
    results = sweep("fast=1:3", "slow=8,9")
    heat = heat_map(results, "max_drawdown", names=("slow", "fast"))
    assert heat is not None

    assert heat.values.tolist() == [1.0, 1.0, 0.5, 0.5, 1 / 3, 1 / 3]


def test_many_values_share_cells() -> None:
    heat = heat_map(sweep("fast=1:90"), "trades")
    assert heat is not None

    assert len(heat.across.labels) == len(heat.across.starts) == 20
    assert heat.tried.sum() == 90
    assert heat.up.labels == ("",)


def test_a_sweep_that_varies_nothing_has_no_map() -> None:
    results = sweep("fast=3")

    assert heat_map(results, "trades") is None
    assert "<figure" not in page(results)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("fast", "slwo"), "map: slwo is not in this sweep; did you mean 'slow'?"),
        (("fast",), "map: two different parameters are needed, got fast"),
        (("fast", "fast"), "map: two different parameters are needed, got fast, fast"),
    ],
)
def test_a_map_of_other_parameters_is_refused(names: tuple[str, ...], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        require_map(names, ("fast", "slow"))

    assert said in str(caught.value)


@given(
    st.sampled_from(sorted(FIGURES)),
    st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=30),
)
def test_a_better_value_is_never_shown_as_a_worse_one(name: str, numbers: list[float]) -> None:
    figure = FIGURES[name]
    scale = scale_of(figure, np.array(numbers))
    shades = [scale.shade(value) for value in sorted(numbers)]

    assert len(scale.shades) == len(scale.edges) + 1
    assert shades == sorted(shades, reverse=figure.is_lower_better)
    assert all(0 <= shade <= 8 for shade in shades)
    assert list(scale.edges) == sorted(set(scale.edges))


def test_orange_is_worse_than_the_center_and_blue_is_better() -> None:
    figure = find_figure("profit_factor")
    scale = scale_of(figure, np.array([0.2, 1.0, 2.5]))

    assert scale.shade(0.2) < 4 == scale.shade(1.0) < scale.shade(2.5)
    assert edge_text(figure, scale.edges[0]) == "0.12" or scale.edges[0] < 1


def test_a_report_states_the_number_of_trials_and_loads_nothing() -> None:
    text = page()

    assert "A &lt;sweep&gt;" in text
    assert "The best 20 of 120 trials" in text
    assert "The best of 120 trials looks better than it is" in text
    assert "<script" not in text
    assert not re.findall(r"(?:src|href)=\"(?!data:)", text)
    assert "default-src 'none'" in text
    assert "nan" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL).lower().split()


def test_a_report_of_the_same_results_has_the_same_bytes() -> None:
    assert page() == page()


def test_the_map_says_in_words_what_it_shows() -> None:
    text = page()

    assert "Net profit (USD) by fast and slow" in text
    assert "Each cell shows the highest value over window (2 values)." in text
    best = RESULTS.ranked("net_profit")[0]
    value = RESULTS.figure("net_profit", best)
    assert f"best {value:.2f} USD at fast 12, slow 16; 19 cells without a result" in text
    assert "<title>fast 4, slow 4: slow must be longer than fast, was 4</title>" in text
    assert "<title>fast 7, slow 8: ValueError: fast is 7</title>" in text
    assert text.count('<rect class="none" x') == 19


def test_the_cells_of_a_map_tell_their_trial() -> None:
    text = page(sweep("fast=1:3", "slow=8,9"), View(by="sharpe"))

    assert "Each cell shows one trial." in text
    assert (
        '<rect class="q6" x="33.333%" y="50.000%" width="33.333%" height="50.000%">'
        "<title>fast 2, slow 8: 7.86, 2 trades, trial 3</title></rect>"
        '<text class="in q6" x="50.000%" y="75.000%" dy=".35em">7.86</text>'
    ) in text
    assert "<title>fast 2, slow 8: 7.86, 2 trades, trial 3</title>" in text


def test_a_report_without_a_ranked_trial_says_so() -> None:
    text = page(RESULTS, View(by="sortino"))

    assert "No trial is ranked: sortino is undefined for every trial" in text
    few = page(RESULTS, View(by="trades", min_trades=99))
    assert "No trial is ranked: none has trades and at least 99 trades" in few
    assert "no cell has a result" in text
    assert "sortino is not defined, or too few trades" in text


def test_a_report_lists_what_was_invalid_or_failed() -> None:
    text = page()

    assert f"Invalid ({RESULTS.count(TrialState.INVALID)})" in text
    assert "Failed (8)" in text
