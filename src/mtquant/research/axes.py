"""Where the ticks of a chart stand and what they say."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from mtquant.research.words import moment, month_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mtquant.model import IntColumn

_TICKS = 12  # at most, along the time axis
_HOURS: Final = (1, 2, 3, 6, 12)
_DAYS: Final = (1, 2, 7, 14)
_MONTHS: Final = (1, 2, 3, 6, 12, 24, 60, 120)
_A_MONDAY: Final = datetime(1970, 1, 5, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """Place a label on an axis; `at` is a value, or a row of the bars on the time axis."""

    at: float
    label: str


def value_step(low: float, high: float, wanted: int = 5) -> float:
    """Return the round step, 1, 2, 2.5 or 5 times a power of ten, that gives about `wanted` ticks.

    >>> value_step(0.0, 1.0), value_step(1.0341, 1.2092)
    (0.2, 0.05)
    """
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    factor = next((f for f in (1.0, 2.0, 2.5, 5.0) if f * power >= rough * 0.999), 10.0)
    return factor * power


def value_ticks(low: float, high: float, text: Callable[[float, int], str]) -> list[Tick]:
    """Return the ticks between two values; `text` gets a value and the decimals its step needs."""
    if not high > low:
        return [Tick(at=low, label=text(low, 2))]
    step = value_step(low, high)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    if round(step * 10**decimals, 6) % 1:  # a step of 2.5 needs one more
        decimals += 1
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [Tick(at=n * step, label=text(n * step, decimals)) for n in range(first, last + 1)]


def time_ticks(time_ms: IntColumn) -> list[Tick]:
    """Return ticks at the first bars of hours, days, months or years, whichever fits.

    The axis counts bars, so that nights and weekends without bars take no room.
    """
    if len(time_ms) < 2:
        return []
    start, end = moment(int(time_ms[0])), moment(int(time_ms[-1]))
    for boundaries, label in _calendars(start, end):
        rows: dict[int, datetime] = {}
        for at in boundaries:
            rows[int(np.searchsorted(time_ms, int(at.timestamp()) * 1000))] = at
            if len(rows) > _TICKS:
                break
        else:
            return _apart(rows, len(time_ms) / (1.5 * _TICKS), label)
    return []


def _apart(
    rows: dict[int, datetime], room: float, label: Callable[[datetime, bool], str]
) -> list[Tick]:
    """Return ticks that leave each other room: after a pause the later one stays."""
    found = list(rows.items())
    kept = [
        (row, at)
        for (row, at), (following, _) in zip(found, [*found[1:], (math.inf, None)], strict=True)
        if following - row >= room
    ]
    return [Tick(at=row, label=label(at, n == 0)) for n, (row, at) in enumerate(kept)]


def _calendars(
    start: datetime, end: datetime
) -> Iterator[tuple[Iterator[datetime], Callable[[datetime, bool], str]]]:
    for hours in _HOURS:
        yield _steps(start, end, timedelta(hours=hours)), _hour_label
    for days in _DAYS:
        yield _steps(start, end, timedelta(days=days)), _day_label
    for months in _MONTHS:
        yield _months(start, end, months), _month_label


def _steps(start: datetime, end: datetime, step: timedelta) -> Iterator[datetime]:
    at = _A_MONDAY - ((_A_MONDAY - start) // step) * step
    while at <= end:
        yield at
        at += step


def _months(start: datetime, end: datetime, step: int) -> Iterator[datetime]:
    first = start.year * 12 + start.month - 1
    is_inside = start > datetime(start.year, start.month, 1, tzinfo=UTC)
    count = -(-(first + is_inside) // step) * step
    while (at := datetime(count // 12, count % 12 + 1, 1, tzinfo=UTC)) <= end:
        yield at
        count += step


def _hour_label(at: datetime, is_first: bool) -> str:  # noqa: FBT001 - one of three of a kind
    return _day_label(at, is_first) if is_first or at.hour == 0 else f"{at:%H:%M}"


def _day_label(at: datetime, is_first: bool) -> str:  # noqa: FBT001
    return f"{at.day} {month_name(at)}{f' {at.year}' if is_first else ''}"


def _month_label(at: datetime, is_first: bool) -> str:  # noqa: FBT001
    return f"{month_name(at)} {at.year}" if is_first or at.month == 1 else month_name(at)
