"""What would pass instead of a refused entry, found when a refusal is read, never in the gate."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from mtquant.model import lots_from_units
from mtquant.risk.largest import largest_units

if TYPE_CHECKING:
    from mtquant.risk.checks.rule import Met


def largest_volume(met: Met) -> str:
    """Name the largest volume that this rule lets pass."""
    view = replace(met.view, known_value_minor=None, known_margin_minor=None)

    def passes(units: int) -> bool:
        return bool(met.look(replace(met.intent, volume_units=units), view, met.limits)[0])

    units = largest_units(view.instrument, passes)
    return f"up to {lots_from_units(units):g} lots would pass" if units else "no volume would pass"


def nearest_volume(met: Met) -> str:
    """Name the tradable volume that is nearest below, or the smallest one."""
    instrument = met.view.instrument
    units = instrument.floor_units(met.intent.volume_units) or instrument.volume_min_units
    return f"{lots_from_units(units):g} lots would pass"


def nearest_target(met: Met) -> str:
    """Name the nearest target that may win enough for what the stop may lose."""
    intent, price = met.intent, met.view.entry_points(met.intent)
    side, stop = intent.side.value, intent.stop_loss_points
    risk = (price - stop) * side if stop and price else 0
    if risk <= 0:
        return "no target would pass without a stop on the losing side of a price"
    target = price + side * math.ceil(met.limit * risk)
    if target <= 0:
        return "no target would pass with a stop so far away"
    return f"a target of {target} points would pass, or one farther away"


def cap_or_volume(met: Met) -> str:
    """Say how a class gets a cap; where all have one, name the largest volume."""
    if isinstance(met.value, str):
        return "write one, or name the class of the symbol in asset_classes"
    return largest_volume(met)
