"""The comparison with real bars is honest where there are none."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_without_real_bars_the_script_says_so_and_changes_nothing(tmp_path: Path):
    scripts = tmp_path / "project" / "scripts"
    shutil.copytree(ROOT / "scripts", scripts)

    done = subprocess.run(
        [sys.executable, str(scripts / "measure_synthetic.py")],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "nothing was compared, nothing was written" in done.stdout
    assert [path.name for path in (tmp_path / "project").iterdir()] == ["scripts"]


def test_the_page_of_the_synthetic_market_holds_its_measures():
    page = (ROOT / "docs" / "concepts" / "synthetic-market.md").read_text(encoding="utf-8")
    begin, end = page.index("<!-- measured: begin -->"), page.index("<!-- measured: end -->")

    measured = page[begin:end]

    assert measured.count("| 0 |\n") == 19  # no symbol has a hole in a session
    assert "| EURUSD M1 2018 |" in measured
