"""Compiled code is kept on disk; a rule that was edited since must not go on as it was.

The compiler's own cache notices an edited kernel, and not an edited function that a kernel calls.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mtquant.engine.kernels import is_available

SOURCES = Path(__file__).resolve().parents[2] / "src" / "mtquant"
TESTS = Path(__file__).resolve().parents[1]
PLAY = """
from drawn_worlds import drawn_world
from mtquant.engine.kernels import layout, make_job, play
from mtquant.strategy import Series

world = drawn_world(4)
job = make_job(world.spec(), world.bars, Series.over(world.bars))
for interpreted in (False, True):
    played = play(job, world.directions, world.strengths, interpreted=interpreted)
    print(int(played.cells[layout.BALANCE]), len(played.deals))
"""


def balances(root: Path) -> list[str]:
    """Return what a process with the sources below `root` plays, compiled and interpreted."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(root), str(TESTS)]),
        "MTQUANT_KERNEL_CACHE": str(root / "cache"),
    }
    done = subprocess.run(
        [sys.executable, "-c", PLAY],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.skipif(not is_available(), reason="the extra `fast` (numba) is not installed")
def test_an_edited_rule_is_compiled_anew(tmp_path: Path) -> None:
    shutil.copytree(SOURCES, tmp_path / "mtquant", ignore=shutil.ignore_patterns("__pycache__"))
    before = balances(tmp_path)
    again = balances(tmp_path)
    versions = {one.name for one in (tmp_path / "cache").iterdir()}
    rule = tmp_path / "mtquant" / "exchange" / "rules" / "profit.py"
    text = rule.read_text(encoding="utf-8")
    edited = text.replace(
        "rate = gain_rate if own > 0", "own = own - 7\n    rate = gain_rate if own > 0"
    )
    assert edited != text
    rule.write_text(edited, encoding="utf-8")
    after = balances(tmp_path)

    assert before == again
    assert before[0] == before[1]
    assert after[0] == after[1] != before[0]
    assert len(versions) == 1
    assert len(list((tmp_path / "cache").iterdir())) == 2
