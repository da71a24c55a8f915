"""Ticks as `copy_ticks_*` returns them: real ones, or points of the bars' paths, so far played."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mtquant.data import server_times
from mtquant.exchange import BarFeed, TickFeed
from mtquant.terminal import constants as mt5

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtquant.exchange import Feed
    from mtquant.model import ServerClock

TICKS_DTYPE: Final = np.dtype(
    [
        ("time", "<i8"),
        ("bid", "<f8"),
        ("ask", "<f8"),
        ("last", "<f8"),
        ("volume", "<u8"),
        ("time_msc", "<i8"),
        ("flags", "<u4"),
        ("volume_real", "<f8"),
    ]
)
KINDS: Final = (mt5.COPY_TICKS_ALL, mt5.COPY_TICKS_INFO, mt5.COPY_TICKS_TRADE)
_CHANGE_MS: Final = 7_200_000  # no server's clock is set further at once
_CHUNK: Final = 512  # bars whose points are made at once


def ticks(
    feed: Feed,
    clock: ServerClock,
    seconds: tuple[int, int],
    kind: int,
    count: int | None = None,
) -> NDArray[Any]:
    """Return the ticks from one server second to another as an array of `TICKS_DTYPE`.

    Both ends count, to the millisecond; `count` keeps the first ones. There is no last price, so
    there are no ticks of trades. `flags` say which side changed since the tick before;
    COPY_TICKS_INFO leaves out points of a path on which neither did.
    """
    found = [np.zeros(0, dtype=TICKS_DTYPE)]
    if kind != mt5.COPY_TICKS_TRADE and count != 0:
        wanted = count
        for table in _tables(feed, clock, (seconds[0] * 1000, seconds[1] * 1000)):
            kept = table[table["flags"] > 0] if kind == mt5.COPY_TICKS_INFO else table
            found.append(kept[:wanted])
            if wanted is not None:
                wanted -= len(found[-1])
                if wanted == 0:
                    break
    return np.concatenate(found)


def _tables(feed: Feed, clock: ServerClock, ends: tuple[int, int]) -> Any:
    """Yield the ticks between two server times (ms), in parts, oldest first."""
    scale = 10**feed.digits
    first_ms, last_ms = ends
    for utc, bid, ask, has_before in _columns(feed, clock, ends):
        server = server_times(utc, clock)
        table = np.zeros(len(utc), dtype=TICKS_DTYPE)
        table["time"], table["time_msc"] = server // 1000, server
        table["bid"], table["ask"] = bid / scale, ask / scale
        changed = [np.concatenate([[True], np.diff(side) != 0]) for side in (bid, ask)]
        table["flags"] = mt5.TICK_FLAG_BID * changed[0] + mt5.TICK_FLAG_ASK * changed[1]
        inside = (server >= first_ms) & (server <= last_ms)
        inside[:has_before] = False  # it only tells what has changed
        yield table[inside]


def _columns(feed: Feed, clock: ServerClock, ends: tuple[int, int]) -> Any:
    """Yield UTC times, bids and asks (points) of ticks near two server times, played so far.

    The last item tells how many of them come before the part, to compare with.
    """
    if isinstance(feed, TickFeed):
        times = feed.ticks.time_ms[: feed.played]
        low, high = (clock.to_utc_ms(ms) for ms in ends)
        first = int(np.searchsorted(times, low - _CHANGE_MS))
        end = int(np.searchsorted(times, high + _CHANGE_MS, side="right"))
        before = min(1, first)
        rows = slice(first - before, end)
        if end > first:
            yield times[rows], feed.ticks.bid[rows], feed.ticks.ask[rows], before
        return
    if not isinstance(feed, BarFeed):
        raise TypeError(f"{type(feed).__name__} is neither bars nor ticks")
    played = feed.bar + 1 if feed.step >= 0 else feed.bar
    opened = feed.bars.time_ms[:played]
    low, high = (clock.to_utc_ms(ms) for ms in ends)
    first = int(np.searchsorted(opened, low - feed.duration_ms - _CHANGE_MS))
    end = int(np.searchsorted(opened, high + _CHANGE_MS, side="right"))
    for start in range(first, end, _CHUNK):
        yield _path_columns(feed, range(max(0, start - 1), min(end, start + _CHUNK)), start)


def _path_columns(feed: BarFeed, rows: range, start: int) -> tuple[Any, Any, Any, int]:
    points: list[tuple[int, int, int]] = []
    before = 0
    for row in rows:
        spread = int(feed.bars.spread[row])
        path = feed.shown if row == feed.bar else feed.points(row)
        points += [(time_ms, bid, bid + spread) for time_ms, bid in path]
        if row < start:
            before = len(points)
    columns = np.array(points, dtype=np.int64)
    return columns[:, 0], columns[:, 1], columns[:, 2], before
