"""Every observation, one JSON object a line, in order and numbered."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mtquant.observe.logs import json_line, masked

if TYPE_CHECKING:
    from pathlib import Path

    from mtquant.model import Publish


class EventLog:
    """Append observations to a file of JSON lines.

    Each line is one write: a killed process tears at most the last one, and that one is cut off
    when the file is opened again.
    """

    def __init__(self, path: Path, run_id: str) -> None:
        self._run_id = run_id
        self._sequence = 0
        _cut_torn_line(path)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
        self._file = os.open(path, flags, 0o644)

    def __call__(self, event: Publish) -> None:
        """Append one observation."""
        self._sequence += 1
        envelope = {
            "run": self._run_id,
            "seq": self._sequence,
            "time_ms": event.time_ms,
            "name": event.name,
            "correlation_id": event.correlation_id,
        }
        fields = {k: v for k, v in event.fields.items() if k not in envelope}
        line = json_line({**envelope, **masked(fields)}) + b"\n"
        while line:
            line = line[os.write(self._file, line) :]

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _cut_torn_line(path: Path) -> None:
    if not path.is_file():
        return
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(path, whole)
