"""Whole numbers for volume and money, and the one way to round.

Volume is an integer count of 1e-8 lots, booked money an integer count of the currency's
minor unit, prices whole points. Floats appear at the MetaTrader boundary and for people.
"""

from __future__ import annotations

import math

UNITS_PER_LOT = 100_000_000


def round_half_away(value: float) -> int:
    """Return the nearest integer, halves away from zero.

    >>> round_half_away(2.5), round_half_away(-2.5), round_half_away(0.49999999999999994)
    (3, -3, 0)
    """
    whole = math.floor(abs(value))
    if abs(value) - whole >= 0.5:
        whole += 1
    return whole if value >= 0 else -whole


def units_from_lots(lots: float) -> int:
    """Return the volume units (1e-8 lots) of `lots`.

    >>> units_from_lots(0.1)
    10000000

    Raises:
        ValueError: `lots` is not a finite number.
    """
    if not math.isfinite(lots):
        raise ValueError(f"volume must be a finite number of lots, was {lots}")
    return round_half_away(lots * UNITS_PER_LOT)


def floor_to_step(units: int, minimum: int, maximum: int, step: int) -> int:
    """Return the largest tradable volume not above `units` (all 1e-8 lots), 0 if none is.

    >>> floor_to_step(1_234_567_890, 1_000_000, 1_000_000_000, 1_000_000)
    1000000000
    """
    capped = min(units, maximum)
    floored = capped - capped % step if step > 0 else 0
    return floored if floored >= minimum else 0


def lots_from_units(units: int) -> float:
    """Return `units` (1e-8 lots) as lots, for people and for the terminal.

    >>> lots_from_units(23_000_000)
    0.23
    """
    return units / UNITS_PER_LOT


def minor_from_money(amount: float, digits: int) -> int:
    """Return an amount of money in minor units of a currency with `digits` decimals.

    >>> minor_from_money(10.005, 2), minor_from_money(-3.5, 2)
    (1001, -350)

    Raises:
        ValueError: `amount` is not a finite number.
    """
    if not math.isfinite(amount):
        raise ValueError(f"an amount of money must be finite, was {amount}")
    return round_half_away(round(amount * 10**digits, 6))


def money_from_minor(minor: int, digits: int) -> float:
    """Return minor units as an amount of money, for people and for the terminal."""
    return minor / float(10**digits)
