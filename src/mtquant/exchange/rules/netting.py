"""Positions of a netting account: one per symbol, at the average price of what opened it.

Source: MetaTrader platform help, Positions (the opening price is averaged with every addition and
rounded to three digits more than the symbol has: 1.10051333, then 1.10053666 from exactly
1.100536665).
"""

from __future__ import annotations

import math


def average_thousandths(units: int, opened: int, more_units: int, price: int) -> int:
    """Return the opening price of a position that was added to, thousandths of a point.

    An exact half is rounded down, as the documented print shows.

    Args:
        units: volume that is held.
        opened: its opening price, thousandths of a point.
        more_units: volume added.
        price: at which it is added, points.
    """
    total = units + more_units
    if total <= 0:
        return opened
    # volumes x prices exceed what compiled integers hold; a hair decides exact halves downwards
    shift = (price * 1000 - opened) * (more_units / total)
    return opened + math.ceil(shift - 0.500001)
