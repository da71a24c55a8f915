"""Running a sweep: every trial once, whoever runs it and whatever happens meanwhile."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from sweep_fakes import KNOWN, Fake, Heard

from mtquant.model import ConfigError, MtquantError, SweepError
from mtquant.research.sweep import (
    SweepFolder,
    SweepResults,
    TrialState,
    make_grid,
    parse_axes,
    require_room,
    run_sweep,
    runner,
)
from mtquant.research.sweep.folder import FACTS, ROWS

if TYPE_CHECKING:
    from pathlib import Path

GRID = make_grid(parse_axes(["fast=1:12", "slow=4:20:4"], KNOWN))


def table(results: SweepResults, folder: Path) -> bytes:
    path = folder / "table.csv"
    results.to_csv(path)
    return path.read_bytes()


def place(folder: Path, fingerprint: str = "one") -> SweepFolder:
    return SweepFolder.prepare(folder, fingerprint, {"kind": "test"})


def test_every_trial_is_numbered_and_an_invalid_one_says_why() -> None:
    results = run_sweep(GRID, Fake(), windows=("a", "bb"))

    assert len(results) == 12 * 5 * 2
    assert results.count(TrialState.INVALID) == 2 * sum(
        slow <= fast for fast in range(1, 13) for slow in range(4, 21, 4)
    )
    assert results.row(3) == {
        "trial": 4,
        "window": "bb",
        "state": "ok",
        "parameters": {"fast": 1, "slow": 8},
        "net_profit": 8.29,
        "sharpe": 8.29 / 3,
        "max_drawdown": 1.0,
        "trades": 1,
        **dict.fromkeys(("sortino", "profit_factor", "win_rate", "expectancy")),
        **dict.fromkeys(("average_win", "average_loss", "reason")),
        **dict.fromkeys(("return_fraction", "commission", "swap"), 0.0),
        **dict.fromkeys(("final_balance", "final_equity"), 0.0),
        **dict.fromkeys(("drawdown_duration_ms", "open_positions"), 0),
        **dict.fromkeys(("stop_losses", "take_profits", "stop_outs"), 0),
    }
    invalid = results.row(3 * 10)
    assert (invalid["state"], invalid["sharpe"]) == ("invalid", None)
    assert invalid["reason"] == "slow must be longer than fast, was 4"


def test_the_number_of_workers_changes_nothing(tmp_path: Path) -> None:
    alone = run_sweep(GRID, Fake(), windows=("a", "bb"))
    together = run_sweep(GRID, Fake(waits_s=0.001), windows=("a", "bb"), workers=2)

    assert table(alone, tmp_path) == table(together, tmp_path)


@pytest.mark.parametrize(
    ("spent", "ran", "left", "pays"),
    [(0.9, 1, 999, False), (1.0, 10, 40, False), (1.0, 10, 60, True), (60.0, 1, 1, True)],
)
def test_processes_are_started_when_it_pays(
    spent: float, ran: int, left: int, *, pays: bool
) -> None:
    assert runner._is_worth_a_pool(spent, ran, left) is pays


def test_left_to_itself_a_sweep_begins_alone_and_gets_help_half_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "cores", lambda: 2)
    monkeypatch.setattr(runner, "_is_worth_a_pool", lambda _spent, ran, _left: ran >= 9)
    heard = Heard()
    results = run_sweep(GRID, Fake(dies_at=11, marks=tmp_path), workers=None, watcher=heard)

    assert len(heard.troubles) == 1  # of a process of its own
    assert heard.progress[-1] == (60, 60)
    assert table(results, tmp_path) == table(run_sweep(GRID, Fake(), workers=None), tmp_path)


def test_a_trial_that_fails_is_listed_and_the_others_go_on() -> None:
    results = run_sweep(GRID, Fake(fails_at=3))

    assert results.count(TrialState.FAILED) == 5
    assert results.common_reasons(TrialState.FAILED) == [("ValueError: fast is 3", 5)]


def test_a_worker_that_dies_is_told_of_and_its_batch_is_run_once_more(tmp_path: Path) -> None:
    heard = Heard()
    results = run_sweep(GRID, Fake(dies_at=3, marks=tmp_path), workers=2, watcher=heard)

    assert table(results, tmp_path) == table(run_sweep(GRID, Fake()), tmp_path)
    assert len(heard.troubles) == 1
    assert "a worker died while running combinations" in heard.troubles[0]
    assert "exit code 7" in heard.troubles[0]
    assert heard.progress[-1] == (60, 60)


def test_a_batch_that_kills_two_workers_ends_the_sweep_and_the_rest_stays(
    tmp_path: Path,
) -> None:
    fatal = Fake(dies_at=9, dies_always=True, marks=tmp_path)
    folder = tmp_path / "out"
    with place(folder) as here, pytest.raises(SweepError, match="2 workers died while running"):
        run_sweep(GRID, fatal, workers=2, place=here)
    heard = Heard()
    with place(folder) as here:
        results = run_sweep(GRID, Fake(), place=here, watcher=heard)

    assert 0 < heard.progress[0][0] < 60
    assert table(results, tmp_path) == table(run_sweep(GRID, Fake()), tmp_path)


def test_an_evaluator_that_cannot_begin_says_so_from_its_process() -> None:
    with pytest.raises(ConfigError, match="the evaluator cannot begin"):
        run_sweep(GRID, Fake(cannot_begin=True), workers=2)


def test_a_defect_ends_the_sweep_and_finished_batches_stay(tmp_path: Path) -> None:
    with place(tmp_path / "out") as here, pytest.raises(ZeroDivisionError):
        run_sweep(GRID, Fake(breaks_at=8), place=here)
    lines = (tmp_path / "out" / ROWS).read_bytes().splitlines()

    assert len(lines) > 20


def rows_of(folder: Path) -> list[list[Any]]:
    return [json.loads(line) for line in (folder / ROWS).read_bytes().splitlines()[1:]]


@pytest.mark.parametrize("torn", [b"", b'[7,"ok",[1.0,', b'[7,"ok",[]]\n[8', b"\x00" * 50 + b"\n"])
@pytest.mark.parametrize("keep", [0, 1, 17, 119])
def test_an_interrupted_sweep_goes_on_behind_its_last_whole_row(
    tmp_path: Path, keep: int, torn: bytes
) -> None:
    folder = tmp_path / "out"
    with place(folder) as here:
        whole = table(run_sweep(GRID, Fake(), windows=("a", "bb"), place=here), tmp_path)
    lines = (folder / ROWS).read_bytes().splitlines(keepends=True)
    (folder / ROWS).write_bytes(b"".join(lines[: keep + 1]) + torn)
    heard = Heard()
    with place(folder) as here:
        assert here.is_continued
        again = run_sweep(GRID, Fake(), windows=("a", "bb"), place=here, watcher=heard)

    assert heard.progress[0] == (keep - keep % 2, 120)
    assert table(again, tmp_path) == whole
    assert sorted({row[0] for row in rows_of(folder)}) == list(range(120))


def test_a_file_cut_anywhere_gives_the_same_table(tmp_path: Path) -> None:
    with place(tmp_path / "out") as here:
        whole = table(run_sweep(GRID, Fake(fails_at=7), place=here), tmp_path)
        content = (tmp_path / "out" / ROWS).read_bytes()
        for end in range(0, len(content), 61):
            (tmp_path / "out" / ROWS).write_bytes(content[:end])
            again = run_sweep(GRID, Fake(fails_at=7), place=here)
            assert table(again, tmp_path) == whole


def test_a_finished_sweep_is_read_and_not_run_again(tmp_path: Path) -> None:
    with place(tmp_path / "out") as here:
        first = run_sweep(GRID, Fake(), place=here)
        here.finish({"trials": len(first)})
    with place(tmp_path / "out") as here:
        again = run_sweep(GRID, Fake(cannot_begin=True), place=here)

    assert table(again, tmp_path) == table(first, tmp_path)


def test_an_unfinished_sweep_with_other_settings_is_left_alone(tmp_path: Path) -> None:
    with place(tmp_path / "out") as here:
        run_sweep(GRID, Fake(), place=here)

    with pytest.raises(ConfigError, match="holds an unfinished sweep with other settings"):
        place(tmp_path / "out", "two")
    assert len(rows_of(tmp_path / "out")) == 60


def test_a_finished_sweep_is_replaced_by_one_with_other_settings(tmp_path: Path) -> None:
    with place(tmp_path / "out") as here:
        run_sweep(GRID, Fake(), place=here)
        here.finish({})
    with place(tmp_path / "out", "two") as here:
        assert not (tmp_path / "out" / ROWS).exists()
        assert not here.is_continued


def test_a_folder_in_use_and_a_folder_of_others_are_refused(tmp_path: Path) -> None:
    with place(tmp_path / "out"), pytest.raises(ConfigError, match="another sweep runs in this"):
        place(tmp_path / "out")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").touch()
    with pytest.raises(ConfigError, match=r"holds files that are not of a sweep \(letter.txt\)"):
        place(tmp_path / "mine")
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="this is a file"):
        place(tmp_path / "file")


@pytest.mark.parametrize("content", ["{", "[]"])
def test_facts_that_are_damaged_are_named(tmp_path: Path, content: str) -> None:
    (tmp_path / FACTS).write_text(content)

    with pytest.raises(ConfigError, match=r"sweep.json: not readable"):
        place(tmp_path)


def test_rows_of_another_sweep_are_refused(tmp_path: Path) -> None:
    with place(tmp_path / "out") as here:
        run_sweep(GRID, Fake(), place=here)
        with pytest.raises(ConfigError, match="holds the rows of another sweep"):
            run_sweep(make_grid(parse_axes(["fast=1:3"], KNOWN)), Fake(), place=here)


@pytest.mark.parametrize(
    ("factory", "said", "kind"),
    [
        (Fake(fails_at=9), "no trial has a result: ValueError: fast is 9", SweepError),
        (Fake(), "every combination is invalid: slow must be longer than fast", ConfigError),
    ],
)
def test_a_sweep_without_any_result_is_an_error_with_the_reason(
    tmp_path: Path, factory: Fake, said: str, kind: type[MtquantError]
) -> None:
    slow = "10,11" if factory.fails_at else "1,2"
    space = make_grid(parse_axes(["fast=9", f"slow={slow}"], KNOWN))
    with place(tmp_path / "out") as here, pytest.raises(kind, match=said):
        run_sweep(space, factory, place=here)

    place(tmp_path / "out", "two").lock.release()  # nothing is left to go on with


def test_more_than_the_limit_is_refused_before_anything_runs() -> None:
    with pytest.raises(ConfigError) as caught:
        run_sweep(GRID, Fake(cannot_begin=True), windows=("a", "b"), limit=100)

    assert "the sweep has 120 trials (60 combinations x 2 windows), more than the limit of 100" in (
        str(caught.value)
    )


def test_more_than_memory_holds_is_refused_with_its_numbers() -> None:
    space = make_grid(parse_axes(["fast=1:10000", "slow=1:10000"], KNOWN))
    with pytest.raises(ConfigError) as caught:
        run_sweep(space, Fake(cannot_begin=True), limit=10**15)

    said = str(caught.value)
    assert "the results of 100,000,000 trials need about 29,600 MB of memory" in said
    assert "more than the 1,074 MB they may take" in said
    require_room(1_000_000, 1, 5)


def test_nothing_to_run_and_no_workers_are_refused() -> None:
    with pytest.raises(ConfigError, match="there is no combination to run"):
        run_sweep(GRID, Fake(), windows=())
    with pytest.raises(ConfigError, match="workers must be at least 1"):
        run_sweep(GRID, Fake(), workers=0)
