"""Profit and worth of a position, in minor units of the account currency.

Sources: MQL5 reference, ENUM_SYMBOL_CALC_MODE (forex and CFD: (close - open) x contract x lots);
rounding of each forex leg to the profit currency's digits: documented order_calc_profit prints.
"""

from __future__ import annotations

from mtquant.model.numbers import round_half_away


def value_minor(units: int, points: float, contract_size: float, divisor: float) -> int:
    """Return the worth of a volume at a price, minor units of the profit currency.

    `divisor` is 10^(price digits + 8 - money digits): it takes points x 1e-8 lots to minor units.
    """
    if divisor <= 0:
        return 0
    return round_half_away(float(units) * points * contract_size / divisor)


def profit_minor(
    side: int,
    units: int,
    open_points: float,
    close_points: float,
    contract_size: float,
    divisor: float,
    rounds_legs: bool,
    gain_rate: float,
    loss_rate: float,
) -> int:
    """Return the profit of closing at `close_points`, minor units of the account currency.

    Args:
        side: +1 long, -1 short.
        units: volume, 1e-8 lots.
        open_points: opening price; netting averages it finer than a point.
        close_points: closing price.
        contract_size: of one lot.
        divisor: see `value_minor`.
        rounds_legs: True for forex (each leg is rounded), False for others (the difference is).
        gain_rate: account currency per profit currency for a gain, 1.0 when they are one.
        loss_rate: the same for a loss.
    """
    if rounds_legs:
        own = side * (
            value_minor(units, close_points, contract_size, divisor)
            - value_minor(units, open_points, contract_size, divisor)
        )
    else:
        own = value_minor(units, side * (close_points - open_points), contract_size, divisor)
    rate = gain_rate if own > 0 else loss_rate
    return own if rate == 1.0 else round_half_away(own * rate)


def accrued_minor(
    side: int, units: int, accrued_interest: float, contract_size: float, scale: float, rate: float
) -> int:
    """Return the accrued interest of a bond position, minor units of the account currency.

    `accrued_interest` is money per unit of the contract, `scale` 10^money digits of the account.
    """
    return side * round_half_away(units * contract_size / 1e8 * accrued_interest * scale * rate)


def collateral_minor(
    units: int, price_points: float, contract_size: float, liquidity: float, divisor: float
) -> int:
    """Return what a collateral position adds to the assets, minor units of its currency.

    `liquidity` is the part of the market value that counts, `divisor` as in `value_minor`.
    """
    if divisor <= 0:
        return 0
    return round_half_away(units * price_points * contract_size * liquidity / divisor)
