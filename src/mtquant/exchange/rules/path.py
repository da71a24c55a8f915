"""How the market walks through one bar.

Open, then low-high for a rising bar and high-low for a falling one, then close. A bar that closes
where it opened takes the opposite of the bar before it. Source: MetaTrader's tick generation
("doji takes the opposite of the previous candle"); the order of the two turning points of its
1-minute OHLC mode is not documented, so ours is this one rule everywhere.
"""

from __future__ import annotations


def path_direction(open_: int, close: int, previous_open: int, previous_close: int) -> int:
    """Return +1 for open-low-high-close, -1 for open-high-low-close.

    All prices are points. A doji after a doji (or as the first bar) counts as rising.
    """
    if close > open_:
        return 1
    if close < open_:
        return -1
    return -1 if previous_close > previous_open else 1


def path_point(step: int, direction: int, open_: int, high: int, low: int, close: int) -> int:
    """Return the bid (points) at step 0 to 3 of the path: open, turn, turn, close."""
    if step == 0:
        return open_
    if step == 3:
        return close
    return low if (step == 1) == (direction > 0) else high


def path_time(step: int, open_ms: int, duration_ms: int) -> int:
    """Return the UTC time of step 0 to 3: open, a third, two thirds, the last millisecond."""
    if step == 3:
        return open_ms + duration_ms - 1
    return open_ms + duration_ms * step // 3


def path_parts(tick_volume: int, has_shadows: bool) -> tuple[int, int, int]:
    """Return how many ticks walk to the first turn, to the second, and to the close.

    Up to 11 ticks after the opening one, ideally 3, 5 and 3; `tick_volume` 0 is unknown and counts
    as many. Without shadows a bar of one or two ticks goes straight to its close.
    Source: MetaTrader's tick generation, as far as it is published: numbers of ticks, three parts.
    """
    ticks = 11 if tick_volume <= 0 else min(11, tick_volume)
    if ticks < 3:
        if not has_shadows:
            return 0, 0, max(0, ticks - 1)
        ticks = 3
    shadow = (3 * ticks + 5) // 11
    return shadow, ticks - 2 * shadow, shadow


def path_between(start: int, end: int, tick: int, ticks: int) -> int:
    """Return the bid of a tick (1 to `ticks`) on the way between two turns, whole points."""
    if ticks <= 0:
        return end
    return start + (end - start) * tick // ticks
