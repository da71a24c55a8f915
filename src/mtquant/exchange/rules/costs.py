"""Commission and swap, in minor units of the account currency (negative = charged)."""

from __future__ import annotations

from mtquant.model.numbers import round_half_away


def commission_minor(
    units: int,
    per_lot_minor: float,
    value_minor: float = 0.0,
    percent: float = 0.0,
    per_deal_minor: float = 0.0,
    minimum_minor: float = 0.0,
) -> int:
    """Return the commission of one deal, minor units: the sum of its models.

    Args:
        units: volume, 1e-8 lots.
        per_lot_minor: money per lot.
        value_minor: what the traded volume is worth.
        percent: of that worth.
        per_deal_minor: money per deal whatever its volume.
        minimum_minor: least commission of a deal.
    """
    charged = units * per_lot_minor / 1e8 + value_minor * percent / 100.0 + per_deal_minor
    return -round_half_away(max(charged, minimum_minor))


def swap_nights(weekday: int, triple_weekday: int) -> int:
    """Return how many nights the night that ends `weekday` counts for.

    Weekdays count from 0 = Sunday; a `triple_weekday` outside 0 to 6 means no triple day. The
    nights that end Saturday and Sunday count for nothing: the triple day has paid for them.
    """
    if weekday in (0, 6):
        return 0
    return 3 if weekday == triple_weekday else 1


def swap_points_minor(
    units: int, swap_points: float, nights: float, contract_size: float, divisor: float, rate: float
) -> int:
    """Return the swap of a volume for some nights, swap given in points.

    The value of a point is rounded before it is multiplied (MetaTrader administrator help: 5 lots
    of USDTRY, 1.14 x -11.35 = -12.94). `divisor` as in `rules.profit.value_minor`; `rate` converts
    the profit currency to the account currency.
    """
    if divisor <= 0:
        return 0
    point_value = round_half_away(units * contract_size / divisor * rate)
    return round_half_away(point_value * swap_points * nights)


def swap_money_minor(units: int, per_lot: float, nights: float, scale: float, rate: float) -> int:
    """Return the swap of a volume for some nights, swap given as money per lot.

    `scale` is 10^money digits of the account, `rate` account currency per unit of the swap's
    currency, at the side unfavourable to the trader.
    """
    return round_half_away(units / 1e8 * per_lot * nights * scale * rate)


def swap_interest_minor(
    units: int,
    percent: float,
    nights: float,
    lot_value: float,
    year_days: float,
    scale: float,
    rate: float,
) -> int:
    """Return the swap of a volume for some nights, swap given as percent a year of its value.

    Args:
        units: volume, 1e-8 lots.
        percent: a year.
        nights: that are charged.
        lot_value: of one lot; forex: the contract in base currency, others: x price.
        year_days: 360, 365 or 366; 0 or less charges nothing.
        scale: 10^money digits of the account.
        rate: account currency per unit of the value's currency.
    """
    if year_days <= 0:
        return 0
    return round_half_away(
        units / 1e8 * lot_value * percent / 100.0 / year_days * nights * scale * rate
    )
