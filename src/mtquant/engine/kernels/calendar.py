"""Times that follow from the server's clock: trading hours, midnights, and the bars around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mtquant.engine.kernels.columns import frozen
from mtquant.engine.kernels.layout import FAR, Calendar
from mtquant.model import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mtquant.exchange import Terms
    from mtquant.model import Bars, Instrument, ServerClock

_MINUTE_MS = 60_000


def make_calendar(bars: Bars, terms: Terms, clock: ServerClock) -> Calendar:
    """Return the calendar of bars."""
    first_ms = int(bars.time_ms[0])
    last_ms = int(bars.time_ms[-1]) + bars.timeframe.duration_ms
    midnights, days = _midnights(clock, first_ms, last_ms)
    following = np.searchsorted(bars.time_ms, midnights)  # first bar that opens at or after each
    last_bars = np.unique(following - 1)
    day_ends = np.append(last_bars[last_bars >= 0], len(bars) - 1)
    return Calendar(
        edges=trading_edges(terms.instrument, clock, first_ms, last_ms),
        midnights=_closed(midnights),
        midnight_bars=_closed(following - _is_inside(bars, following, midnights)),
        nights=frozen(_nights(terms, days)),
        day_ends=_closed(np.unique(day_ends)),
    )


def _is_inside(
    bars: Bars, following: NDArray[np.int64], moments: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Tell of each moment whether the bar before the one that follows it is not over yet."""
    count = len(bars)
    opened = bars.time_ms[np.maximum(following - 1, 0)]
    ends_early = bars.time_ms[np.minimum(following, count - 1)] == moments
    is_last = following == count
    lasts = moments < opened + bars.timeframe.duration_ms
    inside: NDArray[np.bool_] = (following > 0) & lasts & (is_last | ~ends_early)
    return inside


def trading_edges(
    instrument: Instrument, clock: ServerClock, first_ms: int, last_ms: int
) -> NDArray[np.int64]:
    """Return when trading opens and closes between two UTC times: int64[2k], rising."""
    starts, offsets = clock.changes
    spans: list[tuple[int, int]] = []
    for row, offset in enumerate(offsets):
        begin = max(first_ms, starts[row])
        end = min(last_ms + 1, starts[row + 1] if row + 1 < len(starts) else FAR)
        if begin < end:
            spans += _spans(instrument, offset, begin, end)
    edges: list[int] = []
    for opened, closed in spans:
        if edges and edges[-1] >= opened:
            edges[-1] = closed
        else:
            edges += [opened, closed]
    return frozen(np.array(edges, dtype=np.int64))


def _spans(
    instrument: Instrument, offset_ms: int, begin_ms: int, end_ms: int
) -> Iterator[tuple[int, int]]:
    """Yield when trading is open while the clock keeps one offset, in order."""
    for day in range((begin_ms + offset_ms) // DAY_MS, (end_ms - 1 + offset_ms) // DAY_MS + 1):
        if day in instrument.holidays:
            continue
        midnight = day * DAY_MS - offset_ms
        for opens, closes in instrument.sessions[(day + 4) % 7]:
            opened = max(begin_ms, midnight + opens * _MINUTE_MS)
            closed = min(end_ms, midnight + closes * _MINUTE_MS)
            if opened < closed:
                yield opened, closed


def _midnights(
    clock: ServerClock, first_ms: int, last_ms: int
) -> tuple[NDArray[np.int64], list[int]]:
    """Return the server midnights after one time and up to another (UTC ms), and the days they end.

    Days count from 1970-01-01. No clock is set at midnight, so each comes once a day.
    """
    first_day = clock.to_server_ms(first_ms) // DAY_MS
    last_day = clock.to_server_ms(last_ms) // DAY_MS
    days = np.arange(first_day, last_day, dtype=np.int64)
    server_ms = (days + 1) * DAY_MS
    starts, offsets = (np.array(one, dtype=np.int64) for one in clock.changes)
    # as seen with the offset of a day before; an hour between the two makes no difference at night
    rows = np.searchsorted(starts, server_ms - offsets[0], side="right") - 1
    midnights = server_ms - offsets[rows]
    return midnights, days.tolist()


def _nights(terms: Terms, days: list[int]) -> NDArray[np.float64]:
    """Return how many nights the night that ends each day counts for."""
    if terms.dealing.swap_skips_holidays:
        return np.array([terms.nights(day) for day in days], dtype=np.float64)
    of_weekdays = np.array([terms.nights(day) for day in range(7)], dtype=np.float64)
    return of_weekdays[np.array(days, dtype=np.int64) % 7]


def _closed(column: NDArray[np.int64]) -> NDArray[np.int64]:
    return frozen(np.append(column, FAR).astype(np.int64))
