"""Bad input at the command line: one line that names the thing and the fix, and no traces."""

from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
from demo_process import run

from mtquant.data import load_sample, save_bars

SHIPPED = Path(__file__).resolve().parents[2] / "config" / "demo.yaml"


def refused(*words: str) -> str:
    """Run a command that must fail; return its one line."""
    done = run(*words)
    assert done.returncode not in (0, 130), done.stdout
    assert "Traceback" not in done.stderr
    line = done.stderr.strip()
    assert "\n" not in line, line
    return line


def changed(tmp_path: Path, old: str, new: str) -> Path:
    """Write the example configuration with one change."""
    text = SHIPPED.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "bot.yaml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


@pytest.fixture
def short(tmp_path: Path) -> Path:
    """Return a configuration whose run takes a moment: some weeks, and a password."""
    save_bars(load_sample()[:800], tmp_path / "bars.npz")
    path = changed(tmp_path, "sample: eurusd-h1-2017", "path: bars.npz")
    text = path.read_text(encoding="utf-8")
    line = "    currency: USD"
    assert line in text
    path.write_text(text.replace(line, f"    password: hunter2secret\n{line}"), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("max_positions: 1", "max_postions: 1", "risk.max_postions: unknown key; did you mean"),
        ("risk:\n", "rsk:\n", "rsk: unknown key; did you mean 'risk'?"),
        ("fast: 20", "fats: 20", "strategy.parameters.fats: unknown key; did you mean 'fast'?"),
        ("fast: 20", "fast: twenty", "fast: expected a whole number, got 'twenty'"),
        ("fast: 20", "fast: 60", "slow must be longer than fast (60), was 50"),
        ("sma_crossover", "sma_crosover", "did you mean 'sma_crossover'?"),
        ("atr_trailing_stop", "atr_trailing", "exits.atr_trailing: no such exit"),
        ("risk_per_trade_fraction: 1%", "risk_per_trade_fraction: -0.01", "must not be negative"),
        ("risk_per_trade_fraction: 1%", "risk_per_trade_fraction: 5", "write '5%' if that"),
        ("risk_per_trade_fraction: 1%", "risk_per_trade_fraction: 0.5", "write '0.5%' if that"),
        ("margin_mode: hedging", "margin_mode: both", "is not one of netting, exchange, hedging"),
        ("  EURUSD:\n", "  EURUSDX:\n", "symbol 'EURUSD' is not traded at mtquant-Demo"),
        ("eet_eu", "eest", "server clock 'eest' is not known"),
        ("profit_currency: USD", "profit_currency: JPY", "need currency conversion"),
        ("deposit: 10000", "deposit: ${NO_SUCH_VARIABLE}", "NO_SUCH_VARIABLE is not set"),
        ("digits: 5", "digits: 4", "with 4 the open 1.05236 of row 0 cannot be said exactly"),
        ("sample: eurusd-h1-2017", "path: missing.npz", "there is no such data file"),
        ("seed: 1", "seed: [1", "not valid YAML"),
    ],
)  # fmt: skip
def test_a_wrong_configuration_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    out = tmp_path / "out"

    line = refused("backtest", "--config", str(changed(tmp_path, old, new)), "--out", str(out))

    assert line.startswith("error: ")
    assert said in line
    assert not out.exists()


def test_parity_refuses_a_wrong_configuration_before_it_plays(tmp_path: Path) -> None:
    line = refused("parity", "--config", str(changed(tmp_path, "fast: 20", "fast: 60")))

    assert "slow must be longer than fast (60), was 50" in line


def test_parity_refuses_data_that_do_not_exist(tmp_path: Path) -> None:
    assert "there is no such data file" in refused("parity", "--data", str(tmp_path / "no.npz"))


def test_risk_five_is_told_how_risk_is_written(tmp_path: Path) -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    start, end = text.index("risk:\n"), text.index("execution:\n")
    path = tmp_path / "bot.yaml"
    path.write_text(text[:start] + "risk: 5\n\n" + text[end:], encoding="utf-8")

    line = refused("backtest", "--config", str(path))

    assert "risk: expected a section with keys such as risk_per_trade_fraction, got 5" in line
    assert "got 5" in line


def test_a_missing_configuration_file_is_named(tmp_path: Path) -> None:
    assert "nowhere.yaml: the file cannot be read" in refused(
        "backtest", "--config", str(tmp_path / "nowhere.yaml")
    )


def broken(tmp_path: Path, kind: str) -> Path:
    """Write a data file that cannot be used."""
    path = tmp_path / f"{kind}.npz"
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("time,open,high,low,close\n", encoding="utf-8")
    elif kind == "cut":
        save_bars(load_sample(), path)
        path.write_bytes(path.read_bytes()[:20_000])
    elif kind == "rowless":
        save_bars(load_sample()[:0], path)
    elif kind == "backwards":
        bars = load_sample()[:10]
        columns = {n: getattr(bars, n) for n in ("open", "high", "low", "close")}
        facts = {"symbol": "EURUSD", "timeframe": "H1", "digits": 5}
        np.savez(path, time_ms=bars.time_ms[::-1], **columns, **facts)
    return path


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("empty", "this is no .npz or .parquet file"),
        ("text", "this is no .npz or .parquet file"),
        ("cut", "not a readable .npz bars file"),
        ("rowless", "holds no bars"),
        ("backwards", "time falls in row 1"),
    ],
)
def test_a_broken_data_file_is_named_with_what_is_wrong(
    tmp_path: Path, kind: str, said: str
) -> None:
    line = refused("backtest", "--data", str(broken(tmp_path, kind)))

    assert said in line
    assert kind in line or kind == "backwards"


def test_a_folder_of_data_is_told_that_it_is_one(tmp_path: Path) -> None:
    line = refused("backtest", "--data", str(tmp_path))

    assert "this is a folder; name a .npz or .parquet file" in line


def test_a_folder_with_strange_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("do not lose me", encoding="utf-8")

    assert "thesis.docx" in refused("demo", "--out", str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.docx"]


def test_an_unfinished_run_with_another_seed_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"fingerprint": "other"}', encoding="utf-8")

    assert "unfinished run with other settings" in refused("demo", "--out", str(tmp_path))


def test_a_file_where_the_folder_should_be_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("", encoding="utf-8")

    assert "this is a file; --out needs a folder" in refused("demo", "--out", str(path))


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    assert "cannot be written" in refused("demo", "--out", str(tmp_path / "out"))


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a folder that nobody can write")
def test_a_folder_that_nobody_can_write_is_named() -> None:
    assert "/proc/mtquant: cannot be written" in refused("demo", "--out", "/proc/mtquant")


def test_a_journal_of_a_newer_schema_is_refused_and_untouched(tmp_path: Path, short: Path) -> None:
    out = tmp_path / "out"
    demo = ("demo", "--config", str(short), "--out", str(out), "--json")
    assert run(*demo).returncode == 0
    (out / "summary.json").unlink()
    with sqlite3.connect(out / "journal.sqlite") as connection:
        connection.execute("pragma user_version = 99")
    connection.close()

    line = refused(*demo)

    assert "newer schema version 99" in line
    with sqlite3.connect(out / "journal.sqlite") as connection:
        assert connection.execute("pragma user_version").fetchone() == (99,)
    connection.close()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("halt", "--reason", "x", "--dir", "nowhere"), "no bot has run in this folder"),
        (("report", "nowhere"), "there is no run in this folder"),
    ],
)
def test_a_folder_without_a_run_is_refused(words: tuple[str, ...], said: str) -> None:
    assert said in refused(*words)


def test_a_mistyped_command_is_answered_with_the_nearest() -> None:
    done = run("dmeo")

    assert done.returncode == 2
    assert "Did you mean 'demo'?" in done.stderr


def test_the_help_names_every_command() -> None:
    done = run("--help")

    assert done.returncode == 0
    for name in ("demo", "backtest", "report", "halt", "resume"):
        assert f"\n  {name} " in done.stdout


def test_a_strategy_of_the_users_own_is_found_by_module_and_class(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        dedent(
            """
            from mtquant.strategy import Strategy

            class Never(Strategy):
                def on_bar(self, bars):
                    return None
            """
        ),
        encoding="utf-8",
    )
    text = SHIPPED.read_text(encoding="utf-8").replace("sma_crossover", "mine:Never")
    path = tmp_path / "bot.yaml"
    lines = [line for line in text.splitlines() if line.strip() not in ("fast: 20", "slow: 50")]
    path.write_text("\n".join(lines).replace("parameters:", "parameters: {}"), encoding="utf-8")

    done = run("backtest", "--config", str(path), "--json", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert '"trades": 0' in done.stdout


def test_a_password_written_into_a_configuration_stays_out_of_every_output(
    tmp_path: Path, short: Path
) -> None:
    out = tmp_path / "out"

    assert run("demo", "--config", str(short), "--out", str(out), "--json").returncode == 0
    assert run("report", str(out)).returncode == 0

    assert b"hunter2" in short.read_bytes()
    found = [p.name for p in out.rglob("*") if p.is_file() and b"hunter2" in p.read_bytes()]
    assert found == []


def test_bars_on_another_clock_than_the_venues_are_refused(tmp_path: Path) -> None:
    bars = load_sample()[:48]
    weekend = bars.time_ms + 5 * 86_400_000  # Monday and Tuesday become Saturday and Sunday
    columns = {n: getattr(bars, n) for n in ("open", "high", "low", "close")}
    facts = {"symbol": "EURUSD", "timeframe": "H1", "digits": 5}
    np.savez(tmp_path / "weekend.npz", time_ms=weekend, **columns, **facts)

    line = refused("backtest", "--data", str(tmp_path / "weekend.npz"))

    assert "of the bars open while trading is closed" in line


def test_output_goes_through_where_the_console_knows_few_characters() -> None:
    done = run("backtest", encoding="ascii")

    assert done.returncode == 0, done.stderr
    assert "Sharpe" in done.stdout
