"""One account, one bot: a second one is refused and told who has it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mtquant.model import AccountInUseError, ConfigError
from mtquant.storage import account_lock

SOURCE = Path(__file__).resolve().parents[3] / "src"
HOLDER = """
import sys
from pathlib import Path
from mtquant.storage import account_lock
with account_lock(Path(sys.argv[1]), "1@Demo", journal=Path("a/journal.sqlite"), now_ms=0):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_bot_on_the_account_is_refused_and_told_of_the_first(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(AccountInUseError) as caught,
            account_lock(tmp_path, "1@Demo", journal=Path("b"), now_ms=1),
        ):
            pass
        with account_lock(tmp_path, "2@Demo", journal=Path("b"), now_ms=1):
            pass  # another account
        holder.kill()

    said = str(caught.value)
    assert f"process {holder.pid}, started 1970-01-01 00:00:00 UTC" in said
    assert str(Path("a/journal.sqlite")) in said
    with account_lock(tmp_path, "1@Demo", journal=Path("b"), now_ms=1):
        pass  # it ended with its process


def test_an_owner_that_told_nothing_is_an_owner(tmp_path: Path) -> None:
    with account_lock(tmp_path, "1@Demo", journal=Path("b"), now_ms=1):
        (note,) = tmp_path.glob("account-*.json")
        note.write_text("{", encoding="utf-8")
        with (
            pytest.raises(AccountInUseError, match="owner unknown"),
            account_lock(tmp_path, "1@Demo", journal=Path("b"), now_ms=1),
        ):
            pass


def test_a_place_where_no_lock_can_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with (
        pytest.raises(ConfigError, match="lock cannot be made"),
        account_lock(tmp_path / "file", "1@Demo", journal=Path("b"), now_ms=1),
    ):
        pass
