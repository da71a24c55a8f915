"""Margin, in minor units of the account currency.

Sources: MQL5 reference, ENUM_SYMBOL_CALC_MODE; hedged margin: MetaTrader administrator help
(covered volume by the hedged contract and the average price of all positions, uncovered volume by
the average price of the larger leg).
"""

from __future__ import annotations

from mtquant.model.numbers import round_half_away

FOREX, FOREX_NO_LEVERAGE, CFD, CFD_LEVERAGE = 0, 1, 2, 3


def margin_amount(
    mode: int,
    units: float,
    price_points: float,
    contract_size: float,
    point_scale: float,
    leverage: float,
    rate: float,
) -> float:
    """Return the margin of a volume in minor units of the account currency, not yet rounded.

    Args:
        mode: FOREX, FOREX_NO_LEVERAGE, CFD or CFD_LEVERAGE.
        units: volume, 1e-8 lots.
        price_points: opening price (enters for CFDs only).
        contract_size: of one lot, or the hedged contract for covered volume.
        point_scale: 10^digits, points per unit of price.
        leverage: of the account; 0 or less counts as 1.
        rate: minor units of the account currency per unit of the margin currency.
    """
    amount = units * contract_size / 1e8 * rate
    if mode in (CFD, CFD_LEVERAGE):
        amount = amount * price_points / point_scale
    if mode in (FOREX, CFD_LEVERAGE) and leverage > 0:
        amount = amount / leverage
    return amount


def hedged_margin_minor(
    mode: int,
    long_units: int,
    long_weighted: float,
    short_units: int,
    short_weighted: float,
    contract_size: float,
    hedged_contract: float,
    point_scale: float,
    leverage: float,
    rate_per_price: float,
    fixed_rate: float,
) -> int:
    """Return the margin of all positions of one symbol on a hedging account.

    Args:
        mode: calculation mode.
        long_units: Σ volume of the long positions.
        long_weighted: Σ volume x opening price (points) of the long positions.
        short_units: as above, short.
        short_weighted: as above, short.
        contract_size: of one lot.
        hedged_contract: contract for covered volume; 0 = covered volume is free.
        point_scale: 10^digits.
        leverage: of the account.
        rate_per_price: minor units of the account currency per unit of price, when the traded pair
            converts the margin itself (EURUSD on a USD account: 100), else 0.
        fixed_rate: minor units of the account currency per unit of the margin currency, used when
            `rate_per_price` is 0.
    """
    covered = min(long_units, short_units)
    uncovered = max(long_units, short_units) - covered
    total = 0.0
    if uncovered > 0:
        heavier_long = long_units > short_units
        weighted = long_weighted if heavier_long else short_weighted
        price = weighted / (long_units if heavier_long else short_units)
        rate = rate_per_price * price / point_scale if rate_per_price > 0 else fixed_rate
        total += margin_amount(mode, uncovered, price, contract_size, point_scale, leverage, rate)
    if covered > 0 and hedged_contract > 0:
        price = (long_weighted + short_weighted) / (long_units + short_units)
        rate = rate_per_price * price / point_scale if rate_per_price > 0 else fixed_rate
        total += margin_amount(mode, covered, price, hedged_contract, point_scale, leverage, rate)
    return round_half_away(total)


def is_stop_out(equity_minor: int, margin_minor: int, level_percent: float) -> bool:
    """Tell whether the margin level has reached the stop-out level (percent).

    Without margin there is no level and no stop-out.
    """
    return margin_minor > 0 and equity_minor * 100.0 <= level_percent * margin_minor
