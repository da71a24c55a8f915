"""Ticks as `copy_ticks_*` returns them: the points of the bars' paths that were played so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mtquant.exchange import rules
from mtquant.terminal import constants as mt5

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mtquant.exchange import Market

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
_Point = tuple[int, int, int]  # UTC ms, bid and ask in points
_STEPS: Final = 4
_CHANGE_S: Final = 7200  # no server's clock is set further at once


def ticks(
    market: Market,
    stamps: NDArray[np.int64],
    seconds: tuple[int, int],
    kind: int,
    count: int | None = None,
) -> NDArray[Any]:
    """Return the ticks from one server second to another as an array of `TICKS_DTYPE`.

    Both ends count, to the millisecond; `count` keeps the first ones. The market has no last
    price, so there are no ticks of trades. `flags` say which side changed since the tick before;
    COPY_TICKS_INFO leaves out points of the path on which neither did.
    """
    found: list[tuple[Any, ...]] = []
    if kind != mt5.COPY_TICKS_TRADE and count != 0:
        for tick in _rows(market, stamps, seconds[0] * 1000, seconds[1] * 1000):
            if kind == mt5.COPY_TICKS_ALL or tick[6]:
                found.append(tick)
                if len(found) == count:
                    break
    return np.array(found, dtype=TICKS_DTYPE)


def _rows(
    market: Market, stamps: NDArray[np.int64], first_ms: int, last_ms: int
) -> Iterator[tuple[Any, ...]]:
    margin_s = market.duration_ms // 1000 + _CHANGE_S
    shown = stamps[: market.bar + 1]
    near = (shown >= first_ms // 1000 - margin_s) & (shown <= last_ms // 1000 + margin_s)
    bars = np.flatnonzero(near).tolist()
    scale = 10**market.bars.digits
    for bar in bars:
        before = _points(market, bar - 1)[-1] if bar else None
        for point in _points(market, bar):
            utc_ms, bid, ask = point
            flags = mt5.TICK_FLAG_BID * (before is None or bid != before[1])
            flags |= mt5.TICK_FLAG_ASK * (before is None or ask != before[2])
            before = point
            time_ms = market.venue.clock.to_server_ms(utc_ms)
            if first_ms <= time_ms <= last_ms:
                yield time_ms // 1000, bid / scale, ask / scale, 0.0, 0, time_ms, flags, 0.0


def _points(market: Market, bar: int) -> list[_Point]:
    """Return the played points of a bar's path."""
    bars, before = market.bars, max(0, bar - 1)
    open_, close = int(bars.open[bar]), int(bars.close[bar])
    high, low, spread = int(bars.high[bar]), int(bars.low[bar]), int(bars.spread[bar])
    past = (int(bars.open[before]), int(bars.close[before])) if bar else (0, 0)
    direction = rules.path_direction(open_, close, *past)
    opened, duration = int(bars.time_ms[bar]), market.duration_ms
    if bar + 1 < len(bars):
        duration = min(duration, int(bars.time_ms[bar + 1]) - opened)
    played = market.step + 1 if bar == market.bar else _STEPS
    bids = [rules.path_point(s, direction, open_, high, low, close) for s in range(played)]
    return [
        (rules.path_time(step, opened, duration), bid, bid + spread)
        for step, bid in enumerate(bids)
    ]
