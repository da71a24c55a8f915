"""How much CPU the command line and the package cost above the bare interpreter.

Budget: 60 ms each, and neither numpy nor pandas nor numba imported. A miss means that something
heavy is imported at the top of a module that `--help` needs.
"""

from __future__ import annotations

import subprocess

import pytest
from measure import cpu_of_process, python

BUDGET_MS = 60
HEAVY = ("numpy", "pandas", "numba", "rich", "yaml", "structlog")

pytestmark = pytest.mark.bench


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mtquant --help", ("-m", "mtquant", "--help")),
        ("import mtquant", ("-c", "import mtquant")),
    ],
)
def test_start_up_stays_within_its_budget(name: str, words: tuple[str, ...]) -> None:
    bare = cpu_of_process(python("-c", "pass")).median
    ours = cpu_of_process(python(*words)).median

    above_ms = 1000 * (ours - bare)
    print(f"\n{name}: {above_ms:.0f} ms CPU above the interpreter ({1000 * bare:.0f} ms)")
    assert above_ms <= BUDGET_MS


@pytest.mark.parametrize("code", ["import mtquant", "import mtquant.app.cli as c; c.cli.commands"])
def test_nothing_heavy_is_imported(code: str) -> None:
    question = f"{code}; import sys; print(*[n for n in {HEAVY!r} if n in sys.modules])"

    answer = subprocess.run(python("-c", question), capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == ""
