"""The largest volume that passes whatever is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from mtquant.model import Instrument


def largest_units(
    instrument: Instrument, passes: Callable[[int], bool], least_units: int = 0
) -> int:
    """Return the largest tradable volume (1e-8 lots) that passes, 0 where the smallest does not.

    What passes at one volume has to pass at each smaller one from `least_units` on.
    """
    step, most = instrument.volume_step_units, instrument.volume_max_units
    least = max(instrument.volume_min_units, least_units)
    smallest = instrument.floor_units(least)
    if smallest < least:
        smallest += step
    if not passes(smallest) or smallest > most:
        return 0
    low, high = 0, (most - smallest) // step
    while low < high:
        middle = (low + high + 1) // 2
        if passes(smallest + middle * step):
            low = middle
        else:
            high = middle - 1
    return smallest + low * step
