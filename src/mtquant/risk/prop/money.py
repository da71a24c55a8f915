"""Shares of money in whole minor units, never rounded in the trader's favour."""

from __future__ import annotations

from fractions import Fraction

from mtquant.model import money_from_minor

Currency = tuple[str, int]
"""A currency's name and its decimals."""


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


def money_words(minor: int, currency: Currency | None) -> str:
    """Return money in a currency; in minor units where it is not known.

    >>> money_words(949_990, ("USD", 2)), money_words(1_250, None)
    ('9499.90 USD', '1250 minor units')
    """
    if currency is None:
        return f"{minor} minor units"
    name, digits = currency
    return f"{money_from_minor(minor, digits):.{digits}f} {name}"
