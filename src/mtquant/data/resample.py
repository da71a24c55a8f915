"""Bars of a longer timeframe from shorter ones, by the server's calendar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from mtquant.model import DAY_MS, Bars, MarketDataError, ServerClock, Timeframe, make_bars

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SUNDAY_MS: Final = 3 * DAY_MS  # 1970-01-04 was the first Sunday of the epoch


def resample(bars: Bars, timeframe: Timeframe, clock: ServerClock) -> Bars:
    """Return bars of a longer timeframe, cut as MetaTrader cuts them: by the server's wall clock.

    Days begin at the server's midnight, weeks on Sunday, months on the first. There is a bar
    wherever there are shorter ones, whatever trading hours are; its spread is the smallest of
    theirs. What repeats when the clock is set back in autumn belongs to one bar.

    Raises:
        MarketDataError: the bars are longer than what is asked for.
    """
    if timeframe is bars.timeframe:
        return bars
    if _length_ms(timeframe) < _length_ms(bars.timeframe):
        raise MarketDataError(
            f"{bars.symbol}: {timeframe.name} bars cannot be made of {bars.timeframe.name} bars"
        )
    if not len(bars):
        return _empty(bars, timeframe)
    opened = period_starts(server_times(bars.time_ms, clock), timeframe)
    first = np.flatnonzero(np.concatenate([[True], np.diff(opened) > 0]))
    last = np.concatenate([first[1:], [len(bars)]]) - 1
    return make_bars(
        symbol=bars.symbol,
        timeframe=timeframe,
        digits=bars.digits,
        time_ms=np.array([clock.to_utc_ms(int(ms)) for ms in opened[first]], dtype=np.int64),
        open=bars.open[first],
        high=np.maximum.reduceat(bars.high, first),
        low=np.minimum.reduceat(bars.low, first),
        close=bars.close[last],
        spread=np.minimum.reduceat(bars.spread, first),
        tick_volume=np.add.reduceat(bars.tick_volume, first),
    )


def first_rows(
    time_ms: NDArray[np.int64], timeframe: Timeframe, clock: ServerClock
) -> NDArray[np.intp]:
    """Return the rows of prices (UTC ms) that open a bar of a timeframe, cut as `resample` cuts."""
    minutes = time_ms - time_ms % Timeframe.M1.duration_ms
    is_minute = timeframe is Timeframe.M1  # minutes are not cut: each has one bar
    opened = minutes if is_minute else period_starts(server_times(time_ms, clock), timeframe)
    return np.flatnonzero(np.concatenate([[True], np.diff(opened) > 0]))[: len(time_ms)]


def server_times(time_ms: NDArray[np.int64], clock: ServerClock) -> NDArray[np.int64]:
    """Return the server's wall times (ms) of UTC times."""
    starts, offsets = clock.changes
    rows = np.searchsorted(np.array(starts[1:], dtype=np.int64), time_ms, side="right")
    return time_ms + np.array(offsets, dtype=np.int64)[rows]


def period_starts(server_ms: NDArray[np.int64], timeframe: Timeframe) -> NDArray[np.int64]:
    """Return when the bars that server times fall into open (server ms); never falling.

    The time of a bar is never before that of the one before it, also when the clock is set back.
    """
    if timeframe is Timeframe.MN1:
        months = server_ms.astype("datetime64[ms]").astype("datetime64[M]")
        opened = months.astype("datetime64[ms]").astype(np.int64)
    else:
        shift = _SUNDAY_MS if timeframe is Timeframe.W1 else 0
        opened = server_ms - (server_ms - shift) % timeframe.duration_ms
    return np.maximum.accumulate(opened) if len(opened) else opened


def _length_ms(timeframe: Timeframe) -> int:
    return 28 * DAY_MS if timeframe is Timeframe.MN1 else timeframe.duration_ms


def _empty(bars: Bars, timeframe: Timeframe) -> Bars:
    return make_bars(
        symbol=bars.symbol,
        timeframe=timeframe,
        digits=bars.digits,
        time_ms=bars.time_ms,
        open=bars.open,
        high=bars.high,
        low=bars.low,
        close=bars.close,
        spread=bars.spread,
        tick_volume=bars.tick_volume,
    )
