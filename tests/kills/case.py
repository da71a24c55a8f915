"""A case: lives of one bot in one folder, each ended at its point or time, but for the last one."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kills.child import BOT, END
from kills.nursery import Nursery, environment
from kills.points import Plan
from kills.scene import Scene
from kills.verdict import DIED, Finding, judge_between, judge_end, read_files
from mtquant.app.workspace import SERVER_LOG, TERMINAL
from mtquant.model import MarginMode

if TYPE_CHECKING:
    from collections.abc import Iterator

IS_POSIX = hasattr(signal, "SIGKILL")
_LONGEST_S = 120.0
_KILLED = (-9, -getattr(signal, "SIGXFSZ", 25))


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Say how the lives of a bot end: at a point, or this many seconds after their start."""

    seed: int
    mode: MarginMode
    ends: tuple[Plan | float, ...]
    bug: str = "none"

    @property
    def words(self) -> str:
        """Return the case as it stands on a command line."""
        return " ".join([str(self.seed), self.mode.value, *(f"'{end}'" for end in self.ends)])


@dataclass(slots=True, kw_only=True)
class Result:
    """Hold how a case ended."""

    case: Case
    findings: list[Finding] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)  # by point; "at a time" for a time
    orders: int = 0
    passings: dict[str, int] = field(default_factory=dict)  # of the last life

    @property
    def restarts(self) -> int:
        """Return how often the bot was started again."""
        return self.kills.total()


def play(case: Case, nursery: Nursery | None = None) -> Result:
    """Play a case in a folder of its own; the folder of one with findings is kept."""
    folder = Path(tempfile.mkdtemp(prefix="mtquant-kills-"))
    result = play_in(case, folder, nursery)
    if not result.findings:
        shutil.rmtree(folder)
    return result


def play_in(case: Case, folder: Path, nursery: Nursery | None = None) -> Result:
    """Play a case in an empty folder.

    Lives begin as interpreters of their own; from a nursery, where one is given and the time of
    their ends does not matter.
    """
    scene, result = Scene(case.seed, case.mode), Result(case=case)
    for end in (*case.ends, None):
        code, told = live(case, folder, end, nursery)
        if code not in (0, *_KILLED):
            result.findings.append(Finding(DIED, f"exit code {code}: {told[-2000:]}"))
            return result
        if code == 0:
            break
        result.kills[end.point if isinstance(end, Plan) else "at a time"] += 1
        result.findings += judge_between(read_files(folder, scene))
    files = read_files(folder, scene)
    result.findings += judge_end(folder, files)
    result.orders = sum(map(len, files.orders.values()))
    result.passings = json.loads((folder / END).read_text(encoding="utf-8"))["passings"]
    return result


def live(
    case: Case, folder: Path, end: Plan | float | None, nursery: Nursery | None = None
) -> tuple[int, str]:
    """Let a bot live once in a folder; return the exit code and what was said."""
    words = [str(folder), "--seed", str(case.seed), "--mode", case.mode.value, "--bug", case.bug]
    if isinstance(end, Plan):
        words += ["--kill", str(end)]
    if nursery is not None and not isinstance(end, float):
        return nursery.live(words)
    command = [sys.executable, "-m", "kills.child", *words]
    with subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE, text=True) as process:
        try:
            if isinstance(end, float):
                return _shoot(process, case, folder, end)
            _, told = process.communicate(timeout=_LONGEST_S)
        except subprocess.TimeoutExpired:
            process.kill()
            return 1, "it hangs"
    return process.returncode, told


def _shoot(
    process: subprocess.Popen[str], case: Case, folder: Path, delay_s: float
) -> tuple[int, str]:
    """Kill a process some time after its start, unless it is over or its market quiet by then."""
    try:
        _, told = process.communicate(timeout=delay_s)
    except subprocess.TimeoutExpired:
        if _market_ms(folder) < Scene(case.seed, case.mode).quiet_ms:
            process.send_signal(signal.SIGKILL)
        _, told = process.communicate(timeout=_LONGEST_S)
    return process.returncode, told


def _market_ms(folder: Path) -> int:
    """Return where the market stands, by the server's file."""
    path = folder / BOT / TERMINAL / SERVER_LOG
    if not path.is_file():
        return 0
    return max(_times(path.read_bytes()), default=0)


def _times(content: bytes) -> Iterator[int]:
    for line in content.splitlines()[-3:]:
        try:
            yield int(json.loads(line)["t"])
        except (ValueError, KeyError):
            continue  # the head, or a record that is being written
