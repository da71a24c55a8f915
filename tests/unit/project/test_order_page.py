"""The page about what happens to an order says what tests show: they exist and are not skipped."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "concepts" / "what-happens-to-my-order.md"
NOT_BUILT = {37, 38, 40, 41, 42}
COLLECT = """
import json, sys, pytest

class Recorder:
    found = []

    def pytest_collection_finish(self, session):
        for item in session.items:
            stops = {"skip", "xfail"} & {mark.name for mark in item.iter_markers()}
            if any(mark.args and mark.args[0] for mark in item.iter_markers("skipif")):
                stops.add("skipif")
            self.found.append([item.nodeid.partition("[")[0], sorted(stops)])

code = pytest.main(["--collect-only", "-qq", "-p", "no:xdist", *sys.argv[1:]], plugins=[Recorder()])
print("\\n" + json.dumps([int(code), Recorder.found]))
"""


@dataclass(frozen=True, kw_only=True)
class Row:
    """Hold a row of the page."""

    number: int
    cells: tuple[str, ...]

    @property
    def tests(self) -> list[str]:
        """Return the tests that it names."""
        return re.findall(r"`(tests/[^`]+)`", self.cells[-1])


def rows_of(text: str) -> list[Row]:
    """Return the rows of its tables that begin with a number."""
    found = []
    for line in text.splitlines():
        first, *cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("|") and first.isdigit():
            found.append(Row(number=int(first), cells=tuple(cells)))
    return found


BUILT_TEXT, _, NOT_BUILT_TEXT = PAGE.read_text(encoding="utf-8").partition("## Not built yet")
BUILT, MISSING = rows_of(BUILT_TEXT), rows_of(NOT_BUILT_TEXT)


def test_every_row_of_the_catalogue_is_told_once_or_said_to_be_missing() -> None:
    assert [row.number for row in BUILT] == [n for n in range(1, 49) if n not in NOT_BUILT]
    assert {row.number for row in MISSING} >= NOT_BUILT
    assert all(len(row.cells) == 4 and all(row.cells) for row in BUILT)


def test_what_is_seen_has_its_name_from_the_program() -> None:
    program = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "src").rglob("*.py"))
    words = {word for row in BUILT for word in re.findall(r"`(\w+)`", row.cells[2])}

    assert "link_lost" in words
    assert not {word for word in words if word not in program}


@pytest.fixture(scope="module")
def collected() -> dict[str, set[str]]:
    """Return the tests of all named files, with what keeps each from running."""
    files = sorted({test.partition("::")[0] for row in BUILT for test in row.tests})
    done = subprocess.run(
        [sys.executable, "-c", COLLECT, *files],
        cwd=ROOT,
        env=os.environ | {"PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    code, items = json.loads(done.stdout.splitlines()[-1])
    assert code == 0, done.stdout + done.stderr
    found: dict[str, set[str]] = {}
    for test, stops in items:
        found.setdefault(test, set()).update(stops)
    return found


@pytest.mark.skipif(sys.platform == "win32", reason="some of the tests need POSIX signals")
def test_every_named_test_is_collected_and_not_skipped(collected: dict[str, set[str]]) -> None:
    named = {test: row.number for row in BUILT for test in row.tests}

    assert all(row.tests for row in BUILT)
    wrong = {
        test: collected.get(test, "not collected") for test in named if collected.get(test) != set()
    }
    assert not wrong, {f"row {named[test]}: {test}": why for test, why in wrong.items()}
