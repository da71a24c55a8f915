"""A nursery: one interpreter that has loaded everything and forks a process for each life.

A campaign of thousands of lives would spend most of its time importing. A forked life is a process
of its own like any other: it opens its own files, holds its own locks and is killed alone.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

_TESTS = Path(__file__).resolve().parents[1]
_LONGEST_S = 120


def environment() -> dict[str, str]:
    """Return an environment in which `python -m kills.child` finds the tests and the sources."""
    paths = [str(_TESTS), str(_TESTS.parent / "src"), os.environ.get("PYTHONPATH", "")]
    found = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    found.pop("PYTHONDONTWRITEBYTECODE", None)  # uncompiled, every start takes three times as long
    return found


class Nursery:
    """Have lives forked, one after the other."""

    def __enter__(self) -> Self:
        """Start the interpreter."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "kills.nursery"],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        """End the interpreter."""
        self._process.communicate()

    def live(self, words: Sequence[str]) -> tuple[int, str]:
        """Let a life with these words of `kills.child` end; return its exit code and its words."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(list(words)) + "\n")
        self._process.stdin.flush()
        code, told = json.loads(self._process.stdout.readline())
        return int(code), str(told)


def _serve() -> None:
    from kills import child  # loaded once, for all lives

    for line in sys.stdin:
        reader, writer = os.pipe()
        number = os.fork()
        if not number:
            os.close(reader)
            _be_born(child.main, json.loads(line), writer)
        os.close(writer)
        with os.fdopen(reader, encoding="utf-8", errors="replace") as words:
            told = words.read()
        _, status = os.waitpid(number, 0)
        code = os.waitstatus_to_exitcode(status)
        sys.stdout.write(json.dumps([code, told]) + "\n")
        sys.stdout.flush()


def _be_born(main: object, words: list[str], writer: int) -> None:
    """Live in the forked process, which ends here."""
    assert callable(main)
    signal.alarm(_LONGEST_S)  # ends what hangs
    os.dup2(writer, 2)
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    code = 1
    try:
        code = main(words)
    except BaseException:  # noqa: BLE001 - told to whoever asked for this life
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _serve()
