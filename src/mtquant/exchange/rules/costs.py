"""Commission and swap, in minor units of the account currency (negative = charged)."""

from __future__ import annotations

from mtquant.model.numbers import round_half_away


def commission_minor(units: int, per_lot_minor: float) -> int:
    """Return the commission of one deal: minor units per lot, on this side."""
    return -round_half_away(units * per_lot_minor / 1e8)


def swap_nights(weekday: int, triple_weekday: int) -> int:
    """Return how many nights the night that ends `weekday` counts for.

    Weekdays count from 0 = Sunday; a `triple_weekday` outside 0 to 6 means no triple day. The
    nights that end Saturday and Sunday count for nothing: the triple day has paid for them.
    """
    if weekday in (0, 6):
        return 0
    return 3 if weekday == triple_weekday else 1


def swap_points_minor(
    units: int, swap_points: float, nights: int, contract_size: float, divisor: float, rate: float
) -> int:
    """Return the swap of a volume for some nights, swap given in points.

    The value of a point is rounded before it is multiplied (MetaTrader administrator help: 5 lots
    of USDTRY, 1.14 x -11.35 = -12.94). `divisor` as in `rules.profit.value_minor`; `rate` converts
    the profit currency to the account currency.
    """
    point_value = round_half_away(units * contract_size / divisor * rate)
    return round_half_away(point_value * swap_points * nights)
