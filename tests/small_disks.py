"""Disks that are full: a file system of some megabytes for one folder."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def small_disk(folder: Path, size_mb: int) -> Iterator[Path]:
    """Give a folder a disk of its own; who may not mount one skips the test."""
    folder.mkdir(exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "tmpfs", str(folder)]
    if (
        sys.platform != "linux"
        or subprocess.run(words, capture_output=True, check=False).returncode
    ):
        pytest.skip("only root on Linux may mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(path: Path) -> None:
    """Write until the disk takes nothing more."""
    with path.open("ab", buffering=0) as file:
        for size in (65_536, 512):  # the last bit too
            with suppress(OSError):
                while True:
                    file.write(bytes(size))
