"""Hours in which entries are allowed, by the server's week."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from mtquant.model import ConfigError

_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_DAY_MINUTES: Final = 24 * 60
_FORM: Final = re.compile(r"([a-z]{3})(?:-([a-z]{3}))? (\d{2}):(\d{2})-(\d{2}):(\d{2})")
_EXAMPLE: Final = "write it as 'mon-fri 08:00-22:00', in the server's time"


@lru_cache(maxsize=64)
def open_spans(hours: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """Return (from, to) minutes of the server's week, which begins on Sunday at 00:00.

    >>> open_spans(("mon-tue 08:00-09:30",))
    ((1920, 2010), (3360, 3450))

    Raises:
        ConfigError: an entry is none of the form `mon-fri 08:00-22:00`.
    """
    return tuple(span for text in hours for span in _spans(text))


def is_in_hours(hours: tuple[str, ...], server_ms: int) -> bool:
    """Tell whether a server wall time (ms) lies in one of the hours; without any it does."""
    if not hours:
        return True
    minutes = server_ms // 60_000
    minute = (minutes // _DAY_MINUTES + 4) % 7 * _DAY_MINUTES + minutes % _DAY_MINUTES
    for start, end in open_spans(hours):  # noqa: SIM110 - the gate asks; any() takes thrice as long
        if start <= minute < end:
            return True
    return False


def _spans(text: str) -> list[tuple[int, int]]:
    match = _FORM.fullmatch(text.strip().lower())
    if match is None or match[1] not in _DAYS or (match[2] or match[1]) not in _DAYS:
        raise ConfigError(f"trading_hours: {text!r} is not understood; {_EXAMPLE}")
    first, last = _DAYS.index(match[1]), _DAYS.index(match[2] or match[1])
    start, end = 60 * int(match[3]) + int(match[4]), 60 * int(match[5]) + int(match[6])
    if not (start < end <= _DAY_MINUTES and int(match[4]) < 60 and int(match[6]) < 60):
        raise ConfigError(
            f"trading_hours: {text!r} must end after it begins, by 24:00; what goes over midnight "
            "takes two lines"
        )
    days = range(first, last + 1) if first <= last else [*range(first, 7), *range(last + 1)]
    return [(day * _DAY_MINUTES + start, day * _DAY_MINUTES + end) for day in days]
