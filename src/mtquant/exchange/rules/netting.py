"""Positions of a netting account: one per symbol, at the average price of what opened it.

Source: MetaTrader platform help, Positions (the opening price is averaged with every addition and
rounded to three digits more than the symbol has: 1.10051333, then 1.10053666 from exactly
1.100536665).
"""

from __future__ import annotations


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
    weighted = units * opened + more_units * price * 1000
    return -((total - 2 * weighted) // (2 * total))
