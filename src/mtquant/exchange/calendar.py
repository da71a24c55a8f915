"""Trading hours and holidays as people write them: "01:05-24:00", "2017-12-25"."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from mtquant.model import ConfigError, Session

_HOURS: Final = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")
_EPOCH: Final = date(1970, 1, 1)
_DAY_MINUTES: Final = 1440


def day_of(text: str) -> int:
    """Return the days since 1970-01-01 of a date such as "2017-12-25".

    Raises:
        ConfigError: it is no date.
    """
    try:
        return (date.fromisoformat(text) - _EPOCH).days
    except ValueError as error:
        raise ConfigError(f"holidays: expected a date such as 2017-12-25, was {text!r}") from error


def week_of(days: tuple[str, ...]) -> tuple[tuple[Session, ...], ...]:
    """Return the sessions of a week from seven texts, Sunday to Saturday.

    Raises:
        ConfigError: there are not seven, or one is not like "09:00-12:00, 13:00-17:30".
    """
    if len(days) != 7:
        raise ConfigError(f"sessions must list Sunday to Saturday, had {len(days)} days")
    return tuple(_sessions(day) for day in days)


def _sessions(text: str) -> tuple[Session, ...]:
    sessions: list[Session] = []
    for word in (one.strip() for one in text.split(",")):
        if not word:
            continue
        found = _HOURS.fullmatch(word)
        if found is None:
            raise ConfigError(f"sessions: expected hours such as 01:05-24:00, was {word!r}")
        hours = [int(one) for one in found.groups()]
        start, end = 60 * hours[0] + hours[1], 60 * hours[2] + hours[3]
        is_after_the_last = not sessions or sessions[-1][1] <= start
        if not (start < end <= _DAY_MINUTES and max(hours[1], hours[3]) < 60 and is_after_the_last):
            raise ConfigError(f"sessions: {word!r} does not come after what is before it")
        sessions.append((start, end))
    return tuple(sessions)
