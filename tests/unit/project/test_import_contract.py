"""The floors of the house hold, and the contract notices when one gives way."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LINT_IMPORTS = (
    "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
)


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    """Check the tree below `root`, whatever mtquant is installed."""
    return subprocess.run(
        [sys.executable, "-c", LINT_IMPORTS],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root / "src"), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Return a copy of the project's modules and contract."""
    shutil.copy(ROOT / ".importlinter", tmp_path)
    for path in (ROOT / "src").rglob("*.py"):
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    return tmp_path


def test_the_project_keeps_its_import_contract():
    result = lint_imports(ROOT)

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("room", "statement", "contract"),
    [
        ("model", "import mtquant.engine", "Floors"),
        ("risk", "import mtquant.strategy", "Floors"),
        ("strategy", "import mtquant.broker", "Pure rooms"),
        ("storage", "import mtquant.terminal", "Only broker, engine and app"),
        ("research", "import mtquant.terminal", "Observers and research"),
        ("broker", "import MetaTrader5", "The official MetaTrader5 package"),
        ("execution", "import pandas", "no framework"),
        ("exchange/rules", "import numpy", "plain scalar functions"),
    ],
)
def test_a_planted_breach_breaks_the_contract(
    house: Path, room: str, statement: str, contract: str
):
    planted = house / "src" / "mtquant" / room / "planted.py"
    planted.write_text(f"{statement}\n", encoding="utf-8")

    result = lint_imports(house)

    broken = [line for line in result.stdout.splitlines() if line.endswith("BROKEN")]
    assert result.returncode == 1, result.stdout + result.stderr
    assert any(contract in line for line in broken), result.stdout


def test_a_package_on_no_floor_breaks_the_contract(house: Path):
    attic = house / "src" / "mtquant" / "attic"
    attic.mkdir()
    (attic / "__init__.py").touch()

    result = lint_imports(house)

    assert result.returncode == 1
    assert "attic" in result.stdout
