"""Find what would send an order twice: retries, loops and handlers around whatever leads to a send.

The names of the code do not matter: a function that refers to a send leads to one, and so does what
refers to that function; a function that uses a retry library, or that calls what it was given in a
loop, repeats. All of it is seen within one file.
"""

import ast
import re
from collections.abc import Iterable, Iterator

SENDS = frozenset({"order_send", "send"})
RETRIES = frozenset(
    {
        "aioretry",
        "backoff",
        "opnieuw",
        "redo",
        "reretry",
        "retry",
        "retrying",
        "stamina",
        "tenacity",
    }
)
RETRY_WORD = re.compile(r"retr(y|ied|ies|ying)|backoff|repeat", re.IGNORECASE)

Finding = tuple[int, str]
Function = ast.FunctionDef | ast.AsyncFunctionDef
LOOPS = (
    *(ast.For, ast.AsyncFor, ast.While),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
)


def repeated_sends(tree: ast.Module) -> Iterator[Finding]:
    """Yield the line of everything that repeats a send, and what it is."""
    functions = [node for node in ast.walk(tree) if isinstance(node, Function)]
    senders = grown(SENDS, [*named(functions), *aliases(tree)])
    retries = grown(retry_names(tree), assigned(tree))
    repeaters = repeating(functions, retries)
    for function in functions:
        by_retry = referred(function) & retries
        decorated = {name for one in function.decorator_list for name in referred(one)}
        if (by_retry or is_repeat(decorated, repeaters)) and referred(function) & senders:
            yield function.lineno, f"{function.name} repeats a send: only reads are repeated"
    for call in calls(tree):
        if is_repeat({callee(call)}, repeaters | retries) and sent(call, senders):
            yield call.lineno, f"{callee(call)} repeats a send: only reads are repeated"
    yield from looped(tree, senders)
    yield from sent_again(functions)


def grown(names: Iterable[str], parts: list[tuple[str, ast.AST]]) -> frozenset[str]:
    """Return names, and those of the parts that refer to one of them, however indirectly."""
    found = set(names)
    before = -1
    while len(found) != before:
        before = len(found)
        found |= {name for name, node in parts if referred(node) & found}
    return frozenset(found)


def repeating(functions: list[Function], retries: frozenset[str]) -> frozenset[str]:
    """Return the functions that repeat what they are given: by a retry library, or in a loop."""
    found = {one.name for one in functions if referred(one) & retries or calls_again(one)}
    before = -1
    while len(found) != before:
        before = len(found)
        for function in functions:
            given = parameters(function)
            for call in calls(function):
                if callee(call) in found and any(referred(one) & given for one in arguments(call)):
                    found.add(function.name)
    return frozenset(found)


def calls_again(function: Function) -> bool:
    """Tell whether a function calls one of its parameters in a loop."""
    given = parameters(function)
    return any(
        isinstance(call.func, ast.Name) and call.func.id in given - changed(loop)
        for loop in loops(function)
        for call in calls(loop)
    )


def looped(tree: ast.Module, senders: frozenset[str]) -> Iterator[Finding]:
    """Find loops that send what does not change from one round to the next.

    A `while` that calls a function of its file may be a main loop: it counts with a `try` only.
    """
    for loop in loops(tree):
        inner = {id(call) for one in loops(loop) if one is not loop for call in calls(one)}
        for call in calls(loop):
            known = SENDS if is_main_loop(loop) else senders
            if id(call) in inner or not leads_on(call, known):
                continue
            names = {name for one in arguments(call) for name in variables(one)} - {"self"}
            if names and not names & changed(loop):
                yield call.lineno, f"{callee(call)} in a loop sends the same again"


def is_main_loop(loop: ast.AST) -> bool:
    """Tell whether a loop goes on by its condition, and past no failure."""
    return isinstance(loop, ast.While) and not any(
        isinstance(one, ast.Try) for one in ast.walk(loop)
    )


def leads_on(call: ast.Call, senders: frozenset[str]) -> bool:
    """Tell whether a call sends, or calls a function of this file that leads to a send."""
    function = call.func
    is_own = isinstance(function, ast.Name) or (
        isinstance(function, ast.Attribute) and ast.unparse(function.value) == "self"
    )
    return callee(call) in (senders if is_own else SENDS)


def sent_again(functions: list[Function]) -> Iterator[Finding]:
    """Find handlers that send once more what has failed."""
    for function in functions:
        for node in ast.walk(function):
            if not isinstance(node, ast.Try):
                continue
            tried = {callee(call) for one in node.body for call in calls(one)}
            for handler in node.handlers:
                for call in calls(handler):
                    if tried & SENDS and callee(call) in SENDS | {function.name}:
                        yield call.lineno, "sends once more after a failure"


def sent(call: ast.Call, senders: frozenset[str]) -> bool:
    """Tell whether an argument leads to a send."""
    return any(referred(one) & senders for one in arguments(call))


def is_repeat(names: set[str], repeaters: frozenset[str]) -> bool:
    """Tell whether one of the names repeats, or says so."""
    return bool(names & repeaters) or any(RETRY_WORD.search(name) for name in names)


def retry_names(tree: ast.Module) -> set[str]:
    """Return what a file calls the retry libraries and their parts."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {
                alias.asname or alias.name.split(".")[0]
                for alias in node.names
                if alias.name.split(".")[0] in RETRIES
            }
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in RETRIES:
            found |= {alias.asname or alias.name for alias in node.names}
    return found


def named(functions: list[Function]) -> list[tuple[str, ast.AST]]:
    """Return functions with their names."""
    return [(one.name, one) for one in functions]


def assigned(tree: ast.Module) -> list[tuple[str, ast.AST]]:
    """Return the values that are given a name, with that name."""
    found: list[tuple[str, ast.AST]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            found += [(name, node.value) for one in node.targets for name in last_name(one)]
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            found += [(name, node.value) for name in last_name(node.target)]
    return found


def aliases(tree: ast.Module) -> list[tuple[str, ast.AST]]:
    """Return the functions among the values that are given a name."""
    return [
        (name, value)
        for name, value in assigned(tree)
        if isinstance(value, ast.Name | ast.Attribute | ast.Lambda)
        or (isinstance(value, ast.Call) and callee(value) in {"partial", "getattr"})
    ]


def last_name(target: ast.expr) -> set[str]:
    """Return the name that a target ends in."""
    if isinstance(target, ast.Name):
        return {target.id}
    return {target.attr} if isinstance(target, ast.Attribute) else set()


def referred(node: ast.AST) -> set[str]:
    """Return the names and attributes that a piece of code refers to, also by `getattr`."""
    found = set()
    for one in ast.walk(node):
        if isinstance(one, ast.Name):
            found.add(one.id)
        elif isinstance(one, ast.Attribute):
            found.add(one.attr)
        elif isinstance(one, ast.Call) and callee(one) in {"getattr", "methodcaller"}:
            found |= {str(part.value) for part in one.args if isinstance(part, ast.Constant)}
    return found


def variables(node: ast.AST) -> set[str]:
    """Return the variables that a piece of code reads."""
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def changed(loop: ast.AST) -> set[str]:
    """Return the variables that a loop gives new values to."""
    return {
        one.id
        for one in ast.walk(loop)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    }


def parameters(function: Function) -> set[str]:
    """Return the names of what a function is given."""
    given = function.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    return {one.arg for one in every} - {"self", "cls"}


def arguments(call: ast.Call) -> list[ast.expr]:
    """Return what a call hands over, by place and by name."""
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def calls(node: ast.AST) -> list[ast.Call]:
    """Return all calls in a piece of code."""
    return [one for one in ast.walk(node) if isinstance(one, ast.Call)]


def loops(node: ast.AST) -> list[ast.AST]:
    """Return all loops in a piece of code, itself if it is one."""
    return [one for one in ast.walk(node) if isinstance(one, LOOPS)]


def callee(call: ast.Call) -> str:
    """Return the last name of what is called; of `retry(...)(work)` that is `retry`."""
    function = call.func
    while isinstance(function, ast.Call):
        function = function.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""
