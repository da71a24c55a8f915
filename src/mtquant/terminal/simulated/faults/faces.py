"""The module's structures with something wrong in them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from mtquant.terminal.simulated.faults.kinds import Shape

if TYPE_CHECKING:
    from mtquant.terminal.simulated.faults.alarms import Alarm
    from mtquant.terminal.simulated.faults.spec import FaultSpec

_SHAPES: Final = (Shape.FAR, Shape.CROSSED, Shape.ZERO, Shape.NAN)


def changed(struct: Any, **fields: Any) -> Any:
    """Return a structure with other values in some fields."""
    pairs = zip(struct.__match_args__, struct, strict=True)
    return type(struct)(fields.get(name, value) for name, value in pairs)


def spiked(tick: Any, alarm: Alarm, digits: int) -> Any:
    """Return a Tick with a wrong price."""
    spec = alarm.spec
    away = spec.points / 10**digits
    shape = spec.shape
    if shape is Shape.ANY:
        shape = _SHAPES[alarm.pick(alarm.begun, len(_SHAPES))]
    prices = {
        Shape.FAR: (tick.bid + away, tick.ask + away),
        Shape.CROSSED: (tick.ask + away, tick.bid),
        Shape.ZERO: (0.0, 0.0),
        Shape.NAN: (math.nan, math.nan),
    }
    bid, ask = (round(price, digits) for price in prices[shape])
    return changed(tick, bid=bid, ask=ask)


def rewritten(struct: Any, spec: FaultSpec) -> Any:
    """Return a position, order or deal with the comment that the broker keeps."""
    if not struct.symbol:  # an operation on the balance
        return struct
    text = struct.comment if spec.text is None else spec.text
    return changed(struct, comment=text[: spec.length] if spec.length >= 0 else text)
