"""Refuse the habits that this code base rules out and that no linter knows.

A rule is a function from a parsed file to its findings; RULES says which files it reads.
"""

import ast
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Real time and the outermost loop live in the runners; the rest of the engine is its core.
RUNNERS = ("src/mtquant/engine/live*", "src/mtquant/engine/replay*")
PURE = tuple(
    f"src/mtquant/{room}/*"
    for room in ("model", "exchange", "portfolio", "strategy", "risk", "execution", "engine")
)
CORE = (
    *PURE,
    *(f"src/mtquant/{room}/*" for room in ("indicators", "terminal", "broker", "storage")),
)

IMPURE = frozenset(
    {"asyncio", "concurrent", "multiprocessing", "random", "sched", "secrets", "threading", "time"}
)
MOCKS = frozenset({"mock", "unittest.mock", "pytest_mock"})
RETRIES = frozenset({"backoff", "stamina", "tenacity"})


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to check: its path below the root, its text and its syntax tree."""

    path: str
    text: str
    tree: ast.Module


Finding = tuple[int, str]  # line, what is wrong
Rule = Callable[[SourceFile], Iterator[Finding]]


def imports(nodes: Iterable[ast.AST]) -> Iterator[tuple[int, set[str]]]:
    """Yield each import's line and every dotted name it may bind, with that name's parents.

    >>> [(line, sorted(names)) for line, names in imports(ast.parse("from os import path").body)]
    [(1, ['os', 'os.path'])]
    """
    for node in nodes:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        split = [name.split(".") for name in names]
        yield node.lineno, {".".join(s[:end]) for s in split for end in range(1, len(s) + 1)}


def module_level(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield what runs when the module is imported: no function bodies, no TYPE_CHECKING blocks."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting.extend(node.orelse)
            continue
        yield node
        waiting.extend(ast.iter_child_nodes(node))


def broad_except(file: SourceFile) -> Iterator[Finding]:
    """Find handlers that catch more than the code can know how to answer."""
    for node in ast.walk(file.tree):
        if isinstance(node, ast.ExceptHandler):
            caught = "" if node.type is None else ast.unparse(node.type)
            if not caught or {"Exception", "BaseException"} & set(caught.strip("()").split(", ")):
                yield node.lineno, "catches everything: name the errors that are answered here"


def pandas_import(file: SourceFile) -> Iterator[Finding]:
    """Find core modules that cannot be imported without pandas."""
    for line, names in imports(module_level(file.tree)):
        if "pandas" in names:
            yield line, "imports pandas: the core runs without it"


def mock_library(file: SourceFile) -> Iterator[Finding]:
    """Find tests that replace code by mocks."""
    for line, names in imports(ast.walk(file.tree)):
        if MOCKS & names:
            yield line, "imports a mock library: write a fake or use the simulated terminal"
    for node in ast.walk(file.tree):
        if isinstance(node, ast.arg) and node.arg == "mocker":
            yield node.lineno, "takes a mocker: write a fake or use the simulated terminal"


def retried_send(file: SourceFile) -> Iterator[Finding]:
    """Find retries in files that send orders: a send happens once."""
    for line, names in imports(ast.walk(file.tree)):
        if RETRIES & names and "order_send" in file.text:
            yield line, "imports a retry beside order_send: only reads are repeated"


def impure_core(file: SourceFile) -> Iterator[Finding]:
    """Find clocks, sleeps, threads and unseeded chance where everything is handed in."""
    for line, names in imports(ast.walk(file.tree)):
        for name in sorted(IMPURE & names):
            yield line, f"imports {name}: time, chance and threads are handed in"
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Call) and reads_the_date(node.func):
            yield node.lineno, f"calls {ast.unparse(node.func)}: take a Clock"


def reads_the_date(function: ast.expr) -> bool:
    """Tell whether a call of `function` reads the wall clock through datetime."""
    name = ast.unparse(function)
    return name.endswith(("datetime.now", "datetime.utcnow", "datetime.today", "date.today"))


RULES: tuple[tuple[Rule, tuple[str, ...], tuple[str, ...]], ...] = (
    # rule, files it reads, files it leaves out
    (broad_except, ("src/*",), ("src/mtquant/app/*", *RUNNERS)),
    (pandas_import, CORE, ()),
    (mock_library, ("tests/*",), ()),
    (retried_send, ("src/*",), ()),
    (impure_core, PURE, ("src/mtquant/model/clock.py", *RUNNERS)),
)


def matches(path: str, patterns: tuple[str, ...]) -> bool:
    """Tell whether `path` fits one of the patterns."""
    return any(fnmatch(path, pattern) for pattern in patterns)


def check(path: Path) -> Iterator[str]:
    """Yield a line for every breach in one file."""
    text = path.read_text(encoding="utf-8")
    file = SourceFile(path.relative_to(ROOT).as_posix(), text, ast.parse(text))
    for rule, included, excluded in RULES:
        if matches(file.path, included) and not matches(file.path, excluded):
            for line, problem in rule(file):
                yield f"{file.path}:{line}: {problem}"


def main() -> int:
    """Print every finding; return 1 if there is any."""
    paths = sorted(path for name in ("src", "tests") for path in (ROOT / name).rglob("*.py"))
    findings = [finding for path in paths for finding in check(path)]
    print(*findings, sep="\n", end="\n" if findings else "")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
