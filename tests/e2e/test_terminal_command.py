"""`mtquant terminal`: anybody's script finds the embedded terminal as MetaTrader5."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from demo_process import command, environment, run

SCRIPTS = Path(__file__).resolve().parents[2] / "examples" / "mt5_scripts"
SAID = {
    "show_rates": ("2017-06-01 15:00 (server time)  bid 1.12175", "ticks since then: 37"),
    "buy_and_close": ("order_check: Done", "Request executed", "2 deals"),
    "pending_orders": ("buy limit at 1.11685", "removed: True", "0 positions"),
    "trail_stop": ("bought at 1.12185", "stop loss", "balance"),
    "what_margin": ("EURUSD buy 0.1 lots", "GBPJPY buy 0.1 lots", "margin: "),
    "what_profit": ("buy EURUSD 1.0 lots, profit on 300 points: 300.0 USD", "sell USDJPY"),
}
OPTIONS = {
    "show_rates": ("--factor", "0"),
    "buy_and_close": ("--factor", "3600"),
    "pending_orders": ("--factor", "36000"),
    "trail_stop": ("--factor", "36000"),
    "what_margin": ("--scenario", "majors-and-gold-hedging"),
    "what_profit": ("--scenario", "majors-and-gold-hedging"),
}
BUY = """
import MetaTrader5 as mt5
assert mt5.initialize(), mt5.last_error()
print(mt5.symbol_info_tick("EURUSD").time, mt5.positions_total(), flush=True)
assert mt5.Buy("EURUSD", 0.1).retcode == 10009
print("bought", flush=True)
import sys, time
time.sleep(float(sys.argv[1]))
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "buy.py"
    path.write_text(BUY, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", sorted(path.stem for path in SCRIPTS.glob("*.py")))
def test_an_everyday_script_runs(name: str, tmp_path: Path) -> None:
    done = run("terminal", "run", *OPTIONS[name], str(SCRIPTS / f"{name}.py"), cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert all(words in done.stdout for words in SAID[name]), done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_script_gets_its_arguments_its_folder_and_its_exit_code(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("import MetaTrader5\nanswer = 42\n", encoding="utf-8")
    source = "import sys, beside\nprint(__name__, sys.argv[1:], beside.answer)\nsys.exit(7)\n"
    (tmp_path / "main.py").write_text(source, encoding="utf-8")
    elsewhere = run("terminal", "run", str(tmp_path / "main.py"), "--at", "-m", "x")
    module = run("terminal", "run", "-m", "main", "--help", cwd=tmp_path)

    assert (elsewhere.returncode, module.returncode) == (7, 7)
    assert elsewhere.stdout.split("\n")[0] == "__main__ ['--at', '-m', 'x'] 42"
    assert module.stdout.split("\n")[0] == "__main__ ['--help'] 42"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere.py",), "there is no such file"),
        (("--at", "soon", __file__), "at: 'soon' is no moment"),
        (("--at", "2031-01-01", __file__), "not in the data"),
    ],
)
def test_what_cannot_be_run_is_said_in_one_line(words: tuple[str, ...], said: str) -> None:
    done = run("terminal", "run", *words)

    assert done.returncode == 1
    assert done.stdout == ""
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_package_for_pythonpath_serves_any_process(script: Path, tmp_path: Path) -> None:
    folder = run("terminal", "path").stdout.strip()
    assert (Path(folder) / "MetaTrader5" / "__init__.py").is_file()
    settings = {"MTQUANT_AT": "2017-03-01T10:00", "MTQUANT_FACTOR": "0"}
    paths = os.pathsep.join([folder, environment()["PYTHONPATH"]])
    done = subprocess.run(
        [sys.executable, str(script), "0"],
        env=environment() | settings | {"PYTHONPATH": paths},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["1488369600 0", "bought"]  # 12:00 of the server


@pytest.mark.skipif(os.name == "nt", reason="there is no kill -9 on Windows")
def test_an_account_in_a_folder_survives_kill_9(script: Path, tmp_path: Path) -> None:
    folder = tmp_path / "account"
    words = ("terminal", "run", "--factor", "0", "--dir", str(folder), str(script))
    first = subprocess.Popen(
        command(*words, "60"), env=environment(), stdout=subprocess.PIPE, text=True
    )
    assert first.stdout is not None
    opened = [first.stdout.readline(), first.stdout.readline()]
    second = run(*words, "0")
    first.send_signal(signal.SIGKILL)
    first.wait()
    first.stdout.close()
    third = run(*words, "0")

    assert opened[1] == "bought\n"
    assert second.returncode == 1
    assert "another process runs the terminal of this folder" in second.stderr
    assert third.stdout.split() == [opened[0].split()[0], "1", "bought"]
    assert (folder / "terminal" / "server.jsonl").is_file()


def test_the_market_s_clock_goes_on_while_the_script_sleeps(tmp_path: Path) -> None:
    path = tmp_path / "watch.py"
    source = "import time\nimport MetaTrader5 as mt5\nmt5.initialize()\n"
    source += "def now():\n    return mt5.symbol_info_tick('EURUSD').time\n"
    source += "before = now()\ntime.sleep(0.5)\nprint(now() - before)\n"
    path.write_text(source, encoding="utf-8")
    began = time.monotonic()
    done = run("terminal", "run", "--factor", "7200", str(path))
    took = time.monotonic() - began

    assert 1200 <= int(done.stdout) <= took * 7200 + 2400
    assert run("terminal", "run", "--factor", "0", str(path)).stdout == "0\n"


SCENARIO = """
symbols: [BTCUSD, EURUSD]
venue:
  server: Mine
tick_model: every_tick
"""
LOOK = """
import MetaTrader5 as mt5
assert mt5.initialize(), mt5.last_error()
print(mt5.account_info().server, mt5.symbols_total())
print(mt5.copy_rates_from_pos("BTCUSD", mt5.TIMEFRAME_M5, 0, 300).tobytes().hex()[-64:])
print(mt5.Buy("BTCUSD", 0.1).retcode, mt5.history_deals_get(0, 2**31 - 1))
"""


def test_scenarios_are_listed_shown_and_checked(tmp_path: Path) -> None:
    listed, shown = (
        run("terminal", "scenario", "list"),
        run("terminal", "scenario", "show", "prop-firm"),
    )
    mine = tmp_path / "mine.yaml"
    mine.write_text(shown.stdout, encoding="utf-8")
    checked = run("terminal", "scenario", "check", str(mine))

    names = [line.split()[0] for line in listed.stdout.splitlines()]
    assert {"eurusd-demo", "majors-and-gold-hedging", "netting-fx", "prop-firm"} <= set(names)
    assert "XAUUSD" in checked.stdout, checked.stderr
    assert "mtquant-Evaluation" in checked.stdout.splitlines()[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("symbols: [EURUSD]\nvenu: {}", "venu: unknown key; did you mean 'venue'?"),
        ("symbols: [EURUSD]\nprices: {EURUSD: {bars: no.npz}}", "there is no such data file"),
        ("symbols: [EURUSD]\nvenue: {account: {leverage: 0}}", "leverage must be at least 1"),
        ("symbols: [EURUSD", "not valid YAML"),
    ],
)
def test_a_wrong_scenario_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    done = run("terminal", "scenario", "check", str(path))

    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_scenario_is_the_same_market_in_every_process(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(SCENARIO, encoding="utf-8")
    (tmp_path / "look.py").write_text(LOOK, encoding="utf-8")
    options = ("--at", "2024-06-08T12:00", "--factor", "0")
    by_option = run("terminal", "run", *options, "--scenario", "mine.yaml", "look.py", cwd=tmp_path)
    folder = run("terminal", "path").stdout.strip()
    variables = {
        "PYTHONPATH": os.pathsep.join([folder, environment().get("PYTHONPATH", "")]),
        "MTQUANT_SIM_SCENARIO": str(tmp_path / "mine.yaml"),
        "MTQUANT_AT": "2024-06-08T12:00",
        "MTQUANT_FACTOR": "0",
    }
    by_variable = subprocess.run(
        [sys.executable, str(tmp_path / "look.py")],
        env=environment() | variables,
        capture_output=True,
        text=True,
        check=False,
    )

    assert by_option.returncode == 0, by_option.stderr
    assert by_option.stdout.splitlines()[0] == "Mine 2"
    assert "10009" in by_option.stdout
    assert by_variable.stdout == by_option.stdout, by_variable.stderr
