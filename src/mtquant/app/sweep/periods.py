"""Windows of a sweep: which rows of which bars, under what name."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import numpy as np

from mtquant.model import Bars, ConfigError
from mtquant.research.words import minute_text

if TYPE_CHECKING:
    from collections.abc import Sequence

WHOLE: Final = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Name a stretch of time, UTC milliseconds: `from_ms` is in it, `to_ms` is not.

    None means from the first bar on, or up to the last.
    """

    name: str = WHOLE
    from_ms: int | None = None
    to_ms: int | None = None

    def __post_init__(self) -> None:
        """Refuse a stretch that is empty or has no name.

        Raises:
            ConfigError: the message has both ends.
        """
        if not self.name:
            raise ConfigError("a window needs a name, such as --window spring=2017-03..2017-06")
        if self.from_ms is not None and self.to_ms is not None and self.from_ms >= self.to_ms:
            raise ConfigError(
                f"window {self.name}: ends {minute_text(self.to_ms)}, not after it begins "
                f"{minute_text(self.from_ms)}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Hold a named stretch of rows, `start` up to and not including `stop`, of bars by number."""

    name: str
    bars: int
    start: int
    stop: int


def parse_period(word: str) -> Period:
    """Return the period that `NAME=FROM..TO` describes; either end may be left out.

    Raises:
        ConfigError: the word has another form, a day does not exist, or the period is empty.
    """
    name, separator, ends = word.partition("=")
    start, dots, end = ends.partition("..")
    if not (separator and dots):
        raise ConfigError(f"{word!r}: write NAME=FROM..TO, such as spring=2017-03-01..2017-06-01")
    return Period(
        name=name.strip(),
        from_ms=parse_moment(start) if start.strip() else None,
        to_ms=parse_moment(end) if end.strip() else None,
    )


def parse_moment(text: str) -> int:
    """Return a UTC day or minute, `2017-03-01` or `2017-03-01T12:00`, in milliseconds.

    Raises:
        ConfigError: there is no such moment.
    """
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ConfigError(
            f"{text!r} is no moment; write 2017-03-01 or 2017-03-01T12:00 (UTC)"
        ) from error
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return round(at.timestamp() * 1000)


def make_windows(sources: Sequence[Bars], periods: Sequence[Period]) -> tuple[Window, ...]:
    """Return every period of every source.

    Raises:
        ConfigError: two windows have one name, or one holds no bars.
    """
    prefixes = _prefixes(sources)
    windows = tuple(
        _window(number, bars, prefix, period)
        for number, (bars, prefix) in enumerate(zip(sources, prefixes, strict=True))
        for period in periods or (Period(),)
    )
    for name, count in Counter(window.name for window in windows).items():
        if count > 1:
            raise ConfigError(f"window {name}: this name is given {count} times")
    return windows


def _prefixes(sources: Sequence[Bars]) -> list[str]:
    if len(sources) == 1:
        return [""]
    names = [f"{bars.symbol} {bars.timeframe.name}" for bars in sources]
    counts = Counter(names)
    return [
        f"{name} #{number}" if counts[name] > 1 else name for number, name in enumerate(names, 1)
    ]


def _window(number: int, bars: Bars, prefix: str, period: Period) -> Window:
    ends = (period.from_ms, period.to_ms)
    start, stop = (
        default if ms is None else int(np.searchsorted(bars.time_ms, ms))
        for ms, default in zip(ends, (0, len(bars)), strict=True)
    )
    is_plain = prefix and period.name == WHOLE
    name = prefix if is_plain else f"{prefix} {period.name}".strip()
    if stop <= start:
        first, last = (minute_text(int(bars.time_ms[row])) for row in (0, -1))
        raise ConfigError(
            f"window {name}: no bar of {bars.symbol} lies in it; they go from {first} to {last} UTC"
        )
    return Window(name=name, bars=number, start=start, stop=stop)
