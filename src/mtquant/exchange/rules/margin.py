"""Margin, in minor units of the account currency.

Sources: MQL5 reference, ENUM_SYMBOL_CALC_MODE; MetaTrader administrator help: fixed margins, margin
rates, hedged margin (covered volume by the hedged contract and the average price of all positions,
uncovered volume by the average price of the larger leg), netting margin, FORTS.

Arguments that several rules share:
    mode: calculation mode, a number of `rules.modes`.
    value: `rules.margin_value`, or the fixed margin per lot where `is_fixed`.
    point_scale: 10^digits, points per unit of price.
    leverage: of the account; 0 or less counts as 1.
    rate_per_price: minor units of the account currency per unit of price, when the traded pair
        converts the margin itself (EURUSD on a USD account: 100), else 0.
    fixed_rate: minor units of the account currency per unit of the margin currency, used when
        `rate_per_price` is 0.
    long_factor, short_factor: margin rate of a side x its conversion, where another pair converts.
"""

from __future__ import annotations

from mtquant.exchange.rules.modes import (
    CFD,
    CFD_INDEX,
    CFD_LEVERAGE,
    EXCH_BONDS,
    EXCH_BONDS_MOEX,
    EXCH_STOCKS,
    EXCH_STOCKS_MOEX,
    FOREX,
)
from mtquant.model.numbers import round_half_away


def margin_amount(
    mode: int,
    units: float,
    price_points: float,
    value: float,
    point_scale: float,
    leverage: float,
    rate: float,
    is_fixed: bool = False,  # noqa: FBT002 - passed by position
) -> float:
    """Return the margin of a volume in minor units of the account currency, not yet rounded.

    Args:
        mode: calculation mode.
        units: volume, 1e-8 lots.
        price_points: opening price; it enters for CFDs, stocks and bonds without a fixed margin.
        value: `rules.margin_value`, the hedged contract for covered volume, or money per lot.
        point_scale: 10^digits, points per unit of price; 0 or less makes the price count nothing.
        leverage: of the account; 0 or less counts as 1.
        rate: minor units of the account currency per unit of the margin currency.
        is_fixed: True when `value` is a fixed margin, money per lot.
    """
    amount = units * value / 1e8 * rate
    if not is_fixed and mode in (
        CFD,
        CFD_LEVERAGE,
        CFD_INDEX,
        EXCH_STOCKS,
        EXCH_STOCKS_MOEX,
        EXCH_BONDS,
        EXCH_BONDS_MOEX,
    ):
        amount = amount * price_points / point_scale if point_scale > 0 else 0.0
    if mode in (FOREX, CFD_LEVERAGE) and leverage > 0:
        amount = amount / leverage
    return amount


def leg_margin(
    mode: int,
    units: float,
    weighted: float,
    of_units: float,
    value: float,
    point_scale: float,
    leverage: float,
    rate_per_price: float,
    fixed_rate: float,
    factor: float,
    is_fixed: bool,
) -> float:
    """Return the margin of `units` at the average price weighted / of_units, not yet rounded.

    The other arguments are those of `hedged_margin_minor`; `factor` multiplies the whole.
    """
    if units <= 0 or of_units <= 0 or value <= 0:
        return 0.0
    price = weighted / of_units
    rate = fixed_rate
    if rate_per_price > 0:
        rate = rate_per_price * price / point_scale if point_scale > 0 else 0.0
    amount = margin_amount(mode, units, price, value, point_scale, leverage, rate, is_fixed)
    return amount * factor


def hedged_margin_minor(
    mode: int,
    long_units: int,
    long_weighted: float,
    short_units: int,
    short_weighted: float,
    value: float,
    hedged_value: float,
    point_scale: float,
    leverage: float,
    rate_per_price: float,
    fixed_rate: float,
    long_factor: float = 1.0,
    short_factor: float = 1.0,
    is_fixed: bool = False,  # noqa: FBT002 - passed by position
    uses_leg: bool = False,  # noqa: FBT002
    long_pending: float = 0.0,
    short_pending: float = 0.0,
) -> int:
    """Return the margin of all positions and pending orders of one symbol on a hedging account.

    `long_units` is Σ volume of the long positions, `long_weighted` Σ volume x opening price in
    points, `long_pending` the margin of their pending orders in minor units. Covered volume takes
    `hedged_value` (a contract, or money where `is_fixed`; 0 = free) and the mean of both factors;
    with `uses_leg` the larger leg counts alone. The uncovered and the covered part are rounded
    each, as the administrator help sums them.
    """
    terms = (point_scale, leverage, rate_per_price, fixed_rate)
    covered = min(long_units, short_units)
    free = 0 if uses_leg else covered
    left = long_units - free
    bought = leg_margin(mode, left, long_weighted, long_units, value, *terms, long_factor, is_fixed)
    left = short_units - free
    sold = leg_margin(
        mode, left, short_weighted, short_units, value, *terms, short_factor, is_fixed
    )
    if uses_leg:
        return round_half_away(max(bought + long_pending, sold + short_pending))
    units, weighted = long_units + short_units, long_weighted + short_weighted
    factor = (long_factor + short_factor) / 2.0
    both = leg_margin(mode, covered, weighted, units, hedged_value, *terms, factor, is_fixed)
    positions = round_half_away(bought) + round_half_away(sold) + round_half_away(both)
    return positions + round_half_away(long_pending + short_pending)


def netting_margin_minor(
    same: float, opposite: float, position_opposite: float, stops: float
) -> int:
    """Return the margin of one symbol on a netting account, minor units.

    The orders against a position first close it: the larger direction counts, while stop and
    stop-limit orders are added whatever their direction.

    Args:
        same: margin of the position and of the market and limit orders of its direction.
        opposite: margin of the market and limit orders against it.
        position_opposite: margin the position would need if it stood on the other side.
        stops: Σ margin of all stop and stop-limit orders.
    """
    turned = max(0.0, position_opposite)  # slippage may fill below a price of zero
    return round_half_away(max(same, opposite - turned, 0.0) + stops)


def forts_margin_amount(
    side: int,
    units: float,
    price_points: float,
    settlement_points: float,
    initial: float,
    point_value: float,
    rate: float,
) -> float:
    """Return the margin of FORTS futures in minor units, not yet rounded.

    The initial margin of the side grows by what the price lies behind the settlement price.

    Args:
        side: +1 buy, -1 sell.
        units: volume, 1e-8 lots.
        price_points: of the order or the opening price.
        settlement_points: of the last clearing.
        initial: margin of one lot of this side.
        point_value: worth of a point per lot.
        rate: minor units of the account currency per unit of the margin currency.
    """
    behind = side * (price_points - settlement_points) * point_value
    return units / 1e8 * max(0.0, initial + behind) * rate


def fixed_margin_per_lot(initial: float, maintenance: float, is_held: bool) -> float:
    """Return the fixed margin of a lot: what is held takes the maintenance margin if there is one.

    The same rule chooses between the initial and the maintenance margin rate.
    """
    return maintenance if is_held and maintenance > 0 else initial


def fixed_margin_to_open(
    held: float, units_against: int, units: int, hedged_per_lot: float, initial_per_lot: float
) -> float:
    """Return what an order must find before it opens, where margins are fixed.

    The margin of what is held stays; the covered part of the new volume takes the hedged margin,
    the rest the initial one.

    Args:
        held: margin of the open positions, minor units.
        units_against: uncovered volume of the other side.
        units: volume of the order.
        hedged_per_lot: minor units per lot.
        initial_per_lot: minor units per lot.
    """
    covered = min(units_against, units)
    return held + (covered * hedged_per_lot + (units - covered) * initial_per_lot) / 1e8


def is_stop_out(equity_minor: int, margin_minor: int, level_percent: float) -> bool:
    """Tell whether the margin level has reached the stop-out level (percent).

    Without margin there is no level and no stop-out.
    """
    return margin_minor > 0 and equity_minor * 100.0 <= level_percent * margin_minor


def is_stop_out_by_money(equity_minor: int, margin_minor: int, level_minor: int) -> bool:
    """Tell whether equity has reached a stop-out level that is stated as money.

    Without margin there is no stop-out.
    """
    return margin_minor > 0 and equity_minor <= level_minor
