"""`mtquant sweep` as a real process: its files, its end, and what it says of bad input."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from demo_process import command, environment, kill, run

from mtquant.data import load_sample, save_bars

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX systems")
FEW = ("--from", "2017-02-01", "--to", "2017-03-01")
UNHURRIED = """
import time

from mtquant.strategy import SmaCrossover


class Unhurried(SmaCrossover):
    def signals(self, bars):
        time.sleep(0.05)
        return super().signals(bars)
"""
WORDS = ("sweep", "--strategy", "unhurried:Unhurried", "--grid", "fast=2:9", "slow=6:22:4", *FEW)


def rows_in(folder: Path) -> int:
    path = folder / "rows.jsonl"
    return path.read_bytes().count(b"\n") - 1 if path.is_file() else 0


def wait_for_rows(process: subprocess.Popen[str], folder: Path, count: int) -> None:
    for _ in range(12_000):
        if rows_in(folder) >= count or process.poll() is not None:
            return
        time.sleep(0.005)
    raise AssertionError(f"the sweep did not write {count} rows in time")


def begin(home: Path, folder: Path, workers: str = "2") -> subprocess.Popen[str]:
    """Start a sweep in a session of its own, where Ctrl-C means what it does at a terminal."""
    return subprocess.Popen(
        command(*WORDS, "--workers", workers, "--out", str(folder)),
        env=environment(),
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a strategy that takes long enough to be interrupted."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "unhurried.py").write_text(UNHURRIED, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Path:
    """Return the folder of a sweep that nothing interrupted, run in one process."""
    folder = tmp_path_factory.mktemp("sweep") / "out"
    done = run(*WORDS, "--workers", "1", "--out", str(folder), cwd=home)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "The best 10 of 40 trials by sharpe" in done.stdout
    assert "40 trials, 36 with a result, 4 invalid" in done.stdout
    return folder


def test_it_leaves_facts_rows_table_and_report(finished: Path) -> None:
    names = {path.name for path in finished.iterdir()}
    facts = json.loads((finished / "sweep.json").read_text(encoding="utf-8"))
    with (finished / "results.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))

    assert names >= {"sweep.json", "rows.jsonl", "results.csv", "report.html"}
    assert (facts["state"], facts["trials"], facts["invalid"]) == ("finished", 40, 4)
    assert facts["windows"]["2017-02-01..2017-03-01"]["bars"] == 480
    assert [row["trial"] for row in table] == [str(n) for n in range(1, 41)]
    best = facts["top"][0]
    assert float(table[best["trial"] - 1]["sharpe"]) == best["sharpe"]
    assert best["sharpe"] == max(float(row["sharpe"]) for row in table if row["sharpe"])


@posix
def test_killed_half_way_it_goes_on_and_ends_with_the_same_bytes(
    tmp_path: Path, home: Path, finished: Path
) -> None:
    folder = tmp_path / "out"
    seen = 0
    for more in (5, 9):
        process = begin(home, folder)
        wait_for_rows(process, folder, seen + more)
        kill(process)
        assert not (folder / "results.csv").exists()
        assert rows_in(folder) >= seen + more
        seen = rows_in(folder)

    done = run(*WORDS, "--workers", "2", "--out", str(folder), "--json", cwd=home)

    assert done.returncode == 0, done.stderr
    for name in ("results.csv", "report.html"):
        assert (folder / name).read_bytes() == (finished / name).read_bytes()


@posix
@pytest.mark.parametrize("workers", ["1", "2"])
def test_interrupted_it_keeps_what_is_finished_and_says_how_to_go_on(
    tmp_path: Path, home: Path, finished: Path, workers: str
) -> None:
    folder = tmp_path / "out"
    process = begin(home, folder, workers)
    wait_for_rows(process, folder, 6)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers, too
    _, told = process.communicate(timeout=90)

    assert process.returncode == 130
    assert "of 40 trials are finished; run the same command to go on." in told
    assert len(told.strip().splitlines()) == 1
    facts = json.loads((folder / "sweep.json").read_text(encoding="utf-8"))
    assert facts["state"] == "running"
    assert run(*WORDS, "--out", str(folder), cwd=home).returncode == 0
    assert (folder / "results.csv").read_bytes() == (finished / "results.csv").read_bytes()


def test_a_finished_sweep_is_ranked_anew_without_running_it_again(
    home: Path, finished: Path
) -> None:
    before = (finished / "rows.jsonl").read_bytes()
    words = ("--by", "max_drawdown", "--min-trades", "8", "--top", "3", "--map", "slow,fast")
    done = run(*WORDS, *words, "--out", str(finished), "--json", cwd=home)

    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert done.stderr == ""
    assert (facts["by"], facts["min_trades"], len(facts["top"])) == ("max_drawdown", 8, 3)
    assert all(row["trades"] >= 8 for row in facts["top"])
    assert (finished / "rows.jsonl").read_bytes() == before
    assert "Max drawdown by slow and fast" in (finished / "report.html").read_text("utf-8")
    assert run(*WORDS, "--out", str(finished), cwd=home).returncode == 0


def test_lists_draws_and_windows_are_swept_too(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("fast,slow\n5,20\n20,5\n8,30\n", encoding="utf-8")
    save_bars(load_sample()[:400], tmp_path / "one.npz")
    save_bars(load_sample()[:401], tmp_path / "other.npz")
    data = ("--data", str(tmp_path / "one.npz"), "--data", str(tmp_path / "other.npz"))
    windows = ("--window", "a=..2017-01-12", "--window", "b=2017-01-12..")
    words = ("--list", str(tmp_path / "list.csv"), *data, *windows)
    done = run("sweep", *words, "--out", str(tmp_path / "one"), "--workers", "1", "--json")

    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert (facts["trials"], facts["invalid"]) == (12, 4)
    words = ("--grid", "fast=2:40", "exits.stop_loss_take_profit.stop_atr=1:4", "--random", "6")
    for out in ("two", "three"):
        done = run("sweep", *words, *FEW, "--seed", "5", "--out", str(tmp_path / out), "--json")
        assert done.returncode == 0, done.stderr
    tables = [(tmp_path / out / "results.csv").read_bytes() for out in ("two", "three")]
    assert tables[0] == tables[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--by", "profit_factor"), "No trial is ranked: profit_factor is undefined for every"),
        (("--min-trades", "999"), "No trial is ranked: none has sharpe and at least 999 trades"),
    ],
)
def test_a_sweep_without_a_ranked_trial_says_why(
    tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    grid = ("--grid", "fast=40", "slow=90", "--from", "2017-01-02", "--to", "2017-01-05")
    done = run("sweep", *grid, *words, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert said in done.stdout


COMPILES = (  # told once, by the first sweep of a machine
    "warning: compiling the kernels for this machine, once; this takes about 10 seconds"
)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "a sweep needs parameters to vary, such as --grid fast=5:50:5"),
        (("--grid", "fats=5:50:5"), "fats: there is no such parameter; did you mean 'fast'?"),
        (("--grid", "fast=50:5:5"), "fast: '50:5:5' is empty; write the lower end first"),
        (("--grid", "fast=5:50:0"), "fast: '5:50:0' has a step of zero"),
        (("--grid", "fast=5", "slow"), "'slow': write NAME=VALUES"),
        (("--grid", "fast=1:1000", "slow=1:2000"), "has 2,000,000 trials, more than the limit of"),
        (
            ("--grid", "fast=1:9999", "slow=1:9999", "--limit", "100000000"),
            "need about 29,594 MB of memory, more than the 1,074 MB",
        ),
        (("--grid", "fast=60:90:10"), "every combination is invalid: strategy.parameters.slow"),
        (("--grid", "fast=5,8", "--by", "sharp"), "there is no such figure; did you mean 'sharpe'"),
        (("--grid", "fast=5,8", "--map", "fast,slow"), "map: slow is not in this sweep"),
        (("--grid", "fast=5", "--strategy", "sma_crosover"), "did you mean 'sma_crossover'?"),
        (("--grid", "fast=5:9", "--random", "9"), "the ranges hold 5 combinations"),
        (("--grid", "fast=5", "--list", "x.csv"), "--list names every combination"),
        (("--list", "x.csv"), "x.csv: cannot be read"),
        (("--grid", "fast=5", "--from", "soon"), "'soon' is no moment; write 2017-03-01"),
        (("--grid", "fast=5", "--from", "2018-06-01"), "no bar of EURUSD lies in it"),
        (("--grid", "fast=5", "--from", "2017-06-01", "--window", "a=.."), "leave --from and --to"),
        (("--grid", "fast=5", "--data", "none.npz"), "there is no such data file"),
    ],
)
def test_bad_input_is_one_line_that_says_what_would_be_right(
    tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    done = run("sweep", *words, "--out", "out", "--workers", "1", cwd=tmp_path)

    assert done.returncode == 1, done.stdout
    assert said in done.stderr
    *before, error = done.stderr.strip().splitlines()
    assert said in error
    assert before in ([], [COMPILES])


@pytest.mark.parametrize("draws", ["0", "-1"])
def test_at_least_one_combination_is_drawn(tmp_path: Path, draws: str) -> None:
    done = run("sweep", "--grid", "fast=5:9", "--random", draws, cwd=tmp_path)

    assert done.returncode == 2, done.stdout
    assert f"Invalid value for '--random': {draws} is not in the range x>=1" in done.stderr
    assert list(tmp_path.iterdir()) == []


@posix
def test_a_folder_with_an_unfinished_sweep_takes_no_other(tmp_path: Path, home: Path) -> None:
    folder = tmp_path / "out"
    process = begin(home, folder, "1")
    wait_for_rows(process, folder, 3)
    process.send_signal(signal.SIGSTOP)  # it must not end before the other has looked
    second = run(*WORDS, "--out", str(folder), cwd=home)
    kill(process)
    third = run("sweep", "--grid", "fast=5,8", *FEW, "--out", str(folder))

    assert "another sweep runs in this folder" in second.stderr
    assert "holds an unfinished sweep with other settings" in third.stderr


@pytest.mark.browser
def test_the_report_opens_without_a_fault_wide_and_narrow(finished: Path) -> None:
    check = Path(__file__).resolve().parents[2] / "scripts" / "check_report.py"
    words = [sys.executable, str(check), "--report", str(finished / "report.html")]
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        pytest.skip("no Chromium is installed")

    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)

    assert done.returncode == 0, done.stderr
