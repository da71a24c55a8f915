"""Power cuts: what a process wrote to its files is recorded, and a disk made that lost the rest.

The model is POSIX at its least. What was written since a file was last synchronised is there, is
not there, or is there in some of its sectors, in any order; a name that was made or taken away is
sure when its folder was synchronised. What really happens to a disk lies in between.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np

HERE: Final = Path(__file__).parent
SECTOR: Final = 512
_HEAD: Final = struct.Struct("<ciqq")  # as in recorded_writes.c


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that a process did to a file: `kind` as in recorded_writes.c."""

    kind: str
    path: Path
    place: int = 0
    content: bytes = b""

    @property
    def is_flush(self) -> bool:
        """Tell whether after it something is sure that was not sure before."""
        return self.kind == "S"


def record(program: str, folder: Path, *, source: Path) -> list[Deed]:
    """Run a Python program and return what it did to the files of a folder, in order.

    The test is skipped where there is no C compiler, and on other systems than Linux.
    """
    compiler = shutil.which("cc") or shutil.which("gcc")
    if sys.platform != "linux" or compiler is None:
        pytest.skip("needs Linux and a C compiler")
    recorder, records = folder.parent / "recorded_writes.so", folder.parent / "records"
    words = [compiler, "-O1", "-shared", "-fPIC", "-o", str(recorder)]
    subprocess.run([*words, str(HERE / "recorded_writes.c")], check=True)
    folder.mkdir()
    subprocess.run(
        [sys.executable, "-c", program, str(folder)],
        check=True,
        env={
            **os.environ,
            "LD_PRELOAD": str(recorder),
            "RECORD_FOLDER": str(folder),
            "RECORD_TO": str(records),
            "PYTHONPATH": os.pathsep.join([str(source), str(HERE)]),
        },
    )
    return list(_deeds(records.read_bytes()))


def _deeds(records: bytes) -> Iterator[Deed]:
    open_files: dict[int, Path] = {}
    at = 0
    while at < len(records):
        letter, file, place, size = _HEAD.unpack_from(records, at)
        at += _HEAD.size
        content, kind = records[at : at + size], letter.decode()
        at += size
        if kind == "O":
            open_files[file] = Path(os.fsdecode(content))
            yield Deed(kind, open_files[file], place)
        elif kind == "U":
            yield Deed(kind, Path(os.fsdecode(content)))
        elif kind == "R":
            first, second = content.split(b"\0")
            yield Deed(kind, Path(os.fsdecode(second)), content=first)
        else:
            yield Deed(kind, open_files[file], place, content)


@dataclass(slots=True)
class _File:
    """What of a file is sure, and what was done to it since."""

    sure: bytes = b""
    since: list[Deed] = field(default_factory=list)

    def synchronise(self) -> None:
        self.sure, self.since = _after(self.sure, self.since), []

    def after_cut(self, rng: np.random.Generator) -> bytes:
        """Return what is there when the power comes back."""
        return _after(self.sure, [part for deed in self.since for part in _parts(deed, rng)])


class Disk:
    """Follow the deeds of a process, and show what is left of them when the power goes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: dict[str, _File] = {}
        self._sure_names: dict[str, _File] = {}
        self._since: list[dict[str, _File]] = []  # the names after each change of them

    def do(self, deed: Deed) -> None:
        """Carry out a deed."""
        name = deed.path.name
        if deed.path == self._folder:
            if deed.is_flush:
                self._sure_names, self._since = dict(self._names), []
            return
        if deed.kind == "O":
            self._open(name, is_cut=bool(deed.place))
        elif deed.kind == "U":
            self._rename({name: None})
        elif deed.kind == "R":
            before = Path(os.fsdecode(deed.content)).name
            self._rename({before: None, name: self._names[before]})
        elif deed.is_flush:
            self._names[name].synchronise()
        else:
            self._names[name].since.append(deed)

    def lose_power(self, into: Path, rng: np.random.Generator) -> None:
        """Write the files as they are when the power comes back into an empty folder."""
        steps = [self._sure_names, *self._since]
        names = steps[int(rng.integers(len(steps)))]
        for name, file in names.items():
            (into / name).write_bytes(file.after_cut(rng))

    def _open(self, name: str, *, is_cut: bool) -> None:
        if name not in self._names:
            self._rename({name: _File()})
        if is_cut:
            self._names[name].since.append(Deed("T", self._folder / name))

    def _rename(self, changes: dict[str, _File | None]) -> None:
        after = {**self._names, **changes}
        self._names = {name: file for name, file in after.items() if file is not None}
        self._since.append(self._names)


def _after(content: bytes, deeds: Iterable[Deed]) -> bytes:
    done = bytearray(content)
    for deed in deeds:
        if deed.kind == "T":
            done[deed.place :] = bytes(max(0, deed.place - len(done)))
            continue
        end = deed.place + len(deed.content)
        done.extend(bytes(max(0, end - len(done))))
        done[deed.place : end] = deed.content
    return bytes(done)


def _parts(deed: Deed, rng: np.random.Generator) -> list[Deed]:
    """Return what of an unsynchronised deed has reached the disk: all, nothing or some sectors."""
    luck = rng.integers(3)
    if luck == 0 or (luck == 1 and deed.kind == "T"):
        return []
    if luck == 2:
        return [deed]
    first = deed.place - deed.place % SECTOR
    starts = range(first, deed.place + len(deed.content), SECTOR)
    found = []
    for start in starts:
        if rng.integers(2):
            low, high = max(start, deed.place), start + SECTOR
            part = deed.content[low - deed.place : high - deed.place]
            found.append(Deed(deed.kind, deed.path, low, part))
    return found
