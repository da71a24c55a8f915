"""A look at SQLite's write-ahead log before SQLite reads it.

SQLite reads the log up to the first frame whose checksum is wrong and takes the rest for never
written, without a word: one bit that turned over hides every commit behind it. Format:
https://www.sqlite.org/fileformat2.html#walformat
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mtquant.model import JournalError
from mtquant.storage.way_on import HOW_TO_GO_ON, unusable

if TYPE_CHECKING:
    from pathlib import Path

_HEAD: Final = 32  # magic, version, page size, a count, two salts, two checksums
_FRAME_HEAD: Final = 24  # page, size of the database after a commit, two salts, two checksums
_SMALLEST_PAGE: Final = 512
_WORDS: Final = {0x377F0682: "<", 0x377F0683: ">"}  # the byte order of the checksums, by magic
_MOST_TORN: Final = 1
_READS: Final = 5


@dataclass(frozen=True, slots=True)
class _Frame:
    head: bytes
    page: bytes

    @property
    def is_commit(self) -> bool:
        return any(self.head[4:8])

    @property
    def salts(self) -> bytes:
        return self.head[8:16]


def require_whole_log(path: Path) -> None:
    """Refuse a database whose write-ahead log hides commits behind damage.

    A killed process can leave one commit that is not whole: the one it was writing. Where more
    cannot be read, rows are missing that somebody was told are safe.

    Raises:
        JournalError: the log is damaged, or cannot be read.
    """
    log = path.with_name(f"{path.name}-wal")
    before: bytes | None = None
    for _ in range(_READS):  # another process may be writing it: then it changes
        try:
            content = log.read_bytes() if log.exists() else b""
        except OSError as error:
            raise unusable(log, "cannot be read", error) from error
        hidden = hidden_commits(content)
        if hidden <= _MOST_TORN:
            return
        if content == before:
            raise JournalError(
                f"{log}: the journal is damaged ({hidden} of its newest commits cannot be read); "
                f"{HOW_TO_GO_ON}"
            )
        before = content


def hidden_commits(content: bytes) -> int:
    """Return how many commits of a write-ahead log SQLite would not see.

    >>> hidden_commits(b"")
    0
    """
    if len(content) < _HEAD + _FRAME_HEAD:
        return 0
    magic, _, page_size = struct.unpack(">III", content[:12])
    order = _WORDS.get(magic, "<")
    sums = _summed((0, 0), content[:24], order)
    is_sound = magic in _WORDS and sums == struct.unpack(">II", content[24:_HEAD])
    frames = _frames(content, page_size if is_sound else _likely_page_size(content))
    if not frames:
        return 0
    salts = content[16:24] if is_sound else frames[0].salts
    seen = _count_sound(frames, salts, sums, order) if is_sound else 0
    return sum(frame.is_commit and frame.salts == salts for frame in frames[seen:])


def _frames(content: bytes, page_size: int) -> list[_Frame]:
    """Return the whole frames of a log."""
    if page_size < _SMALLEST_PAGE:
        return []
    size = _FRAME_HEAD + page_size
    starts = range(_HEAD, len(content) - size + 1, size)
    whole = (content[start : start + size] for start in starts)
    return [_Frame(one[:_FRAME_HEAD], one[_FRAME_HEAD:]) for one in whole]


def _count_sound(frames: list[_Frame], salts: bytes, sums: tuple[int, int], order: str) -> int:
    """Return how many frames from the first on SQLite believes."""
    for number, frame in enumerate(frames):
        sums = _summed(_summed(sums, frame.head[:8], order), frame.page, order)
        if frame.salts != salts or sums != struct.unpack(">II", frame.head[16:]):
            return number
    return len(frames)


def _summed(sums: tuple[int, int], content: bytes, order: str) -> tuple[int, int]:
    """Carry SQLite's checksum over some more bytes, a multiple of eight."""
    first, second = sums
    for one, other in struct.iter_unpack(f"{order}II", content[: len(content) & ~7]):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + other + first) & 0xFFFFFFFF
    return first, second


def _likely_page_size(content: bytes) -> int:
    """Return the page size of a log whose head is damaged: the one at which salts repeat."""
    salts = content[_HEAD + 8 : _HEAD + 16]
    for size in (_SMALLEST_PAGE << shift for shift in range(8)):
        start = _HEAD + _FRAME_HEAD + size
        if content[start + 8 : start + 16] == salts:
            return size
    return 0
