"""Refuse the habits that this code base rules out and that no linter knows.

A rule is a function from a parsed file to its findings; RULES says which files it reads.
"""

import ast
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from repeated_sends import RETRIES, repeated_sends

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
# What stands between a decision and the terminal; whoever repeats there may repeat an order.
SENDING = (*CORE, "src/mtquant/app/*")

IMPURE = frozenset(
    {"asyncio", "concurrent", "multiprocessing", "random", "sched", "secrets", "threading", "time"}
)
MOCKS = frozenset({"mock", "unittest.mock", "pytest_mock"})
CHANCE = frozenset(
    {"os.getrandom", "os.urandom", "uuid.uuid1", "uuid.uuid4", "uuid.uuid6", "uuid.uuid7"}
)
SEEDED = frozenset(
    f"numpy.random.{name}"
    for name in (
        *("MT19937", "PCG64", "PCG64DXSM", "Philox", "RandomState", "SFC64"),
        *("SeedSequence", "default_rng"),
    )
)
GENERATORS = frozenset({"numpy.random.BitGenerator", "numpy.random.Generator"})


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to check: its path below the root and its syntax tree."""

    path: str
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


def retry_library(file: SourceFile) -> Iterator[Finding]:
    """Find retry libraries between a decision and the terminal."""
    for line, names in imports(ast.walk(file.tree)):
        for name in sorted(RETRIES & names):
            yield line, f"imports {name}: broker/client.py repeats reads, nothing else repeats"


def retried_send(file: SourceFile) -> Iterator[Finding]:
    """Find whatever would send an order twice: a send happens once."""
    yield from repeated_sends(file.tree)


def impure_core(file: SourceFile) -> Iterator[Finding]:
    """Find clocks, sleeps, threads and unseeded chance where everything is handed in."""
    for line, names in imports(ast.walk(file.tree)):
        for name in sorted((IMPURE | CHANCE) & names):
            yield line, f"imports {name}: time, chance and threads are handed in"
    bound = bound_names(file.tree)
    called = {id(node.func): node for node in ast.walk(file.tree) if isinstance(node, ast.Call)}
    for node in ast.walk(file.tree):
        if not isinstance(node, ast.Name | ast.Attribute):
            continue
        name, call = dotted(node, bound), called.get(id(node))
        if call is not None and reads_the_date(name):
            yield node.lineno, f"calls {name}: take a Clock"
        if name in CHANCE or draws_unseeded(name, call):
            yield node.lineno, f"draws from {name}: take a Generator, or a seed"


def bound_names(tree: ast.Module) -> dict[str, str]:
    """Return what the names that a file imports stand for, each as a dotted name.

    >>> bound_names(ast.parse("import numpy as np; from os import urandom as chance"))
    {'np': 'numpy', 'chance': 'os.urandom'}
    """
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom):
            found |= {
                alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names
            }
    return found


def dotted(node: ast.expr, bound: dict[str, str]) -> str:
    """Return the whole name of what an expression refers to."""
    first, *rest = ast.unparse(node).split(".")
    return ".".join([bound.get(first, first), *rest])


def draws_unseeded(name: str, call: ast.Call | None) -> bool:
    """Tell whether a reference, or its call, makes chance of numpy that nobody has seeded."""
    if name not in SEEDED:  # the functions of the module share one hidden generator
        is_function = name.startswith("numpy.random.") and name.count(".") == 2
        return is_function and name not in GENERATORS
    if call is None:
        return True
    seeds = [*call.args[:1], *(word.value for word in call.keywords)]
    return not seeds or any(isinstance(one, ast.Constant) and one.value is None for one in seeds)


def reads_the_date(name: str) -> bool:
    """Tell whether a call of `name` reads the wall clock through datetime."""
    return name.endswith(("datetime.now", "datetime.utcnow", "datetime.today", "date.today"))


RULES: tuple[tuple[Rule, tuple[str, ...], tuple[str, ...]], ...] = (
    # rule, files it reads, files it leaves out
    (broad_except, ("src/*",), ("src/mtquant/app/*", "src/mtquant/broker/calls.py", *RUNNERS)),
    (pandas_import, CORE, ()),
    (mock_library, ("tests/*",), ()),
    (retry_library, SENDING, ("src/mtquant/broker/client.py",)),
    (retried_send, SENDING, ()),
    (impure_core, (*PURE, "src/mtquant/indicators/*"), ("src/mtquant/model/clock.py", *RUNNERS)),
)


def matches(path: str, patterns: tuple[str, ...]) -> bool:
    """Tell whether `path` fits one of the patterns."""
    return any(fnmatch(path, pattern) for pattern in patterns)


def check(path: str, text: str) -> Iterator[str]:
    """Yield a line for every breach in one file."""
    file = SourceFile(path, ast.parse(text))
    for rule, included, excluded in RULES:
        if matches(file.path, included) and not matches(file.path, excluded):
            for line, problem in rule(file):
                yield f"{file.path}:{line}: {problem}"


def main() -> int:
    """Print every finding; return 1 if there is any."""
    paths = sorted(path for name in ("src", "tests") for path in (ROOT / name).rglob("*.py"))
    findings = [
        finding
        for path in paths
        for finding in check(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
    ]
    print(*findings, sep="\n", end="\n" if findings else "")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
