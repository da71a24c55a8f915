"""How the command line writes what the journal holds: exact, and harmless to a terminal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mtquant.model.numbers import UNITS_PER_LOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def shown(text: str) -> str:
    r"""Return a text with all that does not print written out, so that it only ever is read.

    Comments and replies come from a broker: they could move the cursor or turn the writing round.

    >>> shown("a\x1b[2Jb\n")
    'a\\x1b[2Jb\\n'
    """
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )


def utc_text(time_ms: int) -> str:
    """Return a UTC second; the bare number where no calendar has it.

    >>> utc_text(1_483_308_000_000), utc_text(10**18)
    ('2017-01-01 22:00:00', '1000000000000000000 ms')
    """
    try:
        return datetime.fromtimestamp(time_ms // 1000, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return f"{time_ms} ms"


def lots_text(units: int) -> str:
    """Return a volume (1e-8 lots) in lots, exactly.

    >>> lots_text(15_000_000), lots_text(100_000_000), lots_text(1)
    ('0.15', '1.00', '0.00000001')
    """
    whole, decimals = _fixed(units, len(str(UNITS_PER_LOT)) - 1).split(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def price_text(points: int | None, digits: int | None) -> str:
    """Return a price; in points where nobody has said how many digits it has.

    >>> price_text(104_861, 5), price_text(104_861, None), price_text(None, 5)
    ('1.04861', '104861 points', 'none')
    """
    if points is None:
        return "none"
    return f"{points} points" if digits is None else _fixed(points, digits)


def money_text(minor: int, currency: tuple[str, int] | None) -> str:
    """Return money in a currency of so many decimals; in minor units where it is not known.

    >>> money_text(-53, ("USD", 2)), money_text(1_250, None)
    ('-0.53 USD', '1250 minor units')
    """
    if currency is None:
        return f"{minor} minor units"
    name, digits = currency
    return f"{_fixed(minor, digits)} {name}"


def aligned(rows: Iterable[Sequence[str]], right: Iterable[int] = ()) -> list[str]:
    """Return rows of cells as lines with their columns under each other.

    >>> aligned([("n", "what"), ("10", "deal")], right=[0])
    [' n  what', '10  deal']
    """
    table, to_the_right = list(rows), set(right)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if index in to_the_right else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]


def _fixed(value: int, digits: int) -> str:
    """Return value / 10^digits without ever being a float."""
    sign, size = "-" if value < 0 else "", abs(value)
    if not digits:
        return f"{sign}{size}"
    whole, rest = divmod(size, 10**digits)
    return f"{sign}{whole}.{rest:0{digits}d}"
