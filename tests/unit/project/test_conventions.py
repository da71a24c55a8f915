"""The rules for source that no linter knows refuse what they must, and nothing else."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[3]
CLIENT = "src/mtquant/broker/client.py"
RULES = "src/mtquant/risk/rules.py"
READ = "await self._read(self._session.view)"


@pytest.fixture(scope="module")
def check() -> Iterator[Callable[[str, str], list[str]]]:
    """Return the check of a file, by its path and text."""
    scripts = ROOT / "scripts"
    spec = importlib.util.spec_from_file_location("conventions", scripts / "check_conventions.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(scripts))
    sys.modules["conventions"] = module
    try:
        spec.loader.exec_module(module)
        yield lambda path, text: list(module.check(path, text))
    finally:
        sys.path.remove(str(scripts))
        for name in ("conventions", "repeated_sends"):
            sys.modules.pop(name, None)


def client_that(work: str) -> str:
    """Return the client, but for what it hands to its repeated reads in `view`."""
    text = (ROOT / CLIENT).read_text(encoding="utf-8")
    assert text.count(READ) == 1
    return text.replace(READ, work)


def test_the_client_repeats_reads_only(check: Callable[[str, str], list[str]]) -> None:
    assert check(CLIENT, client_that(READ)) == []


@pytest.mark.parametrize(
    "work",
    [
        "await self._read(lambda: self._session.send(row))",
        "await self._read(partial(self._session.send, row))",
        "await self._read(self._session.send)",
        "await self._read(work=lambda: self._session.send(row))",
        "await self._read(lambda: self._terminal.order_send(request))",
        "await self._read(lambda: getattr(self._session, 'send')(row))",
        "await self._read(lambda: self.send(row))",
        "await AsyncRetrying(reraise=True)(self.run, lambda: self._session.send(row))",
    ],
)
def test_a_client_that_repeats_a_send_is_refused(
    check: Callable[[str, str], list[str]], work: str
) -> None:
    (found, *_) = check(CLIENT, client_that(work))

    assert found.startswith(f"{CLIENT}:")
    assert "repeats a send: only reads are repeated" in found


REPEATED = {
    "a function that refers to a send": """
class Client:
    def _deliver(self, row):
        return self._session.send(row)
    def enter(self, row):
        return self._again(lambda: self._deliver(row))
    def _again(self, work):
        while True:
            try:
                return work()
            except OSError:
                continue
""",
    "another name of a send": """
def enter(session, row):
    leave = session.send
    return with_retries(leave, row)
""",
    "a decorator": """
@retried(3)
def enter(session, row):
    return session.send(row)
""",
    "a function that hands on to one that repeats": """
def thrice(work):
    for _ in range(3):
        work()
def surely(task):
    thrice(task)
def enter(session, row):
    surely(lambda: session.send(row))
""",
    "a loop of attempts": """
def enter(session, row):
    for _ in range(3):
        if session.send(row).is_done:
            break
""",
    "a loop until it works": """
def enter(terminal, request):
    answer = None
    while answer is None:
        answer = terminal.order_send(request)
""",
    "a loop around a function that sends": """
class Runner:
    def _transmit(self, row):
        return self._session.send(row)
    def enter(self, row):
        while True:
            try:
                return self._transmit(row)
            except OSError:
                self._connect()
""",
    "a comprehension": """
def enter(session, row):
    return [session.send(row) for _ in range(2)]
""",
    "a handler": """
def enter(session, row):
    try:
        return session.send(row)
    except OSError:
        return session.send(row)
""",
    "a handler that begins again": """
def enter(session, row):
    try:
        return session.send(row)
    except OSError:
        return enter(session, row)
""",
}


@pytest.mark.parametrize("source", REPEATED.values(), ids=REPEATED)
@pytest.mark.parametrize("room", ["broker", "engine", "execution", "terminal", "app"])
def test_whatever_sends_an_order_twice_is_refused(
    check: Callable[[str, str], list[str]], room: str, source: str
) -> None:
    found = check(f"src/mtquant/{room}/planted.py", source)

    assert any("send" in one for one in found), found


ONCE = {
    "each of several": """
def all_of(session, rows):
    for row in rows:
        session.send(row)
""",
    "the events of a generator": """
def drive(steps, answer):
    event = None
    try:
        while True:
            event = answer(steps.send(event))
    except StopIteration:
        return
""",
    "a main loop that sends now and then": """
class Runner:
    def _look(self, now_ms):
        self._session.send(self._due(now_ms))
    def run(self, now_ms):
        while self._goes_on():
            self._look(now_ms)
""",
    "a read that is repeated beside a send": """
class Client:
    def send(self, row):
        return self._session.send(row)
    def view(self):
        return self._again(self._session.view)
    def _again(self, work):
        for _ in range(3):
            try:
                return work()
            except OSError:
                continue
""",
    "a handler that tells": """
def enter(session, row):
    try:
        return session.send(row)
    except OSError as error:
        return unknown(row, error)
""",
}


@pytest.mark.parametrize("source", ONCE.values(), ids=ONCE)
def test_what_sends_once_passes(check: Callable[[str, str], list[str]], source: str) -> None:
    assert check("src/mtquant/engine/live_planted.py", source) == []


@pytest.mark.parametrize(
    "statement",
    ["import tenacity", "from tenacity import retry", "import backoff as b", "import stamina.x"],
)
@pytest.mark.parametrize(
    "path",
    [
        f"src/mtquant/{name}.py"
        for name in (
            "broker/session",
            "engine/live",
            "execution/desk",
            "terminal/bridge",
            "app/run",
        )
    ],
)
def test_a_retry_library_on_the_way_of_an_order_is_refused(
    check: Callable[[str, str], list[str]], path: str, statement: str
) -> None:
    (found,) = check(path, f"{statement}\n")

    assert "broker/client.py repeats reads, nothing else repeats" in found
    assert check("src/mtquant/data/importing.py", f"{statement}\n") == []


@pytest.mark.parametrize(
    "source",
    [
        "import numpy as np\nchance = np.random.default_rng()",
        "import numpy as np\nchance = np.random.default_rng(None)",
        "import numpy as np\nchance = np.random.default_rng(seed=None)",
        "import numpy\nchance = numpy.random.default_rng()",
        "from numpy.random import default_rng\nchance = default_rng()",
        "from numpy import random as chance\nvalue = chance.default_rng()",
        "import numpy as np\nchance = np.random.Generator(np.random.PCG64())",
        "import numpy as np\nseeds = np.random.SeedSequence()",
        "import numpy as np\nmade = field(default_factory=np.random.default_rng)",
        "import numpy as np\nvalue = np.random.normal(0, 1)",
        "import numpy as np\nnp.random.seed(1)",
        "import random\nchance = random.Random()",
        "from random import Random\nchance = Random()",
        "import uuid\nname = uuid.uuid4()",
        "from uuid import uuid4 as fresh\nname = fresh()",
        "import uuid\nname = field(default_factory=uuid.uuid4)",
        "import os\nvalue = os.urandom(8)",
        "from os import urandom\nvalue = urandom(8)",
        "import secrets\nvalue = secrets.token_hex()",
        "import time\nnow = time.time()",
        "from datetime import datetime\nnow = datetime.now()",
        "from datetime import datetime as moment\nnow = moment.now()",
        "import threading",
    ],
)
@pytest.mark.parametrize("room", ["model", "exchange", "risk", "execution", "engine", "indicators"])
def test_chance_clocks_and_threads_are_refused_in_the_core(
    check: Callable[[str, str], list[str]], room: str, source: str
) -> None:
    assert check(f"src/mtquant/{room}/planted.py", f"{source}\n")


@pytest.mark.parametrize(
    "source",
    [
        "import numpy as np\nchance = np.random.default_rng(7)",
        "import numpy as np\nchance = np.random.default_rng(seed=seed)",
        "import numpy as np\nchance = np.random.Generator(np.random.PCG64([seed, 1]))",
        "import numpy as np\ndef draw(chance: np.random.Generator): return chance.normal()",
        "import uuid\nname = uuid.uuid5(uuid.NAMESPACE_URL, 'x')",
        "import os\npath = os.sep",
        "from datetime import datetime\nmoment = datetime.fromtimestamp(seconds, tz=zone)",
    ],
)
def test_what_is_seeded_or_handed_in_passes(
    check: Callable[[str, str], list[str]], source: str
) -> None:
    assert check(RULES, f"{source}\n") == []
