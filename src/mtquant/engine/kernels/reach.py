"""Whether a kernel can count a run: its whole numbers have 64 bits, and wrap where compiled."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from mtquant.engine.kernels.job import Job, limit_objections
from mtquant.engine.kernels.layout import ENTRY, SIDE, UNITS, Bot, Money, Trading
from mtquant.engine.kernels.money import commission, fee, margin_held, margin_to_open, profit, swap
from mtquant.exchange.rules.profit import value_minor
from mtquant.model import UNITS_PER_LOT

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST: Final = 2**60  # room for sums of several such numbers
_NIGHTS: Final = 10.0


def objections_to(job: Job) -> tuple[str, ...]:
    """Return why a run needs the event-driven engine after all: its numbers do not fit, or so.

    Looked at are the largest volume, the highest and the lowest price, by the rules themselves; and
    the limits, for they may vary from run to run.
    """
    found = limit_objections(job.spec.limits)
    if found:
        return found
    largest = _largest(job.money, job.trading, job.bot, job.highest)
    if largest < _MOST:
        return ()
    return (f"{job.spec.symbol}: amounts may reach {largest:.1e}, past the 64 bits of a kernel",)


@lru_cache
def _largest(money: Money, trading: Trading, bot: Bot, highest: int) -> float:
    try:
        return max(float(abs(one)) for one in _extremes(money, trading, bot, highest))
    except OverflowError:  # beyond what a float counts, even
        return math.inf


def _extremes(money: Money, trading: Trading, bot: Bot, top: int) -> Iterator[int]:
    low = 1
    distances = [bot.stop_points, bot.target_points, trading.deviation, trading.stops_level]
    distances.append(trading.freeze_level)
    distances += [int(top * one) for one in (bot.stop_atr, bot.target_atr, bot.trail_distance)]
    distances += [int(top * one) for one in (bot.trail_activation, bot.trail_step)]
    yield from distances
    units = max(trading.volume_max, UNITS_PER_LOT)
    yield units
    far = top + max(distances)
    yield value_minor(units, far, money.price_value, money.divisor)
    for side in (1, -1):
        yield profit(money, side, units, low, far)
        yield profit(money, side, units, top, low)
        for price in (low, top):
            yield margin_to_open(money, side, units, price)
            yield margin_held(money, side, units, price)
            cells = {SIDE: side, UNITS: units, ENTRY: price}
            yield swap(money, cells, _NIGHTS, price, price)
    yield commission(money, units, top, True)
    yield commission(money, units, low, False)
    yield fee(money, units)
