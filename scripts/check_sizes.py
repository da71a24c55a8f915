"""Refuse modules and functions that have grown too long to read in one go."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("src", "scripts", "bench", "examples")
LONGEST_MODULE = 600
LONGEST_FUNCTION = 50


def oversized(path: Path) -> Iterator[str]:
    """Yield a line for the module and for each of its functions that exceed their limit."""
    source = path.read_text(encoding="utf-8")
    path = path.relative_to(ROOT)
    lines = len(source.splitlines())
    if lines > LONGEST_MODULE:
        yield f"{path}:1: module has {lines} lines, at most {LONGEST_MODULE}"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > LONGEST_FUNCTION:
                where = f"{path}:{node.lineno}: {node.name}"
                yield f"{where} has {length} lines, at most {LONGEST_FUNCTION}"


def main() -> int:
    """Print every finding; return 1 if there is any."""
    paths = [ROOT / "run.py", *(path for name in FOLDERS for path in (ROOT / name).rglob("*.py"))]
    findings = [finding for path in sorted(paths) for finding in oversized(path)]
    print(*findings, sep="\n", end="\n" if findings else "")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
