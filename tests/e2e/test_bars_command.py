"""`mtquant bars`: files go into the store of bars and out of it, and runs find them there."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from demo_process import run

from mtquant.app.cli import main
from mtquant.data import load_bars, load_sample, save_bars
from mtquant.data.store import BarsStore

SHIPPED = Path(__file__).resolve().parents[2] / "config" / "demo.yaml"


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MTQUANT_DATA", str(tmp_path / "data"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "year.npz"
    save_bars(load_sample(), path)
    return path


@pytest.fixture
def bars(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Return a caller of `mtquant bars` in this process: exit code, output, errors."""

    def call(*words: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["mtquant", "bars", *map(str, words)])
        code = main()
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_a_file_is_imported_listed_checked_exported_and_removed(bars, file: Path, tmp_path: Path):
    key = load_sample().content_hash()

    code, said, _ = bars("import", file)
    assert code == 0
    assert (
        said.split()
        == (
            f"{key[:12]} EURUSD H1 5 digits 6,225 bars "
            "2017-01-01 22:00 to 2017-12-29 21:00 year.npz"
        ).split()
    )
    assert bars("list")[1] == said
    assert bars("check", key[:8])[1] == f"{key}: all 6,225 bars are whole\n"

    out = tmp_path / "out.npz"
    assert bars("export", key[:8], out)[1] == f"6,225 bars written to {out}\n"
    assert load_bars(out).content_hash() == key

    assert bars("remove", key[:8])[1] == f"{key} removed\n"
    assert bars("list")[1] == f"There are no bars in {tmp_path / 'data' / 'bars'}.\n"


def test_parquet_goes_in_on_its_clock_and_out_in_utc(bars, file: Path, tmp_path: Path):
    pytest.importorskip("duckdb", reason="Parquet needs the extra `data`")
    key = json.loads(bars("import", file, "--json")[1])["key"]
    bars("export", key, tmp_path / "utc.parquet")

    again = json.loads(bars("import", tmp_path / "utc.parquet", "--json")[1])
    shifted = json.loads(
        bars("import", tmp_path / "utc.parquet", "--clock", "fixed:+2", "--json")[1]
    )

    assert again["key"] == key
    assert again["first_ms"] - shifted["first_ms"] == 7_200_000


def test_json_is_all_that_is_printed_when_it_is_asked_for(bars, file: Path, tmp_path: Path):
    facts = json.loads(bars("import", file, "--json")[1])
    key = facts["key"]
    broken = "0" * 64
    (tmp_path / "data" / "bars" / broken).mkdir()

    listed = json.loads(bars("list", "--json")[1])

    assert facts["rows"] == 6225
    assert listed["entries"] == [facts]
    assert [one["key"] for one in listed["unreadable"]] == [broken]
    assert json.loads(bars("check", key, "--json")[1]) == facts
    assert json.loads(bars("export", key, tmp_path / "o.npz", "--json")[1]) == facts
    assert json.loads(bars("remove", key, "--json")[1]) == {"key": key}


def test_a_store_of_another_folder_is_named(bars, file: Path, tmp_path: Path):
    mine = tmp_path / "mine"

    assert bars("import", file, "--store", mine)[0] == 0
    assert len(BarsStore(mine).entries()) == 1
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("words", [["import", "year.npz"], ["list"], ["remove", "abc"]])
def test_a_store_without_a_name_is_refused_and_nothing_is_written(
    bars, file: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
):
    monkeypatch.chdir(file.parent)

    code, said, error = bars(*words, "--store", "")

    assert (code, said) == (2, "")
    assert "Invalid value for '--store': the name is empty; name a folder" in error
    assert list(file.parent.iterdir()) == [file]


def test_the_current_folder_may_be_a_store(bars, file: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(file.parent)

    assert bars("import", "year.npz", "--store", ".")[0] == 0
    assert len(BarsStore(file.parent).entries()) == 1


def test_bars_without_a_spread_are_told_of(bars, tmp_path: Path):
    save_bars(load_sample(spread_points=0), tmp_path / "bare.npz")

    assert "runs take the instrument's spread_points" in bars("import", tmp_path / "bare.npz")[1]


def test_a_damaged_entry_is_named_by_check_and_by_list(bars, file: Path):
    entry = BarsStore(Path(os.environ["MTQUANT_DATA"], "bars")).put(load_sample())
    content = bytearray((entry.folder / "columns.bin").read_bytes())
    content[6225 * 8 + 100] ^= 1
    (entry.folder / "columns.bin").write_bytes(content)

    code, said, error = bars("check", entry.key[:6])
    assert (code, said) == (1, "")
    assert "damaged: open; remove the entry and put the bars again" in error

    (entry.folder / "facts.json").write_text("{}")
    assert f"{entry.key[:12]}  unreadable: " in bars("list")[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("import", "prices.csv"), "bars are read from .npz and .parquet files"),
        (("import", "none.npz"), "none.npz: there is no such data file"),
        (("import", "none.npz", "--clock", "eet_eu"), "the times of .npz files are UTC always"),
        (("import", "none.parquet", "--clock", "eest"), "--clock: server clock 'eest'"),
        (("check", "abc"), "there are no bars with the key 'abc'"),
        (("export", "abc", "out.csv"), "bars are written to .npz and .parquet files"),
        (("export", "abc", "out.npz"), "there are no bars with the key 'abc'"),
        (("export", "abc", str(SHIPPED.with_suffix(".npz"))), "there are no bars with the key"),
        (("remove", "abc"), "there are no bars with the key 'abc'"),
    ],
)
def test_what_cannot_be_done_is_one_line(bars, words: tuple[str, ...], said: str):
    code, out, error = bars(*words)

    assert (code, out) == (1, "")
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert said in error


def test_an_export_replaces_no_file_and_needs_its_folder(bars, file: Path, tmp_path: Path):
    key = json.loads(bars("import", file, "--json")[1])["key"]
    before = file.read_bytes()

    assert "there is such a file already" in bars("export", key, file)[2]
    assert file.read_bytes() == before
    assert "cannot be written" in bars("export", key, tmp_path / "nowhere" / "a.npz")[2]


def test_a_run_finds_the_bars_by_their_key(file: Path, tmp_path: Path) -> None:
    imported = run("bars", "import", str(file), "--json")
    key = json.loads(imported.stdout)["key"]
    text = SHIPPED.read_text(encoding="utf-8")
    assert "sample: eurusd-h1-2017" in text
    config = tmp_path / "bot.yaml"
    stored = f'stored: "{key[:10]}"'
    config.write_text(text.replace("sample: eurusd-h1-2017", stored), encoding="utf-8")

    here, there = run("backtest", "--json"), run("backtest", "--json", "--config", str(config))

    assert json.loads(there.stdout)["trades_sha256"] == json.loads(here.stdout)["trades_sha256"]
