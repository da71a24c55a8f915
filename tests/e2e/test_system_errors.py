"""What the operating system refuses is one line; a defect keeps its traceback."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from demo_process import command, environment, run

from mtquant.app.cli import LazyGroup, main

FULL = Path("/dev/full")
Ended = Callable[[Exception], tuple[int, str]]


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ended:
    """Return a caller of a command that fails in a way: exit code, and what was said."""

    def end(error: Exception) -> tuple[int, str]:
        def fail() -> None:
            raise error

        failing = click.Command("demo", callback=fail)
        monkeypatch.setattr(LazyGroup, "get_command", lambda *_: failing)
        monkeypatch.setattr("sys.argv", ["mtquant", "demo"])
        code = main()
        return code, capsys.readouterr().err

    return end


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "a/b"), "a/b: Permission denied"),
        (PermissionError(errno.EACCES, "Permission denied", b"a/b"), "a/b: Permission denied"),
        (OSError(errno.EXDEV, "Other device", "a", None, "b"), "a -> b: Other device"),
        (OSError(errno.EIO, "Input/output error"), "Input/output error"),
        (OSError(errno.EBADF, "Bad file descriptor", 7), "Bad file descriptor"),
        (OSError("two\nlines"), "two lines"),
        (TimeoutError(), "TimeoutError"),
    ],
    ids=str,
)
def test_an_error_of_the_system_is_one_line_with_its_path(
    ended: Ended, error: OSError, said: str
) -> None:
    assert ended(error) == (1, f"error: {said}\n")


@pytest.mark.parametrize("error", [KeyError("x"), RuntimeError("x"), AssertionError()], ids=repr)
def test_a_defect_is_not_made_a_line(ended: Ended, error: Exception) -> None:
    with pytest.raises(type(error)):
        ended(error)


def test_a_reader_that_has_enough_ends_a_command_without_a_word(
    ended: Ended, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        ended(BrokenPipeError(errno.EPIPE, "Broken pipe"))
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(os.name == "nt", reason="says it in other words")
def test_a_folder_that_cannot_be_looked_at_is_named() -> None:
    done = run("halt", "--reason", "news", "--dir", "x" * 300)

    assert done.returncode == 1
    assert done.stderr.startswith("error: xxx")
    assert done.stderr.endswith(": File name too long\n")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(not FULL.exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("words", [["--help"], ["terminal", "run"]], ids=lambda words: words[0])
def test_an_output_that_takes_nothing_is_named(tmp_path: Path, words: list[str]) -> None:
    script = tmp_path / "script.py"
    script.write_text("print('hello')", encoding="utf-8")  # written at the very end
    names = [str(script)] if words[-1] == "run" else []
    surroundings = environment()
    surroundings.pop("PYTHONUNBUFFERED", None)
    with FULL.open("w") as full:
        done = subprocess.run(
            command(*words, *names),
            env=surroundings,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )

    assert done.returncode == 1
    assert done.stderr == "error: standard output: No space left on device\n"


def test_what_a_script_is_refused_shows_where_in_the_script(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("open('nowhere/at-all')", encoding="utf-8")

    done = run("terminal", "run", str(script))

    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert 'script.py", line 1, in <module>' in done.stderr
    assert "error: " not in done.stderr
