"""Shares of money in whole minor units, never rounded in the trader's favour."""

from __future__ import annotations

from fractions import Fraction


def exact(fraction: float) -> Fraction:
    """Return the decimal number that a float was written as.

    >>> exact(0.05)
    Fraction(1, 20)
    """
    return Fraction(str(fraction))


def allowance_minor(amount_minor: int, share: Fraction) -> int:
    """Return a share of an amount as an allowance: rounded down, 0 of a negative amount.

    >>> allowance_minor(10_099, exact(0.05))
    504
    """
    return max(0, amount_minor) * share.numerator // share.denominator


def demand_minor(amount_minor: int, share: Fraction) -> int:
    """Return a share of an amount as a demand: rounded up.

    >>> demand_minor(10_099, exact(0.05))
    505
    """
    return -(-amount_minor * share.numerator // share.denominator)
